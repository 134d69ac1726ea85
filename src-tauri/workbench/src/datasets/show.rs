//! What the dataset crate says, in the contract's shapes, and the way back for turns.
//!
//! The window counts offsets in UTF-16 units, as its strings do; the dataset crate counts bytes.

use serde_json::{Map, Value};
use whetstone_contract as contract;
use whetstone_contract::{AppError, BlockKind, DatasetOrigin, DatasetSummary, ErrorCode, FileBeneath, FileChoice};
use whetstone_dataset::{
    Block, Document, DocumentError, FileState, Finding, Record, Role, Severity, Share, SplitBy, SplitError, SplitKind,
    Turn,
};

use super::opened::Opened;
use crate::import::sentence;
use crate::samples::SAMPLES;

pub fn summarise(opened: &Opened) -> Result<DatasetSummary, AppError> {
    let (state, index) = opened.state()?;
    let document = opened.document();
    let meta = document.meta();
    let in_place = document.file();
    Ok(DatasetSummary {
        id: opened.id.clone(),
        name: meta.name.clone(),
        source: meta.source.clone(),
        origin: match in_place {
            Some(_) => DatasetOrigin::InPlace,
            None if SAMPLES.iter().any(|sample| sample.file == meta.source) => DatasetOrigin::Sample,
            None => DatasetOrigin::Imported,
        },
        schema: document.schema().name().to_owned(),
        bytes: in_place.and_then(|path| std::fs::metadata(path).ok()).map(|metadata| metadata.len()),
        records: state.len(),
        index,
        created_at: meta.created_at,
        edited_at: edited_at(&document),
        split: document.split_counts().map(|counts| contract::SplitCounts {
            training: counts.training,
            validation: counts.validation,
            hold_out: counts.hold_out,
            seed: counts.plan.seed,
            method: show_method(&counts.plan),
            frozen_by: counts.frozen_by.first().cloned(),
        }),
        undo: document.undo_label().map(str::to_owned),
        redo: document.redo_label().map(str::to_owned),
        unsaved: document.is_modified(),
        file: show_file(
            in_place.map(|path| path.display().to_string()),
            document.file_state().map_err(|error| from_document(&error))?,
        ),
    })
}

