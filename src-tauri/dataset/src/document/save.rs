//! Writing the edits into the file: at every moment it is the old one or the new one, whole.
//!
//! The new file is written beside the old one, made durable and renamed into its place. What was
//! opened stays in the dataset's folder, so that undo reaches through a save; it is kept once, however
//! often is saved. `save.json` in the folder says what is about to be renamed: whoever opens the
//! dataset after a crash tells from it which of the two files is there.
//!
//! Records that were not edited are written as the bytes they were, line ends included; an edited
//! record keeps the line end it had, a new one gets that of the first line, and the file ends with a
//! line break if it did so before.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Document;
use super::base::Base;
use super::error::DocumentError;
use super::files::{self, FileLayer};
use super::state::State;
use super::stored::{FileMark, RECORDS, Stored, Target};
use super::texts::OF_FILE;
use crate::ids::FIRST_ADDED;
use crate::watch::Watch;
use whetstone_scan::Fingerprint;

const INTENT: &str = "save.json";
const BUFFER: usize = 1 << 20;
/// Lines that are looked at together; without an edit among them they are copied as bytes.
const STRETCH: u32 = 1024;

/// What opening found of a save that did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterruptedSave {
    /// The new file was in its place already.
    Done,
    /// The file is the old one. The edits are in the dataset and can be saved again.
    NotDone,
}

/// What is about to be put in place.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Intent {
    target: Target,
    owned: Option<u64>,
}

/// A save that is ready to be run, on any thread and without the document.
#[derive(Debug)]
pub struct SaveJob {
    state: State,
    files: Arc<dyn FileLayer>,
    dir: PathBuf,
    path: PathBuf,
    /// What should be there; `None` where anything may be.
    expected: Option<FileMark>,
    /// Bytes of the copy of the opened content in the folder, if there is one.
    owned: Option<u64>,
}

/// A file that was written, to be told to the document.
#[derive(Debug)]
pub struct Saved {
    intent: Intent,
}

impl Saved {
    pub fn path(&self) -> &Path {
        &self.intent.target.path
    }
}

impl Document {
    /// Saves the present state into the file that was opened.
    pub fn save_job(&self) -> Result<SaveJob, DocumentError> {
        let target = self.stored.target.as_ref().ok_or(DocumentError::NoFile)?;
        let expected = (!self.overwrite).then(|| target.mark.clone());
        self.job(target.path.clone(), expected)
    }

    /// Saves the present state into another file, which is the dataset's from then on.
    pub fn save_as_job(&self, path: &Path) -> Result<SaveJob, DocumentError> {
        let folder = files::folder_of(path);
        let folder = std::fs::canonicalize(folder).map_err(DocumentError::io(folder))?;
        self.job(folder.join(path.file_name().unwrap_or_default()), None)
    }

    fn job(&self, path: PathBuf, expected: Option<FileMark>) -> Result<SaveJob, DocumentError> {
        if !self.indexed {
            return Err(DocumentError::Indexing);
        }
        let (files, dir) = (Arc::clone(&self.files), self.dir.clone());
        Ok(SaveJob { state: self.state(), files, dir, path, expected, owned: self.stored.owned })
    }

    /// Takes note of a save that was run.
    pub fn finish_save(&mut self, saved: Saved) -> Result<(), DocumentError> {
        let mut stored = self.stored.clone();
        stored.target = Some(saved.intent.target);
        stored.owned = saved.intent.owned;
        // The file is the new one whether or not that can be written down; if not, the next opening
        // finds out from the note that the save left.
        self.stored = stored;
        self.overwrite = false;
        self.stored.store(&*self.files, &self.dir)?;
        files::remove_if_there(&*self.files, &self.dir.join(INTENT))
    }

    /// Saves at once; see [`Document::save_job`].
    pub fn save(&mut self, watch: &dyn Watch) -> Result<(), DocumentError> {
        let saved = self.save_job()?.run(watch)?;
        self.finish_save(saved)
    }
}

impl SaveJob {
    /// Writes the file. Progress is in records. Cancelled or failed, it leaves everything as it was.
    pub fn run(self, watch: &dyn Watch) -> Result<Saved, DocumentError> {
        let beside = beside(&self.dir, &self.path);
        let run = self.write(&beside, watch).and_then(|mark| self.put_in_place(&beside, mark));
        if run.is_err() {
            // Failing to tidy up must not hide why the save failed; the next opening tidies again.
            let _ = files::remove_if_there(&*self.files, &beside);
            let _ = files::remove_if_there(&*self.files, &self.dir.join(INTENT));
        }
        run
    }

