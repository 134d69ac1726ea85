//! From a draft to a job that the endpoint knows: files, record, upload, one create call.
//!
//! The record with its client token is written before the first call. Whatever breaks after that, the same token
//! is sent again, so that a job is never created (and never billed) twice. An upload goes on where it was.

use std::path::PathBuf;
use std::time::Duration;

use whetstone_catalog::BaseModel;
use whetstone_cloud::{CloudError, CloudErrorCode, S3Uri, TransferOptions};
use whetstone_contract::{AppError, ErrorCode, JobDraft, JobEvent, JobStatus, JobSummary};

use super::kinds;
use super::plan::{Placed, refuse, training_key, uses_bucket, validation_key};
use super::record::{JobRecord, Origin, phases_not_started};
use super::request::{Places, create_request, sent_hyperparameters};
use crate::Workbench;
use crate::activities::ActivityHandle;
use crate::connections::Link;
use crate::errors::{from_cloud, passes_by_itself, wants_sign_in};
use crate::models;
use crate::names::random_id;
use crate::transfers::follow;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// While it waits for the person, this often it looks whether the job was stopped instead.
const LOOK_ROUND: Duration = Duration::from_secs(1);

impl Workbench {
    pub(crate) async fn submit(&self, draft: JobDraft) -> Result<JobSummary, AppError> {
        self.submit_at(&self.connections.shown().id, draft, Origin::default()).await
    }

    /// At this connection, whichever is current.
    pub(super) async fn submit_at(
        &self,
        connection: &str,
        mut draft: JobDraft,
        origin: Origin,
    ) -> Result<JobSummary, AppError> {
        let link = self.link_for_long_work(connection).await?;
        let plan = self.plan_at(&link, &draft).await?;
        if let Some(problem) = plan.problems.first() {
            return Err(refuse(problem));
        }
        let placed = Placed::of(&link, &draft);
        if uses_bucket(&draft) {
            bucket_is_there(&link, &placed.bucket).await.map_err(|error| from_cloud(&error))?;
        }
        let model = models::find(&draft.base_model)?;
        let id = random_id();
        let folder = self.jobs.folder.join(&id);
        let (has_validation, dataset_name) = match &draft.invocation_logs {
            Some(logs) => (false, logs.uri.clone()),
            None => {
                let data = model.data_for(kinds::of(&draft));
                let files = self.datasets.write_splits(draft.dataset.clone(), data, folder).await?;
                (files.has_validation, self.datasets.summary(draft.dataset.clone()).await?.name)
            }
        };
        draft.hyperparameters = sent_hyperparameters(model, &draft, has_validation);
        let job = JobRecord {
            created_at: self.host.now_ms(),
            connection: link.connection.clone(),
            connection_name: link.name.clone(),
            region: link.region.clone(),
            account: link.account.clone(),
            base_model_name: model.name.clone(),
            stand_in: plan.stand_in,
            dataset_name,
            training_records: plan.training_records,
            validation_records: plan.validation_records,
            hold_out_records: plan.hold_out_records,
            client_token: format!("whetstone-{id}"),
            training_key: training_key(&link.prefix, &draft.job_name),
            validation_key: has_validation.then(|| validation_key(&link.prefix, &draft.job_name)),
            output_uri: placed.output_uri,
            role_arn: placed.role_arn,
            bucket: placed.bucket,
            cost_usd: plan.cost.start_usd.filter(|_| plan.cost.billed),
            arn: None,
            status: JobStatus::Uploading,
            phases: phases_not_started(),
            ended_at: None,
            failure: None,
            failure_hint: None,
            output_model_arn: None,
            training_loss: None,
            validation_loss: None,
            deployment: None,
            elsewhere: false,
            training_tokens: plan.training_tokens,
            looks: Vec::new(),
            events: vec![JobEvent { at: self.host.now_ms(), text: "Written down here; the upload begins".into() }],
            notes: String::new(),
            rehearsal: origin.rehearsal,
            rehearsed_by: origin.rehearsed_by,
            id,
            draft,
        };
        self.jobs.save(&job)?;
        if job.draft.invocation_logs.is_none() {
            // From here on nothing that was held out may find its way into a training.
            self.datasets.freeze_split(job.draft.dataset.clone(), job.draft.job_name.clone()).await?;
        }
        self.job_changed(&job.id);
        self.take_up(job.id.clone());
        Ok(job.summary())
    }

    /// Carries a job on from where its record stands, in the background.
    pub(crate) fn take_up(&self, id: String) {
        let Some(workbench) = self.me.upgrade() else { return };
        let Some(carrying) = self.jobs.carry(format!("job {id}")) else { return };
        tokio::spawn(async move {
            let _carrying = carrying;
            // Without a connection the job stays as it is; it is taken up when there is one.
            let Ok(job) = workbench.jobs.get(&id) else { return };
            if workbench.link_of_job(&job).await.is_err() {
                return;
            }
            if let Err(error) = workbench.carry_on(&id).await {
                workbench.give_up(&id, &error);
            }
        });
    }

    async fn carry_on(&self, id: &str) -> Result<(), AppError> {
        let job = self.jobs.get(id)?;
        if job.arn.is_none() {
            let activity = self.activities.start(format!("Start {}", job.draft.job_name), "Preparing", true);
            let created = self.upload_and_create(&job, activity).await?;
            self.update_job(id, |job| {
                job.arn = Some(created);
                job.status = JobStatus::InProgress;
            })?;
        }
        self.watch(id).await
    }

