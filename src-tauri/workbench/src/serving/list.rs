//! Models with their lineage and what answers for them, from the endpoint's own lists.

use std::collections::HashMap;

use whetstone_catalog::{BaseModel, PriceItem};
use whetstone_cloud::{CustomModelSummary, Deployment, ImportedModel, Provisioned, ProvisionedStatus};
use whetstone_contract::{AppError, Lineage, OwnKind, OwnModel, RunningCost, ServedBy, ServingWay};

use super::ASKED;
use crate::Workbench;
use crate::connections::Link;
use crate::costs::{base_of, millis};
use crate::errors::from_cloud;
use crate::jobs::JobRecord;
use crate::models::show_price;

/// What the endpoint has, as it was a moment ago.
pub struct Found {
    pub custom: Vec<CustomModelSummary>,
    pub imported: Vec<ImportedModel>,
    pub deployments: Vec<Deployment>,
    pub provisioned: Vec<Provisioned>,
}

/// Asks for all four lists at once.
pub async fn find_all(link: &Link) -> Result<Found, AppError> {
    let cloud = &link.cloud;
    let lists =
        tokio::try_join!(cloud.custom_models(), cloud.imported_models(), cloud.deployments(), cloud.provisioned());
    let (custom, imported, deployments, provisioned) = lists.map_err(|error| from_cloud(&error))?;
    Ok(Found { custom, imported, deployments, provisioned })
}

impl Workbench {
    pub(crate) async fn list_own_models(&self) -> Result<Vec<OwnModel>, AppError> {
        let link = self.connections.link().await?;
        let found = find_all(&link).await?;
        let jobs = self.jobs.all()?;
        let mut models = Vec::with_capacity(found.custom.len() + found.imported.len());
        for model in &found.custom {
            let base = base_of(&model.base_model_arn);
            let job = jobs.iter().find(|job| job.output_model_arn.as_deref() == Some(&model.arn));
            let storage = self.rate(&link, base, PriceItem::Storage, |_| true).await;
            models.push(OwnModel {
                arn: model.arn.clone(),
                name: model.name.clone(),
                kind: OwnKind::Custom,
                base_model: base.map(|base| base.id.clone()),
                base_model_name: base.map_or_else(|| named(&model.base_model_name), |base| Some(base.name.clone())),
                architecture: None,
                status: model.status.as_ref().map_or("Active", |status| status.as_str()).to_owned(),
                created_at: model.created.and_then(millis),
                stand_in: link.on_this_computer && base.is_some_and(|base| !base.local),
                local: link.on_this_computer,
                lineage: match job {
                    Some(job) => Some(self.lineage(job).await),
                    None => None,
                },
                served_by: self.served_by(&link, &found, &model.arn).await,
                storage: storage.as_ref().map(show_price),
            });
        }
        models.extend(found.imported.iter().map(|model| imported(model, &link)));
        models.sort_by_key(|model| std::cmp::Reverse(model.created_at));
        let unsettled =
            |one: &ServedBy| matches!(one.status.as_str(), "Creating" | "Updating") || one.turning_to.is_some();
        if models.iter().any(|model| model.status == "Creating" || model.served_by.iter().any(unsettled)) {
            self.look_again_later();
        }
        Ok(models)
    }

    async fn lineage(&self, job: &JobRecord) -> Lineage {
        let there = !job.draft.dataset.is_empty() && self.datasets.summary(job.draft.dataset.clone()).await.is_ok();
        Lineage {
            job: job.id.clone(),
            job_name: job.draft.job_name.clone(),
            dataset: there.then(|| job.draft.dataset.clone()),
            dataset_name: job.dataset_name.clone(),
            records: job.training_records,
            training_uri: job.training_uri(),
        }
    }

    /// What answers for a model, or is being turned to it.
    async fn served_by(&self, link: &Link, found: &Found, arn: &str) -> Vec<ServedBy> {
        let mut all = Vec::new();
        for one in found.deployments.iter().filter(|one| one.model_arn == arn) {
            // The list does not tell of a change that is under way.
            let one = link.cloud.deployment(&one.arn).await.unwrap_or_else(|_| one.clone());
            all.push(self.deployed(one));
        }
        for one in found.provisioned.iter().filter(|one| one.model_arn == arn) {
            all.push(self.by_the_hour(link, one.clone()).await);
        }
        all
    }

    fn deployed(&self, one: Deployment) -> ServedBy {
        ServedBy {
            asked_at: self.asked_at(&one.arn),
            arn: one.arn,
            name: one.name,
            way: ServingWay::OnDemand,
            status: one.status.as_str().to_owned(),
            failure: one.failure_message,
            created_at: one.created.and_then(millis),
            turning_to: one.turning_to,
            units: 0,
            committed_until: None,
            rate: None,
            hourly_usd: None,
            ends_at: None,
            end_problem: None,
        }
    }

    async fn by_the_hour(&self, link: &Link, one: Provisioned) -> ServedBy {
        let failure = match one.status {
            ProvisionedStatus::Failed => link.cloud.provisioned_failure(&one.arn).await.ok().flatten(),
            _ => None,
        };
        let turning_to = (one.desired_model_arn != one.model_arn).then(|| one.desired_model_arn.clone());
        // One meter for the whole app: what Home shows is what stands here.
        let cost: RunningCost = self.provisioned_cost(link, one, self.host.now_ms()).await;
        ServedBy {
            asked_at: self.asked_at(&cost.arn),
            arn: cost.arn,
            name: cost.name,
            way: ServingWay::Provisioned,
            status: cost.status,
            failure,
            created_at: cost.since,
            turning_to,
            units: cost.units,
            committed_until: cost.committed_until,
            rate: cost.rate,
            hourly_usd: cost.hourly_usd,
            ends_at: cost.ends_at,
            end_problem: cost.end_problem,
        }
    }

    fn asked_at(&self, arn: &str) -> Option<i64> {
        self.store.document(ASKED, arn).ok().flatten()
    }
}

fn named(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

fn imported(model: &ImportedModel, link: &Link) -> OwnModel {
    OwnModel {
        arn: model.arn.clone(),
        name: model.name.clone(),
        kind: OwnKind::Imported,
        base_model: None,
        base_model_name: None,
        architecture: model.architecture.clone(),
        status: "Active".into(),
        created_at: model.created.and_then(millis),
        stand_in: false,
        local: link.on_this_computer,
        lineage: None,
        served_by: Vec::new(),
        storage: None,
    }
}

/// Where each job's model came to, by its ARN.
pub fn jobs_by_model(jobs: &[JobRecord]) -> HashMap<&str, &JobRecord> {
    jobs.iter().filter_map(|job| Some((job.output_model_arn.as_deref()?, job))).collect()
}

/// The catalog's entry of a custom model's base.
pub fn base_of_model(found: &Found, arn: &str) -> Option<&'static BaseModel> {
    found.custom.iter().find(|model| model.arn == arn).and_then(|model| base_of(&model.base_model_arn))
}
