//! Uploads in parts. A part is a file in `s3-uploads/UPLOAD-ID/`, so an upload can go on after a restart.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;

use s3s::crypto::{Checksum, Md5};
use s3s::dto::{self, ETag};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::blocking;
use super::objects::{Declared, may_replace, own_encoding, receive, source};
use super::store::{Attributes, Checksums, ObjectMeta, ObjectStore, StoreError};
use crate::home::write_atomically;
use crate::ids;

/// Every part but the last has at least this many bytes: S3's own limit.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Upload {
    bucket: String,
    key: String,
    attributes: Attributes,
}

/// The upload's folder, when the id is one of ours and belongs to this bucket and key.
fn open(store: &ObjectStore, id: &str, bucket: &str, key: &str) -> S3Result<(PathBuf, Upload)> {
    let absent = || s3_error!(NoSuchUpload, "The specified multipart upload does not exist.");
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(absent());
    }
    let folder = store.uploads().join(id);
    let text = fs::read(folder.join("upload.json")).map_err(|_| absent())?;
    let upload: Upload = serde_json::from_slice(&text).map_err(|_| absent())?;
    if (upload.bucket.as_str(), upload.key.as_str()) == (bucket, key) { Ok((folder, upload)) } else { Err(absent()) }
}

/// A part's file is named by its number and the MD5 of its content.
fn part_prefix(number: i32) -> String {
    format!("part-{number:05}-")
}

fn find_part(folder: &std::path::Path, number: i32) -> io::Result<Option<(PathBuf, String)>> {
    let prefix = part_prefix(number);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(md5) = entry.file_name().to_str().and_then(|name| name.strip_prefix(&prefix)) {
            return Ok(Some((entry.path(), md5.to_owned())));
        }
    }
    Ok(None)
}

pub(super) async fn create(
    store: Arc<ObjectStore>,
    request: S3Request<dto::CreateMultipartUploadInput>,
) -> S3Result<S3Response<dto::CreateMultipartUploadOutput>> {
    let input = request.input;
    let upload = Upload {
        bucket: input.bucket,
        key: input.key,
        attributes: Attributes {
            content_type: input.content_type,
            content_encoding: own_encoding(input.content_encoding),
            content_disposition: input.content_disposition,
            content_language: input.content_language,
            cache_control: input.cache_control,
            user: input.metadata.unwrap_or_default().into_iter().collect(),
        },
    };
    let checksum_algorithm = input.checksum_algorithm;
    blocking(move || {
        store.bucket(&upload.bucket)?;
        let id = ids::resource_id() + &ids::resource_id();
        let folder = store.uploads().join(&id);
        fs::create_dir(&folder)?;
        write_atomically(&folder.join("upload.json"), &serde_json::to_vec(&upload).map_err(io::Error::from)?)?;
        Ok::<_, StoreError>(S3Response::new(dto::CreateMultipartUploadOutput {
            bucket: Some(upload.bucket),
            key: Some(upload.key),
            upload_id: Some(id),
            checksum_algorithm,
            ..Default::default()
        }))
    })
    .await
}

