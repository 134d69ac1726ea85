//! The records as they were imported: one immutable file, and where each record begins in it.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::DocumentError;
use super::files;
use crate::record::{Record, SourcedRecord};

const RECORDS: &str = "records.jsonl";
const INDEX: &str = "records.idx";
const INDEX_MAGIC: &[u8; 8] = b"WSRIDX01";
const DIGEST: usize = 32;
/// Records that lie together are read together, up to this.
const RUN_BYTES: u64 = 4 * 1024 * 1024;

/// A record as it is stored, with the line of the file it came from.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    record: Record,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
}

/// The imported records. Reading takes the file in turns, so it may be shared.
#[derive(Debug)]
pub(super) struct BaseRecords {
    path: PathBuf,
    file: Mutex<File>,
    /// One more than there are records; the last is the size of the file.
    offsets: Vec<u64>,
}

impl BaseRecords {
    pub fn open(dir: &Path, records: u64, bytes: u64) -> Result<BaseRecords, DocumentError> {
        let path = dir.join(RECORDS);
        let file = File::open(&path).map_err(DocumentError::io(&path))?;
        let size = file.metadata().map_err(DocumentError::io(&path))?.len();
        if size != bytes {
            return Err(DocumentError::damaged(&path, format!("it has {size} bytes where {bytes} were written")));
        }
        let index = dir.join(INDEX);
        let offsets = match load_index(&index, records, bytes) {
            Some(offsets) => offsets,
            None => {
                let offsets = scan(&file).map_err(DocumentError::io(&path))?;
                if offsets.len() as u64 != records + 1 {
                    return Err(DocumentError::damaged(
                        &path,
                        format!("it has {} records where {records} were written", offsets.len() - 1),
                    ));
                }
                files::write_atomically(&index, &index_bytes(&offsets))?;
                offsets
            }
        };
        Ok(BaseRecords { path, file: Mutex::new(file), offsets })
    }

    pub fn len(&self) -> u64 {
        self.offsets.len() as u64 - 1
    }

    pub fn read(&self, id: u32) -> Result<SourcedRecord, DocumentError> {
        let mut one = self.read_run(id..id + 1)?;
        one.pop().ok_or_else(|| DocumentError::damaged(&self.path, format!("record {id} is missing")))
    }

    /// Consecutive records, read at once.
    pub fn read_run(&self, ids: Range<u32>) -> Result<Vec<SourcedRecord>, DocumentError> {
        let (first, last) = (ids.start as usize, ids.end as usize);
        let start = self.offsets[first];
        let mut bytes = vec![0; (self.offsets[last] - start) as usize];
        {
            // A panic elsewhere cannot leave the file in a state that matters: every read seeks.
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(start))
                .and_then(|_| file.read_exact(&mut bytes))
                .map_err(DocumentError::io(&self.path))?;
        }
        self.offsets[first..=last]
            .windows(2)
            .map(|pair| self.parse(&bytes[(pair[0] - start) as usize..(pair[1] - start) as usize]))
            .collect()
    }

    /// Whether a run that begins with the first of these may be lengthened to the second.
    pub fn may_run(&self, first: u32, next: u32) -> bool {
        self.offsets[next as usize + 1] - self.offsets[first as usize] <= RUN_BYTES
    }

    fn parse(&self, line: &[u8]) -> Result<SourcedRecord, DocumentError> {
        let stored: Stored =
            serde_json::from_slice(line).map_err(|error| DocumentError::damaged(&self.path, error.to_string()))?;
        Ok(SourcedRecord { record: stored.record, line: stored.line })
    }
}

/// Writes the imported records one after the other.
#[derive(Debug)]
pub(super) struct BaseWriter {
    path: PathBuf,
    out: BufWriter<File>,
    offsets: Vec<u64>,
    line: Vec<u8>,
}

impl BaseWriter {
    pub fn create(dir: &Path) -> Result<BaseWriter, DocumentError> {
        let path = dir.join(RECORDS);
        let file = File::create(&path).map_err(DocumentError::io(&path))?;
        Ok(BaseWriter { path, out: BufWriter::with_capacity(256 * 1024, file), offsets: vec![0], line: Vec::new() })
    }

    pub fn push(&mut self, record: SourcedRecord) -> Result<(), DocumentError> {
        // Positions are kept in 32 bits; the last one is left for the record after the last.
        if self.offsets.len() >= u32::MAX as usize {
            return Err(DocumentError::TooMany);
        }
        let stored = Stored { record: record.record, line: record.line };
        self.line.clear();
        serde_json::to_writer(&mut self.line, &stored).map_err(|error| DocumentError::io(&self.path)(error.into()))?;
        self.line.push(b'\n');
        self.out.write_all(&self.line).map_err(DocumentError::io(&self.path))?;
        let end = self.offsets[self.offsets.len() - 1] + self.line.len() as u64;
        self.offsets.push(end);
        Ok(())
    }

    pub fn len(&self) -> u64 {
        self.offsets.len() as u64 - 1
    }

    /// Makes the records durable and writes their index beside. Gives their number and size.
    pub fn finish(&mut self) -> Result<(u64, u64), DocumentError> {
        self.out.flush().and_then(|()| self.out.get_ref().sync_all()).map_err(DocumentError::io(&self.path))?;
        let index = self.path.with_file_name(INDEX);
        files::write_atomically(&index, &index_bytes(&self.offsets))?;
        Ok((self.len(), self.offsets[self.offsets.len() - 1]))
    }

    /// Takes back what was written, as far as the disk lets it.
    pub fn discard(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(self.path.with_file_name(INDEX));
    }
}

fn index_bytes(offsets: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(INDEX_MAGIC.len() + offsets.len() * 8 + DIGEST);
    bytes.extend_from_slice(INDEX_MAGIC);
    for offset in offsets {
        bytes.extend_from_slice(&offset.to_le_bytes());
    }
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    bytes
}

/// The index, unless it is missing, torn or of another file: it can always be made again.
fn load_index(path: &Path, records: u64, bytes: u64) -> Option<Vec<u64>> {
    let stored = std::fs::read(path).ok()?;
    let (body, digest) = stored.split_at_checked(stored.len().checked_sub(DIGEST)?)?;
    if Sha256::digest(body)[..] != *digest {
        return None;
    }
    let offsets: Vec<u64> = body
        .strip_prefix(INDEX_MAGIC)?
        .chunks_exact(8)
        .filter_map(|chunk| Some(u64::from_le_bytes(chunk.try_into().ok()?)))
        .collect();
    let fits = offsets.len() as u64 == records + 1 && offsets.last() == Some(&bytes);
    fits.then_some(offsets)
}

fn scan(file: &File) -> std::io::Result<Vec<u64>> {
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let mut offsets = vec![0];
    let mut at = 0;
    loop {
        let taken = reader.skip_until(b'\n')? as u64;
        if taken == 0 {
            return Ok(offsets);
        }
        at += taken;
        offsets.push(at);
    }
}
