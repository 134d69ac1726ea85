//! Writing a file in another form.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use tempfile::NamedTempFile;
use whetstone_dataset::{
    Compression, Conversion, ConvertError, ConvertOptions, Encoding, Mapping, Packed, ReadOptions, Schema, Target,
    Watch, convert,
};

use super::{Told, in_words};
use crate::command_line::{USAGE, print};

#[derive(Args)]
pub struct ConvertCall {
    /// What to convert: JSON Lines, CSV, Parquet, XLSX, a JSON list or examples, packed or not.
    file: PathBuf,
    /// What to write: a schema of JSON Lines (prompt-completion, claude-messages, conversation, pretraining, openai-chat,
    /// alpaca, sharegpt, …), or csv, tsv, or examples.
    #[arg(long, value_name = "FORM")]
    to: String,
    /// Where to write it; it is replaced when the conversion is whole. Packed where it ends with .gz or .zst.
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
    /// The sheet of a spreadsheet; the first with something on it where it is left out.
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// The encoding of a text, such as windows-1252; told from the file where it is left out.
    #[arg(long, value_name = "ENCODING", value_parser = encoding)]
    encoding: Option<Encoding>,
    /// What stands between the columns of a CSV file; told from the file where it is left out.
    #[arg(long, value_name = "SIGN", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn encoding(id: &str) -> Result<Encoding, String> {
    let known = Encoding::ALL.map(Encoding::id).join(", ");
    Encoding::from_id(&id.to_ascii_lowercase()).ok_or_else(|| format!("there are {known}"))
}

fn delimiter(sign: &str) -> Result<u8, String> {
    match sign.as_bytes() {
        b"tab" | br"\t" => Ok(b'\t'),
        [sign] if sign.is_ascii() => Ok(*sign),
        _ => Err("it is one sign, or tab".to_owned()),
    }
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
    let target = Target::from_id(&call.to).ok_or_else(|| {
        let known: Vec<&str> = Schema::ALL.iter().map(Schema::id).collect();
        format!("{} is no form to convert to; there are csv, tsv, examples, {}", call.to, known.join(", "))
    })?;
    let mapping = call.prompt.clone().zip(call.completion.clone());
    let mapping = mapping.map(|(prompt, completion)| Mapping { prompt, completion, system: call.system.clone() });
    let ConvertCall { sheet, encoding, delimiter, .. } = call;
    let (sheet, encoding, delimiter) = (sheet.clone(), *encoding, *delimiter);
    let read = ReadOptions { mapping, sheet, encoding, delimiter, ..ReadOptions::default() };
    let folder = call.output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let told = Told::new("Converting");
    let unwritable = |error: std::io::Error| format!("{} cannot be written: {error}", call.output.display());
    let beside = NamedTempFile::new_in(folder).map_err(unwritable)?;
    let mut packed = Packed::new(beside, Compression::of_name(&call.output)).map_err(unwritable)?;
    let options = ConvertOptions::default();
    let conversion = convert(&call.file, &read, options, target, &mut packed, &mut |done, total| {
        told.progress(done, total);
        ControlFlow::Continue(())
    });
    told.end();
    let conversion = conversion.map_err(|error| match &error {
        ConvertError::Read(read) => in_words(&call.file, &error.to_string(), read.hint()),
        _ => in_words(&call.output, &error.to_string(), "Choose another form or place, or make room."),
    })?;
    let beside = packed.finish().map_err(unwritable)?;
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
