//! The role that jobs take on: does Bedrock get it, is it enough, and may the person hand it over?

use whetstone_cloud::{CloudErrorCode, Role};
use whetstone_contract::{Check, CheckId};

use super::Round;
use super::policies::{self, Grant, SERVICE};
use super::trust::{self, Trust};
use super::verdict::{Answered as _, check, said, unasked};

pub async fn look(round: &mut Round<'_>) {
    let Some(arn) = round.subject.role_arn.clone() else {
        for id in [CheckId::RoleTrust, CheckId::RolePermissions, CheckId::PassRole] {
            round.add(check(id, "A role").skipped("No role is chosen for this connection."));
        }
        return;
    };
    let found = trust(round, &arn).await;
    if found {
        permissions(round, &arn).await;
    } else {
        round.add(
            check(CheckId::RolePermissions, "iam:SimulatePrincipalPolicy").skipped("The role could not be looked at."),
        );
    }
    pass(round, &arn).await;
}

/// The name at the end of a role's ARN, after its path.
fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Says whether the role is there.
async fn trust(round: &mut Round<'_>, arn: &str) -> bool {
    let asked = check(CheckId::RoleTrust, &format!("iam:GetRole {}", name_of(arn)));
    if !arn.contains(&format!("::{}:role/", round.account)) {
        let words = format!("{arn} is not a role of account {}.", round.account);
        round.add(asked.failed(words).mend("Choose a role of this account; Bedrock takes on no other."));
        return false;
    }
    let done = match round.cloud.role(name_of(arn)).await {
        Ok(role) => {
            let done = judge(asked, &role, round);
            round.add(done);
            return true;
        }
        Err(error) if error.code == CloudErrorCode::NotFound => asked.failed(said(&error)).policy(
            "There is no such role. Create it, or choose another. It has to trust Bedrock like this.",
            &policies::trust(&round.place),
        ),
        Err(error) => unasked(asked, &error, &policies::allow(&["iam:GetRole"], &[arn.to_owned()])),
    };
    round.add(done);
    false
}

fn judge(asked: Check, role: &Role, round: &Round<'_>) -> Check {
    let wanted = policies::trust(&round.place);
    match trust::read(&role.trust, &round.place) {
        Trust::Narrow => asked.ok("Bedrock may take it on, for jobs of this account here."),
        // On this computer there is nobody else whose jobs it could be.
        Trust::Wide if round.subject.on_this_computer => asked.ok("Bedrock may take it on."),
        Trust::Wide => asked
            .warning("Bedrock may take it on, for anyone's jobs.")
            .policy("Narrow its trust policy to this account's jobs.", &wanted),
        Trust::None => {
            asked.failed("It does not let Bedrock take it on.").policy("Set its trust policy to this.", &wanted)
        }
        Trust::ElsewhereOnly(condition) => asked
            .failed(format!("Bedrock may take it on elsewhere only: {condition}."))
            .policy("Set its trust policy to this.", &wanted),
        Trust::Unreadable => asked.unknown("Its trust policy cannot be read."),
    }
}

async fn permissions(round: &mut Round<'_>, arn: &str) {
    let asked = check(CheckId::RolePermissions, "iam:SimulatePrincipalPolicy for the role on the bucket");
    let Some(bucket) = round.subject.bucket.clone() else {
        round.add(asked.skipped("No bucket is chosen for this connection."));
        return;
    };
    let prefix = &round.subject.prefix;
    let place = &round.place;
    // The places where a job reads and writes, and not the pattern: a policy may be wider than it.
    let objects = [
        format!("{}/{prefix}datasets/a-job/training.jsonl", place.bucket(&bucket)),
        format!("{}/{prefix}output/a-job/metrics.csv", place.bucket(&bucket)),
    ];
    let account = ("aws:ResourceAccount", round.account.as_str());
    let list = round.cloud.simulate(arn, &["s3:ListBucket"], &[place.bucket(&bucket)], &[account]).await;
    let read_write = round.cloud.simulate(arn, &["s3:GetObject", "s3:PutObject"], &objects, &[account]).await;
    let done = match (list, read_write) {
        (Err(error), _) | (_, Err(error)) => {
            unasked(asked, &error, &policies::allow(&["iam:SimulatePrincipalPolicy"], &[arn.to_owned()]))
        }
        (Ok(list), Ok(read_write)) => {
            let denied = list.iter().chain(&read_write).filter(|one| !one.allowed);
            let denied: Vec<String> = denied.map(|one| format!("{} on {}", one.action, one.resource)).collect();
            let grant = Grant { bucket, prefix: prefix.clone(), kms_key: None, vpc: false };
            if denied.is_empty() {
                asked.ok("It may list the bucket, read the records and write the results.")
            } else {
                asked
                    .failed(format!("It may not: {}.", denied.join("; ")))
                    .policy("Add this policy to the role.", &policies::permissions(place, &grant))
            }
        }
    };
    round.add(done);
}

async fn pass(round: &mut Round<'_>, arn: &str) {
    let asked = check(CheckId::PassRole, "iam:PassRole, by iam:SimulatePrincipalPolicy");
    let Some(caller) = round.caller.clone() else {
        round.add(asked.unknown("IAM cannot be asked about this kind of caller."));
        return;
    };
    let context = [("iam:PassedToService", SERVICE)];
    let done = match round.cloud.simulate(&caller, &["iam:PassRole"], &[arn.to_owned()], &context).await {
        Ok(decisions) if decisions.iter().any(|one| one.allowed) => asked.ok("You may hand this role to Bedrock."),
        Ok(decisions) => {
            let explicit = decisions.iter().any(|one| one.denied_explicitly);
            let words = if explicit { "A statement denies it to you." } else { "No statement allows it to you." };
            asked.failed(words).policy(
                "Ask for this statement. AmazonBedrockFullAccess has it for roles whose name contains AmazonBedrock.",
                &policies::pass_role(arn),
            )
        }
        // A question that could not be asked is no answer.
        Err(error) => unasked(asked, &error, &policies::allow(&["iam:SimulatePrincipalPolicy"], &[caller])),
    };
    round.add(done);
}
