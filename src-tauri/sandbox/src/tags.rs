//! Tags of every resource that can have them: given at creation, added, removed and listed.
//!
//! The tags of a resource are a document of their own, under the resource's ARN. A resource without that document has
//! no tags; whether it exists is asked of the resource itself. Deliberately absent: tags of foundation models, and any
//! effect of a tag.

use std::collections::HashSet;
use std::sync::Arc;

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::constraints::{self, Checks};
use crate::copies::CopyJob;
use crate::custom_models::CustomModel;
use crate::deployments::Deployment;
use crate::errors::{ApiError, ErrorKind};
use crate::ids;
use crate::imports::job::ImportJob;
use crate::imports::models::ImportedModel;
use crate::jobs::job::Job;
use crate::provisioned::throughput::Throughput;
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json};
use crate::state::{Change, Resource, StateError};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "TagResource",
        method: Method::POST,
        path: "/tagResource",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(tag),
    },
    Operation {
        name: "UntagResource",
        method: Method::POST,
        path: "/untagResource",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(untag),
    },
    Operation {
        name: "ListTagsForResource",
        method: Method::POST,
        path: "/listTagsForResource",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(list),
    },
];

/// Most tags of one list in a request.
const LIST: usize = 200;

/// Most tags of one resource, the bound that AWS keeps for its resources in general.
const PER_RESOURCE: usize = 50;

/// A label on a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The tags of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Tags {
    arn: String,
    region: String,
    tags: Vec<Tag>,
}

impl Resource for Tags {
    const KIND: &'static str = "tags";
    fn id(&self) -> &str {
        &self.arn
    }
    fn arn(&self) -> &str {
        &self.arn
    }
    fn region(&self) -> &str {
        &self.region
    }
    fn name(&self) -> &str {
        &self.arn
    }
}

/// Kinds of resource that can have tags: how their ARNs name them, and how one is found.
const TAGGABLE: &[(&str, Exists)] = &[
    ("model-customization-job", |change, id| Ok(change.get::<Job>(id)?.map(|found| found.arn))),
    ("custom-model", |change, id| Ok(change.get::<CustomModel>(id)?.map(|found| found.arn))),
    ("provisioned-model", |change, id| Ok(change.get::<Throughput>(id)?.map(|found| found.arn))),
    ("model-import-job", |change, id| Ok(change.get::<ImportJob>(id)?.map(|found| found.arn))),
    ("imported-model", |change, id| Ok(change.get::<ImportedModel>(id)?.map(|found| found.arn))),
    ("model-copy-job", |change, id| Ok(change.get::<CopyJob>(id)?.map(|found| found.arn))),
    ("custom-model-deployment", |change, id| Ok(change.get::<Deployment>(id)?.map(|found| found.arn))),
];

