//! Create, get, list: members, constraints, tokens and errors. No job here trains to its end.

use serde_json::{Value, json};

use crate::client::{Client, segment};
use crate::running::{create, job, job_over, job_request, start, start_with_data};

const JOBS: &str = "/model-customization-jobs";

async fn refusal(client: &Client, request: &Value) -> (u16, String, String) {
    client.post(JOBS, request).await.error()
}

#[tokio::test]
async fn foundation_models_are_listed_filtered_and_described() {
    let running = start().await;
    let client = &running.client;
    let names = |answer: Value| -> Vec<String> {
        answer["modelSummaries"].as_array().unwrap().iter().map(|m| m["modelId"].as_str().unwrap().to_owned()).collect()
    };
    let all = names(client.get("/foundation-models").await.json());
    assert!(all.contains(&"whetstone.tiny-v1".to_owned()) && all.len() > 5);
    let amazon = names(client.get("/foundation-models?byProvider=amazon&byCustomizationType=FINE_TUNING").await.json());
    assert!(!amazon.is_empty() && amazon.iter().all(|id| id.starts_with("amazon.")));
    let pictures = names(client.get("/foundation-models?byOutputModality=IMAGE").await.json());
    assert!(pictures.contains(&"stability.stable-diffusion-xl-v1".to_owned()), "{pictures:?}");
    let by_hour = names(client.get("/foundation-models?byInferenceType=PROVISIONED").await.json());
    assert!(by_hour.contains(&"meta.llama3-1-8b-instruct-v1:0:128k".to_owned()), "{by_hour:?}");
    assert!(!by_hour.contains(&"meta.llama3-3-70b-instruct-v1:0:128k".to_owned()), "{by_hour:?}");
    let (status, code, _) = client.get("/foundation-models?byInferenceType=MAGIC").await.error();
    assert_eq!((status, code.as_str()), (400, "ValidationException"));

    let nova = client.get("/foundation-models/amazon.nova-micro-v1%3A0%3A128k").await;
    assert_eq!(nova.json()["modelDetails"]["modelId"], "amazon.nova-micro-v1:0:128k");
    assert_eq!(nova.header("x-whetstone-stand-in"), "whetstone.tiny-v1");
    let there = |region: &str| Client { region: region.to_owned(), ..client.clone() };
    for (region, tunable) in [("us-east-1", true), ("us-west-2", false)] {
        let nova = there(region).get("/foundation-models/amazon.nova-micro-v1%3A0%3A128k").await.json();
        let types = nova["modelDetails"]["customizationsSupported"].as_array().unwrap();
        assert_eq!(types.contains(&json!("FINE_TUNING")), tunable, "{region}: {types:?}");
    }
    let retired = client.get("/foundation-models/anthropic.claude-3-haiku-20240307-v1%3A0%3A200k").await.json();
    let lifecycle = &retired["modelDetails"]["modelLifecycle"];
    assert_eq!(lifecycle, &json!({ "status": "LEGACY", "endOfLifeTime": "2026-09-10T00:00:00.000Z" }));
    for (model, said) in [("amazon.nova-micro-v1:0", "AVAILABLE"), ("ai21.j2-ultra-v1", "NOT_AVAILABLE")] {
        let availability = client.get(&format!("/foundation-model-availability/{}", segment(model))).await.json();
        assert_eq!((&availability["modelId"], &availability["entitlementAvailability"]), (&json!(model), &json!(said)));
    }
    let tiny = client.get("/foundation-models/whetstone.tiny-v1").await;
    assert_eq!(tiny.header("x-whetstone-stand-in"), "", "the bundled model stands in for nobody");
    let (status, code, _) = client.get("/foundation-models/nobody.nothing").await.error();
    assert_eq!((status, code.as_str()), (404, "ResourceNotFoundException"));
}

#[tokio::test]
async fn a_request_that_breaks_the_models_constraints_is_refused_with_all_that_is_wrong() {
    let running = start().await;
    let (status, code, message) = refusal(&running.client, &json!({})).await;
    assert_eq!((status, code.as_str()), (400, "ValidationException"));
    for member in
        ["jobName", "customModelName", "roleArn", "baseModelIdentifier", "trainingDataConfig", "outputDataConfig"]
    {
        assert!(message.contains(&format!("'{member}'")), "{member} in {message}");
    }
    let (status, code, _) = running.client.bedrock("POST", JOBS, "{\"jobName\":7}").await.error();
    assert_eq!((status, code.as_str()), (400, "SerializationException"));
}

