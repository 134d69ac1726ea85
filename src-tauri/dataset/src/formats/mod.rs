//! Files that people bring: telling what one is, and reading its records one at a time.

use serde::{Deserialize, Serialize};

mod csv;
mod import;
mod list;
mod notes;
mod outline;
mod reader;
mod schema;
mod sniff;
mod splice;
mod tables;
mod unpack;

use crate::template::Template;

pub use csv::Dialect;
pub use import::{Imported, import_jsonl};
pub(crate) use reader::read_items;
pub use reader::{Item, ReadOutcome, RecordReader, read};
pub use schema::{Detected, Fitted, Loss, LossKind, Schema, ShapeError, ShapeKind};
pub use sniff::{sniff, sniff_with};
pub use tables::sheets;
pub(crate) use unpack::Refused;
pub use unpack::{Compression, Encoding};

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
        Self::suggest_by_name(columns).or_else(|| match columns {
            [prompt, completion] => Some(Mapping::of(prompt, completion)),
            _ => None,
        })
    }

    /// The mapping that well-known names suggest; of two columns one such name is enough.
    pub(crate) fn suggest_by_name(columns: &[String]) -> Option<Mapping> {
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
            known.iter().find_map(|name| columns.iter().position(|column| column.trim().eq_ignore_ascii_case(name)))
        };
        let (prompt, completion) = match (by_name(&PROMPTS), by_name(&COMPLETIONS)) {
            (Some(prompt), Some(completion)) => (prompt, completion),
            (Some(prompt), None) if columns.len() == 2 => (prompt, 1 - prompt),
            (None, Some(completion)) if columns.len() == 2 => (1 - completion, completion),
            _ => return None,
        };
        let system = by_name(&["system", "system_prompt"]).map(|place| columns[place].clone());
        Some(Mapping { system, ..Mapping::of(&columns[prompt], &columns[completion]) })
    }

    fn of(prompt: &str, completion: &str) -> Mapping {
        Mapping { prompt: prompt.to_owned(), completion: completion.to_owned(), system: None }
    }
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    Csv {
        dialect: Dialect,
        table: Table,
    },
    Jsonl {
        table: Table,
    },
    /// `{"examples": [{"input", "output"}]}`
    Examples,
    /// A JSON document that is, or holds, a list of objects.
    JsonList {
        table: Table,
    },
    Parquet {
        table: Table,
    },
    Xlsx {
        /// The one that is read.
        sheet: String,
        /// The first row names the columns.
        header: bool,
        table: Table,
    },
}

/// What the rows, or objects, of a file hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The schema that they follow; `None` where a mapping has to say what is what.
    pub schema: Option<Schema>,
    /// The names of columns or members.
    pub columns: Vec<String>,
}

impl Format {
    /// The format in words: "CSV, comma".
    pub fn describe(&self) -> String {
        let of = |name: &str, table: &Table| match &table.schema {
            Some(schema) => format!("{name}, {}", schema.name()),
            None => format!("{name}, fields"),
        };
        match self {
            Self::Csv { dialect, .. } => format!("CSV, {}", dialect.delimiter_name()),
            Self::Jsonl { table } => of("JSON Lines", table),
            Self::Examples => "JSON, examples with input and output".to_owned(),
            Self::JsonList { table } => of("JSON list", table),
            Self::Parquet { table } => of("Parquet", table),
            Self::Xlsx { .. } => "XLSX".to_owned(),
        }
    }

    fn table(&self) -> Option<&Table> {
        match self {
            Self::Csv { table, .. }
            | Self::Jsonl { table }
            | Self::JsonList { table }
            | Self::Parquet { table }
            | Self::Xlsx { table, .. } => Some(table),
            Self::Examples => None,
        }
    }

    /// The columns or fields that a mapping chooses from; empty where the format knows its own.
    pub fn columns(&self) -> &[String] {
        match self.table() {
            Some(Table { schema: None, columns }) => columns,
            _ => &[],
        }
    }

    /// The schema that the records follow by themselves, without a mapping.
    pub fn schema(&self) -> Option<&Schema> {
        self.table()?.schema.as_ref()
    }
}

/// What a file looks like before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub format: Format,
    pub compression: Option<Compression>,
    pub encoding: Encoding,
    pub bytes: u64,
    /// The first rows: a text a column, or prompt and completion where there are no columns.
    pub sample: Vec<Vec<String>>,
    /// The mapping the names suggest; `None` where none is needed or none can be told.
    pub mapping: Option<Mapping>,
    /// Things worth knowing, such as an encoding that was guessed.
    pub notes: Vec<String>,
}

impl Source {
    /// Whether its lines can be edited where they are: JSON Lines in UTF-8 that is not packed. Any other
    /// file is imported.
    pub fn opens_in_place(&self) -> bool {
        matches!(self.format, Format::Jsonl { .. }) && self.compression.is_none() && self.encoding == Encoding::Utf8
    }

    /// The schema of its lines, objects or rows, with this mapping or the suggested one where one is
    /// needed.
    pub fn schema(&self, mapping: Option<&Mapping>) -> Option<Schema> {
        match self.format.schema() {
            Some(schema) => Some(schema.clone()),
            None => mapping.or(self.mapping.as_ref()).cloned().map(Schema::Fields),
        }
    }
}

/// How to read a file, where it does not say so itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// For columns and fields of one's own; without one, the suggested one is taken.
    pub mapping: Option<Mapping>,
    /// Makes the texts out of columns or fields, in place of a mapping.
    pub template: Option<Template>,
    /// Whether the first row names the columns; told from the rows where it is not said.
    pub header: Option<bool>,
    /// The sheet of a spreadsheet; the first with something on it where it is not said.
    pub sheet: Option<String>,
    /// How the characters of a text are written; told from its beginning where it is not said.
    pub encoding: Option<Encoding>,
    /// What stands between the columns of a CSV file; told from its rows where it is not said.
    pub delimiter: Option<u8>,
}

impl From<Mapping> for ReadOptions {
    fn from(mapping: Mapping) -> ReadOptions {
        ReadOptions { mapping: Some(mapping), ..ReadOptions::default() }
    }
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
