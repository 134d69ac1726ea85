//! For each rule: a record that breaks it and one that just does not.

#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use std::collections::HashSet;

use whetstone_catalog::{BaseModel, TINY_V1, catalog};
use whetstone_dataset::{
    FINDING_CAP, Record, Role, Severity, SplitKind, Turn, check_counts, check_dataset, check_file, check_record, rules,
};

const NOVA: &str = "amazon.nova-micro-v1:0:128k";
const NOVA_2: &str = "amazon.nova-2-lite-v1:0:256k";
const LLAMA: &str = "meta.llama3-1-8b-instruct-v1:0:128k";
const LLAMA_33: &str = "meta.llama3-3-70b-instruct-v1:0:128k";
const CLAUDE: &str = "anthropic.claude-3-haiku-20240307-v1:0:200k";
const COHERE: &str = "cohere.command-text-v14";

fn model(id: &str) -> &'static BaseModel {
    catalog().find(id).unwrap()
}

/// A record of turns written as `u:text`, `a:text`, `s:text`.
fn talk(turns: &[&str]) -> Record {
    let turn = |text: &&str| {
        let (role, text) = text.split_once(':').unwrap();
        let role = match role {
            "u" => Role::User,
            "a" => Role::Assistant,
            _ => Role::System,
        };
        Turn::new(role, text)
    };
    Record::new(turns.iter().map(turn).collect())
}

fn broken(record: &Record, id: &str) -> Vec<&'static str> {
    let findings = check_record(record, model(id)).into_iter();
    findings.map(|finding| finding.rule).collect()
}

fn of_length(prompt: usize, completion: usize) -> Record {
    Record::prompt_completion(None, "p".repeat(prompt), "c".repeat(completion))
}

#[test]
fn each_rule_for_a_record_is_broken_by_one_and_just_kept_by_another() {
    let cases: Vec<(&str, &str, Record, Record)> = vec![
        ("empty-prompt", TINY_V1, talk(&["u: \n", "a:x"]), talk(&["u:.", "a:x"])),
        ("empty-completion", TINY_V1, talk(&["u:x", "a:\t"]), talk(&["u:x", "a:."])),
        ("empty-turn", NOVA, talk(&["u:x", "a: ", "u:x", "a:x"]), talk(&["u:x", "a:.", "u:x", "a:x"])),
        ("empty-turn", NOVA, talk(&["s:", "u:x", "a:x"]), talk(&["s:.", "u:x", "a:x"])),
        ("turn-order", NOVA, talk(&["a:x", "u:x", "a:x"]), talk(&["u:x", "a:x"])),
        ("turn-order", NOVA, talk(&["u:x", "u:x", "a:x"]), talk(&["u:x", "a:x", "u:x", "a:x"])),
        ("turn-order", NOVA, talk(&["u:x", "a:x", "u:x"]), talk(&["s:x", "u:x", "a:x"])),
        ("turn-order", NOVA, talk(&["s:x", "s:x", "u:x", "a:x"]), talk(&["s:x", "u:x", "a:x"])),
        ("turn-order", NOVA, talk(&["u:x", "s:x", "a:x"]), talk(&["u:x", "a:x"])),
        ("turn-order", NOVA, talk(&[]), talk(&["u:x", "a:x"])),
        ("single-turn", LLAMA, talk(&["u:x", "a:x", "u:x", "a:x"]), talk(&["u:x", "a:x"])),
        ("single-turn", LLAMA, talk(&["u:x", "a:x", "u:x", "a:x"]), talk(&["s:x", "u:x", "a:x"])),
        ("system-place", LLAMA, talk(&["s:x", "u:x", "a:x"]), talk(&["u:x", "a:x"])),
        (
            "reserved-word",
            NOVA,
            talk(&["u:the operating sYsTeM: Linux", "a:x"]),
            talk(&["u:the operating system : Linux", "a:x"]),
        ),
        (
            "reserved-word",
            NOVA_2,
            talk(&["s:End with [eos]", "u:x", "a:x"]),
            talk(&["s:End with [eos ]", "u:x", "a:x"]),
        ),
        ("reserved-word", CLAUDE, talk(&["u:a\nHuman: b", "a:x"]), talk(&["u:Human: a\nhuman: b\nHuman c", "a:x"])),
        ("token-limit", LLAMA, of_length(96_000 - 5, 6), of_length(96_000 - 6, 6)),
        ("token-limit", COHERE, of_length(4096 * 6 + 1, 1), of_length(4096 * 6, 1)),
        ("token-limit", COHERE, of_length(1, 2048 * 6 + 1), of_length(1, 2048 * 6)),
        ("token-limit", CLAUDE, of_length(96_000, 1), of_length(95_999, 1)),
        ("context-length", TINY_V1, of_length(3072, 1), of_length(3071, 1)),
    ];
    let mut tested = HashSet::new();
    for (rule, id, breaks, keeps) in &cases {
        let name: String = format!("{rule} for {id}: {breaks:?}").chars().take(200).collect();
        assert!(broken(breaks, id).contains(rule), "{name}");
        assert!(!broken(keeps, id).contains(rule), "kept: {name}");
        tested.insert(*rule);
    }
    let of_dataset = ["record-count", "validation-unused", "split-leak", "duplicate", "different-answers"];
    for rule in rules() {
        assert!(tested.contains(rule.id) || of_dataset.contains(&rule.id), "{} has no case", rule.id);
    }
}

