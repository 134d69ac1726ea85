//! The account: who asks, what a role may do, what there may be, what it costs.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sdk_iam::types::PolicyEvaluationDecisionType;

use crate::{Clients, Outcome};

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
    "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}}"#;
const READ: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject",
    "Resource": "*"}}"#;
const NAME: &str = "rust-sdk";

pub async fn all(clients: &Clients) -> Outcome<()> {
    clients.sts.get_caller_identity().send().await?;
    roles(clients).await?;
    assumed(clients).await?;
    let (quotas, pricing) = (&clients.quotas, &clients.pricing);
    quotas.list_service_quotas().service_code("bedrock").send().await?;
    quotas.get_service_quota().service_code("bedrock").quota_code("L-0406044C").send().await?;
    let rows = pricing.get_products().service_code("AmazonBedrock").send().await?;
    if rows.price_list().is_empty() { Err("there are no prices".into()) } else { Ok(()) }
}

async fn roles(clients: &Clients) -> Outcome<()> {
    let iam = &clients.iam;
    let made = iam.create_role().role_name(NAME).assume_role_policy_document(TRUST).send().await?;
    let arn = made.role().map(|role| role.arn().to_owned()).unwrap_or_default();
    iam.get_role().role_name(NAME).send().await?;
    iam.list_roles().send().await?;
    iam.update_assume_role_policy().role_name(NAME).policy_document(TRUST).send().await?;
    iam.put_role_policy().role_name(NAME).policy_name("data").policy_document(READ).send().await?;
    iam.get_role_policy().role_name(NAME).policy_name("data").send().await?;
    iam.list_role_policies().role_name(NAME).send().await?;
    let asked = iam.simulate_principal_policy().policy_source_arn(&arn);
    let decided = asked.action_names("s3:GetObject").action_names("s3:PutObject").send().await?;
    let decisions: Vec<_> = decided.evaluation_results().iter().map(|one| one.eval_decision().clone()).collect();
    if decisions != [PolicyEvaluationDecisionType::Allowed, PolicyEvaluationDecisionType::ImplicitDeny] {
        return Err(format!("decided otherwise: {decisions:?}").into());
    }
    iam.delete_role_policy().role_name(NAME).policy_name("data").send().await?;
    managed(clients).await?;
    iam.delete_role().role_name(NAME).send().await?;
    Ok(())
}

/// A role that is taken on as the SDK does it by itself for a profile, and used.
async fn assumed(clients: &Clients) -> Outcome<()> {
    let trust = TRUST.replace("\"Service\": \"bedrock.amazonaws.com\"", "\"AWS\": \"*\"");
    let made =
        clients.iam.create_role().role_name("rust-sdk-assumed").assume_role_policy_document(trust).send().await?;
    let arn = made.role().map(|role| role.arn().to_owned()).unwrap_or_default();
    let session = clients.sts.assume_role().role_arn(arn).role_session_name("rust-sdk").send().await?;
    let given = session.credentials().ok_or("no credentials were given")?;
    let keys = Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        Some(SystemTime::try_from(*given.expiration())?),
        "assumed",
    );
    let inside = clients.sts.config().to_builder().credentials_provider(keys).build();
    let who = aws_sdk_sts::Client::from_conf(inside).get_caller_identity().send().await?;
    clients.iam.delete_role().role_name("rust-sdk-assumed").send().await?;
    match who.arn() {
        Some(arn) if arn.ends_with(":assumed-role/rust-sdk-assumed/rust-sdk") => Ok(()),
        other => Err(format!("the session is {other:?}").into()),
    }
}

async fn managed(clients: &Clients) -> Outcome<()> {
    let iam = &clients.iam;
    let made = iam.create_policy().policy_name(NAME).policy_document(READ).send().await?;
    let arn = made.policy().and_then(|policy| policy.arn()).unwrap_or_default();
    iam.get_policy().policy_arn(arn).send().await?;
    iam.get_policy_version().policy_arn(arn).version_id("v1").send().await?;
    iam.attach_role_policy().role_name(NAME).policy_arn(arn).send().await?;
    iam.list_attached_role_policies().role_name(NAME).send().await?;
    iam.detach_role_policy().role_name(NAME).policy_arn(arn).send().await?;
    iam.delete_policy().policy_arn(arn).send().await?;
    Ok(())
}
