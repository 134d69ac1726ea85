//! Model import from S3, and model copy to another Region.

use serde_json::{Value, json};
use whetstone_tuner::LanguageModel;

use crate::client::{Client, segment};
use crate::running::{Running, create, job_over, job_request, start, start_with_data, until};

const IMPORTS: &str = "/model-import-jobs";
const COPIES: &str = "/model-copy-jobs";

/// A sandbox with a model's folder at `s3://models/tiny/`, as the tuner writes it.
async fn start_with_model() -> Running {
    let running = start().await;
    let folder = tempfile::tempdir().unwrap();
    LanguageModel::tiny_v1().unwrap().save(folder.path()).unwrap();
    assert_eq!(running.client.s3("PUT", "/models", b"").await.status, 200);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let key = format!("/models/tiny/{}", file.file_name().to_str().unwrap());
        let put = running.client.s3("PUT", &key, &std::fs::read(file.path()).unwrap()).await;
        assert_eq!(put.status, 200, "{}", put.text());
    }
    running
}

fn import_request(running: &Running, name: &str, uri: &str) -> Value {
    json!({
        "jobName": format!("{name}-job"),
        "importedModelName": name,
        "roleArn": running.sandbox.role_arn(),
        "modelDataSource": { "s3DataSource": { "s3Uri": uri } },
    })
}

async fn import(client: &Client, request: &Value) -> Value {
    let answer = client.post(IMPORTS, request).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    over(client, IMPORTS, answer.json()["jobArn"].as_str().unwrap()).await
}

async fn over(client: &Client, jobs: &str, arn: &str) -> Value {
    let path = format!("{jobs}/{}", segment(arn));
    until(async || Some(client.get(&path).await.json()).filter(|job| job["status"] != "InProgress")).await
}

fn hello() -> Value {
    json!({
        "messages": [{ "role": "user", "content": [{ "text": "What did the old man say?" }] }],
        "inferenceConfig": { "maxTokens": 10, "temperature": 0 },
    })
}

