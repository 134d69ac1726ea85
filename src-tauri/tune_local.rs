//! `whetstone tune --local MODEL`: tunes a model on this computer, with no endpoint, no job and no app's data.
//!
//! The work is the training process's own, on a folder that the caller names: what is in it is what the sandbox keeps of
//! a job. The same command on the same folder goes on from its last checkpoint. Exit status: 0 the tuned model is there,
//! 1 the run failed or was stopped, 2 the call cannot be carried out.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::available_parallelism;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use whetstone_catalog::TINY_V1;
use whetstone_dataset::{Item, ReadOptions, RecordReader};
use whetstone_sandbox::turns;
use whetstone_tuner::{
    Approach, Decay, Forecast, LoraSettings, MODEL_FOLDER, Objective, RUN_FILE, RunEvent, RunSpec, Savings, WorkerEnd,
    run_worker,
};

use crate::command_line::USAGE;
use crate::tune::written;

const TRAINING_FILE: &str = "training.jsonl";
/// The bundled model's rates, as its card recommends them, and what is usual for models of any size.
const BUNDLED_RATES: Rates = Rates { full: 1e-3, lora: 3e-3 };
const USUAL_RATES: Rates = Rates { full: 2e-5, lora: 2e-4 };
const CHECKPOINT_SECONDS: u32 = 60;

struct Rates {
    full: f64,
    lora: f64,
}

