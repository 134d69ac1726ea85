//! Provisioned throughput: statuses and commitments by the clock, quotas, updates, and answers by its ARN.

use serde_json::{Value, json};

use crate::client::{Client, segment};
use crate::running::{Held, create, job_over, job_request, upload};

const ONE: &str = "/provisioned-model-throughput";
const ALL: &str = "/provisioned-model-throughputs";
const DAY: u64 = 24 * 60 * 60;

fn request(name: &str, model: &str) -> Value {
    json!({ "provisionedModelName": name, "modelId": model, "modelUnits": 1 })
}

async fn provision(client: &Client, request: &Value) -> String {
    let answer = client.post(ONE, request).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["provisionedModelArn"].as_str().unwrap().to_owned()
}

async fn get(client: &Client, identifier: &str) -> Value {
    let answer = client.get(&format!("{ONE}/{}", segment(identifier))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn update(client: &Client, identifier: &str, change: &Value) -> u16 {
    client.bedrock("PATCH", &format!("{ONE}/{}", segment(identifier)), &change.to_string()).await.status
}

fn hello() -> Value {
    json!({
        "messages": [{ "role": "user", "content": [{ "text": "What comes after cat?" }] }],
        "inferenceConfig": { "maxTokens": 8, "temperature": 0 },
    })
}

async fn converse(client: &Client, arn: &str) -> crate::client::Answer {
    client.post(&format!("/model/{}/converse", segment(arn)), &hello()).await
}

#[tokio::test]
async fn a_commitment_holds_until_its_end_and_the_model_answers_once_it_is_in_service() {
    let mut held = Held::start().await;
    let mut wanted = request("committed", "amazon.nova-micro-v1:0:128k");
    wanted["commitmentDuration"] = json!("OneMonth");
    let arn = provision(&held.client, &wanted).await;
    assert_eq!(get(&held.client, &arn).await["status"], "Creating");
    let (status, code, _) = converse(&held.client, &arn).await.error();
    assert_eq!((status, code.as_str()), (429, "ModelNotReadyException"));

    held.pass(2);
    let shown = get(&held.client, "committed").await;
    assert_eq!((shown["status"].as_str(), shown["provisionedModelArn"].as_str()), (Some("InService"), Some(&*arn)));
    assert_eq!(shown["modelArn"], "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0:128k");
    assert_eq!(shown["foundationModelArn"], shown["modelArn"]);
    assert!(shown["commitmentExpirationTime"].is_string());
    let answer = converse(&held.client, &arn).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-whetstone-stand-in"), "whetstone.tiny-v1");

    let path = format!("{ONE}/{}", segment(&arn));
    held.pass(27 * DAY);
    let (status, code, message) = held.client.bedrock("DELETE", &path, "").await.error();
    assert_eq!((status, code.as_str()), (400, "ConflictException"));
    assert!(message.contains(shown["commitmentExpirationTime"].as_str().unwrap()), "{message}");
    held.pass(5 * DAY);
    assert_eq!(held.client.bedrock("DELETE", &path, "").await.status, 200);
    assert_eq!(held.client.get(&path).await.status, 404);
    assert_eq!(converse(&held.client, &arn).await.status, 404);
}

#[tokio::test]
async fn a_custom_model_is_served_turned_to_its_base_and_kept_from_deletion() {
    let mut held = Held::start().await;
    upload(&held.client).await;
    let mut job = job_request(&held.sandbox, "tuned");
    job["baseModelIdentifier"] = json!("amazon.titan-text-express-v1:0:8k");
    job["hyperParameters"] = json!({ "epochCount": "1" });
    job["validationDataConfig"] = json!({ "validators": [] });
    let done = job_over(&held.client, &create(&held.client, &job).await).await;
    let model = done["outputModelArn"].as_str().unwrap_or_else(|| panic!("{done}")).to_owned();
    let mut wanted = request("serving", &model);
    wanted["tags"] = json!([{ "key": "team", "value": "support" }]);
    let arn = provision(&held.client, &wanted).await;
    held.pass(2);
    assert_eq!(converse(&held.client, &arn).await.status, 200);
    let tags = held.client.post("/listTagsForResource", &json!({ "resourceARN": arn })).await.json();
    assert_eq!(tags["tags"], json!([{ "key": "team", "value": "support" }]));
    let path = format!("/custom-models/{}", segment(&model));
    assert_eq!(held.client.bedrock("DELETE", &path, "").await.error().1, "ConflictException");

    let other = json!({ "desiredModelId": "amazon.nova-micro-v1:0:128k" });
    assert_eq!(update(&held.client, &arn, &other).await, 400, "another base model is no sibling");
    let change = json!({
        "desiredModelId": "amazon.titan-text-express-v1:0:8k", "desiredProvisionedModelName": "plain",
    });
    assert_eq!(update(&held.client, &arn, &change).await, 200);
    let turning = get(&held.client, "plain").await;
    assert_eq!((turning["status"].as_str(), turning["modelArn"].as_str()), (Some("Updating"), Some(&*model)));
    assert_ne!(turning["desiredModelArn"], turning["modelArn"]);
    assert_eq!(converse(&held.client, &arn).await.status, 200, "the old model answers until the new one is there");
    assert_eq!(update(&held.client, &arn, &change).await, 400, "one change at a time");
    held.pass(2);
    let turned = get(&held.client, &arn).await;
    assert_eq!((&turned["status"], &turned["modelArn"]), (&json!("InService"), &turning["desiredModelArn"]));
    assert_eq!(update(&held.client, &arn, &json!({ "desiredModelId": model })).await, 400, "a base model stays");
    assert_eq!(held.client.bedrock("DELETE", &path, "").await.status, 200);
}

#[tokio::test]
async fn quotas_names_tokens_and_what_cannot_be_served_are_refused() {
    let held = Held::start().await;
    let client = &held.client;
    let nova = "amazon.nova-micro-v1:0:128k";
    let mut first = request("one", nova);
    first["clientRequestToken"] = json!("token-1");
    let arn = provision(client, &first).await;
    assert_eq!(provision(client, &first).await, arn, "the same token is the same throughput");
    first["modelUnits"] = json!(2);
    assert_eq!(client.post(ONE, &first).await.error().1, "ValidationException");

    let mut two_units = request("two", nova);
    two_units["modelUnits"] = json!(2);
    let mut committed = request("two", nova);
    committed["modelUnits"] = json!(3);
    committed["commitmentDuration"] = json!("SixMonths");
    for refused in [two_units, committed] {
        assert_eq!(client.post(ONE, &refused).await.error().1, "ServiceQuotaExceededException");
    }
    let account = held.sandbox.account();
    let absent = format!("arn:aws:bedrock:us-east-1:{account}:custom-model/amazon.nova-micro-v1:0:128k/abcdefghijkl");
    for (refused, status) in [
        (request("one", nova), 400),
        (request("-x", nova), 400),
        (request("two", "whetstone.tiny-v1"), 400),
        (request("two", "nobody.nothing"), 400),
        (request("two", &absent), 404),
        (json!({ "provisionedModelName": "two", "modelId": nova, "modelUnits": 0 }), 400),
        (json!({}), 400),
    ] {
        let answer = client.post(ONE, &refused).await;
        assert_eq!(answer.status, status, "{refused}: {}", answer.text());
    }
    provision(client, &request("two", nova)).await;
    assert_eq!(client.post(ONE, &request("three", nova)).await.error().1, "ServiceQuotaExceededException");

    let names = |page: &Value| -> Vec<String> {
        let all = page["provisionedModelSummaries"].as_array().unwrap();
        all.iter().map(|one| one["provisionedModelName"].as_str().unwrap().to_owned()).collect()
    };
    let first_page = client.get(&format!("{ALL}?maxResults=1&sortOrder=Ascending")).await.json();
    let next = first_page["nextToken"].as_str().unwrap();
    let second_page = client.get(&format!("{ALL}?maxResults=1&sortOrder=Ascending&nextToken={next}")).await.json();
    let mut both = [names(&first_page), names(&second_page)].concat();
    both.sort();
    assert_eq!(both, ["one", "two"]);
    assert!(second_page["nextToken"].is_null());
    assert_eq!(names(&client.get(&format!("{ALL}?nameContains=TW&statusEquals=Creating")).await.json()), ["two"]);
    assert!(names(&client.get(&format!("{ALL}?statusEquals=InService")).await.json()).is_empty());
    let model = segment("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0:128k");
    assert_eq!(names(&client.get(&format!("{ALL}?modelArnEquals={model}")).await.json()).len(), 2);
    let elsewhere = Client { region: "us-west-2".to_owned(), ..client.clone() };
    assert!(names(&elsewhere.get(ALL).await.json()).is_empty());
    assert_eq!(elsewhere.get(&format!("{ONE}/one")).await.status, 404);
}