pub(super) async fn upload_part(
    store: Arc<ObjectStore>,
    request: S3Request<dto::UploadPartInput>,
) -> S3Result<S3Response<dto::UploadPartOutput>> {
    let input = request.input;
    if !(1..=10_000).contains(&input.part_number) {
        return Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"));
    }
    let folder = {
        let store = store.clone();
        blocking(move || open(&store, &input.upload_id, &input.bucket, &input.key)).await?.0
    };
    let declared = Declared {
        checksums: Checksums {
            crc32: input.checksum_crc32,
            crc32c: input.checksum_crc32c,
            crc64nvme: input.checksum_crc64nvme,
            sha1: input.checksum_sha1,
            sha256: input.checksum_sha256,
        },
        algorithm: input.checksum_algorithm.map(|algorithm| algorithm.as_str().to_owned()),
        content_md5: input.content_md5,
        ..Declared::new(&request.headers, request.trailing_headers)
    };
    let received = receive(&store, input.body, input.content_length, &declared).await?;
    let (md5, checksums) = (hex::encode(received.md5), received.checksums);
    let number = input.part_number;
    let name = format!("{}{md5}", part_prefix(number));
    blocking(move || {
        if let Some((older, _)) = find_part(&folder, number)? {
            fs::remove_file(older)?;
        }
        fs::rename(received.staged.path(), folder.join(name)).map_err(StoreError::from)
    })
    .await?;
    Ok(S3Response::new(dto::UploadPartOutput {
        e_tag: Some(ETag::Strong(md5)),
        checksum_crc32: checksums.crc32,
        checksum_crc32c: checksums.crc32c,
        checksum_crc64nvme: checksums.crc64nvme,
        checksum_sha1: checksums.sha1,
        checksum_sha256: checksums.sha256,
        ..Default::default()
    }))
}

pub(super) async fn upload_part_copy(
    store: Arc<ObjectStore>,
    request: S3Request<dto::UploadPartCopyInput>,
) -> S3Result<S3Response<dto::UploadPartCopyOutput>> {
    let input = request.input;
    let (from_bucket, from_key) = source(&input.copy_source)?;
    let range =
        input.copy_source_range.map(|text| dto::Range::parse(&text)).transpose().map_err(|_| {
            s3_error!(InvalidArgument, "The range of the copy source is not of the form bytes=first-last")
        })?;
    blocking(move || {
        let (folder, _) = open(&store, &input.upload_id, &input.bucket, &input.key)?;
        let (path, meta) = store.object(&from_bucket, &from_key)?;
        let range = range.map_or(Ok(0..meta.size), |range| range.check(meta.size))?;
        let staged = store.stage();
        let copied = || -> io::Result<[u8; 16]> {
            let mut from = File::open(&path)?;
            from.seek(io::SeekFrom::Start(range.start))?;
            let mut hashing = Hashing { inner: File::create(staged.path())?, md5: Md5::new() };
            io::copy(&mut from.take(range.end - range.start), &mut hashing)?;
            hashing.inner.sync_all()?;
            Ok(hashing.md5.finalize())
        };
        let md5 = hex::encode(copied().map_err(StoreError::from)?);
        let put = || -> io::Result<()> {
            if let Some((older, _)) = find_part(&folder, input.part_number)? {
                fs::remove_file(older)?;
            }
            fs::rename(staged.path(), folder.join(format!("{}{md5}", part_prefix(input.part_number))))
        };
        put().map_err(StoreError::from)?;
        Ok::<_, s3s::S3Error>(S3Response::new(dto::UploadPartCopyOutput {
            copy_part_result: Some(dto::CopyPartResult {
                e_tag: Some(ETag::Strong(md5)),
                last_modified: Some(meta.modified_at().into()),
                ..Default::default()
            }),
            ..Default::default()
        }))
    })
    .await
}

pub(super) async fn complete(
    store: Arc<ObjectStore>,
    request: S3Request<dto::CompleteMultipartUploadInput>,
) -> S3Result<S3Response<dto::CompleteMultipartUploadOutput>> {
    let input = request.input;
    blocking(move || {
        let (folder, upload) = open(&store, &input.upload_id, &input.bucket, &input.key)?;
        let parts = input.multipart_upload.and_then(|given| given.parts).unwrap_or_default();
        if parts.is_empty() {
            return Err(s3_error!(InvalidRequest, "You must specify at least one part"));
        }
        let staged = store.stage();
        let e_tag = assemble(&folder, &parts, staged.path())?;
        let meta = ObjectMeta { key: upload.key, e_tag, attributes: upload.attributes, ..ObjectMeta::default() };
        let meta = store.commit(&staged, &upload.bucket, meta, |existing| {
            may_replace(existing, input.if_match.as_ref(), input.if_none_match.as_ref())
        })?;
        fs::remove_dir_all(&folder).map_err(StoreError::from)?;
        Ok(S3Response::new(dto::CompleteMultipartUploadOutput {
            bucket: Some(upload.bucket),
            key: Some(meta.key),
            e_tag: Some(ETag::Strong(meta.e_tag)),
            ..Default::default()
        }))
    })
    .await
}

