//! Bringing records in that are not a JSONL file of their own: a copy in the dataset's folder.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::DocumentError;
use super::files::RealFiles;
use super::journal::Journal;
use super::stored::{DOCUMENT, DocumentMeta, RECORDS, Stored};
use super::{Document, indexing, journal_path};
use crate::formats::Schema;
use crate::ids::FIRST_ADDED;
use crate::record::Record;
use whetstone_scan::{Fingerprint, LineIndex};

/// An import under way. Dropped before it is finished, it leaves nothing behind.
#[derive(Debug)]
pub struct DocumentWriter {
    dir: PathBuf,
    path: PathBuf,
    schema: Schema,
    out: BufWriter<File>,
    index: LineIndex,
    finished: bool,
}

impl DocumentWriter {
    /// Begins an import into a folder, which is made if it is not there.
    pub fn new(dir: &Path, schema: Schema) -> Result<DocumentWriter, DocumentError> {
        std::fs::create_dir_all(dir).map_err(DocumentError::io(dir))?;
        if dir.join(DOCUMENT).exists() {
            return Err(DocumentError::Exists { path: dir.to_owned() });
        }
        let path = dir.join(RECORDS);
        let file = File::create(&path).map_err(DocumentError::io(&path))?;
        Ok(DocumentWriter {
            dir: dir.to_owned(),
            path,
            schema,
            out: BufWriter::with_capacity(256 * 1024, file),
            index: LineIndex::new(),
            finished: false,
        })
    }

    /// Adds a record.
    pub fn push(&mut self, record: &Record) -> Result<(), DocumentError> {
        let position = self.index.lines();
        let does_not_fit = |loss| DocumentError::DoesNotFit { position, reason: format!("{loss}") };
        let line = self.schema.render(record).map_err(does_not_fit)?;
        self.push_line(&line)
    }

    /// Adds a record as a line, without its line end.
    pub fn push_line(&mut self, line: &[u8]) -> Result<(), DocumentError> {
        if line.contains(&b'\n') {
            return Err(DocumentError::NotOneLine);
        }
        self.write_lines(&[line, b"\n"].concat())
    }

    fn write_lines(&mut self, bytes: &[u8]) -> Result<(), DocumentError> {
        self.out.write_all(bytes).map_err(DocumentError::io(&self.path))?;
        self.index.extend(bytes);
        if self.index.lines() >= u64::from(FIRST_ADDED) {
            return Err(DocumentError::TooMany);
        }
        Ok(())
    }

    /// Makes the dataset durable and opens it.
    pub fn finish(mut self, meta: DocumentMeta) -> Result<Document, DocumentError> {
        let io = || DocumentError::io(&self.path);
        self.out.flush().and_then(|()| self.out.get_ref().sync_all()).map_err(io())?;
        self.index.finish();
        let fingerprint = File::open(&self.path).and_then(|file| Fingerprint::of(&file)).map_err(io())?;
        indexing::store(&self.dir, &self.index, &fingerprint).map_err(io())?;
        Journal::create(&RealFiles, &journal_path(&self.dir, 0))?;
        Stored::new(meta, self.schema.clone(), Some(self.index.bytes()), None).store(&RealFiles, &self.dir)?;
        self.finished = true;
        Document::open(&self.dir)
    }
}

impl Drop for DocumentWriter {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed stays a file without a dataset; the next import replaces it.
            let _ = std::fs::remove_file(&self.path);
            indexing::remove(&self.dir);
        }
    }
}

/// Takes whole lines as bytes, from a converter that writes them.
impl Write for DocumentWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.write_lines(bytes).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
