//! STS: whose key signed (GetCallerIdentity), and roles that a client takes on for a while (AssumeRole).
//!
//! What a session is stands in its token (see `identity`), so nothing is kept here. Deliberately absent: sessions of a
//! user, federation, tags of sessions, multi-factor devices.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::access;
use crate::app::App;
use crate::clock::iso8601;
use crate::iam::entities::Role;
use crate::iam::policy::{Context, Decision, Kind, Policy, Question};
use crate::identity::{Caller, Session};
use crate::rpc::{Call, Failure, Operation, Protocol, Service};

pub(crate) const SERVICE: Service = Service {
    scope: "sts",
    protocol: Protocol::Query { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
    operations: &[
        Operation { name: "GetCallerIdentity", handler: get_caller_identity },
        Operation { name: "AssumeRole", handler: assume_role },
    ],
};

/// Seconds: the least, what there is where nothing is said, and the most for one who is in a role already.
const SHORTEST: u32 = 900;
const USUAL: u32 = 3600;

fn get_caller_identity(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let keys = app.keys();
    let id = match &call.caller {
        // A user's id has the form of a key's, with another head.
        Caller::User => keys.access_key_id().replacen("AKIA", "AIDA", 1),
        Caller::Session(session) => format!("{}:{}", session.role_id, session.name),
    };
    Ok(json!({ "UserId": id, "Account": keys.account(), "Arn": call.caller.arn(keys.account()) }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRole {
    role_arn: String,
    role_session_name: String,
    duration_seconds: Option<String>,
    external_id: Option<String>,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: Vec<Value>,
    #[serde(default)]
    tags: Vec<Value>,
    serial_number: Option<String>,
}

impl AssumeRole {
    fn check(&self) -> Result<(), Failure> {
        let name = &self.role_session_name;
        let fine = |one: char| one.is_ascii_alphanumeric() || "_+=,.@-".contains(one);
        if !(2..=64).contains(&name.chars().count()) || !name.chars().all(fine) {
            return Err(invalid(format!(
                "Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must have 2 to 64 characters \
                 of the pattern [\\w+=,.@-]*"
            )));
        }
        if !self.policy_arns.is_empty() || !self.tags.is_empty() || self.serial_number.is_some() {
            return Err(invalid("The sandbox knows no managed session policies, session tags and MFA devices."));
        }
        if let Some(policy) = &self.policy {
            Policy::parse(policy, Kind::Identity)
                .map_err(|wrong| Failure::new("MalformedPolicyDocument", 400, wrong))?;
        }
        Ok(())
    }

    fn seconds(&self, role: &Role, caller: &Caller) -> Result<u32, Failure> {
        let asked = self.duration_seconds.as_deref().map_or(Ok(USUAL), str::parse::<u32>);
        let longest = match caller {
            Caller::User => role.longest_session(),
            // AWS bounds the sessions of a chain of roles so, whatever the role says.
            Caller::Session(_) => USUAL.min(role.longest_session()),
        };
        asked.ok().filter(|seconds| (SHORTEST..=longest).contains(seconds)).ok_or_else(|| {
            invalid(format!(
                "The requested DurationSeconds must be from {SHORTEST} to {longest}, the MaxSessionDuration set for \
                 this role, and at most {USUAL} for roles that are assumed by role chaining."
            ))
        })
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("ValidationError", 400, message)
}

fn assume_role(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: AssumeRole = call.read()?;
    asked.check()?;
    let account = app.keys().account();
    // A role that is not there and one that does not trust are told alike, so that nobody learns which roles there are.
    let denied = || {
        let who = call.caller.arn(account);
        let what = &asked.role_arn;
        let message = format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {what}");
        Failure::new("AccessDenied", 403, message)
    };
    let role = Role::by_arn(app, &asked.role_arn)?.ok_or_else(denied)?;
    let mut context =
        Context::default().with("aws:PrincipalAccount", account).with("sts:RoleSessionName", &asked.role_session_name);
    if let Some(id) = &asked.external_id {
        context = context.with("sts:ExternalId", id);
    }
    let principals = access::names(app, &call.caller);
    if let Some(principal) = principals.last() {
        context = context.with("aws:PrincipalArn", principal);
    }
    let question =
        Question { principals: &principals, action: "sts:AssumeRole", resource: role.arn(), context: &context };
    let trust = role.trust().map_err(|wrong| Failure::new("MalformedPolicyDocument", 400, wrong))?;
    if trust.decide(&question) != Decision::Allowed {
        return Err(denied());
    }
    let seconds = asked.seconds(&role, &call.caller)?;
    let session = Session {
        access_key_id: Session::new_key(),
        role: role.arn().to_owned(),
        role_id: role.unique_id().to_owned(),
        name: asked.role_session_name,
        policy: asked.policy,
        expires: app.clock().millis() + i64::from(seconds) * 1000,
    };
    let token = session.token(app.keys()).map_err(|error| Failure::new("ServiceFailure", 500, error.message))?;
    Ok(json!({
        "Credentials": {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret(app.keys()),
            "SessionToken": token,
            "Expiration": iso8601(session.expires),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": format!("{}:{}", session.role_id, session.name),
            "Arn": session.arn(account),
        },
    }))
}
