//! Provisioned throughput: the other way to have a custom model answer, and the only one for most base models.
//!
//! | file | what is in it |
//! | --- | --- |
//! | here | the operations |
//! | `throughput` | one provisioned throughput: what it serves, its status by the clock, its commitment |
//!
//! A throughput is Creating, or Updating, until a fixed time has passed on the sandbox's clock; the first request that
//! looks at it after that loads the weights and writes down how that went. So no work goes on in the background and a
//! restart loses nothing. Deliberately absent: more answers at once for more model units, and any charge.

pub(crate) mod throughput;

use std::sync::Arc;

use http::{Method, Response, StatusCode};
use s3s::Body;
use serde::{Deserialize, Serialize};
use serde_json::json;
use whetstone_catalog::ServingMode;

use crate::app::App;
use crate::constraints::{self, Checks};
use crate::creation;
use crate::custom_models::CustomModel;
use crate::errors::{ApiError, ErrorKind};
use crate::limits::{COMMITTED_UNITS, UNCOMMITTED_THROUGHPUTS, UNITS_WITHOUT_COMMITMENT};
use crate::paging::{self, Listing};
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json, mark_stand_in};
use crate::state::{Change, StateError, Token};
use crate::tags::{self, Tag};
use crate::{foundation_models, ids, stand_in};
use throughput::{Commitment, Served, Status, Throughput};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreateProvisionedModelThroughput",
        method: Method::POST,
        path: "/provisioned-model-throughput",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(create),
    },
    Operation {
        name: "ListProvisionedModelThroughputs",
        method: Method::GET,
        path: "/provisioned-model-throughputs",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(list),
    },
    Operation {
        name: "GetProvisionedModelThroughput",
        method: Method::GET,
        path: "/provisioned-model-throughput/{provisionedModelId}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(get),
    },
    Operation {
        name: "UpdateProvisionedModelThroughput",
        method: Method::PATCH,
        path: "/provisioned-model-throughput/{provisionedModelId}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(update),
    },
    Operation {
        name: "DeleteProvisionedModelThroughput",
        method: Method::DELETE,
        path: "/provisioned-model-throughput/{provisionedModelId}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(delete),
    },
];

const THROUGHPUTS: Listing =
    Listing::new("provisionedModelSummaries", &["Creating", "InService", "Updating", "Failed"]);

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateThroughput {
    model_units: Option<i64>,
    provisioned_model_name: Option<String>,
    model_id: Option<String>,
    commitment_duration: Option<String>,
    tags: Option<Vec<Tag>>,
    #[serde(skip_serializing)]
    client_request_token: Option<String>,
}

impl CreateThroughput {
    fn check(&self) -> Result<(), ApiError> {
        let mut checks = Checks::default();
        match self.model_units {
            None => checks.missing("modelUnits"),
            Some(units) => checks.range("modelUnits", units as f64, 1.0, f64::from(i32::MAX)),
        }
        checks.required("provisionedModelName", self.provisioned_model_name.as_deref(), &constraints::THROUGHPUT_NAME);
        checks.required("modelId", self.model_id.as_deref(), &constraints::BASE_MODEL);
        checks.one_of("commitmentDuration", self.commitment_duration.as_deref(), &Commitment::ALL);
        checks.optional("clientRequestToken", self.client_request_token.as_deref(), &constraints::TOKEN);
        tags::check(&mut checks, "tags", self.tags.as_deref());
        checks.finish()
    }
}

fn create(app: &Arc<App>, call: &Call) -> Answer {
    let request: CreateThroughput = call.json()?;
    request.check()?;
    let token = request.client_request_token.as_ref();
    let token = Token::of("CreateProvisionedModelThroughput", &call.region, token, &request)?;
    let (id, now) = (ids::resource_id(), app.clock().millis());
    // The operation has no conflict among its errors, so names and tokens that are taken are invalid.
    let made = creation::once(app, token.as_ref(), ErrorKind::Validation, |change| {
        let served = servable(change, &call.region, request.model_id.as_deref().unwrap_or_default())?;
        let name = request.provisioned_model_name.as_deref().unwrap_or_default();
        check_name(change, &call.region, name)?;
        let units = request.model_units.and_then(|units| u32::try_from(units).ok()).unwrap_or(1);
        let commitment = request.commitment_duration.as_deref().and_then(Commitment::parse);
        check_quotas(change, units, commitment)?;
        let arn = app.scope(&call.region).provisioned_arn(&id);
        tags::attach(change, &call.region, &arn, request.tags.as_deref().unwrap_or_default())?;
        Ok(Throughput::new(id, arn, call.region.clone(), name.to_owned(), served, (units, commitment), now))
    })?;
    json(StatusCode::CREATED, &json!({ "provisionedModelArn": made.arn() }))
}

fn check_name(change: &Change<'_>, region: &str, name: &str) -> Result<(), ApiError> {
    if change.name_taken::<Throughput>(region, name)? {
        return Err(ApiError::validation(format!("The provided provisioned model name is already in use: {name}.")));
    }
    Ok(())
}

