//! The first checks: is there anyone to be, who is it, and is what they want to use there?

use std::time::SystemTime;

use whetstone_catalog::{LifecycleStatus, catalog};
use whetstone_cloud::{CloudErrorCode, FoundationModel};
use whetstone_contract::{Check, CheckId, Identity};

use super::policies::{self, Place};
use super::verdict::{Answered as _, check, refused, said, unasked};
use super::{Round, Subject};
use crate::errors::from_cloud;

/// A signature is refused when the clocks are further apart than this.
const ALLOWED_SECONDS: f64 = 300.0;
/// Beyond this someone should look at the clock before it is too late.
const ODD_SECONDS: f64 = 60.0;

/// Whoever does not get past these is not let in at all.
pub async fn let_in<'a>(
    subject: &'a Subject,
    tell: &'a (dyn Fn(&Check) + Send + Sync),
) -> Result<Round<'a>, Vec<Check>> {
    let mut checks = Vec::new();
    let mut add = |check: Check| {
        tell(&check);
        checks.push(check);
    };
    let asked = check(CheckId::Credentials, &format!("Credentials: {}", subject.source));
    let cloud = match &subject.cloud {
        Err(error) => {
            let hint = error.hint.clone().unwrap_or_default();
            add(asked.failed(error.message.clone()).mend(hint));
            return Err(checks);
        }
        Ok(cloud) => cloud,
    };
    match cloud.key_in_hand().await {
        Ok(key) => {
            let ends = key.ends.map_or_else(|| "which does not end".to_owned(), in_words);
            add(asked.ok(format!("A key that ends in {}, {ends}.", key.tail)));
        }
        Err(error) => {
            add(asked.failed(said(&error)).mend(from_cloud(&error).hint.unwrap_or_default()));
            return Err(checks);
        }
    }
    let who = cloud.identity().await;
    let identity_check = check(CheckId::Identity, "sts:GetCallerIdentity");
    match who {
        Ok(identity) => {
            add(identity_check.ok(format!("{} in account {}", identity.arn, identity.account)));
            add(clock(cloud.clock_ahead()));
            let place = Place::of(&identity.arn, &subject.region, &identity.account);
            let identity = Identity { account: identity.account, arn: identity.arn };
            let caller = as_iam_knows(cloud, &identity.arn).await;
            Ok(Round { subject, cloud, account: identity.account, caller, place, checks, tell })
        }
        Err(error) => {
            add(identity_check.failed(said(&error)).mend(from_cloud(&error).hint.unwrap_or_default()));
            // A refusal carries a time, too, and the clock is what is often wrong.
            if error.code != CloudErrorCode::Unreachable {
                add(clock(cloud.clock_ahead()));
            }
            Err(checks)
        }
    }
}

/// The time left, in the largest units that say it.
fn in_words(ends: SystemTime) -> String {
    let left = ends.duration_since(SystemTime::now()).unwrap_or_default().as_secs();
    if left < 120 { format!("for another {left} s") } else { format!("for another {} min", left / 60) }
}

fn clock(ahead: Option<f64>) -> Check {
    let asked = check(CheckId::Clock, "The date in the answer of STS");
    let Some(ahead) = ahead else { return asked.unknown("The answer carries no date.") };
    let words = format!(
        "This computer's clock is {:.0} s {} AWS's.",
        ahead.abs(),
        if ahead > 0.0 { "behind" } else { "ahead of" }
    );
    let advice = "Let this computer set its clock from the network (on Linux: timedatectl set-ntp true).";
    if ahead.abs() > ALLOWED_SECONDS {
        asked.failed(format!("{words} Beyond 300 s every call is refused.")).mend(advice)
    } else if ahead.abs() > ODD_SECONDS {
        asked.warning(words).mend(advice)
    } else {
        asked.ok(words)
    }
}

