//! Records written in another form, with a report of what does not carry over.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use whetstone_contract as contract;
use whetstone_contract::{
    AppError, Choice, ConversionChoices, ConversionOutcome, ConversionRequest, DatasetPart, ErrorCode, LossReport,
};
use whetstone_dataset::{Compression, ConvertError, ConvertOptions, Converter, Packed, Schema, State, Target, Watch};

use super::opened::Opened;
use super::rows::select;
use super::{Datasets, from_document};
use crate::background::{Standing, Watched, complete};
use crate::errors::from_io;
use crate::import::{from_read, sentence};

/// A conversion, by what was asked and for which state of the records.
pub type LossKey = (u64, String, String, Option<contract::Selection>);

/// So many records are shown as they would be written, as far as they are not long.
const SAMPLED: u64 = 3;
const SAMPLED_BYTES: usize = 16 * 1024;
/// Files whose records are of a schema; the others are [`Target`]'s own.
const JSONL: &str = "jsonl";
const JSON: &str = "json";
const NONE: &str = "none";
const COMPRESSIONS: [Compression; 2] = [Compression::Gzip, Compression::Zstd];

impl Datasets {
    pub async fn conversion_choices(self: &Arc<Self>, id: String) -> Result<ConversionChoices, AppError> {
        self.work(id, |opened| {
            let (state, _) = opened.state()?;
            let choice = |id: &str, label: &str, note: Option<&str>| Choice {
                id: id.to_owned(),
                label: label.to_owned(),
                note: note.map(str::to_owned),
            };
            // Nobody but Bedrock writes logs.
            let schemas = Schema::ALL.iter().filter(|schema| **schema != Schema::InvocationLog);
            let packed = COMPRESSIONS.iter().map(|one| choice(one.extension(), one.name(), None));
            Ok(ConversionChoices {
                schemas: schemas.map(|schema| choice(schema.id(), schema.name(), None)).collect(),
                formats: vec![
                    choice(JSONL, "JSON Lines", None),
                    choice(JSON, "JSON list", None),
                    choice(
                        "csv",
                        "CSV",
                        Some("One question and one answer a row, and the fields of the first record."),
                    ),
                    choice(
                        "tsv",
                        "TSV",
                        Some("One question and one answer a row, and the fields of the first record."),
                    ),
                    choice("examples", "JSON with examples", Some("One question and one answer each.")),
                ],
                formats_of_schema: vec![JSONL.to_owned(), JSON.to_owned()],
                compressions: std::iter::once(choice(NONE, "None", None)).chain(packed).collect(),
                own_schema: state.schema().id().to_owned(),
            })
        })
        .await
    }

    pub async fn preview_conversion(self: &Arc<Self>, asked: ConversionRequest) -> Result<LossReport, AppError> {
        let form = Form::of(&asked)?;
        self.work(asked.dataset, move |opened| {
            let rows = chosen(opened, asked.selection.as_ref())?;
            let standing = opened.losses.ask(
                (opened.edition(), asked.schema, asked.format, asked.selection),
                || opened.watched("Look at a conversion", "Comparing", DatasetPart::Conversion),
                move |watched| convert(&rows, form.target, watched, &mut std::io::sink()),
            )?;
            Ok(match standing {
                Standing::Ready(report) => report.as_ref().clone(),
                Standing::UnderWay(coverage, _) => LossReport {
                    records: 0,
                    whole: 0,
                    left_out: 0,
                    losses: Vec::new(),
                    coverage,
                    sample: String::new(),
                },
            })
        })
        .await
    }

    pub async fn convert(
        self: &Arc<Self>,
        asked: ConversionRequest,
        path: PathBuf,
    ) -> Result<ConversionOutcome, AppError> {
        let form = Form::of(&asked)?;
        self.work(asked.dataset, move |opened| {
            let rows = chosen(opened, asked.selection.as_ref())?;
            let title = format!("Convert {}", opened.document().meta().name);
            let watched = opened.watched(title, "Writing", DatasetPart::Conversion);
            let converted = written(&rows, form, &path, &watched);
            watched.finish(converted.as_ref().map(|_| ()));
            let (report, bytes) = converted?;
            Ok(ConversionOutcome { file: Some(path.display().to_string()), bytes, report })
        })
        .await
    }
}

