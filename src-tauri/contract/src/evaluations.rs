//! Evaluations: models asked the same records, and what their answers show.

use crate::{AppError, ChartPalette, FieldProblem, Judge, Judged, People, shapes};

shapes! {
    /// An evaluation as its form holds it.
    pub struct EvaluationDraft {
        pub name: String,
        pub dataset: String,
        pub part: EvaluationPart,
        /// How many records are drawn; null for all of the part.
        pub records: Option<u64>,
        /// Decides which records and which examples are drawn, and the draws of intervals.
        pub seed: u64,
        /// The first is the one that the others are compared with.
        pub candidates: Vec<Candidate>,
        pub max_tokens: u32,
        /// 0 to 1; 0 always takes the likeliest token.
        pub temperature: f64,
        /// The metric of the verdict, by its id; null for the one that suits the references.
        pub metric: Option<String>,
        /// Judges the answers once they are there; null for none.
        pub judge: Option<Judge>,
        /// Metrics of one's own, beside those that fit the references.
        #[serde(default)]
        pub measures: Vec<Measure>,
    }

    /// A metric of one's own.
    #[derive(Eq)]
    pub struct Measure {
        pub name: String,
        /// In the Common Expression Language, over the texts prompt, reference and answer.
        pub expression: String,
    }

    #[derive(Eq, Copy)]
    pub enum EvaluationPart { HoldOut, Validation, Training, All }

    /// A model under a prompt setting.
    #[derive(Eq)]
    pub struct Candidate {
        /// What is passed at inference: a model id, an inference profile, or an ARN.
        pub model_id: String,
        pub name: String,
        /// The base model it is or comes from, where that is known; for prices and tokens.
        pub base_model: Option<String>,
        pub tuned: bool,
        pub stand_in: bool,
        /// Examples from the training part that stand before each prompt.
        pub examples: u32,
        /// Takes the place of the records' own system text; null leaves that.
        pub system: Option<String>,
    }

    /// The draft checked, and what it would cost. Asks no model.
    pub struct EvaluationPlan {
        pub problems: Vec<FieldProblem>,
        /// What does not stand in the way and should be known.
        pub warnings: Vec<String>,
        pub available: u64,
        pub records: u64,
        /// Records times models, and what a judge is asked at most.
        pub prompts: u64,
        /// Of those, how many are answered already and are not asked again.
        pub answered: u64,
        /// What so many records mean for the interval, in a sentence.
        pub precision: String,
        pub cost: EvaluationCost,
        /// Metrics that fit the references, the suggested one first.
        pub metrics: Vec<MetricChoice>,
    }

    pub struct EvaluationCost {
        /// False on this computer.
        pub billed: bool,
        /// Null where some of it is not known.
        pub usd: Option<f64>,
        /// In two or three words: "Free", "About 0.52 USD", "Price unknown".
        pub headline: String,
        /// How it came about, one sentence a model.
        pub notes: Vec<String>,
    }

    #[derive(Eq)]
    pub struct MetricChoice {
        pub id: String,
        pub label: String,
    }

    pub struct EvaluationId {
        pub evaluation: String,
    }

    pub struct EvaluationSummary {
        pub id: String,
        pub name: String,
        pub state: EvaluationState,
        pub created_at: i64,
        pub dataset: String,
        pub dataset_name: String,
        pub part: EvaluationPart,
        pub connection_name: String,
        pub region: String,
        pub records: u64,
        pub prompts: u64,
        pub answered: u64,
        pub candidates: Vec<String>,
        pub stand_in: bool,
        /// The verdict in a few words, once there is one.
        pub headline: Option<String>,
        pub outcome: Option<Outcome>,
        /// Why it stopped.
        pub error: Option<AppError>,
        /// The activity that carries it on now.
        pub activity: Option<String>,
    }

    #[derive(Eq, Copy)]
    pub enum EvaluationState {
        Running,
        /// The person stopped it; it can go on.
        Stopped,
        Failed,
        Done,
    }

    #[derive(Eq, Copy)]
    pub enum Outcome { Better, NoClearDifference, Worse }

    /// What the answers show. Over the records that every model has answered, while it is not complete.
    pub struct Evaluation {
        pub summary: EvaluationSummary,
        pub draft: EvaluationDraft,
        /// Records that the numbers are over.
        pub compared: u64,
        /// Answers that the endpoint refused to give; they count as wrong.
        pub refused_by_endpoint: u64,
        pub metric: String,
        pub metric_label: String,
        /// One for each model but the first.
        pub verdicts: Vec<Verdict>,
        /// The one that the page is about.
        pub headline_verdict: Option<u32>,
        pub metrics: Vec<MetricRow>,
        pub slices: Vec<SliceTable>,
        /// What a judge found; null where none was asked.
        pub judged: Option<Judged>,
        /// What people said, of each model that has a vote.
        pub people: Vec<People>,
        /// Whether the references are labels.
        pub has_labels: bool,
        /// What to try next.
        pub next: Vec<String>,
        /// How the numbers were made, a sentence each.
        pub methods: Vec<String>,
    }

    pub struct Verdict {
        /// Its place among the candidates.
        pub candidate: u32,
        pub outcome: Outcome,
        /// "Yes, it helped."
        pub heading: String,
        /// With the interval, in a sentence or two.
        pub words: String,
        /// Rows on which it does better, and worse, than the first.
        pub won: u64,
        pub lost: u64,
    }

    /// A cell for each candidate.
    pub struct MetricRow {
        pub id: String,
        pub label: String,
        /// What the values count; null for a share between 0 and 1.
        pub unit: Option<String>,
        /// Null where neither is better.
        pub more_is_better: Option<bool>,
        pub cells: Vec<Option<MetricCell>>,
    }

    pub struct MetricCell {
        pub value: f64,
        pub low: f64,
        pub high: f64,
        /// From the first candidate; null for that one.
        pub difference: Option<MetricDifference>,
    }

    pub struct MetricDifference {
        pub value: f64,
        pub low: f64,
        pub high: f64,
        /// Corrected for the number of models (Holm).
        pub p: f64,
        pub outcome: Outcome,
    }

    pub struct SliceTable {
        /// "Prompt length", "Label", "Field".
        pub by: String,
        pub slices: Vec<Slice>,
    }

    pub struct Slice {
        pub name: String,
        pub records: u64,
        /// A cell for each candidate, of the verdict's metric; of a field the share that is right.
        pub cells: Vec<MetricCell>,
    }

    pub struct EvaluationRowsRequest {
        pub evaluation: String,
        /// Compared with the first.
        pub candidate: u32,
        pub which: EvaluationRowKind,
        pub offset: u64,
        pub limit: u64,
    }

    #[derive(Eq, Copy)]
    pub enum EvaluationRowKind {
        /// On which the candidate does better than the first.
        Won,
        Lost,
        Best,
        Worst,
        Random,
    }

    pub struct EvaluationRows {
        pub total: u64,
        pub rows: Vec<EvaluationRow>,
    }

    pub struct EvaluationRow {
        /// In the dataset, from 0, when the evaluation was started.
        pub position: u64,
        pub prompt: String,
        pub reference: String,
        /// One for each candidate.
        pub answers: Vec<RowAnswer>,
    }

    pub struct RowAnswer {
        pub text: String,
        /// Why there is none.
        pub error: Option<String>,
        pub score: f64,
        pub total_ms: u64,
    }

    pub struct EvaluationChartRequest {
        pub evaluation: String,
        pub candidate: u32,
        pub width: u32,
        pub palette: ChartPalette,
    }

    pub struct EvaluationChart {
        /// Drawn by the app itself; null where there is nothing to draw.
        pub svg: Option<String>,
        pub description: String,
    }

    pub struct ExportEvaluation {
        pub evaluation: String,
        pub what: EvaluationFile,
    }

    #[derive(Eq, Copy)]
    pub enum EvaluationFile {
        Html,
        Csv,
        Json,
        /// People's votes as JSON Lines to train from: prompt, chosen, rejected.
        Preferences,
    }
}
