//! What outlives a restart, a kill and a second sandbox.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use whetstone_sandbox::SandboxError;

use crate::client::{Client, segment};
use crate::running::{
    address, client_of, create, job, job_over, job_request, start, start_in, start_with_data, until, upload,
};

/// A sandbox in a process of its own.
struct Alone {
    process: Child,
    client: Client,
    role: String,
}

impl Alone {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_sandbox-alone"))
            .args(["0".as_ref(), folder.as_os_str()])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut endpoint = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut endpoint).unwrap();
        let environment = whetstone_sandbox::environment(folder, 0).unwrap();
        let value = |name: &str| {
            environment.lines().find_map(|line| line.strip_prefix(&format!("export {name}="))).unwrap().to_owned()
        };
        let client = Client {
            address: address(&endpoint),
            key: value("AWS_ACCESS_KEY_ID"),
            secret: value("AWS_SECRET_ACCESS_KEY"),
            token: None,
            region: value("AWS_REGION"),
            ahead: 0,
        };
        Self { process, client, role: value("WHETSTONE_ROLE_ARN") }
    }

    /// SIGKILL: nothing of the sandbox gets a chance to tidy up.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test]
async fn a_job_goes_on_after_a_kill_and_no_step_is_lost_or_told_twice() {
    let folder = tempfile::tempdir().unwrap();
    let alone = Alone::start(folder.path());
    upload(&alone.client).await;
    let request = json!({
        "jobName": "killed", "customModelName": "killed-model", "roleArn": alone.role,
        "baseModelIdentifier": "whetstone.tiny-v1",
        "trainingDataConfig": { "s3Uri": "s3://data/train.jsonl" },
        "outputDataConfig": { "s3Uri": "s3://data/out" },
        "hyperParameters": { "epochCount": "15", "batchSize": "2" },
    });
    let arn = create(&alone.client, &request).await;
    let key = format!(
        "/data/out/model-customization-job-{}/training_artifacts/step_wise_training_metrics.csv",
        arn.rsplit('/').next().unwrap()
    );
    let client = alone.client.clone();
    until(async || (client.s3("GET", &key, b"").await.text().lines().count() > 20).then_some(())).await;
    alone.kill();

    let again = Alone::start(folder.path());
    assert_eq!(job(&again.client, &arn).await["status"], "InProgress", "found again");
    let done = job_over(&again.client, &arn).await;
    assert_eq!(done["status"], "Completed", "{done}");
    let csv = again.client.s3("GET", &key, b"").await.text();
    let steps: Vec<usize> = csv.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(steps, (0..15 * 40).collect::<Vec<_>>());
    again.kill();
}

