//! Tags: given at creation, added, changed, removed, listed, and gone with their resource.

use serde_json::{Value, json};

use crate::client::Client;
use crate::running::{create, deploy, job_over, job_request, start, start_with_data};

async fn tags(client: &Client, arn: &str) -> Value {
    let answer = client.post("/listTagsForResource", &json!({ "resourceARN": arn })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["tags"].clone()
}

fn tag(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": value })
}

#[tokio::test]
async fn tags_given_at_creation_are_listed_changed_and_removed() {
    let running = start_with_data().await;
    let client = &running.client;
    let mut request = job_request(&running.sandbox, "tagged");
    request["jobTags"] = json!([tag("team", "support")]);
    request["customModelTags"] = json!([tag("stage", "trial"), tag("team", "support")]);
    let job = create(client, &request).await;
    let model = job_over(client, &job).await["outputModelArn"].as_str().unwrap().to_owned();
    assert_eq!(tags(client, &job).await, json!([tag("team", "support")]));
    assert_eq!(tags(client, &model).await, json!([tag("stage", "trial"), tag("team", "support")]));

    let add = json!({ "resourceARN": model, "tags": [tag("stage", "live"), tag("owner", "")] });
    assert_eq!(client.post("/tagResource", &add).await.status, 200);
    let remove = json!({ "resourceARN": model, "tagKeys": ["team", "never-there"] });
    assert_eq!(client.post("/untagResource", &remove).await.status, 200);
    assert_eq!(tags(client, &model).await, json!([tag("stage", "live"), tag("owner", "")]));

    let deployment = deploy(client, "tagged", &model).await;
    assert_eq!(tags(client, &deployment).await, json!([]));
    for (operation, more) in [("/tagResource", "tags"), ("/untagResource", "tagKeys"), ("/listTagsForResource", "")] {
        let elsewhere = Client { region: "us-west-2".to_owned(), ..client.clone() };
        let answer = elsewhere.post(operation, &json!({ "resourceARN": model, more: [] })).await;
        assert_eq!(answer.error().1, "ResourceNotFoundException", "{operation}");
    }
}

#[tokio::test]
async fn too_many_and_misshapen_tags_are_refused_and_change_nothing() {
    let running = start_with_data().await;
    let client = &running.client;
    let mut request = job_request(&running.sandbox, "bounded");
    request["trainingDataConfig"]["s3Uri"] = json!("s3://data/absent.jsonl");
    let many = |count: usize| -> Vec<Value> { (0..count).map(|index| tag(&format!("k{index}"), "v")).collect() };
    request["jobTags"] = json!(many(51));
    let answer = client.post("/model-customization-jobs", &request).await;
    assert_eq!(answer.error().1, "TooManyTagsException", "{}", answer.text());
    request["jobTags"] = json!(many(49));
    let job = create(client, &request).await;
    let add = |tags: Value| json!({ "resourceARN": job, "tags": tags });
    let answer = client.post("/tagResource", &add(json!([tag("a", "b"), tag("c", "d")]))).await;
    let (status, code, _) = answer.error();
    assert_eq!((status, code.as_str()), (400, "TooManyTagsException"));
    assert_eq!(answer.json()["resourceName"], json!(job));
    assert_eq!(tags(client, &job).await.as_array().unwrap().len(), 49);
    for wrong in
        [json!(many(201)), json!([tag("", "v")]), json!([tag("a&b", "v")]), json!([tag("k", &"v".repeat(257))])]
    {
        let (status, code, _) = client.post("/tagResource", &add(wrong)).await.error();
        assert_eq!((status, code.as_str()), (400, "ValidationException"));
    }
}

#[tokio::test]
async fn what_does_not_exist_has_no_tags() {
    let running = start().await;
    let account = running.sandbox.account();
    for resource in ["custom-model-deployment/abcdefghijkl", "guardrail/abcdefghijkl", "foundation-model/a.b"] {
        let arn = format!("arn:aws:bedrock:us-east-1:{account}:{resource}");
        let answer = running.client.post("/listTagsForResource", &json!({ "resourceARN": arn })).await;
        assert_eq!(answer.error().1, "ResourceNotFoundException", "{arn}");
    }
    let answer = running.client.post("/tagResource", &json!({ "resourceARN": "a" })).await;
    let (_, code, message) = answer.error();
    assert_eq!(code, "ValidationException");
    assert!(message.contains("'resourceARN'") && message.contains("'tags'"), "{message}");
}
