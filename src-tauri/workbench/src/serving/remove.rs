//! Deletions, in the order that works: what answers for a model first, then the model.

use std::time::Duration;

use whetstone_cloud::{CloudError, CloudErrorCode};
use whetstone_contract::{ActivityId, AppError, DeploymentStatus, ErrorCode, Removal, RemovalStep};

use super::create::is_provisioned;
use super::list::{Found, find_all};
use crate::Workbench;
use crate::connections::Link;
use crate::costs::millis;
use crate::errors::from_cloud;

/// What is being made cannot be deleted; it is tried again after this, and given up after so many times.
const AGAIN: Duration = Duration::from_secs(2);
const MOST_TIMES: u32 = 60;

impl Workbench {
    /// Deletes a deployment or provisioned throughput. Its end time goes with it, and a job that showed it says so.
    pub(crate) async fn end_serving(&self, arn: &str) -> Result<(), AppError> {
        let link = self.connections.link().await?;
        self.end_served(&link, arn).await.map_err(|error| from_cloud(&error))?;
        self.models_changed();
        Ok(())
    }

    async fn end_served(&self, link: &Link, arn: &str) -> Result<(), CloudError> {
        let deleted = if is_provisioned(arn) {
            link.cloud.delete_provisioned(arn).await
        } else {
            link.cloud.delete_deployment(arn).await
        };
        match deleted {
            Err(error) if error.code == CloudErrorCode::NotFound => {}
            other => other?,
        }
        if let Err(error) = self.end_times.forget(arn) {
            tracing::warn!(%error, "an end time could not be removed");
        }
        self.deployment_is_gone(arn);
        Ok(())
    }

    fn deployment_is_gone(&self, arn: &str) {
        let jobs = self.jobs.all().unwrap_or_default();
        let shown =
            |job: &crate::jobs::JobRecord| job.deployment.as_ref().is_some_and(|one| one.arn.as_deref() == Some(arn));
        for job in jobs.iter().filter(|job| shown(job)) {
            let written = self.update_job(&job.id, |job| {
                job.deployment.iter_mut().for_each(|one| one.status = DeploymentStatus::Deleted);
            });
            if let Err(error) = written {
                tracing::warn!(%error, job = job.id, "a deleted deployment could not be written down");
            }
        }
    }

    pub(crate) async fn plan_removal(&self, arn: &str) -> Result<Removal, AppError> {
        let link = self.connections.link().await?;
        removal(&find_all(&link).await?, arn, self.host.now_ms())
    }

    pub(crate) async fn begin_removal(&self, arn: String) -> Result<ActivityId, AppError> {
        let link = self.connections.link().await?;
        let plan = removal(&find_all(&link).await?, &arn, self.host.now_ms())?;
        if let Some(refused) = plan.refused {
            return Err(AppError::new(ErrorCode::Refused, refused));
        }
        let name = plan.steps.last().map(|step| step.name.clone()).unwrap_or_default();
        let mut activity = self.activities.start(format!("Delete {name}"), "Begins", false);
        let id = activity.id();
        let Some(workbench) = self.me.upgrade() else { return Err(AppError::new(ErrorCode::Cancelled, "Closing.")) };
        tokio::spawn(async move {
            let mut result = Ok(());
            for step in &plan.steps {
                activity.progress(&format!("{} {}", step.what, step.name), None);
                if let Err(error) = workbench.delete_step(&link, step).await {
                    result = Err(from_cloud(&error));
                    break;
                }
            }
            activity.end(&result);
            workbench.models_changed();
        });
        Ok(ActivityId { activity: id })
    }

    async fn delete_step(&self, link: &Link, step: &RemovalStep) -> Result<(), CloudError> {
        let mut tried = 0;
        loop {
            let done = match step.arn.as_str() {
                arn if arn.contains(":custom-model/") => link.cloud.delete_custom_model(arn).await,
                arn if arn.contains(":imported-model/") => link.cloud.delete_imported_model(arn).await,
                arn => self.end_served(link, arn).await,
            };
            tried += 1;
            match done {
                Err(error) if error.code == CloudErrorCode::NotFound => return Ok(()),
                // What is deleted is gone a moment later, and what is being made can be deleted when it is there.
                Err(error) if error.code == CloudErrorCode::Conflict && tried < MOST_TIMES => {
                    tokio::time::sleep(AGAIN).await;
                }
                other => return other,
            }
        }
    }
}

fn removal(found: &Found, arn: &str, now: i64) -> Result<Removal, AppError> {
    if let Some(model) = found.imported.iter().find(|model| model.arn == arn) {
        let step = RemovalStep {
            arn: arn.to_owned(),
            name: model.name.clone(),
            what: "Imported model".into(),
            consequence: "Programs that ask this ARN are refused from then on.".into(),
        };
        return Ok(Removal { steps: vec![step], refused: None });
    }
    let Some(model) = found.custom.iter().find(|model| model.arn == arn) else {
        return Err(AppError::new(ErrorCode::NotFound, "This model is not there (any more).").hint("Look again."));
    };
    let step = |arn: &str, name: &str, what: &str, consequence: &str| RemovalStep {
        arn: arn.to_owned(),
        name: name.to_owned(),
        what: what.to_owned(),
        consequence: consequence.to_owned(),
    };
    let mut steps = Vec::new();
    for one in found.deployments.iter().filter(|one| one.model_arn == arn || one.turning_to.as_deref() == Some(arn)) {
        steps.push(step(&one.arn, &one.name, "Deployment", "Programs that ask this ARN are refused from then on."));
    }
    let mut refused = None;
    for one in found.provisioned.iter().filter(|one| one.model_arn == arn || one.desired_model_arn == arn) {
        let said = "Programs that ask this ARN are refused from then on, and its hours are billed no more.";
        steps.push(step(&one.arn, &one.name, "Provisioned throughput", said));
        if one.commitment_ends.and_then(millis).is_some_and(|until| until > now) {
            let words = "is committed and cannot be deleted before its term ends; until then the model stays, too.";
            refused = Some(format!("The provisioned throughput {} {words}", one.name));
        }
    }
    let said = "Its weights are gone for good, and its storage is billed no more. The job and the dataset stay.";
    steps.push(step(arn, &model.name, "Custom model", said));
    Ok(Removal { steps, refused })
}
