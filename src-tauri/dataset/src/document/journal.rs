//! The edits, in the order in which they were made: a file that only grows.
//!
//! | block | bytes |
//! | --- | --- |
//! | length of the payload | 4 |
//! | kind: part of a step, last part of a step, undo, redo | 1 |
//! | checksum over the checksum before it, kind, length and payload | 8 |
//! | payload | length |
//!
//! A block counts only where all before it do, and a step only with its last block; so a bulk edit of
//! a gigabyte is written as it is computed and is yet made as a whole or not at all. What a crash left
//! unfinished at the end is cut off when the journal is opened; a block that was damaged later is kept
//! aside with all that follows it, never thrown away.
//!
//! The texts of edited records are read from here: the journal is their only home.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::delta::Delta;
use super::error::DocumentError;
use super::files::{self, FileLayer};
use super::step::{self, Bytes, Step, TEXT_HEAD, TextChange};
use super::texts::{OF_FILE, TextRef};
use crate::ids::{FIRST_ADDED, RecordId};

pub(super) const JOURNAL: &str = "journal";
const MAGIC: &[u8; 8] = b"WSJRNL02";
/// Bytes before the payload of a block.
const HEAD: u64 = 13;
/// A step larger than this is written in parts.
const PART: usize = 1 << 20;

const PART_OF_STEP: u8 = 1;
const END_OF_STEP: u8 = 2;
const UNDO: u8 = 3;
const REDO: u8 = 4;

type Check = [u8; 8];

/// What a journal tells, one after the other.
#[derive(Debug)]
pub(super) enum Event {
    /// A step and where it begins.
    Step(u64, Step),
    Undo,
    Redo,
}

/// What was found beyond the last whole edit when a dataset was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes that are no longer in the journal.
    pub dropped_bytes: u64,
    /// Where they were put, unless they were merely an edit that was never finished.
    pub kept_aside: Option<PathBuf>,
    /// Names of snapshots of states that were in what is lost.
    pub lost_snapshots: Vec<String>,
}

/// The open journal. It is locked as long as it is held, so a dataset is edited in one place only.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    files: Arc<dyn FileLayer>,
    file: File,
    /// Bytes of whole steps.
    length: u64,
    check: Check,
    /// A failed append could not be taken back, so nothing more may follow it.
    unusable: bool,
}

/// The reading side of a journal, for any thread.
#[derive(Debug)]
pub(crate) struct JournalTexts {
    path: PathBuf,
    file: File,
}

impl JournalTexts {
    /// Which line of the file a text took the place of, through all edits of the record; 0 for a record
    /// that was added.
    pub fn origin(&self, text: TextRef) -> Result<u64, DocumentError> {
        Ok(self.head(self.first(text)?)?.1)
    }

    /// The first text that took the place of the file's, or that a record was added with.
    pub fn first(&self, mut text: TextRef) -> Result<TextRef, DocumentError> {
        loop {
            match self.head(text)?.0 {
                OF_FILE => return Ok(text),
                before if before < text => text = before,
                _ => return Err(DocumentError::damaged(&self.path, "a text in it has no beginning")),
            }
        }
    }

    /// What stood before a text, and which line of the file it took the place of.
    fn head(&self, text: TextRef) -> Result<(TextRef, u64), DocumentError> {
        let mut head = [0; 16];
        let at = text.saturating_sub(head.len() as u64);
        files::read_at(&self.file, &mut head, at).map_err(DocumentError::io(&self.path))?;
        let mut words = Bytes { rest: &head };
        let words = words.u64().zip(words.u64());
        words.ok_or_else(|| DocumentError::damaged(&self.path, "a text in it has no beginning"))
    }

    pub fn read(&self, text: TextRef) -> Result<Vec<u8>, DocumentError> {
        let mut length = [0; 4];
        let read = files::read_at(&self.file, &mut length, text).and_then(|()| {
            let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
            files::read_at(&self.file, &mut bytes, text + 4).map(|()| bytes)
        });
        read.map_err(DocumentError::io(&self.path))
    }
}

impl Journal {
    /// Creates an empty journal.
    pub fn create(files: &dyn FileLayer, path: &Path) -> Result<(), DocumentError> {
        let created = files.create(path).and_then(|mut file| {
            files.write(&mut file, MAGIC)?;
            files.sync(&file)
        });
        created.map_err(DocumentError::io(path))
    }

