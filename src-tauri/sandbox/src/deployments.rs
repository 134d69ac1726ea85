//! Custom model deployments: what makes a custom model answer on demand. Create, get, list, update and delete.
//!
//! Creating one loads the weights once, so that a model that cannot answer is a failed deployment and not a surprise
//! at the first prompt. An update does the same with the model that is to come; until that one is loaded, the old one
//! answers, and when it cannot be loaded, the old one stays.

use std::sync::Arc;

use http::{Method, Response, StatusCode};
use s3s::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use whetstone_catalog::ServingMode;

use crate::app::App;
use crate::clock::iso8601;
use crate::constraints::{self, Checks};
use crate::creation::{self, Made};
use crate::custom_models::CustomModel;
use crate::errors::{ApiError, ErrorKind};
use crate::limits::{DEPLOYMENTS, DEPLOYMENTS_IN_PROGRESS};
use crate::paging::{self, Listed, Listing};
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json, mark_stand_in};
use crate::runtime::models::Weights;
use crate::state::{Change, Resource, StateError, Token};
use crate::tags::{self, Tag};
use crate::{foundation_models, ids};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreateCustomModelDeployment",
        method: Method::POST,
        path: "/model-customization/custom-model-deployments",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(create),
    },
    Operation {
        name: "ListCustomModelDeployments",
        method: Method::GET,
        path: "/model-customization/custom-model-deployments",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(list),
    },
    Operation {
        name: "GetCustomModelDeployment",
        method: Method::GET,
        path: "/model-customization/custom-model-deployments/{customModelDeploymentIdentifier}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(get),
    },
    Operation {
        name: "UpdateCustomModelDeployment",
        method: Method::PATCH,
        path: "/model-customization/custom-model-deployments/{customModelDeploymentIdentifier}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(update),
    },
    Operation {
        name: "DeleteCustomModelDeployment",
        method: Method::DELETE,
        path: "/model-customization/custom-model-deployments/{customModelDeploymentIdentifier}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(delete),
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DeploymentStatus {
    Creating,
    Active,
    Failed,
}

impl DeploymentStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Active => "Active",
            Self::Failed => "Failed",
        }
    }
}

const DEPLOYMENT_LIST: Listing = Listing {
    after: "createdAfter",
    before: "createdBefore",
    ..Listing::new("modelDeploymentSummaries", &["Creating", "Active", "Failed"])
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum UpdateStatus {
    Updating,
    UpdateCompleted,
    UpdateFailed,
}

impl UpdateStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Updating => "Updating",
            Self::UpdateCompleted => "UpdateCompleted",
            Self::UpdateFailed => "UpdateFailed",
        }
    }
}

/// The last change of the model that answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Update {
    model_arn: String,
    model_id: String,
    stand_in: Option<String>,
    status: UpdateStatus,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) region: String,
    name: String,
    pub(crate) model_arn: String,
    pub(crate) model_id: String,
    description: Option<String>,
    pub(crate) stand_in: Option<String>,
    pub(crate) status: DeploymentStatus,
    pub(crate) failure: Option<String>,
    #[serde(default)]
    update: Option<Update>,
    created: i64,
    updated: i64,
}

impl Deployment {
    /// Whether this custom model answers here, or is about to.
    pub(crate) fn uses(&self, model_arn: &str) -> bool {
        self.model_arn == model_arn || self.updating().is_some_and(|update| update.model_arn == model_arn)
    }

    fn updating(&self) -> Option<&Update> {
        self.update.as_ref().filter(|update| update.status == UpdateStatus::Updating)
    }

    /// `name` is the member that holds the name: it differs between the details and the summaries.
    fn view(&self, name: &str) -> Value {
        let mut view = json!({
            "customModelDeploymentArn": self.arn,
            name: self.name,
            "modelArn": self.model_arn,
            "createdAt": iso8601(self.created),
            "lastUpdatedAt": iso8601(self.updated),
            "status": self.status.as_str(),
        });
        if let Some(failure) = &self.failure {
            view["failureMessage"] = json!(failure);
        }
        view
    }

    fn details(&self) -> Value {
        let mut view = self.view("modelDeploymentName");
        if let Some(description) = &self.description {
            view["description"] = json!(description);
        }
        if let Some(update) = &self.update {
            view["updateDetails"] = json!({ "modelArn": update.model_arn, "updateStatus": update.status.as_str() });
        }
        view
    }

