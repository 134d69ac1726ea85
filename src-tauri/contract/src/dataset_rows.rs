//! Views of a dataset: a filter, an order, and the windows of rows that the table shows.

use crate::{Coverage, Severity, SplitKind, TextProblem, TokenSource, shapes};

shapes! {
    /// Which records, in which order. The same view asked for twice is evaluated once.
    #[derive(Eq)]
    pub struct View {
        pub dataset: String,
        /// Tokens and findings are this base model's.
        pub base_model: String,
        /// In the filter language; empty for all records.
        pub filter: String,
        /// Null for the order of the dataset.
        pub sort: Option<Sort>,
    }

    #[derive(Eq)]
    pub struct Sort {
        /// An id of `columns`.
        pub column: String,
        pub descending: bool,
    }

    /// A column that the table can show.
    #[derive(Eq)]
    pub struct ColumnChoice {
        /// `prompt`, `completion`, `system`, `turns`, `characters`, or the name of a member beside the turns.
        pub id: String,
        pub label: String,
        /// Numbers stand at the right.
        pub number: bool,
        /// Shown before the person chose any.
        pub preset: bool,
        pub sortable: bool,
    }

    pub struct RowsRequest {
        pub view: View,
        /// Ids of `columns`; the cells come in this order.
        pub columns: Vec<String>,
        /// Place of the first row wanted within the view, from 0.
        pub offset: u64,
        /// At most 1000.
        pub count: u32,
    }

    pub struct RowWindow {
        /// Rows in the view: so far, while `coverage` is not complete.
        pub total: u64,
        /// Records in the dataset: so far, while its index is not complete.
        pub records: u64,
        /// The slower of index and filter. A window asked for before the end holds what is there already;
        /// `AppEvent::DatasetProgress` says when to ask again.
        pub coverage: Coverage,
        pub offset: u64,
        pub rows: Vec<Row>,
        pub token_source: TokenSource,
        /// What is wrong with the filter; then there are no rows.
        pub problem: Option<TextProblem>,
    }

    /// A record as the table shows it; long texts are cut.
    pub struct Row {
        /// Position in the dataset, from 0.
        pub position: u64,
        /// A text for each of the columns asked for.
        pub cells: Vec<String>,
        pub tokens: u64,
        pub split: Option<SplitKind>,
        /// The gravest of its findings; null when it has none.
        pub worst: Option<Severity>,
        pub findings: u32,
        /// Edited since the last save.
        pub edited: bool,
    }

    /// Positions from `start` up to, not including, `end`.
    #[derive(Eq, Copy)]
    pub struct Span {
        pub start: u64,
        pub end: u64,
    }

    pub struct PositionsRequest {
        pub view: View,
        /// Places within the view.
        pub places: Span,
    }

    pub struct LocateRequest {
        pub view: View,
        /// Position in the dataset.
        pub position: u64,
    }

    /// Null when the record is not in the view.
    pub struct Located {
        pub offset: Option<u64>,
    }

    /// Which records an edit is for.
    #[serde(tag = "kind")]
    #[serde(rename_all_fields = "camelCase")]
    pub enum Selection {
        /// Positions in the dataset, in order, not touching.
        Positions { spans: Vec<Span> },
        /// All that a filter lets through, in the dataset's order; its `dataset` is the one that is edited.
        View { view: View },
    }

    pub struct FilterRequest {
        pub dataset: String,
        pub base_model: String,
        pub text: String,
        /// Where the person is typing.
        pub cursor: u32,
    }

    /// What the filter field shows while one types. Answers at once, without looking at records.
    pub struct FilterHelp {
        pub problem: Option<TextProblem>,
        pub completions: Vec<Completion>,
    }

    #[derive(Eq)]
    pub struct Completion {
        pub label: String,
        pub note: String,
        /// Takes the place of the text from `start` to `end`.
        pub insert: String,
        pub start: u32,
        pub end: u32,
    }
}
