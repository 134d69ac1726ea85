//! Imported models and the jobs that bring them in, and copies of custom models in other Regions.

use std::time::SystemTime;

use aws_sdk_bedrock::Client;
use aws_sdk_bedrock::config::Region;
use aws_sdk_bedrock::types::{ModelDataSource, S3DataSource};

use crate::spelled::{spelled, time};
use crate::{Cloud, CloudError, CloudErrorCode};

/// A model that came in as files. Its ARN is the model id at inference; it needs no deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedModel {
    pub arn: String,
    pub name: String,
    /// As its `config.json` names it.
    pub architecture: Option<String>,
    /// Whether Converse works with it.
    pub instruct: bool,
    pub created: Option<SystemTime>,
}

spelled! {
    /// How far a copy or an import is.
    BringingStatus { InProgress, Completed, Failed }
}

/// A copy or an import under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bringing {
    pub status: BringingStatus,
    /// What it makes, once that is known.
    pub model_arn: Option<String>,
    pub failure_message: Option<String>,
}

/// What to import. `CreateModelImportJob` makes a token of its own where none is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    pub job_name: String,
    pub model_name: String,
    pub role_arn: String,
    /// The folder of the files.
    pub uri: String,
    pub client_token: String,
}

impl Cloud {
    /// All imported models of the account in this Region.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn imported_models(&self) -> Result<Vec<ImportedModel>, CloudError> {
        let mut pages = self.bedrock.list_imported_models().into_paginator().items().send();
        let mut models = Vec::new();
        while let Some(model) = pages.next().await {
            let model = model.map_err(CloudError::of("ListImportedModels"))?;
            models.push(ImportedModel {
                created: time(&model.creation_time),
                arn: model.model_arn,
                name: model.model_name,
                architecture: model.model_architecture,
                instruct: model.instruct_supported.unwrap_or(false),
            });
        }
        Ok(models)
    }

    /// Deletes an imported model; its ARN answers no more.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn delete_imported_model(&self, arn: &str) -> Result<(), CloudError> {
        let delete = self.bedrock.delete_imported_model().model_identifier(arn).send().await;
        delete.map(drop).map_err(CloudError::of("DeleteImportedModel"))
    }

    /// Begins an import and gives the ARN of its job. The same token makes the same job.
    ///
    /// # Errors
    /// `Conflict` when a name is taken, `Validation` where models are not imported.
    pub async fn import_model(&self, wanted: NewImport) -> Result<String, CloudError> {
        let operation = "CreateModelImportJob";
        let source = S3DataSource::builder().s3_uri(wanted.uri).build();
        let source =
            source.map_err(|error| CloudError::new(operation, CloudErrorCode::Validation, error.to_string()))?;
        let created = self
            .bedrock
            .create_model_import_job()
            .job_name(wanted.job_name)
            .imported_model_name(wanted.model_name)
            .role_arn(wanted.role_arn)
            .model_data_source(ModelDataSource::S3DataSource(source))
            .client_request_token(wanted.client_token)
            .send()
            .await;
        created.map(|created| created.job_arn).map_err(CloudError::of(operation))
    }

    /// How far an import is.
    ///
    /// # Errors
    /// `NotFound` when there is no such job.
    pub async fn import_job(&self, arn: &str) -> Result<Bringing, CloudError> {
        let job = self.bedrock.get_model_import_job().job_identifier(arn).send().await;
        let job = job.map_err(CloudError::of("GetModelImportJob"))?;
        Ok(Bringing {
            status: job.status.map_or(BringingStatus::InProgress, |status| status.as_str().into()),
            model_arn: job.imported_model_arn,
            failure_message: job.failure_message,
        })
    }

    /// Begins a copy of a custom model in another Region, to which the request goes, and gives the ARN of its job.
    ///
    /// # Errors
    /// `Validation` when the name is taken or the model is there already, `NotFound` when there is no such model.
    pub async fn copy_model(
        &self,
        region: &str,
        model_arn: &str,
        name: &str,
        client_token: &str,
    ) -> Result<String, CloudError> {
        let create = self.bedrock_in(region).create_model_copy_job().source_model_arn(model_arn);
        let created = create.target_model_name(name).client_request_token(client_token).send().await;
        created.map(|created| created.job_arn).map_err(CloudError::of("CreateModelCopyJob"))
    }

    /// How far a copy is, asked in the Region that it is made in.
    ///
    /// # Errors
    /// `NotFound` when there is no such job.
    pub async fn copy_job(&self, region: &str, arn: &str) -> Result<Bringing, CloudError> {
        let job = self.bedrock_in(region).get_model_copy_job().job_arn(arn).send().await;
        let job = job.map_err(CloudError::of("GetModelCopyJob"))?;
        Ok(Bringing {
            status: job.status.as_str().into(),
            model_arn: Some(job.target_model_arn),
            failure_message: job.failure_message,
        })
    }

    /// The same endpoint and credentials, signed for another Region; at AWS that is another endpoint.
    fn bedrock_in(&self, region: &str) -> Client {
        Client::from_conf(self.bedrock.config().to_builder().region(Region::new(region.to_owned())).build())
    }
}
