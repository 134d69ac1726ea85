//! Places in S3, and the first phase of a job: may it read and write where it says.
//!
//! The texts of a refusal carry the fragments by which AWS's own are recognised.

use super::job::Job;
use crate::access::{self, Actor};
use crate::app::App;

const PROBE: &str = ".write_access_check_file.tmp";

/// Why a phase failed, in words for the person.
pub(super) type Refusal = String;

/// A place in S3.
pub(crate) struct Place {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

impl Place {
    /// Of `s3://bucket/key`, whose pattern was checked when the job was made.
    pub(crate) fn of(uri: &str) -> Self {
        let rest = uri.strip_prefix("s3://").unwrap_or(uri);
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        Self { bucket: bucket.to_owned(), key: key.to_owned() }
    }

    /// Where everything lies that a job puts into S3.
    pub(super) fn of_output(job: &Job) -> Self {
        let output = Self::of(&job.asked.output_uri);
        Self { key: format!("{}model-customization-job-{}/", output.prefix(), job.id), bucket: output.bucket }
    }

    /// The key as a prefix that more can be added to.
    pub(crate) fn prefix(&self) -> String {
        let key = self.key.trim_end_matches('/');
        if key.is_empty() { String::new() } else { format!("{key}/") }
    }

    fn bucket_arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.bucket)
    }

    fn object_arn(&self, key: &str) -> String {
        format!("arn:aws:s3:::{}/{key}", self.bucket)
    }
}

/// Role, buckets, objects, and the probe object in the output.
pub(super) fn validate(app: &App, job: &Job) -> Result<(), Refusal> {
    let role = access::assume(app, &job.asked.role_arn, &job.arn)?;
    for uri in std::iter::once(&job.asked.training_uri).chain(&job.asked.validation_uris) {
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

fn readable(app: &App, job: &Job, role: &Actor, uri: &str) -> Result<(), Refusal> {
    let place = Place::of(uri);
    let refused = |why: String| {
        format!(
            "Could not validate GetObject permissions to access Amazon S3 bucket: {} at key {}: {why}",
            place.bucket, place.key
        )
    };
    region(app, job, &place.bucket).map_err(&refused)?;
    role.may("s3:ListBucket", &place.bucket_arn()).map_err(&refused)?;
    // Of a folder of logs, each object is asked for when it is read.
    let logs = job.asked.logs.is_some();
    let key = if logs { format!("{}*", place.prefix()) } else { place.key.clone() };
    role.may("s3:GetObject", &place.object_arn(&key)).map_err(&refused)?;
    if logs {
        let found = app.store().list(&place.bucket, &place.prefix()).map_err(|error| refused(error.to_string()))?;
        return if found.is_empty() { Err(refused("there is no object".to_owned())) } else { Ok(()) };
    }
    app.store().object(&place.bucket, &place.key).map(|_| ()).map_err(|error| refused(error.to_string()))
}

fn region(app: &App, job: &Job, bucket: &str) -> Result<(), String> {
    let bucket = app.store().bucket(bucket).map_err(|error| error.to_string())?;
    if bucket.region == job.region {
        return Ok(());
    }
    Err(format!("the bucket is in {}, the job in {}; both must be in one Region", bucket.region, job.region))
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
