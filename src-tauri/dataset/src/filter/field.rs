//! What a filter can ask about. One table for reading, completing and explaining.

use std::borrow::Cow;

use crate::record::{Block, Record, Role};

/// A text of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextField {
    Any,
    System,
    Prompt,
    Completion,
    User,
    Assistant,
    Label,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberField {
    Tokens,
    Chars,
    Turns,
    Bytes,
    Line,
    Position,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Has {
    Image,
    Video,
    Document,
    Media,
    Tool,
    Reasoning,
    System,
    Completion,
    Reference,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Being {
    Edited,
    Added,
    Broken,
    Selected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Text(TextField),
    Number(NumberField),
    Role,
    Has,
    Split,
    Finding,
    Is,
}

/// Name, field, and what it asks, for the list of completions.
pub(super) const FIELDS: &[(&str, Field, &str)] = &[
    ("text", Field::Text(TextField::Any), "any text of the record"),
    ("prompt", Field::Text(TextField::Prompt), "the first text of the user"),
    ("completion", Field::Text(TextField::Completion), "what the model learns to say"),
    ("system", Field::Text(TextField::System), "the system text"),
    ("user", Field::Text(TextField::User), "any text of the user"),
    ("assistant", Field::Text(TextField::Assistant), "any text of the assistant"),
    ("label", Field::Text(TextField::Label), "the whole completion, as the name of a class"),
    ("role", Field::Role, "who speaks in it"),
    ("tokens", Field::Number(NumberField::Tokens), "tokens of the record"),
    ("chars", Field::Number(NumberField::Chars), "characters of the record"),
    ("turns", Field::Number(NumberField::Turns), "turns of the conversation"),
    ("bytes", Field::Number(NumberField::Bytes), "bytes of the line"),
    ("line", Field::Number(NumberField::Line), "line of the file as it was opened"),
    ("record", Field::Number(NumberField::Position), "number in the table, from 1"),
    ("has", Field::Has, "what the record contains"),
    ("split", Field::Split, "what the record is used for"),
    ("finding", Field::Finding, "what a rule found in it"),
    ("is", Field::Is, "what became of the record"),
];

pub(super) const HAS: &[(&str, Has, &str)] = &[
    ("image", Has::Image, "a picture"),
    ("video", Has::Video, "a video"),
    ("document", Has::Document, "a document"),
    ("media", Has::Media, "a picture, video or document"),
    ("tool", Has::Tool, "a tool's use or result"),
    ("reasoning", Has::Reasoning, "reasoning of the model"),
    ("system", Has::System, "a system text"),
    ("completion", Has::Completion, "something the model learns to say"),
    ("reference", Has::Reference, "a reference answer"),
];

pub(super) const SPLITS: &[(&str, &str)] = &[
    ("training", "the model learns from it"),
    ("validation", "the loss on it is watched"),
    ("hold-out", "kept for evaluation"),
    ("none", "the dataset is not split"),
];

pub(super) const BEINGS: &[(&str, Being, &str)] = &[
    ("edited", Being::Edited, "changed since the opening"),
    ("added", Being::Added, "new since the opening"),
    ("broken", Being::Broken, "no record can be read from its line"),
    ("selected", Being::Selected, "selected in the table"),
];

pub(super) const ROLES: &[(&str, Role, &str)] = &[
    ("system", Role::System, "the system text"),
    ("user", Role::User, "the one who asks"),
    ("assistant", Role::Assistant, "the model"),
    ("tool", Role::Tool, "a tool's answer"),
];

impl TextField {
    /// The texts of a record that are meant. Reasoning counts where all texts do.
    pub fn of(self, record: &Record) -> Vec<Cow<'_, str>> {
        let said_by = |role: Role| record.turns.iter().filter(move |turn| turn.role == role).map(|turn| turn.text());
        match self {
            Self::Any => {
                let blocks = record.turns.iter().flat_map(|turn| &turn.content);
                let texts = blocks.filter_map(|block| match block {
                    Block::Text(text) | Block::Reasoning(text) => Some(Cow::Borrowed(text.as_str())),
                    _ => None,
                });
                texts.collect()
            }
            Self::System => said_by(Role::System).collect(),
            Self::User => said_by(Role::User).collect(),
            Self::Assistant => said_by(Role::Assistant).collect(),
            Self::Prompt => said_by(Role::User).take(1).collect(),
            Self::Completion => vec![record.completion()],
            Self::Label => vec![match record.completion() {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
                Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
            }],
        }
    }
}

impl Has {
    pub fn holds(self, record: &Record) -> bool {
        let any = |test: fn(&Block) -> bool| record.turns.iter().flat_map(|turn| &turn.content).any(test);
        match self {
            Self::Image => any(|block| matches!(block, Block::Image(_))),
            Self::Video => any(|block| matches!(block, Block::Video(_))),
            Self::Document => any(|block| matches!(block, Block::Document(_))),
            Self::Media => any(|block| matches!(block, Block::Image(_) | Block::Video(_) | Block::Document(_))),
            Self::Tool => {
                any(|block| matches!(block, Block::ToolUse(_) | Block::ToolResult(_)))
                    || record.turns.iter().any(|turn| turn.role == Role::Tool)
            }
            Self::Reasoning => any(|block| matches!(block, Block::Reasoning(_))),
            Self::System => record.turns.iter().any(|turn| turn.role == Role::System),
            Self::Completion => record.turns.last().is_some_and(|turn| turn.role == Role::Assistant),
            Self::Reference => record.extra.contains_key("reference_answer"),
        }
    }
}
