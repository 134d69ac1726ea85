//! One record: looked at, checked as it is typed, edited.

use std::sync::Arc;

use whetstone_contract as contract;
use whetstone_contract::{
    AppError, CheckRequest, EditRequest, ErrorCode, FixDraftRequest, InsertRequest, RecordBody, RecordChange,
    RecordContent, RecordDetail, RecordRequest, TextProblem,
};
use whetstone_dataset::{Fix, Intent, Record, Row, Schema, ShapeError, SystemHandling, check_record, fix, preview};

use super::edits::change;
use super::opened::Opened;
use super::show::{show_finding, show_split, show_turns, take_record, utf16};
use super::{Datasets, from_document};
use crate::{models, tokens};

/// A fix that calls for another one is made again, but not for ever.
const MOST_FIXES: usize = 50;

impl Datasets {
    pub async fn record(self: &Arc<Self>, asked: RecordRequest) -> Result<RecordDetail, AppError> {
        let model = models::intent(&asked.base_model)?;
        self.work(asked.dataset, move |opened| {
            let (state, _) = opened.state()?;
            let row = state.row(asked.position).map_err(|error| from_document(&error))?;
            Ok(detail(&row, state.schema(), model))
        })
        .await
    }

    pub async fn check_record(self: &Arc<Self>, asked: CheckRequest) -> Result<RecordContent, AppError> {
        let model = models::intent(&asked.base_model)?;
        self.work(asked.dataset, move |opened| {
            let (schema, before) = draft_of(opened, asked.position)?;
            let line = written(&schema, before.as_ref(), asked.body)?;
            let mut content = content(&line, &schema, model);
            if !asked.whole {
                content = RecordContent { turns: Vec::new(), json: String::new(), as_model: None, ..content };
            }
            Ok(content)
        })
        .await
    }

    /// What a record that is being typed would be after a rule's fix.
    pub async fn fix_draft(self: &Arc<Self>, asked: FixDraftRequest) -> Result<RecordContent, AppError> {
        let model = models::intent(&asked.base_model)?;
        self.work(asked.dataset, move |opened| {
            let (schema, before) = draft_of(opened, asked.position)?;
            let line = written(&schema, before.as_ref(), asked.body)?;
            let Ok(record) = schema.parse(&line) else { return Ok(content(&line, &schema, model)) };
            let mended = match mend(&record, &model, |rule| rule == asked.rule) {
                Some(Fix::Replace(mended)) => schema.patch(&line, &mended).map_err(|loss| unfit(&loss.to_string()))?,
                Some(Fix::Delete) | None => line,
            };
            Ok(content(&mended, &schema, model))
        })
        .await
    }

    pub async fn edit(self: &Arc<Self>, asked: EditRequest) -> Result<RecordChange, AppError> {
        let model = models::intent(&asked.base_model)?;
        self.work(asked.dataset, move |opened| {
            let state = opened.whole()?;
            let row = state.row(asked.position).map_err(|error| from_document(&error))?;
            let line = written(state.schema(), Some(&row), asked.body)?;
            if serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_err() {
                return Err(AppError::new(ErrorCode::InvalidInput, "This is not JSON yet, so it was not kept.")
                    .hint("Mend it where it is underlined, or take back what you typed."));
            }
            opened.document().replace_line(row.id, &line).map_err(|error| from_document(&error))?;
            opened.edited();
            let state = opened.whole()?;
            let row = state.row(asked.position).map_err(|error| from_document(&error))?;
            let record = detail(&row, state.schema(), model);
            Ok(RecordChange { change: change(opened, 1, 0, Some(asked.position), false)?, record })
        })
        .await
    }

    pub async fn insert(self: &Arc<Self>, asked: InsertRequest) -> Result<contract::Change, AppError> {
        self.work(asked.dataset, move |opened| {
            let schema = opened.whole()?.schema().clone();
            let lines = asked.records.into_iter().map(|body| written(&schema, None, body));
            let lines = lines.collect::<Result<Vec<_>, _>>()?;
            let inserted = opened.document().insert_lines(asked.position, &lines);
            let count = inserted.map_err(|error| from_document(&error))?.len() as u64;
            opened.arranged();
            change(opened, count, 0, Some(asked.position), true)
        })
        .await
    }
}

