//! The training process: takes a run's folder for itself, trains, tells what happens as JSON lines,
//! and leaves the tuned model in the folder.
//!
//! The folder's `lock` keeps a second worker out for as long as this process lives, however it ends.
//! Deliberately absent: starting the process, and deciding what becomes of a run that failed.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, CHECKPOINT_FILE};
use crate::files;
use crate::optimizer::{AdamW, RateCourse};
use crate::parameters::Parameters;
use crate::records::Records;
use crate::run::MODEL_FOLDER;
use crate::trainer::{Measured, Trainer};
use crate::training::{self, End, Learner, Position, Progress, Schedule, Wish};
use crate::{Approach, Decay, LanguageModel, RunEvent, RunSpec, TunerError, adapter};

const LOCK_FILE: &str = "lock";
/// The result beside the weights, so that a worker started once more can tell it again.
const RESULT_FILE: &str = "training.json";

/// The optimizer's constants for tuning.
pub(crate) const TUNING: AdamW = AdamW { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 0.01, clip: 1.0 };

/// How a worker ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerEnd {
    /// The tuned model is in the run's folder.
    Finished,
    /// The parent was gone; a checkpoint is in the run's folder.
    ParentGone,
}

/// Runs as the process `PROGRAM train-worker DIR`: events to standard output, at low priority, until
/// the run is over or standard input ends. The exit code is 0 for a finished run, 3 for one that was
/// left at a checkpoint, 1 for one that failed (which a last event explains).
pub fn worker_process(dir: &Path) -> ExitCode {
    // A window, or an answer being sampled, should never wait for training. Where the system says no,
    // training goes on at the usual priority.
    #[cfg(unix)]
    let _ = rustix::process::nice(10);
    match run_worker(dir, &mut std::io::stdout().lock(), parent_watch()) {
        Ok(WorkerEnd::Finished) => ExitCode::SUCCESS,
        Ok(WorkerEnd::ParentGone) => ExitCode::from(3),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Trains the run in `dir`, going on from its checkpoint if there is one, and writes events to
/// `events`, one JSON object a line, each flushed. `parent_gone` is asked after every step.
///
/// # Errors
/// Whatever ended the run early; it has been told as [`RunEvent::Failed`], except for
/// [`TunerError::Busy`] (the run is well, with its other worker) and [`TunerError::Events`].
pub fn run_worker(dir: &Path, events: &mut dyn Write, parent_gone: impl Fn() -> bool) -> Result<WorkerEnd, TunerError> {
    let _lock = lock(dir)?;
    let mut teller = Teller { events };
    let result = train(dir, &mut teller, &parent_gone);
    if let Err(error) = &result
        && !matches!(error, TunerError::Events(_))
    {
        teller.tell(&RunEvent::Failed { message: error.to_string() })?;
    }
    result
}

/// A question that is answered with yes once standard input has ended: the parent holds its other
/// end, so it ends when the parent dies, and the parent can also close it on purpose.
fn parent_watch() -> impl Fn() -> bool {
    let gone = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&gone);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut buffer = [0; 256];
        while !matches!(input.read(&mut buffer), Ok(0) | Err(_)) {}
        seen.store(true, Ordering::Relaxed);
    });
    move || gone.load(Ordering::Relaxed)
}

