//! A sandbox on a free port and a folder of its own, and the steps that many tests share.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;
use whetstone_sandbox::{Clock, Sandbox, SandboxConfig, SandboxError, WorkerCommand, WorkerLimits};

use crate::client::{Client, segment};

/// How long something that a computer does in seconds may take on a busy one.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Running {
    pub sandbox: Sandbox,
    pub client: Client,
    pub folder: TempDir,
}

/// A sandbox whose time stands still until the test moves it on.
pub struct Held {
    pub client: Client,
    pub sandbox: Sandbox,
    ahead: Arc<AtomicU64>,
    _folder: TempDir,
}

impl Held {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (began, ahead) = (SystemTime::now(), Arc::new(AtomicU64::new(0)));
        let seconds = ahead.clone();
        let clock = Clock::new(move || began + Duration::from_secs(seconds.load(Ordering::Relaxed)));
        let sandbox = Sandbox::start_at(config_in(folder.path(), 0), clock).await.unwrap();
        Self { client: client_of(&sandbox), sandbox, ahead, _folder: folder }
    }

    pub fn pass(&mut self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
        self.client.ahead += i64::try_from(seconds).unwrap();
    }
}

pub fn worker() -> WorkerCommand {
    WorkerCommand { program: env!("CARGO_BIN_EXE_sandbox-alone").into(), args: vec!["train-worker".to_owned()] }
}

pub fn config_in(folder: &Path, port: u16) -> SandboxConfig {
    let (data_dir, region) = (folder.to_owned(), "us-east-1".to_owned());
    SandboxConfig { data_dir, port, region, worker: worker(), limits: WorkerLimits::default(), faults: None }
}

pub async fn start_in(folder: &Path, port: u16) -> Result<Sandbox, SandboxError> {
    Sandbox::start(config_in(folder, port)).await
}

pub fn client_of(sandbox: &Sandbox) -> Client {
    Client::new(address(&sandbox.endpoint()), sandbox.keys())
}

pub fn address(endpoint: &str) -> SocketAddr {
    endpoint.trim().strip_prefix("http://").unwrap().parse().unwrap()
}

pub async fn start() -> Running {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start_in(folder.path(), 0).await.unwrap();
    let client = client_of(&sandbox);
    Running { sandbox, client, folder }
}

/// A sandbox with a bucket that holds training and validation data.
pub async fn start_with_data() -> Running {
    let running = start().await;
    upload(&running.client).await;
    running
}

pub async fn upload(client: &Client) {
    assert_eq!(client.s3("PUT", "/data", b"").await.status, 200);
    assert_eq!(client.s3("PUT", "/data/train.jsonl", records(10).as_bytes()).await.status, 200);
    assert_eq!(client.s3("PUT", "/data/validation.jsonl", records(1).as_bytes()).await.status, 200);
}

/// Prompt and completion records: what comes after a word, so many times each.
pub fn records(times: usize) -> String {
    let words = ["red", "green", "blue", "cat", "dog", "fish", "tree", "lamp"];
    let line = |index: usize| {
        let next = words[(index + 1) % words.len()];
        json!({ "prompt": format!("What comes after {}?", words[index]), "completion": next }).to_string() + "\n"
    };
    (0..words.len() * times).map(|index| line(index % words.len())).collect()
}

/// A create request that is right, to be changed by a test.
pub fn job_request(sandbox: &Sandbox, name: &str) -> Value {
    json!({
        "jobName": name,
        "customModelName": format!("{name}-model"),
        "roleArn": sandbox.role_arn(),
        "baseModelIdentifier": "whetstone.tiny-v1",
        "trainingDataConfig": { "s3Uri": "s3://data/train.jsonl" },
        "validationDataConfig": { "validators": [{ "s3Uri": "s3://data/validation.jsonl" }] },
        "outputDataConfig": { "s3Uri": "s3://data/out" },
        "hyperParameters": { "epochCount": "4", "learningRate": "0.004", "learningRateWarmupSteps": "5" },
    })
}

pub async fn create(client: &Client, request: &Value) -> String {
    let answer = client.post("/model-customization-jobs", request).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["jobArn"].as_str().unwrap().to_owned()
}

pub async fn job(client: &Client, arn: &str) -> Value {
    let answer = client.get(&format!("/model-customization-jobs/{}", segment(arn))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Polls a job, as every client of this service must, until it is what is waited for.
pub async fn job_until(client: &Client, arn: &str, done: impl Fn(&Value) -> bool) -> Value {
    until(async || Some(job(client, arn).await).filter(|job| done(job))).await
}

pub async fn job_over(client: &Client, arn: &str) -> Value {
    job_until(client, arn, |job| !matches!(job["status"].as_str(), Some("InProgress" | "Stopping"))).await
}

/// Asks again until there is an answer.
pub async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// Deploys a custom model and waits until it answers.
pub async fn deploy(client: &Client, name: &str, model: &str) -> String {
    let request = json!({ "modelDeploymentName": name, "modelArn": model });
    let answer = client.post("/model-customization/custom-model-deployments", &request).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let arn = answer.json()["customModelDeploymentArn"].as_str().unwrap().to_owned();
    let path = format!("/model-customization/custom-model-deployments/{}", segment(&arn));
    until(async || (client.get(&path).await.json()["status"] == "Active").then_some(())).await;
    arn
}
