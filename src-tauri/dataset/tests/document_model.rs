//! A hundred thousand random edits, undos, redos, saves and crashes, against a plain vector.
//!
//! The file layer of these tests stops the program between any two operations on the disk, in the
//! middle of a write too: from then on every operation fails, as if the process had been killed.

#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use whetstone_dataset::{Document, DocumentError, DocumentMeta, Edit, FileLayer, IdSet, Schema, State, Unwatched};

/// Acts against one document, before another is begun.
const ACTS: u64 = 250;
const NEVER: i64 = i64::MAX;

/// A disk that fails for good after so many operations. Nothing is made durable: a test's crash is
/// that of the program, and the system keeps what was written.
#[derive(Debug)]
struct Mortal(AtomicI64);

impl Mortal {
    fn step(&self) -> io::Result<()> {
        if self.0.fetch_sub(1, Ordering::Relaxed) > 0 { Ok(()) } else { Err(io::Error::other("killed")) }
    }
}

impl FileLayer for Mortal {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.step()?;
        File::options().read(true).write(true).create(true).truncate(true).open(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        use std::io::Write;
        if let Err(killed) = self.step() {
            // The last write of all may get half way.
            if self.0.load(Ordering::Relaxed) == -1 {
                file.write_all(&bytes[..bytes.len() / 2])?;
            }
            return Err(killed);
        }
        file.write_all(bytes)
    }

    fn set_len(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.step()?;
        file.set_len(bytes)
    }

    fn sync(&self, _: &File) -> io::Result<()> {
        self.step()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        std::fs::rename(from, to)
    }

    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        self.step()?;
        std::fs::hard_link(original, link)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        std::fs::remove_file(path)
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.step()
    }
}

/// A record of the plain vector: its text, and the line end of the file that goes with it.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    text: Rc<Vec<u8>>,
    ending: &'static str,
}

type Lines = Rc<Vec<Line>>;

/// The plain vector with every state there was, and what is in the file.
#[derive(Debug, Clone)]
struct Model {
    states: Vec<Lines>,
    now: usize,
    snapshots: Vec<(u32, Lines)>,
}

impl Model {
    fn lines(&self) -> &Lines {
        &self.states[self.now]
    }

    fn edit(&mut self, change: impl FnOnce(&mut Vec<Line>)) {
        let mut next = Vec::clone(self.lines());
        change(&mut next);
        if next != **self.lines() {
            self.put(Rc::new(next));
        }
    }

    /// A step, even one after which the texts are what they were.
    fn put(&mut self, next: Lines) {
        self.states.truncate(self.now + 1);
        self.states.push(next);
        self.now += 1;
    }
}

struct Run {
    random: ChaCha8Rng,
    home: tempfile::TempDir,
    files: Arc<Mortal>,
    document: Option<Document>,
    model: Model,
    /// The model after each whole step, by the length that the journal then had.
    journal: Vec<(u64, Model)>,
    /// What is in the file.
    saved: Vec<u8>,
    default: &'static str,
    final_break: bool,
}

impl Run {
    fn begin(seed: u64, episode: u64) -> Run {
        let mut random = ChaCha8Rng::seed_from_u64(seed << 32 | episode);
        let home = tempfile::tempdir().unwrap();
        let count = random.next_u32() % 24;
        let endings: &[&str] = [&["\n"][..], &["\r\n"], &["\r\n", "\n"]][random.next_u32() as usize % 3];
        let final_break = random.next_u32().is_multiple_of(2);
        let mut lines: Vec<Line> = Vec::new();
        for number in 0..count {
            let text = match random.next_u32() % 6 {
                0 => b"not a record".to_vec(),
                1 => Vec::new(),
                _ => format!("{{\"prompt\":\"r{number}\",\"completion\":\"a\"}}").into_bytes(),
            };
            lines.push(Line { text: Rc::new(text), ending: endings[random.next_u32() as usize % endings.len()] });
        }
        if let Some(last) = lines.last_mut() {
            if !final_break && !last.text.is_empty() {
                last.ending = "";
            }
            last.ending = if last.text.is_empty() { "\n" } else { last.ending };
        }
        let mut run = Run {
            random,
            home,
            files: Arc::new(Mortal(AtomicI64::new(NEVER))),
            document: None,
            default: match lines.first() {
                Some(Line { ending: "\r\n", .. }) => "\r\n",
                _ => "\n",
            },
            final_break: lines.last().is_none_or(|last| !last.ending.is_empty()),
            model: Model { states: vec![Rc::new(lines)], now: 0, snapshots: Vec::new() },
            journal: Vec::new(),
            saved: Vec::new(),
        };
        run.saved = run.file_of(run.model.lines());
        std::fs::write(run.path(), &run.saved).unwrap();
        let meta = DocumentMeta { name: "n".to_owned(), source: "s".to_owned(), created_at: 0 };
        drop(Document::open_file(&run.dir(), &run.path(), Schema::PromptCompletion, meta).unwrap());
        run.reopen();
        run.journal = vec![(run.journal_bytes(), run.model.clone())];
        run
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("data.jsonl")
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("dataset")
    }

