//! The schemas that a line of JSONL may follow: reading a line as a [`Record`], writing a changed
//! record back into its line, and writing a new line.
//!
//! A line is the truth and a record a view of it. [`Schema::patch`] therefore changes only the bytes
//! of what was changed, and refuses a record that would not be read back from the line as it is.
//!
//! Deliberately absent: any judgement. A record that no base model takes is read all the same.

mod blocks;
mod detect;
mod fields;
mod fit;
mod log;
mod loss;
mod messages;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use whetstone_catalog::DataFormat;

use super::Mapping;
use super::outline::outline;
use super::splice::splice;
use crate::record::Record;
use crate::write::SCHEMA_VERSION;

pub use detect::Detected;
pub use fit::Fitted;
pub use loss::{Loss, LossKind};

/// What the lines of a JSONL file look like.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schema {
    /// `{"prompt", "completion"}`, also with `system`.
    PromptCompletion,
    /// `{"system"?, "messages": [{"role", "content": text}]}`
    ClaudeMessages,
    /// `{"schemaVersion", "system": [{"text"}], "messages": [{"role", "content": [blocks]}]}`, also
    /// as prompts for distillation.
    Conversation,
    /// `{"input"}`, for continued pre-training.
    Pretraining,
    /// `{"image-ref", "caption"}`
    ImageRef,
    /// `{"messages": [{"role", "content", …}]}` with the system text among the messages; with
    /// `reference_answer` for reinforcement.
    OpenAiChat,
    /// What Bedrock logs of a call.
    InvocationLog,
    /// `{"instruction", "input", "output"}`
    Alpaca,
    /// `{"conversations": [{"from", "value"}]}`
    ShareGpt,
    /// Some other object whose members a mapping names.
    Fields(Mapping),
}

/// What kind of line is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShapeKind {
    /// There is nothing on it.
    Blank,
    NotUtf8,
    NotJson,
    /// A list, a text or a number.
    NotAnObject,
    /// An object of another shape than the schema's.
    Shape,
}

/// Why a line is no record of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeError {
    pub kind: ShapeKind,
    /// In bytes from the start of the line, from 1, where it is known.
    pub column: Option<u64>,
    /// The member that is amiss: `messages[2].role`.
    pub field: Option<String>,
    pub message: String,
    pub hint: String,
}

