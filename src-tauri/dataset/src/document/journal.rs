//! The edits, in the order in which they were made: a file that only grows.
//!
//! A line is a checksum, a space and the edit as JSON. The checksum covers the one before it, so a
//! line counts only where all before it do. A line is durable before its edit is seen; what a crash
//! left unfinished at the end is cut off when the journal is opened, and a line that was damaged
//! later is kept aside with all that follows it, never thrown away.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::DocumentError;
use super::files;
use crate::record::Record;

const JOURNAL: &str = "journal";
/// Hexadecimal digits of a checksum.
const CHECK: usize = 16;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Entry {
    Replace { at: u64, record: Record },
    Insert { at: u64, record: Record },
    Delete { at: u64 },
    Undo,
    Redo,
}

/// What was found beyond the last whole edit when a dataset was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes that are no longer in the journal.
    pub dropped_bytes: u64,
    /// Where they were put, if they were more than one unfinished line.
    pub kept_aside: Option<PathBuf>,
}

/// The open journal. It is locked as long as it is held, so a dataset is edited in one place only.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    check: String,
    /// A failed append could not be taken back, so nothing more may follow it.
    unusable: bool,
}

impl Journal {
    /// Creates an empty journal.
    pub fn create(dir: &Path) -> Result<(), DocumentError> {
        let path = dir.join(JOURNAL);
        let file = File::create(&path).map_err(DocumentError::io(&path))?;
        file.sync_all().map_err(DocumentError::io(&path))
    }

    /// Opens the journal and gives each whole edit to `replay`, which says whether it can be.
    pub fn open(
        dir: &Path,
        mut replay: impl FnMut(Entry) -> bool,
    ) -> Result<(Journal, Option<Recovery>), DocumentError> {
        let path = dir.join(JOURNAL);
        let io = || DocumentError::io(&path);
        let file = OpenOptions::new().read(true).append(true).open(&path).map_err(io())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DocumentError::InUse { path: dir.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(io()(source)),
        }
        let mut check = String::new();
        let mut length = 0;
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        loop {
            line.clear();
            reader.read_until(b'\n', &mut line).map_err(io())?;
            let Some((next, entry)) = parse(&line, &check) else {
                break;
            };
            if !replay(entry) {
                break;
            }
            check = next;
            length += line.len() as u64;
        }
        let mut journal = Journal { path: path.clone(), file, length, check, unusable: false };
        let recovery = journal.recover()?;
        Ok((journal, recovery))
    }

    /// Writes an edit down. When this returns without an error, the edit outlives a crash.
    pub fn append(&mut self, entry: &Entry) -> Result<(), DocumentError> {
        if self.unusable {
            return Err(DocumentError::damaged(
                &self.path,
                "an edit could be neither finished nor taken back; open the dataset again",
            ));
        }
        let json = serde_json::to_string(entry).map_err(|error| DocumentError::io(&self.path)(error.into()))?;
        let check = checksum(&self.check, json.as_bytes());
        let line = format!("{check} {json}\n");
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            let taken_back = self.file.set_len(self.length);
            self.unusable = taken_back.is_err();
            return Err(DocumentError::io(&self.path)(source));
        }
        self.length += line.len() as u64;
        self.check = check;
        Ok(())
    }

    /// Cuts off what stands beyond the last whole edit.
    fn recover(&mut self) -> Result<Option<Recovery>, DocumentError> {
        let io = || DocumentError::io(&self.path);
        let size = self.file.metadata().map_err(io())?.len();
        if size == self.length {
            return Ok(None);
        }
        let mut rest = Vec::new();
        self.file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| std::io::Read::read_to_end(&mut self.file, &mut rest))
            .map_err(io())?;
        // A write that a crash broke off leaves one line without its end. Anything more was whole once.
        let kept_aside = if rest.contains(&b'\n') {
            let aside = self.free_name();
            files::write_atomically(&aside, &rest)?;
            Some(aside)
        } else {
            None
        };
        self.file.set_len(self.length).and_then(|()| self.file.sync_all()).map_err(io())?;
        Ok(Some(Recovery { dropped_bytes: rest.len() as u64, kept_aside }))
    }

    fn free_name(&self) -> PathBuf {
        (1..)
            .map(|number| self.path.with_file_name(format!("journal.damaged-{number}")))
            .find(|path| !path.exists())
            .unwrap_or_else(|| self.path.with_file_name("journal.damaged"))
    }
}

/// The checksum and the edit of a whole line whose checksum holds.
fn parse(line: &[u8], before: &str) -> Option<(String, Entry)> {
    let (check, json) = line.strip_suffix(b"\n")?.split_at_checked(CHECK)?;
    let json = json.strip_prefix(b" ")?;
    let expected = checksum(before, json);
    if expected.as_bytes() != check {
        return None;
    }
    Some((expected, serde_json::from_slice(json).ok()?))
}

fn checksum(before: &str, json: &[u8]) -> String {
    let digest = Sha256::new().chain_update(before).chain_update(json).finalize();
    digest[..CHECK / 2].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    fn open(dir: &Path) -> (Journal, Vec<Entry>) {
        let mut entries = Vec::new();
        let (journal, recovery) = Journal::open(dir, |entry| {
            entries.push(entry);
            true
        })
        .unwrap();
        assert_eq!(recovery, None);
        (journal, entries)
    }

    #[test]
    fn what_was_appended_is_replayed_in_order() {
        let home = tempfile::tempdir().unwrap();
        Journal::create(home.path()).unwrap();
        let record = Record::prompt_completion(None, "line\nbreak", "\u{2028}");
        let written = [Entry::Insert { at: 0, record }, Entry::Delete { at: 0 }, Entry::Undo, Entry::Redo];
        let (mut journal, _) = open(home.path());
        for entry in &written {
            journal.append(entry).unwrap();
        }
        drop(journal);
        assert_eq!(open(home.path()).1, written);
    }

    #[test]
    fn nothing_follows_an_edit_that_could_be_neither_finished_nor_taken_back() {
        let home = tempfile::tempdir().unwrap();
        Journal::create(home.path()).unwrap();
        let (mut journal, _) = open(home.path());
        journal.append(&Entry::Delete { at: 7 }).unwrap();
        // A file that may not be written to stands for a disk that fails.
        let good = std::mem::replace(&mut journal.file, File::open(&journal.path).unwrap());
        assert!(matches!(journal.append(&Entry::Undo), Err(DocumentError::Io { .. })));
        journal.file = good;
        assert!(matches!(journal.append(&Entry::Undo), Err(DocumentError::Damaged { .. })));
        drop(journal);
        assert_eq!(open(home.path()).1, [Entry::Delete { at: 7 }]);
    }
}
