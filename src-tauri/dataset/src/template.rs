//! Prompt templates: texts with holes that columns, fields or the parts of a record fill; and what a
//! model is given to read in each data format.
//!
//! A hole is a name in double braces: `Question: {{question}}`. Everything else is text.

use std::fmt;

use serde_json::{Map, Value};
use whetstone_catalog::DataFormat;

use crate::formats::{Loss, Schema};
use crate::record::{Record, Role};
use crate::write::SystemHandling;

/// Texts with holes for each part of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Template {
    pub prompt: String,
    pub completion: String,
    /// No system text where there is none, or where it comes out empty.
    pub system: Option<String>,
}

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TemplateError {
    /// `prompt`, `completion` or `system`.
    pub part: &'static str,
    /// Within that part, from 1; the column in characters.
    pub line: u64,
    pub column: u64,
    /// In bytes within that part.
    pub at: usize,
    pub kind: TemplateFault,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateFault {
    /// `{{` without a `}}` on the same line.
    NotClosed,
    /// `{{}}`
    NoName,
    /// There is no such column.
    Unknown { name: String, columns: Vec<String> },
    /// The part would always come out the same.
    NoHole,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, line, column, .. } = self;
        write!(formatter, "in the {part}, line {line}, column {column}: ")?;
        match &self.kind {
            TemplateFault::NotClosed => formatter.write_str("the braces that open here are not closed"),
            TemplateFault::NoName => formatter.write_str("there is no name between these braces"),
            TemplateFault::Unknown { name, columns } => {
                write!(formatter, "there is no column \"{name}\"; the columns are: {}", columns.join(", "))
            }
            TemplateFault::NoHole => formatter.write_str("nothing here changes from record to record"),
        }
    }
}

impl TemplateError {
    pub fn hint(&self) -> &'static str {
        match self.kind {
            TemplateFault::NotClosed => "Close the name with }}.",
            TemplateFault::NoName => "Write the name of a column between the braces: {{question}}.",
            TemplateFault::Unknown { .. } => "Use the name of a column as it is spelled.",
            TemplateFault::NoHole => "Put the name of a column in double braces where its text belongs.",
        }
    }
}

/// A template whose holes are known to be columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    prompt: Vec<Piece>,
    completion: Vec<Piece>,
    system: Option<Vec<Piece>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole(String),
}

/// The names that holes have where a record is filled in, beside its further fields.
const PARTS: [&str; 3] = ["system", "prompt", "completion"];

impl Template {
    /// The template for these columns.
    pub fn compile(&self, columns: &[String]) -> Result<Compiled, TemplateError> {
        let pieces = |part, text: &str| pieces(part, text, columns);
        let (prompt, completion) = (pieces("prompt", &self.prompt)?, pieces("completion", &self.completion)?);
        let system = self.system.as_deref().map(|text| pieces("system", text)).transpose()?;
        for (part, pieces) in [("prompt", &prompt), ("completion", &completion)] {
            if !pieces.iter().any(|piece| matches!(piece, Piece::Hole(_))) {
                return Err(TemplateError { part, line: 1, column: 1, at: 0, kind: TemplateFault::NoHole });
            }
        }
        Ok(Compiled { prompt, completion, system })
    }

    /// The template for records: `system`, `prompt`, `completion`, and these further fields.
    pub fn compile_for_records(&self, fields: &[String]) -> Result<Compiled, TemplateError> {
        let names: Vec<String> = PARTS.iter().map(|part| (*part).to_owned()).chain(fields.iter().cloned()).collect();
        self.compile(&names)
    }
}

impl Compiled {
    /// A record made of the values of a row. Columns that no hole names are kept beside it.
    pub fn fill(&self, row: &Map<String, Value>) -> Record {
        let texts = |pieces: &[Piece]| filled(pieces, |name| row.get(name).map(shown));
        let used = |name: &str| self.pieces().any(|piece| matches!(piece, Piece::Hole(hole) if hole == name));
        let mut record = self.record(texts);
        let others = row.iter().filter(|(name, _)| !used(name));
        record.extra = others.map(|(name, value)| (name.clone(), value.clone())).collect();
        record
    }

    /// The record with its texts put through the template.
    pub fn refill(&self, record: &Record) -> Record {
        let value = |name: &str| match name {
            "system" => Some(record.system().unwrap_or_default().into_owned()),
            "prompt" => Some(record.prompt().into_owned()),
            "completion" => Some(record.completion().into_owned()),
            other => record.extra.get(other).map(shown),
        };
        let mut refilled = self.record(|pieces| filled(pieces, value));
        refilled.extra = record.extra.clone();
        refilled
    }

    fn record(&self, texts: impl Fn(&[Piece]) -> String) -> Record {
        let system = self.system.as_deref().map(&texts).filter(|text| !text.trim().is_empty());
        Record::prompt_completion(system, texts(&self.prompt), texts(&self.completion))
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.prompt.iter().chain(&self.completion).chain(self.system.iter().flatten())
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn filled(pieces: &[Piece], value: impl Fn(&str) -> Option<String>) -> String {
    let texts = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Hole(name) => value(name).unwrap_or_default(),
    });
    texts.collect()
}

