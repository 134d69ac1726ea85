//! Uploads in parts, operation by operation. How they lie on disk is `parts`' matter.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum, Md5};
use s3s::dto::{self, ETag, Timestamp};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::digests::{Checksums, Declared, hasher, with_checksums};
use super::objects::{attributes, may_replace, own_encoding, receive, source};
use super::parts::{self, Upload};
use super::store::{Attributes, ObjectMeta, ObjectStore, StoreError};
use super::{blocking, encoded};

/// Most parts, or uploads, of one page: S3's own limit.
const PAGE: i32 = 1000;

pub(super) async fn create(
    store: Arc<ObjectStore>,
    request: S3Request<dto::CreateMultipartUploadInput>,
    now: i64,
) -> S3Result<S3Response<dto::CreateMultipartUploadOutput>> {
    let input = request.input;
    let algorithm = input.checksum_algorithm.as_ref().map(|one| one.as_str().to_ascii_lowercase());
    let whole = input.checksum_type.as_ref().is_some_and(|one| one.as_str() == dto::ChecksumType::FULL_OBJECT);
    // Parts of this one can be put together, so S3 knows it of the whole only.
    let composite = !whole && algorithm.as_deref() != Some("crc64nvme");
    if whole && matches!(algorithm.as_deref(), Some("sha1" | "sha256")) {
        return Err(s3_error!(
            InvalidRequest,
            "The FULL_OBJECT checksum type cannot be used with the sha1 or sha256 checksum algorithm."
        ));
    }
    let kind = if composite { dto::ChecksumType::COMPOSITE } else { dto::ChecksumType::FULL_OBJECT };
    let checksum_type = algorithm.is_some().then(|| dto::ChecksumType::from_static(kind));
    let checksum_algorithm = input.checksum_algorithm;
    let upload = Upload {
        bucket: input.bucket,
        key: input.key,
        attributes: attributes!(input),
        begun: now,
        algorithm,
        composite,
    };
    blocking(move || {
        let id = parts::begin(&store, &upload)?;
        Ok::<_, StoreError>(S3Response::new(dto::CreateMultipartUploadOutput {
            bucket: Some(upload.bucket),
            key: Some(upload.key),
            upload_id: Some(id),
            checksum_algorithm,
            checksum_type,
            ..Default::default()
        }))
    })
    .await
}

fn check_number(number: i32) -> S3Result<()> {
    if (1..=10_000).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"))
}

pub(super) async fn upload_part(
    store: Arc<ObjectStore>,
    request: S3Request<dto::UploadPartInput>,
    now: i64,
) -> S3Result<S3Response<dto::UploadPartOutput>> {
    let input = request.input;
    check_number(input.part_number)?;
    let (folder, upload) = {
        let store = store.clone();
        blocking(move || parts::open(&store, &input.upload_id, &input.bucket, &input.key)).await?
    };
    let declared = Declared::of(&request.headers, request.trailing_headers);
    let received = receive(&store, input.body, input.content_length, &declared, upload.algorithm.as_deref()).await?;
    let part = blocking(move || {
        let digests = (received.md5.as_slice(), &received.checksums);
        parts::put(&folder, input.part_number, received.staged.path(), digests, now)
    })
    .await?;
    Ok(S3Response::new(with_checksums!(
        part.checksums,
        dto::UploadPartOutput { e_tag: Some(ETag::Strong(part.md5)), ..Default::default() }
    )))
}

