//! Preferences: a model as a judge of answers, and people who compare them blind.

use crate::{EvaluationCost, FieldProblem, MetricRow, shapes};

shapes! {
    /// A model that judges the answers of others.
    #[derive(Eq)]
    pub struct Judge {
        /// As it is invoked: a model id, an inference profile, or an ARN.
        pub model_id: String,
        pub name: String,
        /// For prices and tokens, where it is known.
        pub base_model: Option<String>,
        pub tuned: bool,
        pub kind: JudgeKind,
        /// With names in braces: {prompt}, {reference}, and {a} and {b}, or {answer}.
        pub prompt: String,
        pub max_tokens: u32,
    }

    #[derive(Eq, Copy)]
    pub enum JudgeKind {
        /// Which of two answers is better, asked in both orders.
        Pairwise,
        /// How good an answer is, from 1 to 5.
        Rubric,
    }

    #[derive(Eq)]
    pub struct JudgeRequest {
        pub evaluation: String,
        pub judge: Judge,
    }

    /// What a judge would be asked, and what that would cost. Asks no model.
    pub struct JudgePlan {
        pub problems: Vec<FieldProblem>,
        pub prompts: u64,
        /// Of those, how many are answered already and are not asked again.
        pub answered: u64,
        /// Pairs of answers that are word for word the same, which no judge is asked about.
        pub same: u64,
        pub cost: EvaluationCost,
        /// The prompts to begin with.
        pub pairwise_prompt: String,
        pub rubric_prompt: String,
        /// The first prompt as it would be sent.
        pub example: Option<String>,
    }

    /// What a judge found.
    pub struct Judged {
        pub judge: Judge,
        /// Prompts that the judge was put.
        pub asked: u64,
        /// Of those, how many it has answered.
        pub answered: u64,
        /// Of those, how many do not end with a verdict; they count for nobody.
        pub unreadable: u64,
        /// Records of which each candidate's verdict could be read.
        pub comparisons: Vec<JudgeComparison>,
        /// Mean scores over the records whose scores could all be read; of a rubric only.
        pub scores: Option<MetricRow>,
        /// Records that those are over.
        pub scored: u64,
    }

    pub struct JudgeComparison {
        pub win_rate: WinRate,
        /// Records left out since a verdict could not be read.
        pub unreadable: u64,
        /// Share of the verdicts for a side that were for the answer shown first; near one half without a bias.
        pub first_shown: Option<f64>,
        /// Share of the records on which both orders led to the same verdict.
        pub orders_agree: Option<f64>,
        /// With what most people said of the same records.
        pub people: Option<Agreement>,
    }

    /// How often a candidate is preferred to the first, a record counted once.
    pub struct WinRate {
        pub candidate: u32,
        pub won: u64,
        pub lost: u64,
        pub neither: u64,
        /// Of the records on which one is preferred, with its interval; null where there is none.
        pub share: Option<Share>,
        /// Corrected for the number of models (Holm).
        pub p: f64,
        pub standing: Standing,
        pub words: String,
    }

    pub struct Share {
        pub value: f64,
        pub low: f64,
        pub high: f64,
    }

    #[derive(Eq, Copy)]
    pub enum Standing { NotEnough, NotClear, Preferred, NotPreferred }

    pub struct Agreement {
        pub records: u64,
        /// How often two of them say the same.
        pub share: f64,
        /// Beyond chance; null where it is not defined.
        pub kappa: Option<f64>,
        /// "Cohen's κ" of two, "Fleiss' κ" of more.
        pub measure: String,
    }

    pub struct JudgeRowsRequest {
        pub evaluation: String,
        pub which: JudgeRowKind,
        pub offset: u64,
        pub limit: u64,
    }

    #[derive(Eq, Copy)]
    pub enum JudgeRowKind {
        All,
        /// Answers of the judge that do not end with a verdict.
        Unreadable,
        /// Verdicts that turned with the order of the answers.
        Divided,
    }

    pub struct JudgeRows {
        pub total: u64,
        pub rows: Vec<JudgeRow>,
    }

    /// One prompt and what the judge said.
    #[derive(Eq)]
    pub struct JudgeRow {
        /// In the dataset, from 0.
        pub position: u64,
        pub candidate: u32,
        pub prompt: String,
        pub answer: String,
        /// Why there is none.
        pub error: Option<String>,
        /// The verdict as it was read, with the names of the models; null where it could not be.
        pub verdict: Option<String>,
    }

    /// A person who compares a candidate with the first, not knowing which is which.
    #[derive(Eq)]
    pub struct DuelRequest {
        pub evaluation: String,
        pub candidate: u32,
        /// The person's name.
        pub rater: String,
    }

    pub struct Duel {
        /// What to vote on next; null where everything has a vote of this person's.
        pub turn: Option<DuelTurn>,
        pub voted: u64,
        pub total: u64,
        /// Records on which both said the same; they are left out.
        pub same: u64,
    }

    /// Two answers, shuffled; nothing here tells whose they are.
    #[derive(Eq)]
    pub struct DuelTurn {
        /// Of the record in the dataset, from 0.
        pub position: u64,
        pub system: Option<String>,
        /// The user's first, then taken in turns.
        pub turns: Vec<String>,
        pub reference: String,
        pub left: String,
        pub right: String,
    }

    #[derive(Eq)]
    pub struct VoteRequest {
        pub evaluation: String,
        pub candidate: u32,
        pub rater: String,
        pub position: u64,
        pub choice: VoteChoice,
    }

    #[derive(Eq, Copy)]
    pub enum VoteChoice { Left, Right, Tie, BothBad }

    /// What people said of a candidate beside the first.
    pub struct People {
        pub win_rate: WinRate,
        pub votes: u64,
        /// Votes that neither answer is any good.
        pub both_bad: u64,
        pub raters: Vec<Rater>,
        pub agreement: Option<Agreement>,
    }

    #[derive(Eq)]
    pub struct Rater {
        pub name: String,
        pub votes: u64,
    }
}