    /// Tries until it works, is refused for good, or is cancelled.
    async fn upload_and_create(&self, job: &JobRecord, mut activity: ActivityHandle) -> Result<String, AppError> {
        let model = models::find(&job.draft.base_model)?;
        let mut pause = FIRST_PAUSE;
        let mut link = self.link_of_job(job).await?;
        loop {
            let result = self.try_upload_and_create(&link, job, model, &mut activity).await;
            let stopped = self.jobs.get(&job.id)?.status == JobStatus::Stopped;
            match result {
                Err(_) if stopped || activity.is_cancelled() => {
                    self.discard_uploads(&link, job).await;
                    let error = cancelled();
                    activity.finish(Err(&error));
                    return Err(error);
                }
                Ok(arn) => {
                    activity.finish(Ok(()));
                    return Ok(arn);
                }
                Err(error) if wants_sign_in(&error) => {
                    activity.progress("Waiting for you to sign in", None);
                    self.connections.session_over(&link, from_cloud(&error));
                    match self.link_again(job, &activity).await {
                        Ok(again) => link = again,
                        Err(error) => {
                            activity.finish(Err(&error));
                            return Err(error);
                        }
                    }
                }
                Err(error) if passes_by_itself(&error) || error.code == CloudErrorCode::QuotaExceeded => {
                    // A quota of jobs gets free again when one of them ends: that is the queue.
                    let at = self.host.now_ms();
                    self.update_job(&job.id, |job| job.note_event(at, format!("Trying again: {}", error.message)))?;
                    activity.progress(&format!("Trying again: {}", error.message), None);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => {
                    self.discard_uploads(&link, job).await;
                    let error = from_cloud(&error);
                    activity.finish(Err(&error));
                    return Err(error);
                }
            }
        }
    }

    async fn try_upload_and_create(
        &self,
        link: &Link,
        job: &JobRecord,
        model: &BaseModel,
        activity: &mut ActivityHandle,
    ) -> Result<String, CloudError> {
        if uses_bucket(&job.draft) {
            bucket_is_there(link, &job.bucket).await?;
        }
        let folder = self.jobs.folder.join(&job.id);
        let mut uploads = Vec::new();
        if job.draft.invocation_logs.is_none() {
            uploads.push(("Uploading training records", training_file(&folder), &job.training_key));
        }
        if let Some(key) = &job.validation_key {
            uploads.push(("Uploading validation records", validation_file(&folder), key));
        }
        for (phase, path, key) in uploads {
            let to = S3Uri { bucket: job.bucket.clone(), key: key.clone() };
            let options = TransferOptions { keep_journal: true, ..self.transfers.options(journal_of(&path)) };
            follow(link.cloud.upload_file(&path, &to, options), activity, phase).await?;
        }
        activity.progress("Creating the job", None);
        let places = Places {
            role_arn: job.role_arn.clone(),
            training_uri: job.training_uri(),
            validation_uri: job.validation_uri(),
            output_uri: job.output_uri.clone(),
            client_token: job.client_token.clone(),
        };
        link.cloud.create_job(create_request(model, &job.draft, places)).await
    }

    /// The job's connection, once the person signed in again.
    async fn link_again(&self, job: &JobRecord, activity: &ActivityHandle) -> Result<Link, AppError> {
        loop {
            let answered = self.connections.wait_for_link(&job.connection, LOOK_ROUND).await?;
            if answered.is_some() {
                return self.link_of_job(job).await;
            }
            if activity.is_cancelled() || self.jobs.get(&job.id)?.status == JobStatus::Stopped {
                return Err(cancelled());
            }
        }
    }

    /// Parts of a file that no job will read are taken away.
    async fn discard_uploads(&self, link: &Link, job: &JobRecord) {
        let folder = self.jobs.folder.join(&job.id);
        for file in [training_file(&folder), validation_file(&folder)] {
            if let Err(error) = link.cloud.discard_transfer(&journal_of(&file)).await {
                tracing::warn!(%error, job = job.id, "the parts of an upload could not be taken away");
            }
        }
    }

    /// Writes down why a job ended here and not at the endpoint.
    fn give_up(&self, id: &str, error: &AppError) {
        let ended_at = self.host.now_ms();
        let written = self.update_job(id, |job| {
            job.ended_at.get_or_insert(ended_at);
            if error.code == ErrorCode::Cancelled {
                job.status = JobStatus::Stopped;
            } else {
                job.status = JobStatus::Failed;
                job.failure = Some(error.to_string());
                job.failure_hint.clone_from(&error.hint);
            }
        });
        match written {
            Ok(job) if job.status == JobStatus::Failed => self.tell_end(&job),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, job = id, "the end of a job could not be written down"),
        }
    }
}

/// A bucket that was chosen and deleted since is not made again behind the person's back: its content is gone, too, and
/// a new one has none of its policies.
async fn bucket_is_there(link: &Link, bucket: &str) -> Result<(), CloudError> {
    let looked = link.cloud.bucket_place(bucket).await;
    looked.map(drop).map_err(|error| match error.code {
        CloudErrorCode::NotFound => {
            let message = format!(
                "The bucket {bucket} is not there any more. Choose another in Settings, under {}, or create it again.",
                link.name
            );
            CloudError { message, ..error }
        }
        _ => error,
    })
}

pub fn training_file(folder: &std::path::Path) -> PathBuf {
    folder.join("training.jsonl")
}

pub fn validation_file(folder: &std::path::Path) -> PathBuf {
    folder.join("validation.jsonl")
}

/// Where the upload of a file is written down. It stays with the job, so that what arrived is not sent again.
fn journal_of(file: &std::path::Path) -> PathBuf {
    file.with_extension("upload")
}

fn cancelled() -> AppError {
    AppError::new(ErrorCode::Cancelled, "The job was cancelled before it was created.")
}
