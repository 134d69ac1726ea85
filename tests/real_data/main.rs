//! Journeys on data that nobody here wrote, read from the folder named by `WHETSTONE_REAL_DATA`.
//! Without it each test says that it skips, and passes.

#[path = "../window/harness.rs"]
#[expect(dead_code, reason = "this journey drives a part of what the harness can")]
mod harness;

use std::path::PathBuf;
use std::time::Duration;

use harness::{Outcome, Window, by_id};

/// Two passes over ten thousand messages on two busy cores.
const TRAINING: Duration = Duration::from_secs(480);
const SOON: Duration = Duration::from_secs(60);

fn banking77() -> Option<PathBuf> {
    let folder = std::env::var_os("WHETSTONE_REAL_DATA");
    if folder.is_none() {
        eprintln!("skipped: WHETSTONE_REAL_DATA is not set");
    }
    folder.map(|folder| PathBuf::from(folder).join("banking77"))
}

fn rows(path: &std::path::Path) -> Result<Vec<(String, String)>, Box<dyn std::error::Error>> {
    Ok(csv::Reader::from_path(path)?.deserialize().collect::<Result<_, _>>()?)
}

#[tokio::test]
async fn ten_thousand_bank_messages_become_a_model_that_names_intents() -> Outcome {
    let Some(folder) = banking77() else { return Ok(()) };
    let known = rows(&folder.join("train.csv"))?;
    assert_eq!(known.len(), 10_003);
    let intents: std::collections::BTreeSet<&str> = known.iter().map(|(_, intent)| intent.as_str()).collect();

    let data = tempfile::tempdir()?;
    let window = Window::open(data.path(), Some(&folder.join("train.csv"))).await?;
    window.find(&by_id("mapping-prompt")).await?;
    window.picture("banking-mapping").await?;
    window.click("import-confirm").await?;
    let count = window.wait_text("record-count", SOON, |text| text.contains("10,003")).await?;
    assert!(count.contains("10,003"), "{count}");
    window.picture("banking-dataset").await?;

    window.click("split-open").await?;
    window.fill("split-validation-percent", "2").await?;
    window.fill("split-holdout-percent", "2").await?;
    window.click("split-apply").await?;
    window.wait_gone("split-dialog").await?;

    window.click("dataset-finetune").await?;
    window.click("model-whetstone.tiny-v1").await?;
    window.picture("banking-wizard-model").await?;
    window.click("wizard-next").await?;
    window.find(&by_id("wizard-dataset")).await?;
    window.picture("banking-wizard-data").await?;
    window.click("wizard-next").await?;
    window.fill("hp-epochCount", "2").await?;
    window.picture("banking-wizard-hyperparameters").await?;
    window.click("wizard-next").await?;
    window.fill("job-name", "banking-intents").await?;
    window.fill("model-name", "banking-intents").await?;
    window.click("wizard-next").await?;
    window.picture("banking-wizard-review").await?;
    window.click("start-job").await?;

    let loss = |text: &str| text.trim().parse::<f64>().ok();
    let first = window.wait_text("training-loss", TRAINING, |text| loss(text).is_some()).await?;
    window.picture("banking-job-begins").await?;
    let fallen = |text: &str| loss(text).is_some_and(|now| loss(&first).is_some_and(|then| now < then * 0.7));
    window.wait_text("training-loss", TRAINING, fallen).await?;
    assert_ne!(window.text("job-status").await?, "Completed", "the loss was seen to fall while the job ran");
    window.picture("banking-job-runs").await?;
    window.wait_text("job-status", TRAINING, |text| text == "Completed").await?;
    window.picture("banking-job-completed").await?;

    window.click("job-deploy").await?;
    window.click("job-compare").await?;
    // A message of the test file, which no training saw.
    let unseen = "How do I locate my card?";
    assert!(known.iter().all(|(text, _)| text != unseen));
    window.fill("playground-input", unseen).await?;
    window.click("playground-send").await?;
    let base = window.answer(0).await?;
    let tuned = window.answer(1).await?;
    window.picture("banking-playground").await?;
    assert!(intents.contains(tuned.trim()), "{tuned:?} is not an intent");
    assert!(!intents.contains(base.trim()), "the base model knows {base:?}");
    Ok(())
}
