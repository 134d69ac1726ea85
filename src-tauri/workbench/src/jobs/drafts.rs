//! Drafts of jobs, kept in the store from the first choice on, and the draft that a job was started from.

use whetstone_contract::{AppError, JobDraft, SavedDraft, ShownCall};

use super::calls::{self, Target};
use super::plan::{Placed, free_name};
use super::request::{Places, create_request};
use crate::Workbench;
use crate::errors::{from_cloud, from_store};
use crate::models;

impl Workbench {
    pub(crate) fn list_drafts(&self) -> Result<Vec<SavedDraft>, AppError> {
        self.store.drafts().map_err(|error| from_store(&error))
    }

    /// On disk when this returns: what the person typed survives whatever comes next.
    pub(crate) fn keep_draft(&self, mut draft: SavedDraft) -> Result<SavedDraft, AppError> {
        draft.changed_at = self.host.now_ms();
        self.store.save_draft(&draft.id, draft.changed_at, &draft).map_err(|error| from_store(&error))?;
        Ok(draft)
    }

    pub(crate) fn forget_draft(&self, id: &str) -> Result<(), AppError> {
        self.store.delete_draft(id).map_err(|error| from_store(&error))
    }

    pub(crate) fn clone_draft(&self, job: &str) -> Result<JobDraft, AppError> {
        let jobs = self.jobs.all()?;
        let mut draft = self.jobs.get(job)?.draft;
        draft.job_name = free_name(&draft.job_name, |name| jobs.iter().any(|job| job.draft.job_name == name));
        draft.model_name = free_name(&draft.model_name, |name| jobs.iter().any(|job| job.draft.model_name == name));
        Ok(draft)
    }

    /// The call as it will be sent. What the draft does not say yet is filled in, and named.
    pub(crate) async fn shown_call(&self, mut draft: JobDraft) -> Result<ShownCall, AppError> {
        let link = self.connections.link().await?;
        let mut placeholders = Vec::new();
        let model = models::find(&draft.base_model)?;
        for (value, fallback, what) in
            [(&mut draft.job_name, "my-job", "the job's name"), (&mut draft.model_name, "my-model", "the model's name")]
        {
            if value.is_empty() {
                fallback.clone_into(value);
                placeholders.push(what.to_owned());
            }
        }
        let placed = Placed::of(&link, &draft);
        let mut validation_uri = None;
        if draft.invocation_logs.is_none() {
            match self.datasets.summary(draft.dataset.clone()).await {
                Ok(dataset) => {
                    let data = model.data_for(super::kinds::of(&draft));
                    let validated = dataset.split.is_some_and(|split| split.validation > 0) && data.validation_accepted;
                    validation_uri = validated.then_some(placed.validation_uri);
                }
                Err(_) => placeholders.push("the data".to_owned()),
            }
        }
        if placed.bucket.is_empty() {
            placeholders.push("the bucket".to_owned());
        }
        if placed.role_arn.is_empty() {
            placeholders.push("the role".to_owned());
        }
        let places = Places {
            role_arn: placed.role_arn,
            training_uri: placed.training_uri,
            validation_uri,
            output_uri: placed.output_uri,
            // Written down with the job before the call; until then there is none.
            client_token: "whetstone-made-when-it-starts".to_owned(),
        };
        placeholders.push("the client token".to_owned());
        let body = link.cloud.written_job(create_request(model, &draft, places)).await;
        let body = body.map_err(|error| from_cloud(&error))?;
        let connection = self.connections.shown();
        let target = Target {
            region: &link.region,
            profile: connection.profile.as_deref(),
            endpoint: connection.endpoint.as_deref(),
        };
        calls::show(&body, &target, placeholders).map_err(|error| {
            AppError::new(whetstone_contract::ErrorCode::Bug, "The call could not be shown.").detail(error.to_string())
        })
    }
}
