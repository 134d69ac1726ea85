//! The data phase of a job: what it takes, and what it says of what it does not take.

#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use whetstone_catalog::{BaseModel, CustomizationType, TINY_V1, catalog};
use whetstone_dataset::{Intent, SplitKind, check_file};

const NOVA: &str = "amazon.nova-micro-v1:0:128k";
const NOVA_2: &str = "amazon.nova-2-lite-v1:0:256k";
const LLAMA: &str = "meta.llama3-1-8b-instruct-v1:0:128k";
const LLAMA_33: &str = "meta.llama3-3-70b-instruct-v1:0:128k";
const CLAUDE: &str = "anthropic.claude-3-haiku-20240307-v1:0:200k";

fn model(id: &str) -> &'static BaseModel {
    catalog().find(id).unwrap()
}

fn failure(text: &str, id: &str, kind: SplitKind) -> Option<String> {
    let check = check_file(text.as_bytes(), &Intent::new(model(id)), kind).unwrap();
    assert_eq!(check.is_clean(), check.failure_message().is_none());
    assert!(check.is_clean() || check.records.is_empty());
    check.failure_message()
}

const PAIR: &str = r#"{"prompt":"p","completion":"c"}"#;
const TALK: &str = r#"{"schemaVersion":"bedrock-conversation-2024","system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"u"}]},{"role":"assistant","content":[{"text":"a"}]}]}"#;
const CLAUDE_TALK: &str =
    r#"{"system":"s","messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}"#;

fn lines(line: &str, count: usize) -> String {
    format!("{line}\n").repeat(count)
}

#[test]
fn a_clean_file_gives_its_records() {
    for (id, line, least) in [
        (TINY_V1, PAIR, 8),
        (TINY_V1, TALK, 8),
        (NOVA, TALK, 8),
        (LLAMA, PAIR, 100),
        (LLAMA_33, TALK, 100),
        (CLAUDE, CLAUDE_TALK, 32),
    ] {
        let text = lines(line, least);
        let check = check_file(text.as_bytes(), &Intent::new(model(id)), SplitKind::Training).unwrap();
        assert_eq!(check.failure_message(), None, "{id}");
        assert_eq!((check.records.len(), check.lines), (least, least as u64));
        assert_eq!(check.bytes, text.len() as u64);
        assert_eq!(failure(&lines(line, 1).repeat(32), id, SplitKind::Validation), None);
        let few = failure(&lines(line, least - 1), id, SplitKind::Training).unwrap();
        assert!(few.contains(&format!("needs at least {least}")), "{few}");
    }
    let mixed = lines(PAIR, 8) + TALK;
    assert_eq!(failure(&mixed, TINY_V1, SplitKind::Training), None);
}

