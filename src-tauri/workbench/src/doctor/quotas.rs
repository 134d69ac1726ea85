//! What is left of the quotas that a job and its model count against.

use whetstone_cloud::JobStatus;
use whetstone_contract::CheckId;

use super::Round;
use super::policies;
use super::verdict::{Answered as _, check, unasked};

/// "(Model customization) Scheduled customization jobs", as seen on accounts.
const SCHEDULED_JOBS: &str = "L-0406044C";

pub async fn look(round: &mut Round<'_>) {
    let asked = check(CheckId::Quotas, "servicequotas:ListServiceQuotas, bedrock:ListModelCustomizationJobs");
    let quotas = match round.cloud.quotas().await {
        Ok(quotas) => quotas,
        Err(error) => {
            let statement = policies::allow(&["servicequotas:ListServiceQuotas"], &["*".to_owned()]);
            round.add(unasked(asked, &error, &statement));
            return;
        }
    };
    let scheduled = quotas.iter().find(|quota| quota.code.as_deref() == Some(SCHEDULED_JOBS));
    let Some(scheduled) = scheduled else {
        round.add(asked.unknown("The quota of customization jobs is not in the list."));
        return;
    };
    let jobs = match round.cloud.jobs(None).await {
        Ok(jobs) => jobs,
        Err(error) => {
            let statement = policies::allow(&["bedrock:ListModelCustomizationJobs"], &["*".to_owned()]);
            round.add(unasked(asked, &error, &statement));
            return;
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of jobs is small")]
    let used = jobs.iter().filter(|job| job.status == JobStatus::InProgress).count() as f64;
    let words = format!("{}: {used} of {} in use.", scheduled.name, scheduled.value);
    let done = if used >= scheduled.value {
        asked.failed(words).mend("Wait until a job has ended, or ask for a higher quota under Service Quotas.").page(
            format!(
                "https://{region}.console.aws.amazon.com/servicequotas/home/services/bedrock/quotas/{SCHEDULED_JOBS}",
                region = round.subject.region
            ),
        )
    } else {
        asked.ok(words)
    };
    round.add(done);
}
