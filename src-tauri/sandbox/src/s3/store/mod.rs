//! Buckets and objects as plain files: where they lie, what is kept beside them, and how they change.
//!
//! An object is the file `s3/BUCKET/KEY` and nothing more, so that a person can look at it with any tool. What S3 keeps
//! beside it (ETag, content type, user metadata, checksums) lies in `s3-meta/BUCKET/HASH-OF-KEY.json` and counts only
//! while the file's size and time are those it was written for; a file put there by hand is therefore an object too.
//!
//! Every change is made beside, synced and renamed: a reader sees the old object or the new one. The file system is the
//! only owner of the state; the mutex here orders the renames of this process.
//!
//! `s3s-fs` is not used below `s3s`, although it is made for it, because it replaces an object before its digest was
//! checked, keeps its side files under names that hold the whole key (so that a key of some 140 characters, such as
//! a job's output, is too long), copies in place, keeps old checksums over a multipart upload, and makes a bucket out
//! of a mistyped name.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `buckets` | buckets, as folders |
//! | `objects` | objects: put, read, deleted, and what is kept beside them |
//! | `keys` | which keys a file system can hold, and which of them have a prefix |
//!
//! Deliberately absent: versions, and keys that a file system cannot hold (an empty, `.` or `..` segment, a segment
//! over 255 bytes, a key that is also the folder of another one).

mod buckets;
mod keys;
mod objects;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::digests::Checksums;
use crate::home::Home;
use crate::ids;

#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the bucket does not exist")]
    NoSuchBucket,
    #[error("the key does not exist")]
    NoSuchKey,
    #[error("{0}")]
    InvalidKey(&'static str),
    #[error("a condition of the request does not hold")]
    Condition,
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What a client says about an object when it puts it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) user: BTreeMap<String, String>,
}

/// What is known of an object beside its content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectMeta {
    pub(crate) key: String,
    /// Without quotes.
    pub(crate) e_tag: String,
    pub(crate) size: u64,
    /// Nanoseconds since the Unix epoch.
    pub(crate) modified: i64,
    pub(crate) attributes: Attributes,
    pub(crate) checksums: Checksums,
}

impl ObjectMeta {
    pub(crate) fn modified_at(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.modified)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) region: String,
    /// Milliseconds since the Unix epoch.
    pub(crate) created: i64,
}

/// A key found by a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) size: u64,
}

/// A file on its way in. It is removed unless it is committed.
#[derive(Debug)]
pub(crate) struct Staged {
    path: PathBuf,
}

impl Staged {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After a commit the name is gone already, and what could not be removed goes at the next start.
        fs::remove_file(&self.path).ok();
    }
}

pub(crate) struct ObjectStore {
    buckets: PathBuf,
    meta: PathBuf,
    staging: PathBuf,
    uploads: PathBuf,
    /// Region of a bucket that does not say its own, such as a folder made by hand.
    region: String,
    layout: Mutex<()>,
    /// Uploads in parts are completed one after the other.
    completing: Mutex<()>,
}

impl ObjectStore {
    pub(crate) fn open(home: &Home, region: &str) -> io::Result<Self> {
        let store = Self {
            buckets: home.path("s3"),
            meta: home.path("s3-meta"),
            staging: home.path("s3-staging"),
            uploads: home.path("s3-uploads"),
            region: region.to_owned(),
            layout: Mutex::new(()),
            completing: Mutex::new(()),
        };
        if store.staging.exists() {
            fs::remove_dir_all(&store.staging)?;
        }
        for folder in [&store.buckets, &store.meta, &store.staging, &store.uploads] {
            fs::create_dir_all(folder)?;
        }
        Ok(store)
    }

    pub(crate) fn uploads(&self) -> &Path {
        &self.uploads
    }

    /// A new name to write to before `commit`.
    pub(crate) fn stage(&self) -> Staged {
        Staged { path: self.staging.join(ids::resource_id() + &ids::resource_id()) }
    }

