//! S3 on the sandbox's port: the protocol by `s3s`, the objects as plain files by `store`.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `store` | buckets and objects on disk; the only owner of their state |
//! | `service` | the S3 operations that there are, each a few lines or a call into one of the files below |
//! | `objects` | bodies in and out: digests, ranges, conditions, copies |
//! | `multipart` | uploads in parts |
//! | `listing` | pages of keys |
//!
//! Signatures (header, presigned, chunked and trailing) are verified by `s3s` with the one key of the folder.
//! Deliberately absent: versions, access control lists, policies, encryption, tags, virtual-hosted addresses.

mod listing;
mod multipart;
mod objects;
mod service;
pub(crate) mod store;

use std::sync::Arc;

use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3Result, s3_error};

use crate::Keys;
use crate::clock::Clock;
use store::{ObjectStore, StoreError};

/// The S3 half of the port.
pub(crate) fn service(store: Arc<ObjectStore>, keys: &Keys, clock: Clock) -> S3Service {
    let mut builder = S3ServiceBuilder::new(service::Service { store, clock });
    builder.set_auth(OneKey { id: keys.access_key_id().to_owned(), secret: keys.secret_access_key().into() });
    builder.build()
}

/// The folder's key, with the answer that AWS gives for any other one.
struct OneKey {
    id: String,
    secret: SecretKey,
}

#[async_trait::async_trait]
impl S3Auth for OneKey {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.id {
            Ok(self.secret.clone())
        } else {
            Err(s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records."))
        }
    }
}

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSuchBucket => s3_error!(NoSuchBucket, "The specified bucket does not exist"),
            StoreError::NoSuchKey => s3_error!(NoSuchKey, "The specified key does not exist."),
            StoreError::InvalidKey(reason) => s3_error!(InvalidArgument, "{reason}"),
            StoreError::Condition => {
                s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
            }
            StoreError::BucketNotEmpty => s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"),
            StoreError::Io(source) => s3_error!(InternalError, "The sandbox could not use its folder: {source}"),
        }
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static, E: Into<S3Error> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> S3Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(failure) => Err(s3_error!(InternalError, "{failure}")),
    }
}