pub(super) async fn upload_part_copy(
    store: Arc<ObjectStore>,
    request: S3Request<dto::UploadPartCopyInput>,
    now: i64,
) -> S3Result<S3Response<dto::UploadPartCopyOutput>> {
    let input = request.input;
    check_number(input.part_number)?;
    let (from_bucket, from_key) = source(&input.copy_source)?;
    let range =
        input.copy_source_range.map(|text| dto::Range::parse(&text)).transpose().map_err(|_| {
            s3_error!(InvalidArgument, "The range of the copy source is not of the form bytes=first-last")
        })?;
    blocking(move || {
        let (folder, upload) = parts::open(&store, &input.upload_id, &input.bucket, &input.key)?;
        let (path, meta) = store.object(&from_bucket, &from_key)?;
        let range = range.map_or(Ok(0..meta.size), |range| range.check(meta.size))?;
        let staged = store.stage();
        let copied = || -> io::Result<([u8; 16], Checksums)> {
            let mut from = File::open(&path)?;
            from.seek(io::SeekFrom::Start(range.start))?;
            let checksums = hasher(|name| upload.algorithm.as_deref() == Some(name));
            let mut hashing = Hashing { inner: File::create(staged.path())?, md5: Md5::new(), checksums };
            io::copy(&mut from.take(range.end - range.start), &mut hashing)?;
            hashing.inner.sync_all()?;
            Ok((hashing.md5.finalize(), Checksums::of(hashing.checksums.finalize())))
        };
        let (md5, checksums) = copied().map_err(StoreError::from)?;
        let part = parts::put(&folder, input.part_number, staged.path(), (&md5, &checksums), now)?;
        Ok::<_, s3s::S3Error>(S3Response::new(dto::UploadPartCopyOutput {
            copy_part_result: Some(with_checksums!(
                part.checksums,
                dto::CopyPartResult { e_tag: Some(ETag::Strong(part.md5)), last_modified: time(part.modified) }
            )),
            ..Default::default()
        }))
    })
    .await
}

pub(super) async fn complete(
    store: Arc<ObjectStore>,
    request: S3Request<dto::CompleteMultipartUploadInput>,
) -> S3Result<S3Response<dto::CompleteMultipartUploadOutput>> {
    let headers = request.headers;
    let input = request.input;
    blocking(move || {
        // A client that asks again because it lost the answer waits for the first of the two, and then finds it done.
        let _turn = store.completing();
        let (folder, upload) = parts::open(&store, &input.upload_id, &input.bucket, &input.key)?;
        let asked = input.multipart_upload.and_then(|given| given.parts).unwrap_or_default();
        if asked.is_empty() {
            return Err(s3_error!(InvalidRequest, "You must specify at least one part"));
        }
        let staged = store.stage();
        let whole = parts::assemble(&folder, &upload, &asked, staged.path())?;
        Declared::of(&headers, None).check_whole(&whole.checksums)?;
        if input.mpu_object_size.is_some_and(|size| u64::try_from(size) != Ok(whole.size)) {
            return Err(s3_error!(InvalidRequest, "The object is not of the size that x-amz-mp-object-size says."));
        }
        let meta = ObjectMeta {
            key: upload.key,
            e_tag: whole.e_tag,
            attributes: upload.attributes,
            checksums: whole.checksums,
            ..ObjectMeta::default()
        };
        let meta = store.commit(&staged, &upload.bucket, meta, |existing| {
            may_replace(existing, input.if_match.as_ref(), input.if_none_match.as_ref())
        })?;
        parts::remove(&store, &folder)?;
        Ok(S3Response::new(with_checksums!(
            meta.checksums.clone(),
            dto::CompleteMultipartUploadOutput {
                location: Some(format!("/{}/{}", upload.bucket, meta.key)),
                checksum_type: meta.checksums.kind(),
                bucket: Some(upload.bucket),
                key: Some(meta.key),
                e_tag: Some(ETag::Strong(meta.e_tag)),
                ..Default::default()
            }
        )))
    })
    .await
}

pub(super) async fn abort(
    store: Arc<ObjectStore>,
    request: S3Request<dto::AbortMultipartUploadInput>,
) -> S3Result<S3Response<dto::AbortMultipartUploadOutput>> {
    let input = request.input;
    blocking(move || {
        let (folder, _) = parts::open(&store, &input.upload_id, &input.bucket, &input.key)?;
        parts::remove(&store, &folder)?;
        Ok::<_, s3s::S3Error>(S3Response::new(dto::AbortMultipartUploadOutput::default()))
    })
    .await
}

