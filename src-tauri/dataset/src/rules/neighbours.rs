//! Rules for a record beside an earlier one with the same prompt: duplicates, other answers, leaks.

use whetstone_scan::Facts;

use super::rule::models::TINY;
use super::{Broken, Example, Fix, Mend, Rule, RuleKind, Severity};
use crate::split::SplitKind;

const CRAFT: &str = "Common practice in machine learning";

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "split-leak",
        severity: Severity::Warning,
        asks: "No prompt stands in two splits.",
        source: CRAFT,
        fix: Some(Mend { does: "Delete this record", how: |_, _, _| Some(Fix::Delete) }),
        needs: Facts::empty(),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Neighbour(split_leak),
        examples: &[Example::new(
            TINY,
            "9 x {\"prompt\":\"What is #?\",\"completion\":\"A number.\"}\nvalidation| {\"prompt\":\"What is 3?\",\"completion\":\"A number.\"}",
            "9 x {\"prompt\":\"What is #?\",\"completion\":\"A number.\"}\nvalidation| {\"prompt\":\"What is 30?\",\"completion\":\"A number.\"}",
        )],
    },
    Rule {
        id: "duplicate",
        severity: Severity::Warning,
        asks: "No record stands twice.",
        source: CRAFT,
        fix: Some(Mend { does: "Delete this record", how: |_, _, _| Some(Fix::Delete) }),
        needs: Facts::empty(),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Neighbour(duplicate),
        examples: &[Example::new(
            TINY,
            "9 x {\"prompt\":\"What is #?\",\"completion\":\"A number.\"}\n{\"prompt\":\"What is 3?\",\"completion\":\"A number.\"}",
            "9 x {\"prompt\":\"What is #?\",\"completion\":\"A number.\"}\n{\"prompt\":\"What is 3?\",\"completion\":\"A number\"}",
        )],
    },
    Rule {
        id: "different-answers",
        severity: Severity::Warning,
        asks: "The same prompt has the same completion.",
        source: CRAFT,
        fix: None,
        needs: Facts::empty(),
        concerns: |intent| !intent.data().prompts_only,
        hold_out: true,
        kind: RuleKind::Neighbour(different_answers),
        examples: &[Example::new(
            TINY,
            "9 x {\"prompt\":\"What is #?\",\"completion\":\"A number.\"}\n{\"prompt\":\"What is 3?\",\"completion\":\"A prime.\"}",
            "9 x {\"prompt\":\"What is #?\",\"completion\":\"A number.\"}\n{\"prompt\":\"What else is 3?\",\"completion\":\"A prime.\"}",
        )],
    },
];

/// A record whose prompt was met before. A record without a prompt is met by its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encounter {
    pub kind: SplitKind,
    /// Position of the first record with this prompt, from 0.
    pub first: u64,
    pub first_kind: SplitKind,
    pub same_answer: bool,
}

fn split_leak(encounter: &Encounter) -> Option<Broken> {
    (encounter.kind != encounter.first_kind).then(|| {
        let message = format!(
            "The same prompt stands in record {}, which is for {}; this one is for {}.",
            encounter.first + 1,
            encounter.first_kind.name(),
            encounter.kind.name()
        );
        let hint = "Keep both in the same split, or delete one: a figure over records seen in training says too much.";
        Broken::new(message, hint).of("prompt")
    })
}

fn duplicate(encounter: &Encounter) -> Option<Broken> {
    encounter.same_answer.then(|| {
        let message = format!("The same record stands at {}.", encounter.first + 1);
        Broken::new(message, "Delete one of them, unless it should count twice.")
    })
}

fn different_answers(encounter: &Encounter) -> Option<Broken> {
    (!encounter.same_answer).then(|| {
        let message = format!("Record {} has the same prompt and another completion.", encounter.first + 1);
        let hint = "Keep the better answer, or say in the prompt what tells the two apart.";
        Broken::new(message, hint).of("completion")
    })
}