/// IAM's simulation knows users and roles, not sessions of roles.
async fn as_iam_knows(cloud: &whetstone_cloud::Cloud, arn: &str) -> Option<String> {
    let Some((_, session)) = arn.split_once(":assumed-role/") else {
        return arn.contains(":user/").then(|| arn.to_owned());
    };
    let role = session.split('/').next()?;
    // The session's ARN leaves the role's path out.
    cloud.role(role).await.ok().map(|role| role.arn)
}

/// Region, Bedrock, the base model, and what the person may do.
pub async fn look(round: &mut Round<'_>) {
    region(round);
    let Some(models) = bedrock(round).await else { return };
    model(round, &models);
    model_access(round).await;
    permissions(round).await;
}

fn region(round: &mut Round<'_>) {
    let region = &round.subject.region;
    let asked = check(CheckId::Region, &format!("Base models that can be tuned in {region}"));
    let tunable: Vec<&str> = catalog()
        .models()
        .iter()
        .filter(|model| {
            !model.local && model.lifecycle.status != LifecycleStatus::EndOfLife && model.tunable_in(region)
        })
        .map(|model| model.name.as_str())
        .collect();
    let done = if tunable.is_empty() && !round.subject.on_this_computer {
        let best = crate::connections::regions().first().map_or_else(String::new, |choice| choice.region.clone());
        asked.failed("None that this app knows.").mend(format!(
            "Choose another Region for this connection, such as {best}. Bucket and job must be in the same one."
        ))
    } else {
        asked.ok(if tunable.is_empty() { "Those of this computer.".to_owned() } else { tunable.join(", ") })
    };
    round.add(done);
}

async fn bedrock(round: &mut Round<'_>) -> Option<Vec<FoundationModel>> {
    let asked = check(CheckId::Bedrock, "bedrock:ListFoundationModels");
    match round.cloud.foundation_models().await {
        Ok(models) => {
            round.add(asked.ok(format!("It answers, with {} models.", models.len())));
            Some(models)
        }
        Err(error) => {
            let statement = policies::allow(&["bedrock:ListFoundationModels"], &["*".to_owned()]);
            round.add(refused(asked, &error, &statement));
            None
        }
    }
}

fn model(round: &mut Round<'_>, models: &[FoundationModel]) {
    let Some(id) = &round.subject.model else {
        round.add(check(CheckId::Model, "A base model").skipped("None was named."));
        return;
    };
    let asked = check(CheckId::Model, &format!("{id} in the list of models"));
    let known = catalog().find(id);
    let region = &round.subject.region;
    let done = match models.iter().find(|model| model.id == *id) {
        None if known.is_some_and(|known| !known.tunable_in(region)) => {
            let elsewhere = known.map(|known| known.tuning_regions.join(", ")).unwrap_or_default();
            asked.failed(format!("It is not offered in {region}.")).mend(format!("It can be tuned in: {elsewhere}."))
        }
        None => asked
            .failed(format!("Bedrock does not offer it in {region}."))
            .mend("Choose another base model, or another Region."),
        Some(model) => listed(asked, model, known.is_some_and(|known| known.tunable_in(region))),
    };
    round.add(done);
}

fn listed(asked: Check, model: &FoundationModel, in_catalog: bool) -> Check {
    let lifecycle = model.lifecycle.as_deref().unwrap_or("unknown");
    let tunable = model.customizations.iter().any(|kind| kind == "FINE_TUNING");
    let words = format!(
        "{lifecycle}; can be customized by: {}.",
        if model.customizations.is_empty() { "nothing named".to_owned() } else { model.customizations.join(", ") }
    );
    if lifecycle == "LEGACY" {
        return asked
            .warning(words)
            .mend("It is being retired: a model tuned today ends with it. Choose a newer base model.");
    }
    match (tunable, in_catalog) {
        (true, _) => asked.ok(words),
        // Reinforcement fine-tuning is never in this list, so its absence is no proof.
        (false, true) => asked
            .warning(words)
            .mend("Fine-tuning is not among them; this app's catalog says otherwise. Bedrock has the last word."),
        (false, false) => asked.failed(words).mend("Choose a base model that can be fine-tuned."),
    }
}

