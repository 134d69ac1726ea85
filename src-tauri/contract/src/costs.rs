//! What things cost, said before they arise: each figure with its source and date, and unknown where it is not known.

use crate::{Price, TokenSource, shapes};

shapes! {
    pub struct EstimateRequest {
        pub dataset: String,
        pub base_model: String,
        /// Null for the base model's default.
        pub epochs: Option<u32>,
        /// Null for the Region of the connection, or where the model is tuned when that is another.
        pub region: Option<String>,
    }

    pub struct TokenEstimateRequest {
        pub base_model: String,
        /// Those of the records that would be trained on, once.
        pub tokens: u64,
    }

    /// What tuning a base model on a dataset costs, and what the tuned model costs afterwards.
    pub struct CostEstimate {
        pub base_model: String,
        pub base_model_name: String,
        /// Whose prices these are.
        pub region: String,
        pub training_tokens: u64,
        pub token_source: TokenSource,
        pub epochs: u32,
        /// Tokens times epochs.
        pub billed_tokens: u64,
        /// False where nothing is billed: on this computer. The lines then say what AWS would charge.
        pub billed: bool,
        /// What starting the job costs: 0 where nothing is billed, null where it is not known.
        pub start_usd: Option<f64>,
        /// `start_usd` in two or three words: "Free", "About 0.52 USD", "Price unknown".
        pub headline: String,
        /// What stands behind the headline, in a sentence or two.
        pub note: String,
        /// Whether a price list was asked, in a sentence.
        pub prices_from: String,
        /// Set when this would go over the month's budget.
        pub budget_warning: Option<String>,
        pub lines: Vec<CostLine>,
    }

    pub struct CostLine {
        pub item: CostItem,
        /// "Training", "Storage of the custom model".
        pub label: String,
        pub charged: Charged,
        /// Null: not known.
        pub rate: Option<Price>,
        /// Training once; storage and hours a month. Null by the token, and where it is not known.
        pub usd: Option<f64>,
        /// How `usd` came about, or why there is none.
        pub note: String,
    }

    #[derive(Eq, Copy)]
    pub enum CostItem {
        Training,
        Storage,
        InputTokens,
        OutputTokens,
        BaseInputTokens,
        BaseOutputTokens,
        ProvisionedHour,
    }

    #[derive(Eq, Copy)]
    pub enum Charged {
        Once,
        /// A month, for as long as it is there.
        Monthly,
        /// By the hour, used or not; `usd` is a month of 730 hours.
        Hourly,
        ByTheToken,
    }
}

shapes! {
    /// What costs money as long as it is there, at this connection.
    pub struct RunningCosts {
        /// False on this computer; the figures are then what AWS would charge.
        pub billed: bool,
        pub items: Vec<RunningCost>,
        /// Of those whose price is known.
        pub hourly_usd: f64,
        /// Items whose price is not known.
        pub unknown: u32,
        pub month: MonthCosts,
    }

    pub struct RunningCost {
        pub arn: String,
        pub name: String,
        pub kind: RunningKind,
        pub base_model_name: Option<String>,
        pub units: u32,
        /// AWS's own word, such as "InService".
        pub status: String,
        pub since: Option<i64>,
        /// Until when it cannot be ended.
        pub committed_until: Option<i64>,
        pub rate: Option<Price>,
        pub hourly_usd: Option<f64>,
        /// Since it was created.
        pub so_far_usd: Option<f64>,
        /// When the app will end it.
        pub ends_at: Option<i64>,
        /// Why it could not be ended when it was due.
        pub end_problem: Option<String>,
    }

    #[derive(Eq, Copy)]
    pub enum RunningKind {
        /// By the hour.
        Provisioned,
        /// A custom model, by the month.
        Storage,
    }

    /// This calendar month (UTC), as far as this app knows: jobs it started, and what is there now.
    pub struct MonthCosts {
        pub so_far_usd: f64,
        /// With what is there now until the end of the month.
        pub expected_usd: f64,
        pub budget_usd: Option<f64>,
        /// Set when the budget is nearly or wholly used up, or will be.
        pub warning: Option<String>,
    }

    pub struct EndTimeRequest {
        pub arn: String,
        /// Null: it is not ended by the app.
        pub ends_at: Option<i64>,
    }

    pub struct ReminderRequest {
        pub arn: String,
    }
}
