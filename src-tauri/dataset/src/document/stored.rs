//! `document.json`: what a dataset is, written whole whenever it changes.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::DocumentError;
use super::files::{self, FileLayer};
use crate::formats::Schema;
use whetstone_scan::Fingerprint;

pub(super) const DOCUMENT: &str = "document.json";
pub(super) const RECORDS: &str = "records.jsonl";
const VERSION: u32 = 2;

/// What a dataset is called and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentMeta {
    pub name: String,
    /// The name of the file it came from.
    pub source: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// A file as it was at a moment: enough to notice that another program changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileMark {
    bytes: u64,
    modified: u64,
    inode: u64,
    head: u64,
    tail: u64,
}

impl FileMark {
    /// Whether the content is the same, whatever the file is called and whenever it was linked.
    pub fn is_content_of(&self, other: &FileMark) -> bool {
        let content = |mark: &FileMark| (mark.bytes, mark.modified, mark.head, mark.tail);
        content(self) == content(other)
    }
}

impl From<&Fingerprint> for FileMark {
    fn from(print: &Fingerprint) -> FileMark {
        FileMark {
            bytes: print.length,
            modified: print.modified,
            inode: print.inode,
            head: print.head,
            tail: print.tail,
        }
    }
}

/// The file that Save writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Target {
    pub path: PathBuf,
    /// What is in it, as far as this document knows.
    pub mark: FileMark,
    /// The state of the document that was saved there.
    pub state: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stored {
    version: u32,
    #[serde(flatten)]
    pub meta: DocumentMeta,
    pub schema: Schema,
    /// Bytes of `records.jsonl` in the folder; none while the records are read from the target.
    pub owned: Option<u64>,
    pub target: Option<Target>,
    /// How often the file was reloaded. Journal and snapshots belong to one of the times.
    #[serde(default)]
    pub epoch: u32,
}

impl Stored {
    pub fn new(meta: DocumentMeta, schema: Schema, owned: Option<u64>, target: Option<Target>) -> Stored {
        Stored { version: VERSION, meta, schema, owned, target, epoch: 0 }
    }

    pub fn load(dir: &Path) -> Result<Stored, DocumentError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let path = dir.join(DOCUMENT);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(DocumentError::NotADocument { path: dir.to_owned() });
            }
            Err(error) => return Err(DocumentError::io(&path)(error)),
        };
        let damaged = |error: serde_json::Error| DocumentError::damaged(&path, error.to_string());
        let Versioned { version } = serde_json::from_slice(&bytes).map_err(damaged)?;
        if version != VERSION {
            return Err(DocumentError::OtherVersion { path, found: format!("format {version}") });
        }
        serde_json::from_slice(&bytes).map_err(damaged)
    }

    pub fn store(&self, files: &dyn FileLayer, dir: &Path) -> Result<(), DocumentError> {
        let path = dir.join(DOCUMENT);
        let json = serde_json::to_vec(self).map_err(|error| DocumentError::io(&path)(error.into()))?;
        files::write_atomically(files, &path, &json)
    }

    /// The file with the records as they were opened.
    pub fn base(&self, dir: &Path) -> PathBuf {
        match (&self.owned, &self.target) {
            (None, Some(target)) => target.path.clone(),
            _ => dir.join(RECORDS),
        }
    }
}
