//! Holding files to a base model's rules.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use serde_json::json;
use tempfile::NamedTempFile;
use whetstone_dataset::validate::{FileSource, LineSource, Options, Report, validate};
use whetstone_dataset::{Finding, ReadOptions, Schema, Severity, SplitKind, Watch, import_jsonl, sniff};

use super::{Told, in_words, intent};
use crate::command_line::{USAGE, print};

/// So many findings of each rule are told in words; all of them are counted. JSON has every one.
const KEPT: usize = 10_000;

#[derive(Args)]
pub struct ValidateCall {
    /// The training data: JSON Lines, or a file that can be converted into it.
    file: PathBuf,
    /// The base model whose rules are kept, for example amazon.nova-micro-v1:0:128k.
    #[arg(long, value_name = "ID")]
    model: String,
    /// Further data that goes with it, such as: --split validation FILE2
    #[arg(long, num_args = 2, value_names = ["SPLIT", "FILE"])]
    split: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct ShownFinding<'a> {
    rule: &'a str,
    severity: &'static str,
    /// From 1, of the file; null for what concerns the data as a whole.
    line: Option<u64>,
    /// From 1, counted over all files in the order given.
    record: Option<u64>,
    field: Option<&'a str>,
    message: &'a str,
    /// What the app's own fix would do; null where a person must decide.
    fix: Option<&'a str>,
}

pub fn validate_files(call: &ValidateCall) -> ExitCode {
    let report = intent(&call.model).and_then(|intent| {
        let told = Told::new("Checking");
        let files = files(call, &told)?;
        let schema = files.first().map_or(Schema::PromptCompletion, |file| file.schema.clone());
        let sources = files.iter().map(InputFile::source).collect::<Result<Vec<_>, _>>()?;
        // A file that had to be converted is not what is uploaded: only its records are looked at.
        let as_uploaded = files.iter().all(|file| file.converted.is_none());
        let kept_per_rule = if call.json { usize::MAX } else { KEPT };
        let options = Options { kept_per_rule, as_uploaded, ..Options::default() };
        let report = validate(sources, &schema, &intent, &options, &told);
        told.end();
        report.map_err(|error| format!("{error}. {}", error.hint()))
    });
    let report = match report {
        Ok(report) => report,
        Err(message) => {
            eprintln!("whetstone: {message}");
            return ExitCode::from(USAGE);
        }
    };
    let printed = print(|out| if call.json { write_json(out, &report) } else { write_words(out, &report) });
    if printed.is_err() || report.errors > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// A file of one split, as JSON Lines.
struct InputFile {
    path: PathBuf,
    kind: SplitKind,
    schema: Schema,
    /// The records as lines, where the file itself holds something else.
    converted: Option<NamedTempFile>,
}

impl InputFile {
    fn open(path: PathBuf, kind: SplitKind, told: &Told) -> Result<Self, String> {
        let source = sniff(&path).map_err(|error| in_words(&path, &error.to_string(), error.hint()))?;
        if source.opens_in_place()
            && let Some(schema) = source.schema(None)
        {
            return Ok(Self { path, kind, schema, converted: None });
        }
        let mut lines = NamedTempFile::new().map_err(|error| format!("no room for the converted records: {error}"))?;
        let imported = import_jsonl(&path, &ReadOptions::default(), &mut lines, &mut |done, total| {
            told.progress(done, total);
            ControlFlow::Continue(())
        });
        let imported = imported.map_err(|error| in_words(&path, &error.to_string(), error.hint()))?;
        if let Some(problem) = imported.problems.first() {
            let place = format!("line {}: {}", problem.line, problem.message);
            return Err(in_words(&path, &place, &problem.hint));
        }
        Ok(Self { path, kind, schema: imported.schema, converted: Some(lines) })
    }

    fn source(&self) -> Result<Box<dyn LineSource>, String> {
        let lines = self.converted.as_ref().map_or(self.path.as_path(), NamedTempFile::path);
        let source = FileSource::open(lines, self.kind);
        Ok(Box::new(source.map_err(|error| in_words(&self.path, &error.to_string(), error.hint()))?))
    }
}

fn files(call: &ValidateCall, told: &Told) -> Result<Vec<InputFile>, String> {
    let mut files = vec![InputFile::open(call.file.clone(), SplitKind::Training, told)?];
    for pair in call.split.chunks(2) {
        let [split, file] = pair else { continue };
        let kind = match split.as_str() {
            "training" => SplitKind::Training,
            "validation" => SplitKind::Validation,
            "hold-out" => SplitKind::HoldOut,
            other => return Err(format!("{other} is not a split; there are training, validation and hold-out")),
        };
        files.push(InputFile::open(PathBuf::from(file), kind, told)?);
    }
    Ok(files)
}

fn write_json(out: &mut dyn Write, report: &Report) -> std::io::Result<()> {
    let findings: Vec<ShownFinding> = report.findings.iter().map(shown).collect();
    let report = json!({ "records": report.records, "valid": report.valid, "findings": findings });
    serde_json::to_writer(&mut *out, &report)?;
    out.write_all(b"\n")
}

fn shown(finding: &Finding) -> ShownFinding<'_> {
    ShownFinding {
        rule: finding.rule,
        severity: name(finding.severity),
        line: finding.line,
        record: finding.record.map(|position| position + 1),
        field: finding.field.as_deref(),
        message: &finding.message,
        fix: finding.fix,
    }
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn write_words(out: &mut dyn Write, report: &Report) -> std::io::Result<()> {
    for finding in &report.findings {
        let place = match (finding.line, finding.record) {
            (Some(line), _) => format!("line {line}"),
            (None, Some(record)) => format!("record {}", record + 1),
            (None, None) => "the data".to_owned(),
        };
        writeln!(out, "{}: {place}: {} [{}]", name(finding.severity), finding.message, finding.rule)?;
        writeln!(out, "    {}", finding.hint)?;
    }
    let all = report.errors + report.warnings + report.notes;
    let left_out = all - report.findings.len() as u64;
    if left_out > 0 {
        writeln!(out, "… and {left_out} more findings of the same rules")?;
    }
    writeln!(
        out,
        "{} records, {} valid: {} errors, {} warnings, {} notes",
        report.records, report.valid, report.errors, report.warnings, report.notes
    )
}
