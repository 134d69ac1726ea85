use std::{collections::BTreeMap, time::UNIX_EPOCH};

use whetstone_cloud::{CreateJob, DeploymentStatus, JobStatus, ModelStatus, PhaseStatus, TrainingData};

use crate::answering::{Answering, Reply};

const JOB_ARN: &str =
    "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/amazon.nova-micro-v1:0:128k/abcdefghijkl";

#[tokio::test]
async fn a_job_is_asked_for_as_bedrock_wants_it() {
    let mut server = Answering::start(|_, _| Reply::json(201, &format!(r#"{{"jobArn":"{JOB_ARN}"}}"#))).await;
    let job = CreateJob {
        name: "support-03".into(),
        model_name: "support".into(),
        role_arn: "arn:aws:iam::123456789012:role/AmazonBedrockTuning".into(),
        base_model: "amazon.nova-micro-v1:0:128k".into(),
        customization_type: "FINE_TUNING".into(),
        hyperparameters: BTreeMap::from([("epochCount".into(), "2".into())]),
        training: TrainingData::File("s3://bucket/train.jsonl".into()),
        validation_uri: Some("s3://bucket/validation.jsonl".into()),
        output_uri: "s3://bucket/out/".into(),
        purpose: None,
        kms_key: None,
        vpc: None,
        job_tags: Vec::new(),
        model_tags: Vec::new(),
        client_token: "token-1".into(),
    };
    let written = server.cloud().written_job(job.clone()).await.unwrap();
    assert_eq!(server.cloud().create_job(job).await.unwrap(), JOB_ARN);
    let asked = server.asked().await;
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/model-customization-jobs"));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&written).unwrap(),
        asked.json(),
        "what is shown is what is sent"
    );
    assert_eq!(
        asked.json(),
        serde_json::json!({
            "jobName": "support-03",
            "customModelName": "support",
            "roleArn": "arn:aws:iam::123456789012:role/AmazonBedrockTuning",
            "clientRequestToken": "token-1",
            "baseModelIdentifier": "amazon.nova-micro-v1:0:128k",
            "customizationType": "FINE_TUNING",
            "trainingDataConfig": { "s3Uri": "s3://bucket/train.jsonl" },
            "validationDataConfig": { "validators": [{ "s3Uri": "s3://bucket/validation.jsonl" }] },
            "outputDataConfig": { "s3Uri": "s3://bucket/out/" },
            "hyperParameters": { "epochCount": "2" },
        })
    );
}

#[tokio::test]
async fn a_running_job_tells_its_phases() {
    let mut server = Answering::start(|_, _| {
        Reply::json(
            200,
            &serde_json::json!({
                "jobArn": JOB_ARN, "jobName": "support-03", "outputModelName": "support", "roleArn": "arn:role",
                "baseModelArn": "arn:base", "status": "InProgress", "creationTime": "1970-01-01T00:00:10Z",
                "hyperParameters": { "epochCount": "2" }, "customizationType": "FINE_TUNING",
                "trainingDataConfig": { "s3Uri": "s3://bucket/train.jsonl" },
                "validationDataConfig": { "validators": [{ "s3Uri": "s3://bucket/validation.jsonl" }] },
                "outputDataConfig": { "s3Uri": "s3://bucket/out/" },
                "statusDetails": {
                    "validationDetails": { "status": "Completed", "creationTime": "1970-01-01T00:00:11Z", "lastModifiedTime": "1970-01-01T00:00:12Z" },
                    "dataProcessingDetails": { "status": "InProgress" },
                    "trainingDetails": { "status": "NotStarted" }
                }
            })
            .to_string(),
        )
    })
    .await;
    let job = server.cloud().job(JOB_ARN).await.unwrap();
    assert_eq!((job.id(), &job.status, job.status.is_over()), ("abcdefghijkl", &JobStatus::InProgress, false));
    let validation = job.phases.validation.unwrap();
    assert_eq!(validation.status, Some(PhaseStatus::Completed));
    assert_eq!(validation.modified.unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs(), 12);
    assert_eq!(job.phases.data_processing.unwrap().status, Some(PhaseStatus::InProgress));
    assert_eq!(job.phases.training.unwrap().status, Some(PhaseStatus::NotStarted));
    assert_eq!(job.validation_uris, ["s3://bucket/validation.jsonl"]);
    assert_eq!(job.hyperparameters["epochCount"], "2");
    assert!(job.ended.is_none() && job.training_loss.is_none() && job.output_model_arn.is_none());
    assert_eq!(
        server.asked().await.target,
        "/model-customization-jobs/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Amodel-customization-job%2Famazon.nova-micro-v1%3A0%3A128k%2Fabcdefghijkl"
    );
}

#[tokio::test]
async fn a_finished_job_tells_its_losses_or_its_failure() {
    let end = |status: &str, rest: &str| {
        format!(
            r#"{{"jobArn":"{JOB_ARN}","jobName":"j","outputModelName":"m","roleArn":"r","baseModelArn":"b","creationTime":"1970-01-01T00:00:10Z",
            "trainingDataConfig":{{}},"validationDataConfig":{{"validators":[]}},"outputDataConfig":{{"s3Uri":"s3://b/o"}},"status":"{status}",{rest}}}"#
        )
    };
    let completed = end(
        "Completed",
        r#""outputModelArn":"arn:model","trainingMetrics":{"trainingLoss":1.25},"validationMetrics":[{"validationLoss":1.5}]"#,
    );
    let failed = end("Failed", r#""failureMessage":"Unable to parse Amazon S3 file""#);
    let unheard = end("Paused", r#""endTime":"1970-01-01T00:00:20Z""#);
    let server = Answering::start(move |number, _| Reply::json(200, [&completed, &failed, &unheard][number])).await;
    let cloud = server.cloud();

    let job = cloud.job("j").await.unwrap();
    assert_eq!(
        (job.training_loss, job.validation_losses, job.output_model_arn.as_deref()),
        (Some(1.25), vec![1.5], Some("arn:model"))
    );
    let job = cloud.job("j").await.unwrap();
    assert_eq!(
        (job.status, job.failure_message.as_deref()),
        (JobStatus::Failed, Some("Unable to parse Amazon S3 file"))
    );
    let job = cloud.job("j").await.unwrap();
    assert_eq!(job.status, JobStatus::Other("Paused".into()), "a state that AWS adds one day is not an error");
}

#[tokio::test]
async fn a_list_is_read_to_its_last_page() {
    let mut server = Answering::start(|number, _| {
        let summary = |name: &str| {
            format!(r#"{{"jobArn":"{JOB_ARN}","jobName":"{name}","baseModelArn":"b","status":"Stopped","creationTime":"1970-01-01T00:00:10Z"}}"#)
        };
        Reply::json(
            200,
            &match number {
                0 => format!(r#"{{"nextToken":"more","modelCustomizationJobSummaries":[{}]}}"#, summary("second")),
                _ => format!(r#"{{"modelCustomizationJobSummaries":[{}]}}"#, summary("first")),
            },
        )
    })
    .await;
    let jobs = server.cloud().jobs(Some("s")).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(), ["second", "first"]);
    let targets: Vec<_> = server.all_asked().into_iter().map(|asked| asked.target).collect();
    assert!(targets[0].contains("nameContains=s") && targets[0].contains("sortOrder=Descending"), "{targets:?}");
    assert!(targets[1].contains("nextToken=more"), "{targets:?}");
}

#[tokio::test]
async fn stopping_asks_for_the_job_to_stop() {
    let mut server = Answering::start(|_, _| Reply::json(200, "{}")).await;
    server.cloud().stop_job("support-03").await.unwrap();
    let asked = server.asked().await;
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/model-customization-jobs/support-03/stop"));
}

#[tokio::test]
async fn models_and_deployments_are_read() {
    let server = Answering::start(|_, asked| {
        let body = match asked.target.split('?').next().unwrap() {
            "/foundation-models" => {
                r#"{"modelSummaries":[{"modelArn":"arn:fm","modelId":"amazon.nova-micro-v1:0","modelName":"Nova Micro","providerName":"Amazon",
                "responseStreamingSupported":true,"customizationsSupported":["FINE_TUNING","DISTILLATION"],"inferenceTypesSupported":["ON_DEMAND"],
                "modelLifecycle":{"status":"ACTIVE"}}]}"#
            }
            "/custom-models" => {
                r#"{"modelSummaries":[{"modelArn":"arn:cm","modelName":"support","creationTime":"1970-01-01T00:00:10Z","baseModelArn":"arn:fm",
                "baseModelName":"Nova Micro","customizationType":"FINE_TUNING","modelStatus":"Active"}]}"#
            }
            "/custom-models/support" => {
                r#"{"modelArn":"arn:cm","modelName":"support","creationTime":"1970-01-01T00:00:10Z","jobArn":"arn:job","modelStatus":"Creating",
                "trainingMetrics":{"trainingLoss":0.5},"hyperParameters":{"epochCount":"2"}}"#
            }
            "/model-customization/custom-model-deployments" => {
                r#"{"modelDeploymentSummaries":[{"customModelDeploymentArn":"arn:dep","customModelDeploymentName":"live","modelArn":"arn:cm",
                "createdAt":"1970-01-01T00:00:10Z","status":"Creating"}]}"#
            }
            "/model-customization/custom-model-deployments/live" => {
                r#"{"customModelDeploymentArn":"arn:dep","modelDeploymentName":"live","modelArn":"arn:cm","createdAt":"1970-01-01T00:00:10Z",
                "status":"Failed","failureMessage":"no room"}"#
            }
            other => return Reply::bedrock_error(404, "ResourceNotFoundException", other),
        };
        Reply::json(200, body)
    })
    .await;
    let cloud = server.cloud();
    let models = cloud.foundation_models().await.unwrap();
    assert_eq!(
        (models[0].name.as_str(), models[0].customizations.as_slice()),
        ("Nova Micro", &["FINE_TUNING".into(), "DISTILLATION".into()][..])
    );
    assert!(models[0].streaming && models[0].lifecycle.as_deref() == Some("ACTIVE"));
    let custom = cloud.custom_models().await.unwrap();
    assert_eq!((custom[0].name.as_str(), custom[0].status.as_ref()), ("support", Some(&ModelStatus::Active)));
    let custom = cloud.custom_model("support").await.unwrap();
    assert_eq!((custom.job_arn.as_deref(), custom.training_loss), (Some("arn:job"), Some(0.5)));
    let deployments = cloud.deployments().await.unwrap();
    assert_eq!((deployments[0].name.as_str(), &deployments[0].status), ("live", &DeploymentStatus::Creating));
    let deployment = cloud.deployment("live").await.unwrap();
    assert_eq!((deployment.status, deployment.failure_message.as_deref()), (DeploymentStatus::Failed, Some("no room")));
}
