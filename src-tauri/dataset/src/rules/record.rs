//! Rules that look at one record by itself.

use whetstone_catalog::{BaseModel, DataFormat};

use super::{Broken, Rule, RuleKind, Severity, everyone};
use crate::record::{Record, Role, chars};

const USER_GUIDE: &str = "Amazon Bedrock User Guide: model-customization-prepare";
const VALIDATORS: &str = "AWS's published dataset validators";
const OWN: &str = "A record without it teaches nothing";

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "empty-prompt",
        severity: Severity::Error,
        source: OWN,
        concerns: everyone,
        hold_out: true,
        kind: RuleKind::Record(empty_prompt),
    },
    Rule {
        id: "empty-completion",
        severity: Severity::Error,
        source: OWN,
        concerns: everyone,
        hold_out: true,
        kind: RuleKind::Record(empty_completion),
    },
    Rule {
        id: "empty-turn",
        severity: Severity::Error,
        source: VALIDATORS,
        concerns: everyone,
        hold_out: true,
        kind: RuleKind::Record(empty_turn),
    },
    Rule {
        id: "turn-order",
        severity: Severity::Error,
        source: VALIDATORS,
        concerns: everyone,
        hold_out: true,
        kind: RuleKind::Record(turn_order),
    },
    Rule {
        id: "single-turn",
        severity: Severity::Error,
        source: USER_GUIDE,
        concerns: takes_single_turns_only,
        hold_out: false,
        kind: RuleKind::Record(single_turn),
    },
    Rule {
        id: "system-place",
        severity: Severity::Note,
        source: USER_GUIDE,
        concerns: takes_single_turns_only,
        hold_out: false,
        kind: RuleKind::Record(system_place),
    },
    Rule {
        id: "reserved-word",
        severity: Severity::Error,
        source: "Amazon Nova User Guide: fine-tune-prepare-data-understanding, and AWS's published dataset validators",
        concerns: has_reserved_words,
        hold_out: false,
        kind: RuleKind::Record(reserved_word),
    },
    Rule {
        id: "token-limit",
        severity: Severity::Error,
        source: USER_GUIDE,
        concerns: everyone,
        hold_out: false,
        kind: RuleKind::Record(token_limit),
    },
    Rule {
        id: "context-length",
        severity: Severity::Warning,
        source: "The base model's own context",
        concerns: has_context,
        hold_out: true,
        kind: RuleKind::Record(context_length),
    },
];

fn takes_single_turns_only(model: &BaseModel) -> bool {
    model.data.accepts_formats == [DataFormat::PromptCompletion]
}

fn has_reserved_words(model: &BaseModel) -> bool {
    !model.data.reserved_words.is_empty()
}

