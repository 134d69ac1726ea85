//! Snapshots: states of a dataset that have a name, and what lies between two of them.

use crate::{Coverage, shapes};

shapes! {
    #[derive(Eq)]
    pub struct Snapshot {
        pub id: String,
        pub name: String,
        pub created_at: i64,
        pub records: u64,
        /// Made by the app before something that could be regretted.
        pub automatic: bool,
    }

    pub struct NewSnapshot {
        pub dataset: String,
        pub name: String,
    }

    pub struct SnapshotRequest {
        pub dataset: String,
        pub snapshot: String,
    }

    pub struct DiffRequest {
        pub dataset: String,
        /// The state to compare with the present one.
        pub snapshot: String,
        /// Null for every kind.
        pub kind: Option<DiffKind>,
        pub offset: u64,
        /// At most 100.
        pub count: u32,
    }

    /// What is different now from what it was in the snapshot.
    pub struct DiffWindow {
        pub added: u64,
        pub removed: u64,
        pub changed: u64,
        /// Records that are in both stand in another order now.
        pub reordered: bool,
        pub coverage: Coverage,
        /// Of the kind asked for.
        pub total: u64,
        pub offset: u64,
        pub entries: Vec<DiffEntry>,
    }

    #[derive(Eq, Copy)]
    pub enum DiffKind { Added, Removed, Changed }

    pub struct DiffEntry {
        pub kind: DiffKind,
        /// Position in the snapshot; null for one that was added since.
        pub before: Option<u64>,
        /// Position now; null for one that is gone.
        pub after: Option<u64>,
        pub turns: Vec<DiffTurn>,
    }

    pub struct DiffTurn {
        pub role: String,
        pub parts: Vec<DiffPart>,
    }

    pub struct DiffPart {
        pub kind: DiffPartKind,
        pub text: String,
    }

    #[derive(Eq, Copy)]
    pub enum DiffPartKind { Same, Added, Removed }
}
