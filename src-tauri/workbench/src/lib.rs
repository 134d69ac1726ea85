//! What the app can do, without a window: connections, datasets, jobs, the playground, settings, activities.
//!
//! The shell and the tests drive it through [`whetstone_contract::Api`]; what it wants from the program around it is
//! the [`Host`]. It owns the data folder: one program at a time, held by a lock file.
//!
//! | file | what it does |
//! | --- | --- |
//! | `api.rs` | the contract's calls, each handed to the part that answers it |
//! | `connections/` | where calls go: this computer's sandbox, AWS accounts; their keys, buckets and roles |
//! | `datasets/`, `import.rs`, `samples.rs` | files become datasets; looking at, editing, splitting, exporting them |
//! | `doctor/` | would a job be let in: from credentials to quotas |
//! | `models.rs`, `endpoint_models.rs`, `names.rs` | base models and names, as Bedrock takes them; what the endpoint adds |
//! | `jobs/` | plan, start, watch, serve a customization job |
//! | `costs/` | what things cost, with the source and date of each figure |
//! | `evaluations/` | models asked the same records, and what their answers show |
//! | `serving/` | the account's own models: what answers for them, and how they go away |
//! | `playground/` | asking models, streamed; the same request as code; conversations kept |
//! | `transfers/` | files to and from S3, as activities |
//! | `background.rs`, `tokens.rs` | work that takes its time; tokens counted or estimated |
//! | `activities.rs`, `store.rs`, `files.rs`, `errors.rs`, `host.rs` | long work, records, files, errors, the program around |
//!
//! Deliberately absent: Tauri, widgets, and any rule about data or models that `dataset` and `catalog` know better.

mod activities;
mod api;
mod background;
mod connections;
mod costs;
mod datasets;
mod doctor;
mod endpoint_models;
mod errors;
mod evaluations;
mod files;
mod host;
mod import;
mod jobs;
mod models;
mod names;
mod playground;
mod samples;
mod serving;
mod store;
mod tokens;
mod transfers;

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use whetstone_contract::{AppError, AppEvent, ErrorCode, PickedFile};
use whetstone_sandbox::WorkerCommand;

pub use connections::{list_profiles, sign_in_profile};
pub use costs::estimate_from_catalog;
pub use doctor::{ProfileSubject, examine_profile};
pub use host::Host;
pub use jobs::{Places, Target, check_draft, create_request};
pub use playground::{Attachments, extensions as attachable_extensions, write_code};

use activities::Activities;
use connections::{Connections, THIS_COMPUTER};
use costs::{EndTimes, PriceLists};
use datasets::Datasets;
use endpoint_models::EndpointModels;
use errors::{from_io, from_store};
use evaluations::Evaluations;
use import::PickedFiles;
use jobs::Jobs;
use playground::Playground;
use serving::Serving;
use store::Store;
use transfers::Transfers;

pub struct WorkbenchConfig {
    /// Everything the app keeps is in here.
    pub data_dir: PathBuf,
    /// How a trainer is started.
    pub worker: WorkerCommand,
    pub version: String,
}

pub struct Workbench {
    /// For work that outlives the call that began it.
    pub(crate) me: Weak<Self>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) version: String,
    pub(crate) store: Arc<Store>,
    pub(crate) activities: Arc<Activities>,
    pub(crate) connections: Connections,
    pub(crate) picked: PickedFiles,
    pub(crate) datasets: Arc<Datasets>,
    pub(crate) jobs: Jobs,
    pub(crate) endpoint_models: EndpointModels,
    pub(crate) playground: Playground,
    pub(crate) evaluations: Evaluations,
    pub(crate) serving: Serving,
    pub(crate) transfers: Transfers,
    pub(crate) price_lists: PriceLists,
    pub(crate) end_times: Arc<EndTimes>,
    opened_file: Mutex<Option<PickedFile>>,
    /// Held as long as the program runs.
    _lock: File,
}