fn has_context(model: &BaseModel) -> bool {
    model.data.context_tokens.is_some()
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// A record without any user turn breaks the order of turns instead.
fn empty_prompt(record: &Record, _: &BaseModel) -> Vec<Broken> {
    let has_prompt = record.turns.iter().any(|turn| turn.role == Role::User);
    if !has_prompt || !is_blank(&record.prompt()) {
        return Vec::new();
    }
    let message = "The prompt is empty.";
    vec![Broken::new(message, "Write a prompt, or delete the record.").of("prompt")]
}

/// A record that does not end with the assistant breaks the order of turns instead.
fn empty_completion(record: &Record, _: &BaseModel) -> Vec<Broken> {
    let last = record.turns.last();
    let has_completion = last.is_some_and(|turn| turn.role == Role::Assistant);
    if !has_completion || !is_blank(&record.completion()) {
        return Vec::new();
    }
    let message = "The completion is empty.";
    let hint = "Write what the model should answer, or delete the record.";
    vec![Broken::new(message, hint).of("completion")]
}

/// Turns that are neither the first prompt nor the completion, which have rules of their own.
fn empty_turn(record: &Record, _: &BaseModel) -> Vec<Broken> {
    let last = record.turns.len().saturating_sub(1);
    let first_user = record.turns.iter().position(|t| t.role == Role::User);
    let blank = record.turns.iter().enumerate().filter(|(index, turn)| {
        let is_completion = *index == last && turn.role == Role::Assistant;
        is_blank(&turn.text()) && Some(*index) != first_user && !is_completion
    });
    blank
        .map(|(index, turn)| {
            let message = format!("Turn {} ({}) is empty.", index + 1, turn.role.as_str());
            Broken::new(message, "Write its text, or delete the turn.").of(format!("turns[{index}]"))
        })
        .collect()
}

/// At most one system text, first; then user and assistant in turn; the assistant last.
fn turn_order(record: &Record, _: &BaseModel) -> Vec<Broken> {
    const HINT: &str =
        "Let a user turn come first, an assistant turn last, and the two alternate; a system text stands before them.";
    let mut expected = Role::User;
    for (index, turn) in record.turns.iter().enumerate() {
        if index == 0 && turn.role == Role::System {
            continue;
        }
        if turn.role != expected {
            let message = format!(
                "Turn {} is spoken by {} where {} is expected.",
                index + 1,
                turn.role.as_str(),
                expected.as_str()
            );
            return vec![Broken::new(message, HINT).of(format!("turns[{index}]"))];
        }
        expected = match expected {
            Role::User => Role::Assistant,
            _ => Role::User,
        };
    }
    match record.turns.last() {
        Some(turn) if turn.role == Role::Assistant => Vec::new(),
        Some(_) => vec![Broken::new("The last turn is not the assistant's.", HINT)],
        None => vec![Broken::new("The record has no turns.", HINT)],
    }
}

fn single_turn(record: &Record, model: &BaseModel) -> Vec<Broken> {
    let spoken = record.turns.iter().filter(|t| t.role != Role::System);
    let spoken = spoken.count();
    if spoken <= 2 {
        return Vec::new();
    }
    vec![Broken::new(
        format!("The record has {spoken} turns; {} is trained on one prompt and one completion.", model.name),
        "Keep the last question and answer, or choose a base model that is trained on conversations.",
    )]
}

fn system_place(record: &Record, model: &BaseModel) -> Vec<Broken> {
    if record.system().is_none() {
        return Vec::new();
    }
    vec![
        Broken::new(
            format!("The format of {} has no place for a system text; it is written before the prompt.", model.name),
            "Put the same text before the prompt when you use the tuned model.",
        )
        .of("system"),
    ]
}

fn reserved_word(record: &Record, model: &BaseModel) -> Vec<Broken> {
    let rules = &model.data;
    let mut broken = Vec::new();
    for (index, turn) in record.turns.iter().enumerate() {
        let text = turn.text();
        let lower = text.to_ascii_lowercase();
        for word in &rules.reserved_words {
            let found = if rules.reserved_words_match_case {
                text.contains(word.as_str())
            } else {
                lower.contains(&word.to_ascii_lowercase())
            };
            if found {
                let message = format!(
                    "The reserved word \"{}\" stands in turn {} ({}); a job on {} fails over it.",
                    word.escape_debug(),
                    index + 1,
                    turn.role.as_str(),
                    model.name
                );
                let hint = "Reword the text, for example by a space before the colon.";
                broken.push(Broken::new(message, hint).of(format!("turns[{index}]")));
            }
        }
    }
    broken
}

/// Tokens are estimated from characters, as AWS advises; the model's own tokenizer is not public.
fn token_limit(record: &Record, model: &BaseModel) -> Vec<Broken> {
    let rules = &model.data;
    let (context, completion) = (record.context(), record.completion());
    let input = rules.estimate_tokens(chars(context));
    let output = rules.estimate_tokens(completion.chars().count());
    let how = format!("estimated at {} characters a token", rules.chars_per_token);
    let hint = "Shorten the record, or split it into several.";
    let beyond = |count: u64, limit: Option<u32>| limit.filter(|&l| count > u64::from(l));
    let mut broken = Vec::new();
    if let Some(limit) = beyond(input, rules.max_prompt_tokens) {
        let message = format!("Maximum input token count {input} exceeds limit of {limit} ({how}).");
        broken.push(Broken::new(message, hint).of("prompt"));
    }
    if let Some(limit) = beyond(output, rules.max_completion_tokens) {
        let message = format!("Maximum output token count {output} exceeds limit of {limit} ({how}).");
        broken.push(Broken::new(message, hint).of("completion"));
    }
    let sum = rules.estimate_tokens(record.chars());
    if let Some(limit) = beyond(sum, rules.max_tokens_per_record) {
        let message = format!("Max sum of input and output token count {sum} exceeds limit of {limit} ({how}).");
        broken.push(Broken::new(message, hint));
    }
    broken
}

/// Not a refusal: the beginning of the record is left out of the training.
fn context_length(record: &Record, model: &BaseModel) -> Vec<Broken> {
    let tokens = model.data.estimate_tokens(record.chars());
    let Some(limit) = model.data.context_tokens.filter(|&limit| tokens > u64::from(limit)) else {
        return Vec::new();
    };
    vec![Broken::new(
        format!(
            "The record has about {tokens} tokens; {} reads the last {limit} only (estimated at {} characters a token).",
            model.name, model.data.chars_per_token
        ),
        "Shorten the record, or split it into several.",
    )]
}