fn lock(dir: &Path) -> Result<File, TunerError> {
    let path = dir.join(LOCK_FILE);
    let file = File::create(&path).map_err(TunerError::file("could not open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(TunerError::Busy(dir.to_path_buf())),
        Err(TryLockError::Error(error)) => Err(TunerError::file("could not lock", &path)(error)),
    }
}

/// What a finished run found.
#[derive(Serialize, Deserialize)]
struct Outcome {
    /// Steps that the run was to take, and those that it took.
    steps: u64,
    taken: u64,
    records: u64,
    tokens_per_epoch: u64,
    shortened_records: u64,
    training_loss: f64,
    validation_losses: Vec<f64>,
}

fn train(dir: &Path, teller: &mut Teller<'_>, parent_gone: &dyn Fn() -> bool) -> Result<WorkerEnd, TunerError> {
    if let Some(outcome) = finished(dir)? {
        teller.started(&outcome, Some(outcome.taken))?;
        teller.finished(&outcome)?;
        return Ok(WorkerEnd::Finished);
    }
    let spec = RunSpec::read(dir)?;
    check(&spec)?;
    let mut model = spec.load_model(dir)?;
    let data = Data::read(dir, &spec, &model)?;
    let schedule = schedule(&spec, data.training.all.len());
    let mut outcome = Outcome {
        steps: schedule.course.total_steps,
        taken: 0,
        records: data.training.all.len() as u64,
        tokens_per_epoch: data.training.tokens(),
        shortened_records: data.training.shortened,
        training_loss: 0.0,
        validation_losses: Vec::new(),
    };
    let parameters = parameters(&spec, &mut model)?;
    let mut apprentice = Apprentice {
        dir,
        identity: identity(&spec, &outcome),
        trainer: Trainer::new(&model.network, parameters, TUNING, spec.savings, spec.threads)?,
        data: &data,
    };
    let resumed = apprentice.resume()?;
    teller.started(&outcome, resumed.as_ref().map(|position| position.step))?;
    let mut sink = Sink {
        teller,
        parent_gone,
        checkpoint_every: Duration::from_secs(u64::from(spec.checkpoint_every_seconds)),
        checkpointed: Instant::now(),
        stepped: Instant::now(),
    };
    let position = resumed.unwrap_or_default();
    let end = training::run(&schedule, position, &mut apprentice, &mut |progress| sink.hear(progress))?;
    let End::Done { steps, training_loss, validation_losses } = end else {
        return Ok(WorkerEnd::ParentGone);
    };
    outcome.taken = steps;
    outcome.training_loss = training_loss;
    outcome.validation_losses = validation_losses;
    let base = spec.model.as_ref().map_or("whetstone.tiny-v1".into(), |path| path.to_string_lossy());
    let adapter = adapter::encode(apprentice.trainer.parameters(), &model.network.layout, &base)?;
    let tuned = model.with_weights(apprentice.trainer.into_weights());
    leave_model(dir, &tuned, adapter.as_ref(), &outcome)?;
    teller.finished(&outcome)?;
    Ok(WorkerEnd::Finished)
}

impl RunSpec {
    pub(crate) fn load_model(&self, dir: &Path) -> Result<LanguageModel, TunerError> {
        match &self.model {
            Some(path) => LanguageModel::load(&dir.join(path)),
            None => LanguageModel::tiny_v1(),
        }
    }
}

pub(crate) fn check(spec: &RunSpec) -> Result<(), TunerError> {
    let refuse = |why: &str| Err(TunerError::Settings(why.to_string()));
    if spec.epochs == 0 || spec.batch_size == 0 || spec.threads == 0 {
        return refuse("epochs, batch size and threads must be at least 1");
    }
    if !spec.learning_rate.is_finite() || spec.learning_rate <= 0.0 {
        return refuse("the learning rate must be above 0");
    }
    if let Some(rule) = spec.early_stopping
        && (rule.patience == 0 || spec.validation.is_empty() || rule.threshold.is_nan() || rule.threshold < 0.0)
    {
        return refuse("early stopping takes validation data, a patience of at least 1 and no negative threshold");
    }
    if spec.savings.tokens_at_once == Some(0) {
        return refuse("a thread works on at least 1 token at a time");
    }
    if spec.validate_every == Some(0) {
        return refuse("validation cannot be measured every 0 steps");
    }
    Ok(())
}

/// Takes the weights out of the model: two copies of them would be one too many.
fn parameters(spec: &RunSpec, model: &mut LanguageModel) -> Result<Parameters, TunerError> {
    let weights = Arc::unwrap_or_clone(std::mem::take(&mut model.weights));
    let layout = &model.network.layout;
    match &spec.approach {
        Approach::Full => Ok(Parameters::full(weights, layout.clone())),
        Approach::Lora(settings) => Parameters::adapters(weights, layout, settings, spec.seed),
    }
}

fn schedule(spec: &RunSpec, records: usize) -> Schedule {
    let batch_size = spec.batch_size as usize;
    Schedule {
        records,
        batch_size,
        epochs: spec.epochs,
        seed: spec.seed,
        course: RateCourse {
            highest: spec.learning_rate,
            warmup_steps: u64::from(spec.warmup_steps),
            total_steps: Schedule::steps(records, batch_size, spec.epochs),
            decay: spec.decay,
            floor: match spec.decay {
                Decay::Cosine => 0.02,
                Decay::Linear => 0.0,
            },
        },
        validate_every: spec.validate_every.map(u64::from),
        early_stopping: spec.early_stopping,
    }
}

/// What must be the same for a checkpoint to fit: all that decides the losses.
fn identity(spec: &RunSpec, outcome: &Outcome) -> String {
    let RunSpec { objective, approach, epochs, batch_size, learning_rate, decay, warmup_steps, seed, .. } = spec;
    let (records, tokens) = (outcome.records, outcome.tokens_per_epoch);
    let early = spec.early_stopping.map_or_else(String::new, |rule| format!(" {rule:?}"));
    let half = if spec.savings.half_averages { " bfloat16" } else { "" };
    let at_once = spec.savings.rows_at_once();
    format!(
        "{objective:?} {approach:?} epochs {epochs} batch {batch_size} rate {learning_rate} {decay:?} \
         warm-up {warmup_steps} seed {seed} records {records} tokens {tokens}{early}{half} at once {at_once}"
    )
}

/// The records of a run.
pub(crate) struct Data {
    pub(crate) training: Records,
    pub(crate) validation: Vec<Records>,
}

impl Data {
    pub(crate) fn read(dir: &Path, spec: &RunSpec, model: &LanguageModel) -> Result<Data, TunerError> {
        let read = |path: &PathBuf| {
            let (tokenizer, context) = (&model.tokenizer, model.context_length());
            let records = Records::read(&dir.join(path), tokenizer, spec.objective, context)?;
            if records.all.is_empty() {
                let why = format!("{} holds no records", path.display());
                return Err(TunerError::Data(why));
            }
            Ok(records)
        };
        Ok(Data {
            training: read(&spec.training)?,
            validation: spec.validation.iter().map(read).collect::<Result<_, _>>()?,
        })
    }
}

/// Ties the loop to a trainer, the run's data and its folder.
struct Apprentice<'a> {
    dir: &'a Path,
    identity: String,
    trainer: Trainer<'a>,
    data: &'a Data,
}

