//! How many tokens a text has for a base model: counted where its tokenizer is at hand, else estimated.

use std::sync::OnceLock;

use whetstone_contract::{TokenCount, TokenSource};
use whetstone_dataset::{Block, Intent, Record};
use whetstone_tuner::LanguageModel;

/// The tokenizer of the bundled model, read once when it is first asked for.
pub fn bundled() -> Option<&'static LanguageModel> {
    static BUNDLED: OnceLock<Option<LanguageModel>> = OnceLock::new();
    BUNDLED
        .get_or_init(|| {
            LanguageModel::tiny_v1()
                .inspect_err(|error| tracing::error!(%error, "the bundled tokenizer cannot be read"))
                .ok()
        })
        .as_ref()
}

pub fn source(model: &Intent<'_>) -> TokenSource {
    if model.is_local() && bundled().is_some() {
        return TokenSource { exact: true, name: format!("{}'s own tokenizer", model.name()), note: None };
    }
    TokenSource {
        exact: false,
        name: format!("estimate, {} characters a token", model.data().chars_per_token),
        note: Some(format!("{} has no public tokenizer here; the ratio is the one its sources give.", model.name())),
    }
}

pub fn of_text(model: &Intent<'_>, text: &str) -> u64 {
    match bundled().filter(|_| model.is_local()) {
        Some(tokenizer) => tokenizer.count_text_tokens(text) as u64,
        None => model.data().estimate_tokens(text.chars().count()),
    }
}

/// Tokens of what the model reads and of what it learns to say.
pub fn of_record(model: &Intent<'_>, record: &Record) -> (u64, u64) {
    let texts = |turns: &[whetstone_dataset::Turn]| -> u64 {
        let blocks = turns.iter().flat_map(|turn| &turn.content);
        let texts = blocks.filter_map(|block| match block {
            Block::Text(text) | Block::Reasoning(text) => Some(text),
            _ => None,
        });
        texts.map(|text| of_text(model, text)).sum()
    };
    let context = record.context();
    (texts(context), texts(&record.turns[context.len()..]))
}

pub fn count(model: &Intent<'_>, record: &Record) -> TokenCount {
    let (prompt, completion) = of_record(model, record);
    TokenCount { total: prompt + completion, prompt, completion, source: source(model) }
}
