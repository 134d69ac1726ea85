//! Looking around in S3: buckets, what is directly below a prefix, the beginning of an object.

use std::time::SystemTime;

use crate::spelled::time;
use crate::{Cloud, CloudError, CloudErrorCode, ObjectHead, ObjectSummary, error::last_cause};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSummary {
    pub name: String,
    pub created: Option<SystemTime>,
}

/// One page of what is directly below a prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderPage {
    /// Prefixes, each with the slash at its end.
    pub folders: Vec<String>,
    pub objects: Vec<ObjectSummary>,
    /// Asks for the next page.
    pub next: Option<String>,
}

/// The beginning of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectStart {
    pub head: ObjectHead,
    pub content: Vec<u8>,
}

impl Cloud {
    /// All buckets of the account, whatever their Region.
    ///
    /// # Errors
    /// `AccessDenied` without `s3:ListAllMyBuckets`.
    pub async fn buckets(&self) -> Result<Vec<BucketSummary>, CloudError> {
        let mut buckets = Vec::new();
        let mut pages = self.s3.list_buckets().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(CloudError::of("ListBuckets"))?;
            buckets.extend(page.buckets.unwrap_or_default().into_iter().filter_map(|bucket| {
                Some(BucketSummary { name: bucket.name?, created: bucket.creation_date.as_ref().and_then(time) })
            }));
        }
        Ok(buckets)
    }

    /// Folders and objects directly below a prefix, in the order of their keys.
    ///
    /// # Errors
    /// `NotFound` when there is no such bucket.
    pub async fn folder_page(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<String>,
    ) -> Result<FolderPage, CloudError> {
        let list = self.s3.list_objects_v2().bucket(bucket).prefix(prefix).delimiter("/").set_continuation_token(after);
        let page = list.send().await.map_err(CloudError::of("ListObjectsV2"))?;
        let folders = page.common_prefixes.unwrap_or_default().into_iter().filter_map(|folder| folder.prefix);
        Ok(FolderPage {
            folders: folders.collect(),
            objects: page.contents.unwrap_or_default().into_iter().filter_map(ObjectSummary::of).collect(),
            next: page.next_continuation_token,
        })
    }

    /// The first bytes of an object, no more than so many.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn object_start(&self, bucket: &str, key: &str, most: usize) -> Result<ObjectStart, CloudError> {
        let head = self.head_object(bucket, key).await?;
        // There is no range of an empty object.
        if head.size == 0 || most == 0 {
            return Ok(ObjectStart { head, content: Vec::new() });
        }
        let get = self.s3.get_object().bucket(bucket).key(key).range(format!("bytes=0-{}", most - 1));
        let mut body = get.send().await.map_err(CloudError::of("GetObject"))?.body;
        let mut content = Vec::new();
        while let Some(piece) = body.next().await {
            let piece =
                piece.map_err(|error| CloudError::new("GetObject", CloudErrorCode::Unreachable, last_cause(&error)))?;
            content.extend_from_slice(&piece);
            // A store that knows no ranges sends all of it.
            if content.len() >= most {
                content.truncate(most);
                break;
            }
        }
        Ok(ObjectStart { head, content })
    }
}
