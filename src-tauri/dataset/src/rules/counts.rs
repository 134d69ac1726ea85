//! Rules for how many records there are.

use whetstone_scan::Facts;

use super::rule::models::{CLAUDE, LLAMA_31, MICRO, NOVA_2, TINY};
use super::{Broken, Example, Finding, Intent, Rule, RuleKind, Severity, tally_rules};
use crate::split::SplitKind;

const LIMITS: &str = "Amazon Bedrock User Guide: model-customization-prepare, and AWS's published dataset validators";

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "record-count",
        severity: Severity::Error,
        asks: "There are neither too few nor too many records for training, for validation, and for both together.",
        source: LIMITS,
        fix: None,
        needs: Facts::empty(),
        concerns: |_| true,
        hold_out: false,
        kind: RuleKind::Counts(record_count),
        examples: &[
            Example::new(
                TINY,
                r##"7 x {"prompt":"What is #?","completion":"A number."}"##,
                r##"8 x {"prompt":"What is #?","completion":"A number."}"##,
            ),
            Example::new(
                NOVA_2,
                r##"199 x {"messages":[{"role":"user","content":[{"text":"What is #?"}]},{"role":"assistant","content":[{"text":"A number."}]}]}"##,
                r##"200 x {"messages":[{"role":"user","content":[{"text":"What is #?"}]},{"role":"assistant","content":[{"text":"A number."}]}]}"##,
            ),
            Example::new(
                LLAMA_31,
                "9001 x {\"prompt\":\"What is #?\",\"completion\":\"A number.\"}\nvalidation| 1000 x {\"prompt\":\"Who is #?\",\"completion\":\"A number.\"}",
                "9000 x {\"prompt\":\"What is #?\",\"completion\":\"A number.\"}\nvalidation| 1000 x {\"prompt\":\"Who is #?\",\"completion\":\"A number.\"}",
            ),
            Example::new(
                LLAMA_31,
                "100 x {\"prompt\":\"What is #?\",\"completion\":\"A number.\"}\nvalidation| 1001 x {\"prompt\":\"Who is #?\",\"completion\":\"A number.\"}",
                "100 x {\"prompt\":\"What is #?\",\"completion\":\"A number.\"}\nvalidation| 1000 x {\"prompt\":\"Who is #?\",\"completion\":\"A number.\"}",
            ),
            Example::new(
                CLAUDE,
                "32 x {\"messages\":[{\"role\":\"user\",\"content\":\"What is #?\"},{\"role\":\"assistant\",\"content\":\"A number.\"}]}\nvalidation| 31 x {\"messages\":[{\"role\":\"user\",\"content\":\"Who is #?\"},{\"role\":\"assistant\",\"content\":\"A number.\"}]}",
                "32 x {\"messages\":[{\"role\":\"user\",\"content\":\"What is #?\"},{\"role\":\"assistant\",\"content\":\"A number.\"}]}\nvalidation| 32 x {\"messages\":[{\"role\":\"user\",\"content\":\"Who is #?\"},{\"role\":\"assistant\",\"content\":\"A number.\"}]}",
            ),
            Example::new(
                MICRO,
                r##"20001 x {"messages":[{"role":"user","content":[{"text":"What is #?"}]},{"role":"assistant","content":[{"text":"A number."}]}]}"##,
                r##"20000 x {"messages":[{"role":"user","content":[{"text":"What is #?"}]},{"role":"assistant","content":[{"text":"A number."}]}]}"##,
            ),
        ],
    },
    Rule {
        id: "validation-unused",
        severity: Severity::Warning,
        asks: "No records are set aside for validation where the base model makes no use of them.",
        source: "Amazon Bedrock User Guide: nova-2-sft-data-prep; AWS's own SDK drops the set with a warning. For distillation no source describes a validation set",
        fix: None,
        needs: Facts::empty(),
        concerns: |intent| !intent.data().validation_accepted,
        hold_out: false,
        kind: RuleKind::Counts(validation_unused),
        examples: &[Example::new(
            NOVA_2,
            "200 x {\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"What is #?\"}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A number.\"}]}]}\nvalidation| {\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Who?\"}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"Me.\"}]}]}",
            "200 x {\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"What is #?\"}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A number.\"}]}]}\nhold-out| {\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Who?\"}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"Me.\"}]}]}",
        )],
    },
];

/// Number of records in each split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SplitTotals {
    pub training: u64,
    pub validation: u64,
    pub hold_out: u64,
}

impl SplitTotals {
    pub fn count(&mut self, kind: SplitKind, records: u64) {
        match kind {
            SplitKind::Training => self.training += records,
            SplitKind::Validation => self.validation += records,
            SplitKind::HoldOut => self.hold_out += records,
        }
    }
}

/// What is wrong with the numbers of training and validation records. A job's data are in files of their own, so
/// whoever has read them asks with their counts.
pub fn check_counts(totals: &SplitTotals, intent: &Intent) -> Vec<Finding> {
    tally_rules(intent).into_iter().flat_map(|rule| rule.count(totals, intent)).collect()
}

fn record_count(totals: &SplitTotals, intent: &Intent) -> Vec<Broken> {
    let rules = intent.data();
    let name = intent.name();
    let (training, validation) = (totals.training, totals.validation);
    let mut broken = Vec::new();
    if training < rules.min_records {
        let missing = rules.min_records - training;
        broken.push(Broken::new(
            format!("There are {training} training records; {name} needs at least {}.", rules.min_records),
            format!("Add {missing} more, set fewer aside, or choose a base model that needs fewer."),
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
    at_most("training and validation records together", training + validation, rules.max_records);
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

fn validation_unused(totals: &SplitTotals, intent: &Intent) -> Vec<Broken> {
    let validation = totals.validation;
    if validation == 0 {
        return Vec::new();
    }
    let message =
        format!("{} makes no use of a validation set; {validation} records would not be trained on.", intent.name());
    vec![Broken::new(message, "Set no validation records aside for this base model.")]
}
