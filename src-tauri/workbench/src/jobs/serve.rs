//! The on-demand deployment of the model that a job made. Created once, by the same rule as the job.

use std::time::Duration;

use whetstone_catalog::ServingMode;
use whetstone_cloud::DeploymentStatus as Remote;
use whetstone_contract::{AppError, DeploymentStatus, ErrorCode, JobDetail, JobStatus};

use super::record::DeploymentRecord;
use crate::Workbench;
use crate::errors::{from_cloud, passes_by_itself, wants_sign_in};
use crate::models;

const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Workbench {
    pub(crate) async fn serve(&self, id: &str) -> Result<JobDetail, AppError> {
        let job = self.jobs.get(id)?;
        if job.status != JobStatus::Completed || job.output_model_arn.is_none() {
            return Err(AppError::new(ErrorCode::Refused, "Only a completed job has a model to deploy."));
        }
        let model = models::find(&job.draft.base_model)?;
        if !model.serving.contains(&ServingMode::OnDemand) {
            let words = format!("Tuned copies of {} are served by provisioned throughput only.", model.name);
            return Err(AppError::new(ErrorCode::Refused, words)
                .hint("Serve it on the Models screen; the price an hour is said there before anything is created."));
        }
        let over = |deployment: &DeploymentRecord| {
            matches!(deployment.status, DeploymentStatus::Failed | DeploymentStatus::Deleted)
        };
        if job.deployment.as_ref().is_none_or(over) {
            let attempt = job.deployment.as_ref().map_or(1, |previous| previous.attempt + 1);
            self.update_job(id, |job| {
                let suffix = if attempt == 1 { String::new() } else { format!("-{attempt}") };
                job.deployment = Some(DeploymentRecord {
                    name: format!("{}{suffix}", job.draft.model_name),
                    client_token: format!("whetstone-{}-deployment-{attempt}", job.id),
                    attempt,
                    arn: None,
                    status: DeploymentStatus::Creating,
                    failure: None,
                });
            })?;
            self.take_up_deployment(id.to_owned());
        }
        self.job_detail(id).await
    }

    pub(crate) fn take_up_deployment(&self, id: String) {
        let Some(workbench) = self.me.upgrade() else { return };
        let Some(carrying) = self.jobs.carry(format!("deployment {id}")) else { return };
        tokio::spawn(async move {
            let _carrying = carrying;
            let Err(error) = workbench.deploy_until_settled(&id).await else { return };
            let written = workbench.update_job(&id, |job| {
                if let Some(deployment) = &mut job.deployment {
                    deployment.status = DeploymentStatus::Failed;
                    deployment.failure = Some(error.to_string());
                }
            });
            if let Err(error) = written {
                tracing::error!(%error, job = id, "a failed deployment could not be written down");
            }
        });
    }

    async fn deploy_until_settled(&self, id: &str) -> Result<(), AppError> {
        let mut pause = PAUSE;
        loop {
            let job = self.jobs.get(id)?;
            let (Some(deployment), Some(model)) = (&job.deployment, &job.output_model_arn) else { return Ok(()) };
            if deployment.is_settled() {
                return Ok(());
            }
            // Asked for each time: the person may have signed in again since.
            let Ok(link) = self.link_of_job(&job).await else {
                tokio::time::sleep(LONGEST_PAUSE).await;
                continue;
            };
            let cloud = &link.cloud;
            let step = match &deployment.arn {
                None => cloud.deploy(&deployment.name, model, &deployment.client_token).await.map(Step::Created),
                Some(arn) => cloud.deployment(arn).await.map(Step::Seen),
            };
            match step {
                Ok(step) => {
                    self.update_job(id, |job| job.deployment.iter_mut().for_each(|deployment| step.apply(deployment)))?;
                }
                Err(error) if wants_sign_in(&error) => self.connections.session_over(&link, from_cloud(&error)),
                Err(error) if passes_by_itself(&error) => {}
                Err(error) => return Err(from_cloud(&error)),
            }
            tokio::time::sleep(pause).await;
            pause = pause.mul_f64(1.2).min(LONGEST_PAUSE);
        }
    }
}

enum Step {
    Created(String),
    Seen(whetstone_cloud::Deployment),
}

impl Step {
    fn apply(&self, deployment: &mut DeploymentRecord) {
        match self {
            Self::Created(arn) => deployment.arn = Some(arn.clone()),
            Self::Seen(seen) => {
                deployment.status = match seen.status {
                    Remote::Active => DeploymentStatus::Active,
                    Remote::Failed => DeploymentStatus::Failed,
                    Remote::Creating | Remote::Other(_) => DeploymentStatus::Creating,
                };
                deployment.failure.clone_from(&seen.failure_message);
            }
        }
    }
}
