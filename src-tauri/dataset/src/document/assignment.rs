//! What each record is used for, kept by the id of the record so that edits do not shift it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::DocumentError;
use super::files::{self, FileLayer};
use crate::ids::{FIRST_ADDED, RecordId};
use crate::split::{SplitKind, SplitPlan};

const SPLIT: &str = "split.json";

/// The split of a dataset, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Assignment {
    pub plan: SplitPlan,
    /// A letter for each record of the file.
    kinds: String,
    /// A letter for each added record.
    added: String,
}

impl Assignment {
    pub fn new(plan: SplitPlan, kinds: &[SplitKind], added: &[SplitKind]) -> Assignment {
        let letter = |kind: &SplitKind| match kind {
            SplitKind::Training => 't',
            SplitKind::Validation => 'v',
            SplitKind::HoldOut => 'h',
        };
        Assignment { plan, kinds: kinds.iter().map(letter).collect(), added: added.iter().map(letter).collect() }
    }

    /// A record that came after the split was made is for training.
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

    pub fn load(dir: &Path) -> Result<Option<Assignment>, DocumentError> {
        let path = dir.join(SPLIT);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DocumentError::io(&path)(error)),
        };
        let stored = serde_json::from_slice(&bytes);
        stored.map(Some).map_err(|error| DocumentError::damaged(&path, error.to_string()))
    }

    pub fn store(&self, files: &dyn FileLayer, dir: &Path) -> Result<(), DocumentError> {
        let path = dir.join(SPLIT);
        let bytes = serde_json::to_vec(self).map_err(|e| DocumentError::io(&path)(e.into()))?;
        files::write_atomically(files, &path, &bytes)
    }
}
