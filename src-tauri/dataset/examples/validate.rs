//! Validates a JSONL file as `whetstone validate FILE --model ID --json` does, with nothing around it: what
//! `scripts/bench dataset` measures.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use whetstone_catalog::catalog;
use whetstone_dataset::validate::{FileSource, LineSource, Options, validate};
use whetstone_dataset::{Intent, Schema, SplitKind, Unwatched};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = PathBuf::from(arguments.next().ok_or("usage: validate FILE --model ID [--json] [--threads N]")?);
    let mut model = None;
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--model" => model = arguments.next(),
            "--threads" => options.threads = arguments.next().ok_or("--threads takes a number")?.parse()?,
            "--json" => {}
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    let model = model.ok_or("--model is missing")?;
    let model = catalog().find(&model).ok_or("there is no such base model")?;
    let intent = Intent::new(model);
    let schema = Schema::from(intent.data().format);
    let started = Instant::now();
    let source: Box<dyn LineSource> = Box::new(FileSource::open(&file, SplitKind::Training)?);
    let report = validate(vec![source], &schema, &intent, &options, &Unwatched)?;
    let seconds = started.elapsed().as_secs_f64();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        r#"{{"records":{},"valid":{},"errors":{},"warnings":{},"notes":{},"seconds":{seconds:.3}}}"#,
        report.records, report.valid, report.errors, report.warnings, report.notes
    )?;
    for count in &report.rules {
        writeln!(
            out,
            r#"{{"rule":"{}","findings":{},"records":{}}}"#,
            count.rule,
            count.findings,
            count.records.len()
        )?;
    }
    Ok(())
}