    /// Opens the journal of a dataset that is open nowhere else.
    pub fn lock(files: Arc<dyn FileLayer>, path: &Path) -> Result<Journal, DocumentError> {
        let path = path.to_owned();
        let io = || DocumentError::io(&path);
        let mut file = OpenOptions::new().read(true).append(true).open(&path).map_err(io())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DocumentError::InUse { path: files::folder_of(&path).to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(io()(source)),
        }
        let mut magic = [0; MAGIC.len()];
        let read = read_up_to(&mut file, &mut magic).map_err(io())?;
        if read < MAGIC.len() {
            // Cut within its first bytes, it holds no edit.
            let begun = files.set_len(&file, 0).and_then(|()| files.write(&mut file, MAGIC));
            begun.map_err(io())?;
        } else if &magic != MAGIC {
            let found = String::from_utf8_lossy(&magic).into_owned();
            return Err(DocumentError::OtherVersion { path, found });
        }
        let length = MAGIC.len() as u64;
        Ok(Journal { path, files, file, length, check: Check::default(), unusable: false })
    }

    /// Whether anything was ever written to it.
    pub fn has_events(&self) -> Result<bool, DocumentError> {
        let size = self.file.metadata().map_err(DocumentError::io(&self.path))?.len();
        Ok(size > MAGIC.len() as u64)
    }

    /// Gives each whole event to `replay`, which says whether it can be, and cuts off the rest.
    pub fn replay(&mut self, mut replay: impl FnMut(Event) -> bool) -> Result<Option<Recovery>, DocumentError> {
        let io = || DocumentError::io(&self.path);
        let size = self.file.metadata().map_err(io())?.len();
        let mut reader = Blocks::new(&self.file, self.length, self.check).map_err(io())?;
        let (mut length, mut check) = (self.length, self.check);
        let damaged = loop {
            match reader.next_event().map_err(io())? {
                Next::Event(event) => {
                    if !replay(event) {
                        break true;
                    }
                    (length, check) = (reader.at, reader.check);
                }
                Next::Damaged => break true,
                Next::End => break false,
            }
        };
        drop(reader);
        (self.length, self.check) = (length, check);
        self.recover(size, damaged)
    }

    pub fn texts(&self) -> Result<JournalTexts, DocumentError> {
        let file = File::open(&self.path).map_err(DocumentError::io(&self.path))?;
        Ok(JournalTexts { path: self.path.clone(), file })
    }

