//! Answers what another implementation is compared on, as JSON: `agreement compare TASK.json` for logits, gradients,
//! a curve and greedy tokens, `agreement train DIR` for a whole run, `agreement peak THREADS` for what matrix products reach
//! at most. `scripts/bench tuner` asks.

use std::error::Error;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Deserialize;
use whetstone_tuner::{LanguageModel, Role, Turn, comparison, run_worker};

/// What is asked of one model.
#[derive(Deserialize)]
struct Task {
    model: PathBuf,
    /// For logits and gradients.
    #[serde(default)]
    sequences: Vec<Vec<u32>>,
    /// The sequences of each step.
    #[serde(default)]
    batches: Vec<Vec<Vec<u32>>>,
    #[serde(default)]
    rate: f64,
    #[serde(default = "one")]
    threads: usize,
    /// For greedy tokens.
    #[serde(default)]
    prompt: Vec<u32>,
    #[serde(default)]
    count: usize,
    /// What a user says, to be counted in tokens as the model's template lays it out.
    #[serde(default)]
    said: Option<String>,
}

fn one() -> usize {
    1
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["compare", task] => compare(Path::new(task)),
        ["train", dir] => {
            let mut events = Vec::new();
            run_worker(Path::new(dir), &mut events, || false)?;
            Ok(stdout().write_all(&events)?)
        }
        ["peak", threads] => {
            let flops = comparison::peak(threads.parse()?)?;
            Ok(writeln!(stdout(), "{}", serde_json::json!({ "flops": flops }))?)
        }
        _ => Err("usage: agreement compare TASK.json | agreement train DIR | agreement peak THREADS".into()),
    }
}

fn compare(task: &Path) -> Result<(), Box<dyn Error>> {
    let task: Task = serde_json::from_slice(&std::fs::read(task)?)?;
    let model = LanguageModel::load(&task.model)?;
    let mut found = serde_json::json!({});
    if !task.sequences.is_empty() {
        let examined = comparison::examine(&model, &task.sequences);
        found["loss"] = examined.loss.into();
        found["logits"] = serde_json::to_value(examined.logits)?;
        found["gradients"] = serde_json::to_value(examined.gradients)?;
    }
    if !task.batches.is_empty() {
        found["curve"] = comparison::curve(&model, &task.batches, task.rate, task.threads)?.into();
    }
    if !task.prompt.is_empty() {
        let started = Instant::now();
        found["greedy"] = comparison::greedy(&model, &task.prompt, task.count).into();
        found["greedy_seconds"] = started.elapsed().as_secs_f64().into();
    }
    if let Some(said) = task.said {
        found["prompt_tokens"] = model.count_tokens(&[Turn::new(Role::User, said)]).into();
    }
    Ok(writeln!(stdout(), "{found}")?)
}
