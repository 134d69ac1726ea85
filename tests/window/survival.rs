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
    window.fill("hp-epochCount", "12").await?;
    window.click("wizard-next").await?;
    window.fill("job-name", "survivor").await?;
    window.fill("model-name", "survivor").await?;
    window.click("start-job").await?;
    let step = |text: &str| text.trim().parse::<u64>().unwrap_or(0);
    let before = window.wait_text("job-step", Duration::from_secs(120), |text| step(text) >= 40).await?;
    window.kill_app()?;
    drop(window);

    let window = Window::open(data.path(), None).await?;
    window.go("#/jobs").await?;
    window.click("job-row").await?;
    window.wait_text("job-status", Duration::from_secs(240), |text| text == "Completed").await?;
    let after = window.text("job-step").await?;
    assert!(step(&after) > step(&before), "the job ended at step {after}, before the kill it was at {before}");
    // A job that began again would have written its first steps anew; the log of the trainer says it did not.
    let log = trainer_log(data.path())?;
    assert!(log.contains("\"resumedFrom\"") || log.contains("\"resumed_from\""), "no resume in {log}");
    Ok(())
}

fn trainer_log(data: &std::path::Path) -> Result<String, Box<dyn std::error::Error>> {
    let mut folders = vec![data.to_owned()];
    let mut log = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "log" || extension == "jsonl") {
                log.push_str(&std::fs::read_to_string(path).unwrap_or_default());
            }
        }
    }
    Ok(log)
}
