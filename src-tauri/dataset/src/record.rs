//! The one in-memory shape of a training example.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Turn {
    pub role: Role,
    pub text: String,
}

/// One training example: a conversation whose last turn is what the model learns to say.
///
/// A prompt with its completion is a conversation of two turns. Nothing here is checked: a record
/// that breaks the rules can be held, shown and mended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Record {
    pub turns: Vec<Turn>,
}

/// A record and the line of the file on which it begins, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcedRecord {
    pub record: Record,
    pub line: Option<u64>,
}

impl Turn {
    pub fn new(role: Role, text: impl Into<String>) -> Turn {
        Turn { role, text: text.into() }
    }
}

impl Record {
    /// A prompt, its completion and, where there is one, a system text before them.
    pub fn prompt_completion(
        system: Option<String>,
        prompt: impl Into<String>,
        completion: impl Into<String>,
    ) -> Record {
        let mut turns = Vec::with_capacity(3);
        if let Some(system) = system {
            turns.push(Turn::new(Role::System, system));
        }
        turns.push(Turn::new(Role::User, prompt));
        turns.push(Turn::new(Role::Assistant, completion));
        Record { turns }
    }

    /// The text of the first system turn.
    pub fn system(&self) -> Option<&str> {
        self.first(Role::System)
    }

    /// The text of the first user turn; empty where there is none.
    pub fn prompt(&self) -> &str {
        self.first(Role::User).unwrap_or_default()
    }

    /// The text of the last turn if the assistant speaks it; empty otherwise.
    pub fn completion(&self) -> &str {
        match self.turns.last() {
            Some(turn) if turn.role == Role::Assistant => &turn.text,
            _ => "",
        }
    }

    /// What the model reads before it answers: every turn but a last one of the assistant.
    pub fn context(&self) -> &[Turn] {
        match self.turns.split_last() {
            Some((last, before)) if last.role == Role::Assistant => before,
            _ => &self.turns,
        }
    }

    /// Whether this is one question and one answer, with or without a system text.
    pub fn is_single_turn(&self) -> bool {
        let roles = self.turns.iter().map(|turn| turn.role);
        roles.skip_while(|role| *role == Role::System).eq([Role::User, Role::Assistant])
    }

    /// Characters in all turns.
    pub fn chars(&self) -> usize {
        chars(&self.turns)
    }

    fn first(&self, role: Role) -> Option<&str> {
        self.turns.iter().find(|turn| turn.role == role).map(|turn| turn.text.as_str())
    }
}

pub(crate) fn chars(turns: &[Turn]) -> usize {
    turns.iter().map(|turn| turn.text.chars().count()).sum()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_written_as_turns_with_lower_case_roles() {
        let record = Record::prompt_completion(Some("Be brief.".into()), "Hi", "Hello");
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(
            json,
            r#"{"turns":[{"role":"system","text":"Be brief."},{"role":"user","text":"Hi"},{"role":"assistant","text":"Hello"}]}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
    }

    #[test]
    fn the_last_answer_is_the_completion_and_the_rest_its_context() {
        let record = Record {
            turns: vec![
                Turn::new(Role::User, "a"),
                Turn::new(Role::Assistant, "b"),
                Turn::new(Role::User, "c"),
                Turn::new(Role::Assistant, "d"),
            ],
        };
        assert_eq!(record.prompt(), "a");
        assert_eq!(record.completion(), "d");
        assert_eq!(record.context().len(), 3);
        assert!(!record.is_single_turn());
        assert!(Record::prompt_completion(None, "a", "b").is_single_turn());
        assert!(Record::prompt_completion(Some("s".into()), "a", "b").is_single_turn());
        assert!(!Record::default().is_single_turn());
        assert_eq!(Record::default().completion(), "");
    }
}
