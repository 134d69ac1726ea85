//! Every change that a person can make to the records. Each call is one undo step.

use std::sync::Arc;

use rayon::prelude::*;

use super::Document;
use super::delta::Delta;
use super::error::DocumentError;
use super::history::{Made, label_in, records_in_words};
use super::journal::StepWriter;
use super::order::Run;
use super::state::{Row, State};
use super::step::Step;
use super::texts::OF_FILE;
use crate::ids::{FIRST_ADDED, IdSet, RecordId};
use crate::record::Record;
use crate::watch::Watch;

/// Records that a bulk edit holds in memory at once, and about how many bytes of them.
const BATCH: usize = 1024;
const BATCH_BYTES: usize = 8 << 20;

/// What a bulk edit makes of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    Keep,
    Replace(Record),
    /// Another line, for a record that is mended as text.
    Line(Vec<u8>),
    Delete,
}

/// What was undone or redone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// In words, with how many records it concerned.
    pub label: String,
    pub records: u64,
    /// Where to look for it.
    pub position: u64,
}

impl From<&Made> for Undone {
    fn from(made: &Made) -> Undone {
        Undone { label: made.label.clone(), records: made.records, position: made.position }
    }
}

impl Document {
    /// Puts another record in the place of one. What did not change keeps its bytes.
    pub fn replace(&mut self, id: RecordId, record: &Record) -> Result<(), DocumentError> {
        self.editable()?;
        let position = self.position(id)?;
        let old = self.state.text_of(id)?;
        let line = self.state.line_for(position, &old, record)?;
        self.put(id, position, &old, &line)
    }

    /// Puts another line in the place of a record's.
    pub fn replace_line(&mut self, id: RecordId, line: &[u8]) -> Result<(), DocumentError> {
        self.editable()?;
        let position = self.position(id)?;
        let old = self.state.text_of(id)?;
        self.put(id, position, &old, line)
    }

    /// Puts records before the one at this position, or at the end, and gives their ids.
    pub fn insert(&mut self, position: u64, records: &[Record]) -> Result<Vec<RecordId>, DocumentError> {
        let lines = records.iter().map(|record| self.state.new_line(position, record));
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        self.insert_lines(position, &lines)
    }

    /// The same with records that are lines already.
    pub fn insert_lines<L: AsRef<[u8]>>(&mut self, position: u64, lines: &[L]) -> Result<Vec<RecordId>, DocumentError> {
        self.editable()?;
        if position > self.len() {
            return Err(DocumentError::OutOfRange { position, records: self.len() });
        }
        let ids = self.new_ids(lines.len() as u64)?;
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let label = counted("Insert", lines.len() as u64);
        self.step(&label, position, ids.len, |step, _| {
            for (id, line) in ids.ids().zip(lines) {
                one_line(line.as_ref())?;
                step.text(id, OF_FILE, b"", line.as_ref())?;
            }
            Ok(Delta::insertion(position, &[ids]))
        })?;
        Ok(ids.ids().collect())
    }

    /// Puts a copy of each record right behind it, and gives the copies' ids in their order.
    pub fn duplicate(&mut self, set: &IdSet) -> Result<Vec<RecordId>, DocumentError> {
        self.editable()?;
        let count = self.state.all().intersection_len(set);
        let ids = self.new_ids(count)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let delta = Delta::duplication(&self.state.content.order, set, ids.first);
        let position = delta.position().unwrap_or_default();
        self.step(&counted("Duplicate", count), position, ids.len, |step, state| {
            let mut copies = ids.ids();
            state.for_each_of(set, |_, _, text| match copies.next() {
                Some(copy) => step.text(copy, OF_FILE, b"", text),
                None => Ok(()),
            })?;
            Ok(delta)
        })?;
        Ok(ids.ids().collect())
    }

    /// Takes records out and says how many there were.
    pub fn delete(&mut self, set: &IdSet) -> Result<u64, DocumentError> {
        self.editable()?;
        let delta = Delta::deletion(&self.state.content.order, set);
        let count = delta.iter().flat_map(|change| change.removed).map(|run| u64::from(run.len)).sum();
        if count > 0 {
            let position = delta.position().unwrap_or_default();
            self.step(&counted("Delete", count), position, 0, |_, _| Ok(delta))?;
        }
        Ok(count)
    }

    /// Brings records together before the one at this position, or at the end, in the order in which
    /// they stand now.
    pub fn move_to(&mut self, set: &IdSet, before: u64) -> Result<u64, DocumentError> {
        self.editable()?;
        if before > self.len() {
            return Err(DocumentError::OutOfRange { position: before, records: self.len() });
        }
        let count = self.state.all().intersection_len(set);
        let delta = Delta::relocation(&self.state.content.order, set, before);
        let mut moved = self.state.content.order.clone();
        if count == 0 || !moved.apply(&delta) || moved.all_runs().eq(self.state.content.order.all_runs()) {
            return Ok(0);
        }
        self.step(&counted("Move", count), before, 0, |_, _| Ok(delta))?;
        Ok(count)
    }

