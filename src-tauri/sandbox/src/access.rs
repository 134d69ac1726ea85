//! What roles may do: those that jobs are given, and those that a client took on.
//!
//! Everything that is decided about roles is decided behind these functions, so that the operations need not know how:
//! a role's trust policy decides who may take it on, its own policies what may be done then. Each answers a refusal in
//! words. The one user may do everything, and is never asked about.

use crate::app::App;
use crate::errors::{ApiError, ErrorKind};
use crate::iam::entities::Role;
use crate::iam::policy::{Context, Decision, Kind, Policy, Question, decide};
use crate::identity::{Caller, Session};
use crate::ids::random_text;

/// Somebody who acts in a role.
pub(crate) struct Actor {
    /// As AWS names whoever acts in a role.
    arn: String,
    policies: Vec<Policy>,
    /// The policy that a session was narrowed by when the role was taken on.
    narrowed: Option<Policy>,
    context: Context,
}

impl Actor {
    /// Whether it may do `action` (`s3:GetObject`) on the resource of this ARN.
    pub(crate) fn may(&self, action: &str, resource: &str) -> Result<(), String> {
        self.may_in(action, resource, &self.context)
    }

    fn may_in(&self, action: &str, resource: &str, context: &Context) -> Result<(), String> {
        let question = Question { principals: &[], action, resource, context };
        let mut kind = "identity-based";
        let mut decision = decide(&self.policies, &question);
        if let Some(session) = self.narrowed.as_ref().filter(|_| decision == Decision::Allowed) {
            (kind, decision) = ("session", session.decide(&question));
        }
        let why = match decision {
            Decision::Allowed => return Ok(()),
            Decision::ExplicitDeny => format!("with an explicit deny in an {kind} policy"),
            Decision::ImplicitDeny => format!("because no {kind} policy allows the {action} action"),
        };
        Err(format!("User: {} is not authorized to perform: {action} on resource: \"{resource}\" {why}", self.arn))
    }
}

/// Takes a role on for the thing of `source` (the ARN of a job), as its trust policy allows.
pub(crate) fn assume(app: &App, role: &str, source: &str) -> Result<Actor, String> {
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
    let bedrock = ["bedrock.amazonaws.com".to_owned()];
    let question = Question { principals: &bedrock, action: "sts:AssumeRole", resource: role, context: &context };
    if found.trust().map_err(|wrong| refused(&wrong))?.decide(&question) != Decision::Allowed {
        return Err(refused(&format!("its trust policy does not allow it for {source}")));
    }
    let policies = found.permissions(app).map_err(|wrong| refused(&wrong))?;
    let name = role.rsplit('/').next().unwrap_or(role);
    let session = random_text(b"abcdefghijklmnopqrstuvwxyz0123456789", 12);
    Ok(Actor {
        arn: format!("arn:aws:sts::{account}:assumed-role/{name}/bedrock-{session}"),
        policies: policies.into_iter().map(|(_, policy)| policy).collect(),
        narrowed: None,
        context: of_role(app, role),
    })
}

/// What every request of somebody in a role carries on AWS.
fn of_role(app: &App, role: &str) -> Context {
    let account = app.keys().account();
    Context::default()
        .with("aws:PrincipalArn", role)
        .with("aws:PrincipalAccount", account)
        .with("aws:ResourceAccount", account)
        .with("aws:SecureTransport", "true")
}

fn of_session(app: &App, session: &Session) -> Result<Actor, ApiError> {
    let role = Role::by_arn(app, &session.role)?.filter(|role| role.unique_id() == session.role_id);
    // The role is gone: nothing allows anything any more.
    let policies = role.map_or_else(|| Ok(Vec::new()), |role| role.permissions(app)).map_err(denied)?;
    let narrowed = session.policy.as_deref().map(|text| Policy::parse(text, Kind::Identity)).transpose();
    Ok(Actor {
        arn: session.arn(app.keys().account()),
        policies: policies.into_iter().map(|(_, policy)| policy).collect(),
        narrowed: narrowed.map_err(denied)?,
        context: of_role(app, &session.role),
    })
}

fn denied(message: String) -> ApiError {
    ApiError::new(ErrorKind::AccessDenied, message)
}

/// Whether a caller may do `action` on the resource.
pub(crate) fn permit(app: &App, caller: &Caller, action: &str, resource: &str) -> Result<(), ApiError> {
    match caller {
        Caller::User => Ok(()),
        Caller::Session(session) => of_session(app, session)?.may(action, resource).map_err(denied),
    }
}

/// Whether a caller may hand a role over to Bedrock.
pub(crate) fn permit_passing(app: &App, caller: &Caller, role: &str) -> Result<(), ApiError> {
    let Caller::Session(session) = caller else { return Ok(()) };
    let actor = of_session(app, session)?;
    let context = actor.context.clone().with("iam:PassedToService", "bedrock.amazonaws.com");
    actor.may_in("iam:PassRole", role, &context).map_err(denied)
}

/// The names by which a trust policy may mean a caller: its own, and that of the whole account.
pub(crate) fn names(app: &App, caller: &Caller) -> Vec<String> {
    let account = app.keys().account();
    let mut names = vec![ANY_AWS.to_owned(), format!("arn:aws:iam::{account}:root"), caller.arn(account)];
    if let Caller::Session(session) = caller {
        names.push(session.role.clone());
    }
    names
}

/// How a policy's `{"AWS": "*"}` is kept: everybody, but no service.
pub(crate) const ANY_AWS: &str = "AWS:*";