impl Apprentice<'_> {
    fn resume(&mut self) -> Result<Option<Position>, TunerError> {
        let length = self.trainer.state().0.len();
        let found = checkpoint::read(self.dir, &self.identity, length)?;
        Ok(found.map(|checkpoint| {
            self.trainer.restore(&checkpoint.trainable, checkpoint.moments);
            checkpoint.position
        }))
    }
}

impl Learner for Apprentice<'_> {
    fn step(&mut self, records: &[u32], step: u64, rate: f64) -> Measured {
        let all = &self.data.training.all;
        let records: Vec<_> = records.iter().map(|index| &all[*index as usize]).collect();
        self.trainer.step(&records, step, rate)
    }

    fn validate(&mut self) -> Vec<f64> {
        let sets = &self.data.validation;
        sets.iter().map(|records| self.trainer.measure(&records.all).mean()).collect()
    }

    fn keep(&mut self, position: &Position) -> Result<(), TunerError> {
        let (trainable, moments) = self.trainer.state();
        checkpoint::write(self.dir, &self.identity, position, trainable, moments)
    }
}

/// Passes the loop's progress on as events, and decides when to keep a checkpoint.
struct Sink<'a, 'b> {
    teller: &'a mut Teller<'b>,
    parent_gone: &'a dyn Fn() -> bool,
    checkpoint_every: Duration,
    checkpointed: Instant,
    stepped: Instant,
}

