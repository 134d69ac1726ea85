//! Imported models: get, list and delete. Their files are in `imported/ID` of the folder, as they came.

use std::sync::Arc;

use http::{Method, Response, StatusCode};
use s3s::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::job::{ImportJob, source};
use crate::app::App;
use crate::clock::iso8601;
use crate::errors::ApiError;
use crate::paging::{self, Listed, Listing};
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json};
use crate::runtime::models::Weights;
use crate::state::Resource;
use crate::tags;

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "ListImportedModels",
        method: Method::GET,
        path: "/imported-models",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(list),
    },
    Operation {
        name: "GetImportedModel",
        method: Method::GET,
        path: "/imported-models/{modelIdentifier}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(get),
    },
    Operation {
        name: "DeleteImportedModel",
        method: Method::DELETE,
        path: "/imported-models/{modelIdentifier}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(delete),
    },
];

const MODELS: Listing = Listing { status: None, ..Listing::new("modelSummaries", &[]) };

/// The one architecture that is imported here, as its `config.json` names it.
const ARCHITECTURE: &str = "llama";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ImportedModel {
    pub(crate) id: String,
    pub(crate) arn: String,
    region: String,
    name: String,
    job_name: String,
    job_arn: String,
    uri: String,
    kms_key: Option<String>,
    /// It came with a way to lay out turns, so Converse works.
    instruct: bool,
    created: i64,
}

impl ImportedModel {
    /// What a job leaves behind.
    pub(super) fn of(job: &ImportJob, instruct: bool, created: i64) -> Self {
        Self {
            id: job.model_id.clone(),
            arn: job.model_arn.clone(),
            region: job.region.clone(),
            name: job.model_name.clone(),
            job_name: job.name.clone(),
            job_arn: job.arn.clone(),
            uri: job.uri.clone(),
            kms_key: job.kms_key.clone(),
            instruct,
            created,
        }
    }

    fn view(&self) -> Value {
        let mut view = self.summary();
        view["jobName"] = json!(self.job_name);
        view["jobArn"] = json!(self.job_arn);
        view["modelDataSource"] = source(&self.uri);
        if let Some(key) = self.kms_key.as_ref().filter(|key| key.contains(":key/")) {
            view["modelKmsKeyArn"] = json!(key);
        }
        view
    }

    fn summary(&self) -> Value {
        json!({
            "modelArn": self.arn,
            "modelName": self.name,
            "creationTime": iso8601(self.created),
            "instructSupported": self.instruct,
            "modelArchitecture": ARCHITECTURE,
        })
    }
}

impl Resource for ImportedModel {
    const KIND: &'static str = "imported-model";
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

impl Listed for ImportedModel {
    fn created(&self) -> i64 {
        self.created
    }
    /// A model is there once its job is completed; the operation has no filter for it.
    fn status(&self) -> &'static str {
        "Active"
    }
}

fn expect(app: &App, call: &Call) -> Result<ImportedModel, ApiError> {
    app.state()
        .find(&call.region, call.identifier())?
        .ok_or_else(|| ApiError::not_found(format!("Could not find the imported model {}.", call.identifier())))
}

fn get(app: &Arc<App>, call: &Call) -> Answer {
    json(StatusCode::OK, &expect(app, call)?.view())
}

fn list(app: &Arc<App>, call: &Call) -> Answer {
    paging::answer(app, call, &MODELS, |_: &ImportedModel| true, ImportedModel::summary)
}

fn delete(app: &Arc<App>, call: &Call) -> Answer {
    let model = expect(app, call)?;
    app.state().change(|change| {
        change.delete::<ImportedModel>(&model.id)?;
        tags::detach(change, &model.arn)
    })?;
    app.models().forget(&Weights::Imported(model.id.clone()));
    // The record is gone, so a folder that stays behind is only space, and the next start removes it.
    if let Err(error) = std::fs::remove_dir_all(app.home().imported(&model.id)) {
        tracing::warn!(%error, model = model.id, "the files of a deleted imported model could not be removed");
    }
    Ok(Response::new(Body::empty()))
}
