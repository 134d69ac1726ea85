//! Customization jobs: create, get, list, stop, and the engine that carries them out.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `request`, `resolve` | what a create request may say, and what it means |
//! | `job` | a job as it is remembered and shown |
//! | `engine` | a job's way through its phases; the only place that changes a job after it was made |
//! | `queue` | whose turn it is to train |
//! | `place` | places in S3, and the validation phase: may the job read and write there |
//! | `data` | the data processing phase |
//! | `prompts`, `distillation` | the prompts of a distillation, and the teacher's answers to them |
//! | `training` | the training process, and what it says |
//! | `metrics` | the CSV files |
//!
//! Deliberately absent: reinforcement fine-tuning, which is refused in words.

mod data;
mod distillation;
pub(crate) mod engine;
pub(crate) mod job;
mod metrics;
pub(crate) mod place;
mod prompts;
mod queue;
pub(crate) mod request;
mod resolve;
mod training;

use std::sync::Arc;

pub use data::turns;

use http::{Method, Response, StatusCode};
use s3s::Body;
use serde_json::json;

use crate::access;
use crate::app::App;
use crate::creation::{self, Made};
use crate::custom_models::CustomModel;
use crate::errors::{ApiError, ErrorKind};
use crate::limits::SCHEDULED_JOBS;
use crate::paging::{self, Listing};
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json, mark_stand_in};
use crate::state::Change;
use crate::{ids, stand_in, tags};
use job::{Asked, Job, JobStatus, Phase, PhaseStatus};
use request::CreateJob;
use resolve::Base;

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreateModelCustomizationJob",
        method: Method::POST,
        path: "/model-customization-jobs",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(create),
    },
    Operation {
        name: "ListModelCustomizationJobs",
        method: Method::GET,
        path: "/model-customization-jobs",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(list),
    },
    Operation {
        name: "GetModelCustomizationJob",
        method: Method::GET,
        path: "/model-customization-jobs/{jobIdentifier}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(get),
    },
    Operation {
        name: "StopModelCustomizationJob",
        method: Method::POST,
        path: "/model-customization-jobs/{jobIdentifier}/stop",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(stop),
    },
];

const JOBS: Listing = Listing::new("modelCustomizationJobSummaries", &JobStatus::ALL);

fn create(app: &Arc<App>, call: &Call) -> Answer {
    let mut request: CreateJob = call.json()?;
    request.check_shape()?;
    let token = request.token(&call.region)?;
    if let Some(arn) = creation::earlier(app, token.as_ref(), ErrorKind::Conflict)? {
        return created(&arn);
    }
    access::permit_passing(app, &call.caller, request.role_arn.as_deref().unwrap_or_default())?;
    let (base, asked) = request.resolve(app, &call.region)?;
    let job_tags = request.job_tags.take().unwrap_or_default();
    let job = new_job(app, &call.region, request, base, asked);
    let made = creation::once(app, token.as_ref(), ErrorKind::Conflict, |change| {
        check_names(change, &job)?;
        check_quota(change, &job.region)?;
        tags::attach(change, &job.region, &job.arn, &job_tags)?;
        Ok(job)
    })?;
    if let Made::New(job) = &made {
        engine::launch(app, job);
    }
    created(made.arn())
}

fn new_job(app: &App, region: &str, request: CreateJob, base: Base, asked: Asked) -> Job {
    let scope = app.scope(region);
    let (id, model_id, now) = (ids::resource_id(), ids::resource_id(), app.clock().millis());
    Job {
        arn: scope.job_arn(&base.model.id, &id),
        model_arn: scope.custom_model_arn(&base.model.id, &model_id),
        id,
        model_id,
        region: region.to_owned(),
        name: request.job_name.unwrap_or_default(),
        model_name: request.custom_model_name.unwrap_or_default(),
        base: base.model.id.clone(),
        from_model: base.custom.map(|model| model.id),
        asked,
        stand_in: stand_in::marker(base.model).map(str::to_owned),
        status: JobStatus::InProgress,
        validation: Phase::default(),
        data_processing: Phase::default(),
        training: Phase::default(),
        created: now,
        modified: now,
        ended: None,
        failure: None,
        losses: None,
    }
}

/// The names that the job takes are free, also of what another job will make, and what it starts from is still there.
fn check_names(change: &Change<'_>, job: &Job) -> Result<(), ApiError> {
    if change.name_taken::<Job>(&job.region, &job.name)? {
        return Err(ApiError::conflict(format!("The provided job name is already in use: {}.", job.name)));
    }
    let promised =
        |other: &Job| other.region == job.region && other.model_name == job.model_name && !other.status.is_over();
    if change.name_taken::<CustomModel>(&job.region, &job.model_name)? || change.all::<Job>()?.iter().any(promised) {
        let name = &job.model_name;
        return Err(ApiError::conflict(format!("The provided custom model name is already in use: {name}.")));
    }
    if let Some(model) = &job.from_model
        && change.get::<CustomModel>(model)?.is_none()
    {
        return Err(ApiError::validation("The provided model identifier is invalid."));
    }
    Ok(())
}

fn check_quota(change: &Change<'_>, region: &str) -> Result<(), ApiError> {
    let scheduled = change.all::<Job>()?.iter().filter(|job| job.region == region && !job.status.is_over()).count();
    SCHEDULED_JOBS.room_for_one_more(scheduled)
}

fn created(arn: &str) -> Answer {
    json(StatusCode::CREATED, &json!({ "jobArn": arn }))
}

fn get(app: &Arc<App>, call: &Call) -> Answer {
    let job = find(app, call)?;
    Ok(mark_stand_in(json(StatusCode::OK, &job.view())?, job.stand_in.as_deref()))
}

fn list(app: &Arc<App>, call: &Call) -> Answer {
    paging::answer(app, call, &JOBS, |_: &Job| true, Job::summary)
}

fn stop(app: &Arc<App>, call: &Call) -> Answer {
    let id = find(app, call)?.id;
    let now = app.clock().millis();
    let status = app.state().update::<Job, _>(&id, |job| {
        if job.status == JobStatus::InProgress {
            job.status = JobStatus::Stopping;
            job.modified = now;
            for phase in [&mut job.validation, &mut job.data_processing, &mut job.training] {
                if phase.status == PhaseStatus::InProgress {
                    phase.turn(PhaseStatus::Stopping, now);
                }
            }
        }
        job.status
    })?;
    match status {
        Some(status) if status.is_over() => {
            Err(ApiError::conflict(format!("The job cannot be stopped: it is {}.", status.as_str())))
        }
        Some(_) => {
            app.jobs().stop(&id);
            Ok(Response::new(Body::empty()))
        }
        None => Err(absent(call)),
    }
}

/// The job that the path names, by ARN or by name.
fn find(app: &App, call: &Call) -> Result<Job, ApiError> {
    app.state().find(&call.region, call.identifier())?.ok_or_else(|| absent(call))
}

fn absent(call: &Call) -> ApiError {
    ApiError::not_found(format!("Could not find the model customization job {}.", call.identifier()))
}
