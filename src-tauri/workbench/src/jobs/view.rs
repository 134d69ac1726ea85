//! A job as the window shows it: its record, what the loss files say, and what is known of jobs like it.

use std::sync::Arc;

use whetstone_cloud::{Metrics, MetricsPoint};
use whetstone_contract::{
    AppError, BestStep, JobDetail, JobStatus, JobSummary, NotesRequest, PhaseName, PhaseStatus, Progress,
};

use super::record::JobRecord;
use super::{advice, usual};
use crate::Workbench;
use crate::errors::{from_cloud, from_join};

/// Rates are told from what happened within this time before the last look.
const LATELY_MS: i64 = 15_000;

impl Workbench {
    /// Newest first; a running job shows its latest losses.
    pub(crate) fn list_jobs(&self) -> Result<Vec<JobSummary>, AppError> {
        let jobs = self.jobs.all()?;
        Ok(jobs.iter().map(|job| self.summary_of(job)).collect())
    }

    pub(super) fn summary_of(&self, job: &JobRecord) -> JobSummary {
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
        // A job can be looked at while its endpoint cannot be reached; its picture is then missing, not the job.
        let metrics = self.metrics_of(&job).await.unwrap_or_else(|error| {
            tracing::info!(job = id, %error, "the loss files could not be read");
            None
        });
        let metrics = metrics.unwrap_or_default();
        let (of, read) = (job.clone(), Arc::clone(&metrics));
        // Off the threads that answer calls: it goes through every point.
        let advice = tokio::task::spawn_blocking(move || advice::of(&of, &read)).await;
        Ok(JobDetail {
            progress: progress(&job, &metrics, self.host.now_ms()),
            dataset: job.draft.dataset.clone(),
            phases: job.phases.clone(),
            failure: job.failure.clone(),
            failure_hint: job.failure_hint.clone(),
            explanation: self.explain_failure(&job).await,
            hyperparameters: job.draft.hyperparameters.clone(),
            training_records: job.training_records,
            validation_records: job.validation_records,
            hold_out_records: job.hold_out_records,
            training_uri: job.training_uri(),
            output_uri: job.output_uri.clone(),
            output_model_arn: job.output_model_arn.clone(),
            model_name: job.draft.model_name.clone(),
            deployment: job.shown_deployment(),
            best: best(&metrics),
            stopped_early: stopped_early(&job, &metrics),
            usual: usual::of(&job, &self.jobs.all()?),
            advice: advice.map_err(|error| from_join(&error))?,
            events: job.events.clone(),
            notes: job.notes.clone(),
            rehearsal: self.shown_rehearsal(&job)?,
            rehearsed_by: job
                .rehearsed_by
                .as_ref()
                .and_then(|id| self.jobs.get(id).ok())
                .map(|job| self.summary_of(&job)),
            clone_route: advice::wizard(&job.id, "review", None),
            summary: self.summary_of(&job),
        })
    }

    pub(crate) async fn save_notes_of(&self, request: NotesRequest) -> Result<JobDetail, AppError> {
        self.save_job_notes(&request.job, request.notes)?;
        self.job_detail(&request.job).await
    }

    /// As the poller read them last; for a job that ended in an earlier run of the program they are read again.
    pub(super) async fn metrics_of(&self, job: &JobRecord) -> Result<Option<Arc<Metrics>>, AppError> {
        if let Some(metrics) = self.jobs.last_metrics(&job.id) {
            return Ok(Some(metrics));
        }
        let (Some(arn), true) = (&job.arn, job.has_ended()) else { return Ok(None) };
        let link = self.link_of_job(job).await?;
        let remote = link.cloud.job(arn).await.map_err(|error| from_cloud(&error))?;
        self.read_metrics(&link, &job.id, &remote).await.map_err(|error| from_cloud(&error))?;
        Ok(self.jobs.last_metrics(&job.id))
    }
}

fn best(metrics: &Metrics) -> Option<BestStep> {
    let finite = metrics.validation.iter().filter(|point| point.loss.is_finite());
    let best = finite.min_by(|a, b| a.loss.total_cmp(&b.loss))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "steps are small counts")]
    Some(BestStep { step: best.step as u64, loss: best.loss })
}

/// A job that is complete before its last step ended because nothing was gained any more.
fn stopped_early(job: &JobRecord, metrics: &Metrics) -> Option<String> {
    let done = metrics.training.last()?.step + 1.0;
    let total = total_steps(job, metrics).filter(|total| done < *total)?;
    (job.status == JobStatus::Completed).then(|| {
        let kept = best(metrics).map_or_else(String::new, |best| {
            format!(" The validation loss was best at step {}: {:.3}.", best.step, best.loss)
        });
        format!("Training ended early, after step {done} of {total}.{kept}")
    })
}

fn progress(job: &JobRecord, metrics: &Metrics, now_ms: i64) -> Option<Progress> {
    let last = metrics.training.last()?;
    let total_steps = total_steps(job, metrics);
    let training = job.phase(PhaseName::Training)?;
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
        tokens_per_second: tokens_per_second(job, metrics, running),
    })
}

/// Of a running job as it went lately; of one that ended, over the whole training.
#[expect(clippy::cast_precision_loss, reason = "a rate is shown with a few digits")]
fn tokens_per_second(job: &JobRecord, metrics: &Metrics, running: bool) -> Option<f64> {
    let a_step = job.training_tokens as f64 / steps_per_epoch(job, metrics)?;
    let (steps, seconds) = if running {
        let (last, at) = job.looks.last()?;
        let earlier = job.looks.iter().rev().find(|(_, then)| at - then >= LATELY_MS).or_else(|| job.looks.first())?;
        (last - earlier.0, (at - earlier.1) as f64 / 1000.0)
    } else {
        let training = job.phase(PhaseName::Training)?;
        let took = training.changed_at? - training.started_at?;
        (metrics.training.last()?.step + 1.0, took as f64 / 1000.0)
    };
    (a_step > 0.0 && seconds >= 1.0).then(|| a_step * steps / seconds)
}

/// Steps of the whole training, where they can be told.
pub(super) fn total_steps(job: &JobRecord, metrics: &Metrics) -> Option<f64> {
    let epochs: u32 = job.draft.hyperparameters.get("epochCount")?.parse().ok()?;
    Some(steps_per_epoch(job, metrics)? * f64::from(epochs))
}

/// The length of the first epoch once that is over. Before that a model that is trained as itself takes one step a
/// batch; how a stand-in's batches relate to the model's own is not known here.
pub(super) fn steps_per_epoch(job: &JobRecord, metrics: &Metrics) -> Option<f64> {
    steps_of_first_epoch(metrics).or_else(|| {
        let batch: u64 = job.draft.hyperparameters.get("batchSize")?.parse().ok()?;
        let steps = u32::try_from(job.training_records.div_ceil(batch.max(1))).ok()?;
        (!job.stand_in && steps > 0).then_some(f64::from(steps))
    })
}

fn steps_of_first_epoch(metrics: &Metrics) -> Option<f64> {
    let first = metrics.training.first()?.epoch?;
    let second = metrics.training.iter().find(|point| point.epoch.is_some_and(|epoch| epoch > first))?;
    Some(second.step)
}