#[test]
fn every_reserved_word_is_found_alone_in_any_turn() {
    for word in &model(NOVA).data.reserved_words {
        for record in [
            Record::prompt_completion(Some(word.clone()), "x", "x"),
            Record::prompt_completion(None, format!("a{}b", word.to_uppercase()), "x"),
            Record::prompt_completion(None, "x", word.to_lowercase()),
        ] {
            assert!(broken(&record, NOVA).contains(&"reserved-word"), "{word}");
            assert!(!broken(&record, TINY_V1).contains(&"reserved-word"));
        }
    }
}

#[test]
fn every_finding_says_what_to_do() {
    let record = talk(&["s:System:", "u:", "u:[EOS]", "a:"]);
    for id in [NOVA, LLAMA, TINY_V1] {
        let findings = check_record(&record, model(id));
        assert!(!findings.is_empty());
        for finding in findings {
            assert!(finding.message.ends_with('.') && finding.hint.ends_with('.'));
        }
    }
}

#[test]
fn the_bounds_on_the_number_of_records_are_kept_to_the_record() {
    let ok = |id: &str, training, validation| {
        let findings = check_counts(training, validation, model(id));
        !findings.iter().any(|f| f.severity == Severity::Error)
    };
    for (id, least, most) in [
        (TINY_V1, 8, 200_000),
        (NOVA, 8, 20_000),
        (NOVA_2, 200, 20_000),
        (LLAMA, 100, 10_000),
        (LLAMA_33, 100, 10_000),
        (CLAUDE, 32, 10_000),
        (COHERE, 32, 10_000),
    ] {
        assert!(ok(id, least, 0) && !ok(id, least - 1, 0), "{id}");
        assert!(ok(id, most, 0) && !ok(id, most + 1, 0), "{id}");
    }
    assert!(ok(NOVA, 19_000, 1000) && !ok(NOVA, 19_000, 1001));
    assert!(ok(LLAMA, 100, 1000) && !ok(LLAMA, 100, 1001));
    assert!(ok(CLAUDE, 32, 32) && !ok(CLAUDE, 32, 31));
    assert!(ok(COHERE, 10_000, 1000));
    let unused = check_counts(200, 1, model(NOVA_2));
    assert_eq!(unused[0].rule, "validation-unused");
    assert_eq!(check_counts(200, 0, model(NOVA_2)), []);
}

#[test]
fn duplicates_other_answers_and_leaks_are_named_with_the_record_they_repeat() {
    use SplitKind::{HoldOut, Training, Validation};
    let one = |prompt: &str, answer: &str| Record::prompt_completion(None, prompt, answer);
    let mut records: Vec<(Record, SplitKind)> = (0..8).map(|n| (one(&format!("p{n}"), "x"), Training)).collect();
    records.push((one("p0", "x"), Training));
    records.push((one("p1", "y"), Training));
    records.push((one("p2", "x"), Validation));
    records.push((one("p3", "y"), HoldOut));
    records.push((one("p", "3y"), HoldOut));
    let report = check_dataset(records, model(TINY_V1));
    let said: Vec<_> = report.findings.iter().map(|f| (f.record.unwrap(), f.rule)).collect();
    assert_eq!(
        said,
        [
            (8, "duplicate"),
            (9, "different-answers"),
            (10, "split-leak"),
            (10, "duplicate"),
            (11, "split-leak"),
            (11, "different-answers"),
        ]
    );
    assert_eq!((report.errors, report.warnings), (0, 6));
    assert!(report.findings[2].message.contains("record 3, which is for training"));
}

#[test]
fn a_report_counts_everything_and_puts_errors_first() {
    let same = Record::prompt_completion(None, "x", "y");
    let empty = Record::prompt_completion(None, "", "y");
    let records = std::iter::repeat_n(&same, 1500).chain([&empty]);
    let report = check_dataset(records.map(|r| (r, SplitKind::Training)), model(TINY_V1));
    assert_eq!((report.errors, report.warnings), (1, 1499));
    assert_eq!(report.findings.len(), FINDING_CAP + 1);
    assert_eq!(report.findings[0].rule, "empty-prompt");
    assert_eq!(report.findings[0].record, Some(1500));
}

#[test]
fn limits_of_the_model_do_not_bind_records_that_are_held_out() {
    let reserved = Record::prompt_completion(None, "User: x", "y");
    let errors = |kind| check_dataset([(&reserved, kind)], model(NOVA)).findings;
    let of = |kind| errors(kind).iter().any(|f| f.rule == "reserved-word");
    assert!(of(SplitKind::Training) && of(SplitKind::Validation) && !of(SplitKind::HoldOut));
}

fn failure(text: &str, id: &str, kind: SplitKind) -> Option<String> {
    let check = check_file(text.as_bytes(), model(id), kind).unwrap();
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
        let check = check_file(text.as_bytes(), model(id), SplitKind::Training).unwrap();
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
        (LLAMA, "", &["Unable to parse Amazon S3 file", "line 101", "is blank", "JSONL"][..]),
        (LLAMA, "{\"prompt\":\"x\"", &["Unable to parse Amazon S3 file", "line 101", "column 13"]),
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
        (LLAMA_33, &TALK.replace(r#"[{"text":"u"}]"#, r#"[{"image":{}}]"#), &["a block that is not text"]),
        (LLAMA_33, &TALK.replace(r#"[{"text":"u"}]"#, "\"u\""), &["not a list of text blocks"]),
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
    let check = check_file(endless, model(TINY_V1), SplitKind::Training).unwrap();
    let said = check.failure_message().unwrap();
    assert!(said.contains("Input size exceeded in file"), "{said}");
    assert_eq!(check.bytes, 60_000_000);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_taken() {
    let text = format!("\u{FEFF}{}", lines(PAIR, 8).replace('\n', "\r\n"));
    assert_eq!(failure(&text, TINY_V1, SplitKind::Training), None);
}
