//! Writing the JSON Lines that a base model is trained from.

use std::borrow::{Borrow, Cow};
use std::io::Write;

use serde::Serialize;
use serde_json::{Map, Value};
use whetstone_catalog::{BaseModel, DataFormat};

use crate::record::{Record, Role, Turn};

/// The only schema version that every conversation model takes.
pub(crate) const SCHEMA_VERSION: &str = "bedrock-conversation-2024";

/// What becomes of a system text in a format that has no place for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemHandling {
    /// It is put before the prompt, an empty line between them.
    PutBeforePrompt,
    LeaveOut,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("record {} cannot be written as {}: {reason}", position + 1, format.as_str())]
    DoesNotFit {
        /// From 0, in the order of writing.
        position: u64,
        format: DataFormat,
        reason: &'static str,
    },
    #[error("the file could not be written: {0}")]
    Io(#[from] std::io::Error),
}

/// The format in which all of these records fit: the model's own, or another that it also takes when
/// a record has several turns or a system text and the own format has no place for them.
pub fn fitting_format<R: Borrow<Record>>(model: &BaseModel, records: impl IntoIterator<Item = R>) -> DataFormat {
    let own = model.data.format;
    let other = model.data.accepts_formats.iter().find(|f| **f != own);
    match other {
        Some(other) if own == DataFormat::PromptCompletion => {
            let plain = records.into_iter().all(|record| {
                let record = record.borrow();
                record.is_single_turn() && record.system().is_none()
            });
            if plain { own } else { *other }
        }
        _ => own,
    }
}

/// Writes a line a record and says how many there were.
pub fn write_jsonl<R: Borrow<Record>>(
    records: impl IntoIterator<Item = R>,
    format: DataFormat,
    system: SystemHandling,
    mut out: impl Write,
) -> Result<u64, WriteError> {
    let mut position = 0;
    for record in records {
        write_record(record.borrow(), position, format, system, &mut out)?;
        position += 1;
    }
    out.flush()?;
    Ok(position)
}

/// Writes one record as a line. `position` is named should it not fit.
pub fn write_record(
    record: &Record,
    position: u64,
    format: DataFormat,
    system: SystemHandling,
    mut out: impl Write,
) -> Result<(), WriteError> {
    let refuse = |reason| WriteError::DoesNotFit { position, format, reason };
    let written = match format {
        DataFormat::PromptCompletion => {
            let line = prompt_completion(record, system).map_err(refuse)?;
            serde_json::to_writer(&mut out, &line)
        }
        DataFormat::ClaudeMessages => {
            let line = claude(record).map_err(refuse)?;
            serde_json::to_writer(&mut out, &line)
        }
        DataFormat::Conversation => {
            let line = conversation(record).map_err(refuse)?;
            serde_json::to_writer(&mut out, &line)
        }
        DataFormat::Pretraining => match record.turns.as_slice() {
            [turn] => serde_json::to_writer(&mut out, &Pretraining { input: turn.text() }),
            _ => return Err(refuse("it is not one text")),
        },
        DataFormat::OpenAiChat => serde_json::to_writer(&mut out, &open_ai_chat(record)),
    };
    written.map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}

#[derive(Serialize)]
struct PromptCompletion<'a> {
    prompt: Cow<'a, str>,
    completion: Cow<'a, str>,
}

#[derive(Serialize)]
struct ClaudeMessages<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    messages: Vec<Message<'a, Cow<'a, str>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Conversation<'a> {
    schema_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<[Block<String>; 1]>,
    messages: Vec<Message<'a, [Block<Cow<'a, str>>; 1]>>,
}

#[derive(Serialize)]
struct Pretraining<'a> {
    input: Cow<'a, str>,
}

#[derive(Serialize)]
struct OpenAiChat<'a> {
    messages: Vec<Message<'a, Cow<'a, str>>>,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Message<'a, C> {
    role: &'a str,
    content: C,
}

#[derive(Serialize)]
struct Block<T> {
    text: T,
}

fn prompt_completion(record: &Record, handling: SystemHandling) -> Result<PromptCompletion<'_>, &'static str> {
    if !record.is_single_turn() {
        return Err("it is not one prompt and one answer");
    }
    let prompt = match system_text(record) {
        Some(system) if handling == SystemHandling::PutBeforePrompt => {
            Cow::Owned(format!("{system}\n\n{}", record.prompt()))
        }
        _ => record.prompt(),
    };
    Ok(PromptCompletion { prompt, completion: record.completion() })
}

