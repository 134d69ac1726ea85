//! Which keys a file system can hold, and which keys there are.

use std::fs;
use std::io;

use super::{Listed, ObjectStore, StoreError};

pub(super) const CLASH: StoreError =
    StoreError::InvalidKey("objects are kept as plain files, so a key cannot also be the folder of another key");

pub(super) fn split_key(key: &str) -> Result<impl Iterator<Item = &str>, StoreError> {
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

impl ObjectStore {
    /// Keys with a prefix, in the order of their bytes.
    pub(crate) fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        self.bucket(bucket)?;
        self.walk(bucket, prefix)
    }

    pub(super) fn walk(&self, bucket: &str, prefix: &str) -> Result<Vec<Listed>, StoreError> {
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
}
