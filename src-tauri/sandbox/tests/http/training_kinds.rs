//! Kinds of training beside plain fine-tuning, and who may train when.

use serde_json::{Value, json};
use whetstone_sandbox::{Sandbox, SandboxConfig, WorkerLimits};

use crate::client::{Client, segment};
use crate::running::{
    Running, client_of, config_in, create, deploy, job, job_over, job_request, job_until, start, start_in,
    start_with_data, until, upload,
};

const JOBS: &str = "/model-customization-jobs";

fn prompt(text: &str) -> Value {
    json!({
        "schemaVersion": "bedrock-conversation-2024",
        "messages": [{ "role": "user", "content": [{ "text": text }] }],
    })
}

async fn put(client: &Client, key: &str, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(client.s3("PUT", &format!("/data/{key}"), text.as_bytes()).await.status, 200);
}

async fn object(client: &Client, arn: &str, key: &str) -> String {
    let id = arn.rsplit('/').next().unwrap();
    let answer = client.s3("GET", &format!("/data/out/model-customization-job-{id}/{key}"), b"").await;
    assert_eq!(answer.status, 200, "{key}: {}", answer.text());
    answer.text()
}

/// A distillation of Nova Pro into Nova Micro.
fn distillation(running: &Running, name: &str) -> Value {
    let mut request = job_request(&running.sandbox, name);
    request["baseModelIdentifier"] = json!("amazon.nova-micro-v1:0:128k");
    request["customizationType"] = json!("DISTILLATION");
    request["trainingDataConfig"] = json!({ "s3Uri": "s3://data/prompts.jsonl" });
    request["hyperParameters"] = json!({ "epochCount": "1" });
    request.as_object_mut().unwrap().remove("validationDataConfig");
    request["customizationConfig"] = json!({ "distillationConfig": { "teacherModelConfig": {
        "teacherModelIdentifier": "amazon.nova-pro-v1:0", "maxResponseLengthForInference": 4,
    } } });
    request
}

#[tokio::test]
async fn a_distillation_trains_the_student_on_what_the_teacher_answered() {
    let running = start_with_data().await;
    let client = &running.client;
    let mut lines: Vec<Value> = (0..100).map(|index| prompt(&format!("Tell me about number {index}."))).collect();
    lines.push(json!({ "schemaVersion": "another", "messages": [] }));
    put(client, "prompts.jsonl", &lines).await;
    let request = distillation(&running, "distilled");
    let arn = create(client, &request).await;
    let done = job_over(client, &arn).await;
    assert_eq!(done["status"], "Completed", "{done}");
    assert_eq!(done["customizationConfig"], request["customizationConfig"]);
    assert!(done["trainingMetrics"]["trainingLoss"].as_f64().unwrap() > 0.0);

    let sample = object(client, &arn, "distillation_artifacts/synthetic_data_sample.jsonl").await;
    let answered: Vec<Value> = sample.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let report = object(client, &arn, "distillation_artifacts/prompts_report.jsonl").await;
    let report: Vec<Value> = report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(report.len(), 101);
    assert_eq!((&report[100]["prompt"], &report[100]["accepted"]), (&json!("line 101"), &json!(false)));
    let accepted = report.iter().filter(|one| one["accepted"] == true).count();
    assert_eq!(answered.len(), accepted, "the sample holds what was used");
    assert_eq!(answered[0]["messages"][1]["role"], "assistant");
    let answers: std::collections::HashSet<String> =
        answered.iter().map(|one| one["messages"][1]["content"][0]["text"].to_string()).collect();
    assert!(answers.len() > 1, "answers are drawn, not made up: {answers:?}");
    let model =
        client.get(&format!("/custom-models/{}", segment(done["outputModelArn"].as_str().unwrap()))).await.json();
    assert_eq!(model["customizationType"], "DISTILLATION");
    assert_eq!(model["customizationConfig"], request["customizationConfig"]);
}

#[tokio::test]
async fn a_distillation_with_too_few_prompts_fails_with_the_reason() {
    let running = start_with_data().await;
    put(&running.client, "prompts.jsonl", &[prompt("One?"), json!({ "messages": [] })]).await;
    let arn = create(&running.client, &distillation(&running, "few")).await;
    let done = job_over(&running.client, &arn).await;
    assert_eq!(done["statusDetails"]["dataProcessingDetails"]["status"], "Failed");
    let message = done["failureMessage"].as_str().unwrap();
    assert!(message.contains("1 prompts can be used") && message.contains("line 2"), "{message}");
}

