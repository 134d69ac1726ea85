//! The content of the file as it was opened: lines at any place of it.
//!
//! The file is opened once and read through that handle, so the content stays readable when a save
//! puts another file in its place. It is never written to.

use std::fs::File;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::error::DocumentError;
use super::files;
use crate::ids::FIRST_ADDED;
use crate::watch::Watch;
use whetstone_scan::{Fingerprint, LineIndex};

/// A window is read at once up to this.
const READ_BYTES: u64 = 4 << 20;
/// What is looked through before a dataset is shown: enough for the first rows.
const FIRST_BYTES: u64 = 1 << 20;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A line as it stands in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub text: &'a [u8],
    /// `\n`, `\r\n`, or nothing at the end of the file.
    pub ending: &'a [u8],
}

#[derive(Debug)]
pub(super) struct Base {
    path: PathBuf,
    file: File,
    /// Bytes of a byte order mark, which belongs to no record.
    bom: u64,
    index: RwLock<LineIndex>,
}

impl Base {
    /// The content of a file, of which nothing but the first rows may be known yet.
    pub fn open(path: &Path) -> Result<Base, DocumentError> {
        let file = File::open(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => DocumentError::SourceMissing { path: path.to_owned() },
            _ => DocumentError::Io { path: path.to_owned(), source },
        })?;
        let io = || DocumentError::io(path);
        let bytes = file.metadata().map_err(io())?.len();
        let mut first = vec![0; bytes.min(FIRST_BYTES) as usize];
        files::read_at(&file, &mut first, 0).map_err(io())?;
        let bom = if first.starts_with(BOM) { BOM.len() as u64 } else { 0 };
        let mut index = LineIndex::new();
        index.extend(&first);
        if first.len() as u64 == bytes {
            index.finish();
        }
        let base = Base { path: path.to_owned(), file, bom, index: RwLock::new(index) };
        base.records()?;
        Ok(base)
    }

    /// Takes over an index that was made before, if it is one of a file of this size.
    pub fn set_index(&self, index: LineIndex) {
        let known = self.file.metadata().is_ok_and(|metadata| metadata.len() == index.bytes());
        if known && index.is_finished() {
            *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
        }
    }

    pub fn fingerprint(&self) -> Result<Fingerprint, DocumentError> {
        Fingerprint::of(&self.file).map_err(DocumentError::io(&self.path))
    }

    /// How many lines are known.
    pub fn records(&self) -> Result<u32, DocumentError> {
        let lines = u32::try_from(self.index().lines()).ok();
        lines.filter(|lines| *lines < FIRST_ADDED).ok_or(DocumentError::TooMany)
    }

    pub fn is_indexed(&self) -> bool {
        self.index().is_finished()
    }

    /// How far the index is, in bytes of the file.
    pub fn indexed_bytes(&self) -> u64 {
        self.index().bytes()
    }

    pub fn bytes(&self) -> Result<u64, DocumentError> {
        Ok(self.file.metadata().map_err(DocumentError::io(&self.path))?.len())
    }

    pub fn bom(&self) -> &'static [u8] {
        if self.bom > 0 { BOM } else { b"" }
    }

    /// The line end of the first line, and whether the last line has one too.
    pub fn line_ends(&self) -> Result<(&'static [u8], bool), DocumentError> {
        let mut last = [b'\n'];
        let bytes = self.index().bytes();
        if bytes > self.bom {
            self.read(&mut last, bytes - 1)?;
        }
        let mut ending: &'static [u8] = b"\n";
        self.lines(0..self.records()?.min(1), |_, line| {
            if line.ending == b"\r\n" {
                ending = b"\r\n";
            }
            Ok::<(), DocumentError>(())
        })?;
        Ok((ending, last == [b'\n']))
    }

    /// Looks through the whole file for its lines.
    pub fn build_index(&self, watch: &dyn Watch) -> Result<(), DocumentError> {
        let io = || DocumentError::io(&self.path);
        let total = self.bytes()?;
        // A handle of its own, because reading moves it.
        let file = File::open(&self.path).map_err(io())?;
        let mut cancelled = false;
        let built = LineIndex::build(file, &mut |index| {
            watch.progress(index.bytes(), total);
            cancelled = watch.cancelled();
            if cancelled || u32::try_from(index.lines()).is_err() {
                return ControlFlow::Break(());
            }
            let mut known = self.index.write().unwrap_or_else(PoisonError::into_inner);
            // Each copy is by a quarter longer than the one before, so all of them together stay cheap.
            if index.bytes() > known.bytes() / 4 * 5 {
                known.clone_from(index);
            }
            ControlFlow::Continue(())
        });
        if cancelled {
            return Err(DocumentError::Cancelled);
        }
        let index = built.map_err(io())?;
        if !index.is_finished() {
            return Err(DocumentError::TooMany);
        }
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
        self.records().map(|_| ())
    }

    pub fn with_index<T>(&self, use_it: impl FnOnce(&LineIndex) -> T) -> T {
        use_it(&self.index())
    }

    /// Gives lines one after the other.
    pub fn lines<E: From<DocumentError>>(
        &self,
        lines: Range<u32>,
        mut each: impl FnMut(u32, Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut next = lines.start;
        let mut bytes = Vec::new();
        while next < lines.end {
            let (span, first, last) = self.span(next, lines.end)?;
            bytes.resize((span.end - span.start) as usize, 0);
            files::read_at(&self.file, &mut bytes, span.start).map_err(DocumentError::io(&self.path))?;
            let mut rest = &bytes[..];
            for number in first..last.min(lines.end) {
                let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
                let (line, after) = rest.split_at(end);
                rest = after;
                if number >= next {
                    each(number, cut(if number == 0 { &line[self.bom as usize..] } else { line }))?;
                }
            }
            next = last;
        }
        Ok(())
    }

    /// Where the bytes of some lines stand: from the first to just before the second.
    pub fn bytes_of(&self, lines: Range<u32>) -> Result<Range<u64>, DocumentError> {
        Ok(self.start_of(lines.start)?..self.start_of(lines.end)?)
    }

    pub fn read(&self, bytes: &mut [u8], offset: u64) -> Result<(), DocumentError> {
        files::read_at(&self.file, bytes, offset).map_err(DocumentError::io(&self.path))
    }

    fn start_of(&self, line: u32) -> Result<u64, DocumentError> {
        if line == 0 {
            return Ok(self.bom);
        }
        if u64::from(line) >= self.index().lines() {
            return Ok(self.index().bytes());
        }
        let (span, first, _) = self.span(line, line + 1)?;
        let mut bytes = vec![0; (span.end - span.start) as usize];
        self.read(&mut bytes, span.start)?;
        let ends = memchr::memchr_iter(b'\n', &bytes);
        let skipped = ends.take((line - first) as usize).last().map_or(0, |end| end + 1);
        Ok(span.start + skipped as u64)
    }

    /// The bytes to read for a line and some that follow, and the lines that stand in them.
    fn span(&self, line: u32, end: u32) -> Result<(Range<u64>, u32, u32), DocumentError> {
        let index = self.index();
        let stride = LineIndex::STRIDE as u32;
        let known = index.lines() as u32;
        let gone = || DocumentError::damaged(&self.path, format!("line {} is not in it any more", line + 1));
        let (start, skip) = index.seek(u64::from(line)).ok_or_else(gone)?;
        let first = line - skip as u32;
        let mut last = first;
        let mut stop = start;
        while last < end && (last == first || stop - start < READ_BYTES) {
            last = (last + stride).min(known);
            stop = match index.seek(u64::from(last)) {
                Some((offset, 0)) => offset,
                _ => index.bytes(),
            };
            if last == known {
                break;
            }
        }
        Ok((start..stop, first, last))
    }

    fn index(&self) -> RwLockReadGuard<'_, LineIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cut(line: &[u8]) -> Line<'_> {
    let text = line.strip_suffix(b"\n").map_or(line, |text| text.strip_suffix(b"\r").unwrap_or(text));
    Line { text, ending: &line[text.len()..] }
}
