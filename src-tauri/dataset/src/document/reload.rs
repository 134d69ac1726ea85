//! A file that another program changed while a dataset was made of it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::base::Base;
use super::delta::Delta;
use super::error::DocumentError;
use super::history::History;
use super::journal::Journal;
use super::order::Run;
use super::save::mark_of;
use super::state::Sources;
use super::step::{Content, origin};
use super::stored::{FileMark, Target};
use super::texts::OF_FILE;
use super::{Document, State, indexing, journal_path};
use crate::ids::{FIRST_ADDED, RecordId};
use crate::watch::Watch;

/// How the file of a dataset stands to what the dataset knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// As it was opened or saved; also for an import, which has none.
    Same,
    /// Another program wrote to it.
    Changed,
    Missing,
}

/// What became of the edits when a file was read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// Edits that are in force over the new content, as one step that can be undone.
    pub carried: u64,
    /// Edits that had no place in it.
    pub aside: u64,
    /// Where their lines were put.
    pub kept_aside: Option<PathBuf>,
}

/// The edits of a dataset, apart from the content that they were made to.
#[derive(Debug, Default)]
struct Carried {
    /// Changed lines of the file: what tells the old line, its number, the new text; none for deleted.
    changed: Vec<(u64, RecordId, Option<Vec<u8>>)>,
    /// Added records with the line of the file that they stand behind, if there is one.
    added: Vec<(Option<RecordId>, Vec<u8>)>,
}

impl Document {
    /// Looks whether another program changed the file.
    pub fn file_state(&self) -> Result<FileState, DocumentError> {
        let Some(target) = &self.stored.target else { return Ok(FileState::Same) };
        Ok(match mark_of(&target.path)? {
            None => FileState::Missing,
            Some(mark) if mark == target.mark => FileState::Same,
            Some(_) => FileState::Changed,
        })
    }

    /// Lets the next save replace what another program wrote. That is refused where the records that
    /// were not edited are nowhere but in the file that was written over.
    pub fn keep_mine(&mut self) -> Result<(), DocumentError> {
        if !self.opened_is_readable()? {
            return Err(DocumentError::SourceOverwritten { path: self.stored.base(&self.dir) });
        }
        self.overwrite = true;
        Ok(())
    }

    /// Reads the file again. Edits of lines that are still there are made to them, as one step; the
    /// others are kept aside. What was undone before, the snapshots and the split belong to the old
    /// content and end with it.
    pub fn reload(&mut self, watch: &dyn Watch) -> Result<Reloaded, DocumentError> {
        let Some(target) = self.stored.target.clone() else { return Err(DocumentError::NoFile) };
        let edits = self.edits_to_carry()?;
        let base = Base::open(&target.path)?;
        base.build_index(watch)?;
        let mark = FileMark::from(&base.fingerprint()?);
        let mut stored = self.stored.clone();
        stored.epoch += 1;
        stored.owned = None;
        stored.target = Some(Target { path: target.path, mark, state: 0 });
        let path = journal_path(&self.dir, stored.epoch);
        Journal::create(&*self.files, &path)?;
        let mut journal = Journal::lock(Arc::clone(&self.files), &path)?;
        let mut content = Content::of_file(base.records()?);
        let mut history = History::default();
        let mut aside = Vec::new();
        let carried = carry(&base, edits, &mut journal, &mut content, &mut history, &mut aside)?;
        let kept_aside = self.keep_aside(stored.epoch, &aside)?;
        // From here on the dataset is the new one, also after a crash.
        stored.store(&*self.files, &self.dir)?;
        let _ = base.with_index(|index| base.fingerprint().map(|print| indexing::store(&self.dir, index, &print)));
        let sources = Arc::new(Sources { base, journal: journal.texts()?, schema: stored.schema.clone() });
        let number = history.state();
        self.state = State { sources, content: Arc::new(content), splits: None, number };
        self.stored = stored;
        self.journal = journal;
        self.history = history;
        self.indexed = true;
        self.overwrite = false;
        Ok(Reloaded { carried, aside: aside.len() as u64, kept_aside })
    }

    /// Whether what was opened can still be read: it is in the folder, or the file was replaced and
    /// not written to.
    fn opened_is_readable(&self) -> Result<bool, DocumentError> {
        let Some(target) = &self.stored.target else { return Ok(true) };
        if self.stored.owned.is_some() {
            return Ok(true);
        }
        let now = FileMark::from(&self.state.sources.base.fingerprint()?);
        Ok(now.is_content_of(&target.mark))
    }

