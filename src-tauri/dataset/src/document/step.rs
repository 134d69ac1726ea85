//! One undo step: what an edit changed, as it is written to the journal and read from there.

use sha2::{Digest, Sha256};

use super::delta::Delta;
use super::order::{Order, Run};
use super::texts::{OF_FILE, TextRef, Texts};
use crate::ids::{FIRST_ADDED, IdSet, RecordId};

/// A record whose text is another after the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextChange {
    pub id: RecordId,
    pub before: TextRef,
    pub after: TextRef,
    /// Tells the line of the file that the text took the place of; 0 where it was not the file's.
    pub origin: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub label: String,
    /// Where to look after it was made or taken back.
    pub position: u64,
    pub texts: Vec<TextChange>,
    pub delta: Delta,
    /// How many records were ever added once this step is made.
    pub added: u32,
}

/// Everything about a document that edits change.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub order: Order,
    pub texts: Texts,
    /// How many records were ever added. Undone ones keep their ids.
    pub added: u32,
    /// Records of the file.
    pub base: u32,
}

impl Content {
    pub fn of_file(records: u32) -> Content {
        Content { order: Order::of_file(records), texts: Texts::default(), added: 0, base: records }
    }

    /// Makes a step, or says that it belongs to another state and changes nothing.
    #[must_use]
    pub fn make(&mut self, step: &Step) -> bool {
        let exists = |id: RecordId| if id >= FIRST_ADDED { id - FIRST_ADDED < step.added } else { id < self.base };
        let known = step.texts.iter().all(|change| exists(change.id) && self.texts.get(change.id) == change.before);
        if step.added < self.added || !known || !self.order.apply(&step.delta) {
            return false;
        }
        self.added = step.added;
        step.texts.iter().for_each(|change| self.texts.set(change.id, change.after));
        true
    }

    /// Takes the last step back.
    #[must_use]
    pub fn take_back(&mut self, step: &Step) -> bool {
        if !self.order.apply(&step.delta.inverse()) {
            return false;
        }
        step.texts.iter().rev().for_each(|change| self.texts.set(change.id, change.before));
        true
    }

    /// Makes a step again that was taken back.
    #[must_use]
    pub fn make_again(&mut self, step: &Step) -> bool {
        if !self.order.apply(&step.delta) {
            return false;
        }
        step.texts.iter().for_each(|change| self.texts.set(change.id, change.after));
        true
    }
}

impl Step {
    /// How many records it changed, added, moved or took away.
    pub fn records(&self) -> u64 {
        let mut records: IdSet = self.texts.iter().map(|change| change.id).collect();
        for run in self.delta.iter().flat_map(|change| change.removed.iter().chain(change.inserted)) {
            records.insert_range(run.first..=run.first + (run.len - 1));
        }
        records.len()
    }
}

const TEXT: u8 = 1;
const LINK: u8 = 2;
const PLACE: u8 = 3;
const POSITION: u8 = 4;
/// Bytes of a text's item before the text itself; the last four are its length.
pub(super) const TEXT_HEAD: u64 = 25;

/// Tells a line of the file from others; never 0.
pub(super) fn origin(line: &[u8]) -> u64 {
    let digest = Sha256::digest(line);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first) | 1
}

/// The head of a step: its label, and how many records there ever were.
pub(super) fn encode_head(out: &mut Vec<u8>, label: &str, added: u32) {
    let label = &label[..label.floor_char_boundary(usize::from(u8::MAX))];
    out.push(label.len() as u8);
    out.extend_from_slice(label.as_bytes());
    out.extend_from_slice(&added.to_le_bytes());
}

/// A new text. It is found again by the place of its length.
pub(super) fn encode_text(out: &mut Vec<u8>, id: RecordId, before: TextRef, origin: u64, text: &[u8]) {
    out.push(TEXT);
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&before.to_le_bytes());
    out.extend_from_slice(&origin.to_le_bytes());
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text);
}

/// A text that stands in the journal already, or in the file.
pub(super) fn encode_link(out: &mut Vec<u8>, change: TextChange) {
    out.push(LINK);
    out.extend_from_slice(&change.id.to_le_bytes());
    out.extend_from_slice(&change.before.to_le_bytes());
    out.extend_from_slice(&change.after.to_le_bytes());
}

/// Where to look after the step was made or taken back.
pub(super) fn encode_position(out: &mut Vec<u8>, position: u64) {
    out.push(POSITION);
    out.extend_from_slice(&position.to_le_bytes());
}

pub(super) fn encode_delta(out: &mut Vec<u8>, delta: &Delta) {
    for change in delta.iter() {
        out.push(PLACE);
        out.extend_from_slice(&change.skip.to_le_bytes());
        out.extend_from_slice(&(change.removed.len() as u32).to_le_bytes());
        out.extend_from_slice(&(change.inserted.len() as u32).to_le_bytes());
        for run in change.removed.iter().chain(change.inserted) {
            out.extend_from_slice(&run.first.to_le_bytes());
            out.extend_from_slice(&run.len.to_le_bytes());
        }
    }
}

/// Bytes that are taken from the front.
pub(super) struct Bytes<'a> {
    pub rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    pub fn runs(&mut self, count: u32) -> Option<Vec<Run>> {
        let bytes = self.take((count as usize).checked_mul(8)?)?;
        let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let runs = bytes.chunks_exact(8).map(|run| Run { first: word(run), len: word(&run[4..]) });
        // A run beyond the ids there can be is none of ours.
        runs.map(|run| run.first.checked_add(run.len).map(|_| run)).collect()
    }
}

impl Step {
    /// Reads the head of a step.
    pub fn decode_head(bytes: &mut Bytes<'_>) -> Option<Step> {
        let label = usize::from(bytes.u8()?);
        let label = std::str::from_utf8(bytes.take(label)?).ok()?.to_owned();
        Some(Step { label, added: bytes.u32()?, ..Step::default() })
    }

    /// Reads the items of a block whose first byte stands at `offset` of the journal.
    pub fn decode_items(&mut self, bytes: &mut Bytes<'_>, mut offset: u64) -> Option<()> {
        while !bytes.rest.is_empty() {
            let before = bytes.rest.len();
            match bytes.u8()? {
                TEXT => {
                    let (id, was, origin) = (bytes.u32()?, bytes.u64()?, bytes.u64()?);
                    let length = bytes.u32()? as usize;
                    bytes.take(length)?;
                    self.texts.push(TextChange { id, before: was, after: offset + TEXT_HEAD - 4, origin });
                }
                LINK => {
                    let (id, before, after) = (bytes.u32()?, bytes.u64()?, bytes.u64()?);
                    // Only the file's own records can go back to the file's text.
                    (after != OF_FILE || id < FIRST_ADDED).then_some(())?;
                    self.texts.push(TextChange { id, before, after, origin: 0 });
                }
                PLACE => {
                    let (skip, removed, inserted) = (bytes.u64()?, bytes.u32()?, bytes.u32()?);
                    let (removed, inserted) = (bytes.runs(removed)?, bytes.runs(inserted)?);
                    self.delta.push(skip, &removed, &inserted);
                }
                POSITION => self.position = bytes.u64()?,
                _ => return None,
            }
            offset += (before - bytes.rest.len()) as u64;
        }
        Some(())
    }
}
