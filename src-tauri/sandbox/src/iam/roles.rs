//! Operations on roles.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::entities::{Role, new_unique_id};
use super::policy::Kind;
use super::{change_role, checked, checked_name, checked_path, done, role};
use crate::app::App;
use crate::rpc::{Call, Failure};

/// IAM's own limit for a trust policy that nobody asked to be raised.
const LONGEST_TRUST: usize = 2048;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateRole {
    role_name: String,
    assume_role_policy_document: String,
    path: Option<String>,
    description: Option<String>,
    max_session_duration: Option<String>,
    #[serde(default)]
    tags: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    pub(super) role_name: String,
}

pub(super) fn create(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: CreateRole = call.read()?;
    checked_name("roleName", &asked.role_name, 64)?;
    let path = checked_path(asked.path)?;
    checked(&asked.assume_role_policy_document, Kind::Trust, LONGEST_TRUST)?;
    let max_session = asked.max_session_duration.map_or(Ok(3600), |text| text.parse::<u32>());
    let max_session = max_session.ok().filter(|seconds| (3600..=43_200).contains(seconds)).ok_or_else(|| {
        Failure::new("ValidationError", 400, "maxSessionDuration must be a number of seconds from 3600 to 43200")
    })?;
    let role = Role {
        arn: format!("arn:aws:iam::{}:role{path}{}", app.keys().account(), asked.role_name),
        unique_id: new_unique_id("AROA"),
        created: app.clock().millis(),
        name: asked.role_name,
        path,
        description: asked.description,
        max_session,
        trust: asked.assume_role_policy_document,
        inline: BTreeMap::new(),
        attached: Vec::new(),
        tags: asked.tags,
    };
    app.state().change(|change| {
        if Role::is_ready_made(&role.name) || change.get::<Role>(&role.name)?.is_some() {
            let message = format!("Role with name {} already exists.", role.name);
            return Err(Failure::new("EntityAlreadyExists", 409, message));
        }
        change.insert(&role)?;
        Ok(())
    })?;
    Ok(json!({ "Role": role.view() }))
}

pub(super) fn get(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Named = call.read()?;
    Ok(json!({ "Role": role(app, &asked.role_name)?.view() }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRoles {
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<String>,
}

/// The marker is the name of the last role that was shown.
pub(super) fn list(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: ListRoles = call.read()?;
    let size = asked.max_items.map_or(Ok(100), |text| text.parse::<usize>()).ok();
    let size = size
        .filter(|size| (1..=1000).contains(size))
        .ok_or_else(|| Failure::new("ValidationError", 400, "maxItems must be a number from 1 to 1000"))?;
    let prefix = asked.path_prefix.unwrap_or_else(|| "/".to_owned());
    let after = asked.marker.unwrap_or_default();
    let mut roles = Role::all(app)?;
    roles.retain(|role| role.path.starts_with(&prefix) && role.name > after);
    let more = roles.len() > size;
    roles.truncate(size);
    let marker = roles.last().filter(|_| more).map(|role| role.name.clone());
    let shown: Vec<Value> = roles.iter().map(Role::view).collect();
    Ok(json!({ "Roles": shown, "IsTruncated": more, "Marker": marker }))
}

pub(super) fn delete(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Named = call.read()?;
    change_role(app, &asked.role_name, |role| {
        if role.inline.is_empty() && role.attached.is_empty() {
            return Ok(());
        }
        Err(Failure::new("DeleteConflict", 409, "Cannot delete entity, must delete or detach its policies first."))
    })?;
    app.state().change(|change| change.delete::<Role>(&asked.role_name))?;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateTrust {
    role_name: String,
    policy_document: String,
}

pub(super) fn update_trust(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: UpdateTrust = call.read()?;
    checked(&asked.policy_document, Kind::Trust, LONGEST_TRUST)?;
    change_role(app, &asked.role_name, |role| {
        role.trust = asked.policy_document;
        Ok(done())
    })
}
