//! Model copy: a custom model once more, in another Region. Create, get and list.
//!
//! The request goes to the Region that the copy is to be in. Deliberately absent: copies from another account, and
//! imported models and base models, which AWS does not copy either.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::iso8601;
use crate::constraints::{self, Checks};
use crate::creation::{self, Made};
use crate::custom_models::CustomModel;
use crate::errors::{ApiError, ErrorKind};
use crate::ids;
use crate::paging::{self, Listed, Listing};
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json};
use crate::state::{Change, Resource, StateError, Token};
use crate::tags::{self, Tag};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreateModelCopyJob",
        method: Method::POST,
        path: "/model-copy-jobs",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(create),
    },
    Operation {
        name: "ListModelCopyJobs",
        method: Method::GET,
        path: "/model-copy-jobs",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(list),
    },
    Operation {
        name: "GetModelCopyJob",
        method: Method::GET,
        path: "/model-copy-jobs/{jobArn}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(get),
    },
];

const JOBS: Listing = Listing::new("modelCopyJobSummaries", &["InProgress", "Completed", "Failed"]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum CopyStatus {
    InProgress,
    Completed,
    Failed,
}

impl CopyStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CopyJob {
    id: String,
    pub(crate) arn: String,
    /// Where the copy is made.
    region: String,
    source_id: String,
    source_arn: String,
    source_name: String,
    /// The copy: named now, made on completion.
    target_id: String,
    target_arn: String,
    target_name: String,
    kms_key: Option<String>,
    target_tags: Vec<Tag>,
    status: CopyStatus,
    failure: Option<String>,
    created: i64,
}

impl CopyJob {
    fn view(&self, account: &str) -> Value {
        let mut view = json!({
            "jobArn": self.arn,
            "status": self.status.as_str(),
            "creationTime": iso8601(self.created),
            "targetModelArn": self.target_arn,
            "targetModelName": self.target_name,
            "sourceAccountId": account,
            "sourceModelArn": self.source_arn,
            "sourceModelName": self.source_name,
            "targetModelTags": self.target_tags,
        });
        if let Some(failure) = &self.failure {
            view["failureMessage"] = json!(failure);
        }
        if let Some(key) = self.kms_key.as_ref().filter(|key| key.contains(":key/")) {
            view["targetModelKmsKeyArn"] = json!(key);
        }
        view
    }

    fn is_under_way(&self) -> bool {
        self.status == CopyStatus::InProgress
    }
}

impl Resource for CopyJob {
    const KIND: &'static str = "model-copy-job";
    fn id(&self) -> &str {
        &self.id
    }
    fn arn(&self) -> &str {
        &self.arn
    }
    fn region(&self) -> &str {
        &self.region
    }
    /// A copy job has no name of its own.
    fn name(&self) -> &str {
        &self.id
    }
}

impl Listed for CopyJob {
    fn created(&self) -> i64 {
        self.created
    }
    fn status(&self) -> &'static str {
        self.status.as_str()
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateCopy {
    source_model_arn: Option<String>,
    target_model_name: Option<String>,
    model_kms_key_id: Option<String>,
    target_model_tags: Option<Vec<Tag>>,
    #[serde(skip_serializing)]
    client_request_token: Option<String>,
}

impl CreateCopy {
    fn check(&self) -> Result<(), ApiError> {
        let mut checks = Checks::default();
        checks.required("sourceModelArn", self.source_model_arn.as_deref(), &constraints::CUSTOM_MODEL_ARN);
        checks.required("targetModelName", self.target_model_name.as_deref(), &constraints::CUSTOM_MODEL_NAME);
        checks.optional("modelKmsKeyId", self.model_kms_key_id.as_deref(), &constraints::KMS_KEY);
        checks.optional("clientRequestToken", self.client_request_token.as_deref(), &constraints::TOKEN);
        tags::check(&mut checks, "targetModelTags", self.target_model_tags.as_deref());
        checks.finish()
    }
}

fn create(app: &Arc<App>, call: &Call) -> Answer {
    let request: CreateCopy = call.json()?;
    request.check()?;
    let token = request.client_request_token.as_ref();
    let token = Token::of("CreateModelCopyJob", &call.region, token, &request)?;
    let now = app.clock().millis();
    // The operation has neither conflicts nor validation among its errors; the second is common to all operations.
    let made = creation::once(app, token.as_ref(), ErrorKind::Validation, |change| {
        let arn = request.source_model_arn.as_deref().unwrap_or_default();
        let source = source(change, &call.region, arn)?;
        let name = request.target_model_name.clone().unwrap_or_default();
        check_name(change, &call.region, &name)?;
        let (id, target_id) = (ids::resource_id(), ids::resource_id());
        let scope = app.scope(&call.region);
        let target_tags = request.target_model_tags.clone().unwrap_or_default();
        let target_arn = scope.custom_model_arn(&source.base, &target_id);
        tags::check_number(&target_tags, &target_arn)?;
        Ok(CopyJob {
            arn: scope.copy_job_arn(&id),
            id,
            region: call.region.clone(),
            source_id: source.id,
            source_arn: source.arn,
            source_name: source.name,
            target_id,
            target_arn,
            target_name: name,
            kms_key: request.model_kms_key_id.clone(),
            target_tags,
            status: CopyStatus::InProgress,
            failure: None,
            created: now,
        })
    })?;
    let answer = json(StatusCode::CREATED, &json!({ "jobArn": made.arn() }));
    if let Made::New(job) = made {
        launch(app, job);
    }
    answer
}

/// The model to copy, which is in another Region.
fn source(change: &Change<'_>, region: &str, arn: &str) -> Result<CustomModel, ApiError> {
    let theirs = arn.split(':').nth(3).unwrap_or_default();
    if theirs == region {
        return Err(ApiError::validation(format!(
            "The model {arn} is in {region} already. Send the request to the Region that the copy is to be in."
        )));
    }
    change
        .find::<CustomModel>(theirs, arn)?
        .ok_or_else(|| ApiError::not_found(format!("Could not find the custom model {arn}.")))
}

fn check_name(change: &Change<'_>, region: &str, name: &str) -> Result<(), ApiError> {
    let promised = |other: &CopyJob| other.is_under_way() && other.region == region && other.target_name == name;
    if change.name_taken::<CustomModel>(region, name)? || change.all::<CopyJob>()?.iter().any(promised) {
        return Err(ApiError::validation(format!("The provided custom model name is already in use: {name}.")));
    }
    Ok(())
}

/// Whether a copy of this custom model is under way.
pub(crate) fn reads(change: &Change<'_>, model_arn: &str) -> Result<bool, StateError> {
    Ok(change.all::<CopyJob>()?.iter().any(|job| job.is_under_way() && job.source_arn == model_arn))
}

/// Copies the weights and says how that went.
fn launch(app: &Arc<App>, job: CopyJob) {
    let app = app.clone();
    app.tasks().clone().spawn_blocking(move || {
        let target = app.home().model(&job.target_id);
        let copied = copy(&app.home().model(&job.source_id), &target);
        if let Err(error) = finish(&app, &job, copied.map_err(|error| error.to_string())) {
            tracing::error!(%error, job = job.id, "a copy's end could not be written down");
            fs::remove_dir_all(target).ok();
        }
    });
}

/// Copies a folder of files beside the new one and renames it, so that it is there whole or not at all.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let draft = to.with_extension("part");
    if draft.exists() {
        fs::remove_dir_all(&draft)?;
    }
    copy_all(from, &draft)?;
    fs::rename(draft, to)
}

/// An adapter lies in a folder of its own beside the weights.
fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn finish(app: &App, job: &CopyJob, result: Result<(), String>) -> Result<(), ApiError> {
    let now = app.clock().millis();
    app.state().change(|change| {
        let Some(mut job) = change.get::<CopyJob>(&job.id)? else { return Ok(()) };
        let source = change.get::<CustomModel>(&job.source_id)?;
        let result = source.ok_or_else(|| "The model that was to be copied is gone.".to_owned()).and_then(|source| {
            result.map(|()| CustomModel {
                id: job.target_id.clone(),
                arn: job.target_arn.clone(),
                region: job.region.clone(),
                name: job.target_name.clone(),
                created: now,
                ..source
            })
        });
        match result {
            Ok(copy) => {
                change.insert(&copy)?;
                tags::attach(change, &job.region, &job.target_arn, &job.target_tags)?;
                job.status = CopyStatus::Completed;
            }
            Err(why) => {
                job.status = CopyStatus::Failed;
                job.failure = Some(why);
            }
        }
        change.put(&job)?;
        Ok(())
    })
}

/// Takes up what an earlier process left: an unfinished copy begins anew.
pub(crate) fn resume(app: &Arc<App>) -> Result<(), StateError> {
    for job in app.state().all::<CopyJob>()? {
        if job.is_under_way() {
            launch(app, job);
        }
    }
    Ok(())
}

fn get(app: &Arc<App>, call: &Call) -> Answer {
    let job = app.state().find::<CopyJob>(&call.region, call.identifier())?;
    let job =
        job.ok_or_else(|| ApiError::not_found(format!("Could not find the model copy job {}.", call.identifier())))?;
    json(StatusCode::OK, &job.view(app.keys().account()))
}

fn list(app: &Arc<App>, call: &Call) -> Answer {
    let (source, name) = (call.query("sourceModelArnEquals"), call.query("outputModelNameContains"));
    let account = app.keys().account();
    let mut checks = Checks::default();
    checks.optional("sourceModelArnEquals", source, &constraints::SERVED_MODEL_ARN);
    checks.optional("targetModelNameContains", name, &constraints::CUSTOM_MODEL_NAME);
    checks.finish()?;
    // All models are of the one account that there is.
    let others = call.query("sourceAccountEquals").is_some_and(|wanted| wanted != account);
    let name = name.unwrap_or_default().to_lowercase();
    let keep = |job: &CopyJob| {
        !others
            && source.is_none_or(|wanted| job.source_arn == wanted)
            && job.target_name.to_lowercase().contains(&name)
    };
    paging::answer(app, call, &JOBS, keep, |job| job.view(account))
}