#[derive(Args)]
pub struct LocalCall {
    /// Tune this model on this computer instead: a folder as Hugging Face lays it out, or whetstone.tiny-v1.
    #[arg(long, value_name = "MODEL", requires = "training", requires = "output")]
    pub local: Option<String>,
    /// The records to learn, in any form that the app reads.
    #[arg(long, value_name = "FILE", requires = "local")]
    training: Option<PathBuf>,
    /// Records to measure a validation loss on; may be given several times.
    #[arg(long, value_name = "FILE", requires = "local")]
    validation: Vec<PathBuf>,
    /// Where the run is kept, and in it the tuned model under “model”.
    #[arg(long, short, value_name = "DIR", requires = "local")]
    output: Option<PathBuf>,
    /// Train adapters of this rank instead of every weight.
    #[arg(long, value_name = "RANK", requires = "local")]
    lora: Option<u32>,
    /// What adapters add is scaled by this over the rank; twice the rank where it is left out.
    #[arg(long, value_name = "ALPHA", requires = "lora")]
    lora_alpha: Option<f64>,
    /// The share of adapters' inputs that a step leaves out.
    #[arg(long, value_name = "SHARE", requires = "lora", default_value_t = 0.0)]
    lora_dropout: f64,
    /// The modules that get adapters, such as q_proj,v_proj; all where it is left out.
    #[arg(long, value_name = "MODULES", requires = "lora", value_delimiter = ',')]
    lora_targets: Option<Vec<String>>,
    /// Learn every token of a record, not only the answers: continued pre-training.
    #[arg(long, requires = "local")]
    every_token: bool,
    #[arg(long, requires = "local", default_value_t = 3)]
    epochs: u32,
    /// Records a step.
    #[arg(long, requires = "local", default_value_t = 16)]
    batch_size: u32,
    /// The highest learning rate; what is usual for the model and the approach where it is left out.
    #[arg(long, value_name = "RATE", requires = "local")]
    learning_rate: Option<f64>,
    /// How the rate goes down after the warm-up.
    #[arg(long, requires = "local", default_value = "cosine")]
    decay: Course,
    #[arg(long, requires = "local", default_value_t = 60)]
    warmup_steps: u32,
    #[arg(long, requires = "local", default_value_t = 1)]
    seed: u64,
    /// Processor threads; as many as there are cores where it is left out.
    #[arg(long, requires = "local")]
    threads: Option<usize>,
    /// Take less memory and more time: the same losses.
    #[arg(long, requires = "local")]
    gradient_checkpointing: bool,
    /// Take less memory: the optimizer's averages as bfloat16.
    #[arg(long, requires = "local")]
    half_averages: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Course {
    Cosine,
    Linear,
}

/// Why a run did not come to its end, and with which exit status.
struct Ended(u8, String);

pub fn run(call: &LocalCall, as_json: bool) -> ExitCode {
    match tune(call, as_json) {
        Ok(code) => code,
        Err(Ended(status, message)) => {
            eprintln!("whetstone: {message}");
            ExitCode::from(status)
        }
    }
}

fn tune(call: &LocalCall, as_json: bool) -> Result<ExitCode, Ended> {
    let wrong = |message: String| Ended(USAGE, message);
    let (Some(model), Some(training), Some(output)) = (&call.local, &call.training, &call.output) else {
        return Err(wrong("--local takes a model, --training and --output".to_owned()));
    };
    fs::create_dir_all(output).map_err(|error| wrong(format!("{} cannot be made: {error}", output.display())))?;
    let spec = spec(call, model).map_err(wrong)?;
    let names = [&spec.training].into_iter().chain(&spec.validation);
    let files = [training].into_iter().chain(&call.validation).map(|file| gather(file));
    let files = names.map(|name| output.join(name)).zip(files).map(|(path, lines)| Ok((path, lines?)));
    let files: Vec<(PathBuf, Vec<u8>)> = files.collect::<Result<_, String>>().map_err(wrong)?;
    if output.join(RUN_FILE).exists() {
        let as_before = files.iter().all(|(path, lines)| fs::read(path).is_ok_and(|before| before == *lines));
        if !as_before || RunSpec::read(output).ok().as_ref() != Some(&spec) {
            let why = format!("{} holds another run; choose another folder", output.display());
            return Err(wrong(why));
        }
    }
    for (path, lines) in &files {
        let unwritable = |error: std::io::Error| wrong(format!("{} cannot be written: {error}", path.display()));
        fs::write(path, lines).map_err(unwritable)?;
    }
    spec.write(output).map_err(|error| wrong(error.to_string()))?;
    let forecast = spec.forecast(output).map_err(|error| Ended(1, error.to_string()))?;
    eprintln!("It takes about {} MB of memory.", forecast.total() >> 20);
    let mut progress = Progress::new(spec.epochs);
    let stopped = interrupted();
    let ended = run_worker(output, &mut progress, || stopped.load(Ordering::Relaxed));
    progress.end();
    match ended {
        Ok(WorkerEnd::Finished) => Ok(report(output, &progress, &forecast, as_json)),
        Ok(WorkerEnd::ParentGone) => {
            let why = format!("stopped after step {}; the same command goes on from there", progress.step + 1);
            Err(Ended(1, why))
        }
        Err(error) => Err(Ended(1, error.to_string())),
    }
}

fn spec(call: &LocalCall, model: &str) -> Result<RunSpec, String> {
    let bundled = model == TINY_V1;
    let folder = Path::new(model);
    let folder = || folder.canonicalize().map_err(|error| format!("{model} is no model's folder: {error}"));
    let rates = if bundled { BUNDLED_RATES } else { USUAL_RATES };
    let (approach, usual) = match call.lora {
        None => (Approach::Full, rates.full),
        Some(rank) => {
            let LocalCall { lora_alpha: alpha, lora_dropout: dropout, lora_targets: targets, .. } = call;
            let (alpha, dropout, targets) = (*alpha, *dropout, targets.clone());
            (Approach::Lora(LoraSettings { rank, alpha, dropout, targets }), rates.lora)
        }
    };
    Ok(RunSpec {
        model: if bundled { None } else { Some(folder()?) },
        training: TRAINING_FILE.into(),
        validation: (0..call.validation.len()).map(|index| format!("validation-{index}.jsonl").into()).collect(),
        objective: if call.every_token { Objective::AllTokens } else { Objective::Completion },
        approach,
        epochs: call.epochs,
        batch_size: call.batch_size,
        learning_rate: call.learning_rate.unwrap_or(usual),
        decay: match call.decay {
            Course::Cosine => Decay::Cosine,
            Course::Linear => Decay::Linear,
        },
        warmup_steps: call.warmup_steps,
        seed: call.seed,
        threads: call.threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from)),
        savings: Savings {
            gradient_checkpointing: call.gradient_checkpointing,
            half_averages: call.half_averages,
            ..Savings::default()
        },
        validate_every: None,
        early_stopping: None,
        checkpoint_every_seconds: CHECKPOINT_SECONDS,
    })
}

