//! Where lines come from.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::ValidateError;
use crate::document::{DocumentError, State};
use crate::error::ReadError;
use crate::formats::MAX_RECORD_BYTES;
use crate::split::SplitKind;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Lines to look through together.
#[derive(Debug, Default)]
pub struct Batch {
    /// Whole lines, each ended by a line feed; the last of all may lack it.
    pub bytes: Vec<u8>,
    pub splits: Splits,
}

impl Batch {
    /// About so many bytes fill a batch: few enough to stay near a core while they are looked through.
    pub const BYTES: usize = 512 * 1024;
}

/// What the lines of a batch are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Splits {
    All(SplitKind),
    /// One a line.
    Each(Vec<SplitKind>),
}

impl Default for Splits {
    fn default() -> Splits {
        Splits::All(SplitKind::Training)
    }
}

/// Something that has lines to be validated, in their order.
pub trait LineSource: Send {
    /// Puts the next lines into an empty batch, about [`Batch::BYTES`] of them; false, and nothing, at the end.
    fn fill(&mut self, batch: &mut Batch) -> Result<bool, ValidateError>;

    /// How much there is in all, in a unit of its own.
    fn total(&self) -> u64;

    /// How much of it has been handed out.
    fn done(&self) -> u64;

    /// Whether its lines are those of a file that a person can open: then findings name them.
    fn has_line_numbers(&self) -> bool {
        true
    }
}

/// A JSONL file, read from beginning to end.
#[derive(Debug)]
pub struct FileSource {
    path: PathBuf,
    file: File,
    kind: SplitKind,
    /// The beginning of a line whose end has not been read.
    rest: Vec<u8>,
    read: u64,
    length: u64,
    modified: Option<SystemTime>,
}

impl FileSource {
    pub fn open(path: &Path, kind: SplitKind) -> Result<FileSource, ReadError> {
        let file = File::open(path).map_err(ReadError::io(path))?;
        let metadata = file.metadata().map_err(ReadError::io(path))?;
        let (length, modified) = (metadata.len(), metadata.modified().ok());
        let mut source = FileSource { path: path.to_owned(), file, kind, rest: Vec::new(), read: 0, length, modified };
        source.pass_over_mark()?;
        Ok(source)
    }

    fn pass_over_mark(&mut self) -> Result<(), ReadError> {
        let mut beginning = Vec::new();
        let count = (&self.file).take(BOM.len() as u64).read_to_end(&mut beginning);
        self.read = count.map_err(ReadError::io(&self.path))? as u64;
        if beginning != BOM {
            self.rest = beginning;
        }
        Ok(())
    }

    /// Reads up to so many bytes more, and says how many there were.
    fn read_more(&mut self, into: &mut Vec<u8>, most: usize) -> Result<usize, ReadError> {
        into.reserve(most);
        let count = (&self.file).take(most as u64).read_to_end(into).map_err(ReadError::io(&self.path))?;
        self.read += count as u64;
        Ok(count)
    }

    /// The end of the file has been reached: it must be the file that was opened.
    fn check_unchanged(&self) -> Result<(), ReadError> {
        let metadata = self.file.metadata().map_err(ReadError::io(&self.path))?;
        let same =
            self.read == self.length && metadata.len() == self.length && metadata.modified().ok() == self.modified;
        if same { Ok(()) } else { Err(ReadError::Changed) }
    }
}

impl LineSource for FileSource {
    fn fill(&mut self, batch: &mut Batch) -> Result<bool, ValidateError> {
        batch.splits = Splits::All(self.kind);
        batch.bytes.append(&mut self.rest);
        let mut searched = 0;
        loop {
            let count = self.read_more(&mut batch.bytes, Batch::BYTES)?;
            if count == 0 {
                self.check_unchanged()?;
                return Ok(!batch.bytes.is_empty());
            }
            if let Some(place) = memchr::memrchr(b'\n', &batch.bytes[searched..]) {
                let end = searched + place + 1;
                self.rest.extend_from_slice(&batch.bytes[end..]);
                batch.bytes.truncate(end);
                return Ok(true);
            }
            // A line without end is held no further than a record may go; that it is too long is seen by its length.
            batch.bytes.truncate(MAX_RECORD_BYTES + 1);
            searched = batch.bytes.len();
        }
    }

    fn total(&self) -> u64 {
        self.length
    }

    fn done(&self) -> u64 {
        self.read
    }
}

/// The records of an opened dataset as they stand in one of its states, in their order, with their splits.
#[derive(Debug)]
pub struct StateSource {
    state: State,
    next: u64,
}

impl StateSource {
    pub fn new(state: State) -> StateSource {
        StateSource { state, next: 0 }
    }
}

impl LineSource for StateSource {
    fn fill(&mut self, batch: &mut Batch) -> Result<bool, ValidateError> {
        /// So many records are asked for at once.
        const WINDOW: u64 = 256;
        let mut splits = Vec::new();
        while batch.bytes.len() < Batch::BYTES && self.next < self.state.len() {
            let end = (self.next + WINDOW).min(self.state.len());
            self.state.for_each_line(self.next..end, |_, id, text| {
                splits.push(self.state.split_of(id).unwrap_or(SplitKind::Training));
                batch.bytes.extend_from_slice(text);
                batch.bytes.push(b'\n');
                Ok::<(), DocumentError>(())
            })?;
            self.next = end;
        }
        let any = !splits.is_empty();
        batch.splits = Splits::Each(splits);
        Ok(any)
    }

    fn total(&self) -> u64 {
        self.state.len()
    }

    fn done(&self) -> u64 {
        self.next
    }

    /// Its records have been edited and moved: a line of the file says nothing any more.
    fn has_line_numbers(&self) -> bool {
        false
    }
}
