//! Copies and imports under way, each carried to its end by an activity, through restarts.
//!
//! What is wanted stands on disk, with the token of its create call, before anything is sent. What one run of the program
//! leaves unfinished the next takes up once the connection is there: an upload goes on where it was, the same token is
//! sent again, and a job that was created is followed. The record goes when the job has ended or was refused.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use whetstone_cloud::{Bringing, BringingStatus, CloudError, NewImport, S3Uri};
use whetstone_contract::{ActivityId, AppError, ErrorCode};

use super::{FIRST_PAUSE, LONGEST_PAUSE};
use crate::Workbench;
use crate::activities::ActivityHandle;
use crate::connections::Link;
use crate::errors::{from_cloud, from_store, passes_by_itself};
use crate::names::random_id;
use crate::transfers::follow;

/// A store kind.
const UNDER_WAY: &str = "bringing";

/// A model that is to be somewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Wish {
    Copy { model: String, region: String, name: String },
    Import { folder: PathBuf, bucket: String, key: String, role: String, name: String },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UnderWay {
    id: String,
    connection: String,
    wish: Wish,
    /// Of an import: its files have arrived.
    uploaded: bool,
    /// The ARN of the job, once the endpoint answered with it.
    pub(super) job: Option<String>,
}

impl UnderWay {
    pub(super) fn new(connection: &str, wish: Wish) -> Self {
        Self { id: random_id(), connection: connection.to_owned(), wish, uploaded: false, job: None }
    }

    fn token(&self) -> String {
        format!("whetstone-{}", self.id)
    }

    fn title(&self) -> String {
        match &self.wish {
            Wish::Copy { name, region, .. } => format!("Copy {name} to {region}"),
            Wish::Import { name, .. } => format!("Import {name}"),
        }
    }
}

impl Workbench {
    /// Asks for the job of a wish, with its token.
    pub(super) async fn create_bringing(&self, link: &Link, wanted: &UnderWay) -> Result<String, CloudError> {
        match &wanted.wish {
            Wish::Copy { model, region, name } => link.cloud.copy_model(region, model, name, &wanted.token()).await,
            Wish::Import { bucket, key, role, name, .. } => {
                let import = NewImport {
                    job_name: format!("{name}-{}", wanted.id),
                    model_name: name.clone(),
                    role_arn: role.clone(),
                    uri: S3Uri { bucket: bucket.clone(), key: key.clone() }.to_string(),
                    client_token: wanted.token(),
                };
                link.cloud.import_model(import).await
            }
        }
    }

    /// On disk when this returns.
    pub(super) fn note_bringing(&self, under_way: &UnderWay) -> Result<(), AppError> {
        self.serving.carry_now(&under_way.id);
        let saved = self.store.save_document(UNDER_WAY, &under_way.id, self.host.now_ms(), under_way);
        saved.map_err(|error| from_store(&error))
    }

    pub(super) fn forget_bringing(&self, under_way: &UnderWay) {
        if let Err(error) = self.store.delete_document(UNDER_WAY, &under_way.id) {
            tracing::error!(%error, "a copy or an import that has ended could not be forgotten");
        }
    }

    /// Carries it to its end in the background.
    pub(super) fn bring(&self, link: Link, mut under_way: UnderWay) -> Result<ActivityId, AppError> {
        let Some(workbench) = self.me.upgrade() else { return Err(AppError::new(ErrorCode::Cancelled, "Closing.")) };
        let cancellable = matches!(under_way.wish, Wish::Import { .. });
        let mut activity = self.activities.start(under_way.title(), "Begins", cancellable);
        let id = activity.id();
        tokio::spawn(async move {
            let result = workbench.carry(&link, &mut under_way, &mut activity).await;
            workbench.forget_bringing(&under_way);
            activity.end(&result);
            workbench.models_changed();
        });
        Ok(ActivityId { activity: id })
    }

    /// Takes up what an earlier run of the program left unfinished at a connection.
    pub(crate) async fn resume_bringing(&self, connection: &str) -> Result<(), AppError> {
        for under_way in self.all_bringing()?.into_iter().filter(|one| one.connection == connection) {
            let link = self.link_for_long_work(connection).await?;
            if self.serving.carry_now(&under_way.id) {
                self.bring(link, under_way)?;
            }
        }
        Ok(())
    }

    pub(crate) fn connections_bringing(&self) -> Result<BTreeSet<String>, AppError> {
        Ok(self.all_bringing()?.into_iter().map(|one| one.connection).collect())
    }

    fn all_bringing(&self) -> Result<Vec<UnderWay>, AppError> {
        self.store.documents(UNDER_WAY).map_err(|error| from_store(&error))
    }

    async fn carry(
        &self,
        link: &Link,
        under_way: &mut UnderWay,
        activity: &mut ActivityHandle,
    ) -> Result<(), AppError> {
        if let Wish::Import { folder, bucket, key, .. } = &under_way.wish
            && !under_way.uploaded
            && under_way.job.is_none()
        {
            link.cloud.ensure_bucket(bucket).await.map_err(|error| from_cloud(&error))?;
            let to = S3Uri { bucket: bucket.clone(), key: key.clone() };
            let journal = self.transfers.journal(&format!("import-{}", under_way.id));
            let upload = link.cloud.upload_folder(folder, &to, self.transfers.options(journal));
            follow(upload, activity, "Uploads the files").await.map_err(|error| from_cloud(&error))?;
            under_way.uploaded = true;
            self.note_bringing(under_way)?;
        }
        let job = match under_way.job.clone() {
            Some(job) => job,
            None => self.create_patiently(link, under_way, activity).await?,
        };
        match &under_way.wish {
            Wish::Copy { region, .. } => {
                activity.progress("The copy is made", None);
                settled(|| link.cloud.copy_job(region, &job)).await
            }
            Wish::Import { .. } => {
                activity.progress("The endpoint imports it", None);
                settled(|| link.cloud.import_job(&job)).await
            }
        }
    }

    /// Whether a call whose answer was lost created something, only the same token tells.
    async fn create_patiently(
        &self,
        link: &Link,
        under_way: &mut UnderWay,
        activity: &mut ActivityHandle,
    ) -> Result<String, AppError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.create_bringing(link, under_way).await {
                Ok(job) => {
                    under_way.job = Some(job.clone());
                    self.note_bringing(under_way)?;
                    return Ok(job);
                }
                Err(error) if passes_by_itself(&error) => {
                    activity.progress("The endpoint does not answer; it is asked again", None);
                }
                Err(error) => return Err(from_cloud(&error)),
            }
            if activity.is_cancelled() {
                return Err(AppError::new(ErrorCode::Cancelled, "The import was cancelled."));
            }
            tokio::time::sleep(pause).await;
            pause = pause.mul_f64(1.3).min(LONGEST_PAUSE);
        }
    }
}

/// Looks at a copy or an import, ever less often, until it has ended.
async fn settled<F>(look: impl Fn() -> F) -> Result<(), AppError>
where
    F: Future<Output = Result<Bringing, CloudError>>,
{
    let mut pause: Duration = FIRST_PAUSE;
    loop {
        match look().await {
            Ok(job) => match job.status {
                BringingStatus::Completed => return Ok(()),
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
