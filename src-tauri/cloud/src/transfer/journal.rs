//! What is written down of a transfer, so that it can go on after any end of the program.
//!
//! One file of JSON lines, appended to. A line that leads to something at the service that would be left behind (that an
//! upload is begun, and its id) is on the disk before it is used. A line about a part or a file that arrived is written at
//! once and reaches the disk with the next of those: should it be lost, the service's own list tells of it.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::local;
use crate::{CloudError, CloudErrorCode};

/// Which state of a file this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) size: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: i128,
}

impl Stamp {
    pub(super) fn of(metadata: &std::fs::Metadata) -> Self {
        let modified = metadata.modified().ok().map_or(0, |time| match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => i128::try_from(after.as_nanos()).unwrap_or(0),
            Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(0),
        });
        Self { size: metadata.len(), modified }
    }
}

/// A line. `of` is the place in S3, as an address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    /// An upload in parts is about to be created.
    Begun {
        of: String,
        stamp: Stamp,
        part: u64,
    },
    /// It was created.
    Upload {
        of: String,
        id: String,
    },
    Part {
        of: String,
        number: u32,
        etag: String,
        crc: u64,
    },
    /// A download in ranges is about to begin.
    Object {
        of: String,
        size: u64,
        etag: String,
    },
    Range {
        of: String,
        index: u64,
        crc: u64,
    },
    Done {
        of: String,
        stamp: Stamp,
    },
    /// What was written down of it counts no more.
    Forgotten {
        of: String,
    },
}

/// What the lines of one place come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Known {
    pub(super) begun: Option<(Stamp, u64)>,
    pub(super) id: Option<String>,
    pub(super) parts: HashMap<u32, (String, u64)>,
    pub(super) object: Option<(u64, String)>,
    pub(super) ranges: HashMap<u64, u64>,
    pub(super) done: Option<Stamp>,
}

#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    known: Mutex<HashMap<String, Known>>,
}

impl Journal {
    /// Opens the journal, or begins one. A last line that was cut by the end of the program is taken away.
    pub(super) fn open(path: &Path) -> Result<Self, CloudError> {
        let trouble = |error: std::io::Error| local("Journal", path, &error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(trouble)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(trouble)?;
        if file.try_lock().is_err() {
            let message = format!("{} is in use: this transfer is under way already", path.display());
            return Err(CloudError::new("Journal", CloudErrorCode::Conflict, message));
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(trouble)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(trouble)?;
        }
        let mut known: HashMap<String, Known> = HashMap::new();
        for line in text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let entry = serde_json::from_slice(line).map_err(|error| local("Journal", path, &error))?;
            learn(&mut known, entry);
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), known: Mutex::new(known) })
    }

    pub(super) fn known(&self, of: &str) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(of).cloned().unwrap_or_default()
    }

    /// Uploads that were begun and are neither complete nor forgotten: place and, where it is known, id.
    pub(super) fn unfinished(&self) -> Vec<(String, Option<String>)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let unfinished = known.iter().filter(|(_, known)| known.begun.is_some() && known.done.is_none());
        unfinished.map(|(of, known)| (of.clone(), known.id.clone())).collect()
    }

    /// Writes a line. It survives the end of the program, not yet that of the computer.
    pub(super) fn note(&self, entry: Entry) -> Result<(), CloudError> {
        self.append(entry).map(drop)
    }

    /// Writes a line, and waits until it is on the disk.
    pub(super) fn note_durably(&self, entry: Entry) -> Result<(), CloudError> {
        let file = self.append(entry)?;
        file.sync_data().map_err(|error| local("Journal", &self.path, &error))
    }

    fn append(&self, entry: Entry) -> Result<MutexGuard<'_, File>, CloudError> {
        let mut line = serde_json::to_vec(&entry).map_err(|error| local("Journal", &self.path, &error))?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line).map_err(|error| local("Journal", &self.path, &error))?;
        learn(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner), entry);
        Ok(file)
    }

    /// The transfer is complete.
    pub(super) fn remove(&self) -> Result<(), CloudError> {
        std::fs::remove_file(&self.path).map_err(|error| local("Journal", &self.path, &error))
    }
}

fn learn(known: &mut HashMap<String, Known>, entry: Entry) {
    match entry {
        Entry::Begun { of, stamp, part } => {
            known.insert(of, Known { begun: Some((stamp, part)), ..Known::default() });
        }
        Entry::Upload { of, id } => known.entry(of).or_default().id = Some(id),
        Entry::Part { of, number, etag, crc } => {
            known.entry(of).or_default().parts.insert(number, (etag, crc));
        }
        Entry::Object { of, size, etag } => {
            known.insert(of, Known { object: Some((size, etag)), ..Known::default() });
        }
        Entry::Range { of, index, crc } => {
            known.entry(of).or_default().ranges.insert(index, crc);
        }
        Entry::Done { of, stamp } => known.entry(of).or_default().done = Some(stamp),
        Entry::Forgotten { of } => {
            known.remove(&of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_line_is_taken_away_and_the_rest_is_known() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("journal");
        let of = "s3://b/k".to_owned();
        let stamp = Stamp { size: 10, modified: 5 };
        let journal = Journal::open(&path)?;
        journal.note_durably(Entry::Begun { of: of.clone(), stamp, part: 4 })?;
        journal.note_durably(Entry::Upload { of: of.clone(), id: "id".into() })?;
        journal.note(Entry::Part { of: of.clone(), number: 2, etag: "e".into(), crc: u64::MAX })?;
        assert!(matches!(Journal::open(&path), Err(error) if error.code == CloudErrorCode::Conflict));
        drop(journal);
        let mut text = std::fs::read(&path)?;
        let whole = text.len();
        text.extend(b"{\"part\":{\"of\":\"s3://b/k\",\"num");
        std::fs::write(&path, &text)?;

        let journal = Journal::open(&path)?;
        assert_eq!(std::fs::metadata(&path)?.len(), whole as u64);
        let known = journal.known(&of);
        assert_eq!((known.begun, known.id.as_deref()), (Some((stamp, 4)), Some("id")));
        assert_eq!(known.parts.get(&2), Some(&("e".to_owned(), u64::MAX)));
        assert_eq!(journal.unfinished(), [(of.clone(), Some("id".to_owned()))]);
        journal.note(Entry::Done { of, stamp })?;
        assert!(journal.unfinished().is_empty());
        Ok(())
    }
}
