//! IAM, as far as a role for customization jobs needs it: roles, their inline and managed policies, and what they allow.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `policy` | policy documents: read strictly, then evaluated |
//! | `entities` | roles and managed policies, as they are kept and shown |
//! | `roles`, `policies` | the operations on them |
//! | `simulate` | SimulatePrincipalPolicy |
//!
//! What a role may do is asked by `access`, which jobs go through. There is one user, whose key the folder holds; it may
//! do everything. Deliberately absent: users, groups, versions of policies, boundaries, instance profiles.

pub(crate) mod entities;
mod policies;
pub(crate) mod policy;
mod roles;
mod simulate;

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::rpc::{Failure, Operation, Protocol, Service};
use entities::{ManagedPolicy, Role};
use policy::{Kind, Policy};

pub(crate) const SERVICE: Service = Service {
    scope: "iam",
    protocol: Protocol::Query { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" },
    operations: &[
        Operation { name: "CreateRole", handler: roles::create },
        Operation { name: "GetRole", handler: roles::get },
        Operation { name: "ListRoles", handler: roles::list },
        Operation { name: "DeleteRole", handler: roles::delete },
        Operation { name: "UpdateAssumeRolePolicy", handler: roles::update_trust },
        Operation { name: "PutRolePolicy", handler: policies::put_inline },
        Operation { name: "GetRolePolicy", handler: policies::get_inline },
        Operation { name: "DeleteRolePolicy", handler: policies::delete_inline },
        Operation { name: "ListRolePolicies", handler: policies::list_inline },
        Operation { name: "AttachRolePolicy", handler: policies::attach },
        Operation { name: "DetachRolePolicy", handler: policies::detach },
        Operation { name: "ListAttachedRolePolicies", handler: policies::list_attached },
        Operation { name: "CreatePolicy", handler: policies::create },
        Operation { name: "GetPolicy", handler: policies::get },
        Operation { name: "GetPolicyVersion", handler: policies::get_version },
        Operation { name: "DeletePolicy", handler: policies::delete },
        Operation { name: "SimulatePrincipalPolicy", handler: simulate::simulate },
    ],
};

/// The ARN of the user whose key the folder holds.
pub(crate) fn user_arn(account: &str) -> String {
    format!("arn:aws:iam::{account}:user/whetstone")
}

fn no_such_role(name: &str) -> Failure {
    Failure::new("NoSuchEntity", 404, format!("The role with name {name} cannot be found."))
}

fn no_such_policy(arn: &str) -> Failure {
    Failure::new("NoSuchEntity", 404, format!("Policy {arn} was not found."))
}

fn role(app: &App, name: &str) -> Result<Role, Failure> {
    Role::named(app, name)?.ok_or_else(|| no_such_role(name))
}

fn managed(app: &App, arn: &str) -> Result<ManagedPolicy, Failure> {
    ManagedPolicy::by_arn(app, arn)?.ok_or_else(|| no_such_policy(arn))
}

/// Changes a role, or says why it cannot be changed.
fn change_role<T>(
    app: &Arc<App>,
    name: &str,
    work: impl FnOnce(&mut Role) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if Role::is_ready_made(name) {
        return Err(Failure::new("UnmodifiableEntity", 400, "The sandbox's own role stays as it is."));
    }
    app.state().update::<Role, _>(name, work)?.ok_or_else(|| no_such_role(name))?
}

/// A document that can be evaluated, and is not longer than IAM lets it be.
fn checked(text: &str, kind: Kind, longest: usize) -> Result<(), Failure> {
    if text.chars().filter(|one| !one.is_whitespace()).count() > longest {
        let message = format!("Cannot exceed quota for policy size: {longest} characters without white space.");
        return Err(Failure::new("LimitExceeded", 409, message));
    }
    Policy::parse(text, kind).map(|_| ()).map_err(|wrong| Failure::new("MalformedPolicyDocument", 400, wrong))
}

/// A name of 1 to `longest` characters of those that IAM's names are made of.
fn checked_name(member: &str, name: &str, longest: usize) -> Result<(), Failure> {
    let fine = |one: char| one.is_alphanumeric() || "_+=,.@-".contains(one);
    if !name.is_empty() && name.chars().count() <= longest && name.chars().all(fine) {
        return Ok(());
    }
    let message = format!(
        "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must have 1 to \
         {longest} characters of the pattern [\\w+=,.@-]+"
    );
    Err(Failure::new("ValidationError", 400, message))
}

/// A path begins and ends with a slash.
fn checked_path(path: Option<String>) -> Result<String, Failure> {
    let path = path.unwrap_or_else(|| "/".to_owned());
    let fine = path.starts_with('/') && path.ends_with('/') && path.len() <= 512;
    if fine && path.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
        return Ok(path);
    }
    Err(Failure::new("ValidationError", 400, "A path must begin and end with / and have 1 to 512 characters."))
}

/// Documents are percent-encoded in answers.
fn encoded(document: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(document, KEPT).to_string()
}

/// An answer that says only that it was done.
fn done() -> Value {
    Value::Null
}

/// A list that fits one page.
fn whole(member: &str, items: &impl Serialize) -> Value {
    json!({ member: items, "IsTruncated": false })
}
