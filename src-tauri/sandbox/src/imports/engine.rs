//! An import job's way: the role, the objects, the memory, a first load, and the model that comes of it.
//!
//! The files are copied into a folder beside the others and renamed when the model was loaded from it once, so a model
//! that is there can answer. A sandbox that was killed begins an unfinished import anew.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use whetstone_tuner::LanguageModel;

use super::job::{ImportJob, ImportStatus};
use super::models::ImportedModel;
use crate::access::{self, Actor};
use crate::app::App;
use crate::jobs::place::Place;
use crate::state::StateError;
use crate::tags;

/// Why an import ended before its model was there.
enum End {
    Failed(String),
    /// The sandbox stops. The job keeps its state.
    Interrupted,
}

impl From<String> for End {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

/// Files beside the weights that are taken along where they are there.
const TAKEN: [&str; 7] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "generation_config.json",
    "chat_template.jinja",
    "model.safetensors.index.json",
    "adapter_config.json",
];

/// Sets an import on its way.
pub(super) fn launch(app: &Arc<App>, job: ImportJob) {
    let app = app.clone();
    app.tasks().clone().spawn_blocking(move || {
        let result = match import(&app, &job) {
            Err(End::Interrupted) => return,
            Err(End::Failed(why)) => Err(why),
            Ok(instruct) => Ok(instruct),
        };
        if result.is_err() {
            fs::remove_dir_all(app.home().imported(&job.model_id)).ok();
        }
        if let Err(error) = finish(&app, &job, result) {
            tracing::error!(%error, job = job.id, "an import's end could not be written down");
        }
    });
}

/// Takes up what an earlier process left.
pub(crate) fn resume(app: &Arc<App>) -> Result<(), StateError> {
    let models = app.state().all::<ImportedModel>()?;
    let known: HashSet<&str> = models.iter().map(|model| model.id.as_str()).collect();
    for entry in fs::read_dir(app.home().path("imported")).into_iter().flatten().flatten() {
        if !entry.file_name().to_str().is_some_and(|name| known.contains(name))
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            tracing::warn!(%error, "a left-over folder of an import could not be removed");
        }
    }
    for job in app.state().all::<ImportJob>()? {
        if job.status == ImportStatus::InProgress {
            launch(app, job);
        }
    }
    Ok(())
}

/// The whole way but the last step. Tells whether the model converses.
fn import(app: &App, job: &ImportJob) -> Result<bool, End> {
    let role = access::assume(app, &job.role_arn, &job.arn)?;
    let keys = objects(app, job, &role)?;
    let folder = app.home().imported(&job.model_id);
    let draft = folder.with_extension("part");
    let copied = copy(app, job, &keys, &draft).and_then(|()| Ok(try_out(app, &draft)?));
    let placed = copied.and_then(|converses| {
        fs::rename(&draft, &folder).map_err(|error| format!("The model could not be kept: {error}."))?;
        Ok(converses)
    });
    if placed.is_err() {
        fs::remove_dir_all(&draft).ok();
    }
    placed
}

/// The keys of the model's files, each of which the role may read.
fn objects(app: &App, job: &ImportJob, role: &Actor) -> Result<Vec<String>, String> {
    let place = Place::of(&job.uri);
    let prefix = place.prefix();
    let refused = |why: String| {
        format!("Could not validate GetObject permissions to access Amazon S3 bucket: {}: {why}", place.bucket)
    };
    let bucket = app.store().bucket(&place.bucket).map_err(|error| refused(error.to_string()))?;
    if bucket.region != job.region {
        let (theirs, ours) = (bucket.region, &job.region);
        return Err(refused(format!("the bucket is in {theirs}, the job in {ours}; both must be in one Region")));
    }
    role.may("s3:ListBucket", &format!("arn:aws:s3:::{}", place.bucket)).map_err(&refused)?;
    let found = app.store().list(&place.bucket, &prefix).map_err(|error| refused(error.to_string()))?;
    let name = |key: &str| key.strip_prefix(&prefix).map(str::to_owned).unwrap_or_default();
    let taken = |name: &str| !name.contains('/') && (TAKEN.contains(&name) || name.ends_with(".safetensors"));
    let keys: Vec<String> = found.into_iter().map(|one| one.key).filter(|key| taken(&name(key))).collect();
    for needed in ["config.json", "tokenizer.json"] {
        if !keys.iter().any(|key| name(key) == needed) {
            return Err(format!("There is no {needed} at {}. Needed are {NEEDED}.", job.uri));
        }
    }
    if !keys.iter().any(|key| key.ends_with(".safetensors")) {
        return Err(format!("There are no weights at {}. Needed are {NEEDED}.", job.uri));
    }
    for key in &keys {
        role.may("s3:GetObject", &format!("arn:aws:s3:::{}/{key}", place.bucket)).map_err(&refused)?;
    }
    Ok(keys)
}

const NEEDED: &str = "config.json, tokenizer.json and the weights as *.safetensors, as Hugging Face lays them out";

fn copy(app: &App, job: &ImportJob, keys: &[String], to: &Path) -> Result<(), End> {
    let place = Place::of(&job.uri);
    let failed = |error: &dyn std::fmt::Display| format!("The model's files could not be copied: {error}.");
    if to.exists() {
        fs::remove_dir_all(to).map_err(|error| failed(&error))?;
    }
    fs::create_dir_all(to).map_err(|error| failed(&error))?;
    for key in keys {
        if app.stopping().is_cancelled() {
            return Err(End::Interrupted);
        }
        let (from, _) = app.store().object(&place.bucket, key).map_err(|error| failed(&error))?;
        let name = key.rsplit('/').next().unwrap_or(key);
        fs::copy(from, to.join(name)).map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// Loads the model once. What cannot be loaded, or does not fit, is refused here and not at the first prompt.
fn try_out(app: &App, folder: &Path) -> Result<bool, String> {
    let refused = |why: String| format!("The model cannot be imported: {why}");
    let needed = LanguageModel::memory_needed(folder).map_err(|error| refused(error.to_string()))?;
    app.models().memory().check(needed).map_err(&refused)?;
    LanguageModel::load(folder).map(|model| model.converses()).map_err(|error| refused(error.to_string()))
}

/// The last step: the model and the job's end in one change.
fn finish(app: &App, job: &ImportJob, result: Result<bool, String>) -> Result<(), crate::errors::ApiError> {
    let now = app.clock().millis();
    app.state().change(|change| {
        let Some(mut job) = change.get::<ImportJob>(&job.id)? else { return Ok(()) };
        if let Ok(instruct) = result {
            change.insert(&ImportedModel::of(&job, instruct, now))?;
            tags::attach(change, &job.region, &job.model_arn, &job.model_tags)?;
        }
        job.end(result.map(|_| ()), now);
        change.put(&job)?;
        Ok(())
    })
}
