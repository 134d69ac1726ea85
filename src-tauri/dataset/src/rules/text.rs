//! Rules for what the texts of a record must not hold and how long they may be.

use whetstone_catalog::{CustomizationType, MediaKind};
use whetstone_scan::Facts;

use super::finding::texts;
use super::rule::models::{CLAUDE, COHERE, LLAMA_31, LLAMA_32, MICRO, NOVA_2, TINY, TITAN};
use super::{Broken, Example, Finding, Fix, Intent, Mend, Rule, RuleKind, Severity};
use crate::record::{Block, Record, chars};

const USER_GUIDE: &str = "Amazon Bedrock User Guide: model-customization-prepare. Tokens are estimated from characters by the ratio that AWS gives; the real count is the service's";

/// So many places of a record are pointed to by one rule; a record with more is hopeless anyway.
pub(super) const PLACES: usize = 50;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "reserved-word",
        severity: Severity::Error,
        asks: "No text holds a word that the base model's own prompt format is made of.",
        source: "Amazon Nova User Guide: fine-tune-prepare-data-understanding (the job fails), and AWS's two validators, whose lists differ from it and from each other: the union is refused, whatever the case. For Claude, AWS's published validator, in this spelling only",
        fix: Some(Mend { does: "Put a space before the colon, or before the closing bracket", how: space_out }),
        needs: Facts::UNKNOWN.union(Facts::WORD),
        concerns: |intent| !intent.data().reserved_words.is_empty(),
        hold_out: false,
        kind: RuleKind::Record(reserved_word),
        examples: &[
            Example::new(
                MICRO,
                r#"{"messages":[{"role":"user","content":[{"text":"My operating sYsTeM: Linux"}]},{"role":"assistant","content":[{"text":"Good."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"My operating system : Linux"}]},{"role":"assistant","content":[{"text":"Good."}]}]}"#,
            ),
            Example::new(
                NOVA_2,
                r#"{"system":[{"text":"End with [eos]."}],"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
                r#"{"system":[{"text":"End with [eos ]."}],"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
            Example::new(
                NOVA_2,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"Thought: greet."}}},{"text":"Hello"}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"A thought."}}},{"text":"Hello"}]}]}"#,
            ),
            Example::new(
                CLAUDE,
                r#"{"messages":[{"role":"user","content":"I said:\nHuman: hi"},{"role":"assistant","content":"Hello"}]}"#,
                r#"{"messages":[{"role":"user","content":"Human: hi\nhuman: hi\nHuman"},{"role":"assistant","content":"Hello"}]}"#,
            ),
        ],
    },
    Rule {
        id: "token-limit",
        severity: Severity::Error,
        asks: "The tokens of prompt, completion and both together stay within the base model's limits.",
        source: USER_GUIDE,
        fix: None,
        needs: Facts::UNKNOWN.union(Facts::LONG),
        concerns: |_| true,
        hold_out: false,
        kind: RuleKind::Record(token_limit),
        examples: &[
            Example::new(
                LLAMA_31,
                r#"{"prompt":"{p*95999}","completion":"cc"}"#,
                r#"{"prompt":"{p*95999}","completion":"c"}"#,
            ),
            Example::new(
                COHERE,
                r#"{"prompt":"{p*24577}","completion":"c"}"#,
                r#"{"prompt":"{p*24576}","completion":"c"}"#,
            ),
            Example::new(
                COHERE,
                r#"{"prompt":"p","completion":"{c*12289}"}"#,
                r#"{"prompt":"p","completion":"{c*12288}"}"#,
            ),
            Example::new(
                CLAUDE,
                r#"{"messages":[{"role":"user","content":"{p*96000}"},{"role":"assistant","content":"c"}]}"#,
                r#"{"messages":[{"role":"user","content":"{p*95999}"},{"role":"assistant","content":"c"}]}"#,
            ),
            Example::new(
                LLAMA_32,
                r#"{"messages":[{"role":"user","content":[{"text":"{p*86390}"},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png"}}}}]},{"role":"assistant","content":[{"text":"Cats."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"{p*86389}"},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png"}}}}]},{"role":"assistant","content":[{"text":"Cats."}]}]}"#,
            ),
            Example::new(TITAN, r#"{"input":"{x*24577}"}"#, r#"{"input":"{x*24576}"}"#)
                .of(CustomizationType::ContinuedPreTraining),
        ],
    },
    Rule {
        id: "context-length",
        severity: Severity::Warning,
        asks: "The record fits into what the base model reads at once; of a longer one only the end is trained on.",
        source: "The base model's own context; tokens are estimated from characters",
        fix: None,
        needs: Facts::UNKNOWN.union(Facts::LONG),
        concerns: |intent| intent.data().context_tokens.is_some(),
        hold_out: true,
        kind: RuleKind::Record(context_length),
        examples: &[Example::new(
            TINY,
            r#"{"prompt":"{p*3072}","completion":"c"}"#,
            r#"{"prompt":"{p*3071}","completion":"c"}"#,
        )],
    },
];

