//! The rules that training data must keep, in one table.
//!
//! A rule is an entry in [`rules`]: an id, how bad breaking it is, where it comes from, whom it
//! concerns, and a small function that looks. Adding one is adding an entry and its test.
//! What is checked, a record by itself or the dataset as a whole, is told by [`RuleKind`].

mod dataset;
mod record;

use std::borrow::Borrow;

use whetstone_catalog::BaseModel;

use crate::record::Record;
use crate::split::SplitKind;

pub use dataset::check_counts;

/// So many findings are kept of each severity; the rest are only counted.
pub const FINDING_CAP: usize = 1000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A job would fail.
    Error,
    /// A job would run and the model be worse for it.
    Warning,
    /// Worth knowing.
    Note,
}

/// A rule broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static str,
    pub severity: Severity,
    /// Position of the record, from 0; `None` when it concerns the dataset as a whole or when one
    /// record was checked by itself.
    pub record: Option<u64>,
    /// Line of the file, from 1, where one was read.
    pub line: Option<u64>,
    /// `prompt`, `completion`, `system` or `turns[2]`.
    pub field: Option<String>,
    pub message: String,
    pub hint: String,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    pub errors: u64,
    pub warnings: u64,
    pub notes: u64,
    /// Errors first, then in the order of the records; at most [`FINDING_CAP`] of each severity.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn add(&mut self, finding: Finding) {
        let count = match finding.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        };
        *count += 1;
        if *count <= FINDING_CAP as u64 {
            self.findings.push(finding);
        }
    }

    fn sorted(mut self) -> Report {
        self.findings.sort_by_key(|finding| (finding.severity, finding.record));
        self
    }
}

/// One rule.
pub struct Rule {
    pub id: &'static str,
    pub severity: Severity,
    /// Where the rule comes from.
    pub source: &'static str,
    /// Whether it holds for this base model.
    pub concerns: fn(&BaseModel) -> bool,
    /// Whether hold-out records must keep it too. They are never sent to the model's training.
    pub hold_out: bool,
    pub kind: RuleKind,
}

/// What a rule looks at.
#[derive(Clone, Copy)]
pub enum RuleKind {
    /// One record by itself.
    Record(fn(&Record, &BaseModel) -> Vec<Broken>),
    /// How many records there are of each split.
    Counts(fn(&SplitTotals, &BaseModel) -> Vec<Broken>),
    /// A record beside those before it.
    Neighbour(fn(&dataset::Encounter) -> Option<Broken>),
}

/// What one rule has to say; the rule adds its id and severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    field: Option<String>,
    message: String,
    hint: String,
}

/// Number of records in each split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SplitTotals {
    pub training: u64,
    pub validation: u64,
    pub hold_out: u64,
}

impl Broken {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Broken {
        Broken { field: None, message: message.into(), hint: hint.into() }
    }

    fn of(mut self, field: impl Into<String>) -> Broken {
        self.field = Some(field.into());
        self
    }
}

impl Rule {
    fn finding(&self, record: Option<u64>, broken: Broken) -> Finding {
        Finding {
            rule: self.id,
            severity: self.severity,
            record,
            line: None,
            field: broken.field,
            message: broken.message,
            hint: broken.hint,
        }
    }
}

/// Every rule there is.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    record::RULES.iter().chain(dataset::RULES)
}

/// What is wrong with one record for this base model.
pub fn check_record(record: &Record, model: &BaseModel) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in record::RULES {
        if let RuleKind::Record(check) = rule.kind
            && (rule.concerns)(model)
        {
            let broken = check(record, model).into_iter();
            findings.extend(broken.map(|broken| rule.finding(None, broken)));
        }
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// What is wrong with a dataset for this base model: each record, how many there are, duplicates and
/// leaks between the splits. Without a split every record is given as one for training.
pub fn check_dataset<R: Borrow<Record>>(
    records: impl IntoIterator<Item = (R, SplitKind)>,
    model: &BaseModel,
) -> Report {
    let mut report = Report::default();
    let mut seen = dataset::Seen::default();
    let mut totals = SplitTotals::default();
    for (position, (record, kind)) in records.into_iter().enumerate() {
        let (position, record) = (position as u64, record.borrow());
        totals.count(kind);
        for rule in record::RULES {
            let applies = kind != SplitKind::HoldOut || rule.hold_out;
            if let RuleKind::Record(check) = rule.kind
                && applies
                && (rule.concerns)(model)
            {
                for broken in check(record, model) {
                    report.add(rule.finding(Some(position), broken));
                }
            }
        }
        for finding in seen.meet(position, record, kind) {
            report.add(finding);
        }
    }
    for finding in dataset::check_totals(&totals, model) {
        report.add(finding);
    }
    report.sorted()
}

impl SplitTotals {
    fn count(&mut self, kind: SplitKind) {
        match kind {
            SplitKind::Training => self.training += 1,
            SplitKind::Validation => self.validation += 1,
            SplitKind::HoldOut => self.hold_out += 1,
        }
    }
}

/// A rule that holds for every base model.
fn everyone(_: &BaseModel) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_rule_has_an_id_of_its_own_and_a_source() {
        let mut seen = HashSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.id), "{} is listed twice", rule.id);
            assert!(!rule.source.is_empty(), "{}", rule.id);
        }
    }
}
