//! A state of a dataset, to be read from any thread while the document goes on.
//!
//! A state is a few shared pointers: taking one costs nothing, keeping one costs what later edits
//! make different. Records are read from the file and the journal when they are asked for.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::assignment::Assignment;
use super::base::Base;
use super::delta::runs_within;
use super::error::DocumentError;
use super::journal::JournalTexts;
use super::order::{Order, Run};
use super::step::Content;
use super::texts::OF_FILE;
use crate::formats::{Loss, Schema, ShapeError};
use crate::ids::{FIRST_ADDED, IdSet, RecordId};
use crate::record::Record;
use crate::split::SplitKind;
use crate::watch::Watch;

/// Rows read at once while iterating.
const CHUNK: u64 = 512;

/// A record in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// From 0; changes when a record before it is inserted or deleted.
    pub position: u64,
    /// Stays with the record through every edit.
    pub id: RecordId,
    /// Line of the file that was opened, from 1, for a record that came from it.
    pub line: Option<u64>,
    /// The record as a line of JSONL, byte for byte, without its line end.
    pub text: Vec<u8>,
    /// What the line says, or why it is no record.
    pub record: Result<Record, ShapeError>,
    /// Whether its text is not the one of the file.
    pub edited: bool,
    /// `None` while the dataset has not been split.
    pub split: Option<SplitKind>,
}

impl Row {
    /// The record; an empty one where the line is none.
    pub fn record_or_empty(&self) -> Cow<'_, Record> {
        match &self.record {
            Ok(record) => Cow::Borrowed(record),
            Err(_) => Cow::Owned(Record::default()),
        }
    }
}

/// What all states of a document share.
#[derive(Debug)]
pub(super) struct Sources {
    pub base: Base,
    pub journal: JournalTexts,
    pub schema: Schema,
}

/// A dataset as it was at one moment.
#[derive(Debug, Clone)]
pub struct State {
    pub(super) sources: Arc<Sources>,
    pub(super) content: Arc<Content>,
    pub(super) splits: Option<Arc<Assignment>>,
    /// Names the state in the document's history; 0 is the opening.
    pub(super) number: u64,
}

impl State {
    pub fn len(&self) -> u64 {
        self.content.order.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn schema(&self) -> &Schema {
        &self.sources.schema
    }

    /// Two states of one document with the same number are the same.
    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn id_at(&self, position: u64) -> Option<RecordId> {
        self.content.order.get(position)
    }

    /// Passes over the order; for many ids there is [`State::positions_of`].
    pub fn position_of(&self, id: RecordId) -> Option<u64> {
        self.content.order.position_of(id)
    }

    /// Where some records stand now, `None` for those that are not there; one pass for all of them.
    pub fn positions_of(&self, ids: &[RecordId]) -> Vec<Option<u64>> {
        let mut places: Vec<(RecordId, usize)> = ids.iter().copied().zip(0..).collect();
        places.sort_unstable();
        let mut positions = vec![None; ids.len()];
        let (mut at, mut found) = (0_u64, 0);
        for run in self.content.order.all_runs() {
            let first = places.partition_point(|(id, _)| *id < run.first);
            for (id, index) in places[first..].iter().take_while(|(id, _)| run.ids().contains(id)) {
                positions[*index] = Some(at + u64::from(id - run.first));
                found += 1;
            }
            if found == ids.len() {
                break;
            }
            at += u64::from(run.len);
        }
        positions
    }

    /// The records at some positions, as a set.
    pub fn set_of(&self, window: Range<u64>) -> IdSet {
        let mut set = IdSet::new();
        for run in self.content.order.runs(window) {
            set.insert_range(run.first..=run.first + (run.len - 1));
        }
        set
    }

    /// All records, as a set.
    pub fn all(&self) -> IdSet {
        self.content.order.to_set()
    }

    pub(crate) fn order(&self) -> &Order {
        &self.content.order
    }

    pub fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        self.content.order.all_runs()
    }

    pub fn row(&self, position: u64) -> Result<Row, DocumentError> {
        let mut row = self.rows(position..position.saturating_add(1))?;
        row.pop().ok_or(DocumentError::OutOfRange { position, records: self.len() })
    }

    pub fn row_by_id(&self, id: RecordId) -> Result<Row, DocumentError> {
        let position = self.position_of(id).ok_or(DocumentError::NoSuchRecord { id })?;
        self.row(position)
    }

    /// The rows of a window, as far as it lies within the dataset.
    pub fn rows(&self, window: Range<u64>) -> Result<Vec<Row>, DocumentError> {
        let mut rows = Vec::new();
        self.for_each_line(window, |position, id, text| {
            rows.push(self.row_of(position, id, text.to_vec()));
            Ok::<(), DocumentError>(())
        })?;
        Ok(rows)
    }

    /// The rows of some records in the order given; those that are not there are left out.
    pub fn rows_of(&self, ids: &[RecordId]) -> Result<Vec<Row>, DocumentError> {
        let mut rows = Vec::with_capacity(ids.len());
        let positions = self.positions_of(ids);
        let mut wanted = ids.iter().zip(positions).filter_map(|(id, position)| Some((*id, position?))).peekable();
        while let Some((first, position)) = wanted.next() {
            let mut run = Run { first, len: 1 };
            let mut places = vec![position];
            while let Some((_, position)) = wanted.next_if(|(id, _)| *id == run.first + run.len) {
                run.len += 1;
                places.push(position);
            }
            self.lines_of(run, |id, text| {
                rows.push(self.row_of(places[(id - first) as usize], id, text.to_vec()));
                Ok::<(), DocumentError>(())
            })?;
        }
        Ok(rows)
    }

