//! Journeys over the Models screen and the playground: throughput that ends when it was to, an answer put right.

use std::time::Duration;

use crate::harness::{Outcome, Window, by_id};

const TRAINING: Duration = Duration::from_secs(180);

/// A sample, split, trained for one epoch on a base model.
async fn train(window: &Window, base: &str, name: &str) -> Outcome {
    window.click("sample-customer-support").await?;
    window.find(&by_id("table-row")).await?;
    window.click("split-open").await?;
    window.fill("split-validation-percent", "10").await?;
    window.fill("split-holdout-percent", "10").await?;
    window.click("split-apply").await?;
    window.wait_gone("split-dialog").await?;
    window.click("dataset-finetune").await?;
    window.click(&format!("model-{base}")).await?;
    window.click("wizard-next").await?;
    window.find(&by_id("wizard-dataset")).await?;
    window.click("wizard-next").await?;
    window.fill("hp-epochCount", "1").await?;
    window.click("wizard-next").await?;
    window.fill("job-name", name).await?;
    window.fill("model-name", name).await?;
    window.click("wizard-next").await?;
    window.click("start-job").await?;
    window.wait_text("job-status", TRAINING, |text| text == "Completed").await?;
    Ok(())
}

#[tokio::test]
async fn provisioned_throughput_is_priced_created_metered_and_ended_when_it_was_to() -> Outcome {
    let data = tempfile::tempdir()?;
    let window = Window::open(data.path(), None).await?;
    train(&window, "amazon.nova-lite-v1:0:300k", "by-the-hour").await?;

    window.click("nav-models").await?;
    window.find(&by_id("model-lineage")).await?;
    window.picture("models").await?;
    window.click("model-serve").await?;
    window.wait_text("serve-why", Duration::from_secs(20), |text| text.contains("served on demand here")).await?;
    window.click("serve-way-provisioned").await?;
    let price = window.text("serve-price").await?;
    assert!(price.contains("USD per model unit-hour"), "{price}");
    window.picture("serve").await?;
    window.click("serve-create").await?;
    window.wait_gone("serve-dialog").await?;
    window.find("[data-testid=\"served\"][data-state=\"InService\"]").await?;
    let early = window.text("served-meter").await?;
    window.wait_text("served-meter", Duration::from_secs(20), |later| later != early).await?;
    window.picture("models-metered").await?;

    window.click("served-end").await?;
    window.get("end-time").await?;
    window
        .run(
            "const field = document.querySelector('[data-testid=\"end-time\"]');\
             const at = new Date(Date.now() + 4000);\
             field.value = new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);\
             field.dispatchEvent(new Event('input', { bubbles: true }));",
        )
        .await?;
    window.click("end-set").await?;
    window.wait_gone("end-dialog").await?;
    window.wait_gone("served").await?;
    window.picture("models-ended").await?;
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_put_right_is_a_record_of_the_dataset() -> Outcome {
    let data = tempfile::tempdir()?;
    let window = Window::open(data.path(), None).await?;
    train(&window, "whetstone.tiny-v1", "to-correct").await?;
    window.click("job-deploy").await?;
    window.click("job-compare").await?;
    window.click("playground-send").await?;
    window.answer(0).await?;
    window.answer(1).await?;
    window.picture("playground-answered").await?;
    window.click("column-1-code").await?;
    window
        .wait_text("code-text", Duration::from_secs(20), |text| text.starts_with("aws bedrock-runtime converse"))
        .await?;
    window.picture("playground-code").await?;
    window.press("code-dialog", &char::from(fantoccini::key::Key::Escape).to_string()).await?;
    window.wait_gone("code-dialog").await?;

    window.click("column-1-correct").await?;
    window.fill("record-completion", "Open the sign-in page and choose Forgot password.").await?;
    window.picture("playground-correct").await?;
    window.click("record-add").await?;
    window.wait_gone("record-dialog").await?;
    window.click("nav-datasets").await?;
    window.click("dataset-row").await?;
    window.wait_text("record-count", Duration::from_secs(20), |text| text.contains("398")).await?;
    Ok(())
}
