//! Writing the JSON Lines that a base model is trained from.

use std::borrow::Borrow;
use std::io::Write;

use whetstone_catalog::{DataFormat, DataRules};

use crate::formats::{Loss, LossKind, Schema};
use crate::record::Record;

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
    #[error("record {} cannot be written as {}: {loss}", position + 1, format.as_str())]
    DoesNotFit {
        /// From 0, in the order of writing.
        position: u64,
        format: DataFormat,
        loss: Loss,
    },
    #[error("the file could not be written: {0}")]
    Io(#[from] std::io::Error),
}

/// The format in which all of these records fit: the training's own, or another that it also takes when
/// a record has several turns or a system text and the own format has no place for them.
pub fn fitting_format<R: Borrow<Record>>(data: &DataRules, records: impl IntoIterator<Item = R>) -> DataFormat {
    let own = data.format;
    let other = data.accepts_formats.iter().find(|f| **f != own);
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

/// Writes one record as a line, with what the format has no place for left out where training does
/// not need it. `position` is named should the record not fit.
pub fn write_record(
    record: &Record,
    position: u64,
    format: DataFormat,
    system: SystemHandling,
    mut out: impl Write,
) -> Result<(), WriteError> {
    let refuse = |loss: Loss| WriteError::DoesNotFit { position, format, loss };
    let schema = Schema::from(format);
    let fitted = schema.fit(record, system);
    if let Some(loss) = fitted.losses.into_iter().find(|loss| fitted.record.is_none() || !may_be_left_out(loss.kind)) {
        return Err(refuse(loss));
    }
    if let Some(record) = fitted.record {
        out.write_all(&schema.render(&record).map_err(refuse)?)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// A field that no base model reads, and what becomes of a system text by the person's own choice.
fn may_be_left_out(kind: LossKind) -> bool {
    matches!(kind, LossKind::Fields | LossKind::MessageFields | LossKind::SystemText | LossKind::NotText)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use crate::record::{Role, Turn};
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
            "record 2 cannot be written as PromptCompletion: It is not one prompt and one answer."
        );
        let late_system = Record::new(vec![Turn::new(Role::User, "a"), Turn::new(Role::System, "b")]);
        assert!(write_jsonl([&late_system], DataFormat::Conversation, SystemHandling::LeaveOut, Vec::new()).is_err());
    }

    #[test]
    fn a_model_that_takes_conversations_gets_them_where_they_are_needed() {
        let tiny = catalog().find(TINY_V1).unwrap();
        let plain = Record::prompt_completion(None, "a", "b");
        let with_system = Record::prompt_completion(Some("s".into()), "a", "b");
        assert_eq!(fitting_format(&tiny.data, [&plain, &plain]), DataFormat::PromptCompletion);
        assert_eq!(fitting_format(&tiny.data, [&plain, &with_system]), DataFormat::Conversation);
        let llama = catalog().find("meta.llama3-1-8b-instruct-v1:0:128k").unwrap();
        assert_eq!(fitting_format(&llama.data, [&with_system]), DataFormat::PromptCompletion);
    }
}