impl ShapeError {
    fn shape(field: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> ShapeError {
        ShapeError {
            kind: ShapeKind::Shape,
            column: None,
            field: Some(field.into()),
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl From<DataFormat> for Schema {
    fn from(format: DataFormat) -> Schema {
        match format {
            DataFormat::PromptCompletion => Schema::PromptCompletion,
            DataFormat::ClaudeMessages => Schema::ClaudeMessages,
            DataFormat::Conversation => Schema::Conversation,
            DataFormat::Pretraining => Schema::Pretraining,
            DataFormat::OpenAiChat => Schema::OpenAiChat,
            DataFormat::ImageRef => Schema::ImageRef,
        }
    }
}

impl Schema {
    /// Every schema but [`Schema::Fields`], which takes a mapping.
    pub const ALL: [Schema; 9] = [
        Schema::PromptCompletion,
        Schema::ClaudeMessages,
        Schema::Conversation,
        Schema::Pretraining,
        Schema::ImageRef,
        Schema::OpenAiChat,
        Schema::InvocationLog,
        Schema::Alpaca,
        Schema::ShareGpt,
    ];

    /// The schema in words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PromptCompletion => "prompt and completion",
            Self::ClaudeMessages => "Claude messages",
            Self::Conversation => "Bedrock conversation",
            Self::Pretraining => "text for pre-training",
            Self::ImageRef => "image and caption",
            Self::OpenAiChat => "OpenAI chat",
            Self::InvocationLog => "Bedrock invocation log",
            Self::Alpaca => "Alpaca",
            Self::ShareGpt => "ShareGPT",
            Self::Fields(_) => "fields",
        }
    }

    /// The schema as a command names it.
    pub fn id(&self) -> &'static str {
        match self {
            Self::PromptCompletion => "prompt-completion",
            Self::ClaudeMessages => "claude-messages",
            Self::Conversation => "conversation",
            Self::Pretraining => "pretraining",
            Self::ImageRef => "image-ref",
            Self::OpenAiChat => "openai-chat",
            Self::InvocationLog => "invocation-log",
            Self::Alpaca => "alpaca",
            Self::ShareGpt => "sharegpt",
            Self::Fields(_) => "fields",
        }
    }

    /// The schema that a command names; [`Schema::Fields`] is none of them.
    pub fn from_id(id: &str) -> Option<Schema> {
        Self::ALL.into_iter().find(|schema| schema.id() == id)
    }

    /// What a line looks like, in short.
    pub fn pattern(&self) -> &'static str {
        match self {
            Self::PromptCompletion => r#"{"prompt": …, "completion": …}"#,
            Self::ClaudeMessages => r#"{"system": …, "messages": [{"role": "user", "content": …}, …]}"#,
            Self::Conversation => {
                r#"{"schemaVersion": "bedrock-conversation-2024", "messages": [{"role": "user", "content": [{"text": …}]}, …]}"#
            }
            Self::Pretraining => r#"{"input": …}"#,
            Self::ImageRef => r#"{"image-ref": "s3://…", "caption": …}"#,
            Self::OpenAiChat => r#"{"messages": [{"role": "user", "content": …}, …]}"#,
            Self::InvocationLog => r#"{"schemaType": "ModelInvocationLog", "input": {…}, "output": {…}}"#,
            Self::Alpaca => r#"{"instruction": …, "input": …, "output": …}"#,
            Self::ShareGpt => r#"{"conversations": [{"from": "human", "value": …}, …]}"#,
            Self::Fields(_) => "an object with the chosen fields",
        }
    }

    /// The record on a line. White space around it, a line break too, does not matter.
    pub fn parse(&self, line: &[u8]) -> Result<Record, ShapeError> {
        self.read(&object(line)?)
    }

    /// The line with this record in it. Members that did not change keep their bytes and their order;
    /// the result is read back as exactly this record, or there is none.
    pub fn patch(&self, line: &[u8], record: &Record) -> Result<Vec<u8>, Loss> {
        let broken =
            |error: ShapeError| Loss::new(LossKind::Structure, format!("The line cannot be read: {}", error.message));
        let old = object(line).map_err(broken)?;
        if self.read(&old).map_err(broken)? == *record {
            return Ok(line.to_vec());
        }
        let new = self.compose(record, Some(&old))?;
        let patched = splice(line, &Value::Object(old), &Value::Object(new))
            .map_err(|fault| Loss::new(LossKind::Structure, fault.message))?;
        self.verified(patched, record)
    }

    /// A new line with this record, without a line break. It is read back as exactly this record, or
    /// there is none; only the schema version that a Bedrock conversation must have is added.
    pub fn render(&self, record: &Record) -> Result<Vec<u8>, Loss> {
        let object = self.compose(record, None)?;
        let line = Value::Object(object).to_string().into_bytes();
        if *self == Self::Conversation && !record.extra.contains_key("schemaVersion") {
            let mut versioned = record.clone();
            versioned.extra.insert("schemaVersion".to_owned(), SCHEMA_VERSION.into());
            return self.verified(line, &versioned);
        }
        self.verified(line, record)
    }

    fn verified(&self, line: Vec<u8>, record: &Record) -> Result<Vec<u8>, Loss> {
        match self.parse(&line) {
            Ok(read) if read == *record => Ok(line),
            Ok(read) => Err(loss::between(record, &read, self)),
            Err(error) => Err(Loss::new(LossKind::Structure, error.message)),
        }
    }

