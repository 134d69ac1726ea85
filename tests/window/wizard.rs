//! Journeys through the wizard: by keyboard alone, and several jobs from one draft.

use std::time::{Duration, Instant};

use fantoccini::key::Key;

use crate::harness::{Outcome, Window, by_id};

const TRAINING: Duration = Duration::from_secs(180);

/// Where the keyboard is.
async fn focused(window: &Window) -> Result<String, Box<dyn std::error::Error>> {
    let id = "return document.activeElement?.dataset.testid ?? document.activeElement?.id ?? ''";
    let id = window.client.execute(id, Vec::new()).await?;
    Ok(id.as_str().unwrap_or_default().to_owned())
}

/// Sends keys to whatever has the focus.
async fn keys(window: &Window, keys: &str) -> Outcome {
    Ok(window.client.active_element().await?.send_keys(keys).await?)
}

/// Presses Tab until the element has the focus, as a person does who has no mouse.
async fn tab_to(window: &Window, test_id: &str) -> Outcome {
    window.find(&by_id(test_id)).await?;
    for _ in 0..80 {
        if focused(window).await? == test_id {
            return Ok(());
        }
        keys(window, &char::from(Key::Tab).to_string()).await?;
    }
    window.picture(&format!("unreachable-{test_id}")).await?;
    Err(format!("{test_id} cannot be reached with the Tab key; the focus is at {:?}", focused(window).await?).into())
}

async fn press_enter(window: &Window, test_id: &str) -> Outcome {
    tab_to(window, test_id).await?;
    keys(window, &char::from(Key::Enter).to_string()).await
}

async fn press_space(window: &Window, test_id: &str) -> Outcome {
    tab_to(window, test_id).await?;
    keys(window, " ").await
}

/// Replaces what stands in a field that the Tab key reaches.
async fn type_over(window: &Window, test_id: &str, text: &str) -> Outcome {
    tab_to(window, test_id).await?;
    keys(window, &format!("{}a", char::from(Key::Control))).await?;
    keys(window, text).await
}

/// Presses a key with Ctrl so many times, and waits until the window is so wide, counted in its own pixels.
async fn zoom(window: &Window, key: char, times: usize, width: u64) -> Outcome {
    for _ in 0..times {
        keys(window, &format!("{}{key}", char::from(Key::Control))).await?;
    }
    let began = Instant::now();
    while window.client.execute("return window.innerWidth", Vec::new()).await?.as_u64() != Some(width) {
        if began.elapsed() > Duration::from_secs(20) {
            return Err(format!("Ctrl {key} does not zoom to a width of {width}").into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_first_tune_from_home_needs_no_mouse() -> Outcome {
    let data = tempfile::tempdir()?;
    let window = Window::open(data.path(), None).await?;
    let width = window.client.execute("return window.innerWidth", Vec::new()).await?.as_u64().unwrap_or_default();
    zoom(&window, '+', 5, width / 2).await?;
    zoom(&window, '0', 1, width).await?;
    press_enter(&window, "sample-customer-support").await?;
    window.find(&by_id("table-row")).await?;
    press_enter(&window, "nav-home").await?;
    press_enter(&window, "home-door-finetune").await?;

    press_space(&window, "goal-support").await?;
    window.wait_text("goal-why", Duration::from_secs(10), |text| text.contains("Pairs of a question")).await?;
    window.picture("wizard-goal").await?;
    press_enter(&window, "wizard-next").await?;
    window.find(&by_id("model-details")).await?;
    window.picture("wizard-model").await?;
    press_enter(&window, "wizard-next").await?;
    // The only dataset there is needs no choosing.
    press_enter(&window, "wizard-split").await?;
    press_enter(&window, "batch-show").await?;
    window.find(&by_id("batch-record")).await?;
    window.picture("wizard-data").await?;
    press_enter(&window, "wizard-next").await?;
    type_over(&window, "hp-epochCount", "1").await?;
    window.picture("wizard-settings").await?;
    press_enter(&window, "wizard-next").await?;
    type_over(&window, "job-name", "by-keyboard").await?;
    type_over(&window, "model-name", "by-keyboard").await?;
    window.picture("wizard-output").await?;
    press_enter(&window, "show-call").await?;
    window.wait_text("call-text", Duration::from_secs(10), |text| text.contains("--job-name by-keyboard")).await?;
    window.picture("wizard-call").await?;
    keys(&window, &char::from(Key::Escape).to_string()).await?;
    window.wait_gone("call-dialog").await?;
    press_enter(&window, "wizard-next").await?;
    window.picture("wizard-review").await?;
    press_enter(&window, "start-job").await?;
    window.wait_text("job-status", TRAINING, |text| text == "Completed").await?;
    Ok(())
}

#[tokio::test]
async fn a_draft_survives_a_kill_and_a_sweep_starts_three_jobs() -> Outcome {
    let data = tempfile::tempdir()?;
    let window = Window::open(data.path(), None).await?;
    window.click("sample-legal-clauses").await?;
    window.find(&by_id("table-row")).await?;
    window.click("dataset-finetune").await?;
    window.click("model-whetstone.tiny-v1").await?;
    window.click("wizard-step-settings").await?;
    window.fill("hp-epochCount", "1").await?;
    window.choose("sweep-key", "learningRate").await?;
    window.fill("sweep-values", "0.0005, 0.001, 0.002").await?;
    window.wait_text("draft-state", Duration::from_secs(10), |text| text == "draft, saved").await?;
    window.kill_app()?;
    drop(window);

    let window = Window::open(data.path(), None).await?;
    window.click("home-door-finetune").await?;
    window.wait_text("sweep-note", Duration::from_secs(10), |text| text.contains("3 jobs")).await?;
    window.picture("wizard-sweep").await?;
    window.click("wizard-step-review").await?;
    window.find(&format!("{}:not([disabled])", by_id("start-job"))).await?;
    window.picture("wizard-sweep-review").await?;
    window.click("start-job").await?;
    window.find(&by_id("compare-table")).await?;
    window.picture("wizard-sweep-overlay").await?;
    window.go("#/jobs").await?;
    window.wait_completed(3, TRAINING).await?;
    window.picture("wizard-sweep-jobs").await?;
    Ok(())
}