    /// Changes many records as one step and says how many did change. The function is called from
    /// several threads; the records stream through, so their number is not bounded by memory. The
    /// step is called by the label and the number of records.
    pub fn bulk(
        &mut self,
        label: &str,
        set: &IdSet,
        watch: &dyn Watch,
        change: impl Fn(&Row) -> Edit + Sync,
    ) -> Result<u64, DocumentError> {
        self.editable()?;
        let state = self.state();
        let total = set.len();
        let mut position = None;
        let mut changed = 0;
        let mut gone = IdSet::new();
        let mut seen = 0;
        let mut step = self.journal.begin(&label_in(label), state.content.added)?;
        state.batches_of(set, BATCH, BATCH_BYTES, |batch| {
            watch.progress(seen, total);
            if watch.cancelled() {
                return Err(DocumentError::Cancelled);
            }
            seen += batch.len() as u64;
            let edits: Vec<(Row, NewLine)> = batch
                .into_par_iter()
                .map(|(at, id, text)| {
                    let row = state.row_of(at, id, text);
                    let line = new_line(&state, &row, change(&row));
                    (row, line)
                })
                .collect();
            for (row, line) in edits {
                match line? {
                    Some(line) if line == row.text => continue,
                    Some(line) => step.text(row.id, state.content.texts.get(row.id), &row.text, &line)?,
                    None => {
                        gone.insert(row.id);
                    }
                }
                position.get_or_insert(row.position);
                changed += 1;
            }
            Ok(())
        })?;
        let Some(position) = position else {
            return Ok(0);
        };
        let (at, step) = step.finish(position, Delta::deletion(&state.content.order, &gone))?;
        drop(state);
        self.made(at, &step)?;
        Ok(changed)
    }

    pub fn can_undo(&self) -> bool {
        self.history.last().is_some()
    }

    pub fn can_redo(&self) -> bool {
        self.history.next().is_some()
    }

    /// What undo would take back, in words.
    pub fn undo_label(&self) -> Option<&str> {
        self.history.last().map(|step| step.label.as_str())
    }

    pub fn redo_label(&self) -> Option<&str> {
        self.history.next().map(|step| step.label.as_str())
    }

    /// Takes the last step back; `None` at the opening.
    pub fn undo(&mut self) -> Result<Option<Undone>, DocumentError> {
        let Some(made) = self.history.last() else {
            return Ok(None);
        };
        let undone = Undone::from(made);
        let step = self.journal.read_step(made.at)?;
        self.journal.undo()?;
        if !Arc::make_mut(&mut self.state.content).take_back(&step) {
            return Err(self.journal.lost());
        }
        self.history.back();
        self.state.number = self.history.state();
        Ok(Some(undone))
    }

    /// Makes the step again that was taken back last.
    pub fn redo(&mut self) -> Result<Option<Undone>, DocumentError> {
        let Some(made) = self.history.next() else {
            return Ok(None);
        };
        let undone = Undone::from(made);
        let step = self.journal.read_step(made.at)?;
        self.journal.redo()?;
        if !Arc::make_mut(&mut self.state.content).make_again(&step) {
            return Err(self.journal.lost());
        }
        self.history.forth();
        self.state.number = self.history.state();
        self.settle_added()?;
        Ok(Some(undone))
    }

    fn put(&mut self, id: RecordId, position: u64, old: &[u8], line: &[u8]) -> Result<(), DocumentError> {
        one_line(line)?;
        if line == old {
            return Ok(());
        }
        self.step("Edit record", position, 0, |step, state| {
            step.text(id, state.content.texts.get(id), old, line)?;
            Ok(Delta::default())
        })
    }

    /// Writes a step down and makes it.
    pub(super) fn step(
        &mut self,
        label: &str,
        position: u64,
        new_records: u32,
        write: impl FnOnce(&mut StepWriter<'_>, &State) -> Result<Delta, DocumentError>,
    ) -> Result<(), DocumentError> {
        let added = self.state.content.added + new_records;
        let mut writer = self.journal.begin(label, added)?;
        let delta = write(&mut writer, &self.state)?;
        let (at, step) = writer.finish(position, delta)?;
        self.made(at, &step)
    }

    fn made(&mut self, at: u64, step: &Step) -> Result<(), DocumentError> {
        if !Arc::make_mut(&mut self.state.content).make(step) {
            return Err(self.journal.lost());
        }
        self.history.push(at, step);
        self.state.number = self.history.state();
        self.settle_added()
    }

    /// Records that are there for the first time get their split.
    fn settle_added(&mut self) -> Result<(), DocumentError> {
        let all = self.state.splits.as_ref().is_none_or(|split| split.is_settled(self.state.content.added));
        if all { Ok(()) } else { self.settle_split() }
    }

    pub(super) fn editable(&self) -> Result<(), DocumentError> {
        if self.indexed { Ok(()) } else { Err(DocumentError::Indexing) }
    }

    fn position(&self, id: RecordId) -> Result<u64, DocumentError> {
        self.state.position_of(id).ok_or(DocumentError::NoSuchRecord { id })
    }

    fn new_ids(&self, count: u64) -> Result<Run, DocumentError> {
        let added = self.state.content.added;
        let len = u32::try_from(count).ok().filter(|len| len.checked_add(added).is_some_and(|all| all < FIRST_ADDED));
        let len = len.ok_or(DocumentError::TooMany)?;
        Ok(Run { first: FIRST_ADDED + added, len })
    }
}

/// The line that a bulk edit gives a record; none where it goes.
type NewLine = Result<Option<Vec<u8>>, DocumentError>;

fn new_line(state: &State, row: &Row, edit: Edit) -> NewLine {
    match edit {
        Edit::Keep => Ok(Some(row.text.clone())),
        Edit::Replace(record) => state.line_for(row.position, &row.text, &record).map(Some),
        Edit::Line(line) => one_line(&line).map(|()| Some(line)),
        Edit::Delete => Ok(None),
    }
}

fn one_line(line: &[u8]) -> Result<(), DocumentError> {
    if line.contains(&b'\n') || line.contains(&b'\r') {
        return Err(DocumentError::NotOneLine);
    }
    Ok(())
}

fn counted(verb: &str, count: u64) -> String {
    match count {
        1 => format!("{verb} record"),
        _ => format!("{verb} {}", records_in_words(count)),
    }
}
