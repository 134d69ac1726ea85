//! Objects: put whole, read, deleted, and what is kept beside them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use s3s::crypto::{Checksum, Md5};
use sha2::{Digest, Sha256};

use super::keys::{CLASH, split_key};
use super::{Attributes, ObjectMeta, ObjectStore, Staged, StoreError, absent_is_fine, nanos};

impl ObjectStore {
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
