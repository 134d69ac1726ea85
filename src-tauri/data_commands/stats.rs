//! What a file is made of, in numbers.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use whetstone_catalog::BaseModel;
use whetstone_dataset::{
    Item, Lengths, ReadError, ReadOptions, RecordReader, Statistics, StatisticsBuilder, TokenCounter, Watch,
};
use whetstone_tuner::LanguageModel;

use super::{Told, in_words, model};
use crate::command_line::{USAGE, print};

/// About how many bytes a record takes, to tell how many there may be before they are counted.
const BYTES_A_RECORD: u64 = 500;

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

pub fn print_statistics(call: &StatsCall) -> ExitCode {
    let numbers = model(&call.model).and_then(|model| statistics_of(&call.file, model));
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

/// The numbers of a file, with tokens as the base model has them.
pub fn statistics_of(file: &Path, model: &BaseModel) -> Result<Statistics, String> {
    let tokenizer = LanguageModel::tiny_v1().ok().filter(|_| model.local);
    let count = |text: &str| match &tokenizer {
        Some(tokenizer) => tokenizer.count_text_tokens(text) as u64,
        None => model.data.estimate_tokens(text.chars().count()),
    };
    let name = match &tokenizer {
        Some(_) => format!("{}'s own tokenizer", model.name),
        None => format!("estimate, {} characters a token", model.data.chars_per_token),
    };
    gather(file, &TokenCounter { name, count: &count })
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
