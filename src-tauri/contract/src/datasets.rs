//! Datasets as a whole: the list of them, where each lives, what state it is in, how it is saved.
//!
//! The rest of the datasets' part: `dataset_import` (bringing a file in), `dataset_rows` (windows of a view),
//! `dataset_records` (one record), `dataset_edits` (changing many), `dataset_findings`, `dataset_snapshots`,
//! `dataset_statistics`, `dataset_splits`, `dataset_export`.
//!
//! What holds for all of them: positions count from 0. Offsets within a text count UTF-16 units, as the window's
//! strings do. A whole dataset never crosses; windows of it do. A call whose work is long shows as an activity while it
//! runs, can be cancelled there (the call then fails with `Cancelled`, and nothing was changed), and answers at the end.

use crate::{SplitCounts, shapes};

shapes! {
    pub struct DatasetId {
        pub dataset: String,
    }

    pub struct DatasetSummary {
        pub id: String,
        pub name: String,
        /// The name of the file it came from.
        pub source: String,
        pub origin: DatasetOrigin,
        /// In words: "Converse conversations", "prompt and completion".
        pub schema: String,
        /// Size of its lines as they stand now, where it is known.
        pub bytes: Option<u64>,
        /// Those that are known; all of them once `index` is complete.
        pub records: u64,
        /// How far the lines of the file have been counted.
        pub index: Coverage,
        /// Milliseconds since 1970, as every time in the contract.
        pub created_at: i64,
        /// When the last edit was written to the journal.
        pub edited_at: Option<i64>,
        pub split: Option<SplitCounts>,
        /// What Undo would take back: "Delete 3 records". Null when there is nothing.
        pub undo: Option<String>,
        pub redo: Option<String>,
        /// Edits are in the journal that the file does not have yet.
        pub unsaved: bool,
        pub file: FileBeneath,
    }

    #[derive(Eq, Copy)]
    pub enum DatasetOrigin {
        /// The person's own file, read where it lies. Save writes it.
        InPlace,
        /// Converted into a file of the app's own. Save makes the edits part of that file.
        Imported,
        Sample,
    }

    /// How much of the records something computed in the background has seen.
    pub struct Coverage {
        pub complete: bool,
        /// Between 0 and 1; null while it cannot be told.
        pub fraction: Option<f64>,
        /// The activity that is at it, which can be cancelled; null when none is.
        pub activity: Option<String>,
    }

    /// The file that an in-place dataset reads, compared with what it was when it was opened.
    #[derive(Eq)]
    pub struct FileBeneath {
        /// For the person to read, never to be sent back. Null for imported datasets and samples.
        pub path: Option<String>,
        pub state: FileState,
        /// What happened to it, one sentence; null while it is as it was.
        pub message: Option<String>,
        /// What the person can choose now; empty while it is as it was.
        pub choices: Vec<FileChoice>,
    }

    #[derive(Eq, Copy)]
    pub enum FileState { AsItWas, Changed, Missing }

    #[derive(Eq, Copy)]
    pub enum FileChoice {
        /// Read the file as it is now; the edits not saved are dropped.
        Reload,
        /// Go on with the records as they were opened and edited; Save then replaces the file.
        Keep,
        /// Write what the dataset holds to another file.
        SaveAs,
    }

    pub struct FileChoiceRequest {
        pub dataset: String,
        /// `Reload` or `Keep`; `SaveAs` is the call of that name.
        pub choice: FileChoice,
    }

    pub struct SaveRequest {
        pub dataset: String,
        /// Replace the file even though something else changed it. Without it nothing is written then.
        pub replace_changed: bool,
    }

    pub struct SaveOutcome {
        pub summary: DatasetSummary,
        /// Where it was written; null when it was not (the dialog was closed, or the file changed beneath).
        pub file: Option<String>,
        pub records: u64,
    }

    pub struct RenameRequest {
        pub dataset: String,
        pub name: String,
    }

    /// What became of the dataset by an edit. Every edit, undo and redo answers with one.
    pub struct Change {
        pub summary: DatasetSummary,
        /// What was done, as Undo names it; after an undo, what was taken back.
        pub label: String,
        /// Records that are different now, new, or gone.
        pub records: u64,
        /// Records that were asked for and left as they were, because the edit had no effect or no place there.
        pub untouched: u64,
        /// Where to look: the first record that changed, as positions are now. Null when none is left to look at.
        pub position: Option<u64>,
        /// Records were added, taken away or moved, so that positions after the first change are others now.
        pub moved: bool,
    }
}
