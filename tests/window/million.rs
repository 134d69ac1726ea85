//! A million records in the real window: looked at to the last one, mended at once, saved, and nothing lost by a kill.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use fantoccini::key::Key;

use crate::harness::{Outcome, Window, by_id};

const RECORDS: usize = 1_000_000;
/// Every so many records one breaks a rule.
const BROKEN_EVERY: usize = 1_000;
/// The records that break the rule, and one word about there being more than the base model takes.
const BROKEN: &str = "1,001 errors";
const MENDED: &str = "1 error";
/// The program under test is not optimised, and may have one core of a busy machine.
const LONG: Duration = Duration::from_secs(90);

fn line(number: usize, word: &str) -> String {
    format!(
        r#"{{"schemaVersion":"bedrock-conversation-2024","messages":[{{"role":"user","content":[{{"text":"{word}question {number}"}}]}},{{"role":"assistant","content":[{{"text":"answer {number}"}}]}}]}}"#
    )
}

fn write(path: &Path, word: &str) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::fs::File::create(path)?);
    for number in 0..RECORDS {
        writeln!(out, "{}", line(number, if number % BROKEN_EVERY == 0 { word } else { "" }))?;
    }
    out.flush()
}

async fn is_at(window: &Window, position: usize) -> Outcome {
    window.find(&format!("{}[data-position=\"{position}\"]", by_id("table-row"))).await.map(|_| ())
}

#[tokio::test]
async fn a_million_records_are_mended_at_once_and_survive_a_kill_during_the_save() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("million.jsonl");
    write(&file, "User: ")?;
    let home = folder.path().join("home");
    let window = Window::open(&home, Some(&file)).await?;
    window.click("import-confirm").await?;
    is_at(&window, 0).await?;
    window.wait_text("record-count", LONG, |text| text.contains("1,000,000")).await?;
    let model = window.get("findings-model").await?;
    model.select_by_value("amazon.nova-micro-v1:0:128k").await?;

    // The last row, by the scroll bar and by the keyboard.
    let scroll = format!(
        "const table = document.querySelector('{}'); table.scrollTop = table.scrollHeight;",
        by_id("record-table")
    );
    window.run(&scroll).await?;
    is_at(&window, RECORDS - 1).await?;
    window.press("record-table", &Key::Home.to_string()).await?;
    is_at(&window, 0).await?;
    window.press("record-table", &Key::End.to_string()).await?;
    window.wait_text("record-title", LONG, |text| text.contains("1,000,000")).await?;
    window.picture("million-last").await?;

    // An error filtered, fixed in bulk, undone, done again.
    window.wait_text("finding-badges", LONG, |text| text.contains(BROKEN)).await?;
    window.fill("filter", &format!("finding:reserved-word{}", char::from(Key::Enter))).await?;
    window.wait_text("row-count", LONG, |text| text.starts_with("1,000 of")).await?;
    window.picture("million-filtered").await?;
    window.click("side-tab-findings").await?;
    window.find(&format!("{}[data-rule=\"reserved-word\"]", by_id("rule-row"))).await?.click().await?;
    window.click("fix-all").await?;
    window.wait_text("finding-badges", LONG, |text| text.starts_with(MENDED)).await?;
    window.click("undo").await?;
    window.wait_text("finding-badges", LONG, |text| text.contains(BROKEN)).await?;
    window.click("redo").await?;
    window.wait_text("finding-badges", LONG, |text| text.starts_with(MENDED)).await?;
    window.picture("million-fixed").await?;

    // Killed while it saves: the old file or the new one, whole, and the edits are still there.
    let before = std::fs::read(&file)?;
    window.click("save").await?;
    let beside = || std::fs::read_dir(folder.path()).is_ok_and(|mut all| all.any(|entry| is_beside(entry.ok())));
    let began = std::time::Instant::now();
    while !beside() && began.elapsed() < Duration::from_secs(30) && std::fs::read(&file)? == before {}
    window.kill_app()?;
    drop(window);
    let after = std::fs::read(&file)?;
    let fixed = || -> std::io::Result<Vec<u8>> {
        let text = String::from_utf8_lossy(&before).replace("User: ", "User : ");
        Ok(text.into_bytes())
    };
    assert!(after == before || after == fixed()?, "{} bytes, neither the old file nor the new one", after.len());

    let window = Window::open(&home, None).await?;
    window.go("#/datasets").await?;
    window.click("dataset-row").await?;
    is_at(&window, 0).await?;
    window.wait_text("record-count", LONG, |text| text.contains("1,000,000")).await?;
    window.wait_text("table-row", LONG, |text| text.contains("User : question 0")).await?;
    window.click("undo").await?;
    Ok(())
}

/// Whether a file of the folder is one that a save writes before it takes the place of the other.
fn is_beside(entry: Option<std::fs::DirEntry>) -> bool {
    entry.is_some_and(|entry| entry.file_name().to_string_lossy().starts_with('.'))
}
