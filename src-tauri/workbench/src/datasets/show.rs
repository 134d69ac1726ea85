//! What the dataset crate says, in the contract's shapes, and the way back for turns.

use whetstone_catalog::BaseModel;
use whetstone_contract as contract;
use whetstone_contract::{AppError, DatasetSummary, ErrorCode};
use whetstone_dataset::{Document, DocumentError, Finding, Role, Row, Severity, SplitKind, Turn};

use crate::import::sentence;

/// A table cell shows no more than this; the record itself is whole.
const CELL_CHARS: usize = 300;

pub fn summarise(id: &str, document: &Document) -> DatasetSummary {
    let meta = document.meta();
    DatasetSummary {
        id: id.to_owned(),
        name: meta.name.clone(),
        source: meta.source.clone(),
        records: document.len(),
        created_at: meta.created_at,
        split: document.split_counts().map(|counts| contract::SplitCounts {
            training: counts.training,
            validation: counts.validation,
            hold_out: counts.hold_out,
            seed: counts.plan.seed,
        }),
        can_undo: document.can_undo(),
        can_redo: document.can_redo(),
    }
}

pub fn show_row(row: &Row, model: &BaseModel) -> contract::Row {
    let record = row.record_or_empty();
    let cut = |text: &str| text.chars().take(CELL_CHARS).collect::<String>();
    contract::Row {
        position: row.position,
        prompt: cut(&record.prompt()),
        completion: cut(&record.completion()),
        tokens: model.data.estimate_tokens(record.chars()),
        split: row.split.map(show_split),
    }
}

pub fn show_finding(finding: Finding) -> contract::Finding {
    contract::Finding {
        rule: finding.rule.to_owned(),
        severity: match finding.severity {
            Severity::Error => contract::Severity::Error,
            Severity::Warning => contract::Severity::Warning,
            Severity::Note => contract::Severity::Note,
        },
        position: finding.record,
        field: finding.field,
        message: finding.message,
        hint: finding.hint,
    }
}

/// With its place, counted as people count.
pub fn in_words(finding: Finding) -> String {
    match finding.record {
        Some(position) => format!("Record {}: {}", position + 1, finding.message),
        None => finding.message,
    }
}

pub fn show_split(split: SplitKind) -> contract::SplitKind {
    match split {
        SplitKind::Training => contract::SplitKind::Training,
        SplitKind::Validation => contract::SplitKind::Validation,
        SplitKind::HoldOut => contract::SplitKind::HoldOut,
    }
}

pub fn show_turn(turn: &Turn) -> contract::Turn {
    let role = match turn.role {
        Role::System => contract::Role::System,
        Role::User => contract::Role::User,
        Role::Assistant | Role::Tool | Role::Other(_) => contract::Role::Assistant,
    };
    contract::Turn { role, text: turn.text().into_owned() }
}

pub fn take_turn(turn: contract::Turn) -> Turn {
    let role = match turn.role {
        contract::Role::System => Role::System,
        contract::Role::User => Role::User,
        contract::Role::Assistant => Role::Assistant,
    };
    Turn::new(role, turn.text)
}

pub fn from_document(error: &DocumentError) -> AppError {
    let code = match error {
        DocumentError::Io { .. }
        | DocumentError::DiskFull { .. }
        | DocumentError::Write(whetstone_dataset::WriteError::Io(_)) => ErrorCode::Storage,
        DocumentError::NotADocument { .. }
        | DocumentError::SourceMissing { .. }
        | DocumentError::OutOfRange { .. }
        | DocumentError::NoSuchSnapshot { .. }
        | DocumentError::NoSuchRecord { .. } => ErrorCode::NotFound,
        DocumentError::Exists { .. }
        | DocumentError::InUse { .. }
        | DocumentError::SourceChanged { .. }
        | DocumentError::SourceOverwritten { .. }
        | DocumentError::NoFile
        | DocumentError::Indexing => ErrorCode::Refused,
        DocumentError::Cancelled => ErrorCode::Cancelled,
        DocumentError::Damaged { .. } | DocumentError::OtherVersion { .. } => ErrorCode::FileBroken,
        DocumentError::TooMany
        | DocumentError::NotOneLine
        | DocumentError::RecordTooLarge { .. }
        | DocumentError::DoesNotFit { .. }
        | DocumentError::Split(_)
        | DocumentError::Write(whetstone_dataset::WriteError::DoesNotFit { .. }) => ErrorCode::InvalidInput,
    };
    if let DocumentError::NotADocument { path } = error {
        return AppError::new(code, "There is no such dataset (any more).").detail(path.display().to_string());
    }
    AppError::new(code, sentence(&error.to_string())).hint(error.hint())
}
