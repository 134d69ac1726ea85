//! A custom model once more, in another Region. The request goes to that Region, with the same credentials.

use std::time::Duration;

use whetstone_cloud::BringingStatus;
use whetstone_contract::{ActivityId, AppError, CopyRequest, ErrorCode};

use super::{FIRST_PAUSE, LONGEST_PAUSE};
use crate::Workbench;
use crate::connections::Link;
use crate::errors::{from_cloud, passes_by_itself};
use crate::names::{check_model_name, random_id};

impl Workbench {
    pub(crate) async fn begin_copy(&self, request: CopyRequest) -> Result<ActivityId, AppError> {
        let link = self.link_for_long_work(&self.connections.shown().id).await?;
        if request.region == link.region {
            return Err(AppError::new(ErrorCode::InvalidInput, "The model is in this Region already.")
                .hint("Choose another Region."));
        }
        if let Some(problem) = check_model_name("name", &request.name) {
            return Err(AppError::new(ErrorCode::InvalidInput, problem.message));
        }
        // Asked for by a person, once: a copy whose answer is lost is seen in the Region before another is asked for.
        let token = format!("whetstone-{}", random_id());
        let created = link.cloud.copy_model(&request.region, &request.model, &request.name, &token).await;
        let job = created.map_err(|error| from_cloud(&error))?;
        let title = format!("Copy {} to {}", request.name, request.region);
        let activity = self.activities.start(title, "The copy is made", false);
        let id = activity.id();
        tokio::spawn(async move {
            activity.end(&follow_copy(&link, &request.region, &job).await);
        });
        Ok(ActivityId { activity: id })
    }
}

async fn follow_copy(link: &Link, region: &str, job: &str) -> Result<(), AppError> {
    settled(|| link.cloud.copy_job(region, job)).await.map(drop)
}

/// Looks at a copy or an import, ever less often, until it has ended. Answers with the ARN of what it made.
pub(super) async fn settled<F>(look: impl Fn() -> F) -> Result<Option<String>, AppError>
where
    F: Future<Output = Result<whetstone_cloud::Bringing, whetstone_cloud::CloudError>>,
{
    let mut pause: Duration = FIRST_PAUSE;
    loop {
        match look().await {
            Ok(job) => match job.status {
                BringingStatus::Completed => return Ok(job.model_arn),
                BringingStatus::Failed => {
                    let why = job.failure_message.unwrap_or_else(|| "No reason was given.".to_owned());
                    return Err(AppError::new(ErrorCode::Refused, "It failed.").detail(why));
                }
                BringingStatus::InProgress | BringingStatus::Other(_) => {}
            },
            Err(error) if passes_by_itself(&error) => {}
            Err(error) => return Err(from_cloud(&error)),
        }
        tokio::time::sleep(pause).await;
        pause = pause.mul_f64(1.3).min(LONGEST_PAUSE);
    }
}
