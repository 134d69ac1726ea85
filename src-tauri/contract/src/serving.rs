//! The account's own models, and what answers for them: deployments and provisioned throughput.

use crate::{Price, shapes};

shapes! {
    /// A custom or imported model at the current connection.
    pub struct OwnModel {
        pub arn: String,
        pub name: String,
        pub kind: OwnKind,
        /// The catalog's id; null where the base model is not known, and for an imported model.
        pub base_model: Option<String>,
        pub base_model_name: Option<String>,
        /// Of an imported model, as its `config.json` names it.
        pub architecture: Option<String>,
        /// AWS's own word, such as "Active".
        pub status: String,
        pub created_at: Option<i64>,
        /// The bundled small model was trained in the base model's place.
        pub stand_in: bool,
        /// It was trained on this computer as itself, so its files can be had.
        pub local: bool,
        pub lineage: Option<Lineage>,
        pub served_by: Vec<ServedBy>,
        /// Of keeping it, a month; null where it is not known or nothing is billed.
        pub storage: Option<Price>,
    }

    #[derive(Eq, Copy)]
    pub enum OwnKind { Custom, Imported }

    /// Where a model comes from, as far as this app knows.
    #[derive(Eq)]
    pub struct Lineage {
        pub job: String,
        pub job_name: String,
        /// Null where the data were invocation logs, or the dataset is gone.
        pub dataset: Option<String>,
        pub dataset_name: String,
        pub records: u64,
        /// Where its files were uploaded: the data as it was then.
        pub training_uri: String,
    }

    /// Something that answers for a model.
    pub struct ServedBy {
        pub arn: String,
        pub name: String,
        pub way: ServingWay,
        /// AWS's own word: Creating, Active, InService, Updating, Failed.
        pub status: String,
        pub failure: Option<String>,
        pub created_at: Option<i64>,
        /// The model that it is being turned to.
        pub turning_to: Option<String>,
        pub units: u32,
        /// Until when it cannot be ended.
        pub committed_until: Option<i64>,
        /// Of an hour and unit of provisioned throughput; null where it is not known.
        pub rate: Option<Price>,
        pub hourly_usd: Option<f64>,
        /// When the app will end it.
        pub ends_at: Option<i64>,
        pub end_problem: Option<String>,
        /// When this app asked it last; null for never.
        pub asked_at: Option<i64>,
    }

    #[derive(Eq, Copy)]
    pub enum ServingWay {
        /// Billed by the token; nothing while it is idle.
        OnDemand,
        /// Billed by the hour until it is deleted.
        Provisioned,
    }

    pub struct ModelArn {
        pub arn: String,
    }

    /// How a model can be made to answer, before anything is created.
    pub struct ServingPlan {
        /// The first is the one to take; empty where there is none.
        pub ways: Vec<WayToServe>,
        /// Why the first one, or why none.
        pub why: String,
        pub suggested_name: String,
        /// False on this computer; prices are then what AWS would charge.
        pub billed: bool,
        /// Whether a price list was asked, in a sentence.
        pub prices_from: String,
    }

    pub struct WayToServe {
        pub way: ServingWay,
        /// By the hour without and with a commitment, or by the token; empty where no dated source names one.
        pub rates: Vec<Price>,
    }

    pub struct ServeRequest {
        pub model: String,
        pub way: ServingWay,
        pub name: String,
        /// Of provisioned throughput.
        pub units: u32,
        pub commitment: Option<Commitment>,
        /// When the app is to end it.
        pub ends_at: Option<i64>,
    }

    #[derive(Eq, Copy)]
    pub enum Commitment { OneMonth, SixMonths }

    pub struct TurnRequest {
        /// Of the deployment or provisioned throughput.
        pub served: String,
        /// Of the model that it is to answer with.
        pub model: String,
    }

    /// What deleting a model takes with it, in the order in which it is done.
    pub struct Removal {
        pub steps: Vec<RemovalStep>,
        /// Why it cannot be done now.
        pub refused: Option<String>,
    }

    #[derive(Eq)]
    pub struct RemovalStep {
        pub arn: String,
        pub name: String,
        /// "Deployment", "Provisioned throughput", "Custom model".
        pub what: String,
        /// What stops working.
        pub consequence: String,
    }

    pub struct CopyRequest {
        pub model: String,
        pub region: String,
        pub name: String,
    }

    #[derive(Eq)]
    pub struct ExportedModel {
        pub folder: String,
        pub files: Vec<String>,
    }

    pub struct ImportModelRequest {
        pub name: String,
    }
}
