//! Objects' bodies on their way in and out: digests, sizes, ranges, conditions and copies.

use std::io;
use std::sync::Arc;

use futures_util::StreamExt;
use s3s::crypto::{Checksum, Md5};
use s3s::dto::{self, ETag, ETagCondition, StreamingBlob, Timestamp};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use super::blocking;
use super::digests::{Checksums, Declared, with_checksums};
use super::store::{Attributes, ObjectMeta, ObjectStore, Staged};

/// Largest object of a single put, and largest part: S3's own limit.
const LARGEST_BODY: u64 = 5 * 1024 * 1024 * 1024;

/// What a request says about the object that it makes.
macro_rules! attributes {
    ($input:ident) => {
        Attributes {
            content_type: $input.content_type,
            content_encoding: own_encoding($input.content_encoding),
            content_disposition: $input.content_disposition,
            content_language: $input.content_language,
            cache_control: $input.cache_control,
            user: $input.metadata.unwrap_or_default().into_iter().collect(),
        }
    };
}
pub(super) use attributes;

/// There is one version of an object, which S3 calls `null`.
pub(super) fn only_version(asked: Option<&String>) -> S3Result<()> {
    if asked.is_none_or(|id| id == "null") {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "Invalid version id specified: buckets here have no versions"))
}

/// A body that has arrived whole, is on disk, and is what the client said it would be.
pub(super) struct Received {
    pub(super) staged: Staged,
    pub(super) md5: [u8; 16],
    pub(super) checksums: Checksums,
}

/// Takes a body in. `kept` names the checksum that the upload it is a part of wants of each part.
pub(super) async fn receive(
    store: &ObjectStore,
    body: Option<StreamingBlob>,
    length: Option<i64>,
    declared: &Declared,
    kept: Option<&str>,
) -> S3Result<Received> {
    if length.is_some_and(|length| length.unsigned_abs() > LARGEST_BODY) {
        return Err(s3_error!(EntityTooLarge));
    }
    let staged = store.stage();
    let failed = |error: io::Error| s3_error!(InternalError, "The object could not be written: {error}");
    let mut file = tokio::io::BufWriter::with_capacity(256 * 1024, File::create(staged.path()).await.map_err(failed)?);
    let (mut md5, mut hasher, mut size) = (Md5::new(), declared.hasher(kept), 0_u64);
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| s3_error!(IncompleteBody, "The request body broke off: {error}"))?;
            size += chunk.len() as u64;
            if size > LARGEST_BODY {
                return Err(s3_error!(EntityTooLarge));
            }
            md5.update(&chunk);
            hasher.update(&chunk);
            file.write_all(&chunk).await.map_err(failed)?;
        }
    }
    let md5 = md5.finalize();
    let checksums = Checksums::of(hasher.finalize());
    declared.check(&checksums, &md5)?;
    file.flush().await.map_err(failed)?;
    file.into_inner().sync_all().await.map_err(failed)?;
    Ok(Received { staged, md5, checksums })
}

pub(super) async fn put(
    store: Arc<ObjectStore>,
    request: S3Request<dto::PutObjectInput>,
) -> S3Result<S3Response<dto::PutObjectOutput>> {
    let input = request.input;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    {
        // Before a long body is taken in.
        let (store, bucket) = (store.clone(), bucket.clone());
        blocking(move || store.bucket(&bucket)).await?;
    }
    let declared = Declared::of(&request.headers, request.trailing_headers);
    let received = receive(&store, input.body, input.content_length, &declared, None).await?;
    let meta = ObjectMeta {
        key,
        e_tag: hex::encode(received.md5),
        attributes: attributes!(input),
        checksums: received.checksums,
        ..ObjectMeta::default()
    };
    let (matches, none_matches) = (input.if_match, input.if_none_match);
    let meta = blocking(move || {
        store.commit(&received.staged, &bucket, meta, |existing| {
            may_replace(existing, matches.as_ref(), none_matches.as_ref())
        })
    })
    .await?;
    Ok(S3Response::new(with_checksums!(
        meta.checksums.clone(),
        dto::PutObjectOutput {
            e_tag: Some(ETag::Strong(meta.e_tag)),
            checksum_type: meta.checksums.kind(),
            ..Default::default()
        }
    )))
}

