//! The loss chart of one job or of several: drawn from the lines in memory, and written to a file.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine;
use whetstone_charts::{Curve, LossChart, LossPicture, Mark, Palette, RunLines, XAxis, loss_chart};
use whetstone_cloud::Metrics;
use whetstone_contract::{
    AppError, Chart, ChartAxis, ChartFile, ChartLine, ChartPalette, ChartPlot, ChartPoint, ChartRange, ChartRequest,
    ChartSeries, ErrorCode, SaveChartRequest, SavedChart,
};

use super::curves::{Lines, Places};
use super::record::JobRecord;
use super::view::total_steps;
use crate::Workbench;
use crate::errors::{from_io, from_join};

/// More lines than this cannot be told apart.
pub const MOST_RUNS: usize = 8;
/// Dashes and gaps in pixels, so that runs are told apart without their colours.
const DASHES: [&str; MOST_RUNS] = ["", "7 3", "2 3", "10 3 2 3", "4 4", "12 4", "2 6", "7 3 2 3 2 3"];

/// A job with what its picture is made of.
struct Run {
    job: JobRecord,
    metrics: Arc<Metrics>,
    lines: Lines,
    smoothed: Arc<Curve>,
    end: Option<f64>,
}

impl Workbench {
    pub(crate) async fn draw_chart(&self, request: ChartRequest) -> Result<Chart, AppError> {
        let runs = self.chart_runs(&request).await?;
        let training_points = runs.iter().map(|run| run.metrics.training.len() as u64).sum();
        let validation_points = runs.iter().map(|run| run.metrics.validation.len() as u64).sum();
        let jobs: Vec<String> = request.jobs.clone();
        // Off the threads that answer calls: a million values take their milliseconds.
        let picture = tokio::task::spawn_blocking(move || draw(&runs, &request)).await;
        let picture = picture.map_err(|error| from_join(&error))??;
        let (left, top, right, bottom) = picture.plot;
        let lines = picture.read_outs.into_iter().filter_map(|line| {
            let points = line.points.into_iter().map(|point| ChartPoint {
                at: point.at,
                value: point.value,
                low: point.low,
                high: point.high,
                x: point.x,
                y: point.y,
            });
            Some(ChartLine { job: jobs.get(line.run)?.clone(), validation: line.validation, points: points.collect() })
        });
        Ok(Chart {
            lines: lines.collect(),
            svg: (training_points + validation_points > 0).then_some(picture.svg),
            plot: ChartPlot { left, top, right, bottom },
            shown: picture.shown.map(|(from, to)| ChartRange { from, to }),
            training_points,
            validation_points,
        })
    }

    async fn chart_runs(&self, request: &ChartRequest) -> Result<Vec<Run>, AppError> {
        if request.jobs.is_empty() || request.jobs.len() > MOST_RUNS {
            return Err(AppError::new(ErrorCode::InvalidInput, format!("A chart shows 1 to {MOST_RUNS} jobs.")));
        }
        let mut runs = Vec::with_capacity(request.jobs.len());
        for id in &request.jobs {
            let job = self.jobs.get(id)?;
            let metrics = self.metrics_of(&job).await?.unwrap_or_default();
            let curves = self.jobs.curves.of(id);
            let (axis, log_scale, smoothing) = (request.axis, request.log_scale, request.smoothing);
            let of = job.clone();
            let made = tokio::task::spawn_blocking(move || {
                let lines = curves.lines(&of, axis, log_scale);
                let smoothed = curves.smoothed(&lines, smoothing).map_err(|error| not_drawn(&error))?;
                Ok::<_, AppError>((lines, smoothed))
            });
            let (lines, smoothed) = made.await.map_err(|error| from_join(&error))??;
            let places = Places::of(&job, &metrics, request.axis);
            let end = total_steps(&job, &metrics).and_then(|total| places.end(total));
            runs.push(Run { job, metrics, lines, smoothed, end });
        }
        Ok(runs)
    }

