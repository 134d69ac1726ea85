//! Whether a record passes.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::FilterInput;
use super::field::{Being, NumberField};
use super::parse::{Expression, Matcher, Term};
use crate::document::{Row, State};
use crate::ids::{FIRST_ADDED, IdSet, RecordId};

/// What is known beside the record.
pub(super) struct Facts<'a> {
    pub state: &'a State,
    pub input: &'a FilterInput<'a>,
    pub duplicates: &'a IdSet,
}

impl Expression {
    pub fn holds(&self, row: &Row, facts: &Facts<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(row, facts)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(row, facts)),
            Self::Not(inner) => !inner.holds(row, facts),
            Self::Term(term) => term.by_id(row.id, facts).unwrap_or_else(|| term.holds(row, facts)),
        }
    }

    /// The same for an expression that does not read records.
    pub fn holds_by_id(&self, id: RecordId, facts: &Facts<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds_by_id(id, facts)),
            Self::Any(parts) => parts.iter().any(|part| part.holds_by_id(id, facts)),
            Self::Not(inner) => !inner.holds_by_id(id, facts),
            Self::Term(term) => term.by_id(id, facts).unwrap_or(false),
        }
    }

    pub fn reads_records(&self) -> bool {
        self.terms_any(&|term| {
            matches!(
                term,
                Term::Text(..)
                    | Term::Extra(..)
                    | Term::Number(..)
                    | Term::Role(_)
                    | Term::Has(_)
                    | Term::Is(Being::Broken)
            )
        })
    }

    pub fn asks_for_duplicates(&self) -> bool {
        self.terms_any(&|term| matches!(term, Term::Duplicate))
    }

    /// Whether the bytes of a line tell already that it does not pass, without reading it as a record.
    pub fn rules_out(&self, line: &[u8]) -> bool {
        match self {
            Self::All(parts) => parts.iter().any(|part| part.rules_out(line)),
            Self::Any(parts) => parts.iter().all(|part| part.rules_out(line)),
            Self::Term(Term::Text(_, Matcher::Contains { in_line: Some(regex), .. })) => {
                // A letter may also be written as \u and its number.
                !regex.is_match(line) && memchr::memmem::find(line, b"\\u").is_none()
            }
            Self::Not(_) | Self::Term(_) => false,
        }
    }

    fn terms_any(&self, test: &dyn Fn(&Term) -> bool) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.terms_any(test)),
            Self::Not(inner) => inner.terms_any(test),
            Self::Term(term) => test(term),
        }
    }
}

impl Term {
    /// Whether the term holds, where that does not depend on what the record says.
    fn by_id(&self, id: RecordId, facts: &Facts<'_>) -> Option<bool> {
        match self {
            Self::Split(kind) => Some(facts.state.split_of(id) == *kind),
            Self::Finding(Some(rule)) => Some(facts.input.findings.get(rule).is_some_and(|set| set.contains(id))),
            Self::Finding(None) => Some(facts.input.findings.values().any(|set| set.contains(id))),
            Self::Is(Being::Edited) => Some(facts.state.is_edited(id)),
            Self::Is(Being::Added) => Some(id >= FIRST_ADDED),
            Self::Is(Being::Selected) => Some(facts.input.selected.is_some_and(|set| set.contains(id))),
            Self::Duplicate => Some(facts.duplicates.contains(id)),
            _ => None,
        }
    }

    fn holds(&self, row: &Row, facts: &Facts<'_>) -> bool {
        if let Self::Number(field, low, high) = self {
            let number = number_of(*field, row, facts);
            return number.is_some_and(|number| (*low..=*high).contains(&number));
        }
        let Ok(record) = &row.record else {
            // A broken line has no fields, but its text can be looked for.
            return match self {
                Self::Is(Being::Broken) => true,
                Self::Text(super::field::TextField::Any, matcher) => matcher.holds(&String::from_utf8_lossy(&row.text)),
                _ => false,
            };
        };
        match self {
            Self::Text(field, matcher) => field.of(record).iter().any(|text| matcher.holds(text)),
            Self::Extra(name, matcher) => record.extra.get(name).is_some_and(|value| match value {
                Value::String(text) => matcher.holds(text),
                other => matcher.holds(&other.to_string()),
            }),
            Self::Role(role) => record.turns.iter().any(|turn| turn.role == *role),
            Self::Has(has) => has.holds(record),
            _ => false,
        }
    }
}

fn number_of(field: NumberField, row: &Row, facts: &Facts<'_>) -> Option<u64> {
    let record = row.record.as_ref().ok();
    match field {
        NumberField::Tokens => record.map(|record| (facts.input.tokens)(record)),
        NumberField::Chars => record.map(|record| record.chars() as u64),
        NumberField::Turns => record.map(|record| record.turns.len() as u64),
        NumberField::Bytes => Some(row.text.len() as u64),
        NumberField::Line => row.line,
        NumberField::Position => Some(row.position + 1),
    }
}

/// The same for two records that say the same, whatever else stands in their lines.
pub(super) fn hash_of(row: &Row) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &row.record {
        Ok(record) => {
            for turn in &record.turns {
                turn.role.hash(&mut hasher);
                turn.content.hash(&mut hasher);
            }
        }
        Err(_) => row.text.hash(&mut hasher),
    }
    hasher.finish()
}