#[tokio::test]
async fn continued_pre_training_learns_plain_texts() {
    let running = start_with_data().await;
    let client = &running.client;
    let text = "The lamp on the hill is lit when the last boat has come home.";
    put(client, "texts.jsonl", &vec![json!({ "input": text }); 40]).await;
    let mut request = job_request(&running.sandbox, "read");
    request["baseModelIdentifier"] = json!("amazon.titan-text-express-v1:0:8k");
    request["customizationType"] = json!("CONTINUED_PRE_TRAINING");
    request["trainingDataConfig"] = json!({ "s3Uri": "s3://data/texts.jsonl" });
    request["validationDataConfig"] = json!({ "validators": [{ "s3Uri": "s3://data/texts.jsonl" }] });
    request["hyperParameters"] = json!({ "epochCount": "3" });
    request["jobTags"] = json!([{ "key": "whetstone:approach", "value": "full" }]);
    let arn = create(client, &request).await;
    let done = job_over(client, &arn).await;
    assert_eq!(done["status"], "Completed", "{done}");
    let steps = object(client, &arn, "training_artifacts/step_wise_training_metrics.csv").await;
    let losses: Vec<f64> = steps.lines().skip(1).map(|row| row.split(',').nth(2).unwrap().parse().unwrap()).collect();
    assert_eq!(losses.len(), 15, "40 texts in batches of 8, three times");
    assert!(losses[14] < losses[0] - 1.0, "the text was learned: {losses:?}");

    put(client, "texts.jsonl", &[json!({ "input": text }), json!({ "prompt": "no", "completion": "text" })]).await;
    request["jobName"] = json!("unread");
    request["customModelName"] = json!("unread");
    let arn = create(client, &request).await;
    let message = job_over(client, &arn).await["failureMessage"].to_string();
    assert!(message.contains("Line 2 of the training data") && message.contains("must follow"), "{message}");
}

#[tokio::test]
async fn a_kind_of_training_that_is_not_here_or_not_the_models_is_refused_with_the_reason() {
    let running = start_with_data().await;
    let nova_2 = |request: &mut Value| request["baseModelIdentifier"] = json!("amazon.nova-2-lite-v1:0:256k");
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 9] = [
        (|request| request["customizationType"] = json!("REINFORCEMENT_FINE_TUNING"), "AWS Lambda function"),
        (|request| request["customizationType"] = json!("IMPORTED"), "IMPORTED cannot be requested"),
        (|request| request["customizationType"] = json!("FINE_TUNING"), "customizationConfig is not accepted"),
        (|request| request["customizationConfig"] = Value::Null, "distillationConfig is required"),
        (|request| request["customizationConfig"]["rftConfig"] = json!({}), "Exactly one member of the union"),
        (
            |request| {
                request["customizationConfig"]["distillationConfig"]["teacherModelConfig"]["teacherModelIdentifier"] =
                    json!("us.meta.llama3-3-70b-instruct-v1:0");
            },
            "it learns from amazon.nova-pro-v1:0",
        ),
        (
            |request| request["trainingDataConfig"]["invocationLogsConfig"] = json!({}),
            "'trainingDataConfig.invocationLogsConfig.invocationLogSource'",
        ),
        (
            |request| request["jobTags"] = json!([{ "key": "whetstone:approach", "value": "half" }]),
            "must be full or peft",
        ),
        (
            |request| request["validationDataConfig"] = json!({ "validators": [{ "s3Uri": "s3://data/train.jsonl" }] }),
            "does not take validation data",
        ),
    ];
    for (change, said) in cases {
        let mut request = distillation(&running, "refused");
        change(&mut request);
        let (status, code, message) = running.client.post(JOBS, &request).await.error();
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "{message}");
        assert!(message.contains(said), "{said} in {message}");
    }
    let mut request = distillation(&running, "refused");
    nova_2(&mut request);
    let (_, _, message) = running.client.post(JOBS, &request).await.error();
    assert!(message.contains("does not support DISTILLATION"), "{message}");
}

#[tokio::test]
async fn jobs_train_in_the_order_of_their_creation_and_only_so_many_may_wait() {
    let running = start_with_data().await;
    let client = &running.client;
    let mut request = job_request(&running.sandbox, "job");
    // Long enough to be at work while the others wait.
    request["hyperParameters"] = json!({ "epochCount": "50" });
    let mut arns = Vec::new();
    for index in 0..10 {
        request["jobName"] = json!(format!("job{index}"));
        request["customModelName"] = json!(format!("job{index}"));
        arns.push(create(client, &request).await);
    }
    request["jobName"] = json!("eleventh");
    request["customModelName"] = json!("eleventh");
    let (status, code, message) = client.post(JOBS, &request).await.error();
    assert_eq!((status, code.as_str()), (400, "ServiceQuotaExceededException"), "{message}");

    let trains = |job: &Value| job["statusDetails"]["trainingDetails"]["status"] == "InProgress";
    job_until(client, &arns[9], |job| job["statusDetails"]["dataProcessingDetails"]["status"] == "Completed").await;
    // Whichever two were ready first train; of those that wait, the eldest is next.
    let mut waiting = Vec::new();
    for arn in &arns {
        if !trains(&job(client, arn).await) {
            waiting.push(arn.clone());
        }
    }
    assert_eq!(waiting.len(), 8);
    for arn in arns.iter().filter(|arn| !waiting.contains(arn)).take(1) {
        assert_eq!(client.post(&format!("{JOBS}/{}/stop", segment(arn)), &json!({})).await.status, 200);
    }
    job_until(client, &waiting[0], trains).await;
    for arn in &waiting[1..] {
        assert!(!trains(&job(client, arn).await), "a younger one went first");
    }
    running.sandbox.stop().await;
}

