//! Records written in another schema, with a report of what does not carry over.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use whetstone_contract as contract;
use whetstone_contract::{
    AppError, Choice, ConversionChoices, ConversionOutcome, ConversionRequest, DatasetPart, ErrorCode, LossReport,
};
use whetstone_dataset::{LossKind, Row, Schema, State, SystemHandling, Watch};

use super::opened::Opened;
use super::rows::select;
use super::{Datasets, from_document};
use crate::background::{Standing, Watched, complete};
use crate::errors::from_io;

/// A conversion, by what was asked and for which state of the records.
pub type LossKey = (u64, String, Option<contract::Selection>);

/// So many records are shown as they would be written.
const SAMPLED: usize = 3;
const JSONL: &str = "jsonl";
const NONE: &str = "none";

impl Datasets {
    pub async fn conversion_choices(self: &Arc<Self>, id: String) -> Result<ConversionChoices, AppError> {
        self.work(id, |opened| {
            let (state, _) = opened.state()?;
            let choice = |id: &str, label: &str| Choice { id: id.to_owned(), label: label.to_owned(), note: None };
            Ok(ConversionChoices {
                schemas: Schema::ALL.iter().map(|schema| choice(schema.id(), schema.name())).collect(),
                formats: vec![choice(JSONL, "JSON Lines")],
                compressions: vec![choice(NONE, "None")],
                own_schema: state.schema().id().to_owned(),
            })
        })
        .await
    }

    pub async fn preview_conversion(self: &Arc<Self>, asked: ConversionRequest) -> Result<LossReport, AppError> {
        let schema = schema_of(&asked.schema)?;
        self.work(asked.dataset, move |opened| {
            let rows = chosen(opened, asked.selection.as_ref())?;
            let standing = opened.losses.ask(
                (opened.edition(), asked.schema, asked.selection),
                || opened.watched("Look at a conversion", "Comparing", DatasetPart::Conversion),
                move |watched| convert(&rows, &schema, watched, &mut |_| Ok(())),
            )?;
            Ok(match standing {
                Standing::Ready(report) => report.as_ref().clone(),
                Standing::UnderWay(coverage) => {
                    LossReport { records: 0, whole: 0, left_out: 0, losses: Vec::new(), coverage, sample: Vec::new() }
                }
            })
        })
        .await
    }

    pub async fn convert(
        self: &Arc<Self>,
        asked: ConversionRequest,
        path: PathBuf,
    ) -> Result<ConversionOutcome, AppError> {
        let schema = schema_of(&asked.schema)?;
        self.work(asked.dataset, move |opened| {
            let rows = chosen(opened, asked.selection.as_ref())?;
            let watched = opened.watched(format!("Convert to {}", schema.name()), "Writing", DatasetPart::Conversion);
            let converted = written(&rows, &schema, &path, &watched);
            watched.finish(converted.as_ref().map(|_| ()));
            let (report, bytes) = converted?;
            Ok(ConversionOutcome { file: Some(path.display().to_string()), bytes, report })
        })
        .await
    }
}

/// What a file of a format is called behind the dot.
pub fn extension_of(format: &str) -> &str {
    format
}

fn schema_of(id: &str) -> Result<Schema, AppError> {
    Schema::from_id(id).ok_or_else(|| AppError::new(ErrorCode::InvalidInput, format!("There is no schema {id}.")))
}

/// The records that were asked for, as they are now.
struct Chosen {
    state: State,
    only: Option<whetstone_dataset::IdSet>,
}

fn chosen(opened: &Arc<Opened>, selection: Option<&contract::Selection>) -> Result<Chosen, AppError> {
    let only = selection.map(|selection| select(opened, selection)).transpose()?;
    Ok(Chosen { state: opened.whole()?, only })
}

/// Writes beside the file and puts it in place when it is whole.
fn written(
    rows: &Chosen,
    schema: &Schema,
    path: &std::path::Path,
    watched: &Watched,
) -> Result<(LossReport, u64), AppError> {
    let trouble = |error: std::io::Error| from_io("The file", &error);
    let folder = path.parent().unwrap_or_else(|| std::path::Path::new("."));
    let beside = tempfile::Builder::new().prefix(".converted-").tempfile_in(folder).map_err(trouble)?;
    let mut bytes = 0;
    let mut out = BufWriter::new(File::create(beside.path()).map_err(trouble)?);
    let report = convert(rows, schema, watched, &mut |line| {
        bytes += line.len() as u64 + 1;
        out.write_all(line).and_then(|()| out.write_all(b"\n")).map_err(trouble)
    })?;
    out.flush().and_then(|()| out.get_ref().sync_all()).map_err(trouble)?;
    beside.persist(path).map_err(|error| trouble(error.error))?;
    Ok((report, bytes))
}

/// Each record in the other schema, as far as it fits, and what did not.
fn convert(
    rows: &Chosen,
    schema: &Schema,
    watched: &Watched,
    write: &mut dyn FnMut(&[u8]) -> Result<(), AppError>,
) -> Result<LossReport, AppError> {
    let mut report =
        LossReport { records: 0, whole: 0, left_out: 0, losses: Vec::new(), coverage: complete(), sample: Vec::new() };
    let mut losses: BTreeMap<(&'static str, bool), (u64, u64)> = BTreeMap::new();
    let total = rows.state.len();
    for row in rows.state.iter() {
        let row = row.map_err(|error| from_document(&error))?;
        watched.progress(row.position, total);
        if watched.cancelled() {
            return Err(AppError::new(ErrorCode::Cancelled, "The conversion was cancelled; nothing was written."));
        }
        if rows.only.as_ref().is_some_and(|only| !only.contains(row.id)) {
            continue;
        }
        report.records += 1;
        let (line, lost) = fitted(&row, schema);
        if line.is_some() && lost.is_empty() {
            report.whole += 1;
        }
        for what in lost {
            let count = losses.entry((what, line.is_none())).or_insert((0, row.position));
            count.0 += 1;
        }
        match line {
            Some(line) => {
                if report.sample.len() < SAMPLED {
                    report.sample.push(String::from_utf8_lossy(&line).into_owned());
                }
                write(&line)?;
            }
            None => report.left_out += 1,
        }
    }
    report.losses = losses
        .into_iter()
        .map(|((what, drops_record), (records, position))| contract::Loss {
            what: what.to_owned(),
            records,
            position,
            drops_record,
        })
        .collect();
    Ok(report)
}

/// The line in the other schema, and the kinds of what it has no place for.
fn fitted(row: &Row, schema: &Schema) -> (Option<Vec<u8>>, Vec<&'static str>) {
    let Ok(record) = &row.record else { return (None, vec!["Lines that are no record"]) };
    let fitted = schema.fit(record, SystemHandling::PutBeforePrompt);
    let mut lost: Vec<&'static str> = fitted.losses.iter().map(|loss| loss.kind.as_str()).collect();
    lost.sort_unstable();
    lost.dedup();
    match fitted.record.as_ref().map(|record| schema.render(record)) {
        Some(Ok(line)) => (Some(line), lost),
        Some(Err(loss)) => (None, vec![loss.kind.as_str()]),
        None if lost.is_empty() => (None, vec![LossKind::Structure.as_str()]),
        None => (None, lost),
    }
}