    /// Bytes of whole steps; every text stands before.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Begins a step; it is made by [`StepWriter::finish`], and leaves nothing behind without.
    pub fn begin(&mut self, label: &str, added: u32) -> Result<StepWriter<'_>, DocumentError> {
        self.usable()?;
        let mut buffer = Vec::new();
        step::encode_head(&mut buffer, label, added);
        let step = Step { label: label.to_owned(), added, ..Step::default() };
        let (at, check) = (self.length, self.check);
        Ok(StepWriter { journal: self, buffer, at, check, step, finished: false })
    }

    pub fn undo(&mut self) -> Result<(), DocumentError> {
        self.append(UNDO)
    }

    pub fn redo(&mut self) -> Result<(), DocumentError> {
        self.append(REDO)
    }

    /// The step that begins at a place.
    pub fn read_step(&self, at: u64) -> Result<Step, DocumentError> {
        let io = || DocumentError::io(&self.path);
        // The checksum of its first block was proven when it was written or replayed.
        let mut reader = Blocks::unproven(&self.file, at).map_err(io())?;
        match reader.next_event().map_err(io())? {
            Next::Event(Event::Step(_, step)) => Ok(step),
            _ => Err(self.lost()),
        }
    }

    /// What to say of a step that was once made and does not fit any more.
    pub fn lost(&self) -> DocumentError {
        DocumentError::damaged(&self.path, "an edit in it can no longer be read")
    }

    fn append(&mut self, kind: u8) -> Result<(), DocumentError> {
        self.usable()?;
        let (block, check) = block(kind, &[], self.check);
        let written = self.files.write(&mut self.file, &block).and_then(|()| self.files.sync(&self.file));
        if let Err(source) = written {
            self.cut_back();
            return Err(DocumentError::io(&self.path)(source));
        }
        self.length += block.len() as u64;
        self.check = check;
        Ok(())
    }

    fn usable(&self) -> Result<(), DocumentError> {
        if self.unusable {
            let detail = "an edit could be neither finished nor taken back; open the dataset again";
            return Err(DocumentError::damaged(&self.path, detail));
        }
        Ok(())
    }

    fn cut_back(&mut self) {
        self.unusable = self.files.set_len(&self.file, self.length).is_err();
    }

    /// Cuts off what stands beyond the last whole edit.
    fn recover(&mut self, size: u64, damaged: bool) -> Result<Option<Recovery>, DocumentError> {
        if size <= self.length {
            return Ok(None);
        }
        let mut kept_aside = None;
        if damaged {
            let aside = self.free_name();
            let copied = self.files.create(&aside).and_then(|mut copy| {
                let mut rest = BufReader::new(&self.file);
                rest.seek(SeekFrom::Start(self.length))?;
                let mut part = vec![0; PART];
                loop {
                    match rest.read(&mut part)? {
                        0 => break self.files.sync(&copy),
                        read => self.files.write(&mut copy, &part[..read])?,
                    }
                }
            });
            copied.map_err(DocumentError::io(&aside))?;
            kept_aside = Some(aside);
        }
        let cut = self.files.set_len(&self.file, self.length).and_then(|()| self.files.sync(&self.file));
        cut.map_err(DocumentError::io(&self.path))?;
        Ok(Some(Recovery { dropped_bytes: size - self.length, kept_aside, lost_snapshots: Vec::new() }))
    }

    fn free_name(&self) -> PathBuf {
        let names = (1..).map(|number| self.path.with_file_name(format!("{JOURNAL}.damaged-{number}")));
        let mut free = names.filter(|path| !path.exists());
        free.next().unwrap_or_else(|| self.path.with_file_name("journal.damaged"))
    }
}

/// A step that is being written.
#[derive(Debug)]
pub(super) struct StepWriter<'a> {
    journal: &'a mut Journal,
    buffer: Vec<u8>,
    /// Where the block that is being filled begins.
    at: u64,
    check: Check,
    step: Step,
    finished: bool,
}

impl StepWriter<'_> {
    /// Gives a record another text than the one it had, which stood at `before`.
    pub fn text(&mut self, id: RecordId, before: TextRef, old: &[u8], text: &[u8]) -> Result<(), DocumentError> {
        if u32::try_from(text.len()).is_err() {
            return Err(DocumentError::RecordTooLarge { bytes: text.len() as u64 });
        }
        let after = self.at + HEAD + self.buffer.len() as u64 + TEXT_HEAD - 4;
        let origin = if before == OF_FILE && id < FIRST_ADDED { step::origin(old) } else { 0 };
        step::encode_text(&mut self.buffer, id, before, origin, text);
        self.step.texts.push(TextChange { id, before, after, origin });
        self.part()
    }

    /// Gives a record a text that stands somewhere already.
    pub fn link(&mut self, change: TextChange) -> Result<(), DocumentError> {
        step::encode_link(&mut self.buffer, change);
        self.step.texts.push(change);
        self.part()
    }

    /// Makes the step durable and gives it with its place.
    pub fn finish(mut self, position: u64, delta: Delta) -> Result<(u64, Step), DocumentError> {
        step::encode_position(&mut self.buffer, position);
        self.step.position = position;
        step::encode_delta(&mut self.buffer, &delta);
        self.step.delta = delta;
        self.write(END_OF_STEP)?;
        let journal = &mut *self.journal;
        journal.files.sync(&journal.file).map_err(DocumentError::io(&journal.path))?;
        let start = journal.length;
        (journal.length, journal.check) = (self.at, self.check);
        self.finished = true;
        Ok((start, std::mem::take(&mut self.step)))
    }

    fn part(&mut self) -> Result<(), DocumentError> {
        if self.buffer.len() >= PART {
            return self.write(PART_OF_STEP);
        }
        Ok(())
    }

    fn write(&mut self, kind: u8) -> Result<(), DocumentError> {
        let (block, check) = block(kind, &self.buffer, self.check);
        let journal = &mut *self.journal;
        journal.files.write(&mut journal.file, &block).map_err(DocumentError::io(&journal.path))?;
        self.at += block.len() as u64;
        self.check = check;
        self.buffer.clear();
        Ok(())
    }
}