async fn model_access(round: &mut Round<'_>) {
    let Some(id) = round.subject.model.clone() else {
        round.add(check(CheckId::ModelAccess, "bedrock:GetFoundationModelAvailability").skipped("No model was named."));
        return;
    };
    let asked = check(CheckId::ModelAccess, "bedrock:GetFoundationModelAvailability");
    let done = match round.cloud.model_access(&id).await {
        Ok(access) => {
            let agreement = access.agreement.clone().unwrap_or_else(|| "not named".to_owned());
            let words = format!(
                "Agreement {agreement}; {}; entitlement {}; in this Region {}.",
                access.authorization, access.entitlement, access.region
            );
            let agreed = access.agreement.as_deref().is_none_or(|one| one == "AVAILABLE");
            let granted = agreed && access.authorization == "AUTHORIZED" && access.entitlement == "AVAILABLE";
            if granted && access.region == "AVAILABLE" {
                asked.ok(words)
            } else {
                let page = format!(
                    "https://{region}.console.aws.amazon.com/bedrock/home?region={region}#/model-catalog",
                    region = round.subject.region
                );
                let advice =
                    "Open the model in Bedrock's catalog and accept its terms; some providers ask what it is for.";
                asked.failed(words).mend(advice).page(page)
            }
        }
        Err(error) => {
            let statement = policies::allow(&["bedrock:GetFoundationModelAvailability"], &["*".to_owned()]);
            unasked(asked, &error, &statement)
        }
    };
    round.add(done);
}

/// What a person who tunes a model does, from the first call to the answered prompt.
const JOB_ACTIONS: [&str; 3] =
    ["bedrock:CreateModelCustomizationJob", "bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob"];
const SERVE_ACTIONS: [&str; 3] =
    ["bedrock:GetCustomModel", "bedrock:CreateCustomModelDeployment", "bedrock:GetCustomModelDeployment"];
const INVOKE_ACTIONS: [&str; 2] = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];

async fn permissions(round: &mut Round<'_>) {
    let asked = check(CheckId::CallerPermissions, "iam:SimulatePrincipalPolicy for jobs, deployments and prompts");
    let Some(caller) = round.caller.clone() else {
        round.add(asked.unknown("IAM cannot be asked about this kind of caller."));
        return;
    };
    let place = &round.place;
    let groups = [
        (&JOB_ACTIONS[..], vec![place.jobs()]),
        (&SERVE_ACTIONS[..], vec![place.custom_models(), place.deployments()]),
        (&INVOKE_ACTIONS[..], vec![place.deployments()]),
    ];
    let mut missing = Vec::new();
    for (actions, resources) in &groups {
        match round.cloud.simulate(&caller, actions, resources, &[]).await {
            Err(error) => {
                let done = unasked(asked, &error, &policies::allow(&["iam:SimulatePrincipalPolicy"], &[caller]));
                round.add(done);
                return;
            }
            Ok(decisions) => {
                let allowed = |action: &str| decisions.iter().any(|one| one.action == action && one.allowed);
                missing.extend(
                    actions.iter().filter(|action| !allowed(action)).map(|&action| (action, resources.clone())),
                );
            }
        }
    }
    let done = if missing.is_empty() {
        asked.ok("Create and follow jobs, deploy models, ask them.")
    } else {
        let actions: Vec<&str> = missing.iter().map(|(action, _)| *action).collect();
        let mut resources: Vec<String> = missing.iter().flat_map(|(_, resources)| resources.clone()).collect();
        // A job is created on its base model, too.
        resources.extend(round.subject.model.iter().map(|id| place.foundation_model(id)));
        resources.sort();
        resources.dedup();
        asked
            .failed(format!("Not allowed: {}.", actions.join(", ")))
            .policy("Ask for this statement.", &policies::allow(&actions, &resources))
    };
    round.add(done);
}