    /// Every row in order, read a few at a time.
    pub fn iter(&self) -> impl Iterator<Item = Result<Row, DocumentError>> + '_ {
        let chunks = (0..self.len()).step_by(CHUNK as usize);
        chunks.flat_map(|start| match self.rows(start..start + CHUNK) {
            Ok(rows) => rows.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    }

    /// The text of a record, whether it is in the order now or not.
    pub fn text_of(&self, id: RecordId) -> Result<Vec<u8>, DocumentError> {
        let mut text = None;
        self.lines_of(Run { first: id, len: 1 }, |_, line| {
            text = Some(line.to_vec());
            Ok::<(), DocumentError>(())
        })?;
        text.ok_or(DocumentError::NoSuchRecord { id })
    }

    /// Gives position, id and text of each record of a window, in order.
    pub fn for_each_line<E: From<DocumentError>>(
        &self,
        window: Range<u64>,
        mut each: impl FnMut(u64, RecordId, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut position = window.start;
        for run in self.content.order.runs(window) {
            self.lines_of(run, |id, text| each(position + u64::from(id - run.first), id, text))?;
            position += u64::from(run.len);
        }
        Ok(())
    }

    /// Like [`State::for_each_line`] over all records, told about and stopped by a watch.
    pub fn for_all_lines(
        &self,
        watch: &dyn Watch,
        mut each: impl FnMut(u64, RecordId, &[u8]) -> Result<(), DocumentError>,
    ) -> Result<(), DocumentError> {
        let total = self.len();
        self.for_each_line(0..total, |position, id, text| {
            if position % CHUNK == 0 {
                watch.progress(position, total);
                if watch.cancelled() {
                    return Err(DocumentError::Cancelled);
                }
            }
            each(position, id, text)
        })
    }

    /// Gives position, id and text of the records of a set, in the order of the table.
    pub(crate) fn for_each_of(
        &self,
        set: &IdSet,
        mut each: impl FnMut(u64, RecordId, &[u8]) -> Result<(), DocumentError>,
    ) -> Result<(), DocumentError> {
        let mut position = 0;
        for run in self.content.order.all_runs() {
            for part in runs_within(set, run) {
                let first = position + u64::from(part.first - run.first);
                self.lines_of(part, |id, text| each(first + u64::from(id - part.first), id, text))?;
            }
            position += u64::from(run.len);
        }
        Ok(())
    }

    /// The same, some records at once: at most so many, or somewhat more than so many bytes.
    pub(crate) fn batches_of(
        &self,
        set: &IdSet,
        records: usize,
        bytes: usize,
        mut each: impl FnMut(Vec<(u64, RecordId, Vec<u8>)>) -> Result<(), DocumentError>,
    ) -> Result<(), DocumentError> {
        let (mut batch, mut held) = (Vec::new(), 0);
        self.for_each_of(set, |position, id, text| {
            held += text.len();
            batch.push((position, id, text.to_vec()));
            if batch.len() >= records || held >= bytes {
                held = 0;
                each(std::mem::take(&mut batch))?;
            }
            Ok(())
        })?;
        if batch.is_empty() { Ok(()) } else { each(batch) }
    }

    /// The line of an edited record: what did not change keeps its bytes.
    pub(super) fn line_for(&self, position: u64, old: &[u8], record: &Record) -> Result<Vec<u8>, DocumentError> {
        let schema = &self.sources.schema;
        match schema.parse(old) {
            Ok(_) => schema.patch(old, record).map_err(|loss| does_not_fit(position, &loss)),
            Err(_) => self.new_line(position, record),
        }
    }

    pub(super) fn new_line(&self, position: u64, record: &Record) -> Result<Vec<u8>, DocumentError> {
        self.sources.schema.render(record).map_err(|loss| does_not_fit(position, &loss))
    }

    pub(crate) fn row_of(&self, position: u64, id: RecordId, text: Vec<u8>) -> Row {
        Row {
            position,
            id,
            line: (id < FIRST_ADDED).then_some(u64::from(id) + 1),
            record: self.sources.schema.parse(&text),
            text,
            edited: self.content.texts.get(id) != OF_FILE,
            split: self.split_of(id),
        }
    }

    pub fn split_of(&self, id: RecordId) -> Option<SplitKind> {
        self.splits.as_ref().map(|splits| splits.kind(id))
    }

    /// Whether a record has another text than the file, or was added.
    pub fn is_edited(&self, id: RecordId) -> bool {
        self.content.texts.get(id) != OF_FILE
    }

    /// Id and text of each record of a run: from the file as long as neighbours are as they were.
    pub(super) fn lines_of<E: From<DocumentError>>(
        &self,
        run: Run,
        mut each: impl FnMut(RecordId, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut ids = run.ids().peekable();
        while let Some(first) = ids.next() {
            let text = self.content.texts.get(first);
            if text != OF_FILE {
                each(first, &self.sources.journal.read(text)?)?;
                continue;
            }
            if first >= FIRST_ADDED {
                return Err(DocumentError::NoSuchRecord { id: first }.into());
            }
            let mut end = first + 1;
            while ids.next_if(|id| self.content.texts.get(*id) == OF_FILE).is_some() {
                end += 1;
            }
            self.sources.base.lines(first..end, |id, line| each(id, line.text))?;
        }
        Ok(())
    }
}

fn does_not_fit(position: u64, loss: &Loss) -> DocumentError {
    DocumentError::DoesNotFit { position, reason: loss.to_string() }
}
