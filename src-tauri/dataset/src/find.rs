//! Find and replace over the texts of records.
//!
//! A match lies within one block of text of one turn. A replacement changes that block and nothing
//! else of the record.

use std::ops::Range;

use rayon::prelude::*;
use regex::{NoExpand, Regex, RegexBuilder};

use crate::document::{Document, DocumentError, Edit, State};
use crate::ids::{IdSet, RecordId};
use crate::record::{Block, Record, Role};
use crate::view::{BATCH, BATCH_BYTES, View};
use crate::watch::Watch;

const REGEX_BYTES: usize = 4 << 20;
/// Characters shown on either side of a match.
const CONTEXT: usize = 60;

/// In which texts is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FindField {
    #[default]
    Any,
    System,
    User,
    Assistant,
    /// The first turn of the user.
    Prompt,
    /// The last turn, if it is the assistant's.
    Completion,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Find {
    pub text: String,
    /// Whether the text is a regular expression; a replacement may then name its groups as `$1`.
    pub regex: bool,
    /// Whether capitals matter.
    pub case: bool,
    pub whole_word: bool,
    pub field: FindField,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no regular expression: {reason}")]
pub struct FindError {
    pub reason: String,
}

/// Something to look for, ready to look.
#[derive(Debug, Clone)]
pub struct Finder {
    pattern: Regex,
    expand: bool,
    field: FindField,
}

/// A place in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub turn: usize,
    pub block: usize,
    /// Bytes of that block's text.
    pub span: Range<usize>,
}

/// Which of the matches are replaced.
#[derive(Debug, Clone, Copy)]
pub enum MatchChoice<'a> {
    /// One match of a record, counted from 0.
    One {
        id: RecordId,
        index: usize,
    },
    /// Every match of these records.
    Records(&'a IdSet),
    All,
}

impl Find {
    pub fn compile(&self) -> Result<Finder, FindError> {
        let inner = if self.regex { self.text.clone() } else { regex::escape(&self.text) };
        let pattern = if self.whole_word { format!(r"\b(?:{inner})\b") } else { inner };
        let built = RegexBuilder::new(&pattern).case_insensitive(!self.case).size_limit(REGEX_BYTES).build();
        let pattern = built.map_err(|error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            FindError { reason: last.trim_start_matches("error: ").to_owned() }
        })?;
        Ok(Finder { pattern, expand: self.regex, field: self.field })
    }
}

impl Finder {
    /// The matches in a record, in order. Matches of nothing at all are passed over.
    pub fn in_record(&self, record: &Record) -> Vec<Match> {
        let mut found = Vec::new();
        for (turn, block, text) in self.texts(record) {
            let matches = self.pattern.find_iter(text).filter(|one| !one.is_empty());
            found.extend(matches.map(|one| Match { turn, block, span: one.range() }));
        }
        found
    }

    /// The record with its matches replaced, or with one of them; `None` where nothing changes.
    pub fn replaced(&self, record: &Record, replacement: &str, only: Option<usize>) -> Option<Record> {
        let mut changed = record.clone();
        let mut number = 0;
        for (turn, block, text) in self.texts(record) {
            let mut made = String::new();
            let mut end = 0;
            for captures in self.pattern.captures_iter(text) {
                let Some(whole) = captures.get(0).filter(|whole| !whole.is_empty()) else { continue };
                if only.is_none_or(|only| only == number) {
                    made.push_str(&text[end..whole.start()]);
                    self.expand(&captures, replacement, &mut made);
                    end = whole.end();
                }
                number += 1;
            }
            if end > 0 {
                made.push_str(&text[end..]);
                if let Block::Text(text) | Block::Reasoning(text) = &mut changed.turns[turn].content[block] {
                    *text = made;
                }
            }
        }
        (changed != *record).then_some(changed)
    }

    fn expand(&self, captures: &regex::Captures<'_>, replacement: &str, out: &mut String) {
        if self.expand {
            captures.expand(replacement, out);
        } else {
            out.push_str(NoExpand(replacement).0);
        }
    }

    fn texts<'r>(&self, record: &'r Record) -> impl Iterator<Item = (usize, usize, &'r str)> {
        let last = record.turns.len().wrapping_sub(1);
        let prompt = record.turns.iter().position(|turn| turn.role == Role::User);
        let field = self.field;
        let turns = record.turns.iter().enumerate().filter(move |(number, turn)| match field {
            FindField::Any => true,
            FindField::System => turn.role == Role::System,
            FindField::User => turn.role == Role::User,
            FindField::Assistant => turn.role == Role::Assistant,
            FindField::Prompt => Some(*number) == prompt,
            FindField::Completion => *number == last && turn.role == Role::Assistant,
        });
        turns.flat_map(|(turn, said)| {
            let blocks = said.content.iter().enumerate();
            blocks.filter_map(move |(block, content)| match content {
                Block::Text(text) | Block::Reasoning(text) => Some((turn, block, text.as_str())),
                _ => None,
            })
        })
    }

    /// Looks through the records of a view.
    pub fn run(&self, state: &State, view: &View, watch: &dyn Watch) -> Result<Found, DocumentError> {
        let set = view.to_set();
        let total = set.len();
        let mut counts: Vec<(RecordId, u64)> = Vec::new();
        let mut seen = 0;
        state.batches_of(&set, BATCH, BATCH_BYTES, |batch| {
            watch.progress(seen, total);
            if watch.cancelled() {
                return Err(DocumentError::Cancelled);
            }
            seen += batch.len() as u64;
            let counted = batch.into_par_iter().filter_map(|(_, id, text)| {
                let matches = state.schema().parse(&text).map_or(0, |record| self.in_record(&record).len());
                (matches > 0).then_some((id, matches as u64))
            });
            counts.extend(counted.collect::<Vec<_>>());
            Ok(())
        })?;
        let mut ends = Vec::with_capacity(counts.len());
        let mut sum = 0;
        for (_, count) in &counts {
            sum += count;
            ends.push(sum);
        }
        Ok(Found { finder: self.clone(), ids: counts.into_iter().map(|(id, _)| id).collect(), ends })
    }
}

