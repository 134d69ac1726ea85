//! What is different between two states, record by record.

use std::ops::Range;
use std::sync::Arc;

use super::error::DocumentError;
use super::state::State;
use crate::ids::RecordId;
use crate::watch::Watch;

/// Records between two looks at the watch.
const STRIDE: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffKind {
    Added,
    Removed,
    Changed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiffCounts {
    pub added: u64,
    pub removed: u64,
    pub changed: u64,
    /// Whether records that are in both stand in another order.
    pub reordered: bool,
}

/// One record that differs, with its line in either state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffEntry {
    pub kind: DiffKind,
    pub id: RecordId,
    pub before: Option<Vec<u8>>,
    pub after: Option<Vec<u8>>,
}

/// The difference between two states of one dataset.
#[derive(Debug, Clone)]
pub struct Diff {
    old: State,
    new: State,
    /// Added and changed records in the new order, then the removed ones in the old.
    entries: Vec<(DiffKind, RecordId)>,
    counts: DiffCounts,
}

/// Compares two states of one dataset. Records that are the same in both are not even read.
pub fn diff(old: &State, new: &State, watch: &dyn Watch) -> Result<Diff, DocumentError> {
    let (before, after) = (old.all(), new.all());
    let total = new.len() + old.len();
    let mut entries = Vec::new();
    let mut counts = DiffCounts::default();
    let same_sources = Arc::ptr_eq(&old.sources, &new.sources);
    let ids = new.runs().chain(old.runs()).flat_map(super::Run::ids);
    for (number, id) in ids.enumerate() {
        if number % STRIDE == 0 {
            watch.progress(number as u64, total);
            if watch.cancelled() {
                return Err(DocumentError::Cancelled);
            }
        }
        let kind = if (number as u64) < new.len() {
            if !before.contains(id) {
                counts.added += 1;
                DiffKind::Added
            } else if (same_sources && old.content.texts.get(id) == new.content.texts.get(id))
                || old.text_of(id)? == new.text_of(id)?
            {
                continue;
            } else {
                counts.changed += 1;
                DiffKind::Changed
            }
        } else if after.contains(id) {
            continue;
        } else {
            counts.removed += 1;
            DiffKind::Removed
        };
        entries.push((kind, id));
    }
    let kept_old = old.runs().flat_map(super::Run::ids).filter(|id| after.contains(*id));
    let kept_new = new.runs().flat_map(super::Run::ids).filter(|id| before.contains(*id));
    counts.reordered = !kept_old.eq(kept_new);
    Ok(Diff { old: old.clone(), new: new.clone(), entries, counts })
}

impl Diff {
    pub fn counts(&self) -> DiffCounts {
        self.counts
    }

    pub fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where the records of a kind stand among all that differ; of every kind for `None`.
    pub fn of_kind(&self, kind: Option<DiffKind>) -> Vec<usize> {
        let entries = self.entries.iter().enumerate();
        entries.filter(|(_, entry)| kind.is_none_or(|kind| kind == entry.0)).map(|(index, _)| index).collect()
    }

    /// Some of the records that differ, with their lines.
    pub fn window(&self, window: Range<u64>) -> Result<Vec<DiffEntry>, DocumentError> {
        self.entries(&self.of_kind(None), window)
    }

    /// A window of the records that stand at these places.
    pub fn entries(&self, places: &[usize], window: Range<u64>) -> Result<Vec<DiffEntry>, DocumentError> {
        let end = window.end.min(places.len() as u64) as usize;
        let start = (window.start as usize).min(end);
        let entries = places[start..end].iter().filter_map(|place| self.entries.get(*place)).map(|(kind, id)| {
            let before = if *kind == DiffKind::Added { None } else { Some(self.old.text_of(*id)?) };
            let after = if *kind == DiffKind::Removed { None } else { Some(self.new.text_of(*id)?) };
            Ok(DiffEntry { kind: *kind, id: *id, before, after })
        });
        entries.collect()
    }
}