/// A file's records in the form that training reads.
fn gather(from: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("{}: {error}", from.display());
    let mut reader = RecordReader::open(from, &ReadOptions::default()).map_err(|error| unreadable(&error))?;
    let mut lines = Vec::new();
    while let Some(item) = reader.next_item().map_err(|error| unreadable(&error))? {
        match item {
            Item::Record(sourced) => {
                lines.extend(json!({ "turns": turns(&sourced.record) }).to_string().into_bytes());
                lines.push(b'\n');
            }
            Item::Problem(problem) => return Err(unreadable(&format!("line {}: {}", problem.line, problem.message))),
        }
    }
    Ok(lines)
}

/// Whether the person has pressed Ctrl+C, after which the run keeps a checkpoint and ends.
fn interrupted() -> Arc<AtomicBool> {
    let pressed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&pressed);
    let (listening, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let ended = runtime.block_on(async {
            let mut key = pin!(tokio::signal::ctrl_c());
            // From its first poll on, the key no longer ends the program.
            let at_once = tokio::select! {
                biased;
                ended = &mut key => Some(ended),
                () = std::future::ready(()) => None,
            };
            // Nobody waits for it where the program is about to end.
            let _ = listening.send(());
            match at_once {
                Some(ended) => ended,
                None => key.await,
            }
        });
        seen.store(ended.is_ok(), Ordering::Relaxed);
    });
    // Where the key cannot be listened to, it ends the program as always.
    let _ = heard.recv();
    pressed
}

/// Hears the run's events, line by line, and shows how far it is: a line that is written over on a terminal, a line an
/// epoch elsewhere.
struct Progress {
    unread: Vec<u8>,
    terminal: bool,
    epochs: u32,
    told: Option<u32>,
    total: u64,
    step: u64,
    started: Value,
    finished: Value,
}

impl Progress {
    fn new(epochs: u32) -> Progress {
        Progress {
            unread: Vec::new(),
            terminal: std::io::stderr().is_terminal(),
            epochs,
            told: None,
            total: 0,
            step: 0,
            started: Value::Null,
            finished: Value::Null,
        }
    }

    fn hear(&mut self, line: &[u8]) {
        let Ok(event) = serde_json::from_slice::<RunEvent>(line) else { return };
        let whole = || serde_json::from_slice(line).unwrap_or_default();
        match event {
            RunEvent::Started { total_steps, records, resumed_from, .. } => {
                (self.total, self.started) = (total_steps, whole());
                let from = resumed_from.map_or_else(String::new, |step| format!(", going on from step {step}"));
                eprintln!("{records} records, {total_steps} steps{from}");
            }
            RunEvent::Step { step, epoch, loss, tokens_per_second, .. } => {
                self.step = step;
                if self.terminal {
                    let total = self.total;
                    eprint!("\r\x1b[Kstep {} of {total}, loss {loss:.3}, {tokens_per_second:.0} tokens/s", step + 1);
                } else if self.told != Some(epoch) {
                    self.told = Some(epoch);
                    eprintln!("epoch {} of {}, loss {loss:.3}", epoch + 1, self.epochs);
                }
            }
            RunEvent::Validation { set, loss, .. } => {
                let line = if self.terminal { "\n" } else { "" };
                eprintln!("{line}validation loss of set {}: {loss:.4}", set + 1);
            }
            RunEvent::Finished { .. } => self.finished = whole(),
            RunEvent::Checkpoint { .. } | RunEvent::Failed { .. } => {}
        }
    }

    fn end(&self) {
        if self.terminal {
            eprintln!();
        }
    }
}

impl Write for Progress {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.unread.extend_from_slice(bytes);
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            self.hear(&line);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn report(output: &Path, progress: &Progress, forecast: &Forecast, as_json: bool) -> ExitCode {
    let model = output.join(MODEL_FOLDER);
    let adapter = model.join("adapter");
    let (started, finished) = (&progress.started, &progress.finished);
    if as_json {
        let found = json!({
            "model": model.display().to_string(),
            "adapter": adapter.is_dir().then(|| adapter.display().to_string()),
            "records": started["records"],
            "shortened_records": started["shortened_records"],
            "steps": finished["steps"],
            "training_loss": finished["training_loss"],
            "validation_losses": finished["validation_losses"],
            "memory_forecast": forecast.total(),
        });
        return written(&format!("{found}\n"));
    }
    let loss = |value: &Value| value.as_f64().map_or_else(|| "unknown".to_owned(), |loss| format!("{loss:.4}"));
    written(&format!("{}\ntraining loss {}\n", model.display(), loss(&finished["training_loss"])))
}
