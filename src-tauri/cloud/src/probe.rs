//! Questions that change nothing, for someone who wants to know beforehand whether a job will be let in. One call
//! writes an object and takes it away again; it is made on request only.

use crate::{Cloud, CloudError, CloudErrorCode};

/// Whether an account may use a base model in this Region, in AWS's spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelAccess {
    /// `AVAILABLE`, `PENDING`, `NOT_AVAILABLE` or `ERROR`: the agreement with the model's provider.
    pub agreement: Option<String>,
    /// `AUTHORIZED` or not.
    pub authorization: String,
    /// `AVAILABLE` or not.
    pub entitlement: String,
    /// `AVAILABLE` or not.
    pub region: String,
}

/// A bucket as HeadBucket tells of it.
#[derive(Debug, Clone)]
pub struct BucketPlace {
    /// Not told by everything that speaks S3.
    pub region: Option<String>,
    /// Why it may not be looked at, though it is there.
    pub refused: Option<CloudError>,
}

/// A quota of Bedrock, as Service Quotas tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Quota {
    pub name: String,
    pub code: Option<String>,
    pub value: f64,
}

impl Cloud {
    /// # Errors
    /// `NotFound` for a model that this Region does not know.
    pub async fn model_access(&self, model: &str) -> Result<ModelAccess, CloudError> {
        let call = self.bedrock.get_foundation_model_availability().model_id(model);
        let answer = call.send().await.map_err(CloudError::of("GetFoundationModelAvailability"))?;
        Ok(ModelAccess {
            agreement: answer.agreement_availability().map(|agreement| agreement.status().as_str().to_owned()),
            authorization: answer.authorization_status().as_str().to_owned(),
            entitlement: answer.entitlement_availability().as_str().to_owned(),
            region: answer.region_availability().as_str().to_owned(),
        })
    }

    /// Where a bucket is. S3 tells that of a bucket in another Region, too, and even of one that may not be looked at.
    ///
    /// # Errors
    /// `NotFound`, or what the network did.
    pub async fn bucket_place(&self, bucket: &str) -> Result<BucketPlace, CloudError> {
        match self.s3.head_bucket().bucket(bucket).send().await {
            Ok(answer) => Ok(BucketPlace { region: answer.bucket_region, refused: None }),
            Err(error) => {
                let header = error.raw_response().and_then(|raw| raw.headers().get("x-amz-bucket-region"));
                let region = header.map(str::to_owned);
                let failure = CloudError::of("HeadBucket")(error);
                let there = matches!(failure.code, CloudErrorCode::AccessDenied | CloudErrorCode::WrongRegion);
                if there { Ok(BucketPlace { region, refused: Some(failure) }) } else { Err(failure) }
            }
        }
    }

    /// Lists one key, to see whether it may.
    ///
    /// # Errors
    /// `AccessDenied`, or what the call met with.
    pub async fn may_list(&self, bucket: &str, prefix: &str) -> Result<(), CloudError> {
        let call = self.s3.list_objects_v2().bucket(bucket).prefix(prefix).max_keys(1);
        call.send().await.map(|_| ()).map_err(CloudError::of("ListObjectsV2"))
    }

    /// Writes an object of a few bytes, reads it and deletes it.
    ///
    /// # Errors
    /// Whichever of the three was refused.
    pub async fn write_and_take_away(&self, bucket: &str, key: &str) -> Result<(), CloudError> {
        const TEXT: &[u8] = b"Whetstone asked whether it may write here.";
        let put = self.s3.put_object().bucket(bucket).key(key).body(TEXT.to_vec().into());
        put.send().await.map_err(CloudError::of("PutObject"))?;
        let read = self.s3.get_object().bucket(bucket).key(key).send().await.map_err(CloudError::of("GetObject"));
        // Whether or not it could be read, it does not stay.
        let gone = self.s3.delete_object().bucket(bucket).key(key).send().await.map_err(CloudError::of("DeleteObject"));
        read.map(|_| ())?;
        gone.map(|_| ())
    }

    /// The customer's own KMS key that a bucket encrypts with, if it has one.
    ///
    /// # Errors
    /// What the call met with.
    pub async fn bucket_key(&self, bucket: &str) -> Result<Option<String>, CloudError> {
        let call = self.s3.get_bucket_encryption().bucket(bucket).send().await;
        let answer = match call.map_err(CloudError::of("GetBucketEncryption")) {
            Ok(answer) => answer,
            Err(error) if error.aws_code.as_deref() == Some("ServerSideEncryptionConfigurationNotFoundError") => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let rules = answer.server_side_encryption_configuration.map(|configuration| configuration.rules);
        let keys = rules.unwrap_or_default().into_iter().filter_map(|rule| {
            rule.apply_server_side_encryption_by_default?.kms_master_key_id.filter(|key| !key.is_empty())
        });
        Ok(keys.reduce(|_, last| last))
    }

    /// The account's quotas of Bedrock here.
    ///
    /// # Errors
    /// What the call met with.
    pub async fn quotas(&self) -> Result<Vec<Quota>, CloudError> {
        let mut quotas = Vec::new();
        let mut pages = self.quotas.list_service_quotas().service_code("bedrock").into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(CloudError::of("ListServiceQuotas"))?;
            quotas.extend(page.quotas.unwrap_or_default().into_iter().filter_map(|quota| {
                Some(Quota { name: quota.quota_name?, code: quota.quota_code, value: quota.value? })
            }));
        }
        Ok(quotas)
    }
}