fn pieces(part: &'static str, text: &str, columns: &[String]) -> Result<Vec<Piece>, TemplateError> {
    let error = |at: usize, kind| {
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |place| place + 1);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before[line_start..].chars().count() as u64 + 1;
        TemplateError { part, line, column, at, kind }
    };
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(opened) = text[at..].find("{{").map(|place| at + place) {
        let inside = opened + 2;
        let line_end = text[inside..].find('\n').map_or(text.len(), |place| inside + place);
        let Some(closed) = text[inside..line_end].find("}}").map(|place| inside + place) else {
            return Err(error(opened, TemplateFault::NotClosed));
        };
        let name = text[inside..closed].trim();
        if name.is_empty() {
            return Err(error(opened, TemplateFault::NoName));
        }
        if !columns.iter().any(|column| column == name) {
            let (name, columns) = (name.to_owned(), columns.to_vec());
            return Err(error(opened, TemplateFault::Unknown { name, columns }));
        }
        if opened > at {
            pieces.push(Piece::Text(text[at..opened].to_owned()));
        }
        pieces.push(Piece::Hole(name.to_owned()));
        at = closed + 2;
    }
    if at < text.len() {
        pieces.push(Piece::Text(text[at..].to_owned()));
    }
    Ok(pieces)
}

/// What a model is given of a record in one data format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Texts in the order in which the model reads them; the last is what it learns to say.
    pub texts: Vec<(Role, String)>,
    /// The texts have speakers. Otherwise they are one after the other, with nothing between them.
    pub turns: bool,
    /// What of the record the format has no place for.
    pub losses: Vec<Loss>,
}

/// What the model sees of this record in this format; nothing where it cannot be written in it.
pub fn preview(record: &Record, format: DataFormat, system: SystemHandling) -> Preview {
    let fitted = Schema::from(format).fit(record, system);
    let turns = fitted.record.into_iter().flat_map(|record| record.turns);
    Preview {
        texts: turns.map(|turn| (turn.role.clone(), turn.text().into_owned())).collect(),
        turns: !matches!(format, DataFormat::PromptCompletion | DataFormat::Pretraining | DataFormat::ImageRef),
        losses: fitted.losses,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use serde_json::json;

    fn template(prompt: &str, completion: &str, system: Option<&str>) -> Template {
        Template { prompt: prompt.into(), completion: completion.into(), system: system.map(str::to_owned) }
    }

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn columns_fill_the_holes_and_the_others_are_kept() {
        let template = template("Q: {{ question }}\n({{topic}}, {{n}}) {x}", "{{answer}}", Some("{{persona}}"));
        let compiled = template.compile(&columns(&["question", "answer", "topic", "persona", "n", "id"])).unwrap();
        let row = json!({"question": "Why?", "topic": null, "n": 2.5, "answer": {"a": 1}, "persona": " ", "id": 7});
        let mut expected = Record::prompt_completion(None, "Q: Why?\n(, 2.5) {x}", r#"{"a":1}"#);
        expected.extra.insert("id".into(), json!(7));
        assert_eq!(compiled.fill(row.as_object().unwrap()), expected);
    }

    #[test]
    fn a_record_is_put_through_a_template_before_it_is_written() {
        let mut record = Record::prompt_completion(Some("Be brief.".into()), "Hi", "Hello");
        record.extra.insert("lang".into(), json!("en"));
        let template = template("{{system}} [{{lang}}]\n### {{prompt}}\n### ", " {{completion}}", None);
        let refilled = template.compile_for_records(&columns(&["lang"])).unwrap().refill(&record);
        assert_eq!(refilled.prompt(), "Be brief. [en]\n### Hi\n### ");
        assert_eq!((refilled.completion(), refilled.system()), (" Hello".into(), None));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (prompt, line, column, said) in [
            ("Ü: {{question", 1, 4, "not closed"),
            ("a\nb {{question\n}}", 2, 3, "not closed"),
            ("{{question}} {{ }}", 1, 14, "no name"),
            ("{{question}}\n\n{{Answer}}", 3, 1, "no column \"Answer\"; the columns are: question, answer"),
            ("always the same", 1, 1, "nothing here changes"),
        ] {
            let error = template(prompt, "{{answer}}", None).compile(&columns(&["question", "answer"])).unwrap_err();
            assert_eq!((error.part, error.line, error.column), ("prompt", line, column), "{prompt}");
            assert!(error.to_string().contains(said), "{error}");
            assert!(!error.hint().is_empty());
        }
        let error = template("{{a}}", "{{b}}", Some("{{c}}")).compile(&columns(&["a", "b"])).unwrap_err();
        assert_eq!(error.part, "system");
    }

    #[test]
    fn a_preview_shows_what_the_model_reads() {
        let record = Record::prompt_completion(Some("Be brief.".into()), "Hi", "Hello");
        let shown = preview(&record, DataFormat::PromptCompletion, SystemHandling::PutBeforePrompt);
        assert_eq!(shown.texts, [(Role::User, "Be brief.\n\nHi".to_owned()), (Role::Assistant, "Hello".to_owned())]);
        assert!(!shown.turns);
        let shown = preview(&record, DataFormat::Conversation, SystemHandling::LeaveOut);
        assert_eq!((shown.texts.len(), shown.turns, shown.losses.len()), (3, true, 0));
        let prompt = Record::new(vec![crate::record::Turn::new(Role::User, "Hi")]);
        let shown = preview(&prompt, DataFormat::PromptCompletion, SystemHandling::LeaveOut);
        assert!(shown.texts.is_empty() && !shown.losses.is_empty());
    }
}
