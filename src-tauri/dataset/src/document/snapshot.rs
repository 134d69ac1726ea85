//! States with a name, and the way back to them.
//!
//! A snapshot is small: the order of the records and where their texts stand. The texts themselves
//! are in the file as it was opened and in the journal, neither of which ever loses any.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Document;
use super::delta::Delta;
use super::error::DocumentError;
use super::files;
use super::order::Order;
use super::state::State;
use super::step::{Bytes, Content, TextChange};
use super::texts::{OF_FILE, Texts};
use crate::ids::FIRST_ADDED;

const LIST: &str = "snapshots.json";
const MAGIC: &[u8; 8] = b"WSSNAP01";
const DIGEST: usize = 32;

/// A state that was given a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotInfo {
    /// Names the snapshot within its dataset; never given twice.
    pub number: u32,
    pub name: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    pub records: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct List {
    next: u32,
    /// The content that the snapshots are of: a reload begins another.
    epoch: u32,
    snapshots: Vec<Kept>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    info: SnapshotInfo,
    /// Bytes of the journal when it was taken. Its texts stand before.
    journal: u64,
}

impl Document {
    /// Keeps the present state under a name.
    pub fn take_snapshot(&mut self, name: String, created_at: i64) -> Result<SnapshotInfo, DocumentError> {
        self.editable()?;
        let mut list = self.snapshot_list()?;
        let info = SnapshotInfo { number: list.next, name, created_at, records: self.len() };
        let bytes = encode(&self.state.content);
        files::write_atomically(&*self.files, &self.snapshot_path(info.number), &bytes)?;
        list.next += 1;
        list.snapshots.push(Kept { info: info.clone(), journal: self.journal.length() });
        self.store_snapshots(&list)?;
        Ok(info)
    }

    /// The oldest first.
    pub fn snapshots(&self) -> Result<Vec<SnapshotInfo>, DocumentError> {
        Ok(self.snapshot_list()?.snapshots.into_iter().map(|kept| kept.info).collect())
    }

    pub fn delete_snapshot(&mut self, number: u32) -> Result<(), DocumentError> {
        let mut list = self.snapshot_list()?;
        list.snapshots.retain(|kept| kept.info.number != number);
        self.store_snapshots(&list)?;
        files::remove_if_there(&*self.files, &self.snapshot_path(number))
    }

    /// The dataset as it was when the snapshot was taken.
    pub fn snapshot_state(&self, number: u32) -> Result<State, DocumentError> {
        let path = self.snapshot_path(number);
        if !self.snapshots()?.iter().any(|info| info.number == number) {
            return Err(DocumentError::NoSuchSnapshot { number });
        }
        let bytes = std::fs::read(&path).map_err(DocumentError::io(&path))?;
        let known = self.journal.length();
        let content = decode(&bytes, self.state.content.base, known)
            .ok_or_else(|| DocumentError::damaged(&path, "it is no snapshot of this dataset"))?;
        // A state with a number of its own: it may be one that undo has left behind.
        Ok(State { content: Arc::new(content), number: u64::MAX - u64::from(number), ..self.state.clone() })
    }

    /// The dataset as it was opened, to compare with.
    pub fn opening_state(&self) -> State {
        let content = Content::of_file(self.state.content.base);
        State { content: Arc::new(content), number: 0, ..self.state.clone() }
    }

    /// Goes back to a snapshot, as a step that can be undone. Says whether anything changed.
    pub fn restore_snapshot(&mut self, number: u32) -> Result<bool, DocumentError> {
        self.editable()?;
        let name = self.snapshots()?.into_iter().find(|info| info.number == number);
        let name = name.ok_or(DocumentError::NoSuchSnapshot { number })?.name;
        let wanted = self.snapshot_state(number)?.content;
        let now = Arc::clone(&self.state.content);
        let delta = Delta::between(&now.order, &wanted.order);
        let ids = now.texts.iter().chain(wanted.texts.iter()).map(|(id, _)| id);
        let changes = ids.filter_map(|id| {
            let (before, after) = (now.texts.get(id), wanted.texts.get(id));
            let differs = before != after && (after != OF_FILE || id < FIRST_ADDED);
            differs.then_some(TextChange { id, before, after, origin: 0 })
        });
        let mut changes: Vec<TextChange> = changes.collect();
        changes.sort_unstable_by_key(|change| change.id);
        changes.dedup();
        if changes.is_empty() && delta.is_empty() {
            return Ok(false);
        }
        let position = delta.position().unwrap_or_default();
        self.step(&format!("Restore “{name}”"), position, 0, |step, _| {
            changes.into_iter().try_for_each(|change| step.link(change))?;
            Ok(delta)
        })?;
        Ok(true)
    }

    /// Forgets snapshots whose texts are no longer in the journal, and gives their names.
    pub(super) fn drop_lost_snapshots(&mut self) -> Result<Vec<String>, DocumentError> {
        let mut lost = Vec::new();
        for kept in self.snapshot_list()?.snapshots {
            if kept.journal > self.journal.length() {
                self.delete_snapshot(kept.info.number)?;
                lost.push(kept.info.name);
            }
        }
        Ok(lost)
    }

    fn snapshot_list(&self) -> Result<List, DocumentError> {
        let path = self.dir.join(LIST);
        let list: List = match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| DocumentError::damaged(&path, error.to_string()))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => List::default(),
            Err(error) => return Err(DocumentError::io(&path)(error)),
        };
        if list.epoch == self.stored.epoch {
            return Ok(list);
        }
        Ok(List { next: list.next, epoch: self.stored.epoch, snapshots: Vec::new() })
    }

    fn store_snapshots(&self, list: &List) -> Result<(), DocumentError> {
        let path = self.dir.join(LIST);
        let json = serde_json::to_vec(list).map_err(|error| DocumentError::io(&path)(error.into()))?;
        files::write_atomically(&*self.files, &path, &json)
    }

    fn snapshot_path(&self, number: u32) -> PathBuf {
        self.dir.join(format!("snapshot-{number}"))
    }
}

fn encode(content: &Content) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&content.base.to_le_bytes());
    out.extend_from_slice(&content.added.to_le_bytes());
    out.extend_from_slice(&(content.order.all_runs().count() as u32).to_le_bytes());
    for run in content.order.all_runs() {
        out.extend_from_slice(&run.first.to_le_bytes());
        out.extend_from_slice(&run.len.to_le_bytes());
    }
    for (id, text) in content.texts.iter() {
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&text.to_le_bytes());
    }
    let digest = Sha256::digest(&out);
    out.extend_from_slice(&digest);
    out
}

fn decode(bytes: &[u8], base: u32, journal: u64) -> Option<Content> {
    let (body, digest) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST)?)?;
    if Sha256::digest(body)[..] != *digest {
        return None;
    }
    let mut bytes = Bytes { rest: body.strip_prefix(MAGIC)? };
    let of = bytes.u32()?;
    let added = bytes.u32()?;
    let count = bytes.u32()?;
    let order = Order::from_runs(bytes.runs(count)?);
    let mut texts = Texts::default();
    while !bytes.rest.is_empty() {
        let (id, text) = (bytes.u32()?, bytes.u64()?);
        (text < journal).then_some(())?;
        texts.set(id, text);
    }
    (of == base).then_some(Content { order, texts, added, base })
}
