//! A job as the window shows it: its record, and what the loss files say.

use std::sync::Arc;

use whetstone_charts::{LossChart, Palette, loss_chart};
use whetstone_cloud::{Metrics, MetricsPoint};
use whetstone_contract::{
    AppError, Chart, ChartRequest, ErrorCode, JobDetail, JobStatus, JobSummary, PhaseName, PhaseStatus, Progress,
};

use super::record::JobRecord;
use crate::Workbench;
use crate::errors::from_cloud;

impl Workbench {
    /// Newest first; a running job shows its latest losses.
    pub(crate) fn list_jobs(&self) -> Result<Vec<JobSummary>, AppError> {
        let jobs = self.jobs.all()?;
        Ok(jobs.iter().map(|job| self.summary_of(job)).collect())
    }

    fn summary_of(&self, job: &JobRecord) -> JobSummary {
        let mut summary = job.summary();
        if let Some(metrics) = self.jobs.last_metrics(&job.id) {
            let last = |series: &[MetricsPoint]| series.last().map(|point| point.loss);
            summary.training_loss = summary.training_loss.or_else(|| last(&metrics.training));
            summary.validation_loss = summary.validation_loss.or_else(|| last(&metrics.validation));
        }
        summary
    }

    pub(crate) async fn job_detail(&self, id: &str) -> Result<JobDetail, AppError> {
        let job = self.jobs.get(id)?;
        // What was written down is shown whether or not the endpoint answers; the chart says why it cannot be drawn.
        let metrics = self.metrics_of(&job).await.unwrap_or_default();
        Ok(JobDetail {
            progress: metrics.and_then(|metrics| progress(&job, &metrics, self.host.now_ms())),
            dataset: job.draft.dataset.clone(),
            phases: job.phases.clone(),
            failure: job.failure.clone(),
            failure_hint: job.failure_hint.clone(),
            hyperparameters: job.draft.hyperparameters.clone(),
            training_records: job.training_records,
            validation_records: job.validation_records,
            hold_out_records: job.hold_out_records,
            training_uri: job.training_uri(),
            output_uri: job.output_uri.clone(),
            output_model_arn: job.output_model_arn.clone(),
            model_name: job.draft.model_name.clone(),
            deployment: job.shown_deployment(),
            summary: self.summary_of(&job),
        })
    }

    pub(crate) async fn draw_chart(&self, request: ChartRequest) -> Result<Chart, AppError> {
        let job = self.jobs.get(&request.job)?;
        let Some(metrics) = self.metrics_of(&job).await? else {
            return Ok(Chart { svg: None, training_points: 0, validation_points: 0 });
        };
        let chart = LossChart {
            training: &points(&metrics.training),
            validation: &points(&metrics.validation),
            smoothing: request.smoothing,
            width: request.width,
            height: request.height,
            palette: &Palette {
                ink: request.palette.ink,
                faint_ink: request.palette.faint_ink,
                grid: request.palette.grid,
                training: request.palette.training,
                validation: request.palette.validation,
            },
            log_scale: request.log_scale,
            total_steps: total_steps(&job, &metrics),
        };
        let svg = loss_chart(&chart).map_err(|error| {
            AppError::new(ErrorCode::Bug, "The chart could not be drawn.").detail(error.to_string())
        })?;
        Ok(Chart {
            svg: (!metrics.training.is_empty()).then_some(svg),
            training_points: metrics.training.len() as u64,
            validation_points: metrics.validation.len() as u64,
        })
    }

    /// As the poller read them last; for a job that ended in an earlier run of the program they are read again.
    async fn metrics_of(&self, job: &JobRecord) -> Result<Option<Arc<Metrics>>, AppError> {
        if let Some(metrics) = self.jobs.last_metrics(&job.id) {
            return Ok(Some(metrics));
        }
        let (Some(arn), true) = (&job.arn, job.has_ended()) else { return Ok(None) };
        let cloud = self.link_of_job(job).await?.cloud;
        let remote = cloud.job(arn).await.map_err(|error| from_cloud(&error))?;
        let metrics = cloud.metrics(&remote).await.map_err(|error| from_cloud(&error))?;
        Ok(Some(self.jobs.keep_metrics(&job.id, metrics)))
    }
}

fn points(series: &[MetricsPoint]) -> Vec<(f64, f64)> {
    series.iter().map(|point| (point.step, point.loss)).collect()
}

fn progress(job: &JobRecord, metrics: &Metrics, now_ms: i64) -> Option<Progress> {
    let last = metrics.training.last()?;
    let total_steps = total_steps(job, metrics);
    let training = job.phases.iter().find(|phase| phase.name == PhaseName::Training)?;
    let running = job.status == JobStatus::InProgress && training.status == PhaseStatus::InProgress;
    let done = last.step + 1.0;
    #[expect(clippy::cast_precision_loss, reason = "seconds of a training fit in a double")]
    let seconds_left = match (total_steps, training.started_at) {
        (Some(total), Some(began)) if running && total > done => {
            Some((now_ms - began) as f64 / 1000.0 / done * (total - done))
        }
        _ => None,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "steps and epochs are small counts")]
    Some(Progress {
        step: last.step as u64,
        epoch: last.epoch.unwrap_or(0.0) as u64,
        total_steps: total_steps.map(|total| total as u64),
        training_loss: last.loss,
        validation_loss: metrics.validation.last().map(|point| point.loss),
        perplexity: last.perplexity.unwrap_or_else(|| last.loss.exp()),
        seconds_left,
    })
}

/// Steps of the whole training: from the length of the first epoch once that is over. Before that a model that is
/// trained as itself takes one step a batch; how a stand-in's batches relate to the model's own is not known here.
fn total_steps(job: &JobRecord, metrics: &Metrics) -> Option<f64> {
    let number = |key: &str| job.draft.hyperparameters.get(key)?.parse::<u32>().ok();
    let epochs = f64::from(number("epochCount")?);
    steps_of_first_epoch(metrics)
        .or_else(|| {
            let batch = u64::from(number("batchSize")?).max(1);
            let steps = u32::try_from(job.training_records.div_ceil(batch)).ok()?;
            (!job.stand_in).then_some(f64::from(steps))
        })
        .map(|steps| steps * epochs)
}

fn steps_of_first_epoch(metrics: &Metrics) -> Option<f64> {
    let first = metrics.training.first()?.epoch?;
    let second = metrics.training.iter().find(|point| point.epoch.is_some_and(|epoch| epoch > first))?;
    Some(second.step)
}