    pub(crate) fn completing(&self) -> std::sync::MutexGuard<'_, ()> {
        self.completing.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn order(&self) -> std::sync::MutexGuard<'_, ()> {
        self.layout.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn nanos(at: SystemTime) -> i64 {
    OffsetDateTime::from(at).unix_timestamp_nanos() as i64
}

fn absent_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, ObjectStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = ObjectStore::open(&Home::open(folder.path()).unwrap(), "us-east-1").unwrap();
        assert!(store.create_bucket("bucket", "eu-west-1", 0).unwrap());
        (folder, store)
    }

    fn keys(store: &ObjectStore, prefix: &str) -> Vec<String> {
        store.list("bucket", prefix).unwrap().into_iter().map(|listed| listed.key).collect()
    }

    #[test]
    fn an_object_is_a_plain_file_and_comes_back_with_its_metadata() {
        let (folder, store) = store();
        store.put("bucket", "a/b.txt", b"hello", "text/plain").unwrap();
        assert_eq!(fs::read(folder.path().join("s3/bucket/a/b.txt")).unwrap(), b"hello");
        let (_, meta) = store.object("bucket", "a/b.txt").unwrap();
        assert_eq!(meta.e_tag, "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(meta.attributes.content_type.as_deref(), Some("text/plain"));
    }

    #[test]
    fn a_file_changed_by_hand_is_an_object_with_its_own_etag() {
        let (folder, store) = store();
        store.put("bucket", "a.txt", b"old", "text/plain").unwrap();
        fs::write(folder.path().join("s3/bucket/a.txt"), b"hello").unwrap();
        let (_, meta) = store.object("bucket", "a.txt").unwrap();
        assert_eq!((meta.e_tag.as_str(), meta.size), ("5d41402abc4b2a76b9719d911017c592", 5));
        assert_eq!(meta.checksums, Checksums::default(), "an old checksum does not speak for new content");
    }

    #[test]
    fn keys_cannot_leave_their_bucket_or_clash_with_a_folder() {
        let (_folder, store) = store();
        for key in ["../x", "a/../../x", "a//b", "/a", "a/", ".", "a/\0"] {
            assert!(matches!(store.put("bucket", key, b"", ""), Err(StoreError::InvalidKey(_))), "{key:?}");
        }
        store.put("bucket", "a/b", b"", "").unwrap();
        assert!(matches!(store.put("bucket", "a", b"", ""), Err(StoreError::InvalidKey(_))));
        assert!(matches!(store.put("bucket", "a/b/c", b"", ""), Err(StoreError::InvalidKey(_))));
        assert!(matches!(store.object("bucket", "a"), Err(StoreError::NoSuchKey)));
        assert!(matches!(store.put("nowhere", "a", b"", ""), Err(StoreError::NoSuchBucket)));
    }

    #[test]
    fn listing_is_by_bytes_and_by_prefix() {
        let (_folder, store) = store();
        for key in ["b", "a/2", "a/1", "a.txt", "ab/1"] {
            store.put("bucket", key, b"", "").unwrap();
        }
        assert_eq!(keys(&store, ""), ["a.txt", "a/1", "a/2", "ab/1", "b"]);
        assert_eq!(keys(&store, "a/"), ["a/1", "a/2"]);
        assert_eq!(keys(&store, "a"), ["a.txt", "a/1", "a/2", "ab/1"]);
        assert_eq!(keys(&store, "a/1"), ["a/1"]);
        assert_eq!(keys(&store, "../"), Vec::<String>::new());
    }

    #[test]
    fn the_last_object_takes_its_folders_with_it_and_then_the_bucket_can_go() {
        let (folder, store) = store();
        store.put("bucket", "a/b/c", b"", "").unwrap();
        assert!(matches!(store.delete_bucket("bucket"), Err(StoreError::BucketNotEmpty)));
        store.delete("bucket", "a/b/c").unwrap();
        assert!(!folder.path().join("s3/bucket/a").exists());
        store.delete_bucket("bucket").unwrap();
        assert!(matches!(store.bucket("bucket"), Err(StoreError::NoSuchBucket)));
    }
}
