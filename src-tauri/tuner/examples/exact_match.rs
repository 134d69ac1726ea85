//! Tunes a model to answer the first column of a CSV with the second, then counts how often its
//! greedy answer to rows it has not seen is exactly right.
//!
//! ```text
//! cargo run --package whetstone-tuner --example exact_match -- TRAIN.csv TEST.csv --approach lora
//! ```
//!
//! Settings are to be chosen with `--choose`, which holds out a fifth of TRAIN.csv and never opens
//! TEST.csv; a figure on TEST.csv is then a figure for settings that have not seen it.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write, stderr, stdout};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use whetstone_tuner::{
    Approach, Decay, LanguageModel, LoraSettings, MODEL_FOLDER, Objective, Role, RunEvent, RunSpec, SampleOptions,
    Savings, Turn, run_worker,
};

/// Tunes on one CSV and counts exact answers on another.
#[derive(Parser)]
struct Arguments {
    /// Rows to learn: the prompt, then the completion, under a header.
    train: PathBuf,
    /// Rows to answer.
    test: PathBuf,
    /// Hold out a fifth of the rows to learn, and answer those instead of TEST.
    #[arg(long)]
    choose: bool,
    /// A model's folder; without it, the bundled model.
    #[arg(long)]
    model: Option<PathBuf>,
    /// `full` or `lora`.
    #[arg(long, default_value = "full")]
    approach: String,
    #[arg(long, default_value_t = 16)]
    rank: u32,
    /// The share of adapters' inputs that a step leaves out.
    #[arg(long, default_value_t = 0.0)]
    dropout: f64,
    /// Let the rate down along a line instead of a cosine.
    #[arg(long)]
    linear: bool,
    #[arg(long, default_value_t = 4)]
    epochs: u32,
    #[arg(long, default_value_t = 16)]
    batch_size: u32,
    #[arg(long, default_value_t = 1e-3)]
    learning_rate: f64,
    #[arg(long, default_value_t = 60)]
    warmup_steps: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Where the run's folder is made; it must not exist.
    #[arg(long, default_value = "exact-match-run")]
    run: PathBuf,
}

type Pairs = Vec<(String, String)>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut train = read(&arguments.train)?;
    let test = if arguments.choose {
        train.shuffle(&mut ChaCha8Rng::seed_from_u64(77));
        train.split_off(train.len() / 5 * 4)
    } else {
        read(&arguments.test)?
    };
    fs::create_dir(&arguments.run)?;
    tune(&arguments, &train)?;
    let model = LanguageModel::load(&arguments.run.join(MODEL_FOLDER))?;
    let start = Instant::now();
    let right = count_right(&model, &test)?;
    let share = 100.0 * right as f64 / test.len() as f64;
    let seconds = start.elapsed().as_secs_f64();
    writeln!(stdout(), "exact match {share:.2} % ({right} of {}), answered in {seconds:.0} s", test.len())?;
    Ok(())
}

fn read(path: &Path) -> Result<Pairs, csv::Error> {
    csv::Reader::from_path(path)?.deserialize().collect()
}

fn conversation((prompt, completion): &(String, String)) -> [Turn; 2] {
    [Turn::new(Role::User, prompt), Turn::new(Role::Assistant, completion)]
}

fn tune(arguments: &Arguments, train: &Pairs) -> Result<(), Box<dyn Error>> {
    let dir = &arguments.run;
    let mut file = BufWriter::new(File::create(dir.join("train.jsonl"))?);
    for pair in train {
        serde_json::to_writer(&mut file, &serde_json::json!({ "turns": conversation(pair) }))?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    let approach = match arguments.approach.as_str() {
        "full" => Approach::Full,
        "lora" => Approach::Lora(LoraSettings { dropout: arguments.dropout, ..LoraSettings::of_rank(arguments.rank) }),
        other => return Err(format!("--approach {other}: full or lora").into()),
    };
    let model = arguments.model.as_ref().map(fs::canonicalize).transpose()?;
    let spec = RunSpec {
        model,
        training: PathBuf::from("train.jsonl"),
        validation: Vec::new(),
        objective: Objective::Completion,
        approach,
        epochs: arguments.epochs,
        batch_size: arguments.batch_size,
        learning_rate: arguments.learning_rate,
        decay: if arguments.linear { Decay::Linear } else { Decay::Cosine },
        warmup_steps: arguments.warmup_steps,
        seed: arguments.seed,
        threads: arguments.threads,
        savings: Savings::default(),
        validate_every: None,
        early_stopping: None,
        checkpoint_every_seconds: 3600,
    };
    spec.write(dir)?;
    let start = Instant::now();
    let mut lines = Vec::new();
    run_worker(dir, &mut lines, || false)?;
    let seconds = start.elapsed().as_secs_f64();
    let events: Result<Vec<RunEvent>, _> =
        lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(serde_json::from_slice).collect();
    for event in events? {
        if !matches!(event, RunEvent::Step { step, .. } if step % 250 != 0) {
            writeln!(stderr(), "{event:?}")?;
        }
    }
    writeln!(stderr(), "tuned in {seconds:.0} s")?;
    Ok(())
}

fn count_right(model: &LanguageModel, test: &Pairs) -> Result<usize, Box<dyn Error>> {
    let options = SampleOptions { max_tokens: 48, temperature: 0.0, ..SampleOptions::default() };
    let answers: Result<Vec<bool>, _> = test
        .par_iter()
        .map(|pair| {
            let [question, expected] = conversation(pair);
            let answer = model.generate(&[question], &options, &mut |_| ControlFlow::Continue(()))?;
            Ok::<bool, whetstone_tuner::TunerError>(answer.text == expected.text)
        })
        .collect();
    Ok(answers?.into_iter().filter(|right| *right).count())
}
