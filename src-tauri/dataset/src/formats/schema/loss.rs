//! What a schema has no place for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Schema;
use crate::record::Record;

/// What kind of thing does not carry over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    SystemText,
    /// More turns than one question and one answer.
    Turns,
    Prompt,
    Answer,
    /// A role that the schema does not know.
    Roles,
    Media,
    Tools,
    Reasoning,
    /// Blocks of a kind that is not known.
    Blocks,
    /// Members of the record.
    Fields,
    /// Members of a message.
    MessageFields,
    /// A value where a text is wanted.
    NotText,
    /// The line cannot be written at all.
    Structure,
}

impl LossKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SystemText => "system-text",
            Self::Turns => "turns",
            Self::Prompt => "prompt",
            Self::Answer => "answer",
            Self::Roles => "roles",
            Self::Media => "media",
            Self::Tools => "tools",
            Self::Reasoning => "reasoning",
            Self::Blocks => "blocks",
            Self::Fields => "fields",
            Self::MessageFields => "message-fields",
            Self::NotText => "not-text",
            Self::Structure => "structure",
        }
    }

    /// What it is that has no place, in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::SystemText => "System texts",
            Self::Turns => "Turns beyond one question and answer",
            Self::Prompt => "Prompts",
            Self::Answer => "Answers",
            Self::Roles => "Roles",
            Self::Media => "Pictures, videos and documents",
            Self::Tools => "Tools",
            Self::Reasoning => "Reasoning",
            Self::Blocks => "Blocks of an unknown kind",
            Self::Fields => "Fields beside the texts",
            Self::MessageFields => "Fields of messages",
            Self::NotText => "Values that are no text",
            Self::Structure => "Lines that are no record",
        }
    }
}

/// One thing that a schema has no place for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub struct Loss {
    pub kind: LossKind,
    /// A sentence.
    pub detail: String,
}

impl fmt::Display for Loss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)
    }
}

impl Loss {
    pub(crate) fn new(kind: LossKind, detail: impl Into<String>) -> Loss {
        Loss { kind, detail: detail.into() }
    }
}

/// What was lost between the record that was meant and the one that its line says.
pub(super) fn between(meant: &Record, read: &Record, schema: &Schema) -> Loss {
    let name = schema.name();
    let roles = |record: &Record| record.turns.iter().map(|turn| turn.role.clone()).collect::<Vec<_>>();
    if meant.extra != read.extra {
        Loss::new(LossKind::Fields, format!("A field of this record has no place in the form \"{name}\"."))
    } else if meant.turns.len() != read.turns.len() {
        Loss::new(LossKind::Turns, format!("These turns have no place in the form \"{name}\"."))
    } else if roles(meant) != roles(read) {
        Loss::new(LossKind::Roles, format!("A role of this record has no place in the form \"{name}\"."))
    } else if meant.turns.iter().zip(&read.turns).any(|(meant, read)| meant.extra != read.extra) {
        Loss::new(LossKind::MessageFields, format!("A field of a message has no place in the form \"{name}\"."))
    } else {
        Loss::new(LossKind::Blocks, format!("A block of this record has no place in the form \"{name}\"."))
    }
}