/// Where these words stand in a text: the word and its first byte.
fn occurrences<'a>(text: &str, words: &'a [String], match_case: bool) -> Vec<(&'a str, usize)> {
    // ASCII letters alone are folded, so that bytes of the copy are bytes of the text.
    let lower = if match_case { None } else { Some(text.to_ascii_lowercase()) };
    let searched = lower.as_deref().unwrap_or(text);
    let mut found: Vec<(&str, usize)> = words
        .iter()
        .flat_map(|word| {
            let wanted = if match_case { word.clone() } else { word.to_ascii_lowercase() };
            let places: Vec<usize> = searched.match_indices(&wanted).map(|(start, _)| start).take(PLACES).collect();
            places.into_iter().map(move |start| (word.as_str(), start))
        })
        .collect();
    found.sort_by_key(|(_, start)| *start);
    found
}

fn reserved_word(record: &Record, intent: &Intent) -> Vec<Broken> {
    let data = intent.data();
    let broken = texts(record).flat_map(|(turn, block, text)| {
        let found = occurrences(text, &data.reserved_words, data.reserved_words_match_case);
        found.into_iter().map(move |(word, start)| {
            let message = format!(
                "The reserved word \"{}\" stands in turn {} ({}); a job on {} fails over it.",
                word.escape_debug(),
                turn + 1,
                record.turns[turn].role.as_str(),
                intent.name()
            );
            let hint = "Reword the text, for example by a space before the colon.";
            Broken::new(message, hint).at(record, turn, block, start..start + word.len())
        })
    });
    broken.take(PLACES).collect()
}

/// A space before the last character of each word: `User :`, `[EOS ]`.
fn space_out(record: &Record, _: &Finding, intent: &Intent) -> Option<Fix> {
    let data = intent.data();
    let mut mended = record.clone();
    for block in mended.turns.iter_mut().flat_map(|turn| &mut turn.content) {
        if let Block::Text(text) | Block::Reasoning(text) = block {
            let mut found = occurrences(text, &data.reserved_words, data.reserved_words_match_case);
            while !found.is_empty() {
                for (word, start) in found.into_iter().rev() {
                    text.insert(start + word.len() - 1, ' ');
                }
                found = occurrences(text, &data.reserved_words, data.reserved_words_match_case);
            }
        }
    }
    (mended != *record).then_some(Fix::Replace(mended))
}

/// The fewest tokens that the media of a record are counted as.
fn media_tokens(record: &Record, intent: &Intent) -> u64 {
    let each = intent.data().media(MediaKind::Image).and_then(|media| media.min_tokens);
    let images = record.turns.iter().flat_map(|turn| &turn.content).filter(|block| matches!(block, Block::Image(_)));
    images.count() as u64 * u64::from(each.unwrap_or(0))
}

/// Tokens are estimated from characters, as AWS advises; the model's own tokenizer is not public.
fn token_limit(record: &Record, intent: &Intent) -> Vec<Broken> {
    let rules = intent.data();
    let (context, completion) = (chars(record.context()), record.completion().chars().count());
    let images = media_tokens(record, intent);
    let how = format!("estimated at {} characters a token", rules.chars_per_token);
    let hint = "Shorten the record, or split it into several.";
    let beyond = |count: u64, limit: Option<u32>| limit.filter(|&limit| count > u64::from(limit));
    let mut broken = Vec::new();
    let input = rules.estimate_tokens(context) + images;
    if let Some(limit) = beyond(input, rules.max_prompt_tokens) {
        let message = format!("Maximum input token count {input} exceeds limit of {limit} ({how}).");
        broken.push(Broken::new(message, hint).of("prompt"));
    }
    let output = rules.estimate_tokens(completion);
    if let Some(limit) = beyond(output, rules.max_completion_tokens) {
        let message = format!("Maximum output token count {output} exceeds limit of {limit} ({how}).");
        broken.push(Broken::new(message, hint).of("completion"));
    }
    let sum = rules.estimate_tokens(record.chars()) + images;
    if let Some(limit) = beyond(sum, rules.max_tokens_per_record) {
        let message = format!("Max sum of input and output token count {sum} exceeds limit of {limit} ({how}).");
        broken.push(Broken::new(message, hint));
    }
    broken
}

/// Not a refusal: the beginning of the record is left out of the training.
fn context_length(record: &Record, intent: &Intent) -> Vec<Broken> {
    let rules = intent.data();
    let tokens = rules.estimate_tokens(record.chars());
    let Some(limit) = rules.context_tokens.filter(|&limit| tokens > u64::from(limit)) else {
        return Vec::new();
    };
    let message = format!(
        "The record has about {tokens} tokens; {} reads the last {limit} only (estimated at {} characters a token).",
        intent.name(),
        rules.chars_per_token
    );
    vec![Broken::new(message, "Shorten the record, or split it into several.")]
}
