//! The training phase: a process of its own, and what it says line by line.
//!
//! The process is run as `PROGRAM ARGS… FOLDER`. Its standard input is a pipe that this process holds open, so it ends
//! at a checkpoint when this process dies, and also when the pipe is closed on purpose. What it says drives the metrics.
//!
//! Its standard output is a file of the job's folder, not a pipe: when both processes are killed at once, every step
//! that a checkpoint speaks of is in that file, so that no row of the metrics is ever missing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use whetstone_tuner::{Decay, Objective, RunEvent, RunSpec, Savings};

use super::data::{TRAINING_FILE, validation_file};
use super::engine::End;
use super::job::{Job, Losses};
use super::metrics::{Metrics, Row};
use super::place::Place;
use crate::WorkerCommand;
use crate::app::App;
use crate::runtime::models::Weights;
use crate::s3::store::ObjectStore;
use crate::stand_in::TrainingSettings;

/// What the trainer says, inside a job's folder.
const EVENTS_FILE: &str = "events.jsonl";
/// The trainer holds this file of the folder while it lives.
const LOCK_FILE: &str = "lock";
/// How often the metrics go to S3 while a job trains.
const FLUSH: Duration = Duration::from_secs(1);
/// How often the trainer keeps a checkpoint.
const CHECKPOINT_SECONDS: u32 = 20;
/// How long a trainer may take to keep its last checkpoint when the sandbox stops.
const LAST_CHECKPOINT: Duration = Duration::from_secs(10);
/// How often an earlier trainer is asked whether it has gone.
const GONE: Duration = Duration::from_millis(50);
/// How much of what a trainer writes to standard error is kept for a failure message.
const STDERR_BYTES: u64 = 16 * 1024;

/// Writes the run's settings into the job's folder.
pub(super) fn prepare(app: &App, job: &Job, settings: &TrainingSettings, folder: &Path) -> Result<(), String> {
    let weights = job.from_model.clone().map_or(Weights::Bundled, Weights::Custom);
    app.models().room_to_train(app.home(), &weights).map_err(|error| format!("Training could not begin: {error}."))?;
    let spec = RunSpec {
        model: job.from_model.as_ref().map(|id| app.home().model(id)),
        training: TRAINING_FILE.into(),
        validation: (0..job.asked.validation_uris.len()).map(validation_file).collect(),
        objective: if job.is_pretraining() { Objective::AllTokens } else { Objective::Completion },
        approach: settings.approach.clone(),
        epochs: settings.epochs,
        batch_size: settings.batch_size,
        learning_rate: settings.learning_rate,
        decay: Decay::Cosine,
        warmup_steps: settings.warmup_steps,
        seed: settings.seed,
        threads: app.threads(),
        savings: Savings::default(),
        validate_every: None,
        early_stopping: settings.early_stopping.filter(|_| !job.asked.validation_uris.is_empty()),
        checkpoint_every_seconds: CHECKPOINT_SECONDS,
    };
    spec.write(folder).map_err(|error| error.to_string())
}

/// Trains to the end, or to the end of patience: `stop` for this job, `stopping` for the sandbox.
pub(super) async fn train(app: &Arc<App>, job: &Job, folder: &Path, stop: &CancellationToken) -> Result<Losses, End> {
    earlier_one_gone(app, folder, stop).await?;
    let failed = |what: String| End::Failed(format!("The training process could not be followed: {what}."));
    let events = said(folder).map_err(|error| failed(error.to_string()))?;
    let mut log = Log::new(app, job, folder);
    let mut child = spawn(app.worker(), folder, events)?;
    let held_open = child.stdin.take();
    let complaints = child.stderr.take().map(collect).ok_or_else(|| failed("no standard error".to_owned()))?;
    let mut tick = interval(FLUSH);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(|error| failed(error.to_string()))?,
            _ = tick.tick() => log.catch_up().await?,
            () = stop.cancelled() => {
                end(&mut child).await;
                log.catch_up().await?;
                return Err(End::Stopped);
            }
            () = app.stopping().cancelled() => {
                // Without its input the trainer keeps a checkpoint and ends.
                drop(held_open);
                if timeout(LAST_CHECKPOINT, child.wait()).await.is_err() {
                    end(&mut child).await;
                }
                return Err(End::Interrupted);
            }
        }
    };
    log.catch_up().await?;
    match log.told() {
        (Some(losses), _) if status.success() => Ok(losses),
        (_, Some(message)) => Err(End::Failed(message)),
        _ => Err(End::Failed(unexplained(status, &complaints.await.unwrap_or_default()))),
    }
}

/// Waits for a trainer that an earlier sandbox left behind: it ends by itself at its next step.
async fn earlier_one_gone(app: &App, folder: &Path, stop: &CancellationToken) -> Result<(), End> {
    let path = folder.join(LOCK_FILE);
    let held = || File::open(&path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
    while held() {
        tokio::select! {
            () = tokio::time::sleep(GONE) => {}
            () = stop.cancelled() => return Err(End::Stopped),
            () = app.stopping().cancelled() => return Err(End::Interrupted),
        }
    }
    Ok(())
}

/// The file that the trainer's words are added to. A line that a kill cut off is ended first, so that it stands alone.
fn said(folder: &Path) -> io::Result<File> {
    let path = folder.join(EVENTS_FILE);
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

fn spawn(worker: &WorkerCommand, folder: &Path, events: File) -> Result<Child, End> {
    Command::new(&worker.program)
        .args(&worker.args)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(events)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            End::Failed(format!("The training process {} could not be started: {error}.", worker.program.display()))
        })
}

