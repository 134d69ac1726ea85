//! A dataset that is open: its document, and what is computed over it in the background.
//!
//! What is computed is kept under the state it was computed for. An edit makes a new state, so that nothing is ever
//! shown for records that are others by now.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use whetstone_contract as contract;
use whetstone_contract::{AppError, AppEvent, Coverage, DatasetPart};
use whetstone_dataset::{Diff, Document, DocumentError, Found, IndexState, State, Statistics, View};

use super::conversion::LossKey;
use super::findings::Checked;
use super::from_document;
use crate::activities::Activities;
use crate::background::{Background, Watched, complete};
use crate::host::Host;

/// A filtered and sorted table, by what was asked and for which arrangement of the records.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewKey {
    pub arrangement: u64,
    pub view: contract::View,
}

pub struct Opened {
    pub id: String,
    host: Arc<dyn Host>,
    activities: Arc<Activities>,
    document: Mutex<Document>,
    /// Counts every change of what the records say or what they are used for.
    edition: AtomicU64,
    /// Counts the changes after which a filtered table must be made anew. The edit of a single record is none: it would
    /// take the record from under the cursor.
    arrangement: AtomicU64,
    index: Mutex<Option<Arc<Watched>>>,
    pub views: Background<ViewKey, View>,
    pub checks: Background<(u64, String), Checked>,
    /// The same with near duplicates, which are looked for when a person asks.
    pub near: Background<(u64, String), Checked>,
    pub finds: Background<(u64, ViewKey, contract::FindQuery), Found>,
    pub numbers: Background<(u64, String), Statistics>,
    pub diffs: Background<(u64, String), Diff>,
    pub losses: Background<LossKey, contract::LossReport>,
}

impl Opened {
    pub fn new(id: String, document: Document, host: &Arc<dyn Host>, activities: &Arc<Activities>) -> Arc<Self> {
        if let Some(recovery) = document.recovery() {
            tracing::warn!(dataset = id, ?recovery, "the journal had lines that could not be read");
        }
        let job = document.index_job();
        let opened = Arc::new(Self {
            id,
            host: Arc::clone(host),
            activities: Arc::clone(activities),
            document: Mutex::new(document),
            edition: AtomicU64::new(0),
            arrangement: AtomicU64::new(0),
            index: Mutex::default(),
            views: Background::new(6),
            checks: Background::new(3),
            near: Background::new(2),
            finds: Background::new(2),
            numbers: Background::new(3),
            diffs: Background::new(2),
            losses: Background::new(2),
        });
        if let Some(job) = job {
            let title = format!("Count the records of {}", opened.document().meta().name);
            let watched = Arc::new(opened.watched(title, "Counting", DatasetPart::Index));
            *opened.index() = Some(Arc::clone(&watched));
            let counted = Arc::clone(&opened);
            std::thread::spawn(move || {
                let result = job.run(&*watched).map_err(|error| from_document(&error));
                if let Err(error) = &result {
                    tracing::warn!(dataset = counted.id, %error, "the records could not be counted");
                }
                *counted.index() = None;
                let refreshed = counted.document().refresh();
                if let Err(error) = refreshed {
                    tracing::warn!(dataset = counted.id, %error, "the count could not be taken in");
                }
                counted.arranged();
                match &result {
                    Ok(()) => watched.finish(Ok(())),
                    Err(error) => watched.finish(Err(error)),
                }
                counted.tell_changed();
            });
        }
        opened
    }

    pub fn document(&self) -> MutexGuard<'_, Document> {
        self.document.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(&self) -> MutexGuard<'_, Option<Arc<Watched>>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The records as they are now, and how far they have been counted.
    pub fn state(&self) -> Result<(State, Coverage), AppError> {
        let mut document = self.document();
        let index = document.refresh().map_err(|error| from_document(&error))?;
        let state = document.state();
        drop(document);
        let coverage = match index {
            IndexState::Ready => complete(),
            IndexState::Building { bytes, of_bytes, .. } => {
                #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
                let fraction = (of_bytes > 0).then(|| bytes as f64 / of_bytes as f64);
                let activity = self.index().as_ref().and_then(|watched| watched.coverage().activity);
                Coverage { complete: false, fraction, activity }
            }
        };
        Ok((state, coverage))
    }

    /// The same where all records are needed: an error as long as they are still being counted.
    pub fn whole(&self) -> Result<State, AppError> {
        let (state, coverage) = self.state()?;
        if coverage.complete { Ok(state) } else { Err(from_document(&DocumentError::Indexing)) }
    }

    pub fn edition(&self) -> u64 {
        self.edition.load(Ordering::SeqCst)
    }

    pub fn arrangement(&self) -> u64 {
        self.arrangement.load(Ordering::SeqCst)
    }

    /// One record says something else now.
    pub fn edited(&self) {
        self.edition.fetch_add(1, Ordering::SeqCst);
    }

    /// Records came, went, moved, or many of them changed.
    pub fn arranged(&self) {
        self.edited();
        self.found_more();
    }

    /// More is known of the records, and they are the same: what was filtered by findings must be filtered anew.
    pub fn found_more(&self) {
        self.arrangement.fetch_add(1, Ordering::SeqCst);
    }

    pub fn tell_changed(&self) {
        self.host.emit(AppEvent::DatasetsChanged { dataset: Some(self.id.clone()) });
    }

    /// A piece of long work over this dataset.
    pub fn watched(&self, title: impl Into<String>, phase: &'static str, part: DatasetPart) -> Watched {
        let (host, dataset) = (Arc::clone(&self.host), self.id.clone());
        let nudge = move || host.emit(AppEvent::DatasetProgress { dataset: dataset.clone(), part });
        Watched::new(&self.activities, title, phase, Box::new(nudge))
    }

    /// An edit that takes its time: the call waits for it, and it can be cancelled.
    pub fn long_edit<T>(
        &self,
        title: &str,
        edit: impl FnOnce(&mut Document, &Watched) -> Result<T, DocumentError>,
    ) -> Result<T, AppError> {
        let watched = self.watched(title, "Writing", DatasetPart::View);
        let result = edit(&mut self.document(), &watched).map_err(|error| from_document(&error));
        watched.finish(result.as_ref().map(|_| ()));
        result
    }

    /// Stops what runs over a dataset that is going away.
    pub fn abandon(&self) {
        if let Some(watched) = &*self.index() {
            watched.abandon();
        }
    }
}