    /// Writes the chart where the person says.
    pub(crate) async fn save_chart_file(&self, request: SaveChartRequest) -> Result<SavedChart, AppError> {
        let runs = self.chart_runs(&request.chart).await?;
        let name = match &runs[..] {
            [run] => run.job.draft.job_name.clone(),
            _ => "runs".to_owned(),
        };
        let (ending, bytes) = match request.what {
            ChartFile::Svg => ("svg", draw(&runs, &request.chart)?.svg.into_bytes()),
            ChartFile::Csv => ("csv", numbers(&runs, request.chart.axis).into_bytes()),
            ChartFile::Png => ("png", decoded(request.png.as_deref())?),
        };
        let Some(path) = self.host.pick_new_file(&format!("{name}-loss.{ending}")).await else {
            return Ok(SavedChart { name: None });
        };
        tokio::fs::write(&path, bytes).await.map_err(|error| from_io(&path.display().to_string(), &error))?;
        Ok(SavedChart { name: path.file_name().map(|name| name.to_string_lossy().into_owned()) })
    }
}

fn decoded(png: Option<&str>) -> Result<Vec<u8>, AppError> {
    let bytes = png.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    bytes
        .filter(|bytes| bytes.starts_with(b"\x89PNG"))
        .ok_or_else(|| AppError::new(ErrorCode::Bug, "The window sent no picture to save."))
}

fn draw(runs: &[Run], request: &ChartRequest) -> Result<LossPicture, AppError> {
    let alone = runs.len() == 1;
    let marks: Vec<Mark> = runs
        .iter()
        .enumerate()
        .map(|(number, _)| Mark {
            colour: request.run_colours.get(number).unwrap_or(&request.palette.training).clone(),
            dashes: DASHES.get(number).copied().unwrap_or_default().to_owned(),
            label: (number + 1).to_string(),
        })
        .collect();
    let training = request.series != ChartSeries::Validation;
    let validation = request.series != ChartSeries::Training;
    let lines: Vec<RunLines<'_>> = runs
        .iter()
        .zip(&marks)
        .map(|(run, mark)| RunLines {
            raw: (alone && training && request.smoothing > 0.0).then_some(&*run.lines.raw),
            training: training.then_some(&*run.smoothed),
            validation: validation.then_some(&*run.lines.validation),
            mark: (!alone).then_some(mark),
        })
        .collect();
    let chart = LossChart {
        runs: &lines,
        axis: match request.axis {
            ChartAxis::Step => XAxis::Step,
            ChartAxis::Epoch => XAxis::Epoch,
            ChartAxis::Time => XAxis::Seconds,
        },
        width: request.width,
        height: request.height,
        density: request.density,
        palette: &palette(&request.palette),
        log_scale: request.log_scale,
        clip_outliers: request.clip_outliers,
        range: request.range.map(|range| (range.from, range.to)),
        end: runs.iter().filter_map(|run| run.end).reduce(f64::max),
    };
    loss_chart(&chart).map_err(|error| not_drawn(&error))
}

fn not_drawn(error: &whetstone_charts::ChartError) -> AppError {
    AppError::new(ErrorCode::Bug, "The chart could not be drawn.").detail(error.to_string())
}

fn palette(asked: &ChartPalette) -> Palette {
    Palette {
        ink: asked.ink.clone(),
        faint_ink: asked.faint_ink.clone(),
        grid: asked.grid.clone(),
        training: asked.training.clone(),
        validation: asked.validation.clone(),
    }
}

/// Every value as it was measured, a line each.
fn numbers(runs: &[Run], axis: ChartAxis) -> String {
    let place = match axis {
        ChartAxis::Step => "step",
        ChartAxis::Epoch => "epochs",
        ChartAxis::Time => "seconds",
    };
    let mut text = format!("job,series,step,{place}_on_axis,loss\n");
    for run in runs {
        let places = Places::of(&run.job, &run.metrics, axis);
        for (series, points) in [("training", &run.metrics.training), ("validation", &run.metrics.validation)] {
            for point in points {
                // Writing into a String does not fail. A job's name holds no comma and no quote.
                let at = places.at(point);
                writeln!(text, "{},{series},{},{at},{}", run.job.draft.job_name, point.step, point.loss)
                    .unwrap_or_default();
            }
        }
    }
    text
}
