//! A file that is to be opened in place or imported: what is in it, and what the person says about it.

use crate::{AttachmentKind, DatasetSummary, Turn, shapes};

shapes! {
    /// A file that the person chose. The window knows it by a token, never by a path of its own making.
    #[derive(Eq)]
    pub struct PickedFile {
        pub token: String,
        pub name: String,
        pub bytes: u64,
        /// What it would be beside a prompt, by its name; null where it cannot be attached to one.
        pub attaches_as: Option<AttachmentKind>,
    }

    pub struct PreviewRequest {
        pub token: String,
        /// Null asks for the app's own reading; else what the person chose instead.
        pub reading: Option<Reading>,
    }

    /// How a file is to be read. What is null is detected.
    #[derive(Eq, Default)]
    pub struct Reading {
        /// An id of `FilePreview::formats`.
        pub format: Option<String>,
        /// An id of `FilePreview::schemas`.
        pub schema: Option<String>,
        /// An id of `FilePreview::encodings`.
        pub encoding: Option<String>,
        /// One character, for tables of text.
        pub delimiter: Option<String>,
        /// Whether the first row of a table holds the names of its columns.
        pub header: Option<bool>,
        /// The sheet of a workbook.
        pub sheet: Option<String>,
        pub mapping: Option<ColumnMapping>,
        /// Takes the place of `mapping` where it is set.
        pub template: Option<PromptTemplate>,
    }

    /// Which column becomes what.
    #[derive(Eq)]
    pub struct ColumnMapping {
        pub prompt: String,
        pub completion: String,
        pub system: Option<String>,
    }

    /// Texts with columns in double braces, such as `Translate: {{english}}`.
    #[derive(Eq)]
    pub struct PromptTemplate {
        pub prompt: String,
        pub completion: String,
        pub system: Option<String>,
    }

    /// Something to choose from.
    #[derive(Eq)]
    pub struct Choice {
        pub id: String,
        pub label: String,
        /// What it means, for someone who meets it for the first time.
        pub note: Option<String>,
    }

    /// What a file looks like when it is read as `reading` says.
    pub struct FilePreview {
        pub file: PickedFile,
        /// In words: "CSV, comma", "JSON Lines, prompt and completion".
        pub format: String,
        /// The reading in use, with everything that was detected filled in.
        pub reading: Reading,
        pub formats: Vec<Choice>,
        pub schemas: Vec<Choice>,
        pub encodings: Vec<Choice>,
        /// Sheets of a workbook; else empty.
        pub sheets: Vec<String>,
        /// It can be edited where it lies. Otherwise its records are copied into a file of the app's own.
        pub in_place: bool,
        /// Why it cannot; null where it can.
        pub in_place_obstacle: Option<String>,
        /// Column names for a table; empty for formats that know their fields.
        pub columns: Vec<String>,
        /// The first rows of a table, a text a column.
        pub sample: Vec<Vec<String>>,
        /// The first records, as they would become.
        pub records: Vec<PreviewRecord>,
        /// What stands in the way of this reading, such as a template that names no column; null when nothing does.
        pub problem: Option<TextProblem>,
        /// Things worth knowing, such as an encoding that was guessed.
        pub notes: Vec<String>,
    }

    pub struct PreviewRecord {
        /// From 1, of the file or the table.
        pub line: Option<u64>,
        pub turns: Vec<Turn>,
        /// Why this one could not be read; then there are no turns.
        pub problem: Option<String>,
    }

    /// Something wrong in a text that the person wrote.
    #[derive(Eq)]
    pub struct TextProblem {
        pub message: String,
        pub hint: Option<String>,
        /// What of the text is meant; both 0 where it is all of it.
        pub start: u32,
        pub end: u32,
    }

    pub struct ImportRequest {
        pub token: String,
        pub name: String,
        /// As `FilePreview::reading` gave it, or changed.
        pub reading: Option<Reading>,
        /// Edit the file where it lies. Only where the preview says that it can be.
        pub in_place: bool,
        /// Leave lines out that cannot be read. Without it such a file is reported and not imported.
        /// A file opened in place keeps them, and shows them as findings.
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
}
