//! What the registry asks of the records of one dataset, sorted for speed.

use std::collections::HashMap;

use serde_json::json;
use whetstone_catalog::DataFormat;
use whetstone_scan::{Facts, Form, Limits, Padded, Scanner, Words};

use super::Options;
use crate::formats::Schema;
use crate::record::{Block, Record};
use crate::rules::{Intent, Rule, line_rules, record_rules, rules};
use crate::split::SplitKind;

/// The rules that concern an intent, and when each is worth its time.
pub(super) struct Judge<'a> {
    pub intent: &'a Intent<'a>,
    pub schema: &'a Schema,
    pub options: &'a Options,
    pub record_rules: Vec<&'static Rule>,
    pub line_rules: Vec<&'static Rule>,
    /// A line with none of these facts breaks no rule.
    needs: Facts,
    needs_of_hold_out: Facts,
    registry: Vec<&'static Rule>,
    places: HashMap<&'static str, u16>,
}

impl<'a> Judge<'a> {
    pub fn new(schema: &'a Schema, intent: &'a Intent<'a>, options: &'a Options) -> Judge<'a> {
        let record_rules = record_rules(intent);
        let line_rules = if options.as_uploaded { line_rules(intent) } else { Vec::new() };
        let all = || record_rules.iter().chain(&line_rules);
        let needs = all().fold(Facts::UNKNOWN, |needs, rule| needs | rule.needs);
        let of_hold_out = all().filter(|rule| rule.hold_out);
        let needs_of_hold_out = of_hold_out.fold(Facts::UNKNOWN, |needs, rule| needs | rule.needs);
        let registry: Vec<&'static Rule> = rules().collect();
        let places = registry.iter().enumerate().map(|(place, rule)| (rule.id, place as u16)).collect();
        Judge { intent, schema, options, record_rules, line_rules, needs, needs_of_hold_out, registry, places }
    }

    /// Whether a line with these facts, for this split, has to be judged.
    pub fn suspects(&self, facts: Facts, kind: SplitKind) -> bool {
        facts.intersects(if kind == SplitKind::HoldOut { self.needs_of_hold_out } else { self.needs })
    }

    /// Place in the registry and the rule itself.
    pub fn rule(&self, id: &str) -> Option<(u16, &'static Rule)> {
        let place = *self.places.get(id)?;
        Some((place, self.at(place)?))
    }

    /// The rule at a place in the registry.
    pub fn at(&self, place: u16) -> Option<&'static Rule> {
        self.registry.get(usize::from(place)).copied()
    }

    /// Whether a form that the scanner knows is the one that is expected here, so that its facts say all.
    pub fn expects(&self, form: Form, has_system: bool) -> bool {
        let read = match self.schema {
            Schema::PromptCompletion => form == Form::Pair,
            Schema::ClaudeMessages => form == Form::Strings,
            Schema::Conversation => form == Form::Blocks,
            Schema::OpenAiChat => form == Form::Chat || (form == Form::Strings && !has_system),
            _ => false,
        };
        // What is uploaded must be in the base model's own format as well.
        let format = match form {
            Form::Pair => DataFormat::PromptCompletion,
            Form::Strings => DataFormat::ClaudeMessages,
            Form::Blocks => DataFormat::Conversation,
            Form::Chat => DataFormat::OpenAiChat,
        };
        let data = self.intent.data();
        read && (!self.options.as_uploaded || data.format == format || data.accepts(format))
    }
}

/// A scanner that looks for what the rules for this intent ask.
pub(super) fn scanner(intent: &Intent) -> Scanner {
    let words = Words::new(intent.data().reserved_words.iter().map(String::as_str));
    Scanner::new(words, limits(intent))
}

/// With how many turns and chars a record is suspected of having too many. The estimate of tokens rounds up, hence a
/// little fewer than the limit allows.
fn limits(intent: &Intent) -> Limits {
    let data = intent.data();
    let chars = |tokens: Option<u32>| {
        tokens.map_or(u32::MAX, |tokens| (f64::from(tokens.saturating_sub(1)) * f64::from(data.chars_per_token)) as u32)
    };
    // The fact about many turns is asked for by the rules on their number alone.
    let turns = if data.format == DataFormat::PromptCompletion { Some(2) } else { data.max_messages };
    Limits {
        turns: turns.unwrap_or(u32::MAX),
        context: chars(data.max_prompt_tokens),
        completion: chars(data.max_completion_tokens),
        record: chars(data.max_tokens_per_record).min(chars(data.context_tokens)),
    }
}

/// The facts of a record by itself, so that one keystroke in a long text does not set every rule going. A record with
/// more than texts has all of them.
pub(crate) fn facts_of(record: &Record, intent: &Intent) -> Facts {
    let Some(line) = ordinary(record) else { return Facts::all() };
    let mut facts = Facts::all();
    scanner(intent).scan(&Padded::new(line.into_bytes()), &mut |line| facts = line.facts);
    facts
}

/// A line with the turns of a record of nothing but texts.
fn ordinary(record: &Record) -> Option<String> {
    if record.extra.keys().any(|key| key != "schemaVersion") {
        return None;
    }
    let messages = record.turns.iter().map(|turn| match turn.content.as_slice() {
        [Block::Text(text)] if turn.extra.is_empty() => Some(json!({"role": turn.role.as_str(), "content": text})),
        _ => None,
    });
    Some(json!({"messages": messages.collect::<Option<Vec<_>>>()?}).to_string())
}
