//! The data processing phase of a job that is trained on what it was given: is its data what the base model takes.
//!
//! It answers with the text of a failed job. The texts carry the fragments by which AWS's own are recognised.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use whetstone_catalog::BaseModel;
use whetstone_catalog::CustomizationType::{ContinuedPreTraining, FineTuning};
use whetstone_dataset::{Block, Intent, Record, Role, Severity, SplitKind, SplitTotals, check_counts, check_file};
use whetstone_tuner::Turn;

use super::job::Job;
use super::place::{Place, Refusal};
use crate::app::App;
use crate::s3::store::StoreError;

/// Names inside a job's folder.
pub(super) const TRAINING_FILE: &str = "training.jsonl";

/// The records of a validator, by its place among the job's.
pub(super) fn validation_file(index: usize) -> PathBuf {
    format!("validation-{index}.jsonl").into()
}

/// Holds all files to the base model and writes them to the job's folder in the form that the trainer reads.
pub(super) fn process(app: &App, job: &Job, model: &BaseModel, folder: &Path) -> Result<(), Refusal> {
    let intent = Intent::of(model, if job.is_pretraining() { ContinuedPreTraining } else { FineTuning });
    let training = checked(app, &job.asked.training_uri, intent, SplitKind::Training)?;
    media_there(app, &training, SplitKind::Training)?;
    let validators = job.asked.validation_uris.iter();
    let validation: Vec<Vec<Record>> =
        validators.map(|uri| checked(app, uri, intent, SplitKind::Validation)).collect::<Result<_, _>>()?;
    for records in &validation {
        media_there(app, records, SplitKind::Validation)?;
    }
    let totals = SplitTotals {
        training: training.len() as u64,
        // The model's bounds are for all validation data together.
        validation: validation.iter().map(Vec::len).sum::<usize>() as u64,
        hold_out: 0,
    };
    let counts = check_counts(&totals, &intent);
    if let Some(finding) = counts.into_iter().find(|finding| finding.severity == Severity::Error) {
        return Err(finding.message);
    }
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        write_records(&folder.join(TRAINING_FILE), &training)?;
        for (index, records) in validation.iter().enumerate() {
            write_records(&folder.join(validation_file(index)), records)?;
        }
        Ok(())
    };
    write().map_err(|error| format!("The sandbox could not write the job's folder: {error}"))
}

fn checked(app: &App, uri: &str, intent: Intent<'_>, kind: SplitKind) -> Result<Vec<Record>, Refusal> {
    let place = Place::of(uri);
    let unreadable = |error: String| format!("Unable to read Amazon S3 file: {uri}: {error}");
    let (path, _) =
        app.store().object(&place.bucket, &place.key).map_err(|error: StoreError| unreadable(error.to_string()))?;
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let check =
        check_file(file, &intent.in_bucket(&place.bucket), kind).map_err(|error| unreadable(error.to_string()))?;
    match check.failure_message() {
        Some(message) => Err(message),
        None => Ok(check.records),
    }
}

/// The pictures, videos and documents that records name must lie where they say; their content is not looked at. How AWS
/// words it is not known, so the text is this sandbox's own.
fn media_there(app: &App, records: &[Record], kind: SplitKind) -> Result<(), Refusal> {
    for (line, record) in (1..).zip(records) {
        let uris = record.turns.iter().flat_map(|turn| &turn.content).filter_map(Block::media_uri);
        for uri in uris.filter(|uri| uri.starts_with("s3://")) {
            let place = Place::of(uri);
            app.store().object(&place.bucket, &place.key).map_err(|error| {
                format!("Line {line} of the {} data: the media object {uri} cannot be read: {error}.", kind.name())
            })?;
        }
    }
    Ok(())
}

/// A record as the tuner sees it: turns of text only.
pub fn turns(record: &Record) -> Vec<Turn> {
    let role = |role: &Role| match role {
        Role::System => whetstone_tuner::Role::System,
        Role::Assistant => whetstone_tuner::Role::Assistant,
        // No base model takes another role than these three.
        Role::User | Role::Tool | Role::Other(_) => whetstone_tuner::Role::User,
    };
    record.turns.iter().map(|turn| Turn::new(role(&turn.role), turn.text())).collect()
}

/// A line a record, as the trainer takes it.
pub(super) fn write_records(path: &Path, records: &[Record]) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for record in records {
        serde_json::to_writer(&mut file, &json!({ "turns": turns(record) }))?;
        file.write_all(b"\n")?;
    }
    file.into_inner()?.sync_all()
}
