//! A dataset that is being edited: a file opened in place or an import, and a folder with the edits.
//!
//! | file of the folder | what | changes |
//! | --- | --- | --- |
//! | `document.json` | name, source, format, where the records are | replaced as a whole; a folder without it holds no dataset |
//! | `records.jsonl` | the records as they were opened: an import's, or what a save moved out of its place | never |
//! | `records.idx` | where lines begin | made again when it does not fit |
//! | `journal` | the edits, undos and redos, with the texts that edits made | grows |
//! | `save.json` | what a save is about to put in place | there during a save only |
//! | `split.json` | what each record is used for | replaced as a whole |
//! | `snapshots.json`, `snapshot-N` | states with a name | replaced as a whole |
//! | `aside-N.jsonl` | edits that a changed file had no place for | never |
//!
//! Invariants: the opened file is only read until it is saved; an edit is durable before it is seen;
//! undo reaches back to the opening, through saves; the folder is open in one place at a time.
//!
//! A [`Document`] owns the edits. Whoever only reads takes a [`State`] and needs no lock.

mod assignment;
mod base;
mod delta;
mod diff;
mod edit;
mod error;
mod export;
mod files;
mod history;
mod indexing;
mod journal;
mod order;
mod reload;
mod save;
mod snapshot;
mod state;
mod step;
mod stored;
mod texts;
mod writer;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::assignment::Assignment;
use self::base::Base;
use self::history::{History, Replay};
use self::journal::{JOURNAL, Journal};
use self::state::Sources;
use self::step::Content;
use self::stored::{DOCUMENT, FileMark, Stored, Target};
use crate::formats::Schema;
use crate::watch::Unwatched;

pub use self::assignment::SplitCounts;
pub use self::diff::{Diff, DiffCounts, DiffEntry, DiffKind, diff};
pub use self::edit::{Edit, Undone};
pub use self::error::DocumentError;
pub use self::export::ExportedFile;
pub use self::files::{FileLayer, RealFiles};
pub use self::indexing::{IndexJob, IndexState};
pub use self::journal::Recovery;
pub(crate) use self::order::Order;
pub use self::order::Run;
pub use self::reload::{FileState, Reloaded};
pub use self::save::{InterruptedSave, SaveJob, Saved};
pub use self::snapshot::SnapshotInfo;
pub use self::state::{Row, State};
pub use self::stored::DocumentMeta;
pub use self::writer::DocumentWriter;

/// An opened dataset.
#[derive(Debug)]
pub struct Document {
    dir: PathBuf,
    files: Arc<dyn FileLayer>,
    stored: Stored,
    state: State,
    history: History,
    journal: Journal,
    recovery: Option<Recovery>,
    /// Whether all lines of the file are known and edits may begin.
    indexed: bool,
    /// Whether the next save may replace what another program wrote.
    overwrite: bool,
    interrupted_save: Option<InterruptedSave>,
}

