//! Custom models: what a completed job leaves. Get, list and delete.
//!
//! The weights are in `models/ID` of the folder. Deliberately absent in this storey: CreateCustomModel and copies.

use std::sync::Arc;

use http::{Method, Response, StatusCode};
use s3s::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::iso8601;
use crate::constraints::Checks;
use crate::deployments::Deployment;
use crate::errors::ApiError;
use crate::ids::{self, foundation_model_arn};
use crate::jobs::job::{Asked, Job, Losses};
use crate::paging::{self, CREATION_TIME, Listed};
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json, mark_stand_in};
use crate::state::Resource;
use crate::tags;

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "ListCustomModels",
        method: Method::GET,
        path: "/custom-models",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(list),
    },
    Operation {
        name: "GetCustomModel",
        method: Method::GET,
        path: "/custom-models/{modelIdentifier}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(get),
    },
    Operation {
        name: "DeleteCustomModel",
        method: Method::DELETE,
        path: "/custom-models/{modelIdentifier}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(delete),
    },
];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CustomModel {
    pub(crate) id: String,
    pub(crate) arn: String,
    region: String,
    name: String,
    /// The base model of the catalog.
    pub(crate) base: String,
    job_name: String,
    job_arn: String,
    asked: Asked,
    losses: Option<Losses>,
    pub(crate) stand_in: Option<String>,
    created: i64,
}

impl CustomModel {
    /// What a job that trained to its end leaves behind.
    pub(crate) fn of(job: &Job, created: i64) -> Self {
        Self {
            id: job.model_id.clone(),
            arn: job.model_arn.clone(),
            region: job.region.clone(),
            name: job.model_name.clone(),
            base: job.base.clone(),
            job_name: job.name.clone(),
            job_arn: job.arn.clone(),
            asked: job.asked.clone(),
            losses: job.losses,
            stand_in: job.stand_in.clone(),
            created,
        }
    }

    fn base_arn(&self) -> String {
        foundation_model_arn(&self.region, &self.base)
    }

    fn view(&self) -> Value {
        let mut view = json!({
            "modelArn": self.arn,
            "modelName": self.name,
            "jobName": self.job_name,
            "jobArn": self.job_arn,
            "baseModelArn": self.base_arn(),
            "customizationType": self.asked.customization_type,
            "hyperParameters": self.asked.hyperparameters,
            "creationTime": iso8601(self.created),
            "modelStatus": "Active",
        });
        self.asked.data_view(&mut view);
        if let Some(losses) = self.losses {
            losses.view(&mut view);
        }
        if let Some(key) = self.asked.kms_key.as_ref().filter(|key| key.starts_with("arn:")) {
            view["modelKmsKeyArn"] = json!(key);
        }
        view
    }

    fn summary(&self, account: &str) -> Value {
        json!({
            "modelArn": self.arn,
            "modelName": self.name,
            "creationTime": iso8601(self.created),
            "baseModelArn": self.base_arn(),
            // The service names the family here: the id up to its version.
            "baseModelName": self.base.split(':').next().unwrap_or_default(),
            "customizationType": self.asked.customization_type,
            "ownerAccountId": account,
            "modelStatus": "Active",
        })
    }
}

impl Resource for CustomModel {
    const KIND: &'static str = "custom-model";
    fn id(&self) -> &str {
        &self.id
    }
    fn region(&self) -> &str {
        &self.region
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl Listed for CustomModel {
    fn id(&self) -> &str {
        &self.id
    }
    fn region(&self) -> &str {
        &self.region
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// A custom model by ARN or by name.
pub(crate) fn find(app: &App, region: &str, identifier: &str) -> Result<Option<CustomModel>, ApiError> {
    let found = if identifier.starts_with("arn:") {
        app.state().get::<CustomModel>(ids::last_segment(identifier))?.filter(|model| model.arn == identifier)
    } else {
        app.state().named::<CustomModel>(region, identifier)?
    };
    Ok(found.filter(|model| model.region == region))
}

fn expect(app: &App, call: &Call) -> Result<CustomModel, ApiError> {
    find(app, &call.region, call.identifier())?
        .ok_or_else(|| ApiError::not_found(format!("Could not find the custom model {}.", call.identifier())))
}

fn get(app: &Arc<App>, call: &Call) -> Answer {
    let model = expect(app, call)?;
    Ok(mark_stand_in(json(StatusCode::OK, &model.view())?, model.stand_in.as_deref()))
}

fn list(app: &Arc<App>, call: &Call) -> Answer {
    let mut checks = Checks::default();
    let status = call.query("modelStatus");
    checks.one_of("modelStatus", status, &["Active", "Creating", "Failed"]);
    checks.one_of("isOwned", call.query("isOwned"), &["true", "false"]);
    checks.finish()?;
    let base = [call.query("baseModelArnEquals"), call.query("foundationModelArnEquals")];
    // A model is there once it is active, and is owned by the one account that there is.
    let none = status.is_some_and(|wanted| wanted != "Active") || call.query("isOwned") == Some("false");
    let keep = |model: &CustomModel| !none && base.iter().flatten().all(|wanted| *wanted == model.base_arn());
    let (models, next) = paging::page(call, &CREATION_TIME, app.state().all::<CustomModel>()?, keep)?;
    let summaries: Vec<Value> = models.iter().map(|model| model.summary(app.keys().account())).collect();
    let mut answer = json!({ "modelSummaries": summaries });
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    json(StatusCode::OK, &answer)
}

fn delete(app: &Arc<App>, call: &Call) -> Answer {
    let model = expect(app, call)?;
    app.state().change(|change| {
        if change.all::<Deployment>()?.iter().any(|deployment| deployment.model_arn == model.arn) {
            return Err(ApiError::conflict("The custom model has a deployment. Delete the deployment first."));
        }
        let needed = |job: &Job| !job.status.is_over() && job.from_model.as_ref() == Some(&model.id);
        if change.all::<Job>()?.iter().any(needed) {
            return Err(ApiError::conflict("A customization job is tuning this model further."));
        }
        change.delete::<CustomModel>(&model.id)?;
        tags::detach(change, &model.arn)
    })?;
    app.models().forget(&model.id);
    // The record is gone, so a folder that stays behind is only space, and the next start removes it.
    if let Err(error) = std::fs::remove_dir_all(app.home().model(&model.id)) {
        tracing::warn!(%error, model = model.id, "the weights of a deleted model could not be removed");
    }
    Ok(Response::new(Body::empty()))
}
