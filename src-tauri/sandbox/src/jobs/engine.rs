//! A job's way: validation, data processing, training, and the custom model that comes of it.
//!
//! Each job is a task. What it has reached is in the state before the next thing begins, so a sandbox that was killed
//! takes every unfinished job up again where it was: a phase is done again from its beginning, training goes on from
//! the trainer's checkpoint. Two jobs train at once; the others wait with their training not started.
//! This module is the only one that changes a job after it was made, but for the request to stop it.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use whetstone_catalog::BaseModel;
use whetstone_tuner::MODEL_FOLDER;

use super::job::{Job, JobStatus, PhaseName, PhaseStatus};
use super::queue::{Queue, Standing};
use super::{data, distillation, place, training};
use crate::app::App;
use crate::custom_models::CustomModel;
use crate::foundation_models;
use crate::limits::TRAININGS;
use crate::stand_in::training_settings;
use crate::state::StateError;
use crate::tags;

/// How long the end of a job waits that could not be written down.
const WRITE_AGAIN: Duration = Duration::from_secs(5);

/// Why a job's way ended before it was completed.
#[derive(Debug)]
pub(super) enum End {
    Failed(String),
    Stopped,
    /// The sandbox stops. The job keeps its state.
    Interrupted,
}

impl From<StateError> for End {
    fn from(error: StateError) -> Self {
        Self::Failed(format!("The sandbox's records could not be used: {error}"))
    }
}

/// The jobs that are at work in this process.
pub(crate) struct RunningJobs {
    stops: Mutex<HashMap<String, CancellationToken>>,
    queue: Arc<Queue>,
}

impl RunningJobs {
    pub(crate) fn new() -> Self {
        Self { stops: Mutex::default(), queue: Queue::new(TRAININGS.value) }
    }

    /// Tells a job's task that the job is to stop.
    pub(crate) fn stop(&self, id: &str) {
        if let Some(stop) = self.stops().get(id) {
            stop.cancel();
        }
    }

    fn stops(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.stops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets a job on its way.
pub(crate) fn launch(app: &Arc<App>, job: &Job) {
    let stop = CancellationToken::new();
    app.jobs().stops().insert(job.id.clone(), stop.clone());
    // A job that is ready to train stands in the queue before any other task runs, so that after a restart the eldest
    // goes on first.
    let ready = job.data_processing.status == PhaseStatus::Completed;
    let place = ready.then(|| stand(app, job));
    let (app, id) = (app.clone(), job.id.clone());
    app.tasks().clone().spawn(async move {
        let result = drive(&app, &id, place, &stop).await;
        app.jobs().stops().remove(&id);
        if !matches!(result, Err(End::Interrupted)) {
            ended(&app, &id, result).await;
        }
    });
}

/// Writes down how a job ended, and removes its folder. On a full disk that folder is what the records lack the room
/// for, so the end is written again once it is gone, and again until there is room or the sandbox stops: then the job
/// is taken up from its beginning at the next start.
async fn ended(app: &App, id: &str, result: Result<(), End>) {
    let (status, failure) = match result {
        Ok(()) | Err(End::Interrupted) => return clear(app, id),
        Err(End::Stopped) => (JobStatus::Stopped, None),
        Err(End::Failed(message)) => (JobStatus::Failed, Some(message)),
    };
    let written = finish(app, id, status, failure.clone());
    clear(app, id);
    let mut written = written.or_else(|_| finish(app, id, status, failure.clone()));
    while let Err(error) = written {
        tracing::error!(%error, job = id, "a job's end could not be written down");
        tokio::select! {
            () = tokio::time::sleep(WRITE_AGAIN) => {}
            () = app.stopping().cancelled() => return,
        }
        written = finish(app, id, status, failure.clone());
    }
}

fn stand(app: &App, job: &Job) -> Standing {
    app.jobs().queue.stand((job.created, job.id.clone()))
}

/// Takes up what an earlier process left: jobs on their way go on, jobs being stopped are stopped.
pub(crate) fn resume(app: &Arc<App>) -> Result<(), StateError> {
    let jobs = app.state().all::<Job>()?;
    for job in jobs.iter().filter(|job| job.status == JobStatus::Stopping) {
        finish(app, &job.id, JobStatus::Stopped, None)?;
    }
    let unfinished: Vec<&Job> = jobs.iter().filter(|job| job.status == JobStatus::InProgress).collect();
    let models = app.state().all::<CustomModel>()?;
    let wanted: HashSet<&str> = models
        .iter()
        .map(|model| model.id.as_str())
        .chain(unfinished.iter().flat_map(|job| [job.id.as_str(), job.model_id.as_str()]))
        .collect();
    for folder in ["jobs", "models"] {
        sweep(&app.home().path(folder), &wanted);
    }
    for job in unfinished {
        launch(app, job);
    }
    Ok(())
}

/// Removes working folders that nothing in the state speaks of any more.
fn sweep(folder: &Path, wanted: &HashSet<&str>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let known = entry.file_name().to_str().is_some_and(|name| wanted.contains(name));
        if !known && let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, folder = %entry.path().display(), "a left-over folder could not be removed");
        }
    }
}

