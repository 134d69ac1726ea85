//! The data phase of a job: holding an uploaded JSONL file to its base model, strictly.
//!
//! Where [`crate::read`] takes what people bring, this takes only what AWS documents. The messages
//! carry the fragments by which AWS's own are recognised (Amazon Bedrock User Guide:
//! fine-tuning-troubleshooting), so that what explains those explains these.

use std::io::Read;

use serde_json::{Map, Value};

use crate::formats::{MAX_RECORD_BYTES, Schema};
use crate::input::{Input, LineRead};
use crate::record::Record;
use crate::rules::{
    FileFacts, Finding, Intent, Rule, SHAPE, Severity, SplitTotals, check_bytes, check_counts, check_file_facts,
    check_object, format_of, misshapen, record_rules, too_long,
};
use crate::split::SplitKind;

/// What a failed job says at most: the service's own limit for the message.
const MESSAGE_CHARS: usize = 2048;
/// So many errors are kept; the rest are only counted.
const KEPT: usize = 1000;

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileCheck {
    /// How many errors there are. What a job does not fail over is not looked for.
    pub errors: u64,
    /// The first of them, in their order.
    pub findings: Vec<Finding>,
    /// Every record in order when there is no error; empty otherwise.
    pub records: Vec<Record>,
    /// Lines of the file, records or not.
    pub lines: u64,
    pub bytes: u64,
}

impl FileCheck {
    pub fn is_clean(&self) -> bool {
        self.errors == 0
    }

    fn add(&mut self, finding: Finding) {
        self.errors += 1;
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }

    /// Takes what was found on the line that was read last.
    fn take(&mut self, checked: LineCheck, intent: &Intent, kind: SplitKind) {
        let line = self.lines;
        for mut finding in checked.findings.into_iter().filter(|finding| finding.severity == Severity::Error) {
            finding.record = Some(line - 1);
            finding.line = Some(line);
            finding.message = format!("Line {line} of the {} data: {}", kind.name(), finding.message);
            self.add(finding);
        }
        if self.is_clean() && within_limits(self.records.len(), intent) {
            self.records.extend(checked.record);
        }
    }

    /// The errors as a job's failure message; `None` when there is none.
    pub fn failure_message(&self) -> Option<String> {
        let mut message = self.findings.first()?.message.clone();
        let more = self.errors - 1;
        if more > 0 {
            let what = if more == 1 { "error" } else { "errors" };
            message.push_str(&format!(" There {} {more} more {what}.", if more == 1 { "is" } else { "are" }));
        }
        Some(message.chars().take(MESSAGE_CHARS).collect())
    }
}

/// Checks a training or validation file line by line. The reader is read to its end; memory is
/// bounded by the records that the model takes at most.
pub fn check_file(reader: impl Read, intent: &Intent, kind: SplitKind) -> std::io::Result<FileCheck> {
    let mut check = FileCheck::default();
    let mut input = Input::new(reader)?;
    let mut line = Vec::new();
    let rules: Vec<&Rule> = record_rules(intent).into_iter().filter(|rule| rule.severity == Severity::Error).collect();
    loop {
        let checked = match input.read_line(&mut line, MAX_RECORD_BYTES)? {
            LineRead::End => break,
            LineRead::Line => check_with(&line, intent, &rules),
            LineRead::TooLong => LineCheck { record: None, findings: too_long().into_iter().collect() },
        };
        check.lines += 1;
        check.take(checked, intent, kind);
    }
    check.bytes = input.byte;
    for finding in check_whole(&check, intent, kind) {
        check.add(finding);
    }
    if !check.is_clean() {
        check.records = Vec::new();
    }
    Ok(check)
}

/// A file with more records than the model takes fails in the end, so they need not be held.
fn within_limits(held: usize, intent: &Intent) -> bool {
    let limit = intent.data().max_records.or(intent.data().max_training_records);
    limit.is_none_or(|limit| (held as u64) < limit)
}

fn check_whole(check: &FileCheck, intent: &Intent, kind: SplitKind) -> Vec<Finding> {
    let totals = match kind {
        // The training file is not at hand: it is taken to have as few records as will do.
        SplitKind::Validation => {
            SplitTotals { training: intent.data().min_records, validation: check.lines, hold_out: 0 }
        }
        _ => SplitTotals { training: check.lines, validation: 0, hold_out: 0 },
    };
    let mut findings = check_counts(&totals, intent);
    // What the object is called was settled when it was uploaded.
    let facts = FileFacts { key: None, bytes: check.bytes, kind };
    findings.extend(check_file_facts(&facts, intent));
    findings.retain(|finding| finding.severity == Severity::Error);
    findings
}

/// What a line holds, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineCheck {
    /// `None` where nothing can be made of the line.
    pub record: Option<Record>,
    pub findings: Vec<Finding>,
}

/// Holds a line to the base model as it stands, for a file that is uploaded as it is: its bytes, its shape, and the
/// record it holds. A line in another format than the model's breaks the rule on the shape, and is looked into all the
/// same.
pub fn check_line(line: &[u8], intent: &Intent) -> LineCheck {
    check_with(line, intent, &record_rules(intent))
}

fn check_with(line: &[u8], intent: &Intent, rules: &[&Rule]) -> LineCheck {
    if let Some(finding) = check_bytes(line) {
        return LineCheck { record: None, findings: vec![finding] };
    }
    let object: Map<String, Value> = serde_json::from_slice(line).unwrap_or_default();
    let mut findings = check_object(&object, intent);
    let own = Schema::from(format_of(&object, intent)).parse(line);
    let refused = findings.iter().any(|finding| finding.rule == SHAPE);
    let parsed = match (own, Schema::of_line(line)) {
        (Err(_), Some(other)) if refused => other.parse(line),
        (Err(error), _) => {
            findings.push(misshapen(&error));
            Err(error)
        }
        (own, _) => own,
    };
    let record = parsed.ok();
    if let Some(record) = &record {
        findings.extend(rules.iter().flat_map(|rule| rule.run(record, intent)));
    }
    LineCheck { record, findings }
}
