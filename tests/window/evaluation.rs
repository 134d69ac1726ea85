//! Did it help? From a small job to the verdict, in the window.

use std::time::Duration;

use crate::harness::{Outcome, Window, by_id};

const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::test]
async fn a_tuned_model_is_evaluated_beside_its_base() -> Outcome {
    let data = tempfile::tempdir()?;
    let window = Window::open(data.path(), None).await?;
    window.click("nav-evaluations").await?;
    window.get("evaluations-empty").await?;
    window.picture("evaluations-empty").await?;
    window.go("#/home").await?;
    window.click("sample-customer-support").await?;
    window.find(&by_id("table-row")).await?;
    window.click("split-open").await?;
    window.fill("split-validation-percent", "0").await?;
    window.fill("split-holdout-percent", "10").await?;
    window.click("split-apply").await?;
    window.wait_gone("split-dialog").await?;
    window.click("dataset-finetune").await?;
    window.click("model-whetstone.tiny-v1").await?;
    window.click("wizard-next").await?;
    window.click("wizard-next").await?;
    window.fill("hp-epochCount", "2").await?;
    window.click("wizard-next").await?;
    window.fill("job-name", "judged").await?;
    window.fill("model-name", "judged").await?;
    window.click("wizard-next").await?;
    window.click("start-job").await?;
    window.wait_text("job-status", PATIENCE, |text| text == "Completed").await?;
    window.click("job-deploy").await?;

    window.click("job-evaluate").await?;
    window.wait_text("evaluation-cost", PATIENCE, |text| text == "Free").await?;
    window.fill("evaluation-max-tokens", "48").await?;
    window.picture("evaluation-new").await?;
    window.click("evaluation-start").await?;
    window.wait_text("evaluation-state", PATIENCE, |text| text == "Done").await?;
    let heading = window.wait_text("verdict-heading", PATIENCE, |text| !text.is_empty()).await?;
    assert_eq!(heading, "Yes, it helped.", "a model that was tuned for two epochs is better than its base");
    let words = window.text("verdict-words").await?;
    assert!(words.contains("The gain lies between"), "{words}");
    window.find(&by_id("evaluation-case")).await?;
    window.picture("evaluation-verdict").await?;
    window.click("evaluation-report").await?;
    window.get("evaluation-report-html").await?;
    window.click("duel-open").await?;
    window.fill("duel-rater", "Ann").await?;
    window.click("duel-begin").await?;
    window.get("duel-answer-left").await?;
    window.picture("duel").await?;
    window.click("duel-tie").await?;
    window.wait_text("duel-count", PATIENCE, |text| text.starts_with("1 of")).await?;
    window.click("duel-undo").await?;
    window.wait_text("duel-count", PATIENCE, |text| text.starts_with("0 of")).await?;
    window.go("#/evaluations").await?;
    window.get("evaluation-row").await?;
    window.picture("evaluations").await?;
    Ok(())
}
