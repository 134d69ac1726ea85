//! Records the loss curves that the over-fitting coach is held to: `scripts/record-curves`.
//!
//! Each run of the list is trained by the very worker that the sandbox starts, on records of the samples that ship with
//! the app, and leaves a CSV with a row a step: step, epoch, training loss, and the validation loss where it was
//! measured. A curve that is there already is left alone unless it is named. The same list on the same kind of machine
//! gives the same curves.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write, stderr};
use std::path::{Path, PathBuf};

use clap::Parser;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::json;
use whetstone_tuner::{Approach, Decay, LoraSettings, Objective, RunEvent, RunSpec, Savings, run_worker};

#[derive(Parser)]
struct Arguments {
    /// The list of runs (TOML).
    runs: PathBuf,
    /// The folder of the samples.
    samples: PathBuf,
    /// The folder that the curves are left in.
    curves: PathBuf,
    /// Only these, and anew.
    names: Vec<String>,
}

#[derive(Deserialize)]
struct List {
    runs: Vec<Run>,
}

/// What makes a curve. What the coach should say of it stands beside it in the list, and is no business of this program.
#[derive(Deserialize)]
struct Run {
    name: String,
    /// A sample's file without its ending.
    sample: String,
    training_records: usize,
    validation_records: usize,
    /// The training records are handed on this many times over.
    #[serde(default = "once")]
    repeated: usize,
    /// Each prompt is given the answer of another one, in training and validation alike: there is nothing to learn.
    #[serde(default)]
    answers_shuffled: bool,
    epochs: u32,
    batch_size: u32,
    learning_rate: f64,
    warmup_steps: u32,
    /// A rank trains adapters; without one every weight is trained.
    lora_rank: Option<u32>,
    seed: u64,
}

fn once() -> usize {
    1
}

#[derive(Deserialize)]
struct Pair {
    prompt: String,
    completion: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let list: List = toml::from_str(&fs::read_to_string(&arguments.runs)?)?;
    fs::create_dir_all(&arguments.curves)?;
    for run in list.runs {
        let curve = arguments.curves.join(format!("{}.csv", run.name));
        let named = arguments.names.contains(&run.name);
        if named || (arguments.names.is_empty() && !curve.exists()) {
            writeln!(stderr(), "{}", run.name)?;
            record(&run, &arguments.samples, &curve)?;
        }
    }
    Ok(())
}

fn record(run: &Run, samples: &Path, curve: &Path) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    write_records(run, samples, folder.path())?;
    let spec = RunSpec {
        model: None,
        training: "training.jsonl".into(),
        validation: vec!["validation.jsonl".into()],
        objective: Objective::Completion,
        approach: run.lora_rank.map_or(Approach::Full, |rank| Approach::Lora(LoraSettings::of_rank(rank))),
        epochs: run.epochs,
        batch_size: run.batch_size,
        learning_rate: run.learning_rate,
        decay: Decay::Cosine,
        warmup_steps: run.warmup_steps,
        seed: run.seed,
        threads: 1,
        savings: Savings::default(),
        validate_every: None,
        early_stopping: None,
        checkpoint_every_seconds: u32::MAX,
    };
    spec.write(folder.path())?;
    let mut events = Vec::new();
    // A run that ended badly (a loss that is no number) has told so, and its steps up to there are what is wanted.
    if let Err(error) = run_worker(folder.path(), &mut events, || false) {
        writeln!(stderr(), "  ended early: {error}")?;
    }
    let beside = curve.with_extension("part");
    write_curve(&events, &beside)?;
    Ok(fs::rename(beside, curve)?)
}

fn write_records(run: &Run, samples: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(samples.join(format!("{}.jsonl", run.sample)))?;
    let mut pairs: Vec<Pair> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut random = ChaCha8Rng::seed_from_u64(run.seed);
    pairs.shuffle(&mut random);
    if run.answers_shuffled {
        let mut answers: Vec<String> = pairs.iter().map(|pair| pair.completion.clone()).collect();
        answers.shuffle(&mut random);
        pairs.iter_mut().zip(answers).for_each(|(pair, answer)| pair.completion = answer);
    }
    let enough = run.validation_records + run.training_records <= pairs.len();
    if !enough {
        return Err(format!("{} wants more records than {} has", run.name, run.sample).into());
    }
    let (validation, rest) = pairs.split_at(run.validation_records);
    let training = &rest[..run.training_records];
    let repeated: Vec<&Pair> = (0..run.repeated).flat_map(|_| training).collect();
    write_file(&folder.join("training.jsonl"), repeated)?;
    write_file(&folder.join("validation.jsonl"), validation.iter().collect())
}

fn write_file(path: &Path, pairs: Vec<&Pair>) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(path)?);
    for Pair { prompt, completion } in pairs {
        let turns = json!([{ "role": "user", "text": prompt }, { "role": "assistant", "text": completion }]);
        writeln!(file, "{}", json!({ "turns": turns }))?;
    }
    Ok(file.flush()?)
}

fn write_curve(events: &[u8], path: &Path) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(path)?);
    write!(file, "step,epoch,training,validation")?;
    for line in events.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line)? {
            RunEvent::Step { step, epoch, loss, .. } => write!(file, "\n{step},{epoch},{loss:.4},")?,
            // It is told after the step that it was measured after, so it ends that step's row.
            RunEvent::Validation { loss, .. } => write!(file, "{loss:.4}")?,
            _ => {}
        }
    }
    writeln!(file)?;
    Ok(file.flush()?)
}
