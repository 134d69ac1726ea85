//! What can be wrong with a file, said with its place and the way out.

use std::path::{Path, PathBuf};

use crate::formats::Refused;
use crate::template::TemplateError;

/// One place in a file that cannot be read. The records around it can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadProblem {
    /// From 1.
    pub line: u64,
    /// In bytes from the start of the line, from 1, where it is known.
    pub column: Option<u64>,
    pub message: String,
    pub hint: String,
    /// The beginning of what stands there.
    pub excerpt: String,
}

/// Why a file as a whole cannot be read. The text says what is the matter, [`ReadError::hint`] what
/// to do next.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{} cannot be read: {source}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the file is empty")]
    Empty,
    #[error("the file holds column names but no record")]
    NoRecords,
    #[error("this is not a text file: {reason} at byte {byte}")]
    Binary { byte: u64, reason: &'static str },
    #[error("the file is damaged: {what}")]
    Damaged { what: String },
    #[error("the file unpacks to far more than its size")]
    Bomb,
    #[error("{what}")]
    TooLarge { what: String },
    #[error("this is an archive of other files")]
    Archive,
    #[error("the template cannot be used: {0}")]
    Template(#[from] TemplateError),
    #[error("line {line} is longer than {}", size(*limit))]
    RecordTooLong { line: u64, limit: usize },
    #[error("the column names on line {} cannot be read: {}", problem.line, problem.message)]
    ColumnNames { problem: ReadProblem },
    #[error("the format of the file was not recognised: {message}")]
    UnknownFormat { message: String },
    #[error("the file has no column named {}; its columns are: {}", quoted(missing), columns.join(", "))]
    MissingColumns { missing: Vec<String>, columns: Vec<String> },
    #[error("it is not known which columns are prompt and completion; the columns are: {}", columns.join(", "))]
    NeedsMapping { columns: Vec<String> },
    #[error("the file changed while it was read")]
    Changed,
    #[error("what was read could not be written: {0}")]
    Written(#[source] std::io::Error),
    #[error("reading was cancelled")]
    Cancelled,
}

impl ReadError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> ReadError + use<'_> {
        move |source| match source.downcast::<Refused>() {
            Ok(Refused::Bomb) => ReadError::Bomb,
            Ok(Refused::Damaged) => ReadError::Damaged { what: "it cannot be unpacked to its end".to_owned() },
            Err(source) => ReadError::Io { path: path.to_owned(), source },
        }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "Check that the file is there and that you may read it.",
            Self::Empty | Self::NoRecords => "Choose a file that has at least one record.",
            Self::Binary { .. } => {
                "Choose a JSON Lines, JSON, CSV, Parquet or XLSX file. A spreadsheet of another kind must be saved as XLSX or CSV first."
            }
            Self::Damaged { .. } => "Fetch or save the file again.",
            Self::Bomb => "Unpack it with another program if you trust it, and open what comes out.",
            Self::TooLarge { .. } => "Save the data as JSON Lines or CSV, which may be of any size.",
            Self::Archive => "Unpack it and open the file within that holds the records.",
            Self::Template(error) => error.hint(),
            Self::RecordTooLong { .. } => {
                "A record must fit on a line of that size. Check that the line breaks between the records were not lost."
            }
            Self::ColumnNames { .. } => {
                "The first row must name the columns, separated by commas, semicolons, tabs or vertical bars."
            }
            Self::UnknownFormat { .. } => {
                "Open JSON Lines (one object a line), a JSON list of objects, {\"examples\": [{\"input\", \"output\"}]}, CSV, Parquet or XLSX."
            }
            Self::MissingColumns { .. } | Self::NeedsMapping { .. } => {
                "Choose the columns that hold prompt and completion."
            }
            Self::Changed => "Wait until the other program has finished writing, then open it again.",
            Self::Written(_) => "Check that there is room on the disk, then import the file again.",
            Self::Cancelled => "Open the file again to read all of it.",
        }
    }
}

fn size(bytes: usize) -> String {
    if bytes >= 1_000_000 { format!("{} MB", bytes / 1_000_000) } else { format!("{} kB", bytes / 1000) }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    names.join(" or ")
}
