//! Provisioned throughput, models brought in and copied, and tags.

use aws_sdk_bedrock::config::Region;
use aws_sdk_bedrock::types::{
    ModelCopyJobStatus, ModelDataSource, ModelImportJobStatus, ProvisionedModelStatus, S3DataSource, Tag,
};
use aws_sdk_s3::primitives::ByteStream;
use whetstone_tuner::LanguageModel;

use crate::{BUCKET, Clients, Outcome, until};

pub async fn all(clients: &Clients, model: &str) -> Outcome<()> {
    provisioned(clients).await?;
    imported(clients).await?;
    copied(clients, model).await?;
    tags(clients, model).await
}

async fn provisioned(clients: &Clients) -> Outcome<()> {
    let bedrock = &clients.bedrock;
    let made = bedrock.create_provisioned_model_throughput().model_units(1).provisioned_model_name("rust-sdk");
    let arn = made.model_id("amazon.nova-micro-v1:0:128k").send().await?.provisioned_model_arn;
    until(async || {
        let found = bedrock.get_provisioned_model_throughput().provisioned_model_id(&arn).send().await?;
        Ok((found.status == ProvisionedModelStatus::InService).then_some(()))
    })
    .await?;
    bedrock.list_provisioned_model_throughputs().send().await?;
    let renamed = bedrock.update_provisioned_model_throughput().provisioned_model_id(&arn);
    renamed.desired_provisioned_model_name("rust-sdk-2").send().await?;
    bedrock.delete_provisioned_model_throughput().provisioned_model_id(&arn).send().await?;
    Ok(())
}

async fn imported(clients: &Clients) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    LanguageModel::tiny_v1()?.save(folder.path())?;
    for file in std::fs::read_dir(folder.path())? {
        let file = file?;
        let key = format!("models/tiny/{}", file.file_name().to_string_lossy());
        let body = ByteStream::from(std::fs::read(file.path())?);
        clients.s3.put_object().bucket(BUCKET).key(key).body(body).send().await?;
    }
    let bedrock = &clients.bedrock;
    let place = S3DataSource::builder().s3_uri(format!("s3://{BUCKET}/models/tiny/")).build()?;
    let job = bedrock.create_model_import_job().job_name("rust-sdk").imported_model_name("rust-sdk");
    let job = job.role_arn(&clients.role).model_data_source(ModelDataSource::S3DataSource(place)).send().await?.job_arn;
    until(async || {
        let found = bedrock.get_model_import_job().job_identifier(&job).send().await?;
        Ok((found.status == Some(ModelImportJobStatus::Completed)).then_some(()))
    })
    .await?;
    bedrock.list_model_import_jobs().send().await?;
    bedrock.list_imported_models().send().await?;
    bedrock.get_imported_model().model_identifier("rust-sdk").send().await?;
    bedrock.delete_imported_model().model_identifier("rust-sdk").send().await?;
    Ok(())
}

/// A copy is asked for in the Region that it is to be in.
async fn copied(clients: &Clients, model: &str) -> Outcome<()> {
    let config = clients.bedrock.config().to_builder().region(Region::from_static("us-west-2")).build();
    let west = aws_sdk_bedrock::Client::from_conf(config);
    let job = west.create_model_copy_job().source_model_arn(model).target_model_name("rust-sdk").send().await?.job_arn;
    until(async || {
        let found = west.get_model_copy_job().job_arn(&job).send().await?;
        Ok((found.status == ModelCopyJobStatus::Completed).then_some(()))
    })
    .await?;
    west.list_model_copy_jobs().send().await?;
    west.delete_custom_model().model_identifier("rust-sdk").send().await?;
    Ok(())
}

async fn tags(clients: &Clients, model: &str) -> Outcome<()> {
    let bedrock = &clients.bedrock;
    let tag = Tag::builder().key("team").value("support").build()?;
    bedrock.tag_resource().resource_arn(model).tags(tag).send().await?;
    bedrock.list_tags_for_resource().resource_arn(model).send().await?;
    bedrock.untag_resource().resource_arn(model).tag_keys("team").send().await?;
    Ok(())
}
