//! Objects in S3: get, head, list, and a bucket that is there. Files of any size go through `transfer`.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use aws_sdk_s3::{
    operation::head_bucket::HeadBucketError,
    types::{BucketLocationConstraint, CreateBucketConfiguration, Object},
};
use aws_smithy_types::timeout::TimeoutConfig;

use crate::{Cloud, CloudError, CloudErrorCode, error::last_cause, spelled::time, transfer::PART};

/// `get_object` refuses more than this: it is for metrics and reports, not for data.
pub const MAX_OBJECT_IN_MEMORY: usize = 64 * 1024 * 1024;

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

impl ObjectSummary {
    pub(crate) fn of(object: Object) -> Option<Self> {
        let size = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
        Some(Self { key: object.key?, size, modified: object.last_modified.as_ref().and_then(time) })
    }
}

/// What the head of an object tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHead {
    /// In bytes.
    pub size: u64,
    pub etag: String,
    pub modified: Option<SystemTime>,
    pub content_type: Option<String>,
}

impl Cloud {
    /// A client for requests that carry files. The time for an answer counts from the beginning of the request, so it needs
    /// more of it, and yet more where the line is limited.
    pub(crate) fn for_transfers(&self, limit: Option<u64>) -> aws_sdk_s3::Client {
        let slow = limit.map_or(0, |limit| 16 * PART / limit);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(self.timeouts.connect)
            .read_timeout(self.timeouts.transfer + Duration::from_secs(slow))
            .build();
        aws_sdk_s3::Client::from_conf(self.s3.config().to_builder().timeout_config(timeouts).build())
    }

    /// How large an object is, and which state of it there is.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn head_object(&self, bucket: &str, key: &str) -> Result<ObjectHead, CloudError> {
        let head = self.s3.head_object().bucket(bucket).key(key).send().await;
        let head = head.map_err(CloudError::of("HeadObject"))?;
        Ok(ObjectHead {
            size: head.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0),
            etag: head.e_tag.unwrap_or_default(),
            modified: head.last_modified.as_ref().and_then(time),
            content_type: head.content_type,
        })
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
                objects.extend(ObjectSummary::of(object));
            }
        }
        Ok(objects)
    }
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