#[tokio::test]
async fn a_kill_in_any_phase_is_outlived() {
    let folder = tempfile::tempdir().unwrap();
    let mut alone = Alone::start(folder.path());
    upload(&alone.client).await;
    let prompts: String = (0..100)
        .map(|index| {
            let text = json!([{ "text": format!("Tell me about number {index}.") }]);
            let messages = json!([{ "role": "user", "content": text }]);
            json!({ "schemaVersion": "bedrock-conversation-2024", "messages": messages }).to_string() + "\n"
        })
        .collect();
    assert_eq!(alone.client.s3("PUT", "/data/prompts.jsonl", prompts.as_bytes()).await.status, 200);
    let teacher = json!({ "teacherModelIdentifier": "amazon.nova-pro-v1:0", "maxResponseLengthForInference": 4 });
    let request = json!({
        "jobName": "outlives", "customModelName": "outlives-model", "roleArn": alone.role,
        "baseModelIdentifier": "amazon.nova-micro-v1:0:128k",
        "customizationType": "DISTILLATION",
        "trainingDataConfig": { "s3Uri": "s3://data/prompts.jsonl" },
        "outputDataConfig": { "s3Uri": "s3://data/out" },
        "hyperParameters": { "epochCount": "2" },
        "customizationConfig": { "distillationConfig": { "teacherModelConfig": teacher } },
    });
    let arn = create(&alone.client, &request).await;
    for phase in ["validationDetails", "dataProcessingDetails", "trainingDetails"] {
        let client = alone.client.clone();
        until(async || (job(&client, &arn).await["statusDetails"][phase]["status"] != "NotStarted").then_some(()))
            .await;
        alone.kill();
        alone = Alone::start(folder.path());
    }
    let done = job_over(&alone.client, &arn).await;
    assert_eq!(done["status"], "Completed", "{done}");
    // And once more as soon as it is over, whatever was still being tidied up.
    alone.kill();
    alone = Alone::start(folder.path());
    assert_eq!(job(&alone.client, &arn).await, done);
    let models = alone.client.get("/custom-models").await.json();
    assert_eq!(models["modelSummaries"].as_array().map(Vec::len), Some(1));
    let left = std::fs::read_dir(folder.path().join("jobs")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no working folder is left");
    alone.kill();
}

#[tokio::test]
async fn a_job_that_was_being_stopped_when_the_sandbox_died_ends_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let alone = Alone::start(folder.path());
    upload(&alone.client).await;
    let request = json!({
        "jobName": "stopped", "customModelName": "stopped-model", "roleArn": alone.role,
        "baseModelIdentifier": "whetstone.tiny-v1",
        "trainingDataConfig": { "s3Uri": "s3://data/train.jsonl" },
        "outputDataConfig": { "s3Uri": "s3://data/out" },
        "hyperParameters": { "epochCount": "50", "batchSize": "1" },
    });
    let arn = create(&alone.client, &request).await;
    let stop = format!("/model-customization-jobs/{}/stop", segment(&arn));
    assert_eq!(alone.client.post(&stop, &json!({})).await.status, 200);
    alone.kill();
    let again = Alone::start(folder.path());
    assert_eq!(job_over(&again.client, &arn).await["status"], "Stopped");
    again.kill();
}

#[tokio::test]
async fn stopping_the_sandbox_keeps_its_jobs_and_starting_it_takes_them_up() {
    let running = start_with_data().await;
    let mut request = job_request(&running.sandbox, "paused");
    request["hyperParameters"] = json!({ "epochCount": "8", "batchSize": "2" });
    let arn = create(&running.client, &request).await;
    let client = running.client.clone();
    until(async || {
        (job(&client, &arn).await["statusDetails"]["trainingDetails"]["status"] == "InProgress").then_some(())
    })
    .await;
    let work = running.folder.path().join("jobs").join(arn.rsplit('/').next().unwrap());
    let said =
        async || std::fs::read_to_string(work.join("events.jsonl")).ok().filter(|text| text.contains("\"step\""));
    until(said).await;
    running.sandbox.stop().await;
    assert!(work.join("checkpoint").exists(), "training was left at a checkpoint");
    let sandbox = start_in(running.folder.path(), 0).await.unwrap();
    assert_eq!(client_of(&sandbox).address, running.client.address, "the port is kept");
    assert_eq!(job_over(&running.client, &arn).await["status"], "Completed");
}

#[tokio::test]
async fn a_second_sandbox_on_the_folder_or_the_port_is_refused_in_words() {
    let running = start().await;
    let second = start_in(running.folder.path(), 0).await;
    let message = second.err().map(|error| error.to_string()).unwrap();
    assert!(
        message.contains("another sandbox") && message.contains(&*running.folder.path().to_string_lossy()),
        "{message}"
    );

    let other = tempfile::tempdir().unwrap();
    let port = running.client.address.port();
    let taken = start_in(other.path(), port).await;
    assert!(matches!(&taken, Err(SandboxError::PortTaken { port: named }) if *named == port));
    let message = taken.err().map(|error| error.to_string()).unwrap();
    assert!(message.contains(&port.to_string()), "{message}");
}

#[tokio::test]
async fn a_port_that_was_kept_but_is_taken_now_gives_way_to_a_free_one() {
    let folder = tempfile::tempdir().unwrap();
    let first = start_in(folder.path(), 0).await.unwrap();
    let port = client_of(&first).address;
    first.stop().await;
    let _squatter = std::net::TcpListener::bind(port).unwrap();
    let second = start_in(folder.path(), 0).await.unwrap();
    assert_ne!(client_of(&second).address, port);
    assert_eq!(client_of(&second).get("/foundation-models").await.status, 200);
}
