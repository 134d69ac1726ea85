//! Parts that nobody will complete: invisible in a listing, and paid for.

use std::time::SystemTime;

use super::journal::Journal;
use crate::spelled::time;
use crate::{Cloud, CloudError, CloudErrorCode, S3Uri};

/// An upload in parts that was begun and not completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedUpload {
    pub to: S3Uri,
    pub id: String,
    pub begun: Option<SystemTime>,
    pub parts: u64,
    pub bytes: u64,
}

impl Cloud {
    /// The uploads in parts under a prefix that are not completed: those under way right now, and those that never will.
    ///
    /// # Errors
    /// `NotFound` when there is no such bucket.
    pub async fn abandoned_uploads(&self, bucket: &str, prefix: &str) -> Result<Vec<AbandonedUpload>, CloudError> {
        let mut found = Vec::new();
        for (to, id, begun) in list(&self.s3, bucket, prefix).await? {
            let mut abandoned = AbandonedUpload { to, id, begun, parts: 0, bytes: 0 };
            let parts = self.s3.list_parts().bucket(bucket).key(&abandoned.to.key).upload_id(&abandoned.id);
            let mut pages = parts.into_paginator().send();
            while let Some(page) = pages.next().await {
                for part in page.map_err(CloudError::of("ListParts"))?.parts.unwrap_or_default() {
                    abandoned.parts += 1;
                    abandoned.bytes += part.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
                }
            }
            found.push(abandoned);
        }
        Ok(found)
    }

    /// Takes the parts away. One that is gone already is no error.
    ///
    /// # Errors
    /// `AccessDenied` and whatever else the service refuses.
    pub async fn remove_abandoned(&self, upload: &AbandonedUpload) -> Result<(), CloudError> {
        abort(&self.s3, &upload.to, &upload.id).await
    }
}

type Begun = (S3Uri, String, Option<SystemTime>);

async fn list(s3: &aws_sdk_s3::Client, bucket: &str, prefix: &str) -> Result<Vec<Begun>, CloudError> {
    let mut found = Vec::new();
    let (mut key, mut id) = (None, None);
    loop {
        let list = s3.list_multipart_uploads().bucket(bucket).prefix(prefix);
        let page = list.set_key_marker(key).set_upload_id_marker(id).send().await;
        let page = page.map_err(CloudError::of("ListMultipartUploads"))?;
        for upload in page.uploads.unwrap_or_default() {
            let (Some(key), Some(id)) = (upload.key, upload.upload_id) else { continue };
            found.push((S3Uri { bucket: bucket.to_owned(), key }, id, upload.initiated.as_ref().and_then(time)));
        }
        if page.is_truncated != Some(true) {
            return Ok(found);
        }
        (key, id) = (page.next_key_marker, page.next_upload_id_marker);
    }
}

/// The last upload to this very key that was begun.
pub(super) async fn newest_of(s3: &aws_sdk_s3::Client, of: &S3Uri) -> Result<Option<String>, CloudError> {
    let all = match list(s3, &of.bucket, &of.key).await {
        // A store that cannot list them cannot tell of one either.
        Err(error) if error.aws_code.as_deref() == Some("NotImplemented") => return Ok(None),
        all => all?,
    };
    let ours = all.into_iter().filter(|(to, ..)| to == of);
    Ok(ours.max_by_key(|(_, _, begun)| *begun).map(|(_, id, _)| id))
}

pub(super) async fn abort(s3: &aws_sdk_s3::Client, of: &S3Uri, id: &str) -> Result<(), CloudError> {
    let aborted = s3.abort_multipart_upload().bucket(&of.bucket).key(&of.key).upload_id(id).send().await;
    match aborted.map_err(CloudError::of("AbortMultipartUpload")) {
        Err(error) if error.code != CloudErrorCode::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What a journal says was begun and not completed.
pub(super) async fn abort_all(s3: &aws_sdk_s3::Client, journal: &Journal) -> Result<(), CloudError> {
    for (of, id) in journal.unfinished() {
        let Some(of) = S3Uri::parse(&of) else { continue };
        let id = match id {
            Some(id) => Some(id),
            None => newest_of(s3, &of).await?,
        };
        if let Some(id) = id {
            abort(s3, &of, &id).await?;
        }
    }
    Ok(())
}