/// The ARN of the resource with an id, where there is one.
type Exists = fn(&Change<'_>, &str) -> Result<Option<String>, StateError>;

/// Checks a list of tags against the service model.
pub(crate) fn check(checks: &mut Checks, member: &str, tags: Option<&[Tag]>) {
    let tags = tags.unwrap_or_default();
    checks.at_most(member, tags.len(), LIST);
    for (index, tag) in tags.iter().enumerate().take(LIST) {
        let place = format!("{member}.{}.member", index + 1);
        checks.required(&format!("{place}.key"), Some(&tag.key), &constraints::TAG_KEY);
        checks.required(&format!("{place}.value"), Some(&tag.value), &constraints::TAG_VALUE);
    }
}

/// Gives a resource the tags that it was created with, in the transaction that creates it.
pub(crate) fn attach(change: &Change<'_>, region: &str, arn: &str, tags: &[Tag]) -> Result<(), ApiError> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut keys = HashSet::new();
    if let Some(twice) = tags.iter().find(|tag| !keys.insert(&tag.key)) {
        return Err(ApiError::validation(format!("The tag key {} is given more than once.", twice.key)));
    }
    check_number(tags, arn)?;
    change.insert(&Tags { arn: arn.to_owned(), region: region.to_owned(), tags: tags.to_vec() })?;
    Ok(())
}

/// Forgets the tags of a resource, in the transaction that deletes it.
pub(crate) fn detach(change: &Change<'_>, arn: &str) -> Result<(), ApiError> {
    change.delete::<Tags>(arn)?;
    Ok(())
}

/// Whether a resource may have so many tags; for those that are attached only when the resource is there.
pub(crate) fn check_number(tags: &[Tag], arn: &str) -> Result<(), ApiError> {
    if tags.len() <= PER_RESOURCE {
        return Ok(());
    }
    let message = format!("A resource has at most {PER_RESOURCE} tags.");
    Err(ApiError::new(ErrorKind::TooManyTags, message).with("resourceName", arn))
}

#[derive(Debug, Deserialize)]
struct Request {
    #[serde(rename = "resourceARN")]
    resource_arn: Option<String>,
    tags: Option<Vec<Tag>>,
    #[serde(rename = "tagKeys")]
    tag_keys: Option<Vec<String>>,
}

impl Request {
    /// Checks the request and finds the resource in its transaction. `needed` is the list that the operation takes.
    fn checked(&self, needed: Option<(&str, bool)>) -> Result<&str, ApiError> {
        let mut checks = Checks::default();
        let arn = checks.required("resourceARN", self.resource_arn.as_deref(), &constraints::TAGGABLE_ARN);
        check(&mut checks, "tags", self.tags.as_deref());
        let keys = self.tag_keys.as_deref().unwrap_or_default();
        checks.at_most("tagKeys", keys.len(), LIST);
        for (index, key) in keys.iter().enumerate().take(LIST) {
            checks.required(&format!("tagKeys.{}.member", index + 1), Some(key), &constraints::TAG_KEY);
        }
        if let Some((member, false)) = needed {
            checks.missing(member);
        }
        checks.finish()?;
        Ok(arn)
    }
}

/// The tags of a resource that exists in the Region of the call.
fn tags_of(change: &Change<'_>, region: &str, arn: &str) -> Result<Vec<Tag>, ApiError> {
    let absent = || ApiError::not_found(format!("Could not find the resource {arn}.")).with("resourceName", arn);
    let mut parts = arn.splitn(6, ':');
    let here = parts.nth(3) == Some(region);
    let kind = parts.nth(1).and_then(|resource| resource.split('/').next()).unwrap_or_default();
    let (_, exists) = TAGGABLE.iter().find(|(name, _)| here && *name == kind).ok_or_else(absent)?;
    if exists(change, ids::last_segment(arn))?.as_deref() != Some(arn) {
        return Err(absent());
    }
    Ok(change.get::<Tags>(arn)?.map(|found| found.tags).unwrap_or_default())
}

fn replace(change: &Change<'_>, region: &str, arn: &str, tags: &[Tag]) -> Result<(), ApiError> {
    detach(change, arn)?;
    attach(change, region, arn, tags)
}

fn tag(app: &Arc<App>, call: &Call) -> Answer {
    let request: Request = call.json()?;
    let arn = request.checked(Some(("tags", request.tags.is_some())))?;
    app.state().change(|change| {
        let mut tags = tags_of(change, &call.region, arn)?;
        for new in request.tags.iter().flatten() {
            match tags.iter_mut().find(|tag| tag.key == new.key) {
                Some(known) => known.value.clone_from(&new.value),
                None => tags.push(new.clone()),
            }
        }
        replace(change, &call.region, arn, &tags)
    })?;
    json(StatusCode::OK, &json!({}))
}

fn untag(app: &Arc<App>, call: &Call) -> Answer {
    let request: Request = call.json()?;
    let arn = request.checked(Some(("tagKeys", request.tag_keys.is_some())))?;
    app.state().change(|change| {
        let mut tags = tags_of(change, &call.region, arn)?;
        tags.retain(|tag| !request.tag_keys.iter().flatten().any(|key| *key == tag.key));
        replace(change, &call.region, arn, &tags)
    })?;
    json(StatusCode::OK, &json!({}))
}

fn list(app: &Arc<App>, call: &Call) -> Answer {
    let request: Request = call.json()?;
    let arn = request.checked(None)?;
    let tags = app.state().change(|change| tags_of(change, &call.region, arn))?;
    json(StatusCode::OK, &json!({ "tags": tags }))
}
