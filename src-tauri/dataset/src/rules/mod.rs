//! The rules that training data must keep, in one registry.
//!
//! A rule is an entry in [`rules`]: what it asks, how bad breaking it is, where it comes from, whom it concerns, which
//! facts about a line's text it needs to fire at all, a small function that looks, and examples: records that break it
//! and records that just do not. The examples are its test and its page in `docs/rules.md`; adding a rule is adding
//! an entry. What is checked, a line, a record by itself or the dataset as a whole, is told by [`RuleKind`].
//!
//! Nothing here keeps state: whoever reads the records owns the loop, the sums and the report.
//!
//! Deliberately absent: any fact about a base model. Those stand in the catalog's TOML, and a rule reads them through
//! [`Intent`].

mod counts;
mod files;
mod finding;
mod intent;
mod media;
mod near;
mod neighbours;
mod private;
mod quality;
mod rule;
mod shape;
mod tally;
mod text;
mod tools;
mod turns;

use serde_json::{Map, Value};

pub use counts::{SplitTotals, check_counts};
pub use files::{FileFacts, check_file_facts};
pub use finding::{Finding, Severity, Span};
pub use intent::Intent;
pub use near::{Resemblance, near_duplicates};
pub use neighbours::Encounter;
pub use rule::{Example, Fix, Mend, Rule, RuleKind};
pub use tally::{Kinds, Tally, language, outlier_bounds};

pub(crate) use files::{check_bytes, too_long};
pub(crate) use finding::Broken;
pub(crate) use shape::{SHAPE, format_of, misshapen};

use crate::record::Record;
use crate::validate::facts_of;

/// The registry: every rule there is, in the order of the documentation.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        files::RULES,
        shape::RULES,
        turns::RULES,
        text::RULES,
        media::RULES,
        tools::RULES,
        quality::RULES,
        private::RULES,
        counts::RULES,
        neighbours::RULES,
        near::RULES,
        tally::RULES,
    ]
    .into_iter()
    .flatten()
}

/// The rules for one record that hold for this intent.
pub fn record_rules(intent: &Intent) -> Vec<&'static Rule> {
    concerned(intent, |kind| matches!(kind, RuleKind::Record(_)))
}

/// The rules for a line as it stands that hold for this intent.
pub fn line_rules(intent: &Intent) -> Vec<&'static Rule> {
    concerned(intent, |kind| matches!(kind, RuleKind::Line(_)))
}

/// The rules for a record beside an earlier one with the same prompt.
pub fn neighbour_rules(intent: &Intent) -> Vec<&'static Rule> {
    concerned(intent, |kind| matches!(kind, RuleKind::Neighbour(_)))
}

/// The rules for the dataset as a whole, counts included.
pub fn tally_rules(intent: &Intent) -> Vec<&'static Rule> {
    concerned(intent, |kind| matches!(kind, RuleKind::Tally(_) | RuleKind::Counts(_)))
}

fn concerned(intent: &Intent, of: fn(&RuleKind) -> bool) -> Vec<&'static Rule> {
    rules().filter(|rule| of(&rule.kind) && (rule.concerns)(intent)).collect()
}

/// What is wrong with one record by itself, the worst first.
pub fn check_record(record: &Record, intent: &Intent) -> Vec<Finding> {
    let facts = facts_of(record, intent);
    let needed = record_rules(intent).into_iter().filter(|rule| facts.intersects(rule.needs));
    let mut findings: Vec<Finding> = needed.flat_map(|rule| rule.run(record, intent)).collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// The record mended, so that this rule no longer fires there; `None` where there is no fix or the record is another one
/// by now.
pub fn fix(finding: &Finding, record: &Record, intent: &Intent) -> Option<Fix> {
    let rule = rules().find(|rule| rule.id == finding.rule)?;
    finding.fix?;
    (rule.fix.as_ref()?.how)(record, finding, intent)
}

/// What is wrong with a line as it stands, for a file that is uploaded as it is.
pub(crate) fn check_object(object: &Map<String, Value>, intent: &Intent) -> Vec<Finding> {
    line_rules(intent).into_iter().flat_map(|rule| rule.read(object, intent)).collect()
}
