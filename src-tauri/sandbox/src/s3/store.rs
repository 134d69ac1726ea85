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
//! Deliberately absent: versions, and keys that a file system cannot hold (an empty, `.` or `..` segment, a segment
//! over 255 bytes, a key that is also the folder of another one).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use s3s::crypto::{Checksum, Md5};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::home::{Home, write_atomically};
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

/// Checksums that a client asked to be kept, in base64.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Checksums {
    pub(crate) crc32: Option<String>,
    pub(crate) crc32c: Option<String>,
    pub(crate) crc64nvme: Option<String>,
    pub(crate) sha1: Option<String>,
    pub(crate) sha256: Option<String>,
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
}

const BUCKET_FILE: &str = "bucket.json";

impl ObjectStore {
    pub(crate) fn open(home: &Home, region: &str) -> io::Result<Self> {
        let store = Self {
            buckets: home.path("s3"),
            meta: home.path("s3-meta"),
            staging: home.path("s3-staging"),
            uploads: home.path("s3-uploads"),
            region: region.to_owned(),
            layout: Mutex::new(()),
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

    /// A new name to write to before `commit`.
    pub(crate) fn stage(&self) -> Staged {
        Staged { path: self.staging.join(ids::resource_id() + &ids::resource_id()) }
    }

    /// Puts a staged, synced file in the place of an object. `guard` sees the object that is there and may refuse.
    pub(crate) fn commit(
        &self,
        staged: &Staged,
        bucket: &str,
        mut meta: ObjectMeta,
        guard: impl FnOnce(Option<&ObjectMeta>) -> bool,
    ) -> Result<ObjectMeta, StoreError> {
        let path = self.object_path(bucket, &meta.key)?;
        let _order = self.order();
        self.bucket(bucket)?;
        let existing = if path.is_file() { Some(self.read_meta(bucket, &meta.key, &path)?) } else { None };
        if !guard(existing.as_ref()) {
            return Err(StoreError::Condition);
        }
        if path.is_dir() {
            return Err(CLASH);
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => CLASH,
                io::ErrorKind::InvalidFilename => StoreError::InvalidKey("a segment of the key is too long"),
                _ => error.into(),
            })?;
        }
        fs::rename(&staged.path, &path)?;
        let written = fs::metadata(&path)?;
        meta.size = written.len();
        meta.modified = nanos(written.modified()?);
        self.write_meta(bucket, &meta)?;
        Ok(meta)
    }

    /// Puts a whole object: the way in for what the sandbox itself writes.
    pub(crate) fn put(&self, bucket: &str, key: &str, content: &[u8], content_type: &str) -> Result<(), StoreError> {
        let staged = self.stage();
        let mut file = File::create(&staged.path)?;
        io::Write::write_all(&mut file, content)?;
        file.sync_all()?;
        let mut md5 = Md5::new();
        md5.update(content);
        let meta = ObjectMeta {
            key: key.to_owned(),
            e_tag: hex::encode(md5.finalize()),
            attributes: Attributes { content_type: Some(content_type.to_owned()), ..Attributes::default() },
            ..ObjectMeta::default()
        };
        self.commit(&staged, bucket, meta, |_| true).map(|_| ())
    }