    fn write(&self, beside: &Path, watch: &dyn Watch) -> Result<FileMark, DocumentError> {
        self.check_unchanged()?;
        let io = || DocumentError::io(beside);
        let file = self.files.create(beside).map_err(io())?;
        if let Ok(metadata) = std::fs::metadata(&self.path) {
            file.set_permissions(metadata.permissions()).map_err(io())?;
        }
        let mut out = Out { files: &*self.files, path: beside, file, buffer: Vec::with_capacity(BUFFER * 2) };
        write_state(&self.state, &mut out, watch)?;
        out.flush()?;
        self.files.sync(&out.file).map_err(io())?;
        Ok(FileMark::from(&Fingerprint::of(&out.file).map_err(io())?))
    }

    fn put_in_place(&self, beside: &Path, mark: FileMark) -> Result<Saved, DocumentError> {
        let owned = match self.owned {
            Some(bytes) => bytes,
            None => self.keep_opened()?,
        };
        let target = Target { path: self.path.clone(), mark, state: self.state.number };
        let intent = Intent { target, owned: Some(owned) };
        let path = self.dir.join(INTENT);
        let json = serde_json::to_vec(&intent).map_err(|error| DocumentError::io(&path)(error.into()))?;
        files::write_atomically(&*self.files, &path, &json)?;
        self.check_unchanged()?;
        self.files.rename(beside, &self.path).map_err(DocumentError::io(&self.path))?;
        // The new file is in its place now, so this is no longer a save that failed. Should a power cut
        // bring the old one back, it is whole, and what was opened and edited is in the folder.
        let _ = self.files.sync_folder(files::folder_of(&self.path));
        Ok(Saved { intent })
    }

