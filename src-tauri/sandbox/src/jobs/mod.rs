//! Customization jobs: create, get, list, stop, and the engine that carries them out.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `request` | what a create request may say |
//! | `job` | a job as it is remembered and shown |
//! | `engine` | a job's way through its phases; the only place that changes a job after it was made |
//! | `data` | the validation and data processing phases |
//! | `training` | the training process, and what it says |
//! | `metrics` | the two CSV files |
//!
//! Deliberately absent in this storey: continued pre-training, distillation, reinforcement fine-tuning, training from
//! invocation logs, and more than one validator. Each is refused in words.

mod data;
pub(crate) mod engine;
pub(crate) mod job;
mod metrics;
mod request;
mod training;

use std::sync::Arc;

use http::{Method, Response, StatusCode};
use s3s::Body;
use serde_json::{Value, json};

use crate::app::App;
use crate::constraints::Checks;
use crate::custom_models::CustomModel;
use crate::errors::ApiError;
use crate::paging::{self, CREATION_TIME};
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json, mark_stand_in};
use crate::state::{Change, Earlier};
use crate::{ids, stand_in, tags};
use job::{Asked, Job, JobStatus, Phase, PhaseStatus};
use request::{Base, CreateJob};

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

fn create(app: &Arc<App>, call: &Call) -> Answer {
    let request: CreateJob = call.json()?;
    request.check_shape()?;
    let token = request.token(&call.region)?;
    // A repeated request is answered before anything else is looked at: what was fine then may not be now.
    if let Some(token) = &token
        && let Some(arn) = app.state().change(|change| earlier(change.earlier(token)?))?
    {
        return created(&arn);
    }
    let (base, asked) = request.resolve(app, &call.region)?;
    let job = new_job(app, &call.region, request, base, asked);
    let arn = app.state().change(|change| {
        if let Some(token) = &token
            && let Some(arn) = earlier(change.earlier(token)?)?
        {
            return Ok(arn);
        }
        check_names(change, &job)?;
        change.insert(&job)?;
        tags::attach(change, &job.region, &job.arn, &job.asked.job_tags)?;
        if let Some(token) = &token {
            change.remember(token, &job.arn)?;
        }
        Ok::<_, ApiError>(job.arn.clone())
    })?;
    if arn == job.arn {
        engine::launch(app, &job);
    }
    created(&arn)
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

fn earlier(earlier: Earlier) -> Result<Option<String>, ApiError> {
    match earlier {
        Earlier::None => Ok(None),
        Earlier::Same(arn) => Ok(Some(arn)),
        Earlier::Different => {
            Err(ApiError::conflict("The provided clientRequestToken was used for a request with other parameters."))
        }
    }
}

fn created(arn: &str) -> Answer {
    json(StatusCode::CREATED, &json!({ "jobArn": arn }))
}

fn get(app: &Arc<App>, call: &Call) -> Answer {
    let job = find(app, call)?;
    Ok(mark_stand_in(json(StatusCode::OK, &job.view())?, job.stand_in.as_deref()))
}

fn list(app: &Arc<App>, call: &Call) -> Answer {
    let mut checks = Checks::default();
    let status = call.query("statusEquals");
    checks.one_of("statusEquals", status, &JobStatus::ALL);
    checks.finish()?;
    let keep = |job: &Job| status.is_none_or(|wanted| job.status.as_str() == wanted);
    let (jobs, next) = paging::page(call, &CREATION_TIME, app.state().all::<Job>()?, keep)?;
    let summaries: Vec<Value> = jobs.iter().map(Job::summary).collect();
    let mut answer = json!({ "modelCustomizationJobSummaries": summaries });
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    json(StatusCode::OK, &answer)
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
    let identifier = call.identifier();
    let found = if identifier.starts_with("arn:") {
        app.state().get::<Job>(ids::last_segment(identifier))?.filter(|job| job.arn == identifier)
    } else {
        app.state().named::<Job>(&call.region, identifier)?
    };
    found.filter(|job| job.region == call.region).ok_or_else(|| absent(call))
}

fn absent(call: &Call) -> ApiError {
    ApiError::not_found(format!("Could not find the model customization job {}.", call.identifier()))
}
