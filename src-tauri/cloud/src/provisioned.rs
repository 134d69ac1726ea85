//! Provisioned throughput: what there is of it, and its end. It is billed by the hour, used or not.

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
    /// The base model of what it answers with.
    pub foundation_model_arn: String,
    pub units: u32,
    pub status: ProvisionedStatus,
    /// `OneMonth` or `SixMonths`; none where it can be ended at any time.
    pub commitment: Option<String>,
    pub commitment_ends: Option<SystemTime>,
    pub created: Option<SystemTime>,
}

impl Cloud {
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
                foundation_model_arn: one.foundation_model_arn,
            });
        }
        Ok(found)
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
