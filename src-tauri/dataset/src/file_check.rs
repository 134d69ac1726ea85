//! The data phase of a job: holding an uploaded JSONL file to its base model, strictly.
//!
//! Where [`crate::read`] takes what people bring, this takes only what AWS documents. The messages
//! carry the fragments by which AWS's own are recognised (Amazon Bedrock User Guide:
//! fine-tuning-troubleshooting), so that what explains those explains these.

use std::io::Read;

use serde_json::{Map, Value};
use whetstone_catalog::{BaseModel, DataFormat, SchemaVersion};

use crate::formats::MAX_RECORD_BYTES;
use crate::input::{Input, LineRead};
use crate::record::{Record, Role, Turn};
use crate::rules::{Finding, Report, Severity, check_counts, check_record};
use crate::split::SplitKind;
use crate::write::SCHEMA_VERSION;

/// What a failed job says at most: the service's own limit for the message.
const MESSAGE_CHARS: usize = 2048;

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileCheck {
    pub report: Report,
    /// Every record in order when there is no error; empty otherwise.
    pub records: Vec<Record>,
    /// Lines of the file, records or not.
    pub lines: u64,
    pub bytes: u64,
}

impl FileCheck {
    pub fn is_clean(&self) -> bool {
        self.report.errors == 0
    }

    /// Takes the record of the line that was read last.
    fn take(&mut self, record: Record, model: &BaseModel, kind: SplitKind) {
        let line = self.lines;
        for mut finding in check_record(&record, model) {
            finding.record = Some(line - 1);
            finding.line = Some(line);
            finding.message = format!("Line {line} of the {} data: {}", kind.name(), finding.message);
            self.report.add(finding);
        }
        if self.is_clean() && within_limits(self.records.len(), model) {
            self.records.push(record);
        }
    }

    /// The errors as a job's failure message; `None` when there is none.
    pub fn failure_message(&self) -> Option<String> {
        let mut errors = self.report.findings.iter().filter(|finding| finding.severity == Severity::Error);
        let mut message = errors.next()?.message.clone();
        let more = self.report.errors - 1;
        if more > 0 {
            let what = if more == 1 { "error" } else { "errors" };
            message.push_str(&format!(" There {} {more} more {what}.", if more == 1 { "is" } else { "are" }));
        }
        Some(message.chars().take(MESSAGE_CHARS).collect())
    }
}

/// Checks a training or validation file line by line. The reader is read to its end; memory is
/// bounded by the records that the model takes at most.
pub fn check_file(reader: impl Read, model: &BaseModel, kind: SplitKind) -> std::io::Result<FileCheck> {
    let mut check = FileCheck::default();
    let mut input = Input::new(reader)?;
    let mut line = Vec::new();
    loop {
        let record = match input.read_line(&mut line, MAX_RECORD_BYTES)? {
            LineRead::End => break,
            LineRead::Line => parse(&line, check.lines + 1, model, kind),
            LineRead::TooLong => Err(too_long(check.lines + 1, kind)),
        };
        check.lines += 1;
        match record {
            Ok(record) => check.take(record, model, kind),
            Err(refusal) => check.report.add(refusal.finding(check.lines)),
        }
    }
    check.bytes = input.byte;
    check_whole(&mut check, model, kind);
    if !check.is_clean() {
        check.records = Vec::new();
    }
    Ok(check)
}

/// A file with more records than the model takes fails in the end, so they need not be held.
fn within_limits(held: usize, model: &BaseModel) -> bool {
    let limit = model.data.max_records.or(model.data.max_training_records);
    limit.is_none_or(|limit| (held as u64) < limit)
}

fn check_whole(check: &mut FileCheck, model: &BaseModel, kind: SplitKind) {
    let rules = &model.data;
    let (counts, bytes) = match kind {
        SplitKind::Validation => {
            // The training file is not at hand: it is taken to have as few records as will do.
            (check_counts(rules.min_records, check.lines, model), rules.max_validation_bytes)
        }
        _ => (check_counts(check.lines, 0, model), rules.max_training_bytes),
    };
    for finding in counts {
        check.report.add(finding);
    }
    if let Some(limit) = bytes.filter(|&limit| check.bytes > limit) {
        check.report.add(Finding {
            rule: "file-size",
            severity: Severity::Error,
            record: None,
            line: None,
            field: None,
            message: format!(
                "Input size exceeded in file: the {} data has {} bytes; {} takes at most {limit}.",
                kind.name(),
                check.bytes,
                model.name
            ),
            hint: "Leave records out.".to_owned(),
        });
    }
    if kind == SplitKind::Validation && check.lines == 0 {
        check.report.add(Finding {
            rule: "file-empty",
            severity: Severity::Error,
            record: None,
            line: None,
            field: None,
            message: "The validation data has no record.".to_owned(),
            hint: "Upload a file with records, or give no validation data.".to_owned(),
        });
    }
}

/// Why a line is no record.
struct Refusal {
    rule: &'static str,
    message: String,
    hint: &'static str,
}

impl Refusal {
    fn finding(self, line: u64) -> Finding {
        Finding {
            rule: self.rule,
            severity: Severity::Error,
            record: Some(line - 1),
            line: Some(line),
            field: None,
            message: self.message,
            hint: self.hint.to_owned(),
        }
    }
}

fn too_long(line: u64, kind: SplitKind) -> Refusal {
    Refusal {
        rule: "line-size",
        message: format!(
            "Input size exceeded in file: line {line} of the {} data is longer than {MAX_RECORD_BYTES} bytes.",
            kind.name()
        ),
        hint: "Shorten the record, or check that line breaks between records were not lost.",
    }
}

