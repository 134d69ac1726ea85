//! Statistics of a dataset: numbers, and pictures of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use whetstone_charts::{Bars, Histogram, Palette, bars, histogram};
use whetstone_contract as contract;
use whetstone_contract::{
    AppError, CostBasis, Coverage, DatasetPart, Duplicates, ErrorCode, Spread, StatisticsChart, StatisticsChartRequest,
    StatisticsPicture, StatisticsRequest, Tally,
};
use whetstone_dataset::{Intent, Lengths, SplitKind, State, Statistics, StatisticsBuilder, TokenCounter, Watch};

use super::opened::Opened;
use super::{Datasets, from_document};
use crate::background::{Standing, Watched, complete};
use crate::{models, tokens};

const MOST_LABELS: usize = 20;
/// Records whose numbers are told at once, between two looks at whether to go on.
const STRIDE: u64 = 512;
/// Numbers so far are told about so often.
const TOLD_EVERY: Duration = Duration::from_millis(700);

impl Datasets {
    pub async fn statistics(self: &Arc<Self>, asked: StatisticsRequest) -> Result<contract::Statistics, AppError> {
        let model = models::intent(&asked.base_model)?;
        self.work(asked.dataset, move |opened| match ask(opened, model)? {
            Standing::Ready(numbers) => Ok(show(&numbers, model, opened, complete())),
            Standing::UnderWay(coverage, Some(so_far)) => Ok(show(&so_far, model, opened, coverage)),
            Standing::UnderWay(coverage, None) => Ok(show(&Statistics::default(), model, opened, coverage)),
        })
        .await
    }

    pub async fn statistics_chart(
        self: &Arc<Self>,
        asked: StatisticsChartRequest,
    ) -> Result<StatisticsChart, AppError> {
        let model = models::intent(&asked.base_model)?;
        self.work(asked.dataset.clone(), move |opened| match ask(opened, model)? {
            Standing::Ready(numbers) | Standing::UnderWay(_, Some(numbers)) => draw(&numbers, model, &asked),
            Standing::UnderWay(_, None) => Ok(StatisticsChart { svg: None, description: "Being counted".to_owned() }),
        })
        .await
    }
}

fn ask(opened: &Arc<Opened>, model: Intent<'static>) -> Result<Standing<Statistics>, AppError> {
    let (state, index) = opened.state()?;
    if !index.complete {
        return Ok(Standing::UnderWay(index, None));
    }
    opened.numbers.ask_telling(
        (opened.edition(), model.id().to_owned()),
        || {
            let title = format!("Statistics of {}", opened.document().meta().name);
            opened.watched(title, "Counting", DatasetPart::Statistics)
        },
        move |watched, tell| gather(&state, model, watched, tell),
    )
}

fn gather(
    state: &State,
    model: Intent<'static>,
    watched: &Watched,
    tell: &(dyn Fn(Statistics) + Sync),
) -> Result<Statistics, AppError> {
    let source = tokens::source(&model);
    let count = |text: &str| tokens::of_text(&model, text);
    let counter = TokenCounter { name: source.name, count: &count };
    let total = state.len();
    let mut builder = StatisticsBuilder::new(&counter, total);
    let mut told = Instant::now();
    let mut rest = TOLD_EVERY;
    for row in state.iter() {
        let row = row.map_err(|error| from_document(&error))?;
        if row.position % STRIDE == 0 {
            watched.progress(row.position, total);
            if watched.cancelled() {
                return Err(AppError::new(ErrorCode::Cancelled, "The counting was cancelled."));
            }
            if told.elapsed() >= rest {
                let begun = Instant::now();
                tell(builder.so_far());
                // Summing up takes longer the more was read: it has a tenth of the time at most.
                rest = TOLD_EVERY.max(begun.elapsed() * 10);
                told = Instant::now();
            }
        }
        match &row.record {
            Ok(record) => builder.add(record, row.split.is_none_or(|split| split == SplitKind::Training)),
            Err(_) => builder.add_broken(),
        }
    }
    Ok(builder.finish())
}