impl Document {
    /// Opens a JSONL file in place. The folder, which holds no dataset yet, gets what is not the file.
    pub fn open_file(dir: &Path, file: &Path, schema: Schema, meta: DocumentMeta) -> Result<Document, DocumentError> {
        let files: Arc<dyn FileLayer> = Arc::new(RealFiles);
        std::fs::create_dir_all(dir).map_err(DocumentError::io(dir))?;
        if dir.join(DOCUMENT).exists() {
            return Err(DocumentError::Exists { path: dir.to_owned() });
        }
        let path = std::fs::canonicalize(file).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => DocumentError::SourceMissing { path: file.to_owned() },
            _ => DocumentError::Io { path: file.to_owned(), source },
        })?;
        let base = Base::open(&path)?;
        let mark = FileMark::from(&base.fingerprint()?);
        Journal::create(&*files, &journal_path(dir, 0))?;
        let target = Target { path, mark, state: 0 };
        Stored::new(meta, schema, None, Some(target)).store(&*files, dir)?;
        Document::open(dir)
    }

    /// Opens the dataset in a folder with every edit that was made.
    pub fn open(dir: &Path) -> Result<Document, DocumentError> {
        Document::open_with(dir, Arc::new(RealFiles))
    }

    /// Opens a dataset, every change of the disk going through a layer.
    pub fn open_with(dir: &Path, files: Arc<dyn FileLayer>) -> Result<Document, DocumentError> {
        // Before the lock, so that a folder without a dataset is said to be one; and after it, because
        // whoever held it may have saved.
        let epoch = Stored::load(dir)?.epoch;
        let mut journal = Journal::lock(Arc::clone(&files), &journal_path(dir, epoch))?;
        let mut stored = Stored::load(dir)?;
        let interrupted_save = save::settle(&*files, dir, &mut stored)?;
        let path = stored.base(dir);
        let base = Base::open(&path)?;
        if let Some(bytes) = stored.owned
            && base.bytes()? != bytes
        {
            let detail = format!("it has {} bytes where {bytes} were written", base.bytes()?);
            return Err(DocumentError::damaged(&path, detail));
        }
        if let Some(index) = indexing::load(dir, &base.fingerprint()?) {
            base.set_index(index);
        }
        if !base.is_indexed() && journal.has_events()? {
            // Edits need to know all lines; their index was stored before the first of them.
            indexing::build(dir, &base, &Unwatched)?;
        }
        let indexed = base.is_indexed();
        let mut replay = Replay::new(Content::of_file(base.records()?));
        let recovery = journal.replay(|event| replay.event(event))?;
        let sources = Arc::new(Sources { base, journal: journal.texts()?, schema: stored.schema.clone() });
        let splits = Assignment::load(dir, stored.epoch)?.map(Arc::new);
        let number = replay.history.state();
        let state = State { sources, content: Arc::new(replay.content), splits, number };
        if let Some(target) = stored.target.as_mut()
            && target.state > replay.history.made()
        {
            // What was saved is a state that the journal lost: no state to come may be taken for it.
            target.state = u64::MAX;
            stored.store(&*files, dir)?;
        }
        let mut document = Document {
            dir: dir.to_owned(),
            files,
            stored,
            state,
            history: replay.history,
            journal,
            recovery,
            indexed,
            overwrite: false,
            interrupted_save,
        };
        document.settle_split()?;
        // Before new texts stand where those of the snapshots stood.
        let lost = document.drop_lost_snapshots()?;
        document.recovery.as_mut().into_iter().for_each(|recovery| recovery.lost_snapshots.clone_from(&lost));
        Ok(document)
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn meta(&self) -> &DocumentMeta {
        &self.stored.meta
    }

    pub fn set_name(&mut self, name: String) -> Result<(), DocumentError> {
        let mut stored = self.stored.clone();
        stored.meta.name = name;
        stored.store(&*self.files, &self.dir)?;
        self.stored = stored;
        Ok(())
    }

    pub fn schema(&self) -> &Schema {
        &self.stored.schema
    }

    /// The file that is edited in place; `None` for an import.
    pub fn file(&self) -> Option<&Path> {
        self.stored.target.as_ref().map(|target| target.path.as_path())
    }

    /// What opening had to cut off the journal, if anything.
    pub fn recovery(&self) -> Option<&Recovery> {
        self.recovery.as_ref()
    }

    /// What became of a save that a crash interrupted, if one did.
    pub fn interrupted_save(&self) -> Option<InterruptedSave> {
        self.interrupted_save
    }

    /// The work that is left until the dataset can be edited; `None` when all lines are known.
    pub fn index_job(&self) -> Option<IndexJob> {
        let job = || IndexJob { sources: Arc::clone(&self.state.sources), dir: self.dir.clone() };
        (!self.indexed).then(job)
    }

    /// Takes in what an [`IndexJob`] found so far.
    pub fn refresh(&mut self) -> Result<IndexState, DocumentError> {
        if self.indexed {
            return Ok(IndexState::Ready);
        }
        let base = &self.state.sources.base;
        let (indexed, records) = (base.is_indexed(), base.records()?);
        let (bytes, of_bytes) = (base.indexed_bytes(), base.bytes()?);
        self.state.content = Arc::new(Content::of_file(records));
        self.indexed = indexed;
        if indexed {
            return Ok(IndexState::Ready);
        }
        Ok(IndexState::Building { records: u64::from(records), bytes, of_bytes })
    }

    /// The dataset as it is now, to be read without the document.
    pub fn state(&self) -> State {
        self.state.clone()
    }

    pub fn len(&self) -> u64 {
        self.state.len()
    }

    pub fn is_empty(&self) -> bool {
        self.state.is_empty()
    }

    /// The record at a position with all that is known of it.
    pub fn row(&self, position: u64) -> Result<Row, DocumentError> {
        self.state.row(position)
    }

    /// The rows of a window, as far as it lies within the dataset.
    pub fn rows(&self, window: Range<u64>) -> Result<Vec<Row>, DocumentError> {
        self.state.rows(window)
    }

    /// Every row in order, read a few at a time.
    pub fn iter(&self) -> impl Iterator<Item = Result<Row, DocumentError>> + '_ {
        self.state.iter()
    }

    /// Whether there are edits that are not in the file. An import has no file.
    pub fn is_modified(&self) -> bool {
        self.stored.target.as_ref().is_some_and(|target| target.state != self.history.state())
    }
}

/// The journal of what a dataset's file held: a reload begins another.
fn journal_path(dir: &Path, epoch: u32) -> PathBuf {
    match epoch {
        0 => dir.join(JOURNAL),
        _ => dir.join(format!("{JOURNAL}-{epoch}")),
    }
}
