//! One record: as turns, as its line of JSON, and as it is checked while one types.

use crate::{Change, Finding, SplitKind, TextProblem, shapes};

shapes! {
    pub struct RecordRequest {
        pub dataset: String,
        pub position: u64,
        /// Findings and tokens are this base model's.
        pub base_model: String,
    }

    pub struct RecordDetail {
        pub position: u64,
        pub split: Option<SplitKind>,
        /// Line of the file, from 1, on which it stood when it was opened; null for one made here.
        pub line: Option<u64>,
        pub edited: bool,
        pub content: RecordContent,
    }

    /// What is in a record, looked at from every side. The same for one that is still being typed.
    pub struct RecordContent {
        /// Empty when `problem` is set.
        pub turns: Vec<Turn>,
        /// The line as it is, or would be written.
        pub json: String,
        /// Why the line cannot be read as turns; places are within `json`.
        pub problem: Option<TextProblem>,
        /// What the base model is given of it, in its own format; null where it cannot be said.
        pub as_model: Option<String>,
        pub tokens: TokenCount,
        pub findings: Vec<Finding>,
    }

    pub struct TokenCount {
        pub total: u64,
        pub prompt: u64,
        pub completion: u64,
        pub source: TokenSource,
    }

    /// Where a number of tokens comes from.
    #[derive(Eq)]
    pub struct TokenSource {
        /// Counted with the model's own tokenizer, not estimated.
        pub exact: bool,
        /// "Tiny v1's tokenizer", "estimate, 6 characters each".
        pub name: String,
        /// Where the estimate is from; null for a count.
        pub note: Option<String>,
    }

    #[derive(Eq)]
    pub struct Turn {
        /// `system`, `user`, `assistant`, `tool`, or whatever the file says.
        pub role: String,
        pub content: Vec<Block>,
    }

    #[derive(Eq)]
    pub struct Block {
        pub kind: BlockKind,
        /// The text of a text or reasoning block; the JSON of any other.
        pub text: String,
        /// What to call it on a chip: "PNG, s3://pictures/1.png", "calls get_weather". Null for texts; not read in edits.
        pub label: Option<String>,
    }

    #[derive(Eq, Copy)]
    pub enum BlockKind { Text, Reasoning, Image, Video, Document, ToolUse, ToolResult, Other }

    /// A record as the person writes it.
    #[serde(tag = "kind")]
    #[serde(rename_all_fields = "camelCase")]
    pub enum RecordBody {
        /// Members of the record that are not turns stay as they are.
        Turns { turns: Vec<Turn> },
        Json { json: String },
    }

    pub struct CheckRequest {
        pub dataset: String,
        /// The record that is edited; null for a new one.
        pub position: Option<u64>,
        pub base_model: String,
        pub body: RecordBody,
        /// The record itself is wanted too, from every side. Else turns and JSON come empty, and so does what the model is
        /// given: whoever types has them, and a long record would cross twice with every key.
        pub whole: bool,
    }

    pub struct EditRequest {
        pub dataset: String,
        pub position: u64,
        pub base_model: String,
        /// JSON that is no JSON is refused with `InvalidInput`; JSON that is no record of the schema is kept, with findings.
        pub body: RecordBody,
    }

    pub struct RecordChange {
        pub change: Change,
        pub record: RecordDetail,
    }

    pub struct InsertRequest {
        pub dataset: String,
        /// The new records stand from this position on.
        pub position: u64,
        pub records: Vec<RecordBody>,
    }
}
