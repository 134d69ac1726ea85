//! What can be wrong with a file, said with its place and the way out.

use std::path::{Path, PathBuf};

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
    #[error("the file is written in UTF-16")]
    Utf16,
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
    #[error("reading was cancelled")]
    Cancelled,
}

impl ReadError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> ReadError + use<'_> {
        move |source| ReadError::Io { path: path.to_owned(), source }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "Check that the file is there and that you may read it.",
            Self::Empty | Self::NoRecords => "Choose a file that has at least one record.",
            Self::Binary { .. } => {
                "Choose a CSV or JSON Lines file. A spreadsheet must be saved as CSV first, an archive unpacked."
            }
            Self::Utf16 => "Save the file as UTF-8 and open it again.",
            Self::RecordTooLong { .. } => {
                "A record must fit on a line of that size. Check that the line breaks between the records were not lost."
            }
            Self::ColumnNames { .. } => {
                "The first row must name the columns, separated by commas, semicolons, tabs or vertical bars."
            }
            Self::UnknownFormat { .. } => {
                "Open a CSV file with column names, a JSON Lines file (one object a line) or a document of the form {\"examples\": [{\"input\", \"output\"}]}."
            }
            Self::MissingColumns { .. } | Self::NeedsMapping { .. } => {
                "Choose the columns that hold prompt and completion."
            }
            Self::Changed => "Wait until the other program has finished writing, then open it again.",
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
