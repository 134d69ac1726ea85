//! Provisioned throughput: its beginning, what there is of it, and its end. It is billed by the hour, used or not.

use std::time::SystemTime;

use crate::spelled::{spelled, time};
use crate::{Cloud, CloudError};

spelled! {
    /// Whether it answers.
    ProvisionedStatus { Creating, InService, Updating, Failed }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioned {
    pub arn: String,
    pub name: String,
    pub model_arn: String,
    /// What it is being turned to, else the same as `model_arn`.
    pub desired_model_arn: String,
    /// The base model of what it answers with.
    pub foundation_model_arn: String,
    pub units: u32,
    pub status: ProvisionedStatus,
    /// `OneMonth` or `SixMonths`; none where it can be ended at any time.
    pub commitment: Option<String>,
    pub commitment_ends: Option<SystemTime>,
    pub created: Option<SystemTime>,
}

/// What to create. Without a commitment it can be ended at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProvisioned {
    pub name: String,
    pub model_arn: String,
    /// At least 1.
    pub units: u32,
    /// `OneMonth` or `SixMonths`
    pub commitment: Option<String>,
    pub client_token: String,
}

impl Cloud {
    /// Creates it and gives its ARN: from then on it is billed by the hour. The same token makes the same one.
    ///
    /// # Errors
    /// `Validation` when the name is taken or the model is not served so, `QuotaExceeded` when the account may not.
    pub async fn provision(&self, wanted: NewProvisioned) -> Result<String, CloudError> {
        let created = self
            .bedrock
            .create_provisioned_model_throughput()
            .provisioned_model_name(wanted.name)
            .model_id(wanted.model_arn)
            .model_units(i32::try_from(wanted.units).unwrap_or(i32::MAX))
            .set_commitment_duration(wanted.commitment.map(|duration| duration.as_str().into()))
            .client_request_token(wanted.client_token)
            .send()
            .await
            .map_err(CloudError::of("CreateProvisionedModelThroughput"))?;
        Ok(created.provisioned_model_arn)
    }

    /// Turns it to its base model, or to another custom model of that; the old one answers until that is done.
    ///
    /// # Errors
    /// `NotFound` when it is gone, `Validation` while it is not in service.
    pub async fn turn_provisioned(&self, arn: &str, model_arn: &str) -> Result<(), CloudError> {
        let update = self.bedrock.update_provisioned_model_throughput().provisioned_model_id(arn);
        let update = update.desired_model_id(model_arn).send().await;
        update.map(drop).map_err(CloudError::of("UpdateProvisionedModelThroughput"))
    }

    /// All provisioned throughput of the account in this Region.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn provisioned(&self) -> Result<Vec<Provisioned>, CloudError> {
        let mut pages = self.bedrock.list_provisioned_model_throughputs().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(one) = pages.next().await {
            let one = one.map_err(CloudError::of("ListProvisionedModelThroughputs"))?;
            found.push(Provisioned {
                units: one.model_units.try_into().unwrap_or(0),
                status: ProvisionedStatus::from(one.status.as_str()),
                commitment: one.commitment_duration.map(|duration| duration.as_str().to_owned()),
                commitment_ends: one.commitment_expiration_time.as_ref().and_then(time),
                created: time(&one.creation_time),
                arn: one.provisioned_model_arn,
                name: one.provisioned_model_name,
                model_arn: one.model_arn,
                desired_model_arn: one.desired_model_arn,
                foundation_model_arn: one.foundation_model_arn,
            });
        }
        Ok(found)
    }

    /// Why one failed, where AWS says so.
    ///
    /// # Errors
    /// `NotFound` when it is gone.
    pub async fn provisioned_failure(&self, arn: &str) -> Result<Option<String>, CloudError> {
        let one = self.bedrock.get_provisioned_model_throughput().provisioned_model_id(arn).send().await;
        one.map(|one| one.failure_message).map_err(CloudError::of("GetProvisionedModelThroughput"))
    }

    /// Ends it: it answers no more and is billed no more.
    ///
    /// # Errors
    /// `NotFound` when it is gone, `Conflict` while a commitment holds.
    pub async fn delete_provisioned(&self, arn: &str) -> Result<(), CloudError> {
        let delete = self.bedrock.delete_provisioned_model_throughput().provisioned_model_id(arn).send().await;
        delete.map(drop).map_err(CloudError::of("DeleteProvisionedModelThroughput"))
    }
}
