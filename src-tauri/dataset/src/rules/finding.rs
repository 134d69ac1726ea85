//! What a rule has to say when it is broken.

use std::ops::Range;

use crate::record::{Block, Record, Role};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A job would fail.
    Error,
    /// A job would run and the model be worse for it, or the sources disagree on whether it would run.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A stretch of one block's text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    pub turn: usize,
    pub block: usize,
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// The text it points to; `None` where the record is another one by now.
    pub fn text<'a>(&self, record: &'a Record) -> Option<&'a str> {
        block_text(record, self.turn, self.block)?.get(self.start..self.end)
    }

    /// The same stretch in UTF-16 units, as a browser counts.
    pub fn utf16(&self, record: &Record) -> Option<Range<usize>> {
        let text = block_text(record, self.turn, self.block)?;
        let units = |text: &str| text.encode_utf16().count();
        let start = units(text.get(..self.start)?);
        Some(start..start + units(text.get(self.start..self.end)?))
    }
}

/// A rule broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static str,
    pub severity: Severity,
    /// Position of the record, from 0; `None` when it concerns the dataset as a whole or when one record was checked
    /// by itself.
    pub record: Option<u64>,
    /// Line of the file, from 1, where one was read.
    pub line: Option<u64>,
    /// `prompt`, `completion`, `system` or `turns[2]`.
    pub field: Option<String>,
    /// Where in the text, when the rule points to a place.
    pub span: Option<Span>,
    pub message: String,
    pub hint: String,
    /// What the fix does, in words, where there is one.
    pub fix: Option<&'static str>,
}

/// What one rule has to say; the rule adds its id and severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub(super) severity: Option<Severity>,
    pub(super) record: Option<u64>,
    pub(super) field: Option<String>,
    pub(super) span: Option<Span>,
    pub(super) message: String,
    pub(super) hint: String,
    /// False where the rule's fix can do nothing.
    pub(super) fixable: bool,
}

impl Broken {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Broken {
        Broken {
            severity: None,
            record: None,
            field: None,
            span: None,
            message: message.into(),
            hint: hint.into(),
            fixable: true,
        }
    }

    /// In this member of the line, or this part of the record.
    pub(super) fn of(mut self, field: impl Into<String>) -> Broken {
        self.field = Some(field.into());
        self
    }

    /// In this turn.
    pub(super) fn in_turn(self, record: &Record, turn: usize) -> Broken {
        self.of(field_name(record, turn))
    }

    /// At this stretch of this block's text.
    pub(super) fn at(mut self, record: &Record, turn: usize, block: usize, bytes: Range<usize>) -> Broken {
        self.span = Some(Span { turn, block, start: bytes.start, end: bytes.end });
        self.in_turn(record, turn)
    }

    /// Less bad than the rule at its worst.
    pub(super) fn only(mut self, severity: Severity) -> Broken {
        self.severity = Some(severity);
        self
    }

    pub(super) fn fixable(mut self, fixable: bool) -> Broken {
        self.fixable = fixable;
        self
    }

    pub(super) fn in_record(mut self, position: u64) -> Broken {
        self.record = Some(position);
        self
    }
}

/// What a person calls this turn: `prompt`, `completion` and `system` where there is one question and one answer.
fn field_name(record: &Record, turn: usize) -> String {
    let role = record.turns.get(turn).map(|turn| &turn.role);
    match role {
        Some(Role::System) if turn == 0 => "system".to_owned(),
        Some(Role::User) if record.is_single_turn() => "prompt".to_owned(),
        Some(Role::Assistant) if record.is_single_turn() => "completion".to_owned(),
        _ => format!("turns[{turn}]"),
    }
}

/// The text of a text or reasoning block.
pub(super) fn block_text(record: &Record, turn: usize, block: usize) -> Option<&str> {
    spoken(record.turns.get(turn)?.content.get(block)?)
}

pub(super) fn spoken(block: &Block) -> Option<&str> {
    match block {
        Block::Text(text) | Block::Reasoning(text) => Some(text),
        _ => None,
    }
}

/// Every text of the record, reasoning too, with its turn and its block.
pub(super) fn texts(record: &Record) -> impl Iterator<Item = (usize, usize, &str)> {
    record.turns.iter().enumerate().flat_map(|(turn, said)| {
        let blocks = said.content.iter().enumerate();
        blocks.filter_map(move |(block, content)| Some((turn, block, spoken(content)?)))
    })
}