    fn check_unchanged(&self) -> Result<(), DocumentError> {
        match &self.expected {
            Some(expected) if mark_of(&self.path)?.as_ref() != Some(expected) => {
                Err(DocumentError::SourceChanged { path: self.path.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Keeps the opened content in the folder: a second name for it where that is enough, or a copy.
    fn keep_opened(&self) -> Result<u64, DocumentError> {
        let base = &self.state.sources.base;
        let kept = self.dir.join(RECORDS);
        files::remove_if_there(&*self.files, &kept)?;
        let here = mark_of(&self.path)? == Some(FileMark::from(&base.fingerprint()?));
        // Only a file that loses its name in a moment may be linked: nobody else writes to it then.
        if !here || self.files.hard_link(&self.path, &kept).is_err() {
            let file = self.files.create(&kept).map_err(DocumentError::io(&kept))?;
            let mut out = Out { files: &*self.files, path: &kept, file, buffer: Vec::new() };
            out.copy(base, 0..base.bytes()?)?;
            out.flush()?;
            self.files.sync(&out.file).map_err(DocumentError::io(&kept))?;
        }
        self.files.sync_folder(&self.dir).map_err(DocumentError::io(&self.dir))?;
        base.bytes()
    }
}

/// Settles a save that a crash interrupted, before anything of the dataset is read.
pub(super) fn settle(
    files: &dyn FileLayer,
    dir: &Path,
    stored: &mut Stored,
) -> Result<Option<InterruptedSave>, DocumentError> {
    let path = dir.join(INTENT);
    let intent: Option<Intent> = match std::fs::read(&path) {
        Ok(bytes) => {
            Some(serde_json::from_slice(&bytes).map_err(|error| DocumentError::damaged(&path, error.to_string()))?)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(DocumentError::io(&path)(error)),
    };
    let mut interrupted = None;
    if let Some(intent) = intent {
        let there = mark_of(&intent.target.path)?;
        if there.as_ref() == Some(&intent.target.mark) {
            stored.target = Some(intent.target);
            stored.owned = intent.owned;
            stored.store(files, dir)?;
            interrupted = Some(InterruptedSave::Done);
        } else {
            files::remove_if_there(files, &beside(dir, &intent.target.path))?;
            interrupted = Some(InterruptedSave::NotDone);
            let known = stored.target.as_ref().map(|target| &target.mark);
            if stored.owned.is_none() && there.as_ref() != known {
                // Neither the old file nor the new one is there: what was opened is in the folder.
                stored.owned = intent.owned;
                stored.store(files, dir)?;
            }
        }
        files::remove_if_there(files, &path)?;
    }
    if let Some(target) = &stored.target {
        let left = beside(dir, &target.path);
        if left.exists() {
            files::remove_if_there(files, &left)?;
            interrupted = interrupted.or(Some(InterruptedSave::NotDone));
        }
    }
    if stored.owned.is_none() {
        files::remove_if_there(files, &dir.join(RECORDS))?;
    }
    Ok(interrupted)
}

/// What is in a file now; `None` where there is none.
pub(super) fn mark_of(path: &Path) -> Result<Option<FileMark>, DocumentError> {
    match File::open(path).and_then(|file| Fingerprint::of(&file)) {
        Ok(print) => Ok(Some(FileMark::from(&print))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DocumentError::io(path)(error)),
    }
}

/// Where a save is written before it is whole: in the same folder, under a name of this dataset's.
fn beside(dir: &Path, path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(dir.file_name().unwrap_or_default());
    name.push(".saving");
    path.with_file_name(name)
}

/// A file that is written in large pieces.
struct Out<'a> {
    files: &'a dyn FileLayer,
    path: &'a Path,
    file: File,
    buffer: Vec<u8>,
}

impl Out<'_> {
    fn push(&mut self, bytes: &[u8]) -> Result<(), DocumentError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Takes bytes over from the opened content as they are.
    fn copy(&mut self, base: &Base, mut bytes: Range<u64>) -> Result<(), DocumentError> {
        let mut piece = vec![0; (bytes.end - bytes.start).min(BUFFER as u64) as usize];
        while bytes.start < bytes.end {
            let length = (bytes.end - bytes.start).min(BUFFER as u64) as usize;
            base.read(&mut piece[..length], bytes.start)?;
            self.push(&piece[..length])?;
            bytes.start += length as u64;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DocumentError> {
        self.files.write(&mut self.file, &self.buffer).map_err(DocumentError::io(self.path))?;
        self.buffer.clear();
        Ok(())
    }
}

/// Writes records with their line ends, the last of which is decided at the end.
struct Lines<'a, 'b> {
    out: &'a mut Out<'b>,
    default: &'static [u8],
    /// The line end that is due when another record follows.
    due: Option<Vec<u8>>,
}

impl Lines<'_, '_> {
    fn line(&mut self, text: &[u8], ending: &[u8]) -> Result<(), DocumentError> {
        self.end_line()?;
        self.out.push(text)?;
        self.due = Some(if ending.is_empty() { self.default.to_vec() } else { ending.to_vec() });
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), DocumentError> {
        match self.due.take() {
            Some(ending) => self.out.push(&ending),
            None => Ok(()),
        }
    }
}

fn write_state(state: &State, out: &mut Out<'_>, watch: &dyn Watch) -> Result<(), DocumentError> {
    let base = &state.sources.base;
    let (default, final_break) = base.line_ends()?;
    out.push(base.bom())?;
    let mut lines = Lines { out, default, due: None };
    let mut written = 0;
    for run in state.runs() {
        let mut ids = run.ids();
        while !ids.is_empty() {
            watch.progress(written, state.len());
            if watch.cancelled() {
                return Err(DocumentError::Cancelled);
            }
            let stretch = ids.start..ids.end.min(ids.start + STRETCH);
            write_stretch(state, base, stretch.clone(), &mut lines)?;
            written += u64::from(stretch.end - stretch.start);
            ids.start = stretch.end;
        }
    }
    if final_break { lines.end_line() } else { Ok(()) }
}

fn write_stretch(state: &State, base: &Base, ids: Range<u32>, lines: &mut Lines<'_, '_>) -> Result<(), DocumentError> {
    let texts = &state.content.texts;
    if ids.start >= FIRST_ADDED {
        let default = lines.default;
        return ids.into_iter().try_for_each(|id| lines.line(&state.sources.journal.read(texts.get(id))?, default));
    }
    if ids.len() == STRETCH as usize && ids.clone().all(|id| texts.get(id) == OF_FILE) {
        // The last line is written as a line, so that its end can wait.
        let last = ids.end - 1;
        lines.end_line()?;
        lines.out.copy(base, base.bytes_of(ids.start..last)?)?;
        return base.lines(last..ids.end, |_, line| lines.line(line.text, line.ending));
    }
    base.lines(ids, |id, line| match texts.get(id) {
        OF_FILE => lines.line(line.text, line.ending),
        text => lines.line(&state.sources.journal.read(text)?, line.ending),
    })
}