fn claude(record: &Record) -> Result<ClaudeMessages<'_>, &'static str> {
    let messages = spoken(record)?.map(|(role, content)| Message { role: role.as_str(), content });
    Ok(ClaudeMessages { messages: messages.collect(), system: system_text(record) })
}

fn conversation(record: &Record) -> Result<Conversation<'_>, &'static str> {
    let messages = spoken(record)?.map(|(role, text)| Message { role: role.as_str(), content: [Block { text }] });
    Ok(Conversation {
        schema_version: SCHEMA_VERSION,
        // One item: Llama takes no more, and Nova reads it the same.
        system: system_text(record).map(|text| [Block { text }]),
        messages: messages.collect(),
    })
}

fn open_ai_chat(record: &Record) -> OpenAiChat<'_> {
    let messages = record.turns.iter().map(|turn| Message { role: turn.role.as_str(), content: turn.text() });
    OpenAiChat { messages: messages.collect(), extra: &record.extra }
}

/// All system texts, an empty line between them.
fn system_text(record: &Record) -> Option<String> {
    let system = record.turns.iter().filter(|turn| turn.role == Role::System);
    let texts: Vec<_> = system.map(Turn::text).collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// The turns of user and assistant. A system text between them has no place in any format.
fn spoken(record: &Record) -> Result<impl Iterator<Item = (&Role, Cow<'_, str>)>, &'static str> {
    let mut turns = record.turns.iter();
    if turns.by_ref().skip_while(|turn| turn.role == Role::System).any(|turn| turn.role == Role::System) {
        return Err("a system text stands after the first message");
    }
    let spoken = record.turns.iter().filter(|turn| turn.role != Role::System);
    Ok(spoken.map(|turn| (&turn.role, turn.text())))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use crate::record::Turn;
    use whetstone_catalog::{TINY_V1, catalog};

    fn written(record: &Record, format: DataFormat) -> String {
        let mut out = Vec::new();
        write_jsonl([record], format, SystemHandling::PutBeforePrompt, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_format_is_written_as_its_model_reads_it() {
        let record = Record::prompt_completion(Some("Be brief.".into()), "Hi\n\"you\"", "Hello");
        for (format, line) in [
            (DataFormat::PromptCompletion, r#"{"prompt":"Be brief.\n\nHi\n\"you\"","completion":"Hello"}"#),
            (
                DataFormat::ClaudeMessages,
                r#"{"system":"Be brief.","messages":[{"role":"user","content":"Hi\n\"you\""},{"role":"assistant","content":"Hello"}]}"#,
            ),
            (
                DataFormat::Conversation,
                r#"{"schemaVersion":"bedrock-conversation-2024","system":[{"text":"Be brief."}],"messages":[{"role":"user","content":[{"text":"Hi\n\"you\""}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
            (
                DataFormat::OpenAiChat,
                r#"{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi\n\"you\""},{"role":"assistant","content":"Hello"}]}"#,
            ),
        ] {
            assert_eq!(written(&record, format), format!("{line}\n"));
        }
    }

    #[test]
    fn a_record_that_does_not_fit_is_named() {
        let two_turns = Record::new(vec![
            Turn::new(Role::User, "a"),
            Turn::new(Role::Assistant, "b"),
            Turn::new(Role::User, "c"),
            Turn::new(Role::Assistant, "d"),
        ]);
        let fits = Record::prompt_completion(None, "a", "b");
        let refused =
            write_jsonl([&fits, &two_turns], DataFormat::PromptCompletion, SystemHandling::LeaveOut, Vec::new());
        assert_eq!(
            refused.unwrap_err().to_string(),
            "record 2 cannot be written as PromptCompletion: it is not one prompt and one answer"
        );
        let late_system = Record::new(vec![Turn::new(Role::User, "a"), Turn::new(Role::System, "b")]);
        assert!(spoken(&late_system).is_err());
    }

    #[test]
    fn a_model_that_takes_conversations_gets_them_where_they_are_needed() {
        let tiny = catalog().find(TINY_V1).unwrap();
        let plain = Record::prompt_completion(None, "a", "b");
        let with_system = Record::prompt_completion(Some("s".into()), "a", "b");
        assert_eq!(fitting_format(tiny, [&plain, &plain]), DataFormat::PromptCompletion);
        assert_eq!(fitting_format(tiny, [&plain, &with_system]), DataFormat::Conversation);
        let llama = catalog().find("meta.llama3-1-8b-instruct-v1:0:128k").unwrap();
        assert_eq!(fitting_format(llama, [&with_system]), DataFormat::PromptCompletion);
    }
}
