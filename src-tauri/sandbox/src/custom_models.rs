//! Custom models: what a completed job leaves. Get, list and delete.
//!
//! The weights are in `models/ID` of the folder. CreateCustomModel brings in what SageMaker has trained, which nothing
//! here can have: it is answered with the reason. Copies are made in `copies`.

use std::sync::Arc;

use http::{Method, Response, StatusCode};
use s3s::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::iso8601;
use crate::constraints::{self, Checks};
use crate::deployments::Deployment;
use crate::errors::ApiError;
use crate::ids::foundation_model_arn;
use crate::jobs::job::{Asked, Job, Losses};
use crate::paging::{self, Listed, Listing};
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json, mark_stand_in};
use crate::runtime::models::Weights;
use crate::state::{Change, Resource, StateError};
use crate::{copies, provisioned, tags};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "ListCustomModels",
        method: Method::GET,
        path: "/custom-models",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(list),
    },
    Operation {
        name: "CreateCustomModel",
        method: Method::POST,
        path: "/custom-models/create-custom-model",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(create),
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

const MODELS: Listing =
    Listing { status: Some(("modelStatus", &["Active", "Creating", "Failed"])), ..Listing::new("modelSummaries", &[]) };

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CustomModel {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) region: String,
    pub(crate) name: String,
    /// The base model of the catalog.
    pub(crate) base: String,
    pub(crate) job_name: String,
    pub(crate) job_arn: String,
    pub(crate) asked: Asked,
    pub(crate) losses: Option<Losses>,
    pub(crate) stand_in: Option<String>,
    pub(crate) created: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateModel {
    model_name: Option<String>,
    role_arn: Option<String>,
    client_request_token: Option<String>,
}

/// Refuses what is malformed as the service does, and all the rest with the reason.
fn create(_: &Arc<App>, call: &Call) -> Answer {
    let request: CreateModel = call.json()?;
    let mut checks = Checks::default();
    checks.required("modelName", request.model_name.as_deref(), &constraints::CUSTOM_MODEL_NAME);
    checks.optional("roleArn", request.role_arn.as_deref(), &constraints::ROLE_ARN);
    checks.optional("clientRequestToken", request.client_request_token.as_deref(), &constraints::TOKEN);
    checks.finish()?;
    Err(ApiError::validation(
        "CreateCustomModel is not available in this sandbox: it takes an Amazon Nova model that was trained in Amazon \
         SageMaker AI and lies in storage managed by Amazon, and neither can be had here. Tune a model with \
         CreateModelCustomizationJob, or bring one in with CreateModelImportJob.",
    ))
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
            losses: job.losses.clone(),
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
        if let Some(losses) = &self.losses {
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
    fn arn(&self) -> &str {
        &self.arn
    }
    fn region(&self) -> &str {
        &self.region
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl Listed for CustomModel {
    fn created(&self) -> i64 {
        self.created
    }
    /// A model is there once it is active.
    fn status(&self) -> &'static str {
        "Active"
    }
}

fn expect(app: &App, call: &Call) -> Result<CustomModel, ApiError> {
    app.state()
        .find(&call.region, call.identifier())?
        .ok_or_else(|| ApiError::not_found(format!("Could not find the custom model {}.", call.identifier())))
}

fn get(app: &Arc<App>, call: &Call) -> Answer {
    let model = expect(app, call)?;
    Ok(mark_stand_in(json(StatusCode::OK, &model.view())?, model.stand_in.as_deref()))
}

fn list(app: &Arc<App>, call: &Call) -> Answer {
    let mut checks = Checks::default();
    checks.one_of("isOwned", call.query("isOwned"), &["true", "false"]);
    checks.finish()?;
    let base = [call.query("baseModelArnEquals"), call.query("foundationModelArnEquals")];
    // Every model is owned by the one account that there is.
    let others = call.query("isOwned") == Some("false");
    let keep = |model: &CustomModel| !others && base.iter().flatten().all(|wanted| *wanted == model.base_arn());
    paging::answer(app, call, &MODELS, keep, |model| model.summary(app.keys().account()))
}

fn delete(app: &Arc<App>, call: &Call) -> Answer {
    let model = expect(app, call)?;
    app.state().change(|change| {
        if let Some(why) = in_use(change, &model)? {
            return Err(ApiError::conflict(why));
        }
        change.delete::<CustomModel>(&model.id)?;
        tags::detach(change, &model.arn)
    })?;
    app.models().forget(&Weights::Custom(model.id.clone()));
    // The record is gone, so a folder that stays behind is only space, and the next start removes it.
    if let Err(error) = std::fs::remove_dir_all(app.home().model(&model.id)) {
        tracing::warn!(%error, model = model.id, "the weights of a deleted model could not be removed");
    }
    Ok(Response::new(Body::empty()))
}

/// Why a model cannot be deleted now.
fn in_use(change: &Change<'_>, model: &CustomModel) -> Result<Option<String>, StateError> {
    if let Some(deployment) = change.all::<Deployment>()?.iter().find(|deployment| deployment.uses(&model.arn)) {
        let name = deployment.name();
        return Ok(Some(format!("The custom model has the deployment {name}. Delete the deployment first.")));
    }
    if provisioned::serves(change, &model.arn)? {
        let why =
            "The custom model is served by a provisioned throughput. Delete that or turn it to another model first.";
        return Ok(Some(why.to_owned()));
    }
    if copies::reads(change, &model.arn)? {
        return Ok(Some("The custom model is being copied to another Region.".to_owned()));
    }
    let needed = |job: &&Job| !job.status.is_over() && job.from_model.as_ref() == Some(&model.id);
    let jobs = change.all::<Job>()?;
    Ok(jobs.iter().find(needed).map(|job| format!("The customization job {} is tuning this model further.", job.name)))
}
