//! What a power cut leaves: nothing half-written, and a job that goes on.

use std::time::Duration;

use crate::harness::{Outcome, Window, by_id};

#[tokio::test]
async fn a_job_goes_on_from_its_checkpoint_after_the_app_was_killed() -> Outcome {
    let data = tempfile::tempdir()?;
    let window = Window::open(data.path(), None).await?;
    window.click("sample-customer-support").await?;
    window.find(&by_id("table-row")).await?;
    window.click("dataset-finetune").await?;
    window.click("model-whetstone.tiny-v1").await?;
    window.click("wizard-next").await?;
    window.click("wizard-next").await?;
    window.fill("hp-epochCount", "6").await?;
    window.click("wizard-next").await?;
    window.fill("job-name", "survivor").await?;
    window.fill("model-name", "survivor").await?;
    window.click("wizard-next").await?;
    window.click("start-job").await?;
    let before = window.wait_text("job-phases", Duration::from_secs(120), |text| step(text) >= 40).await?;
    window.kill_app()?;
    drop(window);

    let window = Window::open(data.path(), None).await?;
    window.go("#/jobs").await?;
    window.click("job-row").await?;
    // A job that began again would be seen at a step before the one where it was killed.
    let resumed = window.wait_text("job-phases", Duration::from_secs(120), |text| step(text) > 0).await?;
    assert!(step(&resumed) >= step(&before), "killed at step {}, seen again at {}", step(&before), step(&resumed));
    window.wait_text("job-status", Duration::from_secs(240), |text| text == "Completed").await?;
    Ok(())
}

/// The step in "epoch 2 of 4 · step 1,184 of 2,004", or the steps in "1,184 steps".
fn step(text: &str) -> u64 {
    let digits = |word: &str| word.replace(',', "").parse::<u64>().ok();
    let words: Vec<&str> = text.split_whitespace().collect();
    let after = words.windows(2).find(|pair| pair[0] == "step").and_then(|pair| digits(pair[1]));
    let before = || words.windows(2).find(|pair| pair[1].starts_with("steps")).and_then(|pair| digits(pair[0]));
    after.or_else(before).unwrap_or(0)
}
