//! What can be written next while a filter is being typed.

use std::ops::Range;

use super::FilterInput;
use super::field::{BEINGS, FIELDS, Field, HAS, ROLES, SPLITS};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What takes the place of the part that was typed.
    pub insert: String,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completions {
    /// The bytes of the text that a completion replaces.
    pub replace: Range<usize>,
    pub items: Vec<Completion>,
}

/// What fits at a place of a filter, in bytes from its beginning.
pub fn complete(text: &str, cursor: usize, input: &FilterInput<'_>) -> Completions {
    let cursor = text.floor_char_boundary(cursor.min(text.len()));
    let before = &text[..cursor];
    let quoted = before.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
    let start = before
        .rfind(|c: char| c.is_whitespace() || c == '(')
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let start = start + before[start..].bytes().take_while(|byte| *byte == b'-').count();
    let typed = &before[start..];
    if quoted || typed.starts_with('/') {
        return Completions { replace: cursor..cursor, items: Vec::new() };
    }
    match typed.split_once([':', '=']) {
        Some((name, value)) => {
            let values = values(name, input).into_iter().filter(|(known, _)| begins(known, value));
            let items = values.map(|(known, detail)| Completion { insert: known, detail });
            Completions { replace: cursor - value.len()..cursor, items: items.collect() }
        }
        None => Completions { replace: start..cursor, items: fields(typed) },
    }
}

fn fields(typed: &str) -> Vec<Completion> {
    let fields = FIELDS.iter().map(|(name, field, detail)| {
        let sign = if matches!(field, Field::Number(_)) { ">" } else { ":" };
        (format!("{name}{sign}"), *detail)
    });
    let others = [("dup".to_owned(), "says what another record says too"), ("or".to_owned(), "one or the other")];
    let all = fields.chain(others).filter(|(name, _)| begins(name, typed));
    all.map(|(insert, detail)| Completion { insert, detail: detail.to_owned() }).collect()
}

fn values(name: &str, input: &FilterInput<'_>) -> Vec<(String, String)> {
    let named = |(name, detail): (&str, &str)| (name.to_owned(), detail.to_owned());
    match FIELDS.iter().find(|(known, ..)| *known == name).map(|(_, field, _)| field) {
        Some(Field::Has) => HAS.iter().map(|(name, _, detail)| named((name, detail))).collect(),
        Some(Field::Is) => BEINGS.iter().map(|(name, _, detail)| named((name, detail))).collect(),
        Some(Field::Role) => ROLES.iter().map(|(name, _, detail)| named((name, detail))).collect(),
        Some(Field::Split) => SPLITS.iter().map(|(name, detail)| named((name, detail))).collect(),
        Some(Field::Finding) => {
            let counted = |count: u64| if count == 1 { "1 record".to_owned() } else { format!("{count} records") };
            let rules = input.findings.iter().map(|(rule, set)| (rule.clone(), counted(set.len())));
            std::iter::once(named(("any", "found by any rule"))).chain(rules).collect()
        }
        _ => Vec::new(),
    }
}

fn begins(known: &str, typed: &str) -> bool {
    known.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
}
