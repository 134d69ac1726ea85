//! Customization jobs: plan one, start it, watch it, serve what came of it.

use std::collections::BTreeMap;

use crate::shapes;

shapes! {
    /// A job as the wizard holds it.
    pub struct JobDraft {
        pub base_model: String,
        pub dataset: String,
        pub hyperparameters: BTreeMap<String, String>,
        pub job_name: String,
        pub model_name: String,
    }

    /// The draft checked, before anything is uploaded.
    pub struct JobPlan {
        /// What stands in the way; the job may start when this is empty.
        pub problems: Vec<FieldProblem>,
        pub errors: u64,
        pub warnings: u64,
        pub training_records: u64,
        pub validation_records: u64,
        pub hold_out_records: u64,
        /// Tokens of the training split, counted or estimated as `tokens_note` says.
        pub training_tokens: u64,
        pub tokens_note: String,
        pub bucket: String,
        pub training_uri: String,
        pub output_uri: String,
        pub role_arn: String,
        /// In words, with source and date where there is a price: "Free: it runs on this computer."
        pub price: String,
        pub price_note: String,
        pub stand_in: bool,
    }

    #[derive(Eq)]
    pub struct FieldProblem {
        /// `jobName`, `modelName`, `dataset`, `baseModel`, or a hyperparameter's key.
        pub field: String,
        pub message: String,
        /// A value that would be accepted.
        pub suggestion: Option<String>,
    }

    pub struct JobId {
        pub job: String,
    }

    pub struct JobSummary {
        /// The app's own id; the ARN is there once the job was accepted.
        pub id: String,
        pub name: String,
        pub arn: Option<String>,
        pub base_model: String,
        pub base_model_name: String,
        pub stand_in: bool,
        pub dataset_name: String,
        /// The connection it was started with, by id and by name. It is watched there, whichever is current.
        pub connection: String,
        pub connection_name: String,
        pub region: String,
        pub account: Option<String>,
        pub status: JobStatus,
        pub created_at: i64,
        pub ended_at: Option<i64>,
        pub training_loss: Option<f64>,
        pub validation_loss: Option<f64>,
    }

    #[derive(Eq, Copy)]
    pub enum JobStatus {
        /// Files are on their way; the job is not created yet.
        Uploading,
        InProgress,
        Completed,
        Failed,
        Stopping,
        Stopped,
    }

    pub struct JobDetail {
        pub summary: JobSummary,
        pub dataset: String,
        pub phases: Vec<Phase>,
        pub failure: Option<String>,
        pub failure_hint: Option<String>,
        pub hyperparameters: BTreeMap<String, String>,
        pub training_records: u64,
        pub validation_records: u64,
        pub hold_out_records: u64,
        pub training_uri: String,
        pub output_uri: String,
        pub output_model_arn: Option<String>,
        pub model_name: String,
        pub progress: Option<Progress>,
        pub deployment: Option<Deployment>,
    }

    pub struct Phase {
        pub name: PhaseName,
        pub status: PhaseStatus,
        pub started_at: Option<i64>,
        pub changed_at: Option<i64>,
    }

    #[derive(Eq, Copy)]
    pub enum PhaseName { Validation, DataProcessing, Training }

    #[derive(Eq, Copy)]
    pub enum PhaseStatus { NotStarted, InProgress, Completed, Stopping, Stopped, Failed }

    /// What the metrics files say so far.
    pub struct Progress {
        /// From 0, as in the files.
        pub step: u64,
        /// From 0.
        pub epoch: u64,
        /// Null where it cannot be told before the end.
        pub total_steps: Option<u64>,
        pub training_loss: f64,
        pub validation_loss: Option<f64>,
        pub perplexity: f64,
        pub seconds_left: Option<f64>,
    }

    pub struct Deployment {
        pub arn: String,
        pub name: String,
        pub status: DeploymentStatus,
        pub failure: Option<String>,
    }

    #[derive(Eq, Copy)]
    pub enum DeploymentStatus { Creating, Active, Failed }

    pub struct ChartRequest {
        pub job: String,
        pub width: u32,
        pub height: u32,
        /// Weight of the past in the running mean, 0 to 0.99.
        pub smoothing: f64,
        pub log_scale: bool,
        pub palette: ChartPalette,
    }

    /// Colours as `#rrggbb`, taken from the window's tokens.
    #[derive(Eq)]
    pub struct ChartPalette {
        pub ink: String,
        /// Axis labels.
        pub faint_ink: String,
        pub grid: String,
        pub training: String,
        pub validation: String,
    }

    pub struct Chart {
        /// A picture, drawn by the app itself; null while there is no point to draw.
        pub svg: Option<String>,
        pub training_points: u64,
        pub validation_points: u64,
    }
}
