//! Objects in S3: upload with progress, get, list, and a bucket that is there.

use std::{fmt, future::Future, path::Path, time::SystemTime};

use aws_sdk_s3::{
    operation::head_bucket::HeadBucketError,
    primitives::{ByteStream, Length},
    types::{BucketLocationConstraint, CompletedMultipartUpload, CompletedPart, CreateBucketConfiguration},
};
use aws_smithy_types::timeout::TimeoutConfig;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{Cloud, CloudError, CloudErrorCode, error::last_cause, spelled::time};

/// `get_object` refuses more than this: it is for metrics and reports, not for data.
pub const MAX_OBJECT_IN_MEMORY: usize = 64 * 1024 * 1024;

/// A file up to this size goes in one request.
const LARGEST_SINGLE_PUT: u64 = 16 * 1024 * 1024;
/// Small enough to be sent again when a connection breaks; S3 wants at least 5 MiB.
const PART: u64 = 8 * 1024 * 1024;
/// S3 takes no more parts than this; a file so large that it would need more gets larger parts.
const MOST_PARTS: u64 = 10_000;
/// Enough to fill a line with some distance to it, few enough to leave it usable.
const PARTS_AT_ONCE: usize = 4;

/// A bucket and a key in it, written `s3://bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Uri {
    pub bucket: String,
    pub key: String,
}

impl S3Uri {
    /// None when the text is not of that form. The key may be empty.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("s3://")?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        (!bucket.is_empty()).then(|| Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// The place of this name below, whether or not this one ends with a slash.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        let folder = self.key.trim_end_matches('/');
        let key = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        Self { bucket: self.bucket.clone(), key }
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// What a listing tells of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectSummary {
    pub key: String,
    /// In bytes.
    pub size: u64,
    pub modified: Option<SystemTime>,
}

impl Cloud {
    /// Uploads a file, in parts when it is large; it is read from the disk as it is sent. The object is there only once all of it has arrived.
    /// `progress` hears how many bytes have arrived, and of how many. Dropping the future cancels the upload and takes away the parts.
    ///
    /// # Errors
    /// `LocalFile` when the file cannot be read, `NotFound` when there is no such bucket, `AccessDenied`.
    pub async fn upload(
        &self,
        bucket: &str,
        key: &str,
        path: &Path,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<(), CloudError> {
        let metadata = tokio::fs::metadata(path).await.map_err(|error| unreadable("PutObject", path, &error))?;
        if !metadata.is_file() {
            return Err(unreadable("PutObject", path, &"it is not a file"));
        }
        let size = metadata.len();
        progress(0, size);
        if size > LARGEST_SINGLE_PUT {
            self.upload_in_parts(bucket, key, path, size, progress).await
        } else {
            self.upload_at_once(bucket, key, path, size).await?;
            progress(size, size);
            Ok(())
        }
    }

    async fn upload_at_once(&self, bucket: &str, key: &str, path: &Path, size: u64) -> Result<(), CloudError> {
        let body = file_part("PutObject", path, 0, size).await?;
        let put = self.s3.put_object().bucket(bucket).key(key).body(body);
        put.customize().config_override(self.transfer()).send().await.map(drop).map_err(CloudError::of("PutObject"))
    }

    async fn upload_in_parts(
        &self,
        bucket: &str,
        key: &str,
        path: &Path,
        size: u64,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<(), CloudError> {
        let begun = self.s3.create_multipart_upload().bucket(bucket).key(key).send().await;
        let begun = begun.map_err(CloudError::of("CreateMultipartUpload"))?;
        let id = begun.upload_id.ok_or_else(|| {
            CloudError::new("CreateMultipartUpload", CloudErrorCode::Other, "the answer has no upload id")
        })?;
        let upload = Unfinished { s3: self.s3.clone(), bucket: bucket.to_owned(), key: key.to_owned(), id: Some(id) };

        let part = PART.max(size.div_ceil(MOST_PARTS));
        let mut parts = Vec::new();
        let mut arrived = 0;
        {
            let sending = (0..size.div_ceil(part)).map(|index| {
                let length = part.min(size - index * part);
                let upload = &upload;
                async move { Ok::<_, CloudError>((self.upload_part(upload, path, index, part, length).await?, length)) }
            });
            let mut sending = stream::iter(sending).buffer_unordered(PARTS_AT_ONCE);
            while let Some((completed, length)) = sending.try_next().await? {
                parts.push(completed);
                arrived += length;
                progress(arrived, size);
            }
        }
        parts.sort_by_key(CompletedPart::part_number);
        upload.complete(parts).await
    }

    async fn upload_part(
        &self,
        upload: &Unfinished,
        path: &Path,
        index: u64,
        part: u64,
        length: u64,
    ) -> Result<CompletedPart, CloudError> {
        // There are at most MOST_PARTS.
        let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
        let body = file_part("UploadPart", path, index * part, length).await?;
        let sent = self
            .s3
            .upload_part()
            .bucket(&upload.bucket)
            .key(&upload.key)
            .set_upload_id(upload.id.clone())
            .part_number(number)
            .body(body)
            .customize()
            .config_override(self.transfer())
            .send()
            .await
            .map_err(CloudError::of("UploadPart"))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .set_checksum_crc32(sent.checksum_crc32)
            .set_checksum_crc64_nvme(sent.checksum_crc64_nvme)
            .build())
    }

    /// The time for an answer counts from the beginning of the request, so one that carries a file needs more of it.
    fn transfer(&self) -> aws_sdk_s3::config::Builder {
        aws_sdk_s3::config::Builder::new().timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(self.timeouts.connect)
                .read_timeout(self.timeouts.transfer)
                .build(),
        )
    }