impl Drop for StepWriter<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.journal.cut_back();
        }
    }
}

fn block(kind: u8, payload: &[u8], before: Check) -> (Vec<u8>, Check) {
    let check = checksum(kind, payload, before);
    let mut block = Vec::with_capacity(HEAD as usize + payload.len());
    block.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    block.push(kind);
    block.extend_from_slice(&check);
    block.extend_from_slice(payload);
    (block, check)
}

fn checksum(kind: u8, payload: &[u8], before: Check) -> Check {
    let length = (payload.len() as u32).to_le_bytes();
    let digest = Sha256::new().chain_update(before).chain_update([kind]).chain_update(length).chain_update(payload);
    let digest = digest.finalize();
    let mut check = Check::default();
    check.copy_from_slice(&digest[..8]);
    check
}

/// What comes next in a journal.
enum Next {
    Event(Event),
    /// Nothing more, or less than a whole block or step.
    End,
    Damaged,
}

/// Reads blocks and puts steps together.
struct Blocks<'a> {
    reader: BufReader<&'a File>,
    /// Behind the last whole event.
    at: u64,
    check: Check,
    /// Whether the first block is taken as it is.
    unproven: bool,
    payload: Vec<u8>,
}

impl<'a> Blocks<'a> {
    fn new(file: &'a File, at: u64, check: Check) -> io::Result<Blocks<'a>> {
        let mut reader = BufReader::with_capacity(256 * 1024, file);
        reader.seek(SeekFrom::Start(at))?;
        Ok(Blocks { reader, at, check, unproven: false, payload: Vec::new() })
    }

    fn unproven(file: &'a File, at: u64) -> io::Result<Blocks<'a>> {
        Ok(Blocks { unproven: true, ..Blocks::new(file, at, Check::default())? })
    }

    fn next_event(&mut self) -> io::Result<Next> {
        let start = self.at;
        let mut step: Option<Step> = None;
        loop {
            let payload_at = self.at + HEAD;
            let kind = match self.next_block()? {
                Some(kind) => kind,
                None if self.payload.is_empty() => return Ok(Next::End),
                None => return Ok(Next::Damaged),
            };
            let mut bytes = Bytes { rest: &self.payload };
            if step.is_none() && kind == UNDO && bytes.rest.is_empty() {
                return Ok(Next::Event(Event::Undo));
            }
            if step.is_none() && kind == REDO && bytes.rest.is_empty() {
                return Ok(Next::Event(Event::Redo));
            }
            if kind != PART_OF_STEP && kind != END_OF_STEP {
                return Ok(Next::Damaged);
            }
            let mut open = match step.take() {
                Some(open) => open,
                None => match Step::decode_head(&mut bytes) {
                    Some(open) => open,
                    None => return Ok(Next::Damaged),
                },
            };
            let items_at = payload_at + (self.payload.len() - bytes.rest.len()) as u64;
            if open.decode_items(&mut bytes, items_at).is_none() {
                return Ok(Next::Damaged);
            }
            if kind == END_OF_STEP {
                return Ok(Next::Event(Event::Step(start, open)));
            }
            step = Some(open);
        }
    }

    /// The kind of the next block, its payload in `self.payload`. Without one: the payload is empty
    /// where the file ends before the block does, and not where its checksum does not hold.
    fn next_block(&mut self) -> io::Result<Option<u8>> {
        self.payload.clear();
        let mut head = [0; HEAD as usize];
        if read_up_to(&mut self.reader, &mut head)? < head.len() {
            return Ok(None);
        }
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let kind = head[4];
        let read = self.reader.by_ref().take(u64::from(length)).read_to_end(&mut self.payload)?;
        if read < length as usize {
            self.payload.clear();
            return Ok(None);
        }
        let proven = self.unproven || checksum(kind, &self.payload, self.check) == head[5..];
        if !proven {
            // Not empty: the block is all there, and it is not what was written.
            self.payload.push(0);
            return Ok(None);
        }
        self.unproven = false;
        self.check.copy_from_slice(&head[5..]);
        self.at += HEAD + u64::from(length);
        Ok(Some(kind))
    }
}

fn read_up_to(reader: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match reader.read(&mut bytes[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}
