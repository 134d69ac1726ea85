//! Files that people bring: telling what one is, and reading its records one at a time.

use serde::{Deserialize, Serialize};

mod csv;
mod examples;
mod jsonl;
mod outline;
mod reader;
mod schema;
mod sniff;
mod splice;

pub use csv::Dialect;
pub use jsonl::JsonlSchema;
pub use reader::{Item, ReadOutcome, RecordReader, read};
pub use schema::{Detected, Fitted, Loss, LossKind, Schema, ShapeError, ShapeKind};
pub use sniff::sniff;

/// No record may take more bytes of its file than this. It bounds what a broken file can take of the
/// memory, and is far above what any base model accepts.
pub const MAX_RECORD_BYTES: usize = 25_000_000;

/// So many problems are kept with their text; the rest are only counted.
pub const PROBLEM_CAP: usize = 100;

/// Which column, or field of an object, becomes what.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mapping {
    pub prompt: String,
    pub completion: String,
    pub system: Option<String>,
}

impl Mapping {
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        [&self.prompt, &self.completion].into_iter().chain(&self.system)
    }

    /// The mapping that column names suggest: by well-known names, else the two of two columns.
    pub(crate) fn suggest(columns: &[String]) -> Option<Mapping> {
        const PROMPTS: [&str; 9] =
            ["prompt", "input", "question", "instruction", "text", "message", "query", "user", "utterance"];
        const COMPLETIONS: [&str; 11] = [
            "completion",
            "output",
            "answer",
            "response",
            "reply",
            "label",
            "category",
            "intent",
            "target",
            "assistant",
            "class",
        ];
        let by_name = |known: &[&str]| {
            known.iter().find_map(|name| columns.iter().position(|column| column.eq_ignore_ascii_case(name)))
        };
        let pair = match (by_name(&PROMPTS), by_name(&COMPLETIONS)) {
            (Some(prompt), Some(completion)) => (prompt, completion),
            (Some(prompt), None) if columns.len() == 2 => (prompt, 1 - prompt),
            (None, Some(completion)) if columns.len() == 2 => (1 - completion, completion),
            (None, None) if columns.len() == 2 => (0, 1),
            _ => return None,
        };
        Some(Mapping {
            prompt: columns[pair.0].clone(),
            completion: columns[pair.1].clone(),
            system: by_name(&["system", "system_prompt"]).map(|place| columns[place].clone()),
        })
    }
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    Csv {
        dialect: Dialect,
        columns: Vec<String>,
    },
    Jsonl {
        schema: JsonlSchema,
    },
    /// `{"examples": [{"input", "output"}]}`
    Examples,
}

impl Format {
    /// The format in words: "CSV, comma".
    pub fn describe(&self) -> String {
        match self {
            Self::Csv { dialect, .. } => format!("CSV, {}", dialect.delimiter_name()),
            Self::Jsonl { schema } => format!("JSON Lines, {}", schema.name()),
            Self::Examples => "JSON, examples with input and output".to_owned(),
        }
    }

    /// The columns or fields that a mapping chooses from; empty where the format knows its own.
    pub fn columns(&self) -> &[String] {
        match self {
            Self::Csv { columns, .. } => columns,
            Self::Jsonl { schema: JsonlSchema::Fields(fields) } => fields,
            Self::Jsonl { .. } | Self::Examples => &[],
        }
    }
}

/// What a file looks like before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub format: Format,
    pub bytes: u64,
    /// The first rows: a text a column, or prompt and completion where there are no columns.
    pub sample: Vec<Vec<String>>,
    /// The mapping the names suggest; `None` where none is needed or none can be told.
    pub mapping: Option<Mapping>,
    /// Things worth knowing, such as an encoding that was guessed.
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggested(columns: &[&str]) -> Option<(String, String)> {
        let columns: Vec<String> = columns.iter().map(|&c| c.to_owned()).collect();
        Mapping::suggest(&columns).map(|m| (m.prompt, m.completion))
    }

    #[test]
    fn well_known_names_suggest_a_mapping() {
        for (columns, expected) in [
            (&["text", "category"][..], Some(("text", "category"))),
            (&["label", "text"], Some(("text", "label"))),
            (&["id", "Question", "Answer"], Some(("Question", "Answer"))),
            (&["a", "b"], Some(("a", "b"))),
            (&["b", "prompt"], Some(("prompt", "b"))),
            (&["a", "b", "c"], None),
            (&["only"], None),
        ] {
            let expected = expected.map(|(p, c)| (p.to_owned(), c.to_owned()));
            assert_eq!(suggested(columns), expected, "{columns:?}");
        }
    }
}