async fn drive(app: &Arc<App>, id: &str, place: Option<Standing>, stop: &CancellationToken) -> Result<(), End> {
    let job = app.state().get::<Job>(id)?.ok_or_else(|| End::Failed("The job is not in the records.".to_owned()))?;
    let model = foundation_models::find(&job.base)
        .ok_or_else(|| End::Failed(format!("The base model {} is not known any more.", job.base)))?;
    let folder = app.home().job(id);
    if job.validation.status != PhaseStatus::Completed {
        enter(app, id, PhaseName::Validation)?;
        blocking(app, &job, place::validate).await?;
        leave(app, id, PhaseName::Validation)?;
    }
    if job.data_processing.status != PhaseStatus::Completed || !folder.join(data::TRAINING_FILE).exists() {
        enter(app, id, PhaseName::DataProcessing)?;
        if job.asked.teacher.is_some() {
            distillation::process(app, &job, model, &folder, stop).await?;
        } else {
            let folder = folder.clone();
            blocking(app, &job, move |app, job| data::process(app, job, model, &folder)).await?;
        }
        leave(app, id, PhaseName::DataProcessing)?;
    }
    if job.losses.is_none() {
        let place = place.unwrap_or_else(|| stand(app, &job));
        train(app, &job, model, &folder, place, stop).await?;
    }
    publish(app, job).await
}

async fn train(
    app: &Arc<App>,
    job: &Job,
    model: &'static BaseModel,
    folder: &Path,
    mut place: Standing,
    stop: &CancellationToken,
) -> Result<(), End> {
    tokio::select! {
        () = place.turn() => {}
        () = stop.cancelled() => return Err(End::Stopped),
        () = app.stopping().cancelled() => return Err(End::Interrupted),
    }
    enter(app, &job.id, PhaseName::Training)?;
    let settings = training_settings(model, &job.asked.hyperparameters, job.asked.approach.clone());
    let to = folder.to_owned();
    blocking(app, job, move |app, job| training::prepare(app, job, &settings, &to)).await?;
    let losses = training::train(app, job, folder, stop).await?;
    app.state().update::<Job, _>(&job.id, |job| job.losses = Some(losses))?;
    Ok(())
}

/// Moves the weights to their place and completes the job. Done again after a crash, it finds what is done already.
async fn publish(app: &Arc<App>, job: Job) -> Result<(), End> {
    blocking(app, &job, |app, job| {
        let (from, to) = (app.home().job(&job.id).join(MODEL_FOLDER), app.home().model(&job.model_id));
        let place = || -> std::io::Result<()> {
            std::fs::create_dir_all(app.home().path("models"))?;
            if to.exists() { Ok(()) } else { std::fs::rename(from, to) }
        };
        place().map_err(|error| format!("The tuned model could not be kept: {error}."))
    })
    .await?;
    let now = app.clock().millis();
    app.state().change(|change| {
        let mut job = change.get::<Job>(&job.id)?.ok_or(End::Stopped)?;
        if job.status != JobStatus::InProgress {
            return Err(End::Stopped);
        }
        job.end(JobStatus::Completed, None, now);
        change.insert(&CustomModel::of(&job, now))?;
        tags::attach(change, &job.region, &job.model_arn, &job.asked.model_tags)
            .map_err(|error| End::Failed(error.message))?;
        change.put(&job)?;
        Ok(())
    })
}

/// Begins a phase, unless the job was told to stop in the meantime.
fn enter(app: &App, id: &str, phase: PhaseName) -> Result<(), End> {
    let now = app.clock().millis();
    let entered = app.state().update::<Job, _>(id, |job| {
        let goes_on = job.status == JobStatus::InProgress;
        if goes_on {
            job.phase(phase).turn(PhaseStatus::InProgress, now);
            job.modified = now;
        }
        goes_on
    })?;
    if app.stopping().is_cancelled() {
        Err(End::Interrupted)
    } else if entered == Some(true) {
        Ok(())
    } else {
        Err(End::Stopped)
    }
}

fn leave(app: &App, id: &str, phase: PhaseName) -> Result<(), End> {
    let now = app.clock().millis();
    let left = app.state().update::<Job, _>(id, |job| {
        let goes_on = job.status == JobStatus::InProgress;
        if goes_on {
            job.phase(phase).turn(PhaseStatus::Completed, now);
            job.modified = now;
        }
        goes_on
    })?;
    if left == Some(true) { Ok(()) } else { Err(End::Stopped) }
}

/// Ends a job without a model. One that was told to stop is stopped, whatever else happened to it.
fn finish(app: &App, id: &str, status: JobStatus, failure: Option<String>) -> Result<(), StateError> {
    let now = app.clock().millis();
    let model = app.state().update::<Job, _>(id, |job| {
        if job.status == JobStatus::Stopping {
            job.end(JobStatus::Stopped, None, now);
        } else if !job.status.is_over() {
            job.end(status, failure, now);
        }
        job.model_id.clone()
    })?;
    if let Some(model) = model {
        remove(&app.home().model(&model));
    }
    Ok(())
}

fn clear(app: &App, id: &str) {
    remove(&app.home().job(id));
}

fn remove(folder: &Path) {
    if folder.exists()
        && let Err(error) = std::fs::remove_dir_all(folder)
    {
        tracing::warn!(%error, folder = %folder.display(), "a folder could not be removed");
    }
}

/// A step that works with files, on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    job: &Job,
    work: impl FnOnce(&App, &Job) -> Result<T, String> + Send + 'static,
) -> Result<T, End> {
    let (app, job) = (app.clone(), job.clone());
    match tokio::task::spawn_blocking(move || work(&app, &job)).await {
        Ok(result) => result.map_err(End::Failed),
        Err(failure) => {
            Err(End::Failed(format!("Encountered an unexpected error when processing the request: {failure}")))
        }
    }
}
