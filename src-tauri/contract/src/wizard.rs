//! Putting a job together: drafts, recipes, the call as it will be sent, several jobs from one draft.

use std::collections::BTreeMap;

use crate::{JobDraft, shapes};

shapes! {
    /// A job that is being put together, as the wizard keeps it.
    #[derive(Default)]
    #[serde(default)]
    pub struct SavedDraft {
        pub id: String,
        /// Milliseconds since 1970; set by the workbench.
        pub changed_at: i64,
        /// The id of a goal of the catalog.
        pub goal: Option<String>,
        /// Where the wizard was.
        pub step: String,
        /// Names that are empty are suggested.
        pub job: JobDraft,
        /// What differs from the defaults, by base model and kind of training, so that trying another loses nothing.
        pub changed: BTreeMap<String, BTreeMap<String, String>>,
        pub advanced: bool,
        /// Several values of one hyperparameter are to be tried.
        pub sweep: Option<SweepChoice>,
    }

    #[derive(Eq)]
    pub struct SweepChoice {
        pub key: String,
        /// As typed, with commas between them.
        pub values: String,
    }

    pub struct DraftId {
        pub draft: String,
    }

    /// The create call of a draft in several languages, each as it would be sent.
    #[derive(Eq)]
    pub struct ShownCall {
        pub cli: String,
        pub python: String,
        pub rust: String,
        /// The body of the request.
        pub json: String,
        /// What is made up because the draft does not say it yet.
        pub placeholders: Vec<String>,
    }

    /// The records that the first step of the training takes.
    pub struct FirstBatch {
        /// What they are, in a sentence: the order, and who lays them out.
        pub about: String,
        pub records: Vec<BatchRecord>,
        /// The lines of the uploaded file that they come from.
        pub tokens: u64,
        /// Tokens of these records that are learned.
        pub learned: u64,
    }

    pub struct BatchRecord {
        /// From 0, in the dataset.
        pub position: u64,
        /// The line as it is uploaded.
        pub line: String,
        /// The record as the model reads it, cut where learning begins and ends.
        pub pieces: Vec<BatchPiece>,
        pub tokens: u64,
    }

    #[derive(Eq)]
    pub struct BatchPiece {
        pub text: String,
        pub learned: bool,
    }

    /// One draft, started once for each value of one hyperparameter.
    pub struct Sweep {
        pub job: JobDraft,
        pub key: String,
        pub values: Vec<String>,
    }

    #[derive(Eq)]
    pub struct SavedRecipe {
        /// Where it was written; null when the person closed the dialog.
        pub file: Option<String>,
    }

    /// A recipe that was opened.
    pub struct OpenedRecipe {
        pub name: String,
        pub goal: Option<String>,
        pub job: JobDraft,
        /// What the recipe names and this computer does not have.
        pub missing: Vec<String>,
    }

    pub struct RecipeRequest {
        pub job: JobDraft,
        pub goal: Option<String>,
    }
}
