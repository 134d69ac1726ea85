//! The S3 operations that the sandbox has. One that is not here is answered by `s3s` with NotImplemented.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use super::listing::{Page, Query, page};
use super::store::ObjectStore;
use super::{blocking, encoded, multipart, objects};
use crate::clock::Clock;

/// Most objects of one deletion: S3's own limit.
const MOST_DELETED: usize = 1000;

/// Whose the buckets are, as S3 shows an owner.
const OWNER: &str = "whetstone";

pub(super) struct Service {
    pub(super) store: Arc<ObjectStore>,
    pub(super) clock: Clock,
    pub(super) owner_id: String,
}

impl Service {
    async fn page(&self, query: Query) -> S3Result<Page> {
        let store = self.store.clone();
        blocking(move || page(&store, &query)).await
    }
}

#[async_trait::async_trait]
impl S3 for Service {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        let (store, now) = (self.store.clone(), self.clock.millis());
        let asked = req.input.create_bucket_configuration.and_then(|given| given.location_constraint);
        let signed = req.region.map_or_else(|| "us-east-1".to_owned(), |region| region.as_str().to_owned());
        let region = asked.map_or(signed, |region| region.as_str().to_owned());
        let bucket = req.input.bucket;
        let name = bucket.clone();
        if blocking(move || store.create_bucket(&name, &region, now)).await? {
            Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{bucket}")) }))
        } else {
            Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            ))
        }
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        let store = self.store.clone();
        let bucket = blocking(move || store.bucket(&req.input.bucket)).await?;
        Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(bucket.region), ..Default::default() }))
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        let store = self.store.clone();
        let bucket = blocking(move || store.bucket(&req.input.bucket)).await?;
        // us-east-1 is the Region without a name here.
        let location_constraint = (bucket.region != "us-east-1").then(|| BucketLocationConstraint::from(bucket.region));
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
    }

    async fn list_buckets(&self, req: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let store = self.store.clone();
        let prefix = req.input.prefix.unwrap_or_default();
        let buckets = blocking(move || store.buckets()).await?;
        let buckets = buckets
            .into_iter()
            .filter(|bucket| bucket.name.starts_with(&prefix))
            .map(|bucket| s3s::dto::Bucket {
                name: Some(bucket.name),
                bucket_region: Some(bucket.region),
                creation_date: time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(bucket.created) * 1_000_000)
                    .ok()
                    .map(Timestamp::from),
            })
            .collect();
        let owner = Owner { display_name: Some(OWNER.to_owned()), id: Some(self.owner_id.clone()) };
        Ok(S3Response::new(ListBucketsOutput { buckets: Some(buckets), owner: Some(owner), ..Default::default() }))
    }

    async fn delete_bucket(&self, req: S3Request<DeleteBucketInput>) -> S3Result<S3Response<DeleteBucketOutput>> {
        let store = self.store.clone();
        blocking(move || store.delete_bucket(&req.input.bucket)).await?;
        Ok(S3Response::new(DeleteBucketOutput {}))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        Box::pin(objects::put(self.store.clone(), req)).await
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        Box::pin(objects::get(self.store.clone(), req)).await
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        Box::pin(objects::head(self.store.clone(), req)).await
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        Box::pin(objects::copy(self.store.clone(), req)).await
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let store = self.store.clone();
        objects::only_version(req.input.version_id.as_ref())?;
        blocking(move || store.delete(&req.input.bucket, &req.input.key)).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let store = self.store.clone();
        if req.input.delete.objects.len() > MOST_DELETED {
            return Err(s3_error!(MalformedXML, "A request deletes at most 1000 objects."));
        }
        let quiet = req.input.delete.quiet.unwrap_or(false);
        let deleted = blocking(move || {
            let mut deleted = Vec::new();
            for object in req.input.delete.objects {
                objects::only_version(object.version_id.as_ref())?;
                store.delete(&req.input.bucket, &object.key)?;
                deleted.push(DeletedObject { key: Some(object.key), ..Default::default() });
            }
            Ok::<_, s3s::S3Error>(deleted)
        })
        .await?;
        let deleted = (!quiet).then_some(deleted);
        Ok(S3Response::new(DeleteObjectsOutput { deleted, ..Default::default() }))
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
        let input = req.input;
        let url = url_encoded(input.encoding_type.as_ref());
        let page = self
            .page(Query {
                url,
                bucket: input.bucket.clone(),
                prefix: input.prefix.clone().unwrap_or_default(),
                delimiter: input.delimiter.clone(),
                after: input.marker.clone(),
                max_keys: input.max_keys,
            })
            .await?;
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: input.prefix.map(|text| encoded(&text, url)),
            marker: input.marker.map(|text| encoded(&text, url)),
            delimiter: input.delimiter.map(|text| encoded(&text, url)),
            max_keys: Some(page.max_keys),
            is_truncated: Some(page.next.is_some()),
            next_marker: page.next.map(|text| encoded(&text, url)),
            contents: Some(page.contents),
            common_prefixes: Some(page.common_prefixes),
            encoding_type: input.encoding_type,
            ..Default::default()
        }))
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = req.input;
        let url = url_encoded(input.encoding_type.as_ref());
        let page = self
            .page(Query {
                url,
                bucket: input.bucket.clone(),
                prefix: input.prefix.clone().unwrap_or_default(),
                delimiter: input.delimiter.clone(),
                after: input.continuation_token.clone().or(input.start_after.clone()),
                max_keys: input.max_keys,
            })
            .await?;
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: input.prefix.map(|text| encoded(&text, url)),
            delimiter: input.delimiter.map(|text| encoded(&text, url)),
            start_after: input.start_after.map(|text| encoded(&text, url)),
            continuation_token: input.continuation_token,
            max_keys: Some(page.max_keys),
            key_count: i32::try_from(page.contents.len() + page.common_prefixes.len()).ok(),
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next,
            contents: Some(page.contents),
            common_prefixes: Some(page.common_prefixes),
            encoding_type: input.encoding_type,
            ..Default::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        Box::pin(multipart::create(self.store.clone(), req, self.clock.millis())).await
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        Box::pin(multipart::upload_part(self.store.clone(), req, self.clock.millis())).await
    }

    async fn upload_part_copy(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        Box::pin(multipart::upload_part_copy(self.store.clone(), req, self.clock.millis())).await
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        multipart::list_uploads(self.store.clone(), req).await
    }

    /// Versioning was never switched on, which S3 says by saying nothing.
    async fn get_bucket_versioning(
        &self,
        req: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        let store = self.store.clone();
        blocking(move || store.bucket(&req.input.bucket)).await?;
        Ok(S3Response::new(GetBucketVersioningOutput::default()))
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        multipart::list_parts(self.store.clone(), req).await
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        Box::pin(multipart::complete(self.store.clone(), req)).await
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        multipart::abort(self.store.clone(), req).await
    }
}

fn url_encoded(asked: Option<&EncodingType>) -> bool {
    asked.is_some_and(|one| one.as_str() == EncodingType::URL)
}
