//! The training phase: a process of its own, and what it says line by line.
//!
//! The process is run as `PROGRAM ARGS… FOLDER`. Its standard input is a pipe that this process holds open, so it ends
//! at a checkpoint when this process dies, and also when the pipe is closed on purpose. What it says drives the metrics.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use whetstone_tuner::{Objective, RunEvent, RunSpec};

use super::data::{Place, TRAINING_FILE, VALIDATION_FILE};
use super::engine::End;
use super::job::{Job, Losses};
use super::metrics::{Metrics, Row};
use crate::WorkerCommand;
use crate::app::App;
use crate::s3::store::ObjectStore;
use crate::stand_in::TrainingSettings;

/// How often the metrics go to S3 while a job trains.
const FLUSH: Duration = Duration::from_secs(1);
/// How often the trainer keeps a checkpoint.
const CHECKPOINT_SECONDS: u32 = 20;
/// How long a trainer may take to keep its last checkpoint when the sandbox stops.
const LAST_CHECKPOINT: Duration = Duration::from_secs(10);
/// How much of what a trainer writes to standard error is kept for a failure message.
const STDERR_BYTES: u64 = 16 * 1024;

/// Writes the run's settings into the job's folder.
pub(super) fn prepare(app: &App, job: &Job, settings: &TrainingSettings, folder: &Path) -> Result<(), String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let spec = RunSpec {
        model: job.from_model.as_ref().map(|id| app.home().model(id)),
        training: TRAINING_FILE.into(),
        validation: job.asked.validation_uri.as_ref().map(|_| VALIDATION_FILE.into()),
        objective: Objective::Completion,
        approach: settings.approach,
        epochs: settings.epochs,
        batch_size: settings.batch_size,
        learning_rate: settings.learning_rate,
        warmup_steps: settings.warmup_steps,
        seed: settings.seed,
        threads,
        validate_every: None,
        checkpoint_every_seconds: CHECKPOINT_SECONDS,
    };
    spec.write(folder).map_err(|error| error.to_string())
}

/// Trains to the end, or to the end of patience: `stop` for this job, `stopping` for the sandbox.
pub(super) async fn train(app: &Arc<App>, job: &Job, folder: &Path, stop: &CancellationToken) -> Result<Losses, End> {
    let mut child = spawn(app.worker(), folder)?;
    let held_open = child.stdin.take();
    let mut log = Log::new(app, job, folder);
    let failed = |what: &str| End::Failed(format!("The training process could not be followed: {what}."));
    let complaints = child.stderr.take().map(collect).ok_or_else(|| failed("no standard error"))?;
    let mut lines = BufReader::new(child.stdout.take().ok_or_else(|| failed("no standard output"))?).lines();
    let mut tick = interval(FLUSH);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            line = lines.next_line() => match line {
                Ok(Some(line)) => log.hear(&line),
                Ok(None) => break,
                Err(error) => return Err(failed(&error.to_string())),
            },
            _ = tick.tick() => log.flush().await?,
            () = stop.cancelled() => {
                end(&mut child).await;
                log.flush().await?;
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
    }
    let status = child.wait().await.map_err(|error| failed(&error.to_string()))?;
    log.flush().await?;
    match (log.losses, log.failure) {
        (Some(losses), _) if status.success() => Ok(losses),
        (_, Some(message)) => Err(End::Failed(message)),
        _ => Err(End::Failed(unexplained(status, &complaints.await.unwrap_or_default()))),
    }
}

fn spawn(worker: &WorkerCommand, folder: &Path) -> Result<Child, End> {
    Command::new(&worker.program)
        .args(&worker.args)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
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
    // Away while a flush is on its way.
    metrics: Option<Metrics>,
    store: Arc<ObjectStore>,
    bucket: String,
    prefix: String,
    losses: Option<Losses>,
    failure: Option<String>,
}

impl Log {
    fn new(app: &App, job: &Job, folder: &Path) -> Self {
        let output = Place::of(&job.asked.output_uri);
        Self {
            metrics: Some(Metrics::open(folder)),
            store: app.store().clone(),
            prefix: format!("{}model-customization-job-{}/", output.prefix(), job.id),
            bucket: output.bucket,
            losses: None,
            failure: None,
        }
    }

    fn hear(&mut self, line: &str) {
        let event = match serde_json::from_str(line) {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, line, "the training process said something else");
                return;
            }
        };
        let Some(metrics) = &mut self.metrics else { return };
        match event {
            RunEvent::Started { resumed_from, .. } => metrics.start_at(resumed_from.unwrap_or(0)),
            RunEvent::Step { step, epoch, loss, .. } => metrics.step(Row(step, epoch, loss)),
            RunEvent::Validation { step, epoch, loss } => metrics.validation(Row(step, epoch, loss)),
            RunEvent::Checkpoint { .. } => {}
            RunEvent::Finished { training_loss, validation_loss, .. } => {
                self.losses = Some(Losses { training: training_loss, validation: validation_loss });
            }
            RunEvent::Failed { message } => self.failure = Some(message),
        }
    }

    async fn flush(&mut self) -> Result<(), End> {
        let Some(mut metrics) = self.metrics.take() else { return Ok(()) };
        let (store, bucket, prefix) = (self.store.clone(), self.bucket.clone(), self.prefix.clone());
        let flushed = tokio::task::spawn_blocking(move || {
            let result = metrics.flush(&store, &bucket, &prefix);
            (metrics, result)
        });
        match flushed.await {
            Ok((metrics, Ok(()))) => {
                self.metrics = Some(metrics);
                Ok(())
            }
            Ok((_, Err(error))) => Err(End::Failed(format!("The metrics could not be written to Amazon S3: {error}."))),
            Err(failure) => Err(End::Failed(format!("The metrics could not be written to Amazon S3: {failure}."))),
        }
    }
}
