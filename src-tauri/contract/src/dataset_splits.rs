//! Splits: training, validation and hold-out, and how records come into them.

use crate::shapes;

shapes! {
    #[derive(Eq, Copy)]
    pub enum SplitKind { Training, Validation, HoldOut }

    #[derive(Eq)]
    pub struct SplitCounts {
        pub training: u64,
        pub validation: u64,
        pub hold_out: u64,
        pub seed: u64,
        pub method: SplitMethod,
        /// The job that used it. From then on it stays as it is, so that nothing held out has been trained on.
        pub frozen_by: Option<String>,
    }

    #[derive(Eq)]
    #[serde(tag = "kind")]
    #[serde(rename_all_fields = "camelCase")]
    pub enum SplitMethod {
        Ratio { validation_percent: u32, hold_out_percent: u32 },
        Count { validation: u64, hold_out: u64 },
        /// Every label has its share in each split.
        Stratified { key: String, validation_percent: u32, hold_out_percent: u32 },
        /// Records with the same key stay together, so that nothing leaks from one split to another.
        Grouped { key: String, validation_percent: u32, hold_out_percent: u32 },
    }

    /// Something by which records can be stratified or grouped.
    #[derive(Eq)]
    pub struct SplitKey {
        pub id: String,
        pub label: String,
        /// Different values it has in the first records.
        pub distinct: u64,
        pub examples: Vec<String>,
    }

    pub struct SplitRequest {
        pub dataset: String,
        pub method: SplitMethod,
        pub seed: u64,
        /// Split again although a job used the split there is.
        pub replace_frozen: bool,
    }

    /// What a split would come to.
    pub struct SplitPreview {
        pub training: u64,
        pub validation: u64,
        pub hold_out: u64,
        /// The largest strata or groups, as they would be dealt out; empty for the other methods.
        pub parts: Vec<SplitPart>,
        pub part_count: u64,
        /// Worth knowing: a label too rare for all three, groups that miss the ratio.
        pub notes: Vec<String>,
    }

    pub struct SplitPart {
        pub label: String,
        pub training: u64,
        pub validation: u64,
        pub hold_out: u64,
    }
}
