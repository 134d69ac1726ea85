//! Records side by side, and the picture of which label was taken for which.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use whetstone_charts::{Grid, Palette, grid};
use whetstone_contract::{
    AppError, ErrorCode, EvaluationChart, EvaluationChartRequest, EvaluationRow, EvaluationRowKind, EvaluationRows,
    EvaluationRowsRequest, RowAnswer,
};
use whetstone_evaluation::Confusion;

use super::scores::Scores;
use crate::Workbench;

/// More rows at once are more than a page shows.
const MOST_ROWS: u64 = 100;
/// Labels that a picture has room for: those that are mixed up most.
const MOST_LABELS: usize = 16;

impl Workbench {
    pub(crate) async fn rows_of_evaluation(&self, asked: EvaluationRowsRequest) -> Result<EvaluationRows, AppError> {
        let scores = self.scores_of(&asked.evaluation).await?;
        let candidate = known(&scores, asked.candidate)?;
        let places = chosen(&scores, candidate, asked.which);
        let window = places.iter().skip(usize::try_from(asked.offset).unwrap_or(usize::MAX));
        let window = window.take(usize::try_from(asked.limit.min(MOST_ROWS)).unwrap_or(0));
        Ok(EvaluationRows { total: places.len() as u64, rows: window.map(|at| row(&scores, *at)).collect() })
    }

    pub(crate) async fn draw_confusion(&self, asked: EvaluationChartRequest) -> Result<EvaluationChart, AppError> {
        let scores = self.scores_of(&asked.evaluation).await?;
        let candidate = known(&scores, asked.candidate)?;
        let palette = Palette {
            ink: asked.palette.ink,
            faint_ink: asked.palette.faint_ink,
            grid: asked.palette.grid,
            training: asked.palette.training,
            validation: asked.palette.validation,
        };
        confusion_picture(&scores, candidate, asked.width, &palette)
    }
}

fn known(scores: &Scores, candidate: u32) -> Result<usize, AppError> {
    let at = candidate as usize;
    (at < scores.candidates().len())
        .then_some(at)
        .ok_or_else(|| AppError::new(ErrorCode::InvalidInput, "There is no such model in this evaluation."))
}

/// Places of the cases, in the order in which they are shown.
pub fn chosen(scores: &Scores, candidate: usize, which: EvaluationRowKind) -> Vec<usize> {
    let mine = &scores.alone[candidate];
    let gain = |at: usize| mine[at] - scores.alone[0][at];
    let mut places: Vec<usize> = (0..scores.cases.len()).collect();
    match which {
        EvaluationRowKind::Won => {
            places.retain(|at| gain(*at) > 0.0);
            places.sort_by(|a, b| gain(*b).total_cmp(&gain(*a)));
        }
        EvaluationRowKind::Lost => {
            places.retain(|at| gain(*at) < 0.0);
            places.sort_by(|a, b| gain(*a).total_cmp(&gain(*b)));
        }
        EvaluationRowKind::Best => places.sort_by(|a, b| mine[*b].total_cmp(&mine[*a])),
        EvaluationRowKind::Worst => places.sort_by(|a, b| mine[*a].total_cmp(&mine[*b])),
        EvaluationRowKind::Random => places.shuffle(&mut ChaCha8Rng::seed_from_u64(scores.record.draft.seed)),
    }
    places
}

fn row(scores: &Scores, at: usize) -> EvaluationRow {
    let case = &scores.cases[at];
    let answers = scores.answers.iter().zip(&scores.alone).map(|(answers, alone)| RowAnswer {
        text: answers[at].text.clone(),
        error: answers[at].error.clone(),
        score: alone[at],
        total_ms: answers[at].total_ms,
    });
    EvaluationRow {
        position: case.position,
        prompt: case.prompt().to_owned(),
        reference: case.reference.clone(),
        answers: answers.collect(),
    }
}

/// The labels that are mixed up most, as many as there is room for.
pub fn confusion_picture(
    scores: &Scores,
    candidate: usize,
    width: u32,
    palette: &Palette,
) -> Result<EvaluationChart, AppError> {
    let nothing = |description: &str| EvaluationChart { svg: None, description: description.to_owned() };
    if scores.labels.is_empty() {
        return Ok(nothing("The references are no labels."));
    }
    let pairs = scores.pairs(candidate);
    let all: Vec<String> = scores.labels.iter().map(|(label, _)| label.clone()).collect();
    let whole = Confusion::new(&all, &pairs);
    let mut labels: Vec<String> = Vec::new();
    for (wanted, said, _) in whole.commonest(usize::MAX) {
        for name in [Some(wanted), said].into_iter().flatten() {
            if labels.len() < MOST_LABELS && !labels.iter().any(|known| known == name) {
                labels.push(name.to_owned());
            }
        }
    }
    labels.extend(
        all.iter().filter(|name| !labels.contains(name)).take(MOST_LABELS - labels.len()).cloned().collect::<Vec<_>>(),
    );
    let found = Confusion::new(&labels, &pairs);
    let cells: Vec<Vec<u64>> = found.counts.iter().map(|row| row.iter().map(|count| *count as u64).collect()).collect();
    let columns: Vec<String> = labels.iter().cloned().chain(["other".to_owned()]).collect();
    let svg = grid(&Grid { rows: &labels, columns: &columns, cells: &cells, width, palette })
        .map_err(|error| AppError::new(ErrorCode::Bug, "The picture could not be drawn.").detail(error.to_string()))?;
    let shown = if labels.len() < all.len() {
        format!("The {} of {} labels that are mixed up most. ", labels.len(), all.len())
    } else {
        String::new()
    };
    let mistakes: Vec<String> = found
        .commonest(3)
        .into_iter()
        .map(|(wanted, said, count)| {
            format!("{wanted} taken for {} {count} times", said.unwrap_or("no label of these"))
        })
        .collect();
    Ok(EvaluationChart { svg: Some(svg), description: format!("{shown}{}", mistakes.join("; ")) })
}
