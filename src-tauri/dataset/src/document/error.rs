//! What can go wrong with a dataset on disk.

use std::path::{Path, PathBuf};

use crate::split::SplitError;
use crate::write::WriteError;

#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error("{} could not be used: {source}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("there is no dataset in {}", path.display())]
    NotADocument { path: PathBuf },
    #[error("there is already a dataset in {}", path.display())]
    Exists { path: PathBuf },
    #[error("the dataset in {} is open elsewhere", path.display())]
    InUse { path: PathBuf },
    #[error("{} is damaged: {detail}", path.display())]
    Damaged { path: PathBuf, detail: String },
    #[error("there is no record {}; the dataset has {records}", position + 1)]
    OutOfRange { position: u64, records: u64 },
    #[error("a dataset holds at most {} records", u32::MAX)]
    TooMany,
    #[error(transparent)]
    Split(#[from] SplitError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl DocumentError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> DocumentError + use<'_> {
        move |source| DocumentError::Io { path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, detail: impl Into<String>) -> DocumentError {
        DocumentError::Damaged { path: path.to_owned(), detail: detail.into() }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "Check that the disk has room and that the folder may be written to.",
            Self::NotADocument { .. } => "Import the file again.",
            Self::Exists { .. } => "Choose another folder.",
            Self::InUse { .. } => "Close the other window or program that has it open.",
            Self::Damaged { .. } => "Import the original file again; it was never changed.",
            Self::OutOfRange { .. } => "Look at the table again: it has changed.",
            Self::TooMany => "Import the file in parts.",
            Self::Split(_) => "Set fewer records aside.",
            Self::Write(WriteError::DoesNotFit { .. }) => {
                "Mend or delete that record, or choose a base model that takes it."
            }
            Self::Write(WriteError::Io(_)) => "Check that the disk has room.",
        }
    }
}
