//! Datasets: bring a file in, look at it, mend it, split it.

use crate::shapes;

shapes! {
    /// A file that the person chose. The window knows it by a token, never by a path of its own making.
    #[derive(Eq)]
    pub struct PickedFile {
        pub token: String,
        pub name: String,
        pub bytes: u64,
    }

    pub struct FileToken {
        pub token: String,
    }

    /// What a file looks like before it is imported.
    pub struct FilePreview {
        pub file: PickedFile,
        /// In words: "CSV, comma", "JSON Lines, prompt and completion".
        pub format: String,
        /// Column names for a table; empty for formats that know their fields.
        pub columns: Vec<String>,
        /// The first rows, a text a column (or prompt and completion where there are no columns).
        pub sample: Vec<Vec<String>>,
        /// The mapping the app would choose; null where none is needed.
        pub mapping: Option<ColumnMapping>,
        /// Things worth knowing, such as an encoding that was guessed.
        pub notes: Vec<String>,
    }

    /// Which column becomes what.
    #[derive(Eq)]
    pub struct ColumnMapping {
        pub prompt: String,
        pub completion: String,
        pub system: Option<String>,
    }

    pub struct ImportRequest {
        pub token: String,
        pub name: String,
        pub mapping: Option<ColumnMapping>,
        /// Leave lines out that cannot be read. Without it such a file is reported and not imported.
        pub skip_broken: bool,
    }

    /// Either a dataset, or the lines that stand in the way.
    pub struct ImportOutcome {
        pub dataset: Option<DatasetSummary>,
        pub problems: Vec<ReadProblem>,
        /// All of them; `problems` holds the first hundred.
        pub problem_count: u64,
        pub readable_records: u64,
    }

    /// A place in a file that cannot be read.
    #[derive(Eq)]
    pub struct ReadProblem {
        pub line: u64,
        pub column: Option<u64>,
        pub message: String,
        pub hint: String,
        pub excerpt: String,
    }

    /// A dataset written for this project and bundled with the app.
    #[derive(Eq)]
    pub struct Sample {
        pub id: String,
        pub name: String,
        pub summary: String,
        pub records: u64,
    }

    pub struct SampleId {
        pub sample: String,
    }

    pub struct DatasetId {
        pub dataset: String,
    }

    #[derive(Eq)]
    pub struct DatasetSummary {
        pub id: String,
        pub name: String,
        /// The name of the file it came from.
        pub source: String,
        pub records: u64,
        /// Milliseconds since 1970, as every time in the contract.
        pub created_at: i64,
        pub split: Option<SplitCounts>,
        pub can_undo: bool,
        pub can_redo: bool,
    }

    #[derive(Eq)]
    pub struct SplitCounts {
        pub training: u64,
        pub validation: u64,
        pub hold_out: u64,
        pub seed: u64,
    }

    pub struct RowsRequest {
        pub dataset: String,
        /// Position of the first row wanted, from 0.
        pub offset: u64,
        pub count: u32,
        /// Tokens are estimated as this base model counts them.
        pub base_model: String,
    }

    pub struct RowWindow {
        pub total: u64,
        pub offset: u64,
        pub rows: Vec<Row>,
    }

    /// A record as the table shows it; long texts are cut.
    pub struct Row {
        /// Position in the dataset, from 0.
        pub position: u64,
        pub prompt: String,
        pub completion: String,
        /// An estimate by the base model's own ratio of characters to tokens.
        pub tokens: u64,
        pub split: Option<SplitKind>,
    }

    #[derive(Eq, Copy)]
    pub enum SplitKind { Training, Validation, HoldOut }

    pub struct RecordRequest {
        pub dataset: String,
        pub position: u64,
        /// Findings are for this base model.
        pub base_model: String,
    }

    pub struct RecordDetail {
        pub position: u64,
        pub turns: Vec<Turn>,
        pub tokens: u64,
        pub split: Option<SplitKind>,
        pub findings: Vec<Finding>,
    }

    #[derive(Eq)]
    pub struct Turn {
        pub role: Role,
        pub text: String,
    }

    #[derive(Eq, Copy)]
    pub enum Role { System, User, Assistant }

    pub struct EditRequest {
        pub dataset: String,
        pub position: u64,
        pub turns: Vec<Turn>,
        pub base_model: String,
    }

    pub struct InsertRequest {
        pub dataset: String,
        /// The new record stands at this position.
        pub position: u64,
        pub turns: Vec<Turn>,
    }

    pub struct DeleteRecordRequest {
        pub dataset: String,
        pub position: u64,
    }

    pub struct SplitRequest {
        pub dataset: String,
        pub validation_percent: u32,
        pub hold_out_percent: u32,
        pub seed: u64,
    }

    pub struct FindingsRequest {
        pub dataset: String,
        pub base_model: String,
    }

    pub struct FindingsReport {
        pub errors: u64,
        pub warnings: u64,
        /// The first thousand, errors first.
        pub findings: Vec<Finding>,
    }

    /// A rule broken.
    #[derive(Eq)]
    pub struct Finding {
        pub rule: String,
        pub severity: Severity,
        /// Position of the record from 0; null when it concerns the dataset as a whole.
        pub position: Option<u64>,
        pub field: Option<String>,
        pub message: String,
        pub hint: String,
    }

    #[derive(Eq, Copy)]
    pub enum Severity { Error, Warning, Note }

    pub struct ExportRequest {
        pub dataset: String,
        pub base_model: String,
    }

    /// Where an export went; null when the person closed the dialog.
    pub struct ExportOutcome {
        pub folder: Option<String>,
        pub files: Vec<String>,
    }
}
