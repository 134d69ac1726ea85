//! The parts of an upload on disk: `s3-uploads/UPLOAD-ID/`, so that an upload can go on after a restart.
//!
//! A part is a file of its own name and a small JSON file, `part-00001.json`, that says which file it is; that one is
//! replaced by rename, so a part that is sent again is the old one or the new one at any moment.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use s3s::crypto::{Checksum, Md5};
use s3s::{S3Result, dto, s3_error};
use serde::{Deserialize, Serialize};

use super::digests::{Checksums, composite, hasher};
use super::store::{Attributes, ObjectStore, StoreError};
use crate::home::write_atomically;
use crate::ids;

/// Every part but the last has at least this many bytes: S3's own limit.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) attributes: Attributes,
    /// Milliseconds since the Unix epoch.
    #[serde(default)]
    pub(super) begun: i64,
    /// `crc32`, `sha256`, …: the checksum that the object will keep.
    #[serde(default)]
    pub(super) algorithm: Option<String>,
    /// The kept checksum is one of the parts' checksums, and not of the whole.
    #[serde(default)]
    pub(super) composite: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    #[serde(skip)]
    pub(super) number: i32,
    file: String,
    pub(super) size: u64,
    pub(super) md5: String,
    pub(super) checksums: Checksums,
    /// Milliseconds since the Unix epoch.
    pub(super) modified: i64,
}

/// The upload's folder, when the id is one of ours and belongs to this bucket and key.
pub(super) fn open(store: &ObjectStore, id: &str, bucket: &str, key: &str) -> S3Result<(PathBuf, Upload)> {
    let absent = || s3_error!(NoSuchUpload, "The specified multipart upload does not exist.");
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(absent());
    }
    let folder = store.uploads().join(id);
    let upload = read(&folder).ok_or_else(absent)?;
    if (upload.bucket.as_str(), upload.key.as_str()) == (bucket, key) { Ok((folder, upload)) } else { Err(absent()) }
}

fn read(folder: &Path) -> Option<Upload> {
    serde_json::from_slice(&fs::read(folder.join("upload.json")).ok()?).ok()
}

/// Makes the folder of a new upload and answers its id.
pub(super) fn begin(store: &ObjectStore, upload: &Upload) -> Result<String, StoreError> {
    store.bucket(&upload.bucket)?;
    let id = ids::resource_id() + &ids::resource_id();
    let folder = store.uploads().join(&id);
    fs::create_dir(&folder)?;
    write_atomically(&folder.join("upload.json"), &serde_json::to_vec(upload).map_err(io::Error::from)?)?;
    Ok(id)
}

/// All of it is gone at once: who lists the parts meanwhile must not take those that are still there for all that arrived.
pub(super) fn remove(store: &ObjectStore, folder: &Path) -> Result<(), StoreError> {
    let aside = store.stage();
    fs::rename(folder, aside.path())?;
    Ok(fs::remove_dir_all(aside.path())?)
}

/// Ids and uploads of a bucket that are under way, by key and id.
pub(super) fn under_way(store: &ObjectStore, bucket: &str) -> Result<Vec<(String, Upload)>, StoreError> {
    store.bucket(bucket)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(store.uploads())? {
        let entry = entry?;
        let Ok(id) = entry.file_name().into_string() else { continue };
        if let Some(upload) = read(&entry.path()).filter(|upload| upload.bucket == bucket) {
            found.push((id, upload));
        }
    }
    found.sort_by(|a, b| (&a.1.key, &a.0).cmp(&(&b.1.key, &b.0)));
    Ok(found)
}

fn name_of(number: i32) -> String {
    format!("part-{number:05}.json")
}

fn find(folder: &Path, number: i32) -> Option<Part> {
    let text = fs::read(folder.join(name_of(number))).ok()?;
    Some(Part { number, ..serde_json::from_slice(&text).ok()? })
}

