//! What each record is used for, kept by the id of the record so that edits do not shift it.
//!
//! A split that a job used is frozen: it is kept, and only a new split can take its place. A record
//! that is added later gets its split by its id, or by its group, the same each time it is asked.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::DocumentError;
use super::files::{self, FileLayer};
use super::order::Run;
use super::texts::OF_FILE;
use super::{Document, State};
use crate::ids::{FIRST_ADDED, RecordId};
use crate::split::{SplitBy, SplitError, SplitKind, SplitPlan, hash, split};
use crate::view::{BATCH, BATCH_BYTES};
use crate::watch::Watch;

const SPLIT: &str = "split.json";
/// A record whose split is not settled yet.
const OPEN: u8 = b'?';

/// How many records each split has, and how it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitCounts {
    pub training: u64,
    pub validation: u64,
    pub hold_out: u64,
    pub plan: SplitPlan,
    /// The jobs that used it; it does not change any more where there is one.
    pub frozen_by: Vec<String>,
}

/// The split of a dataset, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Assignment {
    pub plan: SplitPlan,
    /// The content that it is of: a reload begins another.
    epoch: u32,
    pub frozen_by: Vec<String>,
    /// A letter for each record of the file.
    kinds: String,
    /// A letter for each record that was added before the split was made.
    added: String,
    /// How many records it was drawn from, and how many were set aside.
    records: u64,
    validation: u64,
    hold_out: u64,
    /// The groups that were set aside.
    validation_groups: HashSet<u64>,
    hold_out_groups: HashSet<u64>,
}

impl Assignment {
    fn draw(state: &State, plan: &SplitPlan, epoch: u32, watch: &dyn Watch) -> Result<Assignment, DocumentError> {
        let ids: Vec<RecordId> = state.runs().flat_map(Run::ids).collect();
        let keys = keys(state, plan, watch)?;
        let drawn = split(&keys, plan)?;
        let mut kinds = vec![b't'; state.content.base as usize];
        let mut added = vec![OPEN; state.content.added as usize];
        let mut assignment = Assignment {
            plan: plan.clone(),
            epoch,
            frozen_by: Vec::new(),
            kinds: String::new(),
            added: String::new(),
            records: ids.len() as u64,
            validation: 0,
            hold_out: 0,
            validation_groups: HashSet::new(),
            hold_out_groups: HashSet::new(),
        };
        let by_group = matches!(plan.by, SplitBy::Grouped(_));
        for ((id, kind), key) in ids.into_iter().zip(drawn).zip(keys) {
            match id.checked_sub(FIRST_ADDED) {
                None => kinds[id as usize] = letter(kind),
                Some(number) => added[number as usize] = letter(kind),
            }
            let (count, groups) = match kind {
                SplitKind::Training => continue,
                SplitKind::Validation => (&mut assignment.validation, &mut assignment.validation_groups),
                SplitKind::HoldOut => (&mut assignment.hold_out, &mut assignment.hold_out_groups),
            };
            *count += 1;
            if by_group {
                groups.insert(key);
            }
        }
        assignment.kinds = kinds.into_iter().map(char::from).collect();
        assignment.added = added.into_iter().map(char::from).collect();
        Ok(assignment)
    }

    pub fn kind(&self, id: RecordId) -> SplitKind {
        let letter = match id.checked_sub(FIRST_ADDED) {
            None => self.kinds.as_bytes().get(id as usize),
            Some(number) => self.added.as_bytes().get(number as usize),
        };
        match letter {
            Some(b'v') => SplitKind::Validation,
            Some(b'h') => SplitKind::HoldOut,
            _ => SplitKind::Training,
        }
    }

    /// Whether every record that was ever added has its split.
    pub fn is_settled(&self, added: u32) -> bool {
        self.added.len() == added as usize && !self.added.as_bytes().contains(&OPEN)
    }

    /// Settles the split of records that were added since. Of a group, the text that it was added with
    /// decides: editing a record does not move it from one split to another.
    fn settle(&mut self, state: &State) -> Result<(), DocumentError> {
        let content = &state.content;
        let mut added = std::mem::take(&mut self.added).into_bytes();
        added.resize(content.added as usize, OPEN);
        for (number, place) in added.iter_mut().enumerate().filter(|(_, letter)| **letter == OPEN) {
            let id = FIRST_ADDED + number as u32;
            let text = content.texts.get(id);
            if text == OF_FILE {
                continue;
            }
            let kind = match &self.plan.by {
                SplitBy::Grouped(key) => {
                    let first = state.sources.journal.read(state.sources.journal.first(text)?)?;
                    let record = state.schema().parse(&first).unwrap_or_default();
                    self.kind_of_group(key.hash(&record))
                }
                _ => self.kind_by_chance(id),
            };
            *place = letter(kind);
        }
        self.added = added.into_iter().map(char::from).collect();
        Ok(())
    }

    /// A group that was not set aside is for training: it may have records there already.
    fn kind_of_group(&self, group: u64) -> SplitKind {
        if self.hold_out_groups.contains(&group) {
            SplitKind::HoldOut
        } else if self.validation_groups.contains(&group) {
            SplitKind::Validation
        } else {
            SplitKind::Training
        }
    }

