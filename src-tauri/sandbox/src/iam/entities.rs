//! Roles and managed policies: what is kept of them, and those that are there without anyone's doing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::policy::{Kind, Policy};
use crate::app::App;
use crate::clock::iso8601;
use crate::home::ROLE_NAME;
use crate::ids::random_text;
use crate::state::{Resource, StateError};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) path: String,
    /// `AROA…` or `ANPA…`: another thing of the same name has another one.
    pub(super) unique_id: String,
    /// Milliseconds since the Unix epoch.
    pub(super) created: i64,
    pub(super) description: Option<String>,
    pub(super) max_session: u32,
    pub(super) trust: String,
    /// Inline policies by name.
    pub(super) inline: BTreeMap<String, String>,
    /// ARNs of managed policies.
    pub(super) attached: Vec<String>,
    pub(super) tags: Vec<Value>,
}

impl Resource for Role {
    const KIND: &'static str = "iam-role";
    fn id(&self) -> &str {
        &self.name
    }
    fn arn(&self) -> &str {
        &self.arn
    }
    /// IAM knows no Regions.
    fn region(&self) -> &str {
        ""
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl Role {
    /// The role that is there from the start and stays: what a job may be given without a thought.
    fn ready_made(app: &App) -> Self {
        let account = app.keys().account();
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "bedrock.amazonaws.com" },
                "Action": "sts:AssumeRole",
                "Condition": { "StringEquals": { "aws:SourceAccount": account } },
            }],
        });
        let everything = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "bedrock:InvokeModel"],
                "Resource": "*",
            }],
        });
        Self {
            name: ROLE_NAME.to_owned(),
            arn: app.keys().role_arn(),
            path: "/".to_owned(),
            unique_id: app.keys().access_key_id().replacen("AKIA", "AROA", 1),
            created: app.started(),
            description: Some("The sandbox's own role for customization jobs.".to_owned()),
            max_session: 3600,
            trust: trust.to_string(),
            inline: BTreeMap::from([("WhetstoneAccess".to_owned(), everything.to_string())]),
            attached: Vec::new(),
            tags: Vec::new(),
        }
    }

    pub(super) fn is_ready_made(name: &str) -> bool {
        name == ROLE_NAME
    }

    pub(crate) fn named(app: &App, name: &str) -> Result<Option<Self>, StateError> {
        if Self::is_ready_made(name) { Ok(Some(Self::ready_made(app))) } else { app.state().get::<Self>(name) }
    }

    pub(crate) fn by_arn(app: &App, arn: &str) -> Result<Option<Self>, StateError> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        Ok(Self::named(app, name)?.filter(|role| role.arn == arn))
    }

    /// All roles by name.
    pub(super) fn all(app: &App) -> Result<Vec<Self>, StateError> {
        let mut roles = app.state().all::<Self>()?;
        roles.push(Self::ready_made(app));
        roles.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(roles)
    }

    pub(crate) fn arn(&self) -> &str {
        &self.arn
    }

    pub(crate) fn unique_id(&self) -> &str {
        &self.unique_id
    }

    /// Seconds for which the role may be taken on at a time.
    pub(crate) fn longest_session(&self) -> u32 {
        self.max_session
    }

    pub(crate) fn trust(&self) -> Result<Policy, String> {
        Policy::parse(&self.trust, Kind::Trust)
    }

    /// Name and document of everything that says what the role may do.
    pub(crate) fn permissions(&self, app: &App) -> Result<Vec<(String, Policy)>, String> {
        let mut policies = Vec::new();
        for (name, text) in &self.inline {
            policies.push((name.clone(), Policy::parse(text, Kind::Identity)?));
        }
        for arn in &self.attached {
            // A policy cannot be deleted while it is attached.
            let managed = ManagedPolicy::by_arn(app, arn).map_err(|error| error.to_string())?;
            if let Some(managed) = managed {
                policies.push((managed.name.clone(), Policy::parse(&managed.document, Kind::Identity)?));
            }
        }
        Ok(policies)
    }

    pub(super) fn view(&self) -> Value {
        json!({
            "Path": self.path,
            "RoleName": self.name,
            "RoleId": self.unique_id,
            "Arn": self.arn,
            "CreateDate": iso8601(self.created),
            "AssumeRolePolicyDocument": super::encoded(&self.trust),
            "Description": self.description,
            "MaxSessionDuration": self.max_session,
            "Tags": if self.tags.is_empty() { Value::Null } else { json!(self.tags) },
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ManagedPolicy {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) path: String,
    pub(super) unique_id: String,
    pub(super) created: i64,
    pub(super) description: Option<String>,
    pub(super) document: String,
}

impl Resource for ManagedPolicy {
    const KIND: &'static str = "iam-policy";
    fn id(&self) -> &str {
        &self.name
    }
    fn arn(&self) -> &str {
        &self.arn
    }
    fn region(&self) -> &str {
        ""
    }
    fn name(&self) -> &str {
        &self.name
    }
}

/// Policies of AWS's own, as far as they speak of what is here.
const OF_AWS: [(&str, &[&str]); 4] = [
    ("AdministratorAccess", &["*"]),
    ("AmazonS3FullAccess", &["s3:*"]),
    ("AmazonS3ReadOnlyAccess", &["s3:Get*", "s3:List*", "s3:Describe*"]),
    ("AmazonBedrockFullAccess", &["bedrock:*"]),
];

impl ManagedPolicy {
    pub(crate) fn by_arn(app: &App, arn: &str) -> Result<Option<Self>, StateError> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        if let Some(own) = arn.strip_prefix("arn:aws:iam::aws:policy/") {
            return Ok(OF_AWS.into_iter().find(|(known, _)| *known == own).map(|(name, actions)| Self {
                name: name.to_owned(),
                arn: arn.to_owned(),
                path: "/".to_owned(),
                unique_id: format!("ANPA{name:A<17.17}").to_ascii_uppercase(),
                created: app.started(),
                description: None,
                document: json!({
                    "Version": "2012-10-17",
                    "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }],
                })
                .to_string(),
            }));
        }
        Ok(app.state().get::<Self>(name)?.filter(|policy| policy.arn == arn))
    }

    pub(super) fn attachments(&self, app: &App) -> Result<usize, StateError> {
        Ok(app.state().all::<Role>()?.iter().filter(|role| role.attached.contains(&self.arn)).count())
    }

    pub(super) fn view(&self, app: &App) -> Result<Value, StateError> {
        Ok(json!({
            "PolicyName": self.name,
            "PolicyId": self.unique_id,
            "Arn": self.arn,
            "Path": self.path,
            "DefaultVersionId": "v1",
            "AttachmentCount": self.attachments(app)?,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": true,
            "Description": self.description,
            "CreateDate": iso8601(self.created),
            "UpdateDate": iso8601(self.created),
        }))
    }
}

/// `AROA` and seventeen letters and digits, in the way of IAM's own ids.
pub(super) fn new_unique_id(head: &str) -> String {
    format!("{head}{}", random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17))
}
