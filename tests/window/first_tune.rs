//! The first evening: a bundled sample, a first tune, an answer beside the base model's.

use std::time::Duration;

use crate::harness::{Outcome, Window, by_id};

const TRAINING: Duration = Duration::from_secs(180);

#[tokio::test]
async fn a_sample_becomes_a_tuned_model_that_answers_beside_its_base() -> Outcome {
    let data = tempfile::tempdir()?;
    let window = Window::open(data.path(), None).await?;
    window.picture("home").await?;

    window.click("sample-customer-support").await?;
    window.find(&by_id("table-row")).await?;
    window.click("split-open").await?;
    window.fill("split-validation-percent", "10").await?;
    window.fill("split-holdout-percent", "10").await?;
    window.picture("split").await?;
    window.click("split-apply").await?;
    window.wait_gone("split-dialog").await?;
    window.picture("dataset").await?;

    window.click("dataset-finetune").await?;
    window.click("model-whetstone.tiny-v1").await?;
    window.picture("wizard-model").await?;
    window.click("wizard-next").await?;
    window.find(&by_id("wizard-dataset")).await?;
    window.picture("wizard-data").await?;
    window.click("wizard-next").await?;
    window.fill("hp-epochCount", "3").await?;
    window.picture("wizard-hyperparameters").await?;
    window.click("wizard-next").await?;
    window.fill("job-name", "first-tune").await?;
    window.fill("model-name", "first-tune").await?;
    window.click("wizard-next").await?;
    window.picture("wizard-review").await?;
    window.click("start-job").await?;

    window.wait_text("job-status", TRAINING, |text| text == "Completed").await?;
    window.find(&format!("{} svg", by_id("job-chart"))).await?;
    window.picture("job-completed").await?;
    window.click("job-deploy").await?;
    window.click("job-compare").await?;

    window.click("playground-send").await?;
    let base = window.answer(0).await?;
    let tuned = window.answer(1).await?;
    window.picture("playground").await?;
    assert_ne!(base, tuned, "tuning changed nothing");
    Ok(())
}