async fn end(child: &mut Child) {
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "a training process could not be ended");
    }
}

/// Reads standard error to its end, so that the process never waits on it, and keeps the beginning.
fn collect(from: ChildStderr) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut kept = Vec::new();
        let mut from = from.take(STDERR_BYTES);
        if from.read_to_end(&mut kept).await.is_ok() {
            tokio::io::copy(&mut from.into_inner(), &mut tokio::io::sink()).await.ok();
        }
        String::from_utf8_lossy(&kept).into_owned()
    })
}

fn unexplained(status: ExitStatus, complaints: &str) -> String {
    let last = complaints.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if last.is_empty() {
        format!("The training process ended early ({status}).")
    } else {
        format!("The training process ended early ({status}): {last}")
    }
}

/// What the trainer has said so far, and where it is written to.
struct Log {
    /// Away while a thread that may block works with it.
    notes: Option<Notes>,
    store: Arc<ObjectStore>,
    bucket: String,
    prefix: String,
}

impl Log {
    fn new(app: &App, job: &Job, folder: &Path) -> Self {
        let output = Place::of_output(job);
        Self {
            notes: Some(Notes {
                path: folder.join(EVENTS_FILE),
                metrics: Metrics::new(job.asked.validation_uris.len()),
                ..Notes::default()
            }),
            store: app.store().clone(),
            prefix: output.prefix(),
            bucket: output.bucket,
        }
    }

    /// Reads what is new and puts the metrics into S3.
    async fn catch_up(&mut self) -> Result<(), End> {
        let Some(mut notes) = self.notes.take() else { return Ok(()) };
        let (store, bucket, prefix) = (self.store.clone(), self.bucket.clone(), self.prefix.clone());
        let work = tokio::task::spawn_blocking(move || {
            let result = match notes.read_on() {
                Ok(()) => notes.metrics.flush(&store, &bucket, &prefix),
                Err(error) => Err(error.into()),
            };
            (notes, result)
        });
        let failed = |error: String| End::Failed(format!("The metrics could not be written to Amazon S3: {error}."));
        let (notes, result) = work.await.map_err(|failure| failed(failure.to_string()))?;
        self.notes = Some(notes);
        result.map_err(|error| failed(error.to_string()))
    }

    /// How the training ended: the losses, or why there are none.
    fn told(self) -> (Option<Losses>, Option<String>) {
        self.notes.map_or((None, None), |notes| (notes.losses, notes.failure))
    }
}

/// What was read of the events file.
#[derive(Default)]
struct Notes {
    path: PathBuf,
    read: u64,
    metrics: Metrics,
    losses: Option<Losses>,
    failure: Option<String>,
}

impl Notes {
    /// Hears every whole line since the last time.
    fn read_on(&mut self) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut new = Vec::new();
        file.read_to_end(&mut new)?;
        let whole = new.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.read += whole as u64;
        for line in new[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(event) => self.hear(event),
                Err(error) => tracing::warn!(%error, "the training process said something else"),
            }
        }
        Ok(())
    }

    fn hear(&mut self, event: RunEvent) {
        match event {
            // A new trainer speaks: what an earlier one said of its end does not count.
            RunEvent::Started { resumed_from, total_steps, .. } => {
                self.metrics.start_at(resumed_from.unwrap_or(0), total_steps);
                self.failure = None;
            }
            RunEvent::Step { step, epoch, loss, .. } => self.metrics.step(Row(step, epoch, loss)),
            RunEvent::Validation { set, step, epoch, loss } => self.metrics.validation(set, Row(step, epoch, loss)),
            RunEvent::Checkpoint { .. } => {}
            RunEvent::Finished { steps, training_loss, validation_losses } => {
                self.metrics.ended_after(steps);
                self.losses = Some(Losses { training: training_loss, validation: validation_losses });
            }
            RunEvent::Failed { message } => self.failure = Some(message),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_a_kill_cut_off_does_not_spoil_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut notes = Notes { path: folder.path().join(EVENTS_FILE), ..Notes::default() };
        let checkpoint = r#"{"event":"checkpoint","step":3}"#;
        write!(said(folder.path()).unwrap(), "{checkpoint}\n{{\"event\":\"ste").unwrap();
        notes.read_on().unwrap();
        let finished = r#"{"event":"finished","steps":1,"training_loss":0.5,"validation_losses":[]}"#;
        writeln!(said(folder.path()).unwrap(), "{finished}").unwrap();
        notes.read_on().unwrap();
        assert_eq!(notes.losses, Some(Losses { training: 0.5, validation: Vec::new() }));
    }
}
