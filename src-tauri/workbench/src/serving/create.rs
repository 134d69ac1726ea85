//! Deployments and provisioned throughput: created once, and turned to another model.
//!
//! The token of a create call is on disk before the call, under what is wanted; whatever breaks after that, the same wish
//! sends the same token again and gets the same thing. It is forgotten when the answer is there and the end time is set.

use serde::{Deserialize, Serialize};
use whetstone_cloud::NewProvisioned;
use whetstone_contract::{AppError, Commitment, EndTimeRequest, ErrorCode, ServeRequest, ServingWay, TurnRequest};

use crate::Workbench;
use crate::connections::Link;
use crate::errors::{from_cloud, from_store};
use crate::names::{check_model_name, random_id};

const PENDING: &str = "creation";

/// A create call whose answer is not known to have arrived.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pending {
    token: String,
    connection: String,
    name: String,
    ends_at: Option<i64>,
}

impl Workbench {
    pub(crate) async fn create_serving(&self, request: ServeRequest) -> Result<String, AppError> {
        if let Some(problem) = check_model_name("name", &request.name) {
            return Err(AppError::new(ErrorCode::InvalidInput, problem.message)
                .hint(problem.suggestion.map_or_else(String::new, |name| format!("For example {name}."))));
        }
        if request.ends_at.is_some_and(|at| at <= self.host.now_ms()) {
            return Err(AppError::new(ErrorCode::InvalidInput, "This end is over.").hint("Choose a later one."));
        }
        let link = self.link_for_long_work(&self.connections.shown().id).await?;
        let (key, pending) = self.pending(&link, &request)?;
        let made = match request.way {
            ServingWay::OnDemand => link.cloud.deploy(&request.name, &request.model, &pending.token).await,
            ServingWay::Provisioned => {
                let wanted = NewProvisioned {
                    name: request.name.clone(),
                    model_arn: request.model.clone(),
                    units: request.units.max(1),
                    commitment: request.commitment.map(spelled),
                    client_token: pending.token,
                };
                link.cloud.provision(wanted).await
            }
        };
        let arn = made.map_err(|error| from_cloud(&error))?;
        if let (ServingWay::Provisioned, Some(at)) = (request.way, request.ends_at) {
            self.set_end(EndTimeRequest { arn: arn.clone(), ends_at: Some(at) }).await?;
        }
        self.store.delete_document(PENDING, &key).map_err(|error| from_store(&error))?;
        self.models_changed();
        Ok(arn)
    }

    /// The token for this wish: the one that was written down for it before, or a new one, on disk when this returns.
    fn pending(&self, link: &Link, request: &ServeRequest) -> Result<(String, Pending), AppError> {
        let what = (&link.connection, request.way, &request.model, &request.name, request.units, request.commitment);
        let key = serde_json::to_string(&what).map_err(|error| from_store(&error.into()))?;
        if let Some(before) = self.store.document::<Pending>(PENDING, &key).map_err(|error| from_store(&error))? {
            return Ok((key, before));
        }
        let pending = Pending {
            token: format!("whetstone-{}", random_id()),
            connection: link.connection.clone(),
            name: request.name.clone(),
            ends_at: request.ends_at,
        };
        let saved = self.store.save_document(PENDING, &key, self.host.now_ms(), &pending);
        saved.map_err(|error| from_store(&error))?;
        Ok((key, pending))
    }

    /// A throughput whose answer was lost, by a crash, still gets the end that was wished for it.
    pub(crate) async fn end_what_was_created(&self, connection: &str) -> Result<(), AppError> {
        let all: Vec<Pending> = self.store.documents(PENDING).map_err(|error| from_store(&error))?;
        let mine: Vec<Pending> = all.into_iter().filter(|one| one.connection == connection).collect();
        if mine.iter().all(|one| one.ends_at.is_none()) {
            return Ok(());
        }
        let link = self.connections.link_of(connection).await?;
        let found = link.cloud.provisioned().await.map_err(|error| from_cloud(&error))?;
        for one in mine {
            let made = found.iter().find(|made| made.name == one.name);
            if let (Some(made), Some(at)) = (made, one.ends_at)
                && self.end_times.of(&made.arn).is_none()
            {
                self.end_times.begin(&made.arn, &one.name, at, connection)?;
            }
        }
        Ok(())
    }

    pub(crate) async fn turn_to_model(&self, request: TurnRequest) -> Result<(), AppError> {
        let link = self.connections.link().await?;
        let turned = if is_provisioned(&request.served) {
            link.cloud.turn_provisioned(&request.served, &request.model).await
        } else {
            link.cloud.turn_deployment(&request.served, &request.model).await
        };
        turned.map_err(|error| from_cloud(&error))?;
        self.models_changed();
        Ok(())
    }
}

/// What kind of thing an ARN names is part of the ARN.
pub fn is_provisioned(arn: &str) -> bool {
    arn.contains(":provisioned-model/")
}

fn spelled(commitment: Commitment) -> String {
    match commitment {
        Commitment::OneMonth => "OneMonth".into(),
        Commitment::SixMonths => "SixMonths".into(),
    }
}
