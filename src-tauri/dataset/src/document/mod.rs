//! A dataset opened in a folder of the app: imported records, edits, split.
//!
//! | file | what | changes |
//! | --- | --- | --- |
//! | `document.json` | name, source, number of records | written last at import: a folder without it holds no dataset |
//! | `records.jsonl` | the imported records | never |
//! | `records.idx` | where each begins | made again when it does not fit |
//! | `journal` | the edits, undos and redos | grows by a line an edit |
//! | `split.json` | what each record is used for | replaced as a whole |
//!
//! Invariants: an edit is durable before it is seen; undo reaches back to the import; the folder is
//! open in one place at a time; nothing outside the folder is touched but by an export.

mod assignment;
mod base;
mod edits;
mod error;
mod export;
mod files;
mod journal;

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::assignment::Assignment;
use self::base::{BaseRecords, BaseWriter};
use self::edits::Edits;
use self::journal::{Entry, Journal};
use crate::record::{Record, SourcedRecord};
use crate::split::{SplitKind, SplitPlan, split};

pub use self::error::DocumentError;
pub use self::export::ExportedFile;
pub use self::journal::Recovery;

const DOCUMENT: &str = "document.json";
const VERSION: u32 = 1;
/// Rows read at once while iterating.
const CHUNK: u64 = 512;

/// What a dataset is called and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentMeta {
    pub name: String,
    /// The name of the file it was imported from.
    pub source: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    records: u64,
    bytes: u64,
    #[serde(flatten)]
    meta: DocumentMeta,
}

/// A record in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// From 0; changes when a record before it is inserted or deleted.
    pub position: u64,
    /// Stays with the record through every edit.
    pub id: u32,
    /// Line of the imported file, where it came from one.
    pub line: Option<u64>,
    pub record: Record,
    /// `None` while the dataset has not been split.
    pub split: Option<SplitKind>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitCounts {
    pub training: u64,
    pub validation: u64,
    pub hold_out: u64,
    pub plan: SplitPlan,
}

/// An opened dataset.
#[derive(Debug)]
pub struct Document {
    dir: PathBuf,
    meta: DocumentMeta,
    base: BaseRecords,
    edits: Edits,
    journal: Journal,
    assignment: Option<Assignment>,
    recovery: Option<Recovery>,
}

impl Document {
    /// Imports records into a folder that holds no dataset yet, and opens it.
    pub fn create(
        dir: &Path,
        records: impl IntoIterator<Item = SourcedRecord>,
        meta: DocumentMeta,
    ) -> Result<Document, DocumentError> {
        let mut writer = DocumentWriter::new(dir)?;
        for record in records {
            writer.push(record)?;
        }
        writer.finish(meta)
    }