fn show(numbers: &Statistics, model: Intent<'static>, opened: &Opened, coverage: Coverage) -> contract::Statistics {
    let tally = |rows: &[(String, u64)], most: usize| -> Vec<Tally> {
        rows.iter().take(most).map(|(label, records)| Tally { label: label.clone(), records: *records }).collect()
    };
    let labels = numbers.labels.as_deref().unwrap_or_default();
    contract::Statistics {
        coverage,
        records: numbers.records,
        turns: numbers.turns.iter().map(|(turns, records)| u64::from(*turns) * records).sum(),
        token_source: tokens::source(&model),
        whole: spread(&numbers.whole),
        prompt: spread(&numbers.context),
        completion: spread(&numbers.completion),
        characters: spread(&numbers.characters),
        turn_counts: turn_rows(numbers).into_iter().map(|(label, records)| Tally { label, records }).collect(),
        labels: tally(labels, MOST_LABELS),
        label_count: labels.len() as u64,
        languages: tally(&numbers.languages, MOST_LABELS),
        languages_note: format!(
            "Told from three-letter groups in {} of {} records; short texts and mixtures are often told wrong.",
            numbers.languages_asked, numbers.records
        ),
        duplicates: Duplicates {
            exact: numbers.duplicates,
            near: opened.near.known(&(opened.edition(), model.id().to_owned())).map(|checked| {
                let found = |rule| checked.report.rule(rule).map_or(0, |count| count.findings);
                found("near-duplicate") + found("near-leak")
            }),
            conflicting: numbers.contradictions,
        },
        cost: CostBasis {
            tokens: numbers.training_tokens,
            records: numbers.training_records,
            of_all_records: opened.document().split_counts().is_none(),
        },
    }
}

fn spread(lengths: &Lengths) -> Spread {
    let records = lengths.sorted().len();
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    let mean = if records == 0 { 0.0 } else { lengths.total() as f64 / records as f64 };
    Spread {
        sum: lengths.total(),
        least: lengths.least().into(),
        median: lengths.at_share(0.5).into(),
        p90: lengths.at_share(0.9).into(),
        p99: lengths.at_share(0.99).into(),
        most: lengths.most().into(),
        mean,
    }
}

/// How many records have so many turns, in words.
fn turn_rows(numbers: &Statistics) -> Vec<(String, u64)> {
    let name = |turns: u32| if turns == 1 { "1 turn".to_owned() } else { format!("{turns} turns") };
    numbers.turns.iter().map(|(turns, records)| (name(*turns), *records)).collect()
}

fn draw(
    numbers: &Statistics,
    model: Intent<'static>,
    asked: &StatisticsChartRequest,
) -> Result<StatisticsChart, AppError> {
    let palette = Palette {
        ink: asked.palette.ink.clone(),
        faint_ink: asked.palette.faint_ink.clone(),
        grid: asked.palette.grid.clone(),
        training: asked.palette.training.clone(),
        validation: asked.palette.validation.clone(),
    };
    let lengths = |lengths: &Lengths, limit: Option<u32>, what: &str| {
        let median = f64::from(lengths.at_share(0.5));
        let marks: Vec<(f64, &str)> =
            [Some((median, "median")), limit.map(|limit| (f64::from(limit), "limit"))].into_iter().flatten().collect();
        let svg = histogram(&Histogram {
            sorted: lengths.sorted(),
            unit: "tokens",
            marks: &marks,
            width: asked.width,
            height: asked.height,
            palette: &palette,
        });
        (svg, format!("Tokens of {what}, by {}", numbers.counted_by))
    };
    let counted = |rows: Vec<(String, u64)>, what: &str| {
        let rows: Vec<_> = rows.into_iter().take(MOST_LABELS).collect();
        (bars(&Bars { rows: &rows, width: asked.width, palette: &palette }), what.to_owned())
    };
    let limits = model.data();
    let (svg, description) = match asked.picture {
        StatisticsPicture::WholeTokens => lengths(&numbers.whole, limits.max_tokens_per_record, "whole records"),
        StatisticsPicture::PromptTokens => lengths(&numbers.context, limits.max_prompt_tokens, "what the model reads"),
        StatisticsPicture::CompletionTokens => {
            lengths(&numbers.completion, limits.max_completion_tokens, "what the model learns to say")
        }
        StatisticsPicture::Turns => counted(turn_rows(numbers), "Records by the number of their turns"),
        StatisticsPicture::Labels => counted(numbers.labels.clone().unwrap_or_default(), "Records by their completion"),
        StatisticsPicture::Languages => counted(numbers.languages.clone(), "Records by language"),
        StatisticsPicture::Duplicates => counted(
            vec![
                ("said once".to_owned(), numbers.records - numbers.duplicates - numbers.contradictions),
                ("exact repeats".to_owned(), numbers.duplicates),
                ("other answer".to_owned(), numbers.contradictions),
            ],
            "Records that repeat an earlier one",
        ),
        StatisticsPicture::Cost => counted(
            vec![
                ("System texts".to_owned(), numbers.system_tokens),
                ("Prompts".to_owned(), numbers.context.total() - numbers.system_tokens),
                ("Completions".to_owned(), numbers.completion.total()),
            ],
            "Tokens that a training is paid for, by where they stand",
        ),
    };
    let svg = svg
        .map_err(|error| AppError::new(ErrorCode::Bug, "The picture could not be drawn.").detail(error.to_string()))?;
    Ok(StatisticsChart { svg: Some(svg), description })
}