    /// An object's file and what is known of it.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> Result<(PathBuf, ObjectMeta), StoreError> {
        self.bucket(bucket)?;
        let path = self.object_path(bucket, key).map_err(|_| StoreError::NoSuchKey)?;
        if !path.is_file() {
            return Err(StoreError::NoSuchKey);
        }
        let meta = self.read_meta(bucket, key, &path)?;
        Ok((path, meta))
    }

    /// Removes an object, and the folders that are empty without it. Nothing happens when it is not there.
    pub(crate) fn delete(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        self.bucket(bucket)?;
        let Ok(path) = self.object_path(bucket, key) else { return Ok(()) };
        let _order = self.order();
        if !path.is_file() {
            return Ok(());
        }
        fs::remove_file(&path)?;
        fs::remove_file(self.meta_path(bucket, key)).or_else(absent_is_fine)?;
        let root = self.buckets.join(bucket);
        let mut folder = path.parent();
        while let Some(parent) = folder.filter(|parent| **parent != *root) {
            if fs::remove_dir(parent).is_err() {
                break;
            }
            folder = parent.parent();
        }
        Ok(())
    }

    /// Keys with a prefix, in the order of their bytes.
    pub(crate) fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        self.bucket(bucket)?;
        self.walk(bucket, prefix)
    }

    fn walk(&self, bucket: &str, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        let root = self.buckets.join(bucket);
        // Only the folder that the prefix names can hold a match.
        let inside = prefix.rfind('/').map_or("", |end| &prefix[..=end]);
        if !inside.is_empty() && split_key(inside.trim_end_matches('/')).is_err() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        let mut folders = vec![(root.join(inside), inside.to_owned())];
        while let Some((folder, path)) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            for entry in entries {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let key = format!("{path}{name}");
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    let below = format!("{key}/");
                    if below.starts_with(prefix) || prefix.starts_with(&below) {
                        folders.push((entry.path(), below));
                    }
                } else if kind.is_file() && key.starts_with(prefix) {
                    found.push(Listed { key, size: entry.metadata()?.len() });
                }
            }
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    fn object_path(&self, bucket: &str, key: &str) -> Result<PathBuf, StoreError> {
        Ok(split_key(key)?.fold(self.buckets.join(bucket), |path, segment| path.join(segment)))
    }

    fn meta_path(&self, bucket: &str, key: &str) -> PathBuf {
        self.meta.join(bucket).join(format!("{}.json", hex::encode(Sha256::digest(key.as_bytes()))))
    }

    fn read_meta(&self, bucket: &str, key: &str, path: &Path) -> Result<ObjectMeta, StoreError> {
        let file = fs::metadata(path)?;
        let (size, modified) = (file.len(), nanos(file.modified()?));
        let kept = fs::read(self.meta_path(bucket, key)).ok();
        if let Some(meta) = kept.and_then(|text| serde_json::from_slice::<ObjectMeta>(&text).ok())
            && (meta.key.as_str(), meta.size, meta.modified) == (key, size, modified)
        {
            return Ok(meta);
        }
        let meta = ObjectMeta { key: key.to_owned(), e_tag: md5_of(path)?, size, modified, ..ObjectMeta::default() };
        self.write_meta(bucket, &meta)?;
        Ok(meta)
    }

    fn write_meta(&self, bucket: &str, meta: &ObjectMeta) -> Result<(), StoreError> {
        let path = self.meta_path(bucket, &meta.key);
        fs::create_dir_all(self.meta.join(bucket))?;
        // Not synced: if it is lost, it is computed again from the object.
        let draft = self.stage();
        fs::write(&draft.path, serde_json::to_vec(meta).map_err(io::Error::from)?)?;
        fs::rename(&draft.path, path)?;
        Ok(())
    }

    fn order(&self) -> std::sync::MutexGuard<'_, ()> {
        self.layout.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

const CLASH: StoreError =
    StoreError::InvalidKey("objects are kept as plain files, so a key cannot also be the folder of another key");

fn split_key(key: &str) -> Result<impl Iterator<Item = &str>, StoreError> {
    if key.split('/').any(|segment| matches!(segment, "" | "." | "..")) || key.contains('\0') {
        return Err(StoreError::InvalidKey(
            "objects are kept as plain files, so a key cannot have an empty, '.' or '..' segment or end in a slash",
        ));
    }
    if key.split('/').any(|segment| segment.len() > 255) {
        return Err(StoreError::InvalidKey("objects are kept as plain files, so a segment has at most 255 bytes"));
    }
    Ok(key.split('/'))
}

fn nanos(at: SystemTime) -> i64 {
    OffsetDateTime::from(at).unix_timestamp_nanos() as i64
}

fn md5_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut md5 = Md5::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(md5.finalize())),
            read => md5.update(&buffer[..read]),
        }
    }
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
