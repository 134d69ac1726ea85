//! Statistics of a dataset: numbers, and pictures of them drawn by the app.

use crate::{ChartPalette, Coverage, TokenSource, shapes};

shapes! {
    pub struct StatisticsRequest {
        pub dataset: String,
        pub base_model: String,
    }

    pub struct Statistics {
        /// Numbers are of what was read so far, while this is not complete.
        pub coverage: Coverage,
        pub records: u64,
        pub turns: u64,
        pub token_source: TokenSource,
        pub whole: Spread,
        pub prompt: Spread,
        pub completion: Spread,
        pub characters: Spread,
        pub turn_counts: Vec<Tally>,
        /// The commonest completions that are short and repeat; empty where completions are free text.
        pub labels: Vec<Tally>,
        pub label_count: u64,
        pub languages: Vec<Tally>,
        /// How languages were told: the name of the method, and what it cannot tell.
        pub languages_note: String,
        pub duplicates: Duplicates,
        pub cost: CostBasis,
    }

    /// How a number is spread over the records.
    pub struct Spread {
        pub sum: u64,
        pub least: u64,
        pub median: u64,
        pub p90: u64,
        pub p99: u64,
        pub most: u64,
        pub mean: f64,
    }

    #[derive(Eq)]
    pub struct Tally {
        pub label: String,
        pub records: u64,
    }

    pub struct Duplicates {
        /// Records that say what an earlier one says, to the letter.
        pub exact: u64,
        /// Records that nearly do; null while it was not looked for.
        pub near: Option<u64>,
        /// Prompts that are answered in more than one way.
        pub conflicting: u64,
    }

    /// What the price of training grows from. Tokens of the training split, or of all records without one.
    pub struct CostBasis {
        pub tokens: u64,
        pub records: u64,
        /// True when there is no split yet.
        pub of_all_records: bool,
    }

    #[derive(Eq, Copy)]
    pub enum StatisticsPicture { WholeTokens, PromptTokens, CompletionTokens, Turns, Labels, Languages, Duplicates, Cost }

    pub struct StatisticsChartRequest {
        pub dataset: String,
        pub base_model: String,
        pub picture: StatisticsPicture,
        pub width: u32,
        pub height: u32,
        pub log_scale: bool,
        pub palette: ChartPalette,
    }

    pub struct StatisticsChart {
        /// Drawn by the app itself; null while there is nothing to draw.
        pub svg: Option<String>,
        /// What it shows, for those who do not see it.
        pub description: String,
    }
}
