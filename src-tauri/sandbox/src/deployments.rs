//! Custom model deployments: what makes a custom model answer. Create, get, list and delete.
//!
//! Creating one loads the weights once, so that a model that cannot answer is a failed deployment and not a surprise
//! at the first prompt. Deliberately absent in this storey: UpdateCustomModelDeployment.

use std::sync::Arc;

use http::{Method, Response, StatusCode};
use s3s::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::iso8601;
use crate::constraints::{self, Checks};
use crate::custom_models::CustomModel;
use crate::errors::ApiError;
use crate::ids;
use crate::paging::{self, Listed, TimeFilters};
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json, mark_stand_in};
use crate::runtime::models::Weights;
use crate::state::{Earlier, Resource, StateError, Token};
use crate::tags::{self, Tag};

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
    created: i64,
    updated: i64,
}

impl Deployment {
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
}

impl Resource for Deployment {
    const KIND: &'static str = "custom-model-deployment";
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

impl Listed for Deployment {
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
    let request: CreateDeployment = call.json()?;
    request.check()?;
    let token = request.client_request_token.as_ref();
    let token = Token::of("CreateCustomModelDeployment", &call.region, token, &request)?;
    let (id, now) = (ids::resource_id(), app.clock().millis());
    let made = app.state().change(|change| {
        if let Some(token) = &token {
            match change.earlier(token)? {
                Earlier::None => {}
                Earlier::Same(arn) => return Ok((arn, None)),
                // The operation has no conflict among its errors.
                Earlier::Different => {
                    return Err(ApiError::validation(
                        "The provided clientRequestToken was used for a request with other parameters.",
                    ));
                }
            }
        }
        let model_arn = request.model_arn.clone().unwrap_or_default();
        let model = change
            .get::<CustomModel>(ids::last_segment(&model_arn))?
            .filter(|model| model.arn == model_arn && Resource::region(model) == call.region)
            .ok_or_else(|| ApiError::not_found(format!("Could not find the custom model {model_arn}.")))?;
        let name = request.model_deployment_name.clone().unwrap_or_default();
        if change.name_taken::<Deployment>(&call.region, &name)? {
            return Err(ApiError::validation(format!("The provided model deployment name is already in use: {name}.")));
        }
        let deployment = Deployment {
            arn: app.scope(&call.region).deployment_arn(&id),
            id: id.clone(),
            region: call.region.clone(),
            name,
            model_arn,
            model_id: model.id,
            description: request.description.clone(),
            stand_in: model.stand_in,
            status: DeploymentStatus::Creating,
            failure: None,
            created: now,
            updated: now,
        };
        change.insert(&deployment)?;
        tags::attach(change, &deployment.region, &deployment.arn, request.tags.as_deref().unwrap_or_default())?;
        if let Some(token) = &token {
            change.remember(token, &deployment.arn)?;
        }
        Ok((deployment.arn.clone(), Some(deployment)))
    })?;
    let (arn, deployment) = made;
    if let Some(deployment) = deployment {
        bring_up(app, deployment);
    }
    json(StatusCode::ACCEPTED, &json!({ "customModelDeploymentArn": arn }))
}

/// Loads the weights and says how that went.
fn bring_up(app: &Arc<App>, deployment: Deployment) {
    let app = app.clone();
    app.tasks().clone().spawn_blocking(move || {
        let loaded = app.models().load(app.home(), &Weights::Custom(deployment.model_id));
        let now = app.clock().millis();
        let changed = app.state().update::<Deployment, _>(&deployment.id, |deployment| {
            deployment.updated = now;
            match loaded {
                Ok(_) => deployment.status = DeploymentStatus::Active,
                Err(error) => {
                    deployment.status = DeploymentStatus::Failed;
                    deployment.failure = Some(error.to_string());
                }
            }
        });
        if let Err(error) = changed {
            tracing::error!(%error, "a deployment's state could not be written down");
        }
    });
}

/// Takes up deployments that an earlier process was creating.
pub(crate) fn resume(app: &Arc<App>) -> Result<(), StateError> {
    for deployment in app.state().all::<Deployment>()? {
        if deployment.status == DeploymentStatus::Creating {
            bring_up(app, deployment);
        }
    }
    Ok(())
}

/// A deployment by ARN or by name.
fn find(app: &App, call: &Call) -> Result<Deployment, ApiError> {
    let identifier = call.identifier();
    let found = if identifier.starts_with("arn:") {
        app.state().get::<Deployment>(ids::last_segment(identifier))?.filter(|one| one.arn == identifier)
    } else {
        app.state().named::<Deployment>(&call.region, identifier)?
    };
    found
        .filter(|one| one.region == call.region)
        .ok_or_else(|| ApiError::not_found(format!("Could not find the custom model deployment {identifier}.")))
}

fn get(app: &Arc<App>, call: &Call) -> Answer {
    let deployment = find(app, call)?;
    let mut view = deployment.view("modelDeploymentName");
    if let Some(description) = &deployment.description {
        view["description"] = json!(description);
    }
    Ok(mark_stand_in(json(StatusCode::OK, &view)?, deployment.stand_in.as_deref()))
}

fn list(app: &Arc<App>, call: &Call) -> Answer {
    let mut checks = Checks::default();
    let status = call.query("statusEquals");
    checks.one_of("statusEquals", status, &["Creating", "Active", "Failed"]);
    checks.finish()?;
    let model = call.query("modelArnEquals");
    let keep = |one: &Deployment| {
        status.is_none_or(|wanted| one.status.as_str() == wanted) && model.is_none_or(|wanted| one.model_arn == wanted)
    };
    let times = TimeFilters { after: "createdAfter", before: "createdBefore" };
    let (deployments, next) = paging::page(call, &times, app.state().all::<Deployment>()?, keep)?;
    let summaries: Vec<Value> = deployments.iter().map(|one| one.view("customModelDeploymentName")).collect();
    let mut answer = json!({ "modelDeploymentSummaries": summaries });
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    json(StatusCode::OK, &answer)
}

fn delete(app: &Arc<App>, call: &Call) -> Answer {
    let deployment = find(app, call)?;
    app.state().change(|change| {
        change.delete::<Deployment>(&deployment.id)?;
        tags::detach(change, &deployment.arn)
    })?;
    Ok(Response::new(Body::empty()))
}