/// The encoding of the content itself: `aws-chunked` says only how it was sent.
pub(super) fn own_encoding(given: Option<String>) -> Option<String> {
    let given = given?;
    let own: Vec<&str> = given.split(',').map(str::trim).filter(|one| !matches!(*one, "" | "aws-chunked")).collect();
    (!own.is_empty()).then(|| own.join(","))
}

/// Whether a conditional write may go on, given the object that is there.
pub(super) fn may_replace(
    existing: Option<&ObjectMeta>,
    matches: Option<&ETagCondition>,
    none_matches: Option<&ETagCondition>,
) -> bool {
    let holds = |condition: &ETagCondition| {
        existing.is_some_and(|meta| condition.as_etag().is_none_or(|etag| etag.value() == meta.e_tag))
    };
    matches.is_none_or(holds) && none_matches.is_none_or(|condition| !holds(condition))
}

/// The conditions of a read, with S3's precedence of ETags over times.
fn check_read(
    meta: &ObjectMeta,
    matches: Option<&ETagCondition>,
    none_matches: Option<&ETagCondition>,
    modified_since: Option<Timestamp>,
    unmodified_since: Option<Timestamp>,
) -> S3Result<()> {
    // HTTP dates have whole seconds.
    let modified = Timestamp::from(meta.modified_at().replace_nanosecond(0).unwrap_or(meta.modified_at()));
    match (matches, unmodified_since) {
        (Some(_), _) if !may_replace(Some(meta), matches, None) => return Err(s3_error!(PreconditionFailed)),
        (None, Some(limit)) if modified > limit => return Err(s3_error!(PreconditionFailed)),
        _ => {}
    }
    match (none_matches, modified_since) {
        (Some(_), _) if !may_replace(Some(meta), None, none_matches) => Err(s3_error!(NotModified)),
        (None, Some(limit)) if modified <= limit => Err(s3_error!(NotModified)),
        _ => Ok(()),
    }
}

pub(super) async fn get(
    store: Arc<ObjectStore>,
    request: S3Request<dto::GetObjectInput>,
) -> S3Result<S3Response<dto::GetObjectOutput>> {
    let input = request.input;
    only_version(input.version_id.as_ref())?;
    let (bucket, key) = (input.bucket, input.key);
    let (path, meta) = blocking(move || store.object(&bucket, &key)).await?;
    check_read(
        &meta,
        input.if_match.as_ref(),
        input.if_none_match.as_ref(),
        input.if_modified_since,
        input.if_unmodified_since,
    )?;
    let mut file = File::open(&path).await.map_err(|_| s3_error!(NoSuchKey))?;
    let range = input.range.map(|range| range.check(meta.size)).transpose()?;
    let (start, length) = range.as_ref().map_or((0, meta.size), |range| (range.start, range.end - range.start));
    if start > 0 {
        file.seek(io::SeekFrom::Start(start)).await.map_err(|error| s3_error!(InternalError, "{error}"))?;
    }
    let body = ReaderStream::with_capacity(file.take(length), 64 * 1024);
    let wanted = input.checksum_mode.is_some() && range.is_none();
    let checksums = if wanted { meta.checksums.clone() } else { Checksums::default() };
    let checksum_type = checksums.kind();
    let output = with_checksums!(
        checksums,
        dto::GetObjectOutput {
            checksum_type,
            accept_ranges: Some("bytes".to_owned()),
            body: Some(StreamingBlob::wrap(body)),
            content_length: i64::try_from(length).ok(),
            content_range: range.map(|range| format!("bytes {}-{}/{}", range.start, range.end - 1, meta.size)),
            last_modified: Some(meta.modified_at().into()),
            e_tag: Some(ETag::Strong(meta.e_tag)),
            content_type: input.response_content_type.or(meta.attributes.content_type),
            content_disposition: input.response_content_disposition.or(meta.attributes.content_disposition),
            content_encoding: meta.attributes.content_encoding,
            content_language: meta.attributes.content_language,
            cache_control: meta.attributes.cache_control,
            metadata: Some(meta.attributes.user.into_iter().collect()),
            ..Default::default()
        }
    );
    Ok(S3Response::new(output))
}