/// Joins the parts in the order given and answers the ETag: the MD5 of the parts' MD5s and their count.
fn assemble(folder: &std::path::Path, parts: &[dto::CompletedPart], to: &std::path::Path) -> S3Result<String> {
    let invalid = || {
        s3_error!(
            InvalidPart,
            "One or more of the specified parts could not be found. The part might not have been uploaded, or the \
             specified entity tag might not have matched the part's entity tag."
        )
    };
    let io_failed = |error: io::Error| StoreError::from(error);
    let mut whole = File::create(to).map_err(io_failed)?;
    let (mut all, mut last) = (Md5::new(), 0);
    for (index, part) in parts.iter().enumerate() {
        let number = part.part_number.ok_or_else(invalid)?;
        if number <= last {
            return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order."));
        }
        last = number;
        let (path, md5) = find_part(folder, number).map_err(io_failed)?.ok_or_else(invalid)?;
        if part.e_tag.as_ref().is_some_and(|given| given.value() != md5) {
            return Err(invalid());
        }
        let mut file = File::open(&path).map_err(io_failed)?;
        let size = io::copy(&mut file, &mut whole).map_err(io_failed)?;
        if size < SMALLEST_PART && index + 1 < parts.len() {
            return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
        }
        all.update(&hex::decode(&md5).map_err(|_| invalid())?);
    }
    whole.sync_all().map_err(io_failed)?;
    Ok(format!("{}-{}", hex::encode(all.finalize()), parts.len()))
}

pub(super) async fn abort(
    store: Arc<ObjectStore>,
    request: S3Request<dto::AbortMultipartUploadInput>,
) -> S3Result<S3Response<dto::AbortMultipartUploadOutput>> {
    let input = request.input;
    blocking(move || {
        let (folder, _) = open(&store, &input.upload_id, &input.bucket, &input.key)?;
        fs::remove_dir_all(folder).map_err(StoreError::from)?;
        Ok::<_, s3s::S3Error>(S3Response::new(dto::AbortMultipartUploadOutput::default()))
    })
    .await
}

pub(super) async fn list_parts(
    store: Arc<ObjectStore>,
    request: S3Request<dto::ListPartsInput>,
) -> S3Result<S3Response<dto::ListPartsOutput>> {
    let input = request.input;
    blocking(move || {
        let (folder, upload) = open(&store, &input.upload_id, &input.bucket, &input.key)?;
        let mut parts = Vec::new();
        for entry in fs::read_dir(folder).map_err(StoreError::from)? {
            let entry = entry.map_err(StoreError::from)?;
            let name = entry.file_name();
            let Some((number, md5)) =
                name.to_str().and_then(|name| name.strip_prefix("part-")).and_then(|name| name.split_once('-'))
            else {
                continue;
            };
            parts.push(dto::Part {
                part_number: number.parse().ok(),
                e_tag: Some(ETag::Strong(md5.to_owned())),
                size: entry.metadata().ok().and_then(|file| i64::try_from(file.len()).ok()),
                ..Default::default()
            });
        }
        parts.sort_by_key(|part| part.part_number);
        Ok::<_, s3s::S3Error>(S3Response::new(dto::ListPartsOutput {
            bucket: Some(upload.bucket),
            key: Some(upload.key),
            upload_id: Some(input.upload_id),
            is_truncated: Some(false),
            parts: Some(parts),
            ..Default::default()
        }))
    })
    .await
}

struct Hashing {
    inner: File,
    md5: Md5,
}

impl io::Write for Hashing {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(data)?;
        self.md5.update(&data[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
