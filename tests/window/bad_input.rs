//! Bad input: a clear word about the place and the way out, and nothing lost.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use crate::harness::{Outcome, Window, by_id};

const SOON: Duration = Duration::from_secs(20);

async fn what_is_said_about(name: &str, content: &[u8]) -> Result<String, Box<dyn std::error::Error>> {
    let data = tempfile::tempdir()?;
    let file = data.path().join(name);
    std::fs::File::create(&file)?.write_all(content)?;
    let home = data.path().join("home");
    let window = Window::open(&home, Some(&file)).await?;
    // What can be previewed is imported; what cannot says so at once.
    let first = window.find(&format!("{}, {}", by_id("import-confirm"), by_id("import-error"))).await?;
    let said = if first.attr("data-testid").await?.as_deref() == Some("import-confirm") {
        first.click().await?;
        window.wait_text("import-broken", SOON, |text| !text.is_empty()).await?
    } else {
        first.text().await?
    };
    window.picture(&format!("trouble-{name}")).await?;
    assert_eq!(std::fs::read(&file)?, content, "the file was changed");
    Ok(said)
}

#[tokio::test]
async fn an_unclosed_quote_is_named_with_its_line() -> Outcome {
    let said = what_is_said_about("quote.csv", b"text,category\nfine,a\n\"never closed,b\nmore,c\n").await?;
    assert!(said.contains("line 3") || said.contains("Line 3"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_broken_line_is_named_and_the_rest_can_be_imported() -> Outcome {
    let mut text = String::new();
    for line in 1..=10_000 {
        if line == 9_999 {
            text.push_str("{\"prompt\": \"broken\n");
        } else {
            writeln!(text, "{{\"prompt\":\"question {line}\",\"completion\":\"answer {line}\"}}")?;
        }
    }
    let data = tempfile::tempdir()?;
    let file = data.path().join("lines.jsonl");
    std::fs::write(&file, &text)?;
    let window = Window::open(&data.path().join("home"), Some(&file)).await?;
    // A copy leaves the line out; edited in place it would stay, as a finding.
    window.click("import-in-place").await?;
    window.click("import-confirm").await?;
    let said = window.wait_text("import-broken", SOON, |text| !text.is_empty()).await?;
    assert!(said.contains("9,999") || said.contains("9999"), "{said}");
    window.picture("trouble-broken-line").await?;
    window.click("import-skip").await?;
    window.find(&by_id("table-row")).await?;
    let count = window.text("record-count").await?;
    assert!(count.contains("9,999"), "{count}");
    Ok(())
}

#[tokio::test]
async fn an_empty_file_and_a_binary_file_are_refused_with_a_way_out() -> Outcome {
    let empty = what_is_said_about("empty.csv", b"").await?;
    assert!(empty.to_lowercase().contains("empty"), "{empty}");
    let binary = what_is_said_about("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0").await?;
    assert!(binary.to_lowercase().contains("not a text file"), "{binary}");
    Ok(())
}
