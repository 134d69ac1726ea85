//! Rules for a file as a whole, and for the bytes of a line before anything is made of them.

use serde_json::{Map, Value};
use whetstone_scan::Facts;

use super::rule::models::{CLAUDE, LLAMA_31, MICRO, TINY, TITAN};
use super::{Broken, Example, Finding, Intent, Rule, RuleKind, Severity, rules};
use crate::formats::MAX_RECORD_BYTES;
use crate::split::SplitKind;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "file-size",
        severity: Severity::Error,
        asks: "The file is no larger than the base model takes.",
        source: "Amazon Bedrock User Guide: model-customization-prepare, and AWS's published validators",
        fix: None,
        needs: Facts::empty(),
        concerns: |_| true,
        hold_out: false,
        kind: RuleKind::File(file_size),
        examples: &[
            Example::new(TITAN, "train.jsonl 1000000001", "train.jsonl 1000000000"),
            Example::new(CLAUDE, "validation| val.jsonl 1000000001", "val.jsonl 1000000001"),
        ],
    },
    Rule {
        id: "file-empty",
        severity: Severity::Error,
        asks: "The file is not empty.",
        source: "A job has nothing to learn from it",
        fix: None,
        needs: Facts::empty(),
        concerns: |_| true,
        hold_out: false,
        kind: RuleKind::File(file_empty),
        examples: &[Example::new(TINY, "validation| val.jsonl 0", "validation| val.jsonl 1")],
    },
    Rule {
        id: "file-name",
        severity: Severity::Error,
        asks: "The key of the file in S3 holds only letters, digits and the punctuation that is taken; for Nova it ends with .jsonl.",
        source: "AWS's published validators for Nova: letters, digits and _ - / . alone. For all others the pattern of S3 URIs in Bedrock's operations",
        fix: None,
        needs: Facts::empty(),
        concerns: |_| true,
        hold_out: false,
        kind: RuleKind::File(file_name),
        examples: &[
            Example::new(MICRO, "data/train(1).jsonl 1", "data/train_1-a.jsonl 1"),
            Example::new(MICRO, "train.json 1", "train.jsonl 1"),
            Example::new(LLAMA_31, "my train.jsonl 1", "train(1).json 1"),
        ],
    },
    Rule {
        id: "line-size",
        severity: Severity::Error,
        asks: "A line is no longer than 25 million bytes.",
        source: "The limit of a request body in Bedrock's runtime; far above what any base model is trained on",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Bytes(line_size),
        examples: &[Example::new(
            TINY,
            r#"{"prompt":"Hi","completion":"{x*24999970}"}"#,
            r#"{"prompt":"Hi","completion":"{x*24999969}"}"#,
        )],
    },
    Rule {
        id: "json-lines",
        severity: Severity::Error,
        asks: "Each line is one JSON object in UTF-8, and no line is blank.",
        source: "Amazon Bedrock User Guide: model-customization-prepare, fine-tuning-troubleshooting",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |_| true,
        hold_out: false,
        kind: RuleKind::Bytes(json_lines),
        examples: &[
            Example::new(TINY, r#"{"prompt":"Hi","completion":"Hello""#, r#"{"prompt":"Hi","completion":"Hello"}"#),
            Example::new(TINY, r#"["Hi","Hello"]"#, r#" {"prompt":"Hi","completion":"Hello"} "#),
            Example::new(TINY, " ", r#"{"prompt":"Hi","completion":"Hello"}"#),
        ],
    },
];

/// A training or validation file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFacts<'a> {
    /// The key that it has, or will have, in its bucket, where it is known.
    pub key: Option<&'a str>,
    pub bytes: u64,
    pub kind: SplitKind,
}

/// What is wrong with a file's name and size.
pub fn check_file_facts(facts: &FileFacts, intent: &Intent) -> Vec<Finding> {
    rules().filter(|rule| (rule.concerns)(intent)).flat_map(|rule| rule.weigh(facts, intent)).collect()
}

/// What is wrong with the bytes of a line.
pub(crate) fn check_bytes(line: &[u8]) -> Option<Finding> {
    RULES.iter().find_map(|rule| rule.spell(line))
}

/// What is wrong with a line that is too long to be held.
pub(crate) fn too_long() -> Option<Finding> {
    let rule = RULES.iter().find(|rule| rule.id == "line-size")?;
    Some(rule.finding(line_too_long()))
}

fn file_size(facts: &FileFacts, intent: &Intent) -> Vec<Broken> {
    let data = intent.data();
    let limit = match facts.kind {
        SplitKind::Training => data.max_training_bytes,
        SplitKind::Validation => data.max_validation_bytes,
        SplitKind::HoldOut => None,
    };
    let Some(limit) = limit.filter(|&limit| facts.bytes > limit) else { return Vec::new() };
    let message = format!(
        "Input size exceeded in file: the {} data has {} bytes; {} takes at most {limit}.",
        facts.kind.name(),
        facts.bytes,
        intent.name()
    );
    vec![Broken::new(message, "Leave records out.")]
}

fn file_empty(facts: &FileFacts, _: &Intent) -> Vec<Broken> {
    if facts.bytes > 0 {
        return Vec::new();
    }
    let message = format!("The {} data has no record.", facts.kind.name());
    vec![Broken::new(message, "Upload a file with records, or give none.")]
}

fn file_name(facts: &FileFacts, intent: &Intent) -> Vec<Broken> {
    let data = intent.data();
    let punctuation = data.key_punctuation.as_deref().unwrap_or(super::media::S3_PUNCTUATION);
    let Some(key) = facts.key else { return Vec::new() };
    let odd = key.chars().find(|c| !c.is_ascii_alphanumeric() && !punctuation.contains(*c));
    let odd = odd.map(|odd| {
        let message = format!(
            "The file name {key} holds \"{}\"; {} takes letters, digits and {punctuation} only.",
            odd.escape_debug(),
            intent.name()
        );
        Broken::new(message, "Rename the file.")
    });
    let suffix = data.file_suffix.as_ref().filter(|suffix| !key.ends_with(suffix.as_str()));
    let suffix = suffix.map(|suffix| {
        let message = format!("The file name {key} does not end with {suffix}.");
        Broken::new(message, "Rename the file.")
    });
    odd.into_iter().chain(suffix).collect()
}

fn json_lines(line: &[u8]) -> Option<Broken> {
    let what = if line.iter().all(u8::is_ascii_whitespace) {
        "is blank".to_owned()
    } else {
        let error = serde_json::from_slice::<Map<String, Value>>(line).err()?;
        format!("is not a JSON object (column {})", error.column())
    };
    let message = format!(
        "Unable to parse Amazon S3 file: a line {what}. The file must be JSONL: one JSON object on each line and no blank line."
    );
    Some(Broken::new(message, "Mend this line."))
}

fn line_size(line: &[u8]) -> Option<Broken> {
    (line.len() > MAX_RECORD_BYTES).then(line_too_long)
}

fn line_too_long() -> Broken {
    let message = format!("Input size exceeded in file: a line is longer than {MAX_RECORD_BYTES} bytes.");
    Broken::new(message, "Shorten the record, or check that line breaks between records were not lost.")
}
