//! Jobs that were not started here: those of the connection's account that this app does not know yet. From then on they
//! are watched like its own, with whatever the endpoint tells of them.

use std::collections::HashSet;
use std::time::UNIX_EPOCH;

use whetstone_cloud as cloud;
use whetstone_contract::{AppError, JobDraft, JobStatus};

use super::kinds;
use super::record::{JobRecord, phases_not_started};
use super::watch::take_over;
use crate::Workbench;
use crate::connections::Link;
use crate::errors::from_cloud;
use crate::models;

impl Workbench {
    /// How many were found that were not known.
    pub(crate) async fn adopt_jobs(&self, connection: &str) -> Result<u64, AppError> {
        let link = self.connections.link_of(connection).await?;
        let said = |error| from_cloud(&error);
        let listed = link.cloud.jobs(None).await.map_err(said)?;
        let known = self.jobs.all()?;
        let arns: HashSet<&str> = known.iter().filter_map(|job| job.arn.as_deref()).collect();
        // A job whose create call was answered to no one is known by the token, and so by the name, that it was sent with.
        let on_their_way: HashSet<&str> =
            known.iter().filter(|job| job.arn.is_none()).map(|job| job.draft.job_name.as_str()).collect();
        let mut found = 0;
        for summary in listed {
            if arns.contains(summary.arn.as_str()) || on_their_way.contains(summary.name.as_str()) {
                continue;
            }
            let remote = link.cloud.job(&summary.arn).await.map_err(said)?;
            let id = format!("elsewhere-{}", remote.id());
            let mut job = record_of(&id, &remote, &link, self.host.now_ms());
            take_over(&mut job, &remote);
            self.jobs.save(&job)?;
            self.job_changed(&id);
            if !job.has_ended() {
                self.take_up(id);
            }
            found += 1;
        }
        Ok(found)
    }
}

fn record_of(id: &str, remote: &cloud::Job, link: &Link, now_ms: i64) -> JobRecord {
    let base_model = remote.base_model_arn.rsplit('/').next().unwrap_or(&remote.base_model_arn).to_owned();
    let known = models::find(&base_model).ok();
    let kind = remote.customization_type.as_deref().and_then(kinds::spelled);
    let place = |uri: &Option<String>| uri.as_deref().and_then(cloud::S3Uri::parse);
    let training = place(&remote.training_uri);
    let validation = place(&remote.validation_uris.first().cloned());
    let created = remote.created.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let created_at = created.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(now_ms);
    let mut job = JobRecord {
        id: id.to_owned(),
        created_at,
        connection: link.connection.clone(),
        connection_name: link.name.clone(),
        region: link.region.clone(),
        account: link.account.clone(),
        draft: JobDraft {
            customization_type: kind.map(kinds::show).unwrap_or_default(),
            base_model: base_model.clone(),
            hyperparameters: remote.hyperparameters.clone(),
            job_name: remote.name.clone(),
            model_name: remote.output_model_name.clone(),
            ..JobDraft::default()
        },
        cost_usd: None,
        base_model_name: known.map_or(base_model, |model| model.name.clone()),
        stand_in: link.on_this_computer && known.is_some_and(|model| !model.local),
        dataset_name: training.as_ref().map_or_else(String::new, |place| place.key.clone()),
        training_records: 0,
        validation_records: 0,
        hold_out_records: 0,
        client_token: remote.client_token.clone().unwrap_or_default(),
        role_arn: remote.role_arn.clone(),
        bucket: training.as_ref().map(|place| place.bucket.clone()).unwrap_or_default(),
        training_key: training.map(|place| place.key).unwrap_or_default(),
        validation_key: validation.map(|place| place.key),
        output_uri: remote.output_uri.clone().unwrap_or_default(),
        arn: Some(remote.arn.clone()),
        status: JobStatus::InProgress,
        phases: phases_not_started(),
        ended_at: None,
        failure: None,
        failure_hint: None,
        output_model_arn: None,
        training_loss: None,
        validation_loss: None,
        deployment: None,
        elsewhere: true,
        training_tokens: 0,
        looks: Vec::new(),
        events: Vec::new(),
        notes: String::new(),
        rehearsal: None,
        rehearsed_by: None,
    };
    job.note_event(now_ms, "Found at the endpoint; it was started elsewhere");
    job
}
