//! Customization jobs: plan one, start it, watch it, serve what came of it.

use std::collections::BTreeMap;

use crate::{CostEstimate, shapes};

shapes! {
    /// A job as the wizard holds it. What is null is left to the connection, or not sent.
    #[derive(Default)]
    #[serde(default)]
    pub struct JobDraft {
        pub customization_type: CustomizationType,
        pub base_model: String,
        /// Empty where the data are invocation logs.
        pub dataset: String,
        /// Calls that Bedrock logged, instead of a dataset.
        pub invocation_logs: Option<InvocationLogs>,
        pub hyperparameters: BTreeMap<String, String>,
        pub job_name: String,
        pub model_name: String,
        /// Whose answers a distillation learns.
        pub teacher: Option<Teacher>,
        /// ARN of the Lambda function that grades a reinforcement's answers.
        pub grader: Option<String>,
        /// Which weights a stand-in trains; sent as a tag, since the service has no such choice.
        pub approach: Option<Approach>,
        /// `s3://bucket/folder/`
        pub output_uri: Option<String>,
        pub role_arn: Option<String>,
        pub kms_key: Option<String>,
        pub vpc: Option<Vpc>,
        pub job_tags: Vec<Tag>,
        pub model_tags: Vec<Tag>,
    }

    #[derive(Eq, Copy, Default)]
    pub enum CustomizationType {
        #[default]
        FineTuning,
        ContinuedPreTraining,
        Distillation,
        ReinforcementFineTuning,
    }

    #[derive(Eq, Copy)]
    pub enum Approach { Full, Peft, Instruction }

    #[derive(Eq)]
    pub struct InvocationLogs {
        pub uri: String,
        /// The logged answers are learnt too, and no teacher is asked again.
        pub with_answers: bool,
    }

    #[derive(Eq)]
    pub struct Teacher {
        /// As it is invoked: a model id, or the ARN or id of an inference profile.
        pub model: String,
        /// Tokens of an answer; null for the service's own limit.
        pub longest_answer: Option<u32>,
    }

    #[derive(Eq)]
    pub struct Vpc {
        pub subnets: Vec<String>,
        pub security_groups: Vec<String>,
    }

    #[derive(Eq)]
    pub struct Tag {
        pub key: String,
        pub value: String,
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
        pub cost: CostEstimate,
        pub stand_in: bool,
        /// What suits this data, for hyperparameters where that can be said.
        pub recommended: Vec<Recommendation>,
    }

    #[derive(Eq)]
    pub struct Recommendation {
        /// The hyperparameter's key.
        pub key: String,
        pub value: String,
        pub why: String,
    }

    #[derive(Eq)]
    pub struct FieldProblem {
        /// A member of the draft (`jobName`, `dataset`, `teacher` …), or a hyperparameter's key.
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
        /// Not started by this app on this computer: found at the endpoint, and only what that tells is known.
        pub elsewhere: bool,
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
        /// What is known of a failure with such words; null where none is known.
        pub explanation: Option<Explanation>,
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
        pub best: Option<BestStep>,
        /// In words, when the training ended before its last step because nothing was gained any more.
        pub stopped_early: Option<String>,
        /// What was seen of jobs at this point, with its source; never a promise.
        pub usual: Option<String>,
        /// What the curves say, the gravest first; empty where they are well.
        pub advice: Vec<Advice>,
        /// What this app saw and did, oldest first.
        pub events: Vec<JobEvent>,
        pub notes: String,
        /// Set where the job was started to try another one first.
        pub rehearsal: Option<Rehearsal>,
        /// The job that this one was tried with first.
        pub rehearsed_by: Option<JobSummary>,
        /// The address of the wizard with this job's settings in it.
        pub clone_route: String,
    }

    /// What a job is the rehearsal of: its draft as it was meant, for another connection.
    pub struct Rehearsal {
        /// False once that connection was removed.
        pub known: bool,
        pub connection_name: String,
        pub region: String,
        /// The job that was started there.
        pub carried: Option<JobSummary>,
    }

    /// The validation that was best so far.
    pub struct BestStep {
        /// From 0, as in the files.
        pub step: u64,
        pub loss: f64,
    }

    /// A failure in words for a person.
    #[derive(Eq)]
    pub struct Explanation {
        pub cause: String,
        pub fix: String,
        pub source: String,
        /// Where the message names a line: the record that stands there.
        pub record: Option<FaultyRecord>,
    }

    #[derive(Eq)]
    pub struct FaultyRecord {
        pub dataset: String,
        /// Its place in the dataset, from 0.
        pub position: u64,
        /// The line of the file, from 1.
        pub line: u64,
        pub split: String,
        /// Set when the split has other records now than were uploaded: the place is then a guess.
        pub moved: bool,
    }

    pub struct Advice {
        pub kind: AdviceKind,
        /// What was seen.
        pub finding: String,
        /// What to change.
        pub change: String,
        /// The wizard with the change made; null where no setting would help.
        pub route: Option<String>,
    }

    #[derive(Eq, Copy)]
    pub enum AdviceKind { Divergence, RateTooHigh, TooLittleData, Memorised, Overfitting, Plateau }

    #[derive(Eq)]
    pub struct JobEvent {
        pub at: i64,
        pub text: String,
    }

    pub struct NotesRequest {
        pub job: String,
        pub notes: String,
    }

    /// An object below the job's folder in the output location.
    pub struct Artifact {
        pub uri: String,
        /// Below the job's folder.
        pub name: String,
        pub bytes: u64,
        pub modified: Option<i64>,
    }

    #[derive(Eq)]
    pub struct JobTag {
        pub key: String,
        pub value: String,
    }

    /// What the endpoint keeps of a job beside its record.
    pub struct JobRemains {
        pub artifacts: Vec<Artifact>,
        pub tags: Vec<JobTag>,
    }

    pub struct CompareRequest {
        /// Two to eight.
        pub jobs: Vec<String>,
    }

    /// Several jobs side by side; each row has a cell a job, in their order.
    pub struct JobComparison {
        pub jobs: Vec<JobSummary>,
        pub settings: Vec<ComparedRow>,
        pub data: Vec<ComparedRow>,
        pub results: Vec<ComparedRow>,
    }

    pub struct ComparedRow {
        pub name: String,
        pub cells: Vec<String>,
        /// Whether the jobs differ in it.
        pub differs: bool,
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
        /// As the looks of this app at the job give it; null where there were too few, or the tokens are not counted.
        pub tokens_per_second: Option<f64>,
    }

    pub struct Deployment {
        pub arn: String,
        pub name: String,
        pub status: DeploymentStatus,
        pub failure: Option<String>,
    }

    #[derive(Eq, Copy)]
    pub enum DeploymentStatus { Creating, Active, Failed, Deleted }
}