/// What a throughput of this model identifier serves: a custom model by ARN or name, or a base model.
fn servable(change: &Change<'_>, region: &str, id: &str) -> Result<Served, ApiError> {
    let (base, served) = match change.find::<CustomModel>(region, id)? {
        Some(model) => {
            let base = foundation_models::find(&model.base)
                .ok_or_else(|| ApiError::validation(format!("The base model {} is not known any more.", model.base)))?;
            (base, Served { arn: model.arn, base: model.base, custom: Some(model.id), stand_in: model.stand_in })
        }
        None if id.contains(":custom-model/") => {
            return Err(ApiError::not_found(format!("Could not find the custom model {id}.")));
        }
        None => {
            let base = foundation_models::find(id)
                .ok_or_else(|| ApiError::validation("The provided model identifier is invalid."))?;
            let stand_in = stand_in::marker(base).map(str::to_owned);
            (base, Served { arn: base.arn(region), base: base.id.clone(), custom: None, stand_in })
        }
    };
    if base.serving.contains(&ServingMode::Provisioned) && base.tunable_in(region) {
        return Ok(served);
    }
    Err(ApiError::validation(format!("Provisioned throughput is not available for {} in {region}.", base.id)))
}

/// The quotas count for the account, in every Region together.
fn check_quotas(change: &Change<'_>, units: u32, commitment: Option<Commitment>) -> Result<(), ApiError> {
    let all = change.all::<Throughput>()?;
    if commitment.is_none() {
        UNCOMMITTED_THROUGHPUTS.room_for_one_more(all.iter().filter(|one| !one.is_committed()).count())?;
        return UNITS_WITHOUT_COMMITMENT.room_for_one_more(units as usize - 1);
    }
    let taken: usize = all.iter().filter(|one| one.is_committed()).map(|one| one.units as usize).sum();
    COMMITTED_UNITS.room_for_one_more(taken + units as usize - 1)
}

/// Brings every throughput whose time has come to its next status.
pub(crate) fn settle(app: &App) -> Result<(), ApiError> {
    let now = app.clock().millis();
    for due in app.state().all::<Throughput>()?.iter().filter(|one| one.is_due(now)) {
        let loaded = app.models().load(app.home(), &due.next().weights());
        let result = loaded.map(|_| ()).map_err(|error| error.to_string());
        app.state().update::<Throughput, _>(&due.id, |one| one.settled(result, now))?;
    }
    Ok(())
}

/// Whether a throughput answers with this custom model, or is about to.
pub(crate) fn serves(change: &Change<'_>, model_arn: &str) -> Result<bool, StateError> {
    Ok(change.all::<Throughput>()?.iter().any(|one| one.uses(model_arn)))
}

fn expect(change: &Change<'_>, call: &Call) -> Result<Throughput, ApiError> {
    change.find(&call.region, call.identifier())?.ok_or_else(|| {
        ApiError::not_found(format!("Could not find the provisioned model throughput {}.", call.identifier()))
    })
}

fn get(app: &Arc<App>, call: &Call) -> Answer {
    settle(app)?;
    let found = app.state().change(|change| expect(change, call))?;
    Ok(mark_stand_in(json(StatusCode::OK, &found.details())?, found.stand_in()))
}

fn list(app: &Arc<App>, call: &Call) -> Answer {
    settle(app)?;
    let model = call.query("modelArnEquals");
    let mut checks = Checks::default();
    checks.optional("modelArnEquals", model, &constraints::SERVED_MODEL_ARN);
    checks.finish()?;
    let keep = |one: &Throughput| model.is_none_or(|wanted| one.model_arn() == wanted);
    paging::answer(app, call, &THROUGHPUTS, keep, Throughput::view)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateThroughput {
    desired_provisioned_model_name: Option<String>,
    desired_model_id: Option<String>,
}

fn update(app: &Arc<App>, call: &Call) -> Answer {
    let request: UpdateThroughput = call.json()?;
    let (name, model) = (request.desired_provisioned_model_name.as_deref(), request.desired_model_id.as_deref());
    let mut checks = Checks::default();
    checks.optional("desiredProvisionedModelName", name, &constraints::THROUGHPUT_NAME);
    checks.optional("desiredModelId", model, &constraints::BASE_MODEL);
    checks.finish()?;
    settle(app)?;
    let now = app.clock().millis();
    app.state().change(|change| {
        let mut found = expect(change, call)?;
        if found.status != Status::InService {
            return Err(ApiError::validation(format!(
                "Only a provisioned model throughput that is InService can be updated; this one is {}.",
                found.status.as_str()
            )));
        }
        if let Some(name) = name.filter(|name| *name != found.name) {
            check_name(change, &call.region, name)?;
            found.rename(name, now);
        }
        if let Some(model) = model {
            let served = servable(change, &call.region, model)?;
            found.turn_to(served, now).map_err(ApiError::validation)?;
        }
        change.put(&found)?;
        Ok::<_, ApiError>(())
    })?;
    json(StatusCode::OK, &json!({}))
}

fn delete(app: &Arc<App>, call: &Call) -> Answer {
    settle(app)?;
    let now = app.clock().millis();
    app.state().change(|change| {
        let found = expect(change, call)?;
        if let Some(until) = found.committed_until(now) {
            return Err(ApiError::conflict(format!(
                "The provisioned model throughput {} cannot be deleted before its commitment ends at {until}.",
                found.name
            )));
        }
        change.delete::<Throughput>(&found.id)?;
        tags::detach(change, &found.arn)
    })?;
    Ok(Response::new(Body::empty()))
}