#[tokio::test]
async fn every_refusal_names_its_member_and_makes_no_job() {
    let running = start_with_data().await;
    let good = job_request(&running.sandbox, "refused");
    let cases: [(&str, Value, &str); 18] = [
        ("jobName", json!("-x"), "jobName"),
        ("customModelName", json!("a.b"), "customModelName"),
        ("roleArn", json!("arn:aws:iam::12:user/x"), "roleArn"),
        ("roleArn", json!("arn:aws:iam::123456789012:role/Nobody"), "Could not assume"),
        ("baseModelIdentifier", json!("nobody.nothing"), "The provided model identifier is invalid."),
        ("baseModelIdentifier", json!("ai21.j2-ultra-v1"), "AI21 Jurassic models cannot be customized"),
        ("baseModelIdentifier", json!("stability.stable-diffusion-xl-v1"), "Stability AI's models cannot"),
        ("baseModelIdentifier", json!("amazon.nova-canvas-v1:0"), "it makes pictures"),
        ("baseModelIdentifier", json!("meta.llama3-3-70b-instruct-v1:0:128k"), "only in us-west-2"),
        ("trainingDataConfig", json!({ "s3Uri": "s3://data/a b" }), "trainingDataConfig.s3Uri"),
        ("trainingDataConfig", json!({}), "trainingDataConfig.s3Uri"),
        ("outputDataConfig", json!({ "s3Uri": "file:///etc" }), "outputDataConfig.s3Uri"),
        ("customizationType", json!("MAGIC"), "customizationType"),
        ("customizationType", json!("DISTILLATION"), "does not support DISTILLATION"),
        ("customizationConfig", json!({ "rftConfig": {} }), "customizationConfig is not accepted"),
        ("hyperParameters", json!({ "epochCount": "51" }), "epochCount must be from 1 to 50, but is 51"),
        ("hyperParameters", json!({ "epochs": "1" }), "epochs is not a hyperparameter of whetstone.tiny-v1"),
        ("hyperParameters", json!({ "learningRate": "fast" }), "learningRate must be a number"),
    ];
    for (member, value, said) in cases {
        let mut request = good.clone();
        request[member] = value;
        let (status, code, message) = refusal(&running.client, &request).await;
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "{message}");
        assert!(message.contains(said), "{said} in {message}");
    }
    let list = running.client.get(JOBS).await.json();
    assert_eq!(list["modelCustomizationJobSummaries"], json!([]));
}

#[tokio::test]
async fn the_named_models_own_ranges_count_for_a_stand_in() {
    let running = start_with_data().await;
    let mut request = job_request(&running.sandbox, "nova");
    request["baseModelIdentifier"] = json!("amazon.nova-micro-v1:0:128k");
    request["hyperParameters"] = json!({ "epochCount": "6", "learningRate": "0.001" });
    let (_, code, message) = refusal(&running.client, &request).await;
    assert_eq!(code, "ValidationException");
    assert!(message.contains("epochCount must be from 1 to 5") && message.contains("learningRate"), "{message}");
}

#[tokio::test]
async fn the_same_token_with_the_same_request_makes_one_job() {
    let running = start_with_data().await;
    let mut request = job_request(&running.sandbox, "once");
    request["trainingDataConfig"]["s3Uri"] = json!("s3://data/absent.jsonl");
    request["clientRequestToken"] = json!("token-1");
    let mut creates = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (client, request) = (running.client.clone(), request.clone());
        creates.spawn(async move { create(&client, &request).await });
    }
    let mut arns = creates.join_all().await;
    arns.dedup();
    assert_eq!(arns.len(), 1);
    let list = running.client.get(JOBS).await.json();
    assert_eq!(list["modelCustomizationJobSummaries"].as_array().unwrap().len(), 1);

    job_over(&running.client, &arns[0]).await;
    assert_eq!(create(&running.client, &request).await, arns[0], "also after the job is over");
    request["jobName"] = json!("twice");
    let (status, code, message) = refusal(&running.client, &request).await;
    assert_eq!((status, code.as_str()), (400, "ConflictException"), "{message}");
}

