//! `whetstone evaluate`: metrics over recorded answers, for scripts and continuous integration.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;
use serde::{Deserialize, Serialize};
use whetstone_evaluation::{CONFIDENCE, Estimate, Metric, estimate};

use crate::command_line::{USAGE, print};

#[derive(Args)]
pub struct EvaluateCall {
    /// Recorded answers: JSON Lines, {"reference": …, "prediction": …} each.
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// Metrics by name, separated by commas, or all.
    #[arg(long, default_value = "all")]
    metrics: Metrics,
    /// End with status 1 where a metric is below a value. May be given several times.
    #[arg(long, value_name = "METRIC=VALUE")]
    at_least: Vec<Threshold>,
    /// Decides which pairs are drawn for the intervals.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone)]
struct Metrics(Vec<Metric>);

impl FromStr for Metrics {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(Metric::ALL.to_vec()));
        }
        text.split(',').map(|id| id.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

#[derive(Clone)]
struct Threshold {
    metric: Metric,
    least: f64,
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (metric, least) = text.split_once('=').ok_or("write it as METRIC=VALUE, for example exact_match=0.8")?;
        let least = least.trim().parse().ok().filter(|least| (0.0..=1.0).contains(least));
        Ok(Self { metric: metric.trim().parse()?, least: least.ok_or("the value must lie between 0 and 1")? })
    }
}

#[derive(Deserialize)]
struct Pair {
    reference: String,
    prediction: String,
}

#[derive(Serialize)]
struct Answer {
    pairs: usize,
    confidence: f64,
    seed: u64,
    metrics: BTreeMap<&'static str, Estimate>,
}

pub fn run(call: &EvaluateCall) -> ExitCode {
    let pairs = match read_pairs(&call.pairs) {
        Ok(pairs) => pairs,
        Err(message) => {
            eprintln!("whetstone: {message}");
            return ExitCode::from(USAGE);
        }
    };
    let measure = |metric: Metric| Some((metric.id(), estimate(metric, &pairs, call.seed)?));
    let asked = call.metrics.0.iter().copied().chain(call.at_least.iter().map(|threshold| threshold.metric));
    let metrics: BTreeMap<_, _> = asked.filter_map(measure).collect();
    let missed: Vec<&Threshold> = call
        .at_least
        .iter()
        .filter(|threshold| metrics.get(threshold.metric.id()).is_none_or(|found| found.value < threshold.least))
        .collect();
    let answer = Answer { pairs: pairs.len(), confidence: CONFIDENCE, seed: call.seed, metrics };
    let text = if call.json {
        serde_json::to_string(&answer).map(|json| json + "\n").map_err(std::io::Error::from)
    } else {
        Ok(in_words(&answer))
    };
    let printed = text.and_then(|text| print(|out| out.write_all(text.as_bytes())));
    for threshold in &missed {
        eprintln!("whetstone: {} is below {}", threshold.metric.id(), threshold.least);
    }
    if printed.is_err() || !missed.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn in_words(answer: &Answer) -> String {
    let mut text = format!("{} pairs; intervals hold {:.0} %\n", answer.pairs, answer.confidence * 100.0);
    for (name, found) in &answer.metrics {
        text += &format!("  {name:<18} {:.4}  ({:.4} to {:.4})\n", found.value, found.low, found.high);
    }
    text
}

fn read_pairs(path: &Path) -> Result<Vec<(String, String)>, String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut pairs = Vec::new();
    for (number, line) in (1..).zip(file.lines()) {
        let line = line.map_err(|error| format!("{}, line {number}: {error}", path.display()))?;
        let pair: Pair = serde_json::from_str(&line).map_err(|error| {
            format!(
                "{}, line {number}: {error}; each line must be {{\"reference\": text, \"prediction\": text}}",
                path.display()
            )
        })?;
        pairs.push((pair.reference, pair.prediction));
    }
    if pairs.is_empty() {
        return Err(format!("{} holds no pair", path.display()));
    }
    Ok(pairs)
}