    /// The record in an object.
    pub(crate) fn read(&self, object: &Map<String, Value>) -> Result<Record, ShapeError> {
        let read = match self {
            Self::PromptCompletion => fields::read(object, &fields::PROMPT_COMPLETION),
            Self::Fields(mapping) => fields::read(object, &fields::Names::of(mapping)),
            Self::Pretraining => fields::read_text(object),
            Self::ImageRef => fields::read_image(object),
            Self::Alpaca => fields::read_alpaca(object),
            Self::ClaudeMessages => messages::read(object, &messages::CLAUDE),
            Self::Conversation => messages::read(object, &messages::CONVERSATION),
            Self::OpenAiChat => messages::read(object, &messages::OPEN_AI),
            Self::ShareGpt => messages::read(object, &messages::SHARE_GPT),
            Self::InvocationLog => log::read(object),
        };
        read.map_err(|error| match Self::of_object(object) {
            // A line of another schema is told as such; what it lacks under this one says less.
            Some(other) if other.id() != self.id() => ShapeError {
                message: format!(
                    "This line is in the form \"{}\", where \"{}\" is expected.",
                    other.name(),
                    self.name()
                ),
                hint: format!("Write the line as {}, or convert the file.", self.pattern()),
                ..error
            },
            _ => error,
        })
    }

    /// The members of a line with this record, taken over from those of the old one where they can be.
    fn compose(&self, record: &Record, old: Option<&Map<String, Value>>) -> Result<Map<String, Value>, Loss> {
        match self {
            Self::PromptCompletion => fields::compose(record, old, &fields::PROMPT_COMPLETION),
            Self::Fields(mapping) => fields::compose(record, old, &fields::Names::of(mapping)),
            Self::Pretraining => fields::compose_text(record, old),
            Self::ImageRef => fields::compose_image(record, old),
            Self::Alpaca => fields::compose_alpaca(record, old),
            Self::ClaudeMessages => messages::compose(record, old, &messages::CLAUDE),
            Self::Conversation => messages::compose(record, old, &messages::CONVERSATION),
            Self::OpenAiChat => messages::compose(record, old, &messages::OPEN_AI),
            Self::ShareGpt => messages::compose(record, old, &messages::SHARE_GPT),
            Self::InvocationLog => log::compose(record, old),
        }
    }
}

/// The object on a line, or in plain words why there is none.
pub(crate) fn object(line: &[u8]) -> Result<Map<String, Value>, ShapeError> {
    match serde_json::from_slice::<Value>(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ShapeError {
            kind: ShapeKind::NotAnObject,
            column: Some(1),
            field: None,
            message: "This line is not a JSON object.".to_owned(),
            hint: "Write one object in braces on each line.".to_owned(),
        }),
        Err(error) => Err(unreadable(line, error.column() as u64)),
    }
}

/// What is wrong with a line that the parser refused at this column.
fn unreadable(line: &[u8], column: u64) -> ShapeError {
    let error = |kind, column, message: String, hint: &str| ShapeError {
        kind,
        column,
        field: None,
        message,
        hint: hint.to_owned(),
    };
    if line.iter().all(u8::is_ascii_whitespace) {
        return error(ShapeKind::Blank, None, "This line is blank.".to_owned(), "Take the line out.");
    }
    if let Err(bad) = std::str::from_utf8(line) {
        let place = bad.valid_up_to() as u64 + 1;
        let message = "This line is not written in UTF-8.".to_owned();
        return error(ShapeKind::NotUtf8, Some(place), message, "Save the file as UTF-8.");
    }
    const MEND: &str = "Mend the JSON here: one complete object on each line.";
    match outline(line) {
        Err(fault) => error(ShapeKind::NotJson, Some(fault.at as u64 + 1), fault.message, MEND),
        // The two disagree only where one of them has a defect; the place is right all the same.
        Ok(_) => error(ShapeKind::NotJson, Some(column), "This line is not valid JSON.".to_owned(), MEND),
    }
}

#[cfg(test)]
mod tests;