pub(super) async fn list_parts(
    store: Arc<ObjectStore>,
    request: S3Request<dto::ListPartsInput>,
) -> S3Result<S3Response<dto::ListPartsOutput>> {
    let input = request.input;
    let size = input.max_parts.unwrap_or(PAGE).clamp(0, PAGE);
    let after = input.part_number_marker.unwrap_or_default();
    blocking(move || {
        let (folder, upload) = parts::open(&store, &input.upload_id, &input.bucket, &input.key)?;
        let mut found = parts::all(&folder)?;
        found.retain(|part| part.number > after);
        let more = found.len() > size as usize;
        found.truncate(size as usize);
        let last = found.last().map(|part| part.number);
        let shown = found.into_iter().map(|part| {
            with_checksums!(
                part.checksums,
                dto::Part {
                    part_number: Some(part.number),
                    e_tag: Some(ETag::Strong(part.md5)),
                    size: i64::try_from(part.size).ok(),
                    last_modified: time(part.modified),
                }
            )
        });
        Ok::<_, s3s::S3Error>(S3Response::new(dto::ListPartsOutput {
            bucket: Some(upload.bucket),
            key: Some(upload.key),
            upload_id: Some(input.upload_id),
            max_parts: Some(size),
            part_number_marker: input.part_number_marker,
            is_truncated: Some(more),
            next_part_number_marker: last.filter(|_| more),
            parts: Some(shown.collect()),
            ..Default::default()
        }))
    })
    .await
}

pub(super) async fn list_uploads(
    store: Arc<ObjectStore>,
    request: S3Request<dto::ListMultipartUploadsInput>,
) -> S3Result<S3Response<dto::ListMultipartUploadsOutput>> {
    let input = request.input;
    if input.delimiter.as_deref().is_some_and(|text| !text.is_empty()) {
        return Err(s3_error!(NotImplemented, "The sandbox lists uploads without a delimiter."));
    }
    let size = input.max_uploads.unwrap_or(PAGE).clamp(0, PAGE);
    let prefix = input.prefix.clone().unwrap_or_default();
    let (after_key, after_id) =
        (input.key_marker.clone().unwrap_or_default(), input.upload_id_marker.clone().unwrap_or_default());
    let url = input.encoding_type.as_ref().is_some_and(|one| one.as_str() == dto::EncodingType::URL);
    blocking(move || {
        let mut found = parts::under_way(&store, &input.bucket)?;
        found.retain(|(id, upload)| {
            let behind = upload.key > after_key || (upload.key == after_key && !after_id.is_empty() && *id > after_id);
            upload.key.starts_with(&prefix) && behind
        });
        let more = found.len() > size as usize;
        found.truncate(size as usize);
        let last = found.last().filter(|_| more).map(|(id, upload)| (id.clone(), encoded(&upload.key, url)));
        let (next_upload_id_marker, next_key_marker) = last.unzip();
        let shown = found.into_iter().map(|(id, upload)| dto::MultipartUpload {
            key: Some(encoded(&upload.key, url)),
            upload_id: Some(id),
            initiated: time(upload.begun),
            storage_class: Some(dto::StorageClass::from_static(dto::StorageClass::STANDARD)),
            ..Default::default()
        });
        Ok::<_, s3s::S3Error>(S3Response::new(dto::ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: input.prefix.map(|prefix| encoded(&prefix, url)),
            key_marker: input.key_marker,
            upload_id_marker: input.upload_id_marker,
            next_key_marker,
            next_upload_id_marker,
            max_uploads: Some(size),
            is_truncated: Some(more),
            encoding_type: input.encoding_type,
            uploads: Some(shown.collect()),
            ..Default::default()
        }))
    })
    .await
}

fn time(millis: i64) -> Option<Timestamp> {
    time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok().map(Timestamp::from)
}

struct Hashing {
    inner: File,
    md5: Md5,
    checksums: ChecksumHasher,
}

impl io::Write for Hashing {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(data)?;
        self.md5.update(&data[..written]);
        self.checksums.update(&data[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