impl Sink<'_, '_> {
    fn hear(&mut self, progress: Progress) -> Result<Wish, TunerError> {
        let stepped = matches!(progress, Progress::Step { .. });
        let event = match progress {
            Progress::Step { step, epoch, rate, loss, tokens } => RunEvent::Step {
                step,
                epoch,
                loss,
                learning_rate: rate,
                tokens,
                tokens_per_second: tokens as f64 / self.stepped.elapsed().as_secs_f64(),
            },
            Progress::Validation { set, step, epoch, loss } => RunEvent::Validation { set, step, epoch, loss },
            Progress::Checkpoint { step } => RunEvent::Checkpoint { step },
        };
        self.teller.tell(&event)?;
        self.stepped = Instant::now();
        if stepped && (self.parent_gone)() {
            return Ok(Wish::Stop);
        }
        if self.checkpointed.elapsed() >= self.checkpoint_every {
            self.checkpointed = self.stepped;
            return Ok(Wish::Checkpoint);
        }
        Ok(Wish::GoOn)
    }
}

/// Writes events.
struct Teller<'a> {
    events: &'a mut dyn Write,
}

impl Teller<'_> {
    fn tell(&mut self, event: &RunEvent) -> Result<(), TunerError> {
        let mut line = serde_json::to_vec(event).map_err(|error| TunerError::Events(error.into()))?;
        line.push(b'\n');
        self.events.write_all(&line).map_err(TunerError::Events)?;
        self.events.flush().map_err(TunerError::Events)
    }

    fn started(&mut self, outcome: &Outcome, resumed_from: Option<u64>) -> Result<(), TunerError> {
        self.tell(&RunEvent::Started {
            total_steps: outcome.steps,
            records: outcome.records,
            tokens_per_epoch: outcome.tokens_per_epoch,
            shortened_records: outcome.shortened_records,
            resumed_from,
        })
    }

    fn finished(&mut self, outcome: &Outcome) -> Result<(), TunerError> {
        self.tell(&RunEvent::Finished {
            steps: outcome.taken,
            training_loss: outcome.training_loss,
            validation_losses: outcome.validation_losses.clone(),
        })
    }
}

/// The outcome of a run whose model is already there.
fn finished(dir: &Path) -> Result<Option<Outcome>, TunerError> {
    let path = dir.join(MODEL_FOLDER).join(RESULT_FILE);
    match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TunerError::file("could not read", &path)(error)),
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| TunerError::Model(format!("{RESULT_FILE}: {error}"))),
    }
}

/// Writes the tuned model beside its place, then puts it there as a whole.
fn leave_model(
    dir: &Path,
    model: &LanguageModel,
    adapter: Option<&adapter::Saved>,
    outcome: &Outcome,
) -> Result<(), TunerError> {
    let place = dir.join(MODEL_FOLDER);
    let beside = place.with_extension("part");
    if beside.exists() {
        fs::remove_dir_all(&beside).map_err(TunerError::file("could not clear", &beside))?;
    }
    model.save(&beside)?;
    if let Some(adapter) = adapter {
        adapter.write(&beside.join(adapter::FOLDER))?;
    }
    let result = serde_json::to_vec_pretty(outcome).map_err(|error| TunerError::Model(error.to_string()))?;
    let path = beside.join(RESULT_FILE);
    files::write_synced(&path, &result).map_err(TunerError::file("could not write", &path))?;
    fs::rename(&beside, &place).map_err(TunerError::file("could not place", &place))?;
    files::sync_parent(&place).map_err(TunerError::file("could not place", &place))?;
    // The model stands; what the run kept to go on with is of no more use.
    let checkpoint = dir.join(CHECKPOINT_FILE);
    match fs::remove_file(&checkpoint) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(TunerError::file("could not remove", &checkpoint)(error))
        }
        _ => Ok(()),
    }
}