/// The records with matches, in the order of the table. The matches are looked up when they are shown.
#[derive(Debug, Clone)]
pub struct Found {
    finder: Finder,
    ids: Vec<RecordId>,
    /// Matches up to and with each record.
    ends: Vec<u64>,
}

/// A match with what stands around it and what would become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMatch {
    /// From 0, over all matches.
    pub number: u64,
    pub id: RecordId,
    pub position: u64,
    /// From 0, within the record.
    pub index: usize,
    pub place: Match,
    pub role: Role,
    pub before: String,
    pub matched: String,
    pub after: String,
    pub replaced: Option<String>,
}

impl Found {
    pub fn records(&self) -> u64 {
        self.ids.len() as u64
    }

    pub fn matches(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    pub fn to_set(&self) -> IdSet {
        self.ids.iter().copied().collect()
    }

    /// The number of the first match in this record or, if it has none, in the next that has.
    pub fn first_in(&self, state: &State, position: u64) -> Option<u64> {
        let positions = state.positions_of(&self.ids);
        let index = positions.iter().position(|at| at.is_some_and(|at| at >= position))?;
        Some(index.checked_sub(1).map_or(0, |before| self.ends[before]))
    }

    /// Some of the matches, as they are now. A record that was edited meanwhile may have fewer.
    pub fn window(
        &self,
        state: &State,
        window: Range<u64>,
        replacement: Option<&str>,
    ) -> Result<Vec<FoundMatch>, DocumentError> {
        let first = self.ends.partition_point(|end| *end <= window.start);
        let last = self.ends.partition_point(|end| *end < window.end).saturating_add(1).min(self.ids.len());
        let mut found = Vec::new();
        for row in state.rows_of(self.ids.get(first..last).unwrap_or_default())? {
            let place = self.ids[first..last].iter().position(|id| *id == row.id).map_or(first, |at| first + at);
            let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
            let Ok(record) = &row.record else { continue };
            let matches = self.finder.in_record(record);
            for (index, place) in matches.into_iter().enumerate() {
                let number = start + index as u64;
                if window.contains(&number) {
                    found.push(self.shown(number, index, place, record, replacement).at(row.id, row.position));
                }
            }
        }
        Ok(found)
    }

    fn shown(&self, number: u64, index: usize, place: Match, record: &Record, replacement: Option<&str>) -> FoundMatch {
        let turn = &record.turns[place.turn];
        let text = match &turn.content[place.block] {
            Block::Text(text) | Block::Reasoning(text) => text.as_str(),
            _ => "",
        };
        let replaced = replacement.and_then(|replacement| {
            let captures = self.finder.pattern.captures_at(text, place.span.start)?;
            let mut made = String::new();
            self.finder.expand(&captures, replacement, &mut made);
            Some(made)
        });
        let before = text[..place.span.start].char_indices().rev().nth(CONTEXT - 1).map_or(0, |(at, _)| at);
        let after = text[place.span.end..].chars().take(CONTEXT).collect();
        FoundMatch {
            number,
            id: 0,
            position: 0,
            index,
            role: turn.role.clone(),
            before: text[before..place.span.start].to_owned(),
            matched: text[place.span.clone()].to_owned(),
            after,
            replaced,
            place,
        }
    }
}

impl FoundMatch {
    fn at(self, id: RecordId, position: u64) -> FoundMatch {
        FoundMatch { id, position, ..self }
    }
}

impl Document {
    /// Replaces matches as one step and says how many records changed.
    pub fn replace_found(
        &mut self,
        finder: &Finder,
        replacement: &str,
        target: MatchChoice<'_>,
        watch: &dyn Watch,
    ) -> Result<u64, DocumentError> {
        let (set, only) = match target {
            MatchChoice::One { id, index } => (IdSet::from_iter([id]), Some(index)),
            MatchChoice::Records(set) => (set.clone(), None),
            MatchChoice::All => (self.state().all(), None),
        };
        self.bulk("Replace", &set, watch, |row| match &row.record {
            Ok(record) => finder.replaced(record, replacement, only).map_or(Edit::Keep, Edit::Replace),
            Err(_) => Edit::Keep,
        })
    }
}
