//! Model import: a folder as Hugging Face lays it out in S3 becomes a model that answers by its own ARN.
//!
//! | file | what is in it |
//! | --- | --- |
//! | here | the operations of import jobs |
//! | `models` | the operations of imported models |
//! | `job` | an import job as it is remembered and shown |
//! | `engine` | a job's way: role, objects, memory, a first load, and the model that comes of it |
//!
//! Deliberately absent: architectures other than Llama, model data sources other than S3, and units of billing.

pub(crate) mod engine;
pub(crate) mod job;
pub(crate) mod models;

use std::sync::Arc;

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access;
use crate::app::App;
use crate::constraints::{self, Checks};
use crate::creation::{self, Made};
use crate::errors::{ApiError, ErrorKind};
use crate::ids;
use crate::paging::{self, Listing};
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json};
use crate::state::{Change, Token};
use crate::tags::{self, Tag};
use job::{ImportJob, ImportStatus};
use models::ImportedModel;

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreateModelImportJob",
        method: Method::POST,
        path: "/model-import-jobs",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(create),
    },
    Operation {
        name: "ListModelImportJobs",
        method: Method::GET,
        path: "/model-import-jobs",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(list),
    },
    Operation {
        name: "GetModelImportJob",
        method: Method::GET,
        path: "/model-import-jobs/{jobIdentifier}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(get),
    },
];

const JOBS: Listing = Listing::new("modelImportJobSummaries", &["InProgress", "Completed", "Failed"]);

/// Where AWS imports models.
const REGIONS: [&str; 4] = ["us-east-1", "us-east-2", "us-west-2", "eu-central-1"];

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateImport {
    job_name: Option<String>,
    imported_model_name: Option<String>,
    role_arn: Option<String>,
    model_data_source: Option<DataSource>,
    job_tags: Option<Vec<Tag>>,
    imported_model_tags: Option<Vec<Tag>>,
    vpc_config: Option<Value>,
    imported_model_kms_key_id: Option<String>,
    #[serde(skip_serializing)]
    client_request_token: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataSource {
    s3_data_source: Option<S3Source>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3Source {
    s3_uri: Option<String>,
}

impl CreateImport {
    fn uri(&self) -> Option<&str> {
        self.model_data_source.as_ref()?.s3_data_source.as_ref()?.s3_uri.as_deref()
    }

    fn check(&self) -> Result<(), ApiError> {
        let mut checks = Checks::default();
        checks.required("jobName", self.job_name.as_deref(), &constraints::JOB_NAME);
        checks.required("importedModelName", self.imported_model_name.as_deref(), &constraints::THROUGHPUT_NAME);
        checks.required("roleArn", self.role_arn.as_deref(), &constraints::ROLE_ARN);
        checks.required("modelDataSource.s3DataSource.s3Uri", self.uri(), &constraints::S3_URI);
        checks.optional("importedModelKmsKeyId", self.imported_model_kms_key_id.as_deref(), &constraints::KMS_KEY);
        checks.optional("clientRequestToken", self.client_request_token.as_deref(), &constraints::TOKEN);
        tags::check(&mut checks, "jobTags", self.job_tags.as_deref());
        tags::check(&mut checks, "importedModelTags", self.imported_model_tags.as_deref());
        checks.finish()
    }
}

fn create(app: &Arc<App>, call: &Call) -> Answer {
    let request: CreateImport = call.json()?;
    request.check()?;
    let token = request.client_request_token.as_ref();
    let token = Token::of("CreateModelImportJob", &call.region, token, &request)?;
    if let Some(arn) = creation::earlier(app, token.as_ref(), ErrorKind::Conflict)? {
        return created(&arn);
    }
    if !REGIONS.contains(&call.region.as_str()) {
        let where_ = REGIONS.join(", ");
        return Err(ApiError::validation(format!("Models are imported in {where_}, not in {}.", call.region)));
    }
    let job = new_job(app, call, &request);
    access::permit_passing(app, &call.caller, &job.role_arn)?;
    access::assume(app, &job.role_arn, &job.arn).map_err(ApiError::validation)?;
    let made = creation::once(app, token.as_ref(), ErrorKind::Conflict, |change| {
        check_names(change, &job)?;
        tags::attach(change, &job.region, &job.arn, request.job_tags.as_deref().unwrap_or_default())?;
        // Held to the bound now, not when the model is there.
        tags::check_number(&job.model_tags, &job.model_arn)?;
        Ok(job)
    })?;
    let answer = created(made.arn());
    if let Made::New(job) = made {
        engine::launch(app, job);
    }
    answer
}

fn created(arn: &str) -> Answer {
    json(StatusCode::CREATED, &json!({ "jobArn": arn }))
}

fn new_job(app: &App, call: &Call, request: &CreateImport) -> ImportJob {
    let scope = app.scope(&call.region);
    let (id, model_id, now) = (ids::resource_id(), ids::resource_id(), app.clock().millis());
    ImportJob {
        arn: scope.import_job_arn(&id),
        model_arn: scope.imported_model_arn(&model_id),
        id,
        model_id,
        region: call.region.clone(),
        name: request.job_name.clone().unwrap_or_default(),
        model_name: request.imported_model_name.clone().unwrap_or_default(),
        role_arn: request.role_arn.clone().unwrap_or_default(),
        uri: request.uri().unwrap_or_default().to_owned(),
        vpc: request.vpc_config.clone(),
        kms_key: request.imported_model_kms_key_id.clone(),
        model_tags: request.imported_model_tags.clone().unwrap_or_default(),
        status: ImportStatus::InProgress,
        failure: None,
        created: now,
        modified: now,
        ended: None,
    }
}

/// The names that the job takes are free, also of what another job will make.
fn check_names(change: &Change<'_>, job: &ImportJob) -> Result<(), ApiError> {
    if change.name_taken::<ImportJob>(&job.region, &job.name)? {
        return Err(ApiError::conflict(format!("The provided job name is already in use: {}.", job.name)));
    }
    let promised = |other: &ImportJob| {
        other.region == job.region && other.model_name == job.model_name && other.status == ImportStatus::InProgress
    };
    let taken = change.name_taken::<ImportedModel>(&job.region, &job.model_name)?;
    if taken || change.all::<ImportJob>()?.iter().any(promised) {
        let name = &job.model_name;
        return Err(ApiError::conflict(format!("The provided imported model name is already in use: {name}.")));
    }
    Ok(())
}

fn get(app: &Arc<App>, call: &Call) -> Answer {
    let job = app.state().find::<ImportJob>(&call.region, call.identifier())?;
    let job =
        job.ok_or_else(|| ApiError::not_found(format!("Could not find the model import job {}.", call.identifier())))?;
    json(StatusCode::OK, &job.view())
}

fn list(app: &Arc<App>, call: &Call) -> Answer {
    paging::answer(app, call, &JOBS, |_: &ImportJob| true, ImportJob::summary)
}