#[tokio::test]
async fn names_of_jobs_and_of_models_to_come_are_taken() {
    let running = start_with_data().await;
    let mut request = job_request(&running.sandbox, "first");
    // Long enough to be at work while the others are refused.
    request["hyperParameters"] = json!({ "epochCount": "50" });
    let arn = create(&running.client, &request).await;
    for (job_name, model_name) in [("first", "another"), ("another", "first-model")] {
        request["jobName"] = json!(job_name);
        request["customModelName"] = json!(model_name);
        let (status, code, message) = refusal(&running.client, &request).await;
        assert_eq!((status, code.as_str()), (400, "ConflictException"), "{message}");
    }
    assert_eq!(job(&running.client, &arn).await["jobName"], "first");
    running.sandbox.stop().await;
}

#[tokio::test]
async fn jobs_are_found_by_arn_and_name_in_their_region_and_listed_in_pages() {
    let running = start_with_data().await;
    let client = &running.client;
    let mut arns = Vec::new();
    for index in 0..5 {
        let mut request = job_request(&running.sandbox, &format!("listed-{index}"));
        request["trainingDataConfig"]["s3Uri"] = json!("s3://data/absent.jsonl");
        let arn = create(client, &request).await;
        job_over(client, &arn).await;
        arns.push(arn);
    }
    let by_name = client.get(&format!("{JOBS}/listed-3")).await.json();
    assert_eq!(by_name["jobArn"], json!(arns[3]));
    let elsewhere = Client { region: "us-west-2".to_owned(), ..client.clone() };
    for identifier in ["listed-3".to_owned(), segment(&arns[3])] {
        assert_eq!(elsewhere.get(&format!("{JOBS}/{identifier}")).await.status, 404);
    }

    let names = |page: &Value| -> Vec<String> {
        let jobs = page["modelCustomizationJobSummaries"].as_array().unwrap();
        jobs.iter().map(|job| job["jobName"].as_str().unwrap().to_owned()).collect()
    };
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page =
            client.get(&format!("{JOBS}?maxResults=2&sortBy=CreationTime&sortOrder=Ascending{token}")).await.json();
        seen.extend(names(&page));
        match page["nextToken"].as_str() {
            Some(next) => token = format!("&nextToken={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["listed-0", "listed-1", "listed-2", "listed-3", "listed-4"]);
    let newest_first = client.get(&format!("{JOBS}?nameContains=LISTED&statusEquals=Failed")).await.json();
    assert_eq!(names(&newest_first)[0], "listed-4");
    let middle = job(client, &arns[2]).await["creationTime"].as_str().unwrap().to_owned();
    let later = client.get(&format!("{JOBS}?creationTimeAfter={}", segment(&middle))).await.json();
    assert_eq!(names(&later), ["listed-4", "listed-3"]);
    for wrong in ["maxResults=0", "sortOrder=Sideways", "statusEquals=COMPLETED", "nextToken=x", "creationTimeAfter=x"]
    {
        let (status, code, _) = client.get(&format!("{JOBS}?{wrong}")).await.error();
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "{wrong}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let running = start().await;
    let account = running.sandbox.account();
    let model = format!("arn:aws:bedrock:us-east-1:{account}:custom-model/whetstone.tiny-v1/abcdefghijkl");
    for (method, target) in [
        ("GET", format!("{JOBS}/nobody")),
        ("POST", format!("{JOBS}/nobody/stop")),
        ("GET", format!("/custom-models/{}", segment(&model))),
        ("DELETE", "/custom-models/nobody".to_owned()),
        ("GET", "/model-customization/custom-model-deployments/nobody".to_owned()),
        ("DELETE", "/model-customization/custom-model-deployments/nobody".to_owned()),
    ] {
        let (status, code, _) = running.client.bedrock(method, &target, "").await.error();
        assert_eq!((status, code.as_str()), (404, "ResourceNotFoundException"), "{method} {target}");
    }
    let request = json!({ "modelDeploymentName": "d", "modelArn": model });
    let (status, code, _) =
        running.client.post("/model-customization/custom-model-deployments", &request).await.error();
    assert_eq!((status, code.as_str()), (404, "ResourceNotFoundException"));
    let (status, code, _) = running.client.get("/no/such/operation").await.error();
    assert_eq!((status, code.as_str()), (404, "UnknownOperationException"));
}