    /// Writes down how loading the weights went, for the update that was under way, or else for the creation.
    fn loaded(&mut self, result: Result<(), String>, now: i64) {
        self.updated = now;
        match (self.update.as_mut().filter(|update| update.status == UpdateStatus::Updating), result) {
            (Some(update), Ok(())) => {
                update.status = UpdateStatus::UpdateCompleted;
                self.model_arn.clone_from(&update.model_arn);
                self.model_id.clone_from(&update.model_id);
                self.stand_in.clone_from(&update.stand_in);
                self.failure = None;
            }
            (Some(update), Err(why)) => {
                update.status = UpdateStatus::UpdateFailed;
                self.failure = Some(why);
            }
            (None, Ok(())) => self.status = DeploymentStatus::Active,
            (None, Err(why)) => {
                self.status = DeploymentStatus::Failed;
                self.failure = Some(why);
            }
        }
    }
}

impl Resource for Deployment {
    const KIND: &'static str = "custom-model-deployment";
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

impl Listed for Deployment {
    fn created(&self) -> i64 {
        self.created
    }
    fn status(&self) -> &'static str {
        self.status.as_str()
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateDeployment {
    model_deployment_name: Option<String>,
    model_arn: Option<String>,
    description: Option<String>,
    tags: Option<Vec<Tag>>,
    #[serde(skip_serializing)]
    client_request_token: Option<String>,
}

impl CreateDeployment {
    fn check(&self) -> Result<(), ApiError> {
        let mut checks = Checks::default();
        checks.required("modelDeploymentName", self.model_deployment_name.as_deref(), &constraints::CUSTOM_MODEL_NAME);
        checks.required("modelArn", self.model_arn.as_deref(), &constraints::CUSTOM_MODEL_ARN);
        checks.optional("description", self.description.as_deref(), &constraints::DESCRIPTION);
        checks.optional("clientRequestToken", self.client_request_token.as_deref(), &constraints::TOKEN);
        tags::check(&mut checks, "tags", self.tags.as_deref());
        checks.finish()
    }
}

fn create(app: &Arc<App>, call: &Call) -> Answer {
    let mut request: CreateDeployment = call.json()?;
    request.check()?;
    let token = request.client_request_token.as_ref();
    let token = Token::of("CreateCustomModelDeployment", &call.region, token, &request)?;
    let (id, now) = (ids::resource_id(), app.clock().millis());
    // The operation has no conflict among its errors, so names and tokens that are taken are invalid.
    let made = creation::once(app, token.as_ref(), ErrorKind::Validation, |change| {
        let model = deployable(change, &call.region, &request.model_arn.take().unwrap_or_default())?;
        let name = request.model_deployment_name.take().unwrap_or_default();
        if change.name_taken::<Deployment>(&call.region, &name)? {
            return Err(ApiError::validation(format!("The provided model deployment name is already in use: {name}.")));
        }
        check_quotas(change, &call.region)?;
        let deployment = Deployment {
            arn: app.scope(&call.region).deployment_arn(&id),
            id,
            region: call.region.clone(),
            name,
            model_arn: model.arn,
            model_id: model.id,
            description: request.description.take(),
            stand_in: model.stand_in,
            status: DeploymentStatus::Creating,
            failure: None,
            update: None,
            created: now,
            updated: now,
        };
        tags::attach(change, &call.region, &deployment.arn, request.tags.as_deref().unwrap_or_default())?;
        Ok(deployment)
    })?;
    let arn = made.arn().to_owned();
    if let Made::New(deployment) = made {
        bring_up(app, deployment);
    }
    json(StatusCode::ACCEPTED, &json!({ "customModelDeploymentArn": arn }))
}

/// The custom model of this ARN, if a deployment may serve it.
fn deployable(change: &Change<'_>, region: &str, arn: &str) -> Result<CustomModel, ApiError> {
    let model = change
        .find::<CustomModel>(region, arn)?
        .ok_or_else(|| ApiError::not_found(format!("Could not find the custom model {arn}.")))?;
    let base = foundation_models::find(&model.base)
        .ok_or_else(|| ApiError::validation(format!("The base model {} is not known any more.", model.base)))?;
    if base.serving.contains(&ServingMode::OnDemand) && base.tunable_in(region) {
        return Ok(model);
    }
    Err(ApiError::validation(format!(
        "A custom model of {} cannot be deployed for on-demand inference in {region}. Create a provisioned throughput \
         for it instead.",
        base.id
    )))
}

fn check_quotas(change: &Change<'_>, region: &str) -> Result<(), ApiError> {
    let mut all = change.all::<Deployment>()?;
    all.retain(|one| one.region == region);
    let creating = all.iter().filter(|one| one.status == DeploymentStatus::Creating).count();
    for (count, quota) in [(all.len(), DEPLOYMENTS), (creating, DEPLOYMENTS_IN_PROGRESS)] {
        quota.room_for_one_more(count)?;
    }
    Ok(())
}

/// Loads the weights that a deployment is to answer with, and says how that went.
fn bring_up(app: &Arc<App>, deployment: Deployment) {
    let app = app.clone();
    app.tasks().clone().spawn_blocking(move || {
        let model = deployment.updating().map_or(&deployment.model_id, |update| &update.model_id).clone();
        let loaded = app.models().load(app.home(), &Weights::Custom(model));
        let now = app.clock().millis();
        let result = loaded.map(|_| ()).map_err(|error| error.to_string());
        if let Err(error) = app.state().update::<Deployment, _>(&deployment.id, |one| one.loaded(result, now)) {
            tracing::error!(%error, "a deployment's state could not be written down");
        }
    });
}

/// Takes up deployments that an earlier process was creating or updating.
pub(crate) fn resume(app: &Arc<App>) -> Result<(), StateError> {
    for deployment in app.state().all::<Deployment>()? {
        if deployment.status == DeploymentStatus::Creating || deployment.updating().is_some() {
            bring_up(app, deployment);
        }
    }
    Ok(())
}

fn expect(change: &Change<'_>, call: &Call) -> Result<Deployment, ApiError> {
    change.find(&call.region, call.identifier())?.ok_or_else(|| {
        ApiError::not_found(format!("Could not find the custom model deployment {}.", call.identifier()))
    })
}

fn get(app: &Arc<App>, call: &Call) -> Answer {
    let deployment = app.state().change(|change| expect(change, call))?;
    Ok(mark_stand_in(json(StatusCode::OK, &deployment.details())?, deployment.stand_in.as_deref()))
}

fn list(app: &Arc<App>, call: &Call) -> Answer {
    let model = call.query("modelArnEquals");
    let mut checks = Checks::default();
    checks.optional("modelArnEquals", model, &constraints::CUSTOM_MODEL_ARN);
    checks.finish()?;
    let keep = |one: &Deployment| model.is_none_or(|wanted| one.model_arn == wanted);
    paging::answer(app, call, &DEPLOYMENT_LIST, keep, |one| one.view("customModelDeploymentName"))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateDeployment {
    model_arn: Option<String>,
}

fn update(app: &Arc<App>, call: &Call) -> Answer {
    let request: UpdateDeployment = call.json()?;
    let mut checks = Checks::default();
    let model_arn = checks.required("modelArn", request.model_arn.as_deref(), &constraints::CUSTOM_MODEL_ARN);
    checks.finish()?;
    let now = app.clock().millis();
    let deployment = app.state().change(|change| {
        let mut deployment = expect(change, call)?;
        if deployment.status != DeploymentStatus::Active || deployment.updating().is_some() {
            return Err(ApiError::validation(
                "Only an Active custom model deployment that is not being updated can be updated.",
            ));
        }
        let model = deployable(change, &call.region, model_arn)?;
        deployment.updated = now;
        deployment.update = Some(Update {
            model_arn: model.arn,
            model_id: model.id,
            stand_in: model.stand_in,
            status: UpdateStatus::Updating,
        });
        change.put(&deployment)?;
        Ok::<_, ApiError>(deployment)
    })?;
    let answer = json(StatusCode::ACCEPTED, &json!({ "customModelDeploymentArn": deployment.arn }));
    bring_up(app, deployment);
    answer
}

fn delete(app: &Arc<App>, call: &Call) -> Answer {
    app.state().change(|change| {
        let deployment = expect(change, call)?;
        change.delete::<Deployment>(&deployment.id)?;
        tags::detach(change, &deployment.arn)
    })?;
    Ok(Response::new(Body::empty()))
}