#[tokio::test]
async fn a_deployment_is_moved_to_another_model_and_stays_where_that_cannot_be() {
    let running = start_with_data().await;
    let client = &running.client;
    let mut request = job_request(&running.sandbox, "first");
    request["hyperParameters"] = json!({ "epochCount": "1" });
    let mut models = Vec::new();
    for name in ["first", "second"] {
        request["jobName"] = json!(name);
        request["customModelName"] = json!(name);
        let arn = create(client, &request).await;
        models.push(job_over(client, &arn).await["outputModelArn"].as_str().unwrap().to_owned());
    }
    let arn = deploy(client, "moving", &models[0]).await;
    let path = format!("/model-customization/custom-model-deployments/{}", segment(&arn));
    let update = async |model: &str| client.bedrock("PATCH", &path, &json!({ "modelArn": model }).to_string()).await;
    let updated = update(&models[1]).await;
    assert_eq!((updated.status, &updated.json()["customModelDeploymentArn"]), (202, &json!(arn)));
    let settled = async || {
        let details = client.get(&path).await.json();
        (details["updateDetails"]["updateStatus"] != "Updating").then_some(details)
    };
    let details = until(settled).await;
    assert_eq!(details["updateDetails"], json!({ "modelArn": models[1], "updateStatus": "UpdateCompleted" }));
    assert_eq!((&details["modelArn"], &details["status"]), (&json!(models[1]), &json!("Active")));

    // The first model is free now, the second is not.
    let deleted = client.bedrock("DELETE", "/custom-models/second", "").await.error();
    assert_eq!((deleted.0, deleted.1.as_str()), (400, "ConflictException"));
    let folder = running.folder.path().join("models");
    let id = models[0].rsplit('/').next().unwrap();
    std::fs::write(folder.join(id).join("model.safetensors"), b"broken").unwrap();
    // Weights that were loaded once are kept in memory, so the sandbox is started anew to find them broken.
    running.sandbox.stop().await;
    let sandbox = start_in(running.folder.path(), 0).await.unwrap();
    let client = client_of(&sandbox);
    assert_eq!(client.bedrock("PATCH", &path, &json!({ "modelArn": models[0] }).to_string()).await.status, 202);
    let details = until(async || {
        let details = client.get(&path).await.json();
        (details["updateDetails"]["updateStatus"] != "Updating").then_some(details)
    })
    .await;
    assert_eq!(details["updateDetails"]["updateStatus"], "UpdateFailed", "{details}");
    assert_eq!((&details["modelArn"], &details["status"]), (&json!(models[1]), &json!("Active")));
    assert!(details["failureMessage"].as_str().is_some_and(|why| !why.is_empty()));
}

#[tokio::test]
async fn a_training_that_does_not_fit_into_memory_fails_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let limits = WorkerLimits { threads: Some(1), memory: Some(1_000_000) };
    let sandbox = Sandbox::start(SandboxConfig { limits, ..config_in(folder.path(), 0) }).await.unwrap();
    let client = client_of(&sandbox);
    upload(&client).await;
    let arn = create(&client, &job_request(&sandbox, "large")).await;
    let done = job_over(&client, &arn).await;
    assert_eq!(done["statusDetails"]["trainingDetails"]["status"], "Failed");
    let message = done["failureMessage"].as_str().unwrap();
    assert!(message.contains("MiB of memory") && message.contains("1 MiB are available"), "{message}");
}

#[tokio::test]
async fn a_model_that_is_served_by_the_hour_cannot_be_deployed() {
    let running = start().await;
    let account = running.sandbox.account();
    let absent =
        format!("arn:aws:bedrock:us-east-1:{account}:custom-model/amazon.titan-text-express-v1:0:8k/abcdefghijkl");
    let request = json!({ "modelDeploymentName": "d", "modelArn": absent });
    let refused = running.client.post("/model-customization/custom-model-deployments", &request).await.error();
    assert_eq!(refused.0, 404, "first it must be there: {}", refused.2);
    let client = &running.client;
    upload(client).await;
    let mut request = job_request(&running.sandbox, "titan");
    request["baseModelIdentifier"] = json!("amazon.titan-text-express-v1:0:8k");
    request["hyperParameters"] = json!({ "epochCount": "1" });
    let arn = create(client, &request).await;
    let model = job_over(client, &arn).await["outputModelArn"].clone();
    let request = json!({ "modelDeploymentName": "d", "modelArn": model });
    let (_, code, message) = client.post("/model-customization/custom-model-deployments", &request).await.error();
    assert_eq!(code, "ValidationException");
    assert!(message.contains("provisioned throughput"), "{message}");
}
