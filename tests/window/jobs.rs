//! Jobs that go wrong and are mended, and several looked at together.

use std::fmt::Write as _;
use std::time::Duration;

use fantoccini::Locator;
use serde_json::json;

use crate::harness::{Outcome, Window, by_id};
use crate::secrets::account;

const TRAINING: Duration = Duration::from_secs(180);

/// Twelve conversations, one of which shows a picture that was never uploaded: only the endpoint can know that.
fn conversations(faulty: usize) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for number in 1..=12 {
        let picture = if number == faulty {
            r#"{"image":{"format":"png","source":{"s3Location":{"uri":"s3://whetstone/cat.png","bucketOwner":"111122223333"}}}},"#
        } else {
            ""
        };
        writeln!(
            text,
            r#"{{"schemaVersion":"bedrock-conversation-2024","messages":[{{"role":"user","content":[{picture}{{"text":"question {number}"}}]}},{{"role":"assistant","content":[{{"text":"answer {number}"}}]}}]}}"#
        )?;
    }
    Ok(text)
}

async fn fine_tune(window: &Window, model: &str, name: &str) -> Outcome {
    window.click("dataset-finetune").await?;
    window.click(&format!("model-{model}")).await?;
    window.click("wizard-next").await?;
    window.find(&by_id("wizard-dataset")).await?;
    window.click("wizard-next").await?;
    window.fill("hp-epochCount", "1").await?;
    window.click("wizard-next").await?;
    window.fill("job-name", name).await?;
    window.fill("model-name", name).await?;
    window.click("wizard-next").await?;
    window.click("start-job").await
}

#[tokio::test]
async fn a_job_that_fails_over_its_data_is_explained_mended_and_run_again() -> Outcome {
    const MODEL: &str = "amazon.nova-lite-v1:0:300k";
    let data = tempfile::tempdir()?;
    let file = data.path().join("pets.jsonl");
    std::fs::write(&file, conversations(7)?)?;
    let window = Window::open(&data.path().join("home"), Some(&file)).await?;
    window.click("import-confirm").await?;
    window.find(&by_id("table-row")).await?;
    fine_tune(&window, MODEL, "pets").await?;

    window.wait_text("job-status", TRAINING, |text| text == "Failed").await?;
    let cause = window.text("failure-cause").await?;
    assert!(cause.contains("cannot be used where it lies"), "{cause}");
    let failed = window.find("[data-testid=\"job-phases\"] [data-phase=\"dataProcessing\"]").await?;
    assert_eq!(failed.attr("data-status").await?.as_deref(), Some("failed"));
    let events = window.text("job-events").await?;
    assert!(events.contains("Data processing: failed"), "{events}");
    window.picture("job-failed").await?;

    // To the record itself, and out with it.
    let link = window.text("failure-record").await?;
    assert_eq!(link.trim(), "Open record 7");
    window.click("failure-record").await?;
    window.wait_text("record-title", TRAINING, |text| text.contains('7')).await?;
    window.picture("job-failed-record").await?;
    window.click("record-delete").await?;
    window.wait_text("record-count", TRAINING, |text| text.contains("11")).await?;

    fine_tune(&window, MODEL, "pets-again").await?;
    window.wait_text("job-status", TRAINING, |text| text == "Completed").await?;
    window.picture("job-run-again").await
}

