//! Buckets: a folder each, with its Region and time of creation beside the objects' metadata.

use std::fs;
use std::io;

use super::{Bucket, ObjectStore, StoreError, absent_is_fine, nanos};
use crate::home::write_atomically;

const BUCKET_FILE: &str = "bucket.json";

impl ObjectStore {
    /// Makes a bucket. `false` when it is there already.
    pub(crate) fn create_bucket(&self, name: &str, region: &str, created: i64) -> Result<bool, StoreError> {
        let _order = self.order();
        let folder = self.buckets.join(name);
        if folder.exists() {
            return Ok(false);
        }
        fs::create_dir_all(self.meta.join(name))?;
        let bucket = Bucket { name: name.to_owned(), region: region.to_owned(), created };
        let text = serde_json::to_vec(&bucket).map_err(io::Error::from)?;
        write_atomically(&self.meta.join(name).join(BUCKET_FILE), &text)?;
        fs::create_dir(&folder)?;
        Ok(true)
    }

    pub(crate) fn bucket(&self, name: &str) -> Result<Bucket, StoreError> {
        let folder = fs::metadata(self.buckets.join(name)).map_err(|_| StoreError::NoSuchBucket)?;
        if name.contains('/') || !folder.is_dir() {
            return Err(StoreError::NoSuchBucket);
        }
        let kept = fs::read(self.meta.join(name).join(BUCKET_FILE)).ok();
        Ok(kept.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_else(|| Bucket {
            name: name.to_owned(),
            region: self.region.clone(),
            created: folder.modified().map_or(0, nanos) / 1_000_000,
        }))
    }

    /// All buckets by name.
    pub(crate) fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        let mut buckets = Vec::new();
        for entry in fs::read_dir(&self.buckets)? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            if s3s::path::check_bucket_name(&name)
                && let Ok(bucket) = self.bucket(&name)
            {
                buckets.push(bucket);
            }
        }
        buckets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(buckets)
    }

    pub(crate) fn delete_bucket(&self, name: &str) -> Result<(), StoreError> {
        self.bucket(name)?;
        let _order = self.order();
        if !self.walk(name, "")?.is_empty() {
            return Err(StoreError::BucketNotEmpty);
        }
        // Only empty folders are left: what is removed here holds no object.
        fs::remove_dir_all(self.buckets.join(name))?;
        fs::remove_dir_all(self.meta.join(name)).or_else(absent_is_fine)?;
        Ok(())
    }
}