/// The schema that a draft is in, and the record that it changes.
fn draft_of(opened: &Arc<Opened>, position: Option<u64>) -> Result<(Schema, Option<Row>), AppError> {
    let (state, _) = opened.state()?;
    let row = position.map(|position| state.row(position)).transpose().map_err(|error| from_document(&error))?;
    Ok((state.schema().clone(), row))
}

/// The line that a person's draft would be.
fn written(schema: &Schema, before: Option<&Row>, body: RecordBody) -> Result<Vec<u8>, AppError> {
    match body {
        RecordBody::Json { json } => Ok(one_line(&json)),
        RecordBody::Turns { turns } => {
            let known = before.and_then(|row| row.record.as_ref().ok());
            let record = take_record(turns, known)?;
            let line = match before.filter(|_| known.is_some()) {
                Some(row) => schema.patch(&row.text, &record),
                None => schema.render(&record),
            };
            line.map_err(|loss| unfit(&loss.to_string()))
        }
    }
}

/// JSON as a person lays it out, on one line. Text that is no JSON stays as it is, but for its line breaks.
fn one_line(json: &str) -> Vec<u8> {
    if !json.contains(['\n', '\r']) {
        return json.as_bytes().to_vec();
    }
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(value) => value.to_string().into_bytes(),
        Err(_) => json.replace(['\n', '\r'], " ").into_bytes(),
    }
}

fn unfit(loss: &str) -> AppError {
    AppError::new(ErrorCode::InvalidInput, "This cannot be written in the dataset's format.")
        .detail(loss.to_owned())
        .hint("Leave it out, or convert the dataset to a format that has a place for it.")
}

fn detail(row: &Row, schema: &Schema, model: Intent<'static>) -> RecordDetail {
    RecordDetail {
        position: row.position,
        split: row.split.map(show_split),
        line: row.line,
        edited: row.edited,
        content: content(&row.text, schema, model),
    }
}

/// Everything about a line.
fn content(line: &[u8], schema: &Schema, model: Intent<'static>) -> RecordContent {
    let json = String::from_utf8_lossy(line).into_owned();
    match schema.parse(line) {
        Ok(record) => {
            let findings = check_record(&record, &model);
            RecordContent {
                turns: show_turns(&record),
                as_model: as_model(&record, model),
                tokens: tokens::count(&model, &record),
                findings: findings.into_iter().map(|finding| show_finding(finding, Some(&record))).collect(),
                json,
                problem: None,
            }
        }
        Err(error) => RecordContent {
            turns: Vec::new(),
            problem: Some(shape_problem(&json, &error)),
            as_model: None,
            tokens: tokens::count(&model, &Record::default()),
            findings: Vec::new(),
            json,
        },
    }
}

/// The record as the base model reads it, the last text being what it learns to say; `None` where its format has no
/// place for the record.
fn as_model(record: &Record, model: Intent<'static>) -> Option<String> {
    let seen = preview(record, model.data().format, SystemHandling::PutBeforePrompt);
    let texts = seen.texts.into_iter().map(|(role, text)| match seen.turns {
        true => format!("{}: {text}", role.as_str()),
        false => text,
    });
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

fn shape_problem(json: &str, error: &ShapeError) -> TextProblem {
    let place = error.column.and_then(|column| usize::try_from(column).ok());
    let start = place.map_or(0, |column| utf16(json, column.saturating_sub(1).min(json.len())));
    TextProblem {
        message: error.message.clone(),
        hint: Some(error.hint.clone()),
        start,
        end: place.map_or(0, |_| start + 1),
    }
}

/// Makes the fixes of the rules asked for until none of them finds anything more; `None` where there was nothing to fix.
pub fn mend(record: &Record, target: &Intent<'_>, asked: impl Fn(&str) -> bool) -> Option<Fix> {
    let mut mended: Option<Record> = None;
    for _ in 0..MOST_FIXES {
        let current = mended.as_ref().unwrap_or(record);
        let next = check_record(current, target)
            .into_iter()
            .filter(|finding| asked(finding.rule))
            .find_map(|finding| fix(&finding, current, target));
        match next {
            Some(Fix::Replace(better)) if better != *current => mended = Some(better),
            Some(Fix::Delete) => return Some(Fix::Delete),
            _ => break,
        }
    }
    mended.map(Fix::Replace)
}
