//! Edits of many records at once, and find and replace. Each is one step of undo.

use crate::{Coverage, Selection, TextProblem, View, shapes};

shapes! {
    pub struct SelectionRequest {
        pub dataset: String,
        pub selection: Selection,
    }

    pub struct MoveRequest {
        pub dataset: String,
        pub selection: Selection,
        /// The records stand, in their order, before the one that is at this position now; the number of records for the end.
        pub before: u64,
    }

    pub struct EditManyRequest {
        pub dataset: String,
        pub selection: Selection,
        pub edit: BulkEdit,
    }

    #[serde(tag = "kind")]
    #[serde(rename_all_fields = "camelCase")]
    pub enum BulkEdit {
        /// Sets the system text, in the place of any that is there.
        SetSystem { text: String },
        /// Adds a paragraph to the system text.
        AppendSystem { text: String },
        RemoveSystem,
        /// Takes white space from both ends of every text.
        Trim,
    }

    #[derive(Eq)]
    pub struct FindQuery {
        pub text: String,
        pub regex: bool,
        pub match_case: bool,
        pub whole_words: bool,
        pub scope: FindScope,
    }

    #[derive(Eq, Copy)]
    pub enum FindScope { Everywhere, System, Prompt, Completion }

    pub struct FindRequest {
        /// Only these records are searched, in this order.
        pub view: View,
        pub query: FindQuery,
        /// Shows what each hit would become; `$1` and `${name}` stand for groups of a regular expression.
        pub replacement: Option<String>,
        pub from: FindFrom,
        /// At most 200.
        pub count: u32,
    }

    /// Where a window of hits begins.
    #[serde(tag = "kind")]
    #[serde(rename_all_fields = "camelCase")]
    pub enum FindFrom {
        /// The hit of this number, from 0.
        Hit { index: u64 },
        /// The first hit in the row at this place of the view, or after it.
        Row { offset: u64 },
    }

    pub struct FindWindow {
        /// Hits, and records that have one: so far, while `coverage` is not complete.
        pub hits: u64,
        pub records: u64,
        pub coverage: Coverage,
        /// Number of the first hit of this window.
        pub first: u64,
        pub window: Vec<Hit>,
        /// What is wrong with the regular expression or the replacement; then there are no hits.
        pub problem: Option<TextProblem>,
    }

    pub struct Hit {
        pub position: u64,
        /// Place of its row within the view.
        pub offset: u64,
        /// The turn and block it stands in, and where in the block's text.
        pub turn: u32,
        pub block: u32,
        pub start: u32,
        pub end: u32,
        /// The text around it; `before` and `after` are cut at a few dozen characters.
        pub before: String,
        pub text: String,
        pub after: String,
        pub replacement: Option<String>,
    }

    pub struct ReplaceRequest {
        pub dataset: String,
        pub selection: Selection,
        pub query: FindQuery,
        pub replacement: String,
        /// Only this hit of the one record that `selection` then names, counted within it from 0; null for all.
        pub only: Option<u32>,
    }
}