    fn edits_to_carry(&self) -> Result<Carried, DocumentError> {
        let state = &self.state;
        let (content, journal) = (&state.content, &state.sources.journal);
        let mut carried = Carried::default();
        let mut behind = None;
        for id in state.runs().flat_map(Run::ids) {
            if id >= FIRST_ADDED {
                carried.added.push((behind, state.text_of(id)?));
                continue;
            }
            behind = Some(id);
            let text = content.texts.get(id);
            if text != OF_FILE {
                carried.changed.push((journal.origin(text)?, id, Some(journal.read(text)?)));
            }
        }
        let there = state.all();
        let readable = self.opened_is_readable()?;
        for id in (0..content.base).filter(|id| !there.contains(*id)) {
            // Without the old line nobody can say which of the new ones is meant: 0 fits none.
            let mut told = 0;
            if readable {
                state.sources.base.lines(id..id + 1, |_, line| {
                    told = origin(line.text);
                    Ok::<(), DocumentError>(())
                })?;
            }
            carried.changed.push((told, id, None));
        }
        Ok(carried)
    }

    fn keep_aside(&self, epoch: u32, lines: &[Vec<u8>]) -> Result<Option<PathBuf>, DocumentError> {
        if lines.is_empty() {
            return Ok(None);
        }
        let path = self.dir.join(format!("aside-{epoch}.jsonl"));
        let mut bytes = lines.join(&b'\n');
        bytes.push(b'\n');
        super::files::write_atomically(&*self.files, &path, &bytes)?;
        Ok(Some(path))
    }
}

/// Makes the edits to new content where they fit, and says how many did.
fn carry(
    base: &Base,
    edits: Carried,
    journal: &mut Journal,
    content: &mut Content,
    history: &mut History,
    aside: &mut Vec<Vec<u8>>,
) -> Result<u64, DocumentError> {
    let wanted: HashSet<u64> = edits.changed.iter().map(|(told, ..)| *told).collect();
    let mut places: HashMap<u64, Vec<RecordId>> = HashMap::new();
    if !wanted.is_empty() {
        base.lines(0..content.base, |number, line| {
            let told = origin(line.text);
            if wanted.contains(&told) {
                places.entry(told).or_default().push(number);
            }
            Ok::<(), DocumentError>(())
        })?;
    }
    let mut step = journal.begin("Carry edits over", edits.added.len() as u32)?;
    let mut gone = crate::ids::IdSet::new();
    let (mut carried, mut shift) = (0, HashMap::new());
    for (told, id, text) in edits.changed {
        // Of several lines that read the same, the nearest is meant.
        let candidates = places.entry(told).or_default();
        let nearest = candidates.iter().enumerate().min_by_key(|(_, place)| place.abs_diff(id)).map(|(index, _)| index);
        let Some(place) = nearest.map(|index| candidates.swap_remove(index)) else {
            aside.push(text.unwrap_or_else(|| format!("{{\"deleted_line\":{}}}", u64::from(id) + 1).into_bytes()));
            continue;
        };
        shift.insert(id, place);
        carried += 1;
        match text {
            Some(text) => {
                let mut old = Vec::new();
                base.lines(place..place + 1, |_, line| {
                    old = line.text.to_vec();
                    Ok::<(), DocumentError>(())
                })?;
                step.text(place, OF_FILE, &old, &text)?;
            }
            None => {
                gone.insert(place);
            }
        }
    }
    let mut inserted: Vec<(u64, Run)> = Vec::new();
    for (number, (behind, text)) in edits.added.into_iter().enumerate() {
        let run = Run { first: FIRST_ADDED + number as u32, len: 1 };
        step.text(run.first, OF_FILE, b"", &text)?;
        let behind = behind.map(|id| shift.get(&id).copied().unwrap_or(id));
        let at = behind.map_or(0, |id| u64::from(id) + 1).min(u64::from(content.base));
        inserted.push((at, run));
        carried += 1;
    }
    if carried > 0 {
        inserted.sort_by_key(|(at, _)| *at);
        let delta = Delta::merged(&content.order, &gone, &inserted);
        let (at, step) = step.finish(delta.position().unwrap_or_default(), delta)?;
        if !content.make(&step) {
            return Err(journal.lost());
        }
        history.push(at, &step);
    }
    Ok(carried)
}
