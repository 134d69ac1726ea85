//! Jobs that run: to their end, into a wall, or until they are stopped.

use serde_json::{Value, json};

use crate::client::{Client, segment};
use crate::running::{create, deploy, job, job_over, job_request, job_until, start_with_data};

fn statuses(job: &Value) -> [&str; 3] {
    ["validationDetails", "dataProcessingDetails", "trainingDetails"]
        .map(|phase| job["statusDetails"][phase]["status"].as_str().unwrap())
}

/// The rows of a metrics file, as numbers.
fn rows(csv: &str, header: &str) -> Vec<[f64; 4]> {
    let mut lines = csv.lines();
    assert_eq!(lines.next().unwrap(), header);
    lines
        .map(|line| {
            let numbers: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
            numbers.try_into().unwrap()
        })
        .collect()
}

const STEPS: &str = "step_number,epoch_number,training_loss,perplexity";

async fn object(client: &Client, key: &str) -> Option<String> {
    let answer = client.s3("GET", &format!("/data/{key}"), b"").await;
    (answer.status == 200).then(|| answer.text())
}

fn prefix(arn: &str) -> String {
    format!("out/model-customization-job-{}", arn.rsplit('/').next().unwrap())
}

#[tokio::test]
async fn a_job_trains_to_its_end_and_leaves_metrics_and_a_model() {
    let running = start_with_data().await;
    let client = &running.client;
    let mut request = job_request(&running.sandbox, "whole");
    request["jobTags"] = json!([{ "key": "team", "value": "a" }]);
    let arn = create(client, &request).await;
    let id = arn.rsplit('/').next().unwrap();
    assert!(id.len() == 12 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{arn}");

    let done = job_over(client, &arn).await;
    assert_eq!(done["status"], "Completed", "{done}");
    assert_eq!(statuses(&done), ["Completed"; 3]);
    assert_eq!(done["outputModelName"], "whole-model");
    assert_eq!(done["customizationType"], "FINE_TUNING");
    assert_eq!(done["baseModelArn"], "arn:aws:bedrock:us-east-1::foundation-model/whetstone.tiny-v1");
    assert_eq!(done["hyperParameters"], request["hyperParameters"]);
    assert_eq!(done["validationDataConfig"], request["validationDataConfig"]);

    let steps = object(client, &format!("{}/training_artifacts/step_wise_training_metrics.csv", prefix(&arn))).await;
    let steps = rows(&steps.unwrap(), STEPS);
    assert_eq!(steps.len(), 4 * 5, "80 records in batches of 16, four times");
    for (index, [step, epoch, loss, perplexity]) in steps.iter().enumerate() {
        assert_eq!((*step as usize, *epoch as usize), (index, index / 5));
        assert!((loss.exp() - perplexity).abs() < 1e-6 * perplexity);
    }
    assert!(steps.last().unwrap()[2] < steps[0][2] / 2.0, "the loss fell: {steps:?}");
    let last_epoch: f64 = steps[15..].iter().map(|row| row[2]).sum::<f64>() / 5.0;
    let told = done["trainingMetrics"]["trainingLoss"].as_f64().unwrap();
    assert!((told - last_epoch).abs() < 0.2 * last_epoch, "{told} is the last epoch's loss, {last_epoch}");

    let key = format!("{}/validation_artifacts/post_fine_tuning_validation/validation_metrics.csv", prefix(&arn));
    let validation = object(client, &key).await.unwrap();
    let validation = rows(&validation, "step_number,epoch_number,validation_loss,perplexity");
    let last = validation.last().unwrap()[2];
    assert_eq!(done["validationMetrics"], json!([{ "validationLoss": last }]));
    assert_eq!(object(client, "out/.write_access_check_file.tmp").await, None, "the probe is gone");
    assert!(!running.folder.path().join("jobs").join(id).exists(), "the working folder is gone");

    let model_arn = done["outputModelArn"].as_str().unwrap();
    let model = client.get(&format!("/custom-models/{}", segment(model_arn))).await.json();
    assert_eq!((&model["modelStatus"], &model["jobArn"]), (&json!("Active"), &json!(arn)));
    let listed = client.get("/custom-models?nameContains=whole").await.json();
    assert_eq!(listed["modelSummaries"][0]["modelArn"], json!(model_arn));
    assert!(client.get("/custom-models?isOwned=false").await.json()["modelSummaries"].as_array().unwrap().is_empty());

    let stop = client.post(&format!("/model-customization-jobs/{}/stop", segment(&arn)), &json!({})).await.error();
    assert_eq!((stop.0, stop.1.as_str()), (400, "ConflictException"));
    further_and_away(&running.client, &request, model_arn).await;
}

/// The model can be tuned further, is kept while it is deployed, and can be deleted after that.
async fn further_and_away(client: &Client, request: &Value, model_arn: &str) {
    let mut further = request.clone();
    further["jobName"] = json!("further");
    further["customModelName"] = json!("further-model");
    further["baseModelIdentifier"] = json!(model_arn);
    let arn = create(client, &further).await;
    let done = job_over(client, &arn).await;
    assert_eq!(done["status"], "Completed", "{done}");
    let steps = object(client, &format!("{}/training_artifacts/step_wise_training_metrics.csv", prefix(&arn))).await;
    let first_loss = rows(&steps.unwrap(), STEPS)[0][2];
    assert!(first_loss < 1.5, "training went on from what was learned: {first_loss}");

    let deployment = deploy(client, "kept", model_arn).await;
    let path = format!("/custom-models/{}", segment(model_arn));
    let refused = client.bedrock("DELETE", &path, "").await.error();
    assert_eq!((refused.0, refused.1.as_str()), (400, "ConflictException"));
    let deployments = "/model-customization/custom-model-deployments";
    let by_model = client.get(&format!("{deployments}?modelArnEquals={}", segment(model_arn))).await.json();
    assert_eq!(by_model["modelDeploymentSummaries"][0]["customModelDeploymentName"], "kept");
    let gone = client.bedrock("DELETE", &format!("{deployments}/{}", segment(&deployment)), "").await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    assert_eq!(client.bedrock("DELETE", &path, "").await.status, 200);
    assert_eq!(client.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_job_that_cannot_go_on_fails_with_the_reason() {
    let running = start_with_data().await;
    let client = &running.client;
    let bad: [(&str, &str); 3] = [
        ("broken.jsonl", "{\"prompt\":\"a\",\"completion\":\"b\"}\nnot json\n"),
        ("keys.jsonl", "{\"input\":\"a\",\"output\":\"b\"}\n"),
        ("few.jsonl", "{\"prompt\":\"a\",\"completion\":\"b\"}\n"),
    ];
    for (key, text) in bad {
        assert_eq!(client.s3("PUT", &format!("/data/{key}"), text.as_bytes()).await.status, 200);
    }
    let eu = Client { region: "eu-west-1".to_owned(), ..client.clone() };
    assert_eq!(eu.s3("PUT", "/data-eu", b"").await.status, 200);
    let cases: [(&str, &str, [&str; 3], &str); 7] = [
        ("s3://data/absent.jsonl", "s3://data/out", ["Failed", "NotStarted", "NotStarted"], "GetObject permissions"),
        ("s3://nowhere/a.jsonl", "s3://data/out", ["Failed", "NotStarted", "NotStarted"], "bucket: nowhere"),
        (
            "s3://data/train.jsonl",
            "s3://nowhere/out",
            ["Failed", "NotStarted", "NotStarted"],
            "perms missing (PutObject)",
        ),
        ("s3://data/train.jsonl", "s3://data-eu/out", ["Failed", "NotStarted", "NotStarted"], "one Region"),
        ("s3://data/broken.jsonl", "s3://data/out", ["Completed", "Failed", "NotStarted"], "Unable to parse"),
        ("s3://data/keys.jsonl", "s3://data/out", ["Completed", "Failed", "NotStarted"], "must follow"),
        ("s3://data/few.jsonl", "s3://data/out", ["Completed", "Failed", "NotStarted"], "8"),
    ];
    for (index, (training, output, phases, said)) in cases.into_iter().enumerate() {
        let mut request = job_request(&running.sandbox, &format!("wall-{index}"));
        request["trainingDataConfig"]["s3Uri"] = json!(training);
        request["outputDataConfig"]["s3Uri"] = json!(output);
        let arn = create(client, &request).await;
        let failed = job_over(client, &arn).await;
        let message = failed["failureMessage"].as_str().unwrap_or_default();
        assert_eq!(failed["status"], "Failed", "{failed}");
        assert!(message.contains(said), "{said} in {message}");
        assert_eq!(statuses(&failed), phases, "{message}");
        assert!(failed.get("outputModelArn").is_none() && failed.get("trainingMetrics").is_none());
        assert!(failed.get("endTime").is_some());
    }
    assert_eq!(client.get("/custom-models").await.json()["modelSummaries"], json!([]));
}

#[tokio::test]
async fn two_jobs_train_at_once_and_a_stopped_one_makes_room_and_leaves_no_model() {
    let running = start_with_data().await;
    let client = &running.client;
    let mut arns = Vec::new();
    for index in 0..3 {
        let mut request = job_request(&running.sandbox, &format!("long-{index}"));
        request["hyperParameters"] = json!({ "epochCount": "50", "batchSize": "1" });
        arns.push(create(client, &request).await);
    }
    let training = |job: &Value| statuses(job)[2] == "InProgress";
    let mut at_work = Vec::new();
    let waiting = job_until_two(client, &arns, &mut at_work).await;
    let third = job(client, &waiting).await;
    assert_eq!((third["status"].as_str().unwrap(), statuses(&third)[2]), ("InProgress", "NotStarted"));

    let steps = format!("{}/training_artifacts/step_wise_training_metrics.csv", prefix(&at_work[0]));
    let seen = crate::running::until(async || object(client, &steps).await).await;
    let more = crate::running::until(async || object(client, &steps).await.filter(|now| now.len() > seen.len())).await;
    assert!(more.starts_with(&seen), "the metrics file grows while the job trains");

    let path = format!("/model-customization-jobs/{}/stop", segment(&at_work[0]));
    assert_eq!(client.post(&path, &json!({})).await.status, 200);
    let stopped = job_over(client, &at_work[0]).await;
    assert_eq!((stopped["status"].as_str().unwrap(), statuses(&stopped)[2]), ("Stopped", "Stopped"));
    assert!(stopped.get("outputModelArn").is_none());
    job_until(client, &waiting, training).await;
    for arn in [&at_work[1], &waiting] {
        let path = format!("/model-customization-jobs/{}/stop", segment(arn));
        assert_eq!(client.post(&path, &json!({})).await.status, 200);
        assert_eq!(job_over(client, arn).await["status"], "Stopped");
    }
    assert_eq!(client.get("/custom-models").await.json()["modelSummaries"], json!([]));
    assert_eq!(std::fs::read_dir(running.folder.path().join("jobs")).unwrap().count(), 0, "no working folder is left");
}

/// Waits until two of three jobs train, and answers the third.
async fn job_until_two(client: &Client, arns: &[String], at_work: &mut Vec<String>) -> String {
    crate::running::until(async || {
        at_work.clear();
        let mut waiting = None;
        for arn in arns {
            let job = job(client, arn).await;
            match statuses(&job) {
                [_, _, "InProgress"] => at_work.push(arn.clone()),
                [_, "Completed", "NotStarted"] => waiting = Some(arn.clone()),
                _ => {}
            }
        }
        waiting.filter(|_| at_work.len() == 2)
    })
    .await
}

#[tokio::test]
async fn a_stand_in_trains_and_says_so() {
    let running = start_with_data().await;
    let client = &running.client;
    let line = |prompt: &str| {
        json!({ "schemaVersion": "bedrock-conversation-2024", "messages": [
            { "role": "user", "content": [{ "text": prompt }] },
            { "role": "assistant", "content": [{ "text": "yes" }] },
        ] })
        .to_string()
    };
    let text: Vec<String> = (0..24).map(|index| line(&format!("Is it {index}?"))).collect();
    assert_eq!(client.s3("PUT", "/data/nova.jsonl", text.join("\n").as_bytes()).await.status, 200);
    let mut request = job_request(&running.sandbox, "nova");
    request["baseModelIdentifier"] = json!("amazon.nova-micro-v1:0:128k");
    request["trainingDataConfig"]["s3Uri"] = json!("s3://data/nova.jsonl");
    request["validationDataConfig"]["validators"] = json!([]);
    request["hyperParameters"] = json!({ "epochCount": "1" });
    let arn = create(client, &request).await;
    assert!(arn.contains("/amazon.nova-micro-v1:0:128k/"), "{arn}");
    let done = job_over(client, &arn).await;
    assert_eq!(done["status"], "Completed", "{done}");
    assert_eq!(done["validationDataConfig"], json!({ "validators": [] }));
    assert!(done.get("validationMetrics").is_none());
    let steps = object(client, &format!("{}/training_artifacts/step_wise_training_metrics.csv", prefix(&arn))).await;
    assert_eq!(rows(&steps.unwrap(), STEPS).len(), 3, "24 records in batches of at least 8");
    let model_arn = done["outputModelArn"].as_str().unwrap();
    for target in
        [format!("/model-customization-jobs/{}", segment(&arn)), format!("/custom-models/{}", segment(model_arn))]
    {
        assert_eq!(client.get(&target).await.header("x-whetstone-stand-in"), "whetstone.tiny-v1", "{target}");
    }
}
