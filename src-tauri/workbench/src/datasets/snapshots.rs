//! Snapshots: states of a dataset that have a name, and what lies between them and now.

use std::sync::Arc;

use similar::{ChangeTag, TextDiff};
use whetstone_contract::{
    AppError, Change, DatasetPart, DiffEntry, DiffKind, DiffPart, DiffPartKind, DiffRequest, DiffTurn, DiffWindow,
    NewSnapshot, Snapshot, SnapshotRequest,
};
use whetstone_dataset as dataset;
use whetstone_dataset::{Record, SnapshotInfo, State, diff};

use super::edits::change;
use super::{Datasets, from_document};
use crate::background::{Standing, complete};

const MOST_ENTRIES: u32 = 100;
/// Texts longer than this are compared as a whole: a diff by words of a book tells nobody anything.
const MOST_WORDS_FROM: usize = 50_000;

impl Datasets {
    pub async fn snapshots(self: &Arc<Self>, id: String) -> Result<Vec<Snapshot>, AppError> {
        self.work(id, |opened| {
            let taken = opened.document().snapshots().map_err(|error| from_document(&error))?;
            Ok(taken.into_iter().map(show).collect())
        })
        .await
    }

    pub async fn create_snapshot(self: &Arc<Self>, asked: NewSnapshot, now: i64) -> Result<Snapshot, AppError> {
        self.work(asked.dataset, move |opened| {
            opened.whole()?;
            let taken = opened.document().take_snapshot(asked.name.trim().to_owned(), now);
            opened.tell_changed();
            taken.map(show).map_err(|error| from_document(&error))
        })
        .await
    }

    pub async fn delete_snapshot(self: &Arc<Self>, asked: SnapshotRequest) -> Result<(), AppError> {
        self.work(asked.dataset, move |opened| {
            let deleted = opened.document().delete_snapshot(number(&asked.snapshot));
            opened.tell_changed();
            deleted.map_err(|error| from_document(&error))
        })
        .await
    }

    pub async fn restore_snapshot(self: &Arc<Self>, asked: SnapshotRequest) -> Result<Change, AppError> {
        self.work(asked.dataset, move |opened| {
            let restored = opened.document().restore_snapshot(number(&asked.snapshot));
            let restored = u64::from(restored.map_err(|error| from_document(&error))?);
            opened.arranged();
            let position = (!opened.document().is_empty()).then_some(0);
            change(opened, restored, 0, position, true)
        })
        .await
    }

    pub async fn diff_snapshot(self: &Arc<Self>, asked: DiffRequest) -> Result<DiffWindow, AppError> {
        self.work(asked.dataset, move |opened| {
            let new = opened.whole()?;
            let old =
                opened.document().snapshot_state(number(&asked.snapshot)).map_err(|error| from_document(&error))?;
            let standing = opened.diffs.ask(
                (opened.edition(), asked.snapshot),
                || opened.watched("Compare with a snapshot", "Comparing", DatasetPart::Snapshots),
                {
                    let (old, new) = (old.clone(), new.clone());
                    move |watched| diff(&old, &new, watched).map_err(|error| from_document(&error))
                },
            )?;
            let mut window = DiffWindow {
                added: 0,
                removed: 0,
                changed: 0,
                reordered: false,
                coverage: complete(),
                total: 0,
                offset: asked.offset,
                entries: Vec::new(),
            };
            let found = match standing {
                Standing::Ready(found) => found,
                Standing::UnderWay(coverage, _) => {
                    window.coverage = coverage;
                    return Ok(window);
                }
            };
            let counts = found.counts();
            (window.added, window.removed, window.changed) = (counts.added, counts.removed, counts.changed);
            window.reordered = counts.reordered;
            let wanted = found.of_kind(asked.kind.map(kind));
            window.total = wanted.len() as u64;
            let range = asked.offset..asked.offset.saturating_add(u64::from(asked.count.min(MOST_ENTRIES)));
            let entries = found.entries(&wanted, range).map_err(|error| from_document(&error))?;
            window.entries = entries.iter().map(|entry| show_entry(entry, &old, &new)).collect();
            Ok(window)
        })
        .await
    }
}

fn number(id: &str) -> u32 {
    // An id that is no number belongs to no snapshot, and so is refused as one that is not there.
    id.parse().unwrap_or(u32::MAX)
}

fn show(info: SnapshotInfo) -> Snapshot {
    Snapshot {
        id: info.number.to_string(),
        name: info.name,
        created_at: info.created_at,
        records: info.records,
        automatic: false,
    }
}

fn kind(kind: DiffKind) -> dataset::DiffKind {
    match kind {
        DiffKind::Added => dataset::DiffKind::Added,
        DiffKind::Removed => dataset::DiffKind::Removed,
        DiffKind::Changed => dataset::DiffKind::Changed,
    }
}

fn show_entry(entry: &dataset::DiffEntry, old: &State, new: &State) -> DiffEntry {
    let schema = new.schema();
    let before = entry.before.as_deref().and_then(|line| schema.parse(line).ok());
    let after = entry.after.as_deref().and_then(|line| schema.parse(line).ok());
    DiffEntry {
        kind: match entry.kind {
            dataset::DiffKind::Added => DiffKind::Added,
            dataset::DiffKind::Removed => DiffKind::Removed,
            dataset::DiffKind::Changed => DiffKind::Changed,
        },
        before: entry.before.as_ref().and_then(|_| old.position_of(entry.id)),
        after: entry.after.as_ref().and_then(|_| new.position_of(entry.id)),
        turns: compared(before.as_ref(), after.as_ref()),
    }
}

/// Turn beside turn, as they stand.
fn compared(before: Option<&Record>, after: Option<&Record>) -> Vec<DiffTurn> {
    let turns = |record: Option<&Record>| record.map(|record| record.turns.clone()).unwrap_or_default();
    let (before, after) = (turns(before), turns(after));
    (0..before.len().max(after.len()))
        .map(|index| {
            let (old, new) = (before.get(index), after.get(index));
            let text = |turn: Option<&dataset::Turn>| turn.map(|turn| turn.text().into_owned()).unwrap_or_default();
            DiffTurn {
                role: new.or(old).map(|turn| turn.role.as_str().to_owned()).unwrap_or_default(),
                parts: parts(&text(old), &text(new)),
            }
        })
        .collect()
}

fn parts(old: &str, new: &str) -> Vec<DiffPart> {
    let part = |kind, text: &str| DiffPart { kind, text: text.to_owned() };
    if old == new {
        return vec![part(DiffPartKind::Same, new)];
    }
    if old.len().max(new.len()) > MOST_WORDS_FROM {
        return vec![part(DiffPartKind::Removed, old), part(DiffPartKind::Added, new)];
    }
    let mut parts: Vec<DiffPart> = Vec::new();
    for change in TextDiff::from_words(old, new).iter_all_changes() {
        let kind = match change.tag() {
            ChangeTag::Equal => DiffPartKind::Same,
            ChangeTag::Delete => DiffPartKind::Removed,
            ChangeTag::Insert => DiffPartKind::Added,
        };
        match parts.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(change.value()),
            _ => parts.push(part(kind, change.value())),
        }
    }
    parts
}
