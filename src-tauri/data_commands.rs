//! `whetstone validate`, `convert` and `stats`: the engine of the Datasets screen over files, without a window.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::json;
use tempfile::NamedTempFile;
use whetstone_catalog::BaseModel;
use whetstone_dataset::validate::{FileSource, LineSource, Options, Report, validate};
use whetstone_dataset::{
    Conversion, ConvertError, ConvertOptions, Finding, Intent, Item, Lengths, Mapping, ReadError, ReadOptions,
    RecordReader, Schema, Severity, SplitKind, Statistics, StatisticsBuilder, Target, TokenCounter, Watch, convert,
    import_jsonl, sniff,
};
use whetstone_tuner::LanguageModel;

use crate::command_line::{USAGE, print};

/// About how many bytes a record takes, to tell how many there may be before they are counted.
const BYTES_A_RECORD: u64 = 500;
/// So many findings of each rule are printed; all of them are counted.
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

#[derive(Args)]
pub struct ConvertCall {
    /// What to convert: JSON Lines, CSV, Parquet, XLSX, a JSON list or examples, packed or not.
    file: PathBuf,
    /// What to write: a schema of JSON Lines (prompt-completion, claude-messages, conversation, pretraining, openai-chat,
    /// alpaca, sharegpt, …), or csv, or examples.
    #[arg(long, value_name = "FORM")]
    to: String,
    /// Where to write it; it is replaced when the conversion is whole.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// The column that becomes the prompt, where columns have names of their own.
    #[arg(long, value_name = "COLUMN", requires = "completion")]
    prompt: Option<String>,
    /// The column that becomes the completion.
    #[arg(long, value_name = "COLUMN", requires = "prompt")]
    completion: Option<String>,
    /// The column that becomes the system text.
    #[arg(long, value_name = "COLUMN", requires = "prompt")]
    system: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct StatsCall {
    file: PathBuf,
    /// Tokens are those of this base model: counted where its tokenizer is at hand, else estimated.
    #[arg(long, value_name = "ID", default_value = "whetstone.tiny-v1")]
    model: String,
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
    hint: &'a str,
    /// What the app's own fix would do; null where a person must decide.
    fix: Option<&'a str>,
}

pub fn validate_files(call: &ValidateCall) -> ExitCode {
    let report = model(&call.model).and_then(|model| {
        let told = Told::new("Checking");
        let files = files(call, &told)?;
        let schema = files.first().map_or(Schema::PromptCompletion, |file| file.schema.clone());
        let sources = files.iter().map(InputFile::source).collect::<Result<Vec<_>, _>>()?;
        // A file that had to be converted is not what is uploaded: only its records are looked at.
        let as_uploaded = files.iter().all(|file| file.converted.is_none());
        let options = Options { kept_per_rule: KEPT, as_uploaded, ..Options::default() };
        let report = validate(sources, &schema, &Intent::new(model), &options, &told);
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

pub fn convert_file(call: &ConvertCall) -> ExitCode {
    match converted(call) {
        Ok(conversion) => {
            let printed =
                print(|out| if call.json { write_conversion(out, &conversion) } else { tell(out, &conversion) });
            let whole = conversion.left_out == 0 && conversion.problem_count == 0;
            if printed.is_ok() && whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("whetstone: {message}");
            ExitCode::from(USAGE)
        }
    }
}

fn converted(call: &ConvertCall) -> Result<Conversion, String> {
    let target = match call.to.as_str() {
        "csv" => Target::Csv { delimiter: b',' },
        "examples" => Target::Examples,
        id => Target::Jsonl(Schema::from_id(id).ok_or_else(|| {
            let known: Vec<&str> = Schema::ALL.iter().map(Schema::id).collect();
            format!("{id} is no form to convert to; there are csv, examples, {}", known.join(", "))
        })?),
    };
    let mapping = call.prompt.clone().zip(call.completion.clone());
    let mapping = mapping.map(|(prompt, completion)| Mapping { prompt, completion, system: call.system.clone() });
    let read = ReadOptions { mapping, ..ReadOptions::default() };
    let folder = call.output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let told = Told::new("Converting");
    let unwritable = |error: std::io::Error| format!("{} cannot be written: {error}", call.output.display());
    let mut beside = NamedTempFile::new_in(folder).map_err(unwritable)?;
    let options = ConvertOptions { read, ..ConvertOptions::default() };
    let conversion = convert(&call.file, &options, &target, &mut beside, &mut |done, total| {
        told.progress(done, total);
        ControlFlow::Continue(())
    });
    told.end();
    let conversion = conversion.map_err(|error| match &error {
        ConvertError::Read(read) => in_words(&call.file, &error.to_string(), read.hint()),
        _ => in_words(&call.output, &error.to_string(), "Choose another form or place, or make room."),
    })?;
    beside.as_file().sync_all().map_err(unwritable)?;
    beside.persist(&call.output).map_err(|error| unwritable(error.error))?;
    Ok(conversion)
}

fn write_conversion(out: &mut dyn Write, conversion: &Conversion) -> std::io::Result<()> {
    let losses: Vec<_> = conversion
        .losses
        .iter()
        .map(|loss| {
            json!({
                "kind": loss.kind.as_str(), "records": loss.count, "left_out": loss.left_out,
                "first_record": loss.first_record, "first_line": loss.first_line, "detail": loss.detail,
            })
        })
        .collect();
    let problems: Vec<_> = conversion
        .problems
        .iter()
        .map(|problem| json!({ "line": problem.line, "message": problem.message, "hint": problem.hint }))
        .collect();
    serde_json::to_writer(
        &mut *out,
        &json!({
            "records": conversion.records, "left_out": conversion.left_out, "losses": losses,
            "unreadable": conversion.problem_count, "problems": problems, "notes": conversion.notes,
        }),
    )?;
    out.write_all(b"\n")
}

fn tell(out: &mut dyn Write, conversion: &Conversion) -> std::io::Result<()> {
    writeln!(out, "{} records written, {} left out", conversion.records, conversion.left_out)?;
    for loss in &conversion.losses {
        writeln!(out, "  {} records: {}; the first is record {}", loss.count, loss.detail, loss.first_record)?;
    }
    for problem in &conversion.problems {
        writeln!(out, "  line {}: {} {}", problem.line, problem.message, problem.hint)?;
    }
    conversion.notes.iter().try_for_each(|note| writeln!(out, "  {note}"))
}

pub fn print_statistics(call: &StatsCall) -> ExitCode {
    let numbers = model(&call.model).and_then(|model| {
        let tokenizer = LanguageModel::tiny_v1().ok().filter(|_| model.local);
        let count = |text: &str| match &tokenizer {
            Some(tokenizer) => tokenizer.count_text_tokens(text) as u64,
            None => model.data.estimate_tokens(text.chars().count()),
        };
        let name = match &tokenizer {
            Some(_) => format!("{}'s own tokenizer", model.name),
            None => format!("estimate, {} characters a token", model.data.chars_per_token),
        };
        gather(&call.file, &TokenCounter { name, count: &count })
    });
    match numbers {
        Ok(numbers) => {
            let printed =
                print(|out| if call.json { write_statistics(out, &numbers) } else { tell_numbers(out, &numbers) });
            if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("whetstone: {message}");
            ExitCode::from(USAGE)
        }
    }
}

fn gather(file: &Path, counter: &TokenCounter<'_>) -> Result<Statistics, String> {
    let wrong = |error: ReadError| in_words(file, &error.to_string(), error.hint());
    let told = Told::new("Counting");
    let mut reader = RecordReader::open(file, &ReadOptions::default()).map_err(wrong)?;
    let mut builder = StatisticsBuilder::new(counter, reader.total_bytes() / BYTES_A_RECORD);
    while let Some(item) = reader.next_item().map_err(wrong)? {
        match item {
            Item::Record(sourced) => builder.add(&sourced.record, true),
            Item::Problem(_) => builder.add_broken(),
        }
        told.progress(reader.bytes_done(), reader.total_bytes());
    }
    told.end();
    Ok(builder.finish())
}

fn write_statistics(out: &mut dyn Write, numbers: &Statistics) -> std::io::Result<()> {
    let lengths = |lengths: &Lengths| {
        json!({
            "total": lengths.total(), "least": lengths.least(), "median": lengths.at_share(0.5),
            "p90": lengths.at_share(0.9), "p99": lengths.at_share(0.99), "most": lengths.most(),
        })
    };
    let named = |rows: &[(String, u64)]| -> Vec<_> {
        rows.iter().map(|(name, records)| json!({ "name": name, "records": records })).collect()
    };
    serde_json::to_writer(
        &mut *out,
        &json!({
            "records": numbers.records,
            "broken": numbers.broken,
            "counted_by": numbers.counted_by,
            "tokens": {
                "whole": lengths(&numbers.whole),
                "prompt": lengths(&numbers.context),
                "completion": lengths(&numbers.completion),
                "system": numbers.system_tokens,
            },
            "characters": lengths(&numbers.characters),
            "turns": numbers.turns,
            "labels": numbers.labels.as_deref().map(named),
            "languages": named(&numbers.languages),
            "languages_asked": numbers.languages_asked,
            "duplicates": numbers.duplicates,
            "contradictions": numbers.contradictions,
            "attachments": numbers.attachments,
        }),
    )?;
    out.write_all(b"\n")
}

fn tell_numbers(out: &mut dyn Write, numbers: &Statistics) -> std::io::Result<()> {
    writeln!(out, "{} records, {} lines that are none", numbers.records, numbers.broken)?;
    writeln!(out, "tokens by {}", numbers.counted_by)?;
    let rows = [("whole", &numbers.whole), ("prompt", &numbers.context), ("completion", &numbers.completion)];
    for (name, lengths) in rows {
        let (median, p99) = (lengths.at_share(0.5), lengths.at_share(0.99));
        writeln!(
            out,
            "  {name:<11} {:>10} in all; {} to {}, half at most {median}, 99 % at most {p99}",
            lengths.total(),
            lengths.least(),
            lengths.most(),
        )?;
    }
    if let Some(labels) = &numbers.labels {
        writeln!(out, "{} different completions, as labels", labels.len())?;
    }
    for (name, records) in &numbers.languages {
        writeln!(out, "  {name}: {records} of {} records asked", numbers.languages_asked)?;
    }
    writeln!(out, "{} exact repeats, {} with another answer", numbers.duplicates, numbers.contradictions)
}

pub fn model(id: &str) -> Result<&'static BaseModel, String> {
    whetstone_catalog::catalog().find(id).ok_or_else(|| {
        let known: Vec<&str> = whetstone_catalog::catalog().models().iter().map(|model| model.id.as_str()).collect();
        format!("{id} is not a base model that Whetstone knows; there are:\n  {}", known.join("\n  "))
    })
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

pub fn in_words(path: &Path, error: &str, hint: &str) -> String {
    format!("{}: {error}. {hint}", path.display())
}

fn write_json(out: &mut dyn Write, report: &Report) -> std::io::Result<()> {
    let findings: Vec<ShownFinding> = report.findings.iter().map(shown).collect();
    let rules: Vec<_> = report
        .rules
        .iter()
        .filter(|rule| rule.findings > 0)
        .map(|rule| json!({ "rule": rule.rule, "severity": name(rule.severity), "findings": rule.findings }))
        .collect();
    serde_json::to_writer(
        &mut *out,
        &json!({
            "records": report.records,
            "valid": report.valid,
            "errors": report.errors,
            "warnings": report.warnings,
            "notes": report.notes,
            "rules": rules,
            "findings": findings,
        }),
    )?;
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
        hint: &finding.hint,
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

/// Progress on a terminal: one line, written over.
pub struct Told {
    what: &'static str,
    shown: Option<Mutex<Option<Instant>>>,
}

impl Told {
    const EVERY: Duration = Duration::from_millis(200);

    pub fn new(what: &'static str) -> Self {
        Self { what, shown: std::io::stderr().is_terminal().then(|| Mutex::new(None)) }
    }

    pub fn end(&self) {
        if self.shown.is_some() {
            eprint!("\r{:20}\r", "");
        }
    }
}

impl Watch for Told {
    fn progress(&self, done: u64, total: u64) {
        let Some(shown) = &self.shown else { return };
        let mut last = shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if total == 0 || last.is_some_and(|last| last.elapsed() < Self::EVERY) {
            return;
        }
        *last = Some(Instant::now());
        eprint!("\r{} {:3} %", self.what, done.saturating_mul(100) / total);
    }

    fn cancelled(&self) -> bool {
        false
    }
}