/// When the journal was last written to; `None` while there is nothing in it that could be undone.
fn edited_at(document: &Document) -> Option<i64> {
    let written = std::fs::metadata(document.dir().join("journal")).and_then(|metadata| metadata.modified()).ok();
    let since = written.filter(|_| document.can_undo())?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

fn show_file(path: Option<String>, state: FileState) -> FileBeneath {
    let (shown, message, choices) = match state {
        FileState::Same => (contract::FileState::AsItWas, None, Vec::new()),
        FileState::Changed => (
            contract::FileState::Changed,
            Some("Another program changed the file since it was opened."),
            vec![FileChoice::Reload, FileChoice::Keep, FileChoice::SaveAs],
        ),
        FileState::Missing => (
            contract::FileState::Missing,
            Some("The file is not where it was."),
            vec![FileChoice::Keep, FileChoice::SaveAs],
        ),
    };
    FileBeneath { path, state: shown, message: message.map(str::to_owned), choices }
}

pub fn show_method(plan: &whetstone_dataset::SplitPlan) -> contract::SplitMethod {
    let percent = |share: Share| match share {
        Share::Percent(percent) => percent.round() as u32,
        Share::Count(_) => 0,
    };
    let count = |share: Share| match share {
        Share::Count(count) => count,
        Share::Percent(_) => 0,
    };
    let (validation_percent, hold_out_percent) = (percent(plan.validation), percent(plan.hold_out));
    match &plan.by {
        SplitBy::Stratified(key) => {
            contract::SplitMethod::Stratified { key: super::splits::key_id(key), validation_percent, hold_out_percent }
        }
        SplitBy::Grouped(key) => {
            contract::SplitMethod::Grouped { key: super::splits::key_id(key), validation_percent, hold_out_percent }
        }
        SplitBy::Record if matches!(plan.validation, Share::Count(_)) || matches!(plan.hold_out, Share::Count(_)) => {
            contract::SplitMethod::Count { validation: count(plan.validation), hold_out: count(plan.hold_out) }
        }
        SplitBy::Record => contract::SplitMethod::Ratio { validation_percent, hold_out_percent },
    }
}

pub fn show_severity(severity: Severity) -> contract::Severity {
    match severity {
        Severity::Error => contract::Severity::Error,
        Severity::Warning => contract::Severity::Warning,
        Severity::Note => contract::Severity::Note,
    }
}

/// A finding; the record it is of, where it is at hand, tells where its marks stand.
pub fn show_finding(finding: Finding, record: Option<&Record>) -> contract::Finding {
    let mark = finding.span.zip(record).and_then(|(span, record)| {
        let within = span.utf16(record)?;
        let number = |value: usize| u32::try_from(value).ok();
        Some(contract::TextMark {
            turn: number(span.turn)?,
            block: number(span.block)?,
            start: number(within.start)?,
            end: number(within.end)?,
        })
    });
    contract::Finding {
        rule: finding.rule.to_owned(),
        severity: show_severity(finding.severity),
        position: finding.record,
        field: finding.field.map(|field| field_in_words(&field)),
        message: finding.message,
        hint: finding.hint,
        marks: mark.into_iter().collect(),
        fix: finding.fix.map(str::to_owned),
        others: Vec::new(),
    }
}

/// `turns[2]` is the third turn.
fn field_in_words(field: &str) -> String {
    let index = field.strip_prefix("turns[").and_then(|rest| rest.strip_suffix(']'));
    match index.and_then(|index| index.parse::<u64>().ok()) {
        Some(index) => format!("turn {}", index + 1),
        None => field.to_owned(),
    }
}

/// With its place, counted as people count.
pub fn in_words(finding: &Finding) -> String {
    match finding.record {
        Some(position) => format!("Record {}: {}", position + 1, finding.message),
        None => finding.message.clone(),
    }
}

pub fn show_split(split: SplitKind) -> contract::SplitKind {
    match split {
        SplitKind::Training => contract::SplitKind::Training,
        SplitKind::Validation => contract::SplitKind::Validation,
        SplitKind::HoldOut => contract::SplitKind::HoldOut,
    }
}

pub fn show_turns(record: &Record) -> Vec<contract::Turn> {
    let turn = |turn: &Turn| contract::Turn {
        role: turn.role.as_str().to_owned(),
        content: turn.content.iter().map(show_block).collect(),
    };
    record.turns.iter().map(turn).collect()
}

fn show_block(block: &Block) -> contract::Block {
    let (kind, value) = match block {
        Block::Text(text) => return plain(BlockKind::Text, text),
        Block::Reasoning(text) => return plain(BlockKind::Reasoning, text),
        Block::Image(value) => (BlockKind::Image, value),
        Block::Video(value) => (BlockKind::Video, value),
        Block::Document(value) => (BlockKind::Document, value),
        Block::ToolUse(value) => (BlockKind::ToolUse, value),
        Block::ToolResult(value) => (BlockKind::ToolResult, value),
        Block::Other(value) => (BlockKind::Other, value),
    };
    contract::Block { kind, text: value.to_string(), label: Some(label(block, value)) }
}

fn plain(kind: BlockKind, text: &str) -> contract::Block {
    contract::Block { kind, text: text.to_owned(), label: None }
}

/// What to call a block that is no text.
fn label(block: &Block, value: &Value) -> String {
    let name = value.get("name").or_else(|| value.get("function").and_then(|function| function.get("name")));
    match (block, block.media_uri(), name.and_then(Value::as_str)) {
        (Block::ToolUse(_), _, Some(name)) => format!("calls {name}"),
        (Block::ToolUse(_), _, None) => "calls a tool".to_owned(),
        (Block::ToolResult(_), ..) => "answer of a tool".to_owned(),
        (_, Some(uri), _) => match block.media_format() {
            Some(format) => format!("{}, {uri}", format.to_uppercase()),
            None => uri.to_owned(),
        },
        _ => "a block of another kind".to_owned(),
    }
}

/// The turns that a person wrote, as a record. What turns cannot show (members beside role and content, members beside
/// the turns) is taken from the record they were made of.
pub fn take_record(turns: Vec<contract::Turn>, from: Option<&Record>) -> Result<Record, AppError> {
    let mut record = Record::new(Vec::with_capacity(turns.len()));
    for (index, turn) in turns.into_iter().enumerate() {
        let content = turn.content.into_iter().map(take_block).collect::<Result<Vec<_>, _>>()?;
        let role = take_role(&turn.role);
        let before = from.and_then(|from| from.turns.get(index)).filter(|before| before.role == role);
        let extra = before.map_or_else(Map::new, |before| before.extra.clone());
        record.turns.push(Turn { extra, ..Turn::of(role, content) });
    }
    if let Some(from) = from {
        record.extra = from.extra.clone();
    }
    Ok(record)
}

fn take_role(role: &str) -> Role {
    match role {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        other => Role::Other(other.to_owned()),
    }
}

fn take_block(block: contract::Block) -> Result<Block, AppError> {
    let value = |text: &str| {
        serde_json::from_str::<Value>(text).map_err(|error| {
            AppError::new(ErrorCode::InvalidInput, "The JSON of a block cannot be read.").detail(error.to_string())
        })
    };
    Ok(match block.kind {
        BlockKind::Text => Block::Text(block.text),
        BlockKind::Reasoning => Block::Reasoning(block.text),
        BlockKind::Image => Block::Image(value(&block.text)?),
        BlockKind::Video => Block::Video(value(&block.text)?),
        BlockKind::Document => Block::Document(value(&block.text)?),
        BlockKind::ToolUse => Block::ToolUse(value(&block.text)?),
        BlockKind::ToolResult => Block::ToolResult(value(&block.text)?),
        BlockKind::Other => Block::Other(value(&block.text)?),
    })
}

/// UTF-16 units before a byte of a text.
pub fn utf16(text: &str, byte: usize) -> u32 {
    let before = text.get(..byte).unwrap_or(text);
    u32::try_from(before.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// The byte that stands after so many UTF-16 units of a text.
pub fn byte_at(text: &str, units: u32) -> usize {
    let mut passed = 0;
    for (byte, letter) in text.char_indices() {
        if passed >= units as usize {
            return byte;
        }
        passed += letter.len_utf16();
    }
    text.len()
}

pub fn from_document(error: &DocumentError) -> AppError {
    let code = match error {
        DocumentError::Io { .. } | DocumentError::DiskFull { .. } => ErrorCode::Storage,
        DocumentError::NotADocument { .. }
        | DocumentError::OutOfRange { .. }
        | DocumentError::NoSuchRecord { .. }
        | DocumentError::NoSuchSnapshot { .. } => ErrorCode::NotFound,
        DocumentError::SourceMissing { .. } => ErrorCode::FileUnavailable,
        DocumentError::Exists { .. }
        | DocumentError::InUse { .. }
        | DocumentError::SourceChanged { .. }
        | DocumentError::SourceOverwritten { .. }
        | DocumentError::Split(SplitError::Frozen { .. })
        | DocumentError::NoFile
        | DocumentError::Indexing => ErrorCode::Refused,
        DocumentError::Damaged { .. } | DocumentError::OtherVersion { .. } => ErrorCode::FileBroken,
        DocumentError::Cancelled => ErrorCode::Cancelled,
        _ => ErrorCode::InvalidInput,
    };
    AppError::new(code, sentence(&error.to_string())).hint(error.hint())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_the_window_and_of_the_text_are_told_apart() {
        let text = "a😀é b";
        for (byte, units) in [(0, 0), (1, 1), (5, 3), (7, 4), (9, 6)] {
            assert_eq!((utf16(text, byte), byte_at(text, units)), (units, byte));
        }
        assert_eq!(byte_at(text, 99), text.len());
    }

    #[test]
    fn what_turns_do_not_show_is_kept() {
        let mut record = Record::prompt_completion(None, "a", "b");
        record.extra.insert("id".into(), 7.into());
        record.turns[1].extra.insert("weight".into(), 0.into());
        let mut turns = show_turns(&record);
        turns[1].content[0].text = "c".into();
        let written = take_record(turns, Some(&record));
        record.turns[1].content = vec![Block::Text("c".into())];
        assert_eq!(written.ok(), Some(record));
    }
}
