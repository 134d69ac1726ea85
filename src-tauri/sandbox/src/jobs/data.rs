//! The first two phases: may the job read and write where it says, and is its data what the base model takes.
//!
//! Both answer with the text of a failed job. The texts carry the fragments by which AWS's own are recognised.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::json;
use whetstone_catalog::BaseModel;
use whetstone_dataset::{Intent, Record, Severity, SplitKind, SplitTotals, check_counts, check_file};

use super::job::Job;
use crate::access::{self, ServiceRole};
use crate::app::App;
use crate::s3::store::StoreError;

/// Names inside a job's folder.
pub(super) const TRAINING_FILE: &str = "training.jsonl";
pub(super) const VALIDATION_FILE: &str = "validation.jsonl";

const PROBE: &str = ".write_access_check_file.tmp";

/// Why a phase failed, in words for the person.
pub(super) type Refusal = String;

/// A place in S3.
pub(super) struct Place {
    pub(super) bucket: String,
    pub(super) key: String,
}

impl Place {
    /// Of `s3://bucket/key`, whose pattern was checked when the job was made.
    pub(super) fn of(uri: &str) -> Self {
        let rest = uri.strip_prefix("s3://").unwrap_or(uri);
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        Self { bucket: bucket.to_owned(), key: key.to_owned() }
    }

    pub(super) fn bucket_arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.bucket)
    }

    pub(super) fn object_arn(&self, key: &str) -> String {
        format!("arn:aws:s3:::{}/{key}", self.bucket)
    }

    /// The key as a prefix that more can be added to.
    pub(super) fn prefix(&self) -> String {
        let key = self.key.trim_end_matches('/');
        if key.is_empty() { String::new() } else { format!("{key}/") }
    }
}

/// Role, buckets, objects, and the probe object in the output.
pub(super) fn validate(app: &App, job: &Job) -> Result<(), Refusal> {
    let role = access::assume(app, &job.asked.role_arn, &job.arn)?;
    for uri in std::iter::once(&job.asked.training_uri).chain(&job.asked.validation_uri) {
        readable(app, job, &role, uri)?;
    }
    let output = Place::of(&job.asked.output_uri);
    let probe = format!("{}{PROBE}", output.prefix());
    let missing = |why: String| format!("Amazon S3 perms missing (PutObject): {}: {why}", job.asked.output_uri);
    region(app, job, &output.bucket).map_err(&missing)?;
    role.may("s3:PutObject", &output.object_arn(&probe)).map_err(&missing)?;
    let store = app.store();
    store.put(&output.bucket, &probe, b"", "application/octet-stream").map_err(|error| missing(error.to_string()))?;
    store.delete(&output.bucket, &probe).map_err(|error| missing(error.to_string()))
}

fn readable(app: &App, job: &Job, role: &ServiceRole, uri: &str) -> Result<(), Refusal> {
    let place = Place::of(uri);
    let refused = |why: String| {
        format!(
            "Could not validate GetObject permissions to access Amazon S3 bucket: {} at key {}: {why}",
            place.bucket, place.key
        )
    };
    region(app, job, &place.bucket).map_err(&refused)?;
    role.may("s3:ListBucket", &place.bucket_arn()).map_err(&refused)?;
    role.may("s3:GetObject", &place.object_arn(&place.key)).map_err(&refused)?;
    app.store().object(&place.bucket, &place.key).map(|_| ()).map_err(|error| refused(error.to_string()))
}

fn region(app: &App, job: &Job, bucket: &str) -> Result<(), String> {
    let bucket = app.store().bucket(bucket).map_err(|error| error.to_string())?;
    if bucket.region == job.region {
        return Ok(());
    }
    Err(format!("the bucket is in {}, the job in {}; both must be in one Region", bucket.region, job.region))
}

/// Holds both files to the base model and writes them to the job's folder in the form that the trainer reads.
pub(super) fn process(app: &App, job: &Job, model: &BaseModel, folder: &Path) -> Result<(), Refusal> {
    let training = checked(app, &job.asked.training_uri, model, SplitKind::Training)?;
    let validation =
        job.asked.validation_uri.as_ref().map(|uri| checked(app, uri, model, SplitKind::Validation)).transpose()?;
    let totals = SplitTotals {
        training: training.len() as u64,
        validation: validation.as_ref().map_or(0, Vec::len) as u64,
        hold_out: 0,
    };
    let counts = check_counts(&totals, &Intent::new(model));
    if let Some(finding) = counts.into_iter().find(|finding| finding.severity == Severity::Error) {
        return Err(finding.message);
    }
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        write_records(&folder.join(TRAINING_FILE), &training)?;
        if let Some(records) = &validation {
            write_records(&folder.join(VALIDATION_FILE), records)?;
        }
        Ok(())
    };
    write().map_err(|error| format!("The sandbox could not write the job's folder: {error}"))
}

fn checked(app: &App, uri: &str, model: &BaseModel, kind: SplitKind) -> Result<Vec<Record>, Refusal> {
    let place = Place::of(uri);
    let unreadable = |error: String| format!("Unable to read Amazon S3 file: {uri}: {error}");
    let (path, _) =
        app.store().object(&place.bucket, &place.key).map_err(|error: StoreError| unreadable(error.to_string()))?;
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let intent = Intent::new(model).in_bucket(&place.bucket);
    let check = check_file(file, &intent, kind).map_err(|error| unreadable(error.to_string()))?;
    match check.failure_message() {
        Some(message) => Err(message),
        None => Ok(check.records),
    }
}

/// A line a record, as the trainer takes it: text turns only.
fn write_records(path: &Path, records: &[Record]) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for record in records {
        let turns = record.turns.iter().map(|turn| json!({ "role": turn.role, "text": turn.text() }));
        serde_json::to_writer(&mut file, &json!({ "turns": turns.collect::<Vec<_>>() }))?;
        file.write_all(b"\n")?;
    }
    file.into_inner()?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_a_prefix_with_one_slash() {
        for (uri, bucket, prefix) in
            [("s3://b", "b", ""), ("s3://b/", "b", ""), ("s3://b/out", "b", "out/"), ("s3://b/out/a/", "b", "out/a/")]
        {
            let place = Place::of(uri);
            assert_eq!((place.bucket.as_str(), place.prefix().as_str()), (bucket, prefix), "{uri}");
        }
    }
}
