//! The datasets of the app: a folder each, opened once and kept open.
//!
//! Every call works on the disk and therefore runs off the async threads. What a record, an edit, a filter or a finding
//! is, `whetstone_dataset` knows; this module finds the dataset, remembers what was computed over it, and turns the
//! answers into the contract's shapes.
//!
//! | file | what it answers |
//! | --- | --- |
//! | `opened.rs` | a dataset that is open: its document, and what is computed over it in the background |
//! | `rows.rs` | views, windows of rows, columns, the filter field |
//! | `records.rs` | one record, also while it is typed |
//! | `edits.rs`, `find.rs` | changes of many records, find and replace |
//! | `findings.rs` | what is wrong, and fixing it |
//! | `snapshots.rs`, `splits.rs`, `statistics.rs` | as they are called |
//! | `files.rs`, `conversion.rs` | opening in place, saving; writing other formats |
//! | `for_jobs.rs` | what a job, the playground and an export need |
//! | `show.rs` | the dataset crate's words in the contract's |

mod conversion;
mod edits;
mod files;
mod find;
mod findings;
mod for_jobs;
mod opened;
mod records;
mod rows;
mod show;
mod snapshots;
mod splits;
mod statistics;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use whetstone_contract::{AppError, AppEvent, DatasetSummary, ErrorCode, RenameRequest};
use whetstone_dataset::{Document, DocumentError};

use crate::activities::Activities;
use crate::errors::from_io;
use crate::host::Host;
use crate::import::blocking;

pub use conversion::extension_of;
pub use for_jobs::{DataForModel, TrainingLine};
pub use show::{from_document, show_turns};

use opened::Opened;
use show::summarise;

/// A folder on its way out. It holds no dataset any more, whatever is still in it.
const LEAVING: &str = ".deleted-";

pub struct Datasets {
    folder: PathBuf,
    host: Arc<dyn Host>,
    activities: Arc<Activities>,
    open: Mutex<HashMap<String, Arc<Opened>>>,
}

impl Datasets {
    pub fn open(folder: PathBuf, host: Arc<dyn Host>, activities: Arc<Activities>) -> Result<Self, AppError> {
        let trouble = |error: std::io::Error| from_io("The folder of the datasets", &error);
        std::fs::create_dir_all(&folder).map_err(trouble)?;
        for entry in std::fs::read_dir(&folder).map_err(trouble)? {
            let entry = entry.map_err(trouble)?;
            if entry.file_name().to_string_lossy().starts_with(LEAVING) {
                std::fs::remove_dir_all(entry.path()).map_err(trouble)?;
            }
        }
        Ok(Self { folder, host, activities, open: Mutex::default() })
    }

    /// Newest first. A folder that cannot be read is told in the log and does not hide the others.
    pub async fn list(self: &Arc<Self>) -> Result<Vec<DatasetSummary>, AppError> {
        let datasets = Arc::clone(self);
        blocking(move || {
            let entries = std::fs::read_dir(&datasets.folder);
            let entries = entries.map_err(|error| from_io("The folder of the datasets", &error))?;
            let mut summaries: Vec<DatasetSummary> = entries
                .filter_map(|entry| {
                    let id = entry.ok()?.file_name().into_string().ok()?;
                    match datasets.opened(&id).and_then(|opened| summarise(&opened)) {
                        Ok(summary) => Some(summary),
                        Err(error) => {
                            tracing::error!(dataset = id, %error, "a dataset could not be opened");
                            None
                        }
                    }
                })
                .collect();
            summaries.sort_by_key(|summary| (std::cmp::Reverse(summary.created_at), summary.id.clone()));
            Ok(summaries)
        })
        .await
    }

    /// A folder for a dataset that is about to be made, and its id. Imports within one millisecond get numbers of their own.
    fn place(&self, created_at: i64) -> (String, PathBuf) {
        let base = format!("{created_at:x}");
        let free = |id: &String| !self.folder.join(id).exists();
        let id = std::iter::once(base.clone()).chain((2..).map(|number| format!("{base}-{number}"))).find(free);
        let id = id.unwrap_or(base);
        let folder = self.folder.join(&id);
        (id, folder)
    }

    /// Takes in a dataset that was just made.
    fn keep(&self, id: String, document: Document) -> Result<DatasetSummary, AppError> {
        let opened = Opened::new(id.clone(), document, &self.host, &self.activities);
        self.lock().insert(id.clone(), Arc::clone(&opened));
        self.host.emit(AppEvent::DatasetsChanged { dataset: Some(id) });
        summarise(&opened)
    }

    pub async fn delete(self: &Arc<Self>, id: String) -> Result<(), AppError> {
        let datasets = Arc::clone(self);
        blocking(move || {
            datasets.opened(&id)?.abandon();
            datasets.lock().remove(&id);
            let leaving = datasets.folder.join(format!("{LEAVING}{id}"));
            let gone =
                std::fs::rename(datasets.folder.join(&id), &leaving).and_then(|()| std::fs::remove_dir_all(&leaving));
            gone.map_err(|error| from_io("The dataset's folder", &error))
        })
        .await
    }

    pub async fn summary(self: &Arc<Self>, id: String) -> Result<DatasetSummary, AppError> {
        self.work(id, |opened| summarise(opened)).await
    }

    pub async fn rename(self: &Arc<Self>, asked: RenameRequest) -> Result<DatasetSummary, AppError> {
        self.work(asked.dataset, move |opened| {
            let name = asked.name.trim();
            if name.is_empty() {
                return Err(AppError::new(ErrorCode::InvalidInput, "A dataset needs a name.").hint("Write one."));
            }
            opened.document().set_name(name.to_owned()).map_err(|error| from_document(&error))?;
            opened.tell_changed();
            summarise(opened)
        })
        .await
    }

    /// Runs work on one dataset off the async threads.
    async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        id: String,
        work: impl FnOnce(&Arc<Opened>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let datasets = Arc::clone(self);
        blocking(move || work(&datasets.opened(&id)?)).await
    }

    fn opened(&self, id: &str) -> Result<Arc<Opened>, AppError> {
        let mut open = self.lock();
        if let Some(opened) = open.get(id) {
            return Ok(Arc::clone(opened));
        }
        // An id is one folder's name: it leads nowhere else.
        if Path::new(id).components().count() != 1 || id.starts_with('.') {
            return Err(AppError::new(ErrorCode::NotFound, "There is no such dataset."));
        }
        let document = Document::open(&self.folder.join(id)).map_err(|error| match error {
            DocumentError::NotADocument { path } => {
                AppError::new(ErrorCode::NotFound, "There is no such dataset (any more).")
                    .detail(path.display().to_string())
            }
            other => from_document(&other),
        })?;
        let opened = Opened::new(id.to_owned(), document, &self.host, &self.activities);
        open.insert(id.to_owned(), Arc::clone(&opened));
        Ok(opened)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Opened>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