    /// Makes the bucket in this Region unless there is one that this account may use.
    ///
    /// # Errors
    /// `AccessDenied` or `Conflict` when the name belongs to someone else, `WrongRegion` when the bucket is in another Region.
    pub async fn ensure_bucket(&self, bucket: &str) -> Result<(), CloudError> {
        match self.s3.head_bucket().bucket(bucket).send().await {
            Ok(_) => return Ok(()),
            Err(error) if error.as_service_error().is_some_and(HeadBucketError::is_not_found) => {}
            Err(error) => return Err(CloudError::of("HeadBucket")(error)),
        }
        // us-east-1 is where a bucket goes that names no place, and the only Region that must not be named.
        let place = (self.region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(self.region.as_str()))
                .build()
        });
        match self.s3.create_bucket().bucket(bucket).set_create_bucket_configuration(place).send().await {
            Ok(_) => Ok(()),
            // Someone with the same account was quicker.
            Err(error) if error.as_service_error().is_some_and(|error| error.is_bucket_already_owned_by_you()) => {
                Ok(())
            }
            Err(error) => Err(CloudError::of("CreateBucket")(error)),
        }
    }

    /// A whole object.
    ///
    /// # Errors
    /// `NotFound` when there is none, `TooLarge` beyond [`MAX_OBJECT_IN_MEMORY`].
    pub async fn get_object(&self, bucket: &str, key: &str) -> Result<Vec<u8>, CloudError> {
        let too_large = || {
            let message = format!("{key} is larger than {} MiB", MAX_OBJECT_IN_MEMORY / 1024 / 1024);
            CloudError::new("GetObject", CloudErrorCode::TooLarge, message)
        };
        let object = self.s3.get_object().bucket(bucket).key(key).send().await;
        let mut object = object.map_err(CloudError::of("GetObject"))?;
        let length = object.content_length.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        if length > MAX_OBJECT_IN_MEMORY {
            return Err(too_large());
        }
        let mut content = Vec::with_capacity(length);
        while let Some(piece) = object.body.next().await {
            let piece = piece.map_err(|error| {
                CloudError::new(
                    "GetObject",
                    CloudErrorCode::Unreachable,
                    format!("the object broke off: {}", last_cause(&error)),
                )
            })?;
            if content.len() + piece.len() > MAX_OBJECT_IN_MEMORY {
                return Err(too_large());
            }
            content.extend_from_slice(&piece);
        }
        Ok(content)
    }

    /// All objects whose key begins with the prefix, in the order of their keys.
    ///
    /// # Errors
    /// `NotFound` when there is no such bucket.
    pub async fn list_objects(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectSummary>, CloudError> {
        let mut pages = self.s3.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await {
            for object in page.map_err(CloudError::of("ListObjectsV2"))?.contents.unwrap_or_default() {
                let Some(key) = object.key else { continue };
                let size = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
                objects.push(ObjectSummary { key, size, modified: object.last_modified.as_ref().and_then(time) });
            }
        }
        Ok(objects)
    }
}

/// An upload in parts that is not complete. Its parts are invisible but paid for, so they are taken away unless it is completed,
/// also when the work is cancelled half-way.
struct Unfinished {
    s3: aws_sdk_s3::Client,
    bucket: String,
    key: String,
    /// None once nothing is to be taken away.
    id: Option<String>,
}

impl Unfinished {
    async fn complete(mut self, parts: Vec<CompletedPart>) -> Result<(), CloudError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        self.s3
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .set_upload_id(self.id.clone())
            .multipart_upload(parts)
            .send()
            .await
            .map_err(CloudError::of("CompleteMultipartUpload"))?;
        self.id = None;
        Ok(())
    }

    fn abort(&mut self) -> Option<impl Future<Output = ()> + Send + use<>> {
        let id = self.id.take()?;
        let abort = self.s3.abort_multipart_upload().bucket(&self.bucket).key(&self.key).upload_id(id);
        Some(async move {
            // When this fails too there is nothing left to try: a bucket's lifecycle rule takes such parts away in the end.
            abort.send().await.ok();
        })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(abort) = self.abort()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(abort);
        }
    }
}

/// A stretch of a file, read as it is sent and again should it have to be sent again.
async fn file_part(operation: &'static str, path: &Path, offset: u64, length: u64) -> Result<ByteStream, CloudError> {
    let part = ByteStream::read_from().path(path).offset(offset).length(Length::Exact(length)).build().await;
    part.map_err(|error| unreadable(operation, path, &error))
}

fn unreadable(operation: &'static str, path: &Path, error: &dyn fmt::Display) -> CloudError {
    CloudError::new(operation, CloudErrorCode::LocalFile, format!("{} cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_s3_is_read_and_written_the_same() {
        for text in ["s3://bucket/", "s3://bucket/key", "s3://bucket/a/b.csv", "s3://bucket/a/"] {
            assert_eq!(S3Uri::parse(text).map(|uri| uri.to_string()).as_deref(), Some(text));
        }
        assert_eq!(S3Uri::parse("s3://bucket").map(|uri| uri.key).as_deref(), Some(""));
        for text in ["", "bucket/key", "s3:///key", "https://bucket/key"] {
            assert_eq!(S3Uri::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_place_below_has_one_slash_between() {
        for (text, below) in [
            ("s3://b", "s3://b/x"),
            ("s3://b/", "s3://b/x"),
            ("s3://b/out", "s3://b/out/x"),
            ("s3://b/out/", "s3://b/out/x"),
        ] {
            assert_eq!(S3Uri::parse(text).map(|uri| uri.child("x").to_string()).as_deref(), Some(below));
        }
    }
}
