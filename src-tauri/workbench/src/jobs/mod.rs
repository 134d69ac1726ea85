//! Customization jobs: planned, submitted, watched, served.
//!
//! Owns the records of the jobs started here (`record.rs`, kept in the store), the files they upload and one poller a
//! job. The jobs themselves belong to the endpoint: what it says wins over what is written down here.
//!
//! | file | what it does |
//! | --- | --- |
//! | `kinds.rs`, `check.rs` | kinds of training; what is wrong with a draft by itself |
//! | `plan.rs`, `recommend.rs` | what is wrong with it here, what it would cost, what would suit the data |
//! | `request.rs`, `calls.rs` | the one request that is sent, and the same shown in several languages |
//! | `drafts.rs`, `recipe.rs`, `batch.rs` | drafts kept, recipes, the first records as the model reads them |
//! | `sweep.rs` | one draft started for several values |
//! | `rehearse.rs` | the draft of one connection, tried at this computer first |
//! | `submit.rs` | writes the files and the record, uploads, creates the job once |
//! | `watch.rs` | one poller a job until it ends; stop |
//! | `serve.rs` | the deployment of the tuned model |
//! | `adopt.rs` | jobs that were not started here, found at the endpoint |
//! | `view.rs` | a job as the window shows it |
//! | `curves.rs`, `chart.rs` | the loss files in memory, and the picture of them |
//! | `advice.rs` | what the curves say, and the setting to change |
//! | `failure.rs`, `usual.rs` | what is known of a failure, and of how long jobs take: two tables with their sources |
//! | `compare.rs` | the difference of several jobs: settings, data, results |
//! | `remains.rs` | what the endpoint keeps of a job: objects, tags |

mod adopt;
mod advice;
mod batch;
mod calls;
mod chart;
mod check;
mod compare;
mod curves;
mod drafts;
mod failure;
pub mod kinds;
mod plan;
mod recipe;
mod recommend;
mod record;
mod rehearse;
mod remains;
mod request;
mod serve;
mod submit;
mod sweep;
mod usual;
mod view;
mod watch;

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use whetstone_cloud::Metrics;
use whetstone_contract::{AppError, AppEvent, ErrorCode, JobStatus};

use crate::Workbench;
use crate::connections::{Link, account_changed};
use crate::errors::{from_io, from_store};
use crate::store::Store;

pub use calls::{Target, literal, python_value, quoted};
pub use check::check_draft;
use curves::AllCurves;
pub use plan::refuse;
pub use record::JobRecord;
pub use request::{Places, create_request};

pub struct Jobs {
    store: Arc<Store>,
    /// A folder a job: the very files that were uploaded.
    folder: PathBuf,
    curves: AllCurves,
    /// Work that someone carries on right now.
    carried: Arc<Mutex<HashSet<String>>>,
}

/// Held by whoever carries a piece of work on.
pub struct Carrying {
    carried: Arc<Mutex<HashSet<String>>>,
    what: String,
}

impl Drop for Carrying {
    fn drop(&mut self) {
        self.carried.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&self.what);
    }
}

impl Jobs {
    /// Files whose job was never written down, because the program ended in between, are removed.
    pub fn open(store: Arc<Store>, folder: PathBuf) -> Result<Self, AppError> {
        let jobs = Self { store, folder, curves: AllCurves::default(), carried: Arc::default() };
        let trouble = |error: std::io::Error| from_io("The folder of the jobs", &error);
        std::fs::create_dir_all(&jobs.folder).map_err(trouble)?;
        let known = jobs.all()?;
        for entry in std::fs::read_dir(&jobs.folder).map_err(trouble)? {
            let entry = entry.map_err(trouble)?;
            if !known.iter().any(|job| entry.file_name() == *job.id) {
                std::fs::remove_dir_all(entry.path()).map_err(trouble)?;
            }
        }
        Ok(jobs)
    }

    /// None while someone else carries it on: a connection that answers again takes up what waits, and may find it
    /// under way already.
    fn carry(&self, what: String) -> Option<Carrying> {
        let mut carried = self.carried.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        carried.insert(what.clone()).then(|| Carrying { carried: Arc::clone(&self.carried), what })
    }

    /// Newest first.
    pub fn all(&self) -> Result<Vec<JobRecord>, AppError> {
        self.store.jobs().map_err(|error| from_store(&error))
    }

    pub fn get(&self, id: &str) -> Result<JobRecord, AppError> {
        let job = self.store.job(id).map_err(|error| from_store(&error))?;
        job.ok_or_else(|| AppError::new(ErrorCode::NotFound, "This job is not known here (any more)."))
    }

    /// Keys that jobs are still uploading to.
    pub fn keys_on_their_way(&self) -> Result<Vec<String>, AppError> {
        let uploading = self.all()?.into_iter().filter(|job| job.status == JobStatus::Uploading);
        Ok(uploading.flat_map(|job| [Some(job.training_key), job.validation_key]).flatten().collect())
    }

    fn save(&self, job: &JobRecord) -> Result<(), AppError> {
        self.store.save_job(&job.id, job.created_at, job).map_err(|error| from_store(&error))
    }

    fn last_metrics(&self, id: &str) -> Option<Arc<Metrics>> {
        self.curves.of(id).metrics()
    }
}

impl Workbench {
    /// Connections that have something under way: an upload, a running job, a deployment being made.
    pub(crate) fn connections_at_work(&self) -> Result<BTreeSet<String>, AppError> {
        let jobs = self.jobs.all()?;
        Ok(jobs.into_iter().filter(JobRecord::is_under_way).map(|job| job.connection).collect())
    }

    /// Takes up what was under way with a connection when it was last there.
    pub(crate) fn resume_jobs(&self, connection: &str) -> Result<(), AppError> {
        for job in self.jobs.all()? {
            if job.connection != connection {
                continue;
            }
            if !job.has_ended() {
                self.take_up(job.id.clone());
            }
            if job.is_deploying() {
                self.take_up_deployment(job.id);
            }
        }
        Ok(())
    }

    /// Where a job lives, once that answers. Its account may not have changed beneath it.
    pub(crate) async fn link_of_job(&self, job: &JobRecord) -> Result<Link, AppError> {
        let link = self.connections.link_of(&job.connection).await?;
        match (&job.account, &link.account) {
            (Some(before), Some(now)) if before != now => Err(account_changed(&link.name, before, now)),
            _ => Ok(link),
        }
    }

    /// Changes a job's record and tells the window when something did change.
    pub(crate) fn update_job(&self, id: &str, change: impl FnOnce(&mut JobRecord)) -> Result<JobRecord, AppError> {
        let before = self.jobs.get(id)?;
        let mut job = before.clone();
        change(&mut job);
        for told in record::told_by_change(&before, &job) {
            job.note_event(self.host.now_ms(), told);
        }
        if job != before {
            self.jobs.save(&job)?;
            self.job_changed(id);
        }
        Ok(job)
    }

    pub(crate) fn save_job_notes(&self, id: &str, notes: String) -> Result<(), AppError> {
        self.update_job(id, |job| job.notes = notes).map(drop)
    }

    fn job_changed(&self, id: &str) {
        self.host.emit(AppEvent::JobsChanged { job: Some(id.to_owned()) });
    }
}
