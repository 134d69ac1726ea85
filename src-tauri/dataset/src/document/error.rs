//! What can go wrong with a dataset on disk.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::ids::{FIRST_ADDED, RecordId};
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
    #[error("there is no room left on the disk for {}", path.display())]
    DiskFull { path: PathBuf },
    #[error("there is no dataset in {}", path.display())]
    NotADocument { path: PathBuf },
    #[error("there is already a dataset in {}", path.display())]
    Exists { path: PathBuf },
    #[error("the dataset in {} is open elsewhere", path.display())]
    InUse { path: PathBuf },
    #[error("{} is damaged: {detail}", path.display())]
    Damaged { path: PathBuf, detail: String },
    #[error("{} was written by another version of Whetstone ({found})", path.display())]
    OtherVersion { path: PathBuf, found: String },
    #[error("the file {} is not there any more", path.display())]
    SourceMissing { path: PathBuf },
    #[error("the file {} was changed by another program", path.display())]
    SourceChanged { path: PathBuf },
    #[error("the dataset was imported and has no file of its own yet")]
    NoFile,
    #[error("the lines of the file are still being counted")]
    Indexing,
    #[error("there is no record {}; the dataset has {records}", position + 1)]
    OutOfRange { position: u64, records: u64 },
    #[error("the record {id} is not in the dataset any more")]
    NoSuchRecord { id: RecordId },
    #[error("there is no snapshot {number}")]
    NoSuchSnapshot { number: u32 },
    #[error("{} was written over, and the records that were not edited are gone with it", path.display())]
    SourceOverwritten { path: PathBuf },
    #[error("a record is one line, and this text has line breaks")]
    NotOneLine,
    #[error("a record of {bytes} bytes is too large")]
    RecordTooLarge { bytes: u64 },
    #[error("a dataset holds at most {} records", FIRST_ADDED - 1)]
    TooMany,
    #[error("it was cancelled, and nothing was changed")]
    Cancelled,
    #[error("record {} cannot be written in the dataset's format: {reason}", position + 1)]
    DoesNotFit { position: u64, reason: String },
    #[error(transparent)]
    Split(#[from] SplitError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl DocumentError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> DocumentError + use<'_> {
        move |source| match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => DocumentError::DiskFull { path: path.to_owned() },
            _ => DocumentError::Io { path: path.to_owned(), source },
        }
    }

    pub(super) fn damaged(path: &Path, detail: impl Into<String>) -> DocumentError {
        DocumentError::Damaged { path: path.to_owned(), detail: detail.into() }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "Check that the disk has room and that the folder may be written to.",
            Self::DiskFull { .. } => "Make room on the disk and try again; nothing was lost.",
            Self::NotADocument { .. } => "Import the file again.",
            Self::Exists { .. } => "Choose another folder.",
            Self::InUse { .. } => "Close the other window or program that has it open.",
            Self::Damaged { .. } => "Import the original file again; it was never changed.",
            Self::OtherVersion { .. } => "Open the original file again; its edits are in that other version.",
            Self::SourceMissing { .. } => "Put the file back where it was, or open it from its new place.",
            Self::SourceChanged { .. } => "Reload the file, or keep what you have and save over it.",
            Self::NoFile => "Choose a file to save it as.",
            Self::Indexing => "Wait a moment: it is being read already.",
            Self::OutOfRange { .. } | Self::NoSuchRecord { .. } => "Look at the table again: it has changed.",
            Self::NoSuchSnapshot { .. } => "Look at the list of snapshots again.",
            Self::SourceOverwritten { .. } => "Reload the file; edits that no longer fit are kept aside.",
            Self::NotOneLine => "Write the record as JSON on one line.",
            Self::RecordTooLarge { .. } => "Cut the record into smaller ones.",
            Self::TooMany => "Open the file in parts.",
            Self::Cancelled => "Start it again when you like.",
            Self::DoesNotFit { .. } => "Leave out what the format has no place for, or convert the dataset.",
            Self::Split(SplitError::Frozen { .. }) => "Make a new split; the one that was used is kept.",
            Self::Split(SplitError::NotSplit) => "Split the dataset first.",
            Self::Split(_) => "Set fewer records aside.",
            Self::Write(WriteError::DoesNotFit { .. }) => {
                "Mend or delete that record, or choose a base model that takes it."
            }
            Self::Write(WriteError::Io(_)) => "Check that the disk has room.",
        }
    }
}