/// Takes a staged, synced file in as a part, in the place of an earlier one of the same number.
pub(super) fn put(
    folder: &Path,
    number: i32,
    staged: &Path,
    (md5, checksums): (&[u8], &Checksums),
    now: i64,
) -> Result<Part, StoreError> {
    let part = Part {
        number,
        file: ids::resource_id(),
        size: fs::metadata(staged)?.len(),
        md5: hex::encode(md5),
        checksums: checksums.clone(),
        modified: now,
    };
    let earlier = find(folder, number);
    fs::rename(staged, folder.join(&part.file))?;
    write_atomically(&folder.join(name_of(number)), &serde_json::to_vec(&part).map_err(io::Error::from)?)?;
    if let Some(earlier) = earlier {
        fs::remove_file(folder.join(earlier.file))?;
    }
    Ok(part)
}

/// All parts that have arrived, by number.
pub(super) fn all(folder: &Path) -> Result<Vec<Part>, StoreError> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("part-")?.strip_suffix(".json")?.parse().ok());
        parts.extend(number.and_then(|number| find(folder, number)));
    }
    parts.sort_by_key(|part| part.number);
    Ok(parts)
}

/// What the parts are together.
pub(super) struct Whole {
    /// The MD5 of the parts' MD5s and their count.
    pub(super) e_tag: String,
    pub(super) checksums: Checksums,
    pub(super) size: u64,
}

/// Joins the parts in the order given.
pub(super) fn assemble(folder: &Path, upload: &Upload, asked: &[dto::CompletedPart], to: &Path) -> S3Result<Whole> {
    let failed = |error: io::Error| StoreError::from(error);
    let parts = chosen(folder, asked)?;
    let algorithm = upload.algorithm.as_deref();
    let mut whole = File::create(to).map_err(failed)?;
    let (mut all, mut size) = (Md5::new(), 0);
    for (index, part) in parts.iter().enumerate() {
        if part.size < SMALLEST_PART && index + 1 < parts.len() {
            return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
        }
        let mut file = File::open(folder.join(&part.file)).map_err(failed)?;
        size += io::copy(&mut file, &mut whole).map_err(failed)?;
        all.update(&hex::decode(&part.md5).map_err(|_| invalid_part())?);
    }
    whole.sync_all().map_err(failed)?;
    let mut checksums = Checksums { composite: upload.composite, ..Checksums::default() };
    if let Some(algorithm) = algorithm {
        let kept = if upload.composite {
            let digests: Option<Vec<String>> =
                parts.iter().map(|part| part.checksums.get(algorithm).map(str::to_owned)).collect();
            composite(algorithm, &digests.ok_or_else(invalid_part)?)
        } else {
            digest_of(to, algorithm).map_err(failed)?
        };
        checksums.set(algorithm, kept);
    }
    Ok(Whole { e_tag: format!("{}-{}", hex::encode(all.finalize()), parts.len()), checksums, size })
}

/// The parts that a request names, each with the ETag and the checksums that it says.
fn chosen(folder: &Path, asked: &[dto::CompletedPart]) -> S3Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::with_capacity(asked.len());
    for one in asked {
        let number = one.part_number.ok_or_else(invalid_part)?;
        if parts.last().is_some_and(|last| number <= last.number) {
            return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order."));
        }
        let part = find(folder, number).ok_or_else(invalid_part)?;
        let said = [
            ("crc32", &one.checksum_crc32),
            ("crc32c", &one.checksum_crc32c),
            ("crc64nvme", &one.checksum_crc64nvme),
            ("sha1", &one.checksum_sha1),
            ("sha256", &one.checksum_sha256),
        ];
        let differs =
            |(name, said): (&str, &Option<String>)| said.is_some() && part.checksums.get(name) != said.as_deref();
        if one.e_tag.as_ref().is_some_and(|given| given.value() != part.md5) || said.into_iter().any(differs) {
            return Err(invalid_part());
        }
        parts.push(part);
    }
    Ok(parts)
}

fn invalid_part() -> s3s::S3Error {
    s3_error!(
        InvalidPart,
        "One or more of the specified parts could not be found. The part might not have been uploaded, or the specified \
         entity tag might not have matched the part's entity tag."
    )
}

fn digest_of(path: &Path, algorithm: &str) -> io::Result<Option<String>> {
    let mut computed = hasher(|name| name == algorithm);
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(Checksums::of(computed.finalize()).get(algorithm).map(str::to_owned)),
            read => computed.update(&buffer[..read]),
        }
    }
}