#[test]
fn a_file_that_fails_says_why_in_the_words_that_aws_uses() {
    let long = format!(r#"{{"prompt":"{}","completion":"c"}}"#, "p".repeat(96_001));
    for (id, bad, fragments) in [
        (LLAMA, "", &["Unable to parse Amazon S3 file", "Line 101", "is blank", "JSONL"][..]),
        (LLAMA, "{\"prompt\":\"x\"", &["Unable to parse Amazon S3 file", "Line 101", "column 13"]),
        (LLAMA, "[1]", &["Unable to parse Amazon S3 file"]),
        (LLAMA, r#"{"input":"a","output":"b"}"#, &["must follow '{\"prompt\":", "\"prompt\" is missing"]),
        (
            LLAMA,
            r#"{"prompt":"a","completion":{"b":1}}"#,
            &["must follow '{\"prompt\":", "\"completion\" is not a string"],
        ),
        (LLAMA, TALK, &["must follow '{\"prompt\":"]),
        (LLAMA, &long, &["Line 101", "Maximum input token count 16001 exceeds limit of 16000"]),
        (LLAMA, r#"{"prompt":" ","completion":"b"}"#, &["Line 101 of the training data: The prompt is empty."]),
        (LLAMA_33, PAIR, &["must follow '{\"schemaVersion\":", "\"messages\" is not a list"]),
        (LLAMA_33, &TALK.replace("-2024", "-2025"), &["\"schemaVersion\" must be"]),
        (LLAMA_33, &TALK.replace("assistant", "system"), &["must be user or assistant"]),
        (
            LLAMA_33,
            &TALK.replace(r#"[{"text":"u"}]"#, r#"[{"image":{}}]"#),
            &["holds a image", "trained on text alone"],
        ),
        (LLAMA_33, &TALK.replace(r#"[{"text":"u"}]"#, "\"u\""), &["is not a list of blocks"]),
        (CLAUDE, TALK, &["must follow '{\"system\":"]),
        (CLAUDE, &CLAUDE_TALK.replace("assistant", "user"), &["spoken by user"]),
        (NOVA, &TALK.replace(r#""text":"u""#, r#""text":"Bot: hi""#), &["reserved word \"Bot:\""]),
    ] {
        let good = match model(id).data.format.as_str() {
            "PromptCompletion" => PAIR,
            "ClaudeMessages" => CLAUDE_TALK,
            _ => TALK,
        };
        let text = lines(good, 100) + bad + "\n";
        let said = failure(&text, id, SplitKind::Training).unwrap_or_default();
        for fragment in fragments {
            assert!(said.contains(fragment), "{id}: {fragment:?} not in {said:?}");
        }
        assert!(said.chars().count() <= 2048);
    }
}

#[test]
fn nova_takes_any_schema_version_or_none() {
    let other = TALK.replace("bedrock-conversation-2024", "mine");
    let none = TALK.replace("\"schemaVersion\":\"bedrock-conversation-2024\",", "");
    for line in [&other, &none] {
        assert_eq!(failure(&lines(line, 8), NOVA, SplitKind::Training), None);
    }
    assert_eq!(failure(&lines(&none, 100), LLAMA_33, SplitKind::Training), None);
}

#[test]
fn a_failure_message_says_how_many_errors_follow() {
    let text = lines(PAIR, 8) + &lines("x", 3);
    let said = failure(&text, TINY_V1, SplitKind::Training).unwrap();
    assert!(said.ends_with("There are 2 more errors."), "{said}");
    let text = lines(PAIR, 8) + &lines("x", 2);
    let said = failure(&text, TINY_V1, SplitKind::Training).unwrap();
    assert!(said.ends_with("There is 1 more error."), "{said}");
}

#[test]
fn empty_files_fail() {
    let said = failure("", TINY_V1, SplitKind::Training).unwrap();
    assert!(said.contains("There are 0 training records"), "{said}");
    assert!(failure("", TINY_V1, SplitKind::Validation).is_some());
}

#[test]
fn a_line_without_end_is_refused_within_bounds() {
    use std::io::Read;
    let endless = std::io::repeat(b'x').take(60_000_000);
    let check = check_file(endless, &Intent::new(model(TINY_V1)), SplitKind::Training).unwrap();
    let said = check.failure_message().unwrap();
    assert!(said.contains("Input size exceeded in file"), "{said}");
    assert_eq!(check.bytes, 60_000_000);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_taken() {
    let text = format!("\u{FEFF}{}", lines(PAIR, 8).replace('\n', "\r\n"));
    assert_eq!(failure(&text, TINY_V1, SplitKind::Training), None);
}

#[test]
fn each_kind_of_training_has_its_own_file() {
    use CustomizationType::{ContinuedPreTraining, Distillation, ReinforcementFineTuning};
    let prompt =
        r#"{"schemaVersion":"bedrock-conversation-2024","messages":[{"role":"user","content":[{"text":"u"}]}]}"#;
    let chat = r#"{"messages":[{"role":"user","content":"u"}],"reference_answer":"a"}"#;
    for (id, purpose, line, least) in [
        (NOVA, Distillation, prompt, 100),
        (NOVA_2, ReinforcementFineTuning, chat, 100),
        ("amazon.titan-text-express-v1:0:8k", ContinuedPreTraining, r#"{"input":"u"}"#, 1),
    ] {
        let of =
            |text: &str| check_file(text.as_bytes(), &Intent::of(model(id), purpose), SplitKind::Training).unwrap();
        let check = of(&lines(line, least));
        assert_eq!(check.failure_message(), None, "{id}");
        assert_eq!(check.records.len(), least);
        assert!(!of(&lines(line, least - 1)).is_clean());
        assert!(!of(&(lines(line, least) + PAIR)).is_clean(), "{id}");
    }
}
