//! Finding out where the lines of a large file are, beside whatever else is done with it.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::base::Base;
use super::error::DocumentError;
use super::state::Sources;
use crate::watch::Watch;
use whetstone_scan::{Fingerprint, LineIndex};

const INDEX: &str = "records.idx";

/// How far the index of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexState {
    Ready,
    /// The records read so far may be looked at, and not edited.
    Building {
        records: u64,
        bytes: u64,
        of_bytes: u64,
    },
}

/// Counts the lines of an opened file. It is run once, on any thread.
#[derive(Debug)]
pub struct IndexJob {
    pub(super) sources: Arc<Sources>,
    pub(super) dir: PathBuf,
}

impl IndexJob {
    /// Reads the file to its end. Progress is in bytes.
    pub fn run(self, watch: &dyn Watch) -> Result<(), DocumentError> {
        build(&self.dir, &self.sources.base, watch)
    }
}

pub(super) fn build(dir: &Path, base: &Base, watch: &dyn Watch) -> Result<(), DocumentError> {
    let before = base.fingerprint()?;
    base.build_index(watch)?;
    // A file that grew meanwhile is noticed as changed; its index is of no use next time.
    if base.fingerprint()? == before {
        // An index can always be made again: a folder that is full costs time, not the dataset.
        let _ = base.with_index(|index| store(dir, index, &before));
    }
    Ok(())
}

pub(super) fn store(dir: &Path, index: &LineIndex, fingerprint: &Fingerprint) -> std::io::Result<()> {
    let file = File::create(dir.join(INDEX))?;
    index.save(BufWriter::new(file), fingerprint)
}

/// The stored index of a file, unless it is missing, torn or of another state of the file.
pub(super) fn load(dir: &Path, fingerprint: &Fingerprint) -> Option<LineIndex> {
    let file = File::open(dir.join(INDEX)).ok()?;
    LineIndex::load(std::io::BufReader::new(file), fingerprint).ok().flatten()
}

pub(super) fn remove(dir: &Path) {
    let _ = std::fs::remove_file(dir.join(INDEX));
}
