//! `whetstone evaluate`: metrics over recorded answers, or models asked the records of a dataset, for scripts and
//! continuous integration.
//!
//! Exit status: 0 done, 1 a threshold was missed or something stood in the way, 2 the call or the file cannot be read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use whetstone_contract::{
    Api, AppError, ErrorCode, Evaluation, EvaluationFile, EvaluationId, EvaluationState, EvaluationSummary, Nothing,
    Outcome,
};
use whetstone_evaluation::{CONFIDENCE, Estimate, Metric, estimate};
use whetstone_workbench::Workbench;

use crate::command_line::{USAGE, print};
use crate::tune;

/// A look at the app's own record, which costs nothing.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Args)]
pub struct EvaluateCall {
    /// An evaluation recipe (TOML): which records are put to which models.
    #[arg(conflicts_with = "pairs", required_unless_present = "pairs")]
    recipe: Option<PathBuf>,
    /// Recorded answers: JSON Lines, {"reference": …, "prediction": …} each.
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
    /// Where the app keeps its data.
    #[arg(long, env = "WHETSTONE_HOME", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Write the report there: .html, .csv or .json; people's votes as preference pairs: .jsonl. May be given several times.
    #[arg(long, value_name = "FILE", conflicts_with = "pairs")]
    report: Vec<PathBuf>,
    /// End with status 1 unless the verdict is that the last model is better than the first.
    #[arg(long, conflicts_with = "pairs")]
    must_help: bool,
    /// Metrics by name, separated by commas, or all.
    #[arg(long, default_value = "all")]
    metrics: Metrics,
    /// End with status 1 where a metric is below a value, of the last model where a recipe is run. May be given several
    /// times.
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
    match (&call.pairs, &call.recipe) {
        (Some(pairs), _) => measure_pairs(call, pairs),
        (None, Some(recipe)) => tune::ended(run_recipe(call, recipe)),
        // The parser asks for one of them.
        (None, None) => ExitCode::from(USAGE),
    }
}

async fn run_recipe(call: &EvaluateCall, recipe: &Path) -> Result<ExitCode, AppError> {
    let workbench = tune::open(call.data.clone()).await?;
    let draft = workbench.evaluation_recipe(recipe).await?;
    let plan = workbench.plan_evaluation(draft.clone()).await?;
    eprintln!(
        "{}: {} prompts, {} answered already, {}",
        draft.name,
        plan.prompts,
        plan.answered,
        plan.cost.headline.to_lowercase()
    );
    for note in plan.cost.notes.iter().chain(&plan.warnings) {
        eprintln!("  {note}");
    }
    let begun = workbench.start_evaluation(draft).await?;
    let ended = follow(&workbench, &begun.id).await?;
    if let Some(error) = ended.error {
        return Err(error);
    }
    let found = workbench.evaluation(EvaluationId { evaluation: begun.id.clone() }).await?;
    for path in &call.report {
        let what = match path.extension().and_then(|name| name.to_str()) {
            Some("csv") => EvaluationFile::Csv,
            Some("json") => EvaluationFile::Json,
            Some("jsonl") => EvaluationFile::Preferences,
            _ => EvaluationFile::Html,
        };
        workbench.report_to(&begun.id, what, path).await?;
    }
    judge(call, &found)
}

/// Shows how far it is, until it has ended.
async fn follow(workbench: &Workbench, id: &str) -> Result<EvaluationSummary, AppError> {
    let terminal = std::io::stderr().is_terminal();
    loop {
        let all = workbench.evaluations(Nothing {}).await?;
        let gone = || AppError::new(ErrorCode::NotFound, "The evaluation is gone.");
        let one = all.into_iter().find(|one| one.id == id).ok_or_else(gone)?;
        if terminal {
            eprint!("\r\x1b[K{} of {} answers", one.answered, one.prompts);
        }
        if one.state != EvaluationState::Running {
            if terminal {
                eprintln!();
            }
            return Ok(one);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn judge(call: &EvaluateCall, found: &Evaluation) -> Result<ExitCode, AppError> {
    let text = if call.json {
        let value = serde_json::to_string(found);
        value.map_err(|error| AppError::new(ErrorCode::Bug, error.to_string()))? + "\n"
    } else {
        let mut text = String::new();
        for verdict in &found.verdicts {
            text += &format!("{}. {}\n", verdict.heading, verdict.words);
        }
        if let Some(judged) = &found.judged {
            text += &format!(
                "Judge: {} of {} verdicts could be read.\n",
                judged.answered - judged.unreadable,
                judged.asked
            );
            for one in &judged.comparisons {
                text += &format!("Judge: {}\n", one.win_rate.words);
            }
        }
        text
    };
    let value = |metric: Metric| {
        let row = found.metrics.iter().find(|row| row.id == metric.id())?;
        Some(row.cells.last()?.as_ref()?.value)
    };
    let mut missed = false;
    for threshold in &call.at_least {
        if value(threshold.metric).is_none_or(|value| value < threshold.least) {
            eprintln!(
                "whetstone: {} is below {}, or does not fit these records",
                threshold.metric.id(),
                threshold.least
            );
            missed = true;
        }
    }
    if call.must_help && found.verdicts.last().is_none_or(|verdict| verdict.outcome != Outcome::Better) {
        eprintln!("whetstone: it is not shown to be better");
        missed = true;
    }
    let printed = tune::written(&text);
    Ok(if missed { ExitCode::FAILURE } else { printed })
}

fn measure_pairs(call: &EvaluateCall, path: &Path) -> ExitCode {
    let pairs = match read_pairs(path) {
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
