//! Rules that look at the dataset as a whole: how many records, duplicates, leaks.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};

use whetstone_catalog::BaseModel;

use super::{Broken, Finding, Rule, RuleKind, Severity, SplitTotals, everyone};
use crate::record::Record;
use crate::split::SplitKind;

const LIMITS: &str = "Amazon Bedrock User Guide: model-customization-prepare, and AWS's published dataset validators";
const CRAFT: &str = "Common practice in machine learning";

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "record-count",
        severity: Severity::Error,
        source: LIMITS,
        concerns: everyone,
        hold_out: false,
        kind: RuleKind::Counts(record_count),
    },
    Rule {
        id: "validation-unused",
        severity: Severity::Warning,
        source: "Amazon Bedrock User Guide: nova-2-sft-data-prep",
        concerns: uses_no_validation,
        hold_out: false,
        kind: RuleKind::Counts(validation_unused),
    },
    Rule {
        id: "split-leak",
        severity: Severity::Warning,
        source: CRAFT,
        concerns: everyone,
        hold_out: true,
        kind: RuleKind::Neighbour(split_leak),
    },
    Rule {
        id: "duplicate",
        severity: Severity::Warning,
        source: CRAFT,
        concerns: everyone,
        hold_out: true,
        kind: RuleKind::Neighbour(duplicate),
    },
    Rule {
        id: "different-answers",
        severity: Severity::Warning,
        source: CRAFT,
        concerns: everyone,
        hold_out: true,
        kind: RuleKind::Neighbour(different_answers),
    },
];

fn uses_no_validation(model: &BaseModel) -> bool {
    !model.data.validation_accepted
}

/// What is wrong with the numbers of training and validation records together. A job's data are in
/// files of their own, so whoever has read them asks with their counts.
pub fn check_counts(training: u64, validation: u64, model: &BaseModel) -> Vec<Finding> {
    let totals = SplitTotals { training, validation, hold_out: 0 };
    check_totals(&totals, model)
}

pub(super) fn check_totals(totals: &SplitTotals, model: &BaseModel) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        if let RuleKind::Counts(check) = rule.kind
            && (rule.concerns)(model)
        {
            let broken = check(totals, model).into_iter();
            findings.extend(broken.map(|broken| rule.finding(None, broken)));
        }
    }
    findings
}

fn record_count(totals: &SplitTotals, model: &BaseModel) -> Vec<Broken> {
    let rules = &model.data;
    let name = &model.name;
    let (training, validation) = (totals.training, totals.validation);
    let sum = training + validation;
    let mut broken = Vec::new();
    if training < rules.min_records {
        broken.push(Broken::new(
            format!("There are {training} training records; {name} needs at least {}.", rules.min_records),
            format!(
                "Add {} more, set fewer aside, or choose a base model that needs fewer.",
                rules.min_records - training
            ),
        ));
    }
    let mut at_most = |what: &str, count: u64, limit: Option<u64>| {
        if let Some(limit) = limit.filter(|&limit| count > limit) {
            broken.push(Broken::new(
                format!("There are {count} {what}; {name} takes at most {limit}."),
                format!("Leave {} of them out.", count - limit),
            ));
        }
    };
    at_most("training records", training, rules.max_training_records);
    at_most("validation records", validation, rules.max_validation_records);
    let together = "training and validation records together";
    at_most(together, sum, rules.max_records);
    if let Some(least) = rules.min_validation_records
        && (1..least).contains(&validation)
    {
        broken.push(Broken::new(
            format!("There are {validation} validation records; {name} needs at least {least} or none."),
            "Set more records aside for validation, or none.",
        ));
    }
    broken
}

fn validation_unused(totals: &SplitTotals, model: &BaseModel) -> Vec<Broken> {
    if totals.validation == 0 {
        return Vec::new();
    }
    vec![Broken::new(
        format!(
            "{} makes no use of a validation set; {} records would not be trained on.",
            model.name, totals.validation
        ),
        "Set no validation records aside for this base model.",
    )]
}

/// A record whose prompt was met before.
pub struct Encounter {
    kind: SplitKind,
    /// The first record with this prompt.
    first: First,
    same_answer: bool,
}

#[derive(Debug, Clone, Copy)]
struct First {
    position: u64,
    kind: SplitKind,
    answer: u64,
}

fn split_leak(encounter: &Encounter) -> Option<Broken> {
    let (kind, first) = (encounter.kind, encounter.first);
    (kind != first.kind).then(|| {
        Broken::new(
            format!(
                "The same prompt stands in record {}, which is for {}; this one is for {}.",
                first.position + 1,
                first.kind.name(),
                kind.name()
            ),
            "Keep both in the same split, or delete one: a figure over records seen in training says too much.",
        )
        .of("prompt")
    })
}

fn duplicate(encounter: &Encounter) -> Option<Broken> {
    encounter.same_answer.then(|| {
        Broken::new(
            format!("The same record stands at {}.", encounter.first.position + 1),
            "Delete one of them, unless it should count twice.",
        )
    })
}

fn different_answers(encounter: &Encounter) -> Option<Broken> {
    (!encounter.same_answer).then(|| {
        Broken::new(
            format!("Record {} has the same prompt and another completion.", encounter.first.position + 1),
            "Keep the better answer, or say in the prompt what tells the two apart.",
        )
        .of("completion")
    })
}

/// The prompts met so far, by their hashes: memory grows by some 40 bytes a record.
#[derive(Default)]
pub(super) struct Seen {
    prompts: HashMap<u64, First>,
}

impl Seen {
    pub fn meet(&mut self, position: u64, record: &Record, kind: SplitKind) -> Vec<Finding> {
        if record.context().is_empty() {
            return Vec::new();
        }
        let answer = hash(record.completion().as_ref());
        let first = match self.prompts.entry(hash(record.context())) {
            Entry::Vacant(entry) => {
                entry.insert(First { position, kind, answer });
                return Vec::new();
            }
            Entry::Occupied(entry) => *entry.get(),
        };
        let encounter = Encounter { kind, first, same_answer: first.answer == answer };
        let rules = RULES.iter().filter_map(|rule| match rule.kind {
            RuleKind::Neighbour(check) => Some(rule.finding(Some(position), check(&encounter)?)),
            _ => None,
        });
        rules.collect()
    }
}

/// SipHash with fixed keys: the same within a run, and equal hashes of different texts are not to be
/// expected below some hundred million records.
fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
