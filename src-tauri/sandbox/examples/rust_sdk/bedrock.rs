//! The control plane: a job from upload to model, what it is served by, and everything deleted at the end.

use aws_sdk_bedrock::types::{
    CustomModelDeploymentStatus, ModelCustomizationJobStatus, OutputDataConfig, TrainingDataConfig,
};
use aws_sdk_s3::primitives::ByteStream;

use crate::{BUCKET, Clients, Outcome, until};

/// What is left for the other parts to use.
pub struct Tuned {
    pub model: String,
    pub deployment: String,
}

pub async fn tune(clients: &Clients) -> Outcome<Tuned> {
    let bedrock = &clients.bedrock;
    bedrock.list_foundation_models().send().await?;
    bedrock.get_foundation_model().model_identifier("whetstone.tiny-v1").send().await?;
    bedrock.get_foundation_model_availability().model_id("whetstone.tiny-v1").send().await?;
    refused(clients).await?;
    let job = complete(clients).await?;
    bedrock.list_custom_models().send().await?;
    let model = bedrock.get_custom_model().model_identifier("rust-sdk").send().await?.model_arn;
    if job.as_deref() != Some(model.as_str()) {
        return Err(format!("the job made {job:?}, the model is {model}").into());
    }
    let made = bedrock.create_custom_model_deployment().model_deployment_name("rust-sdk").model_arn(&model);
    let deployment = made.send().await?.custom_model_deployment_arn;
    until(async || {
        let one = bedrock.get_custom_model_deployment().custom_model_deployment_identifier(&deployment);
        Ok((one.send().await?.status == CustomModelDeploymentStatus::Active).then_some(()))
    })
    .await?;
    let update = bedrock.update_custom_model_deployment().model_arn(&model);
    update.custom_model_deployment_identifier(&deployment).send().await?;
    bedrock.list_custom_model_deployments().send().await?;
    Ok(Tuned { model, deployment })
}

/// Runs a job to its end and another one to its stop; the ARN of the model that came out.
async fn complete(clients: &Clients) -> Outcome<Option<String>> {
    let bedrock = &clients.bedrock;
    let records = "{\"prompt\": \"Which colour is grass?\", \"completion\": \"green\"}\n".repeat(32);
    let put = clients.s3.put_object().bucket(BUCKET).key("train.jsonl");
    put.body(ByteStream::from(records.into_bytes())).send().await?;
    let create = async |name: &str, epochs: &str| -> Outcome<String> {
        let created = bedrock
            .create_model_customization_job()
            .job_name(name)
            .custom_model_name(name)
            .role_arn(&clients.role)
            .base_model_identifier("whetstone.tiny-v1")
            .training_data_config(TrainingDataConfig::builder().s3_uri(format!("s3://{BUCKET}/train.jsonl")).build())
            .output_data_config(OutputDataConfig::builder().s3_uri(format!("s3://{BUCKET}/out")).build()?)
            .hyper_parameters("epochCount", epochs)
            .send()
            .await?;
        Ok(created.job_arn)
    };
    let arn = create("rust-sdk", "1").await?;
    let ended = until(async || {
        let job = bedrock.get_model_customization_job().job_identifier(&arn).send().await?;
        Ok((job.status() != Some(&ModelCustomizationJobStatus::InProgress)).then_some(job))
    })
    .await?;
    if ended.status() != Some(&ModelCustomizationJobStatus::Completed) {
        return Err(format!("the job ended otherwise: {ended:?}").into());
    }
    let doomed = create("rust-sdk-stopped", "50").await?;
    bedrock.stop_model_customization_job().job_identifier(doomed).send().await?;
    bedrock.list_model_customization_jobs().name_contains("rust-sdk").send().await?;
    Ok(ended.output_model_arn)
}

/// What is refused with its reason counts as well: the SDK must know the error for what it is.
async fn refused(clients: &Clients) -> Outcome<()> {
    let asked = clients.bedrock.create_custom_model().model_name("rust-sdk").send().await;
    match asked.map_err(|error| error.into_service_error()) {
        Err(error) if error.is_validation_exception() => Ok(()),
        other => Err(format!("a model of SageMaker's: {other:?}").into()),
    }
}

pub async fn clear(clients: &Clients, tuned: &Tuned) -> Outcome<()> {
    let bedrock = &clients.bedrock;
    let deployment = bedrock.delete_custom_model_deployment();
    deployment.custom_model_deployment_identifier(&tuned.deployment).send().await?;
    bedrock.delete_custom_model().model_identifier(&tuned.model).send().await?;
    Ok(())
}
