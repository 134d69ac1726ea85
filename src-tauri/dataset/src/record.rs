//! The one in-memory shape of a training example.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Who speaks a turn.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
    /// The answer of a tool, where a format gives it a role of its own.
    Tool,
    /// A role that no format of Bedrock's knows, as it is spelled.
    #[serde(untagged)]
    Other(String),
}

impl Role {
    pub fn as_str(&self) -> &str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Other(name) => name,
        }
    }
}

/// A piece of what is said in a turn. What is not text keeps the JSON it came as.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Block {
    Text(String),
    Image(Value),
    Video(Value),
    Document(Value),
    /// The text of a reasoning block.
    Reasoning(String),
    ToolUse(Value),
    ToolResult(Value),
    /// A block of a kind that is not known here: the whole of it.
    Other(Value),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Turn {
    pub role: Role,
    pub content: Vec<Block>,
    /// Members of the message beside its role and content, in their order: a `weight`, a
    /// `tool_call_id`, whatever is not known here.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// One training example: a conversation whose last turn is what the model learns to say.
///
/// A prompt with its completion is a conversation of two turns; a text for continued pre-training is
/// one turn of the assistant; a prompt for distillation has no turn of the assistant at its end.
/// Nothing here is checked: a record that breaks the rules can be held, shown and mended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Record {
    pub turns: Vec<Turn>,
    /// Members of the record beside its turns, in their order: `schemaVersion`, `id`, `toolConfig`,
    /// `reference_answer`, further columns.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// A record and the line of the file on which it begins, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcedRecord {
    pub record: Record,
    pub line: Option<u64>,
}

impl Turn {
    /// A turn of text alone.
    pub fn new(role: Role, text: impl Into<String>) -> Turn {
        Turn::of(role, vec![Block::Text(text.into())])
    }

    pub fn of(role: Role, content: Vec<Block>) -> Turn {
        Turn { role, content, extra: Map::new() }
    }

    /// The text blocks, joined by line breaks where there are several. Reasoning is not part of it.
    pub fn text(&self) -> Cow<'_, str> {
        let mut texts = self.content.iter().filter_map(Block::text);
        let first = texts.next().unwrap_or_default();
        match texts.next() {
            None => Cow::Borrowed(first),
            Some(second) => {
                let all: Vec<&str> = [first, second].into_iter().chain(texts).collect();
                Cow::Owned(all.join("\n"))
            }
        }
    }
}

impl Block {
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Where a picture, video or document lies, in each of the spellings that formats have for it.
    pub fn media_uri(&self) -> Option<&str> {
        let value = self.media()?;
        let source = &value["source"];
        let spellings =
            [value, &source["s3Location"]["uri"], &source["url"], &value["image_url"]["url"], &value["image_url"]];
        spellings.into_iter().find_map(Value::as_str)
    }

    /// The format that a picture, video or document says it has: `png`.
    pub fn media_format(&self) -> Option<&str> {
        self.media()?["format"].as_str()
    }

    fn media(&self) -> Option<&Value> {
        match self {
            Self::Image(value) | Self::Video(value) | Self::Document(value) => Some(value),
            _ => None,
        }
    }
}

impl Record {
    pub fn new(turns: Vec<Turn>) -> Record {
        Record { turns, extra: Map::new() }
    }

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
        Record::new(turns)
    }

    /// The text of the first system turn.
    pub fn system(&self) -> Option<Cow<'_, str>> {
        self.first(&Role::System)
    }

    /// The text of the first user turn; empty where there is none.
    pub fn prompt(&self) -> Cow<'_, str> {
        self.first(&Role::User).unwrap_or_default()
    }

    /// The text of the last turn if the assistant speaks it; empty otherwise.
    pub fn completion(&self) -> Cow<'_, str> {
        match self.turns.last() {
            Some(turn) if turn.role == Role::Assistant => turn.text(),
            _ => Cow::Borrowed(""),
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
        let roles = self.turns.iter().map(|turn| &turn.role);
        roles.skip_while(|role| **role == Role::System).eq([&Role::User, &Role::Assistant])
    }

    /// Characters in the text of all turns.
    pub fn chars(&self) -> usize {
        chars(&self.turns)
    }

    fn first(&self, role: &Role) -> Option<Cow<'_, str>> {
        self.turns.iter().find(|turn| turn.role == *role).map(Turn::text)
    }
}

/// Characters in the text and the reasoning of some turns.
pub(crate) fn chars(turns: &[Turn]) -> usize {
    let blocks = turns.iter().flat_map(|turn| &turn.content);
    let texts = blocks.filter_map(|block| match block {
        Block::Text(text) | Block::Reasoning(text) => Some(text),
        _ => None,
    });
    texts.map(|text| text.chars().count()).sum()
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
            r#"{"turns":[{"role":"system","content":[{"text":"Be brief."}]},{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
    }

    #[test]
    fn media_are_found_in_each_spelling() {
        for (value, uri) in [
            (serde_json::json!("s3://b/a.png"), Some("s3://b/a.png")),
            (
                serde_json::json!({"format": "png", "source": {"s3Location": {"uri": "s3://b/a.png"}}}),
                Some("s3://b/a.png"),
            ),
            (serde_json::json!({"image_url": {"url": "https://example.com/a.png"}}), Some("https://example.com/a.png")),
            (serde_json::json!({"source": {"bytes": "aGk="}}), None),
        ] {
            assert_eq!(Block::Image(value).media_uri(), uri);
        }
        assert_eq!(Block::Video(serde_json::json!({"format": "mp4"})).media_format(), Some("mp4"));
        assert_eq!(Block::Text("s3://b/a.png".into()).media_uri(), None);
    }

    #[test]
    fn the_last_answer_is_the_completion_and_the_rest_its_context() {
        let record = Record::new(vec![
            Turn::new(Role::User, "a"),
            Turn::new(Role::Assistant, "b"),
            Turn::new(Role::User, "c"),
            Turn::new(Role::Assistant, "d"),
        ]);
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
