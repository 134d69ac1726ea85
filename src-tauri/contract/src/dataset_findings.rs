//! Findings: how many of each rule, windows of them, the way from one to the next, and their fixes.

use crate::{Coverage, CustomizationType, Selection, View, shapes};

shapes! {
    pub struct FindingsRequest {
        pub dataset: String,
        pub base_model: String,
        /// Null for fine-tuning.
        pub customization_type: Option<CustomizationType>,
    }

    /// What is wrong with a dataset for a base model, counted.
    pub struct FindingsReport {
        pub errors: u64,
        pub warnings: u64,
        pub notes: u64,
        /// Rules that are broken, errors first, then by number.
        pub rules: Vec<RuleCount>,
        /// Counts are of what was checked so far, while this is not complete.
        pub coverage: Coverage,
        /// How far near duplicates were looked for: a pass of its own, null until it is asked for.
        pub near: Option<Coverage>,
    }

    pub struct RuleCount {
        pub rule: String,
        pub severity: Severity,
        /// What it asks for, in a few words: "Reserved words".
        pub title: String,
        /// Why it matters and where it is from.
        pub about: String,
        pub source: String,
        pub findings: u64,
        /// What its fix does: "Remove the word". Null where a person must decide.
        pub fix: Option<String>,
    }

    pub struct FindingListRequest {
        pub dataset: String,
        pub base_model: String,
        /// Null for all rules, errors first.
        pub rule: Option<String>,
        pub offset: u64,
        /// At most 200.
        pub count: u32,
    }

    pub struct FindingWindow {
        pub total: u64,
        pub offset: u64,
        pub findings: Vec<Finding>,
    }

    /// A rule broken.
    #[derive(Eq)]
    pub struct Finding {
        pub rule: String,
        pub severity: Severity,
        /// Position of the record from 0; null when it concerns the dataset as a whole, or a record not saved yet.
        pub position: Option<u64>,
        /// In words: `prompt`, `completion`, `system`, `turn 3`.
        pub field: Option<String>,
        pub message: String,
        pub hint: String,
        /// The texts that are meant, to be underlined; may be empty.
        pub marks: Vec<TextMark>,
        /// What its fix does; null where a person must decide.
        pub fix: Option<String>,
        /// Records that it is about besides its own, such as the other of a pair of duplicates.
        pub others: Vec<u64>,
    }

    /// A stretch of a block's text.
    #[derive(Eq, Copy)]
    pub struct TextMark {
        pub turn: u32,
        pub block: u32,
        pub start: u32,
        pub end: u32,
    }

    #[derive(Eq, Copy)]
    pub enum Severity { Error, Warning, Note }

    pub struct NextFindingRequest {
        /// Only rows of this view are gone to.
        pub view: View,
        /// Null for any rule.
        pub rule: Option<String>,
        /// Place within the view to go on from; null to begin at the end that the direction comes from.
        pub from: Option<u64>,
        pub direction: Direction,
    }

    #[derive(Eq, Copy)]
    pub enum Direction { Forward, Back }

    /// The nearest row with such a finding, going round at the end; null where the view has none.
    pub struct NextFinding {
        pub position: Option<u64>,
        pub offset: Option<u64>,
    }

    pub struct FixRequest {
        pub dataset: String,
        pub base_model: String,
        /// Null for every rule that has a fix.
        pub rule: Option<String>,
        /// Null for all records.
        pub selection: Option<Selection>,
    }

    /// A fix on a record that is being typed; nothing is written.
    pub struct FixDraftRequest {
        pub dataset: String,
        pub position: Option<u64>,
        pub base_model: String,
        pub rule: String,
        pub body: crate::RecordBody,
    }
}