impl Workbench {
    /// Opens the data folder, starts the connection, and takes up what was under way.
    pub async fn open(config: WorkbenchConfig, host: Arc<dyn Host>) -> Result<Arc<Self>, AppError> {
        let WorkbenchConfig { data_dir, worker, version } = config;
        let lock = lock_folder(&data_dir)?;
        let store = Store::open(&data_dir.join("whetstone.db")).map_err(|error| from_store(&error))?;
        let store = Arc::new(store);
        let connections = Connections::open(Arc::clone(&host), Arc::clone(&store), data_dir.join("sandbox"), worker)?;
        let jobs = Jobs::open(Arc::clone(&store), data_dir.join("jobs"))?;
        let activities = Arc::new(Activities::new(Arc::clone(&host)));
        let datasets = Datasets::open(data_dir.join("datasets"), Arc::clone(&host), Arc::clone(&activities))?;
        let datasets = Arc::new(datasets);
        let evaluations = Evaluations::open(data_dir.join("evaluations"))?;
        let end_times = Arc::new(EndTimes::open(data_dir.join("end-times.json"))?);
        let workbench = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            activities,
            datasets,
            jobs,
            endpoint_models: EndpointModels::default(),
            picked: PickedFiles::default(),
            playground: Playground::new(Attachments::new(data_dir.join("attachments"))),
            evaluations,
            serving: Serving::default(),
            transfers: Transfers::open(data_dir.join("downloads")),
            price_lists: PriceLists::default(),
            end_times,
            opened_file: Mutex::default(),
            version,
            store,
            connections,
            host,
            _lock: lock,
        });
        workbench.transfers.limit(workbench.settings()?.transfer_limit);
        workbench.watch_end_times();
        workbench.sweep_attachments()?;
        let starting = Arc::clone(&workbench);
        tokio::spawn(async move { starting.connect_all().await });
        Ok(workbench)
    }

    /// The current connection, and each that has work under way.
    async fn connect_all(self: Arc<Self>) {
        let mut wanted = self.connections_at_work().unwrap_or_else(|error| {
            tracing::error!(%error, "the jobs under way could not be read");
            BTreeSet::new()
        });
        wanted.extend(self.connections_bringing().unwrap_or_else(|error| {
            tracing::error!(%error, "copies and imports under way could not be read");
            BTreeSet::new()
        }));
        wanted.extend(self.evaluations.connections_at_work());
        // The sandbox is there for other tools, too, whichever connection is current.
        wanted.extend([self.connections.shown().id, THIS_COMPUTER.to_owned()]);
        for connection in wanted {
            let starting = Arc::clone(&self);
            tokio::spawn(async move { starting.connect(&connection).await });
        }
    }

    /// Opens a connection, takes up what was under way when it was last there, and looks for jobs started elsewhere.
    pub(crate) async fn connect(&self, connection: &str) {
        match self.connections.start(connection).await {
            Ok(true) => {
                if let Err(error) = self.resume_jobs(connection) {
                    tracing::error!(%error, "the jobs under way could not be taken up");
                }
                self.resume_evaluations(connection);
                if let Err(error) = self.end_what_was_created(connection).await {
                    tracing::info!(%error, "throughput created before a crash could not be looked for");
                }
                if let Err(error) = self.resume_bringing(connection).await {
                    tracing::error!(%error, "copies and imports under way could not be taken up");
                }
                if let Err(error) = self.adopt_jobs(connection).await {
                    tracing::info!(%error, "jobs started elsewhere could not be looked for");
                }
            }
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "a connection could not be tried"),
        }
    }

    /// A file was named at the start: the window asks for it when it is there.
    pub fn offer_file(&self, path: &Path) {
        let file = self.picked.remember(path);
        *self.opened_file.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(file);
    }

    /// Files were dropped on the window, which decides what becomes of them.
    pub fn drop_files(&self, paths: &[PathBuf]) {
        if !paths.is_empty() {
            let files = paths.iter().map(|path| self.picked.remember(path)).collect();
            self.host.emit(AppEvent::FilesDropped { files });
        }
    }

    /// The file the app was opened with, handed out once.
    pub(crate) fn take_opened_file(&self) -> Option<PickedFile> {
        self.opened_file.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}

/// A program that was killed a moment ago still holds its lock while the system takes it apart.
const LEAVING: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

fn lock_folder(data_dir: &Path) -> Result<File, AppError> {
    let trouble = |error: std::io::Error| from_io(&format!("The data folder {}", data_dir.display()), &error);
    std::fs::create_dir_all(data_dir).map_err(trouble)?;
    let lock = File::create(data_dir.join("lock")).map_err(trouble)?;
    let began = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if began.elapsed() < LEAVING => std::thread::sleep(LOOK_AGAIN),
            Err(TryLockError::WouldBlock) => {
                return Err(AppError::new(ErrorCode::Refused, "Whetstone is already open with this data folder.")
                    .detail(data_dir.display().to_string())
                    .hint("Use the window that is open, or start with another folder (--data)."));
            }
            Err(TryLockError::Error(error)) => return Err(trouble(error)),
        }
    }
}
