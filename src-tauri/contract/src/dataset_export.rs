//! Datasets written out: as a base model's own files, or converted to another format with a report of what is lost.

use crate::{Choice, Coverage, Selection, shapes};

shapes! {
    pub struct ExportRequest {
        pub dataset: String,
        pub base_model: String,
    }

    /// Where an export went; null when the person closed the dialog.
    pub struct ExportOutcome {
        pub folder: Option<String>,
        pub files: Vec<String>,
    }

    pub struct ConversionChoices {
        /// What records can become: "Converse conversations", "OpenAI chat" ...
        pub schemas: Vec<Choice>,
        /// What file they can stand in: JSON Lines, CSV ...
        pub formats: Vec<Choice>,
        /// The formats that take a schema. Records of the others have one form only.
        pub formats_of_schema: Vec<String>,
        /// None, gzip, zstd.
        pub compressions: Vec<Choice>,
        /// The schema that keeps everything.
        pub own_schema: String,
    }

    pub struct ConversionRequest {
        pub dataset: String,
        /// Null for all records.
        pub selection: Option<Selection>,
        pub schema: String,
        pub format: String,
        pub compression: String,
    }

    /// What would not carry over.
    pub struct LossReport {
        pub records: u64,
        /// Records that come through whole.
        pub whole: u64,
        /// Records that cannot be written at all and would be left out.
        pub left_out: u64,
        pub losses: Vec<Loss>,
        pub coverage: Coverage,
        /// The beginning of the file as it would be written.
        pub sample: String,
    }

    pub struct Loss {
        /// "System texts", "Tools".
        pub what: String,
        /// A sentence about the first record it concerns.
        pub detail: String,
        pub records: u64,
        /// The first record it concerns.
        pub position: u64,
        /// So many of these records are left out because of it, not only the piece.
        pub left_out: u64,
    }

    pub struct ConversionOutcome {
        /// Null when the person closed the dialog.
        pub file: Option<String>,
        pub bytes: u64,
        pub report: LossReport,
    }
}