    fn kind_by_chance(&self, id: RecordId) -> SplitKind {
        let drawn = u128::from(hash(self.plan.seed, &id.to_le_bytes())) * u128::from(self.records.max(1));
        let place = (drawn >> 64) as u64;
        if place < self.hold_out {
            SplitKind::HoldOut
        } else if place < self.hold_out + self.validation {
            SplitKind::Validation
        } else {
            SplitKind::Training
        }
    }

    /// The stored split, unless it is of other content.
    pub fn load(dir: &Path, epoch: u32) -> Result<Option<Assignment>, DocumentError> {
        let path = dir.join(SPLIT);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DocumentError::io(&path)(error)),
        };
        let stored: Result<Assignment, _> = serde_json::from_slice(&bytes);
        let stored = stored.map_err(|error| DocumentError::damaged(&path, error.to_string()))?;
        Ok((stored.epoch == epoch).then_some(stored))
    }

    fn store(&self, files: &dyn FileLayer, path: &Path) -> Result<(), DocumentError> {
        let bytes = serde_json::to_vec(self).map_err(|error| DocumentError::io(path)(error.into()))?;
        files::write_atomically(files, path, &bytes)
    }
}

fn letter(kind: SplitKind) -> u8 {
    match kind {
        SplitKind::Training => b't',
        SplitKind::Validation => b'v',
        SplitKind::HoldOut => b'h',
    }
}

/// The values of the plan's key in the order of the table; a broken line has the empty one.
fn keys(state: &State, plan: &SplitPlan, watch: &dyn Watch) -> Result<Vec<u64>, DocumentError> {
    let Some(key) = plan.key() else { return Ok(vec![0; state.len() as usize]) };
    let mut keys = Vec::with_capacity(state.len() as usize);
    state.batches_of(&state.all(), BATCH, BATCH_BYTES, |batch| {
        watch.progress(keys.len() as u64, state.len());
        if watch.cancelled() {
            return Err(DocumentError::Cancelled);
        }
        let hashed =
            batch.into_par_iter().map(|(_, _, text)| key.hash(&state.schema().parse(&text).unwrap_or_default()));
        keys.extend(hashed.collect::<Vec<u64>>());
        Ok(())
    })?;
    Ok(keys)
}

impl Document {
    /// Draws the split anew over the records there are. One that a job used is refused.
    pub fn assign_split(&mut self, plan: &SplitPlan, watch: &dyn Watch) -> Result<SplitCounts, DocumentError> {
        if let Some(split) = self.state.splits.as_ref().filter(|split| !split.frozen_by.is_empty()) {
            return Err(SplitError::Frozen { jobs: split.frozen_by.clone() }.into());
        }
        self.draw_split(plan, watch)
    }

    /// Draws a new split; one that a job used is kept beside it.
    pub fn new_split(&mut self, plan: &SplitPlan, watch: &dyn Watch) -> Result<SplitCounts, DocumentError> {
        if let Some(split) = self.state.splits.as_ref().filter(|split| !split.frozen_by.is_empty()) {
            let names = (1..).map(|number| self.dir.join(format!("split-{number}.json")));
            if let Some(kept) = names.into_iter().find(|path| !path.exists()) {
                split.store(&*self.files, &kept)?;
            }
        }
        self.draw_split(plan, watch)
    }

    /// Notes that a job uses the split, which therefore stays as it is.
    pub fn freeze_split(&mut self, job: &str) -> Result<(), DocumentError> {
        let split = self.state.splits.as_deref().ok_or(SplitError::NotSplit)?;
        let mut frozen = split.clone();
        if !frozen.frozen_by.iter().any(|known| known == job) {
            frozen.frozen_by.push(job.to_owned());
            frozen.store(&*self.files, &self.dir.join(SPLIT))?;
            self.state.splits = Some(Arc::new(frozen));
        }
        Ok(())
    }

    /// How many records each split has now; `None` before the dataset was split.
    pub fn split_counts(&self) -> Option<SplitCounts> {
        let split = self.state.splits.as_ref()?;
        let mut counts = SplitCounts {
            training: 0,
            validation: 0,
            hold_out: 0,
            plan: split.plan.clone(),
            frozen_by: split.frozen_by.clone(),
        };
        for id in self.state.runs().flat_map(Run::ids) {
            match split.kind(id) {
                SplitKind::Training => counts.training += 1,
                SplitKind::Validation => counts.validation += 1,
                SplitKind::HoldOut => counts.hold_out += 1,
            }
        }
        Some(counts)
    }

    fn draw_split(&mut self, plan: &SplitPlan, watch: &dyn Watch) -> Result<SplitCounts, DocumentError> {
        self.editable()?;
        let drawn = Assignment::draw(&self.state, plan, self.stored.epoch, watch)?;
        drawn.store(&*self.files, &self.dir.join(SPLIT))?;
        self.state.splits = Some(Arc::new(drawn));
        self.settle_split()?;
        self.split_counts().ok_or(SplitError::NotSplit.into())
    }

    /// Gives added records their split. It follows from what is stored, so it is not stored again.
    pub(super) fn settle_split(&mut self) -> Result<(), DocumentError> {
        let mut splits = self.state.splits.take();
        let settled = splits.as_mut().map_or(Ok(()), |split| Arc::make_mut(split).settle(&self.state));
        self.state.splits = splits;
        settled
    }
}
