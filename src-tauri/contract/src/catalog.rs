//! What leads to a base model: goals, methods, families, and models that cannot be tuned with what is known of them.

use crate::{Approach, CustomizationType, Lifecycle, shapes};

shapes! {
    pub struct Catalog {
        pub goals: Vec<Goal>,
        pub methods: Vec<Method>,
        pub families: Vec<ModelFamily>,
        pub listed: Vec<ListedModel>,
        /// Why the endpoint's own list is not merged in; null when it is.
        pub endpoint_problem: Option<String>,
    }

    #[derive(Eq)]
    pub struct Goal {
        pub id: String,
        pub title: String,
        pub example: String,
        pub customization_type: CustomizationType,
        pub why: String,
        pub data: String,
        /// In order of preference, the ones that this connection can tune first.
        pub models: Vec<SuitedModel>,
    }

    #[derive(Eq)]
    pub struct SuitedModel {
        pub id: String,
        /// As the rest of a sentence.
        pub why: String,
    }

    #[derive(Eq)]
    pub struct Method {
        pub id: Approach,
        pub name: String,
        pub what: String,
        pub gains: Vec<String>,
        pub costs: Vec<String>,
    }

    #[derive(Eq)]
    pub struct ModelFamily {
        pub name: String,
        pub approaches: Vec<Approach>,
        pub note: String,
        /// Ids of the models that can be chosen.
        pub models: Vec<String>,
    }

    /// A base model whose rules for data are known.
    #[derive(Eq)]
    pub struct DataModel {
        pub id: String,
        pub name: String,
        pub provider: String,
        /// Whether the wizard can tune it.
        pub tuned: bool,
    }

    /// A model that is known by name, and that the wizard cannot tune.
    #[derive(Eq)]
    pub struct ListedModel {
        pub id: String,
        pub name: String,
        pub provider: String,
        pub customization_types: Vec<CustomizationType>,
        pub tuning_regions: Vec<String>,
        pub lifecycle: Option<Lifecycle>,
        pub lifecycle_note: Option<String>,
        /// A sentence.
        pub why: String,
        /// Limits and hyperparameters, in words.
        pub known: Vec<String>,
        /// Told by the endpoint, and not in the app's catalog.
        pub from_endpoint: bool,
    }
}