    /// Opens the dataset in a folder with every edit that was made.
    pub fn open(dir: &Path) -> Result<Document, DocumentError> {
        let path = dir.join(DOCUMENT);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(DocumentError::NotADocument { path: dir.to_owned() });
            }
            Err(error) => return Err(DocumentError::io(&path)(error)),
        };
        let stored: Stored =
            serde_json::from_slice(&bytes).map_err(|error| DocumentError::damaged(&path, error.to_string()))?;
        if stored.version != VERSION {
            let detail = format!("it was written by another version ({})", stored.version);
            return Err(DocumentError::damaged(&path, detail));
        }
        let imported = u32::try_from(stored.records).map_err(|_| DocumentError::TooMany)?;
        let base = BaseRecords::open(dir, stored.records, stored.bytes)?;
        let mut edits = Edits::new(imported);
        let (journal, recovery) = Journal::open(dir, |entry| {
            let allowed = edits.allows(&entry);
            if allowed {
                edits.apply(entry);
            }
            allowed
        })?;
        Ok(Document {
            dir: dir.to_owned(),
            meta: stored.meta,
            base,
            edits,
            journal,
            assignment: Assignment::load(dir)?,
            recovery,
        })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn meta(&self) -> &DocumentMeta {
        &self.meta
    }

    /// What opening had to cut off the journal, if anything.
    pub fn recovery(&self) -> Option<&Recovery> {
        self.recovery.as_ref()
    }

    pub fn len(&self) -> u64 {
        self.edits.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The record at a position.
    pub fn record(&self, position: u64) -> Result<Record, DocumentError> {
        Ok(self.row(position)?.record)
    }

    /// The record at a position with all that is known of it.
    pub fn row(&self, position: u64) -> Result<Row, DocumentError> {
        let mut row = self.rows(position..position.saturating_add(1))?;
        row.pop().ok_or(DocumentError::OutOfRange { position, records: self.len() })
    }

    /// The rows of a window, as far as it lies within the dataset.
    pub fn rows(&self, window: Range<u64>) -> Result<Vec<Row>, DocumentError> {
        let end = window.end.min(self.len());
        let mut rows = Vec::with_capacity(end.saturating_sub(window.start) as usize);
        let mut position = window.start;
        while position < end {
            let id = self.edits.id(position);
            if self.is_imported_text(id) {
                // Neighbours in the file are read with it.
                let mut last = id;
                let mut next = position + 1;
                while next < end
                    && self.edits.id(next) == last + 1
                    && self.is_imported_text(last + 1)
                    && self.base.may_run(id, last + 1)
                {
                    last += 1;
                    next += 1;
                }
                for sourced in self.base.read_run(id..last + 1)? {
                    let id = self.edits.id(position);
                    rows.push(self.row_of(position, id, sourced.line, sourced.record));
                    position += 1;
                }
            } else {
                let line = self.imported_line(id)?;
                let record = self.edits.text(id).cloned().unwrap_or_default();
                rows.push(self.row_of(position, id, line, record));
                position += 1;
            }
        }
        Ok(rows)
    }

    /// Every row in order, read a few at a time.
    pub fn iter(&self) -> impl Iterator<Item = Result<Row, DocumentError>> {
        let chunks = (0..self.len()).step_by(CHUNK as usize);
        chunks.flat_map(|start| match self.rows(start..start + CHUNK) {
            Ok(rows) => rows.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    }

    /// Puts another record in the place of one.
    pub fn replace(&mut self, position: u64, record: Record) -> Result<(), DocumentError> {
        self.edit(position, Entry::Replace { at: position, record })
    }

    /// Puts a record before the one at this position, or at the end.
    pub fn insert(&mut self, position: u64, record: Record) -> Result<(), DocumentError> {
        self.edit(position, Entry::Insert { at: position, record })
    }

    pub fn delete(&mut self, position: u64) -> Result<(), DocumentError> {
        self.edit(position, Entry::Delete { at: position })
    }

    pub fn can_undo(&self) -> bool {
        self.edits.can_undo()
    }

    pub fn can_redo(&self) -> bool {
        self.edits.can_redo()
    }

    /// Takes the last edit back and gives its position; `None` at the state of the import.
    pub fn undo(&mut self) -> Result<Option<u64>, DocumentError> {
        self.journaled(Entry::Undo)
    }

    /// Makes the edit again that was taken back last.
    pub fn redo(&mut self) -> Result<Option<u64>, DocumentError> {
        self.journaled(Entry::Redo)
    }

    /// Draws the split anew over the records there are.
    pub fn assign_split(&mut self, plan: &SplitPlan) -> Result<SplitCounts, DocumentError> {
        let drawn = split(self.len(), plan)?;
        let mut kinds = vec![SplitKind::Training; self.edits.ids() as usize];
        for (position, kind) in drawn.into_iter().enumerate() {
            kinds[self.edits.id(position as u64) as usize] = kind;
        }
        let assignment = Assignment::new(*plan, &kinds);
        assignment.store(&self.dir)?;
        let counts = self.counts(&assignment);
        self.assignment = Some(assignment);
        Ok(counts)
    }

    /// How many records each split has now; `None` before the dataset was split.
    pub fn split_counts(&self) -> Option<SplitCounts> {
        self.assignment.as_ref().map(|a| self.counts(a))
    }

    fn counts(&self, assignment: &Assignment) -> SplitCounts {
        let mut counts = SplitCounts { training: 0, validation: 0, hold_out: 0, plan: assignment.plan };
        for position in 0..self.len() {
            match assignment.kind(self.edits.id(position)) {
                SplitKind::Training => counts.training += 1,
                SplitKind::Validation => counts.validation += 1,
                SplitKind::HoldOut => counts.hold_out += 1,
            }
        }
        counts
    }

    fn edit(&mut self, position: u64, entry: Entry) -> Result<(), DocumentError> {
        match self.journaled(entry)? {
            Some(_) => Ok(()),
            None => Err(DocumentError::OutOfRange { position, records: self.len() }),
        }
    }

    /// Writes an edit down and makes it; `None` where it cannot be made now.
    fn journaled(&mut self, entry: Entry) -> Result<Option<u64>, DocumentError> {
        if !self.edits.allows(&entry) {
            return Ok(None);
        }
        self.journal.append(&entry)?;
        Ok(Some(self.edits.apply(entry)))
    }

    fn is_imported_text(&self, id: u32) -> bool {
        u64::from(id) < self.base.len() && self.edits.text(id).is_none()
    }

    /// An edited record still stands for the line it came from.
    fn imported_line(&self, id: u32) -> Result<Option<u64>, DocumentError> {
        if u64::from(id) < self.base.len() {
            return Ok(self.base.read(id)?.line);
        }
        Ok(None)
    }

    fn row_of(&self, position: u64, id: u32, line: Option<u64>, record: Record) -> Row {
        Row { position, id, line, record, split: self.assignment.as_ref().map(|a| a.kind(id)) }
    }
}

/// An import under way. Dropped before it is finished, it leaves nothing behind.
#[derive(Debug)]
pub struct DocumentWriter {
    dir: PathBuf,
    base: BaseWriter,
    finished: bool,
}

impl DocumentWriter {
    /// Begins an import into a folder, which is made if it is not there.
    pub fn new(dir: &Path) -> Result<DocumentWriter, DocumentError> {
        std::fs::create_dir_all(dir).map_err(DocumentError::io(dir))?;
        if dir.join(DOCUMENT).exists() {
            return Err(DocumentError::Exists { path: dir.to_owned() });
        }
        Ok(DocumentWriter { dir: dir.to_owned(), base: BaseWriter::create(dir)?, finished: false })
    }

    pub fn push(&mut self, record: SourcedRecord) -> Result<(), DocumentError> {
        self.base.push(record)
    }

    /// Makes the dataset durable and opens it.
    pub fn finish(mut self, meta: DocumentMeta) -> Result<Document, DocumentError> {
        let (records, bytes) = self.base.finish()?;
        Journal::create(&self.dir)?;
        let stored = Stored { version: VERSION, records, bytes, meta };
        let path = self.dir.join(DOCUMENT);
        let json = serde_json::to_vec(&stored).map_err(|e| DocumentError::io(&path)(e.into()))?;
        files::write_atomically(&path, &json)?;
        self.finished = true;
        Document::open(&self.dir)
    }
}

impl Drop for DocumentWriter {
    fn drop(&mut self) {
        if !self.finished {
            self.base.discard();
        }
    }
}