#[tokio::test]
async fn three_runs_are_laid_over_each_other_and_their_difference_is_named() -> Outcome {
    let data = tempfile::tempdir()?;
    let file = data.path().join("colours.csv");
    let mut rows = String::from("text,category\n");
    for thing in ["sky", "sea", "grass", "leaf", "sun", "lemon", "blood", "rose"] {
        for question in ["What colour is the", "Name the colour of the", "Colour of"] {
            writeln!(rows, "{question} {thing},colour of {thing}")?;
        }
    }
    std::fs::write(&file, rows)?;
    let window = Window::open(&data.path().join("home"), Some(&file)).await?;
    window.click("import-confirm").await?;
    window.find(&by_id("table-row")).await?;
    let datasets = window.call("datasets", json!({})).await?;
    let dataset = datasets[0]["id"].clone();
    let split = json!({ "dataset": dataset, "seed": 1, "replaceFrozen": false,
        "method": { "kind": "ratio", "validationPercent": 20, "holdOutPercent": 0 } });
    window.call("split_dataset", split).await?;
    for (name, rate) in [("slow", "0.0005"), ("middle", "0.001"), ("quick", "0.002")] {
        let draft = json!({
            "baseModel": "whetstone.tiny-v1", "dataset": dataset, "jobName": name, "modelName": name,
            "hyperparameters": { "epochCount": "1", "batchSize": "4", "learningRate": rate }
        });
        window.call("start_job", draft).await?;
    }
    window.go("#/jobs").await?;
    window.wait_completed(3, TRAINING).await?;
    let boxes = window.client.find_all(Locator::Css(&by_id("job-choose"))).await?;
    assert_eq!(boxes.len(), 3);
    for choose in boxes {
        choose.click().await?;
    }
    window.picture("jobs-chosen").await?;
    window.click("jobs-compare").await?;
    window.find(&format!("{} polyline[stroke-dasharray]", by_id("job-chart"))).await?;
    let lines = "return new Set(Array.from(document.querySelectorAll('[data-testid=\"job-chart\"] .svg polyline'))\
        .map((line) => line.getAttribute('stroke-dasharray') + line.getAttribute('stroke'))).size";
    let kinds = window.client.execute(lines, Vec::new()).await?;
    // The grid's lines are one more kind.
    assert_eq!(kinds, json!(4), "three runs, each with its own line");
    let rates = window.find("[data-row=\"learningRate\"]").await?;
    let shown = rates.prop("innerText").await?.unwrap_or_default();
    for rate in ["0.0005", "0.001", "0.002"] {
        assert!(shown.contains(rate), "{shown}");
    }
    let same = window.client.find_all(Locator::Css("[data-row=\"Records for training\"]")).await?;
    assert!(same.is_empty(), "the data is the same, and only differences are shown");
    window.press("chart-cursor", "\u{e012}").await?;
    let read = window.text("chart-reading").await?;
    assert!(read.contains("slow") && read.contains("middle") && read.contains("quick"), "{read}");
    window.picture("runs-overlaid").await
}

#[tokio::test]
async fn a_rehearsal_is_carried_over_to_a_second_endpoint() -> Outcome {
    let folder = tempfile::tempdir()?;
    let team = account(&folder.path().join("account")).await?;
    let config = folder.path().join("config");
    let profile = format!(
        "[profile team]\naws_access_key_id = {}\naws_secret_access_key = {}\nregion = us-east-1\nendpoint_url = {}\n",
        team.keys().access_key_id(),
        team.keys().secret_access_key(),
        team.endpoint()
    );
    std::fs::write(&config, profile)?;
    let none = folder.path().join("none");
    let variables = [("AWS_CONFIG_FILE", config.as_path()), ("AWS_SHARED_CREDENTIALS_FILE", none.as_path())];
    let file = folder.path().join("talks.jsonl");
    std::fs::write(&file, conversations(0)?)?;
    let window = Window::open_in(&folder.path().join("app"), Some(&file), &variables).await?;
    window.click("import-confirm").await?;
    window.find(&by_id("table-row")).await?;
    let added = json!({ "name": "Team", "source": { "kind": "profile", "profile": "team" }, "region": "us-east-1", "endpoint": null });
    let connection = window.call("add_connection", added).await?["id"].clone();
    window.call("create_bucket", json!({ "connection": connection, "name": "team-tuning" })).await?;
    let role = json!({ "connection": connection, "name": null, "bucket": "team-tuning", "prefix": "", "kmsKey": null, "vpc": false });
    window.call("create_role", role).await?;

    window.click("dataset-finetune").await?;
    window.click("model-amazon.nova-lite-v1:0:300k").await?;
    window.click("wizard-step-settings").await?;
    window.fill("hp-epochCount", "1").await?;
    window.click("wizard-next").await?;
    window.fill("job-name", "talks").await?;
    window.fill("model-name", "talks").await?;
    window.click("wizard-next").await?;
    window.find("[data-testid=\"doctor\"][data-state=\"ok\"]").await?;
    window.picture("rehearse-review").await?;
    window.click("rehearse").await?;
    window.wait_text("job-status", TRAINING, |text| text == "Completed").await?;
    window.wait_text("rehearsal", TRAINING, |text| text.contains("team-tuning")).await?;
    window.picture("rehearsal-done").await?;
    window.click("carry-over").await?;
    window.find(&by_id("job-rehearsed")).await?;
    window.wait_text("job-status", TRAINING, |text| text == "Completed").await?;
    let events = window.text("job-events").await?;
    assert!(events.contains(team.account()), "it ran in the team's account: {events}");
    window.click("job-rehearsed").await?;
    window.wait_text("rehearsal", TRAINING, |text| text.contains("Completed")).await?;
    window.picture("rehearsal-carried").await?;
    window.go("#/jobs").await?;
    window.wait_text("job-connection", TRAINING, |text| text == "This computer").await?;
    window.picture("jobs-of-two-connections").await?;
    team.stop().await;
    Ok(())
}