    fn journal_bytes(&self) -> u64 {
        std::fs::metadata(self.dir().join("journal")).unwrap().len()
    }

    fn reopen(&mut self) {
        self.document = None;
        self.files = Arc::new(Mortal(AtomicI64::new(NEVER)));
        self.document = Some(Document::open_with(&self.dir(), self.files.clone()).unwrap());
    }

    /// The bytes of the file in which these lines are saved.
    fn file_of(&self, lines: &[Line]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            bytes.extend_from_slice(&line.text);
            let last = number + 1 == lines.len();
            if !last || self.final_break {
                let ending = if line.ending.is_empty() { self.default } else { line.ending };
                bytes.extend_from_slice(ending.as_bytes());
            }
        }
        bytes
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random.next_u32() as usize % bound.max(1)
    }

    fn text(&mut self) -> Vec<u8> {
        match self.below(8) {
            0 => b"broken {".to_vec(),
            1 => format!("{{\"prompt\":\"{}\",\"completion\":\"é\"}}", "x".repeat(self.below(3000))).into_bytes(),
            _ => format!("{{\"prompt\":\"t{}\",\"completion\":\"b\"}}", self.random.next_u32() % 50).into_bytes(),
        }
    }

    /// Some positions, in ascending order.
    fn some(&mut self) -> Vec<usize> {
        let odds = 1 + self.below(5);
        let length = self.model.lines().len();
        (0..length).filter(|_| (self.random.next_u32() as usize).is_multiple_of(odds + 1)).collect()
    }

    /// Does one thing to both, and says whether the document could.
    fn act(&mut self, act: usize) -> Result<(), DocumentError> {
        let length = self.model.lines().len();
        let mut document = self.document.take().unwrap();
        let state = document.state();
        let ids = |positions: &[usize]| -> IdSet {
            positions.iter().map(|position| state.id_at(*position as u64).unwrap()).collect()
        };
        let added = |text: Vec<u8>| Line { text: Rc::new(text), ending: "" };
        let done = match act {
            0..=14 if length > 0 => {
                let (at, text) = (self.below(length), self.text());
                let done = document.replace_line(state.id_at(at as u64).unwrap(), &text);
                self.model.edit(|lines| lines[at].text = Rc::new(text));
                done
            }
            0..=29 => {
                let (at, count) = (self.below(length + 1), 1 + self.below(3));
                let texts: Vec<Vec<u8>> = (0..count).map(|_| self.text()).collect();
                let done = document.insert_lines(at as u64, &texts).map(|_| ());
                self.model.edit(|lines| {
                    lines.splice(at..at, texts.into_iter().map(added));
                });
                done
            }
            30..=37 => {
                let gone = self.some();
                let done = document.delete(&ids(&gone)).map(|_| ());
                self.model.edit(|lines| {
                    gone.iter().rev().for_each(|at| {
                        lines.remove(*at);
                    });
                });
                done
            }
            38..=45 => {
                let (moved, before) = (self.some(), self.below(length + 1));
                let done = document.move_to(&ids(&moved), before as u64);
                // Two lines that read the same may change places without the vector noticing.
                let mut next = Vec::clone(self.model.lines());
                let taken: Vec<Line> = moved.iter().map(|at| next[*at].clone()).collect();
                moved.iter().rev().for_each(|at| {
                    next.remove(*at);
                });
                let to = before - moved.iter().filter(|at| **at < before).count();
                next.splice(to..to, taken);
                if matches!(done, Ok(0)) {
                    assert_eq!(next, **self.model.lines());
                } else {
                    self.model.put(Rc::new(next));
                }
                done.map(|_| ())
            }
            46..=49 => {
                let copied = self.some();
                let done = document.duplicate(&ids(&copied)).map(|_| ());
                self.model.edit(|lines| {
                    for at in copied.iter().rev() {
                        let copy = added(lines[*at].text.to_vec());
                        lines.insert(*at + 1, copy);
                    }
                });
                done
            }
            50..=54 => {
                let (set, odd) = (self.some(), self.below(4) as u64);
                let change = |position: u64, text: &[u8]| match position % 4 {
                    rest if rest == odd => Edit::Delete,
                    1 => Edit::Keep,
                    _ => Edit::Line([text, b"!"].concat()),
                };
                let done = document.bulk("Bulk", &ids(&set), &Unwatched, |row| change(row.position, &row.text));
                self.model.edit(|lines| {
                    for at in set.iter().rev() {
                        match change(*at as u64, &lines[*at].text) {
                            Edit::Delete => {
                                lines.remove(*at);
                            }
                            Edit::Line(text) => lines[*at].text = Rc::new(text),
                            _ => {}
                        }
                    }
                });
                done.map(|_| ())
            }
            55..=71 => {
                let done = document.undo();
                if let Ok(undone) = &done {
                    assert_eq!(undone.is_some(), self.model.now > 0);
                }
                self.model.now = self.model.now.saturating_sub(1);
                done.map(|_| ())
            }
            72..=83 => {
                let done = document.redo();
                if let Ok(redone) = &done {
                    assert_eq!(redone.is_some(), self.model.now + 1 < self.model.states.len());
                }
                self.model.now = (self.model.now + 1).min(self.model.states.len() - 1);
                done.map(|_| ())
            }
            84..=86 => {
                let taken = document.take_snapshot("s".to_owned(), 0);
                let lines = Rc::clone(self.model.lines());
                taken.map(|info| self.model.snapshots.push((info.number, lines)))
            }
            87..=89 if !self.model.snapshots.is_empty() => {
                let which = self.below(self.model.snapshots.len());
                let (number, lines) = self.model.snapshots[which].clone();
                let restored = document.restore_snapshot(number);
                if matches!(restored, Ok(false)) {
                    assert_eq!(lines, *self.model.lines());
                } else {
                    self.model.put(lines);
                }
                restored.map(|_| ())
            }
            _ => {
                let done = document.save(&Unwatched);
                if done.is_ok() {
                    self.saved = self.file_of(self.model.lines());
                    assert!(!document.is_modified());
                }
                done
            }
        };
        self.document = Some(document);
        done
    }

    fn compare(&self) {
        let document = self.document.as_ref().unwrap();
        let state = document.state();
        let lines = texts(&state);
        assert!(lines.iter().eq(self.model.lines().iter().map(|line| &*line.text)));
        assert_eq!(document.len() as usize, lines.len());
        assert_eq!(document.can_undo(), self.model.now > 0);
        assert_eq!(document.can_redo(), self.model.now + 1 < self.model.states.len());
        assert!(std::fs::read(self.path()).unwrap() == self.saved, "the file is as it was last saved");
    }

    /// Something that goes well.
    fn live(&mut self) {
        let act = self.below(100);
        self.act(act).unwrap();
        let bytes = self.journal_bytes();
        if self.journal[self.journal.len() - 1].0 < bytes {
            self.journal.push((bytes, self.model.clone()));
        }
        self.compare();
    }

    /// The program is killed at any operation on the disk: the act is done as a whole or not at all.
    fn die(&mut self) {
        let (before, act) = (self.model.clone(), self.below(100));
        let saved = self.saved.clone();
        let operations = self.below(14) as i64;
        self.files.0.store(operations, Ordering::Relaxed);
        let done = self.act(act);
        let after = std::mem::replace(&mut self.model, before.clone());
        let new_file = self.file_of(after.lines());
        self.reopen();
        let there = texts(&self.document.as_ref().unwrap().state());
        let is = |model: &Model| {
            let document = self.document.as_ref().unwrap();
            there.iter().eq(model.lines().iter().map(|line| &*line.text))
                && document.can_undo() == (model.now > 0)
                && document.can_redo() == (model.now + 1 < model.states.len())
        };
        // An act that was reported as done is there; one that was not may be.
        let bytes = self.journal_bytes();
        let grew = self.journal[self.journal.len() - 1].0 < bytes;
        assert!(if grew { is(&after) } else { is(&before) }, "neither before nor after the act that was cut short");
        assert!(done.is_err() || is(&after));
        let file = std::fs::read(self.path()).unwrap();
        assert!(file == saved || (act >= 87 && file == new_file), "the file is neither the old nor the new one");
        self.saved = file;
        self.model = if grew { after } else { Model { snapshots: after.snapshots, ..before } };
        let listed = self.document.as_ref().unwrap().snapshots().unwrap();
        self.model.snapshots.retain(|(number, _)| listed.iter().any(|info| info.number == *number));
        let known: Vec<u32> = self.model.snapshots.iter().map(|(number, _)| *number).collect();
        for info in listed.iter().filter(|info| !known.contains(&info.number)) {
            // Taken in full, and killed before that could be said.
            let lines = Rc::clone(self.model.lines());
            self.model.snapshots.push((info.number, lines));
        }
        if grew {
            self.journal.push((bytes, self.model.clone()));
        }
        let beside = std::fs::read_dir(self.home.path()).unwrap().count();
        assert_eq!(beside, 2, "something was left beside the file");
        self.compare();
    }

    /// The journal is cut at any byte: every whole step before is there, and nothing else.
    fn cut(&mut self) {
        self.document = None;
        let cut = self.random.next_u64() % (self.journal_bytes() + 1);
        let journal = File::options().write(true).open(self.dir().join("journal")).unwrap();
        journal.set_len(cut).unwrap();
        self.journal.retain(|(bytes, _)| *bytes <= cut.max(8));
        let (whole, model) = self.journal[self.journal.len() - 1].clone();
        let snapshots = std::mem::take(&mut self.model.snapshots);
        self.model = Model { snapshots, ..model };
        self.reopen();
        let document = self.document.as_ref().unwrap();
        assert_eq!(document.recovery().is_some(), cut > whole);
        assert!(document.recovery().is_none_or(|recovery| recovery.kept_aside.is_none()));
        // Snapshots of what is lost are gone; the others can be restored.
        let listed = document.snapshots().unwrap();
        assert!(listed.iter().all(|info| document.snapshot_state(info.number).is_ok()));
        self.model.snapshots.retain(|(number, _)| listed.iter().any(|info| info.number == *number));
        self.compare();
    }
}

fn texts(state: &State) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let gathered = state.for_each_line(0..state.len(), |_, _, text| {
        texts.push(text.to_vec());
        Ok::<(), DocumentError>(())
    });
    gathered.unwrap();
    texts
}

/// Does 25,000 things to documents, one after the other.
fn hold(seed: u64) {
    for episode in 0..100 {
        let mut run = Run::begin(seed, episode);
        for _ in 0..ACTS {
            match run.below(100) {
                0..=1 => run.cut(),
                2..=6 => run.die(),
                7 => {
                    run.reopen();
                    run.compare();
                }
                _ => run.live(),
            }
        }
    }
}

#[test]
fn a_document_is_what_a_plain_vector_would_be_whatever_is_done_to_it() {
    hold(1);
}

#[test]
fn a_document_is_what_a_plain_vector_would_be_from_a_second_seed() {
    hold(2);
}

#[test]
fn a_document_is_what_a_plain_vector_would_be_from_a_third_seed() {
    hold(3);
}

#[test]
fn a_document_is_what_a_plain_vector_would_be_from_a_fourth_seed() {
    hold(4);
}
