//! Operations on policies: those inside a role, and those that are attached to it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::entities::{ManagedPolicy, new_unique_id};
use super::policy::Kind;
use super::roles::Named;
use super::{change_role, checked, checked_name, checked_path, done, encoded, managed, role, whole};
use crate::app::App;
use crate::clock::iso8601;
use crate::rpc::{Call, Failure};

/// IAM's own limits.
const LONGEST_INLINE: usize = 10_240;
const LONGEST_MANAGED: usize = 6144;
const MOST_ATTACHED: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inline {
    role_name: String,
    policy_name: String,
    policy_document: Option<String>,
}

fn no_such_inline(name: &str) -> Failure {
    Failure::new("NoSuchEntity", 404, format!("The role policy with name {name} cannot be found."))
}

pub(super) fn put_inline(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Inline = call.read()?;
    checked_name("policyName", &asked.policy_name, 128)?;
    let document = asked.policy_document.unwrap_or_default();
    checked(&document, Kind::Identity, LONGEST_INLINE)?;
    change_role(app, &asked.role_name, |role| {
        role.inline.insert(asked.policy_name, document);
        Ok(done())
    })
}

pub(super) fn get_inline(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Inline = call.read()?;
    let role = role(app, &asked.role_name)?;
    let document = role.inline.get(&asked.policy_name).ok_or_else(|| no_such_inline(&asked.policy_name))?;
    Ok(json!({ "RoleName": role.name, "PolicyName": asked.policy_name, "PolicyDocument": encoded(document) }))
}

pub(super) fn delete_inline(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Inline = call.read()?;
    change_role(app, &asked.role_name, |role| {
        role.inline.remove(&asked.policy_name).map(|_| done()).ok_or_else(|| no_such_inline(&asked.policy_name))
    })
}

pub(super) fn list_inline(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Named = call.read()?;
    let role = role(app, &asked.role_name)?;
    Ok(whole("PolicyNames", &role.inline.keys().collect::<Vec<_>>()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attachment {
    role_name: String,
    policy_arn: String,
}

pub(super) fn attach(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Attachment = call.read()?;
    managed(app, &asked.policy_arn)?;
    change_role(app, &asked.role_name, |role| {
        if !role.attached.contains(&asked.policy_arn) {
            if role.attached.len() >= MOST_ATTACHED {
                let message = format!("Cannot exceed quota for PoliciesPerRole: {MOST_ATTACHED}");
                return Err(Failure::new("LimitExceeded", 409, message));
            }
            role.attached.push(asked.policy_arn);
        }
        Ok(done())
    })
}

pub(super) fn detach(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Attachment = call.read()?;
    change_role(app, &asked.role_name, |role| {
        let before = role.attached.len();
        role.attached.retain(|arn| *arn != asked.policy_arn);
        if role.attached.len() < before { Ok(done()) } else { Err(super::no_such_policy(&asked.policy_arn)) }
    })
}

pub(super) fn list_attached(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Named = call.read()?;
    let role = role(app, &asked.role_name)?;
    let mut attached = Vec::new();
    for arn in &role.attached {
        attached.push(json!({ "PolicyName": managed(app, arn)?.name, "PolicyArn": arn }));
    }
    Ok(whole("AttachedPolicies", &attached))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreatePolicy {
    policy_name: String,
    policy_document: String,
    path: Option<String>,
    description: Option<String>,
}

pub(super) fn create(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: CreatePolicy = call.read()?;
    checked_name("policyName", &asked.policy_name, 128)?;
    let path = checked_path(asked.path)?;
    checked(&asked.policy_document, Kind::Identity, LONGEST_MANAGED)?;
    let policy = ManagedPolicy {
        arn: format!("arn:aws:iam::{}:policy{path}{}", app.keys().account(), asked.policy_name),
        unique_id: new_unique_id("ANPA"),
        created: app.clock().millis(),
        name: asked.policy_name,
        path,
        description: asked.description,
        document: asked.policy_document,
    };
    app.state().change(|change| {
        if change.get::<ManagedPolicy>(&policy.name)?.is_some() {
            let message = format!("A policy called {} already exists. Duplicate names are not allowed.", policy.name);
            return Err(Failure::new("EntityAlreadyExists", 409, message));
        }
        change.insert(&policy)?;
        Ok(())
    })?;
    Ok(json!({ "Policy": policy.view(app)? }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Managed {
    policy_arn: String,
    version_id: Option<String>,
}

pub(super) fn get(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Managed = call.read()?;
    Ok(json!({ "Policy": managed(app, &asked.policy_arn)?.view(app)? }))
}

pub(super) fn get_version(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Managed = call.read()?;
    let policy = managed(app, &asked.policy_arn)?;
    let version = asked.version_id.unwrap_or_default();
    if version != "v1" {
        let message = format!("Policy {} version {version} does not exist.", asked.policy_arn);
        return Err(Failure::new("NoSuchEntity", 404, message));
    }
    Ok(json!({ "PolicyVersion": {
        "Document": encoded(&policy.document),
        "VersionId": version,
        "IsDefaultVersion": true,
        "CreateDate": iso8601(policy.created),
    }}))
}

pub(super) fn delete(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Managed = call.read()?;
    let policy = managed(app, &asked.policy_arn)?;
    if policy.attachments(app)? > 0 {
        return Err(Failure::new("DeleteConflict", 409, "Cannot delete a policy attached to entities."));
    }
    if !app.state().change(|change| change.delete::<ManagedPolicy>(&policy.name))? {
        return Err(Failure::new("InvalidInput", 400, "AWS's own policies cannot be deleted."));
    }
    Ok(done())
}