async fn said(client: &Client, model: &str) -> Value {
    let answer = client.post(&format!("/model/{}/converse", segment(model)), &hello()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["output"].clone()
}

#[tokio::test]
async fn an_imported_folder_answers_by_its_arn_as_the_model_that_it_holds() {
    let running = start_with_model().await;
    let client = &running.client;
    let mut request = import_request(&running, "brought", "s3://models/tiny/");
    request["clientRequestToken"] = json!("token-1");
    request["importedModelTags"] = json!([{ "key": "team", "value": "support" }]);
    let job = import(client, &request).await;
    assert_eq!(job["status"], "Completed", "{job}");
    let arn = job["importedModelArn"].as_str().unwrap();
    assert_eq!(client.post(IMPORTS, &request).await.json()["jobArn"], job["jobArn"], "the same token is the same job");

    let model = client.get("/imported-models/brought").await.json();
    assert_eq!((&model["modelArn"], &model["modelArchitecture"]), (&json!(arn), &json!("llama")));
    assert_eq!((&model["instructSupported"], &model["jobArn"]), (&json!(true), &job["jobArn"]));
    let answer = said(client, arn).await;
    assert_eq!(answer, said(client, "whetstone.tiny-v1").await);
    let body = json!({ "prompt": "What did the old man say?", "max_gen_len": 10, "temperature": 0 });
    let llama = client.post(&format!("/model/{}/invoke", segment(arn)), &body).await.json();
    assert_eq!(llama["generation"], answer["message"]["content"][0]["text"]);
    let tags = client.post("/listTagsForResource", &json!({ "resourceARN": arn })).await.json();
    assert_eq!(tags["tags"], request["importedModelTags"]);

    request["clientRequestToken"] = json!("token-2");
    assert_eq!(client.post(IMPORTS, &request).await.error().1, "ConflictException");
    let listed = client.get(&format!("{IMPORTS}?statusEquals=Completed&nameContains=brought")).await.json();
    assert_eq!(listed["modelImportJobSummaries"][0]["importedModelArn"], json!(arn));
    let listed = client.get("/imported-models?nameContains=BROUGHT").await.json();
    assert_eq!(listed["modelSummaries"][0]["modelArn"], json!(arn));
    assert_eq!(client.bedrock("DELETE", &format!("/imported-models/{}", segment(arn)), "").await.status, 200);
    assert_eq!(client.get("/imported-models/brought").await.status, 404);
    let gone = client.post(&format!("/model/{}/converse", segment(arn)), &hello()).await;
    assert_eq!(gone.error().1, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_folder_of_another_architecture_fails_the_import_and_says_what_is_taken() {
    let running = start_with_model().await;
    let client = &running.client;
    let config = json!({ "model_type": "mixtral", "architectures": ["MixtralForCausalLM"] }).to_string();
    for (name, key, content) in [
        ("mixtral", "config.json", config.as_bytes()),
        ("mixtral", "tokenizer.json", b"{}".as_slice()),
        ("mixtral", "model.safetensors", b"".as_slice()),
        ("half", "config.json", config.as_bytes()),
        ("pickled", "config.json", config.as_bytes()),
        ("pickled", "tokenizer.json", b"{}".as_slice()),
        ("pickled", "pytorch_model.bin", b"".as_slice()),
    ] {
        assert_eq!(client.s3("PUT", &format!("/models/{name}/{key}"), content).await.status, 200);
    }
    for (name, uri, fragment) in [
        ("one", "s3://models/mixtral", "model_type is mixtral; taken are llama (LlamaForCausalLM), mistral"),
        ("two", "s3://models/half/", "There is no tokenizer.json"),
        ("three", "s3://models/pickled/", "There are no weights"),
        ("four", "s3://models/nothing/", "There is no config.json"),
        ("five", "s3://nobodys-bucket/tiny/", "Could not validate GetObject permissions"),
    ] {
        let job = import(client, &import_request(&running, name, uri)).await;
        assert_eq!(job["status"], "Failed", "{job}");
        let message = job["failureMessage"].as_str().unwrap();
        assert!(message.contains(fragment), "{fragment} in {message}");
        assert!(job["importedModelArn"].is_null());
    }
    assert_eq!(client.get("/imported-models").await.json()["modelSummaries"], json!([]));
    let elsewhere = Client { region: "us-west-2".to_owned(), ..client.clone() };
    let job = import(&elsewhere, &import_request(&running, "six", "s3://models/tiny/")).await;
    assert!(job["failureMessage"].as_str().unwrap().contains("both must be in one Region"), "{job}");
    let nowhere = Client { region: "sa-east-1".to_owned(), ..client.clone() };
    let answer = nowhere.post(IMPORTS, &import_request(&running, "seven", "s3://models/tiny/")).await;
    assert_eq!(answer.error().1, "ValidationException");
    let mut nobody = import_request(&running, "eight", "s3://models/tiny/");
    nobody["roleArn"] = json!("arn:aws:iam::123456789012:role/Nobody");
    assert_eq!(client.post(IMPORTS, &nobody).await.error().1, "ValidationException");
}

#[tokio::test]
async fn a_custom_model_is_copied_to_another_region_and_lives_on_by_itself() {
    let running = start_with_data().await;
    let client = &running.client;
    let mut job = job_request(&running.sandbox, "original");
    job["hyperParameters"] = json!({ "epochCount": "1" });
    let done = job_over(client, &create(client, &job).await).await;
    let source = done["outputModelArn"].as_str().unwrap_or_else(|| panic!("{done}"));
    let request = json!({
        "sourceModelArn": source, "targetModelName": "copied", "clientRequestToken": "token-1",
        "targetModelTags": [{ "key": "team", "value": "support" }],
    });
    assert_eq!(client.post(COPIES, &request).await.error().1, "ValidationException", "it is in this Region already");
    let west = Client { region: "us-west-2".to_owned(), ..client.clone() };
    let arn = west.post(COPIES, &request).await.json()["jobArn"].as_str().unwrap().to_owned();
    assert_eq!(west.post(COPIES, &request).await.json()["jobArn"], json!(arn));
    let copied = over(&west, COPIES, &arn).await;
    assert_eq!((&copied["status"], &copied["sourceModelArn"]), (&json!("Completed"), &json!(source)), "{copied}");
    let target = copied["targetModelArn"].as_str().unwrap();
    assert!(target.starts_with("arn:aws:bedrock:us-west-2:"), "{target}");

    let original = client.get(&format!("/custom-models/{}", segment(source))).await.json();
    assert_eq!(client.bedrock("DELETE", &format!("/custom-models/{}", segment(source)), "").await.status, 200);
    let model = west.get("/custom-models/copied").await.json();
    assert_eq!((&model["modelArn"], &model["hyperParameters"]), (&json!(target), &original["hyperParameters"]));
    assert_eq!(client.get("/custom-models/copied").await.status, 404, "it is in the other Region only");
    let tags = west.post("/listTagsForResource", &json!({ "resourceARN": target })).await.json();
    assert_eq!(tags["tags"], request["targetModelTags"]);
    let listed = west.get(&format!("{COPIES}?outputModelNameContains=COP&statusEquals=Completed")).await.json();
    assert_eq!(listed["modelCopyJobSummaries"][0]["jobArn"], json!(arn));
    assert_eq!(
        west.get(&format!("{COPIES}?sourceAccountEquals=000000000000")).await.json()["modelCopyJobSummaries"],
        json!([])
    );
    let again = json!({ "sourceModelArn": target, "targetModelName": "copied" });
    let back = client.post(COPIES, &again).await.json();
    assert_eq!(over(client, COPIES, back["jobArn"].as_str().unwrap()).await["status"], "Completed");
    assert_eq!(west.post(COPIES, &json!({ "sourceModelArn": source, "targetModelName": "x" })).await.status, 404);

    let deployed = crate::running::deploy(&west, "copied", target).await;
    assert!(said(&west, &deployed).await["message"].is_object());
}