/// What to write, and how to pack it.
struct Form {
    target: Target,
    compression: Option<Compression>,
}

impl Form {
    fn of(asked: &ConversionRequest) -> Result<Form, AppError> {
        let unknown = |id: &str| AppError::new(ErrorCode::InvalidInput, format!("There is no form {id}."));
        let schema = || Schema::from_id(&asked.schema).ok_or_else(|| unknown(&asked.schema));
        let target = match asked.format.as_str() {
            JSONL => Target::Jsonl(schema()?),
            JSON => Target::JsonList(schema()?),
            other => Target::from_id(other).ok_or_else(|| unknown(other))?,
        };
        let compression = match asked.compression.as_str() {
            NONE => None,
            id => Some(COMPRESSIONS.into_iter().find(|one| one.extension() == id).ok_or_else(|| unknown(id))?),
        };
        Ok(Form { target, compression })
    }
}

/// What a converted file is called behind the dot.
pub fn extension_of(asked: &ConversionRequest) -> Result<String, AppError> {
    let Form { target, compression } = Form::of(asked)?;
    let packed = compression.map(|one| format!(".{}", one.extension()));
    Ok(target.extension().to_owned() + packed.as_deref().unwrap_or_default())
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
    form: Form,
    path: &std::path::Path,
    watched: &Watched,
) -> Result<(LossReport, u64), AppError> {
    let trouble = |error: std::io::Error| from_io("The file", &error);
    let folder = path.parent().unwrap_or_else(|| std::path::Path::new("."));
    let beside = tempfile::Builder::new().prefix(".converted-").tempfile_in(folder).map_err(trouble)?;
    let out = BufWriter::new(File::create(beside.path()).map_err(trouble)?);
    let mut out = Packed::new(out, form.compression).map_err(trouble)?;
    let report = convert(rows, form.target, watched, &mut out)?;
    let file = out.finish().and_then(|out| out.into_inner().map_err(std::io::IntoInnerError::into_error));
    let file = file.map_err(trouble)?;
    file.sync_all().map_err(trouble)?;
    let bytes = file.metadata().map_err(trouble)?.len();
    beside.persist(path).map_err(|error| trouble(error.error))?;
    Ok((report, bytes))
}

/// Each record in the other form, as far as it fits, and what did not.
fn convert(rows: &Chosen, target: Target, watched: &Watched, out: &mut dyn Write) -> Result<LossReport, AppError> {
    let converter = Converter::new(target, rows.state.schema(), ConvertOptions::default());
    let mut converter = converter.map_err(|error| from_convert(&error))?;
    let mut out = Sampled { out, sample: Vec::new(), open: true };
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
        let number = Some(row.position + 1);
        match &row.record {
            Ok(record) => {
                let wrote = converter.write(record, Some(&row.text), number, &mut out);
                wrote.map_err(|error| from_convert(&error))?;
            }
            Err(error) => converter.leave_out(&error.message, number),
        }
        out.open = converter.written() < SAMPLED;
    }
    let conversion = converter.end(&mut out).map_err(|error| from_convert(&error))?;
    let losses = conversion.losses.iter().map(|loss| contract::Loss {
        what: loss.kind.in_words().to_owned(),
        detail: loss.detail.clone(),
        records: loss.count,
        position: loss.first_line.unwrap_or(loss.first_record) - 1,
        left_out: loss.left_out,
    });
    Ok(LossReport {
        records: conversion.records + conversion.left_out,
        whole: conversion.whole,
        left_out: conversion.left_out,
        losses: losses.collect(),
        coverage: complete(),
        sample: String::from_utf8_lossy(&out.sample).into_owned(),
    })
}

/// Keeps the beginning of what is written through it.
struct Sampled<'a> {
    out: &'a mut dyn Write,
    sample: Vec<u8>,
    open: bool,
}

impl Write for Sampled<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        if self.open {
            let room = SAMPLED_BYTES.saturating_sub(self.sample.len());
            self.sample.extend_from_slice(&bytes[..written.min(room)]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn from_convert(error: &ConvertError) -> AppError {
    match error {
        ConvertError::Read(error) => from_read(error),
        ConvertError::Write(error) => from_io("The file", error),
        ConvertError::Target(..) => {
            AppError::new(ErrorCode::InvalidInput, sentence(&error.to_string())).hint("Choose another form.")
        }
    }
}