pub(super) async fn head(
    store: Arc<ObjectStore>,
    request: S3Request<dto::HeadObjectInput>,
) -> S3Result<S3Response<dto::HeadObjectOutput>> {
    let input = request.input;
    only_version(input.version_id.as_ref())?;
    let (bucket, key) = (input.bucket, input.key);
    let (_, meta) = blocking(move || store.object(&bucket, &key)).await?;
    check_read(
        &meta,
        input.if_match.as_ref(),
        input.if_none_match.as_ref(),
        input.if_modified_since,
        input.if_unmodified_since,
    )?;
    let checksums = if input.checksum_mode.is_some() { meta.checksums.clone() } else { Checksums::default() };
    let checksum_type = checksums.kind();
    Ok(S3Response::new(with_checksums!(
        checksums,
        dto::HeadObjectOutput {
            checksum_type,
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(meta.size).ok(),
            last_modified: Some(meta.modified_at().into()),
            e_tag: Some(ETag::Strong(meta.e_tag)),
            content_type: meta.attributes.content_type,
            content_disposition: meta.attributes.content_disposition,
            content_encoding: meta.attributes.content_encoding,
            content_language: meta.attributes.content_language,
            cache_control: meta.attributes.cache_control,
            metadata: Some(meta.attributes.user.into_iter().collect()),
            ..Default::default()
        }
    )))
}

/// Bucket and key that a copy reads from.
pub(super) fn source(from: &dto::CopySource) -> S3Result<(String, String)> {
    match from {
        dto::CopySource::Bucket { bucket, key, version_id: None } => Ok((bucket.to_string(), key.to_string())),
        _ => {
            Err(s3_error!(NotImplemented, "A copy reads from a bucket and key; versions and access points are absent."))
        }
    }
}

pub(super) async fn copy(
    store: Arc<ObjectStore>,
    request: S3Request<dto::CopyObjectInput>,
) -> S3Result<S3Response<dto::CopyObjectOutput>> {
    let input = request.input;
    let (from_bucket, from_key) = source(&input.copy_source)?;
    let replaced = input.metadata_directive.as_ref().is_some_and(|d| d.as_str() == dto::MetadataDirective::REPLACE);
    if !replaced && (from_bucket.as_str(), from_key.as_str()) == (input.bucket.as_str(), input.key.as_str()) {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing its metadata."
        ));
    }
    let attributes = replaced.then(|| attributes!(input));
    let (matches, none_matches) = (input.copy_source_if_match, input.copy_source_if_none_match);
    let (since, unmodified) = (input.copy_source_if_modified_since, input.copy_source_if_unmodified_since);
    let meta = blocking(move || {
        let (path, old) = store.object(&from_bucket, &from_key)?;
        check_read(&old, matches.as_ref(), none_matches.as_ref(), since, unmodified)
            .map_err(|_| s3_error!(PreconditionFailed))?;
        let staged = store.stage();
        let copied = std::fs::copy(&path, staged.path()).and_then(|_| std::fs::File::open(staged.path())?.sync_all());
        copied.map_err(super::StoreError::from)?;
        let meta = ObjectMeta {
            key: input.key,
            e_tag: old.e_tag,
            attributes: attributes.unwrap_or(old.attributes),
            checksums: old.checksums,
            ..ObjectMeta::default()
        };
        Ok::<_, s3s::S3Error>(store.commit(&staged, &input.bucket, meta, |_| true)?)
    })
    .await?;
    Ok(S3Response::new(dto::CopyObjectOutput {
        copy_object_result: Some(with_checksums!(
            meta.checksums.clone(),
            dto::CopyObjectResult {
                last_modified: Some(meta.modified_at().into()),
                checksum_type: meta.checksums.kind(),
                e_tag: Some(ETag::Strong(meta.e_tag)),
            }
        )),
        ..Default::default()
    }))
}
