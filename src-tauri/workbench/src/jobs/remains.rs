//! What the endpoint keeps of a job beside its record: the objects below its output folder, and its tags.

use std::time::UNIX_EPOCH;

use whetstone_cloud::S3Uri;
use whetstone_contract::{AppError, Artifact, ErrorCode, JobRemains, JobTag};

use crate::Workbench;
use crate::errors::from_cloud;

impl Workbench {
    pub(crate) async fn remains_of(&self, id: &str) -> Result<JobRemains, AppError> {
        let job = self.jobs.get(id)?;
        let Some(arn) = &job.arn else {
            return Err(AppError::new(ErrorCode::Refused, "The endpoint does not know this job yet."));
        };
        let cloud = self.link_of_job(&job).await?.cloud;
        let said = |error| from_cloud(&error);
        let remote = cloud.job(arn).await.map_err(said)?;
        let tags = cloud.tags(arn).await.map_err(said)?;
        let mut artifacts = Vec::new();
        if let Some(folder) = remote.output_folder().map_err(said)? {
            for object in cloud.list_objects(&folder.bucket, &folder.key).await.map_err(said)? {
                let since = object.modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                artifacts.push(Artifact {
                    name: object.key.strip_prefix(&folder.key).unwrap_or(&object.key).to_owned(),
                    bytes: object.size,
                    modified: since.and_then(|since| i64::try_from(since.as_millis()).ok()),
                    uri: S3Uri { bucket: folder.bucket.clone(), key: object.key }.to_string(),
                });
            }
        }
        let tags = tags.into_iter().map(|(key, value)| JobTag { key, value });
        Ok(JobRemains { artifacts, tags: tags.collect() })
    }
}
