//! Base models as the wizard shows them.

use crate::{Approach, CustomizationType, shapes};

shapes! {
    pub struct BaseModel {
        pub id: String,
        pub name: String,
        pub provider: String,
        pub family: String,
        pub summary: String,
        /// This connection trains the bundled small model in its place.
        pub stand_in: bool,
        pub lifecycle: Lifecycle,
        /// For example "end of life since 2026-09-10".
        pub lifecycle_note: Option<String>,
        /// The first is fine-tuning.
        pub customization_types: Vec<CustomizationType>,
        /// The first is the usual one.
        pub approaches: Vec<Approach>,
        pub tuning_regions: Vec<String>,
        pub serving: Vec<Serving>,
        /// Ids that may teach it in a distillation.
        pub teachers: Vec<String>,
        /// In words: "prompt and completion", "conversation".
        pub data_format: String,
        pub min_records: u64,
        /// Training and validation together; null where no limit is documented.
        pub max_records: Option<u64>,
        pub validation_accepted: bool,
        pub hyperparameters: Vec<Hyperparameter>,
        /// What other kinds of training ask, where it is not what fine-tuning asks.
        pub other_trainings: Vec<Training>,
        pub prices: Vec<Price>,
        /// What the sources do not settle about this model.
        pub unverified: Vec<String>,
        pub sources: Vec<String>,
    }

    /// One kind of training of a model.
    pub struct Training {
        pub customization_type: CustomizationType,
        pub data_format: String,
        pub min_records: u64,
        pub max_records: Option<u64>,
        pub validation_accepted: bool,
        pub hyperparameters: Vec<Hyperparameter>,
    }

    /// How and where a tuned copy answers.
    #[derive(Eq)]
    pub struct Serving {
        pub on_demand: bool,
        /// Empty: in the Region of the job.
        pub regions: Vec<String>,
    }

    #[derive(Eq, Copy)]
    pub enum Lifecycle { Active, Legacy, EndOfLife }

    pub struct Hyperparameter {
        pub key: String,
        pub label: String,
        pub kind: HyperparameterKind,
        pub default: String,
        /// What it does, for someone who is not an engineer.
        pub why: String,
        pub advanced: bool,
        pub unverified: bool,
        /// What the value counts: "steps".
        pub unit: Option<String>,
        /// Not sent where a validation set is.
        pub without_validation: bool,
    }

    #[serde(tag = "kind")]
    pub enum HyperparameterKind {
        Integer { min: i64, max: i64 },
        Float { min: f64, max: f64 },
        Choice { options: Vec<String> },
    }

    pub struct Price {
        pub what: String,
        pub usd: f64,
        pub unit: String,
        /// Null where the source names none.
        pub region: Option<String>,
        pub source: String,
        pub date: String,
    }
}
