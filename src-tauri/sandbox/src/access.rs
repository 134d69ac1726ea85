//! What the account's roles may do: the questions that jobs ask before they read, write or begin.
//!
//! Everything that is decided about roles is decided behind these functions, so that the operations need not know how:
//! the trust policy decides whether Bedrock may take a role on, the role's own policies what it may do then. Each
//! answers a refusal in words for a failure message.

use crate::app::App;
use crate::iam::entities::Role;
use crate::iam::policy::{Context, Decision, Policy, Question, decide};
use crate::ids::random_text;

/// A service role that Bedrock has taken on.
pub(crate) struct ServiceRole {
    /// As AWS names whoever acts in a role.
    session: String,
    policies: Vec<Policy>,
    context: Context,
}

impl ServiceRole {
    /// Whether the role's policies let it do `action` (`s3:GetObject`) on the resource of this ARN.
    pub(crate) fn may(&self, action: &str, resource: &str) -> Result<(), String> {
        let question = Question { principal: None, action, resource, context: &self.context };
        let why = match decide(&self.policies, &question) {
            Decision::Allowed => return Ok(()),
            Decision::ExplicitDeny => "with an explicit deny in an identity-based policy".to_owned(),
            Decision::ImplicitDeny => format!("because no identity-based policy allows the {action} action"),
        };
        Err(format!("{} is not authorized to perform: {action} on resource: \"{resource}\" {why}", self.session))
    }
}

/// Takes a role on for the thing of `source` (the ARN of a job), as its trust policy allows.
pub(crate) fn assume(app: &App, role: &str, source: &str) -> Result<ServiceRole, String> {
    let refused = |why: &str| {
        format!(
            "Could not assume the role {role}: {why}. Check that the role exists and that its trust policy lets \
             bedrock.amazonaws.com assume it."
        )
    };
    let account = app.keys().account();
    let found = Role::by_arn(app, role).map_err(|error| refused(&error.to_string()))?;
    let found = found.ok_or_else(|| refused("there is no such role in this account"))?;
    let context = Context::default().with("aws:SourceAccount", account).with("aws:SourceArn", source);
    let question = Question {
        principal: Some("bedrock.amazonaws.com"),
        action: "sts:AssumeRole",
        resource: role,
        context: &context,
    };
    if found.trust().map_err(|wrong| refused(&wrong))?.decide(&question) != Decision::Allowed {
        return Err(refused(&format!("its trust policy does not allow it for {source}")));
    }
    let policies = found.permissions(app).map_err(|wrong| refused(&wrong))?;
    let name = role.rsplit('/').next().unwrap_or(role);
    let session = random_text(b"abcdefghijklmnopqrstuvwxyz0123456789", 12);
    Ok(ServiceRole {
        session: format!("User: arn:aws:sts::{account}:assumed-role/{name}/bedrock-{session}"),
        policies: policies.into_iter().map(|(_, policy)| policy).collect(),
        // What every request of a service role carries on AWS.
        context: Context::default()
            .with("aws:PrincipalArn", role)
            .with("aws:PrincipalAccount", account)
            .with("aws:ResourceAccount", account)
            .with("aws:SecureTransport", "true"),
    })
}