fn parse(line: &[u8], number: u64, model: &BaseModel, kind: SplitKind) -> Result<Record, Refusal> {
    let unparsable = |what: String| Refusal {
        rule: "json-lines",
        message: format!(
            "Unable to parse Amazon S3 file: line {number} of the {} data {what}. The file must be JSONL: one JSON object on each line and no blank line.",
            kind.name()
        ),
        hint: "Mend this line and upload the file again.",
    };
    if line.iter().all(u8::is_ascii_whitespace) {
        return Err(unparsable("is blank".to_owned()));
    }
    let object: Map<String, Value> = serde_json::from_slice(line)
        .map_err(|error| unparsable(format!("is not a JSON object (column {})", error.column())))?;
    let format = format_of(&object, model);
    let record = match format {
        DataFormat::PromptCompletion => prompt_completion(&object),
        DataFormat::ClaudeMessages => claude(&object),
        DataFormat::Conversation => conversation(&object, model),
        DataFormat::Pretraining => pretraining(&object),
        DataFormat::OpenAiChat => claude(&object),
    };
    record.map_err(|why| Refusal {
        rule: "record-shape",
        message: format!(
            "Invalid record on line {number} of the {} data: each line must follow '{}' ({why}).",
            kind.name(),
            pattern(format)
        ),
        hint: "Write the file in this base model's own format.",
    })
}

/// The format a line is meant to be in, where the model takes more than one.
fn format_of(object: &Map<String, Value>, model: &BaseModel) -> DataFormat {
    if object.contains_key("messages") && model.data.accepts(DataFormat::Conversation) {
        DataFormat::Conversation
    } else {
        model.data.format
    }
}

fn pattern(format: DataFormat) -> &'static str {
    match format {
        DataFormat::PromptCompletion => r#"{"prompt": "<prompt>", "completion": "<completion>"}"#,
        DataFormat::Pretraining => r#"{"input": "<text>"}"#,
        DataFormat::OpenAiChat => {
            r#"{"messages": [{"role": "user", "content": "<text>"}], "reference_answer": "<text>"}"#
        }
        DataFormat::ClaudeMessages => {
            r#"{"system": "<text>", "messages": [{"role": "user", "content": "<text>"}, {"role": "assistant", "content": "<text>"}]}"#
        }
        DataFormat::Conversation => {
            r#"{"schemaVersion": "bedrock-conversation-2024", "system": [{"text": "<text>"}], "messages": [{"role": "user", "content": [{"text": "<text>"}]}, {"role": "assistant", "content": [{"text": "<text>"}]}]}"#
        }
    }
}

fn text(object: &Map<String, Value>, key: &str) -> Result<String, String> {
    match object.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("\"{key}\" is not a string")),
        None => Err(format!("\"{key}\" is missing")),
    }
}

fn prompt_completion(object: &Map<String, Value>) -> Result<Record, String> {
    Ok(Record::prompt_completion(None, text(object, "prompt")?, text(object, "completion")?))
}

fn pretraining(object: &Map<String, Value>) -> Result<Record, String> {
    Ok(Record::new(vec![Turn::new(Role::Assistant, text(object, "input")?)]))
}

fn claude(object: &Map<String, Value>) -> Result<Record, String> {
    let mut turns = Vec::new();
    if object.contains_key("system") {
        turns.push(Turn::new(Role::System, text(object, "system")?));
    }
    for (index, (role, message)) in messages(object)?.enumerate() {
        let content = text(message, "content").map_err(|why| format!("messages[{index}]: {why}"))?;
        turns.push(Turn::new(role?, content));
    }
    Ok(Record::new(turns))
}

fn conversation(object: &Map<String, Value>, model: &BaseModel) -> Result<Record, String> {
    if object.contains_key("schemaVersion") {
        let version = text(object, "schemaVersion")?;
        if model.data.schema_version != SchemaVersion::Any && version != SCHEMA_VERSION {
            return Err(format!("\"schemaVersion\" must be \"{SCHEMA_VERSION}\""));
        }
    }
    let mut turns = Vec::new();
    if let Some(system) = object.get("system") {
        turns.push(Turn::new(Role::System, blocks(Some(system), "system")?));
    }
    for (index, (role, message)) in messages(object)?.enumerate() {
        let content = blocks(message.get("content"), &format!("content of messages[{index}]"))?;
        turns.push(Turn::new(role?, content));
    }
    Ok(Record::new(turns))
}

type Message<'a> = (Result<Role, String>, &'a Map<String, Value>);

fn messages(object: &Map<String, Value>) -> Result<impl Iterator<Item = Message<'_>>, String> {
    let Some(list) = object.get("messages").and_then(Value::as_array) else {
        return Err("\"messages\" is not a list".to_owned());
    };
    if !list.iter().all(Value::is_object) {
        return Err("a message is not an object".to_owned());
    }
    let role = |message: &Map<String, Value>| match message.get("role").and_then(Value::as_str) {
        Some("user") => Ok(Role::User),
        Some("assistant") => Ok(Role::Assistant),
        _ => Err("the role of a message must be user or assistant".to_owned()),
    };
    Ok(list.iter().filter_map(Value::as_object).map(move |message| (role(message), message)))
}

/// The text of content blocks. Pictures, documents and tools cannot be trained on here.
fn blocks(value: Option<&Value>, of: &str) -> Result<String, String> {
    let Some(list) = value.and_then(Value::as_array).filter(|l| !l.is_empty()) else {
        return Err(format!("the {of} is not a list of text blocks"));
    };
    let texts: Option<Vec<&str>> = list.iter().map(|block| block["text"].as_str()).collect();
    match texts {
        Some(texts) => Ok(texts.join("\n")),
        None => Err(format!("the {of} holds a block that is not text")),
    }
}
