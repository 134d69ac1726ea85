//! `whetstone tune RECIPE`: the wizard's job without a window, for scripts and continuous integration.
//!
//! The work is the workbench's, on the same data folder as the window's. Exit status: 0 the job completed, 1 something
//! stood in its way or it failed, 2 the recipe cannot be read.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use clap::Args;
use serde_json::json;
use whetstone_contract::{Api, AppError, AppEvent, ErrorCode, JobDetail, JobId, JobStatus, PhaseStatus};
use whetstone_workbench::{Host, Workbench, WorkbenchConfig};

use crate::command_line::{USAGE, print, worker_command};
use crate::program::data_folder;
use crate::tune_local::{self, LocalCall};

/// A look at the app's own record, which costs nothing.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Args)]
pub struct TuneCall {
    /// A recipe (TOML), as “Save as recipe” writes it.
    #[arg(required_unless_present = "local", conflicts_with = "local")]
    recipe: Option<PathBuf>,
    #[command(flatten)]
    here: LocalCall,
    /// Where the app keeps its data.
    #[arg(long, env = "WHETSTONE_HOME", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print the request that would be sent, as JSON, and send nothing.
    #[arg(long, conflicts_with = "local")]
    show_call: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What a program without a window can do for the workbench: tell the time.
struct Headless;

#[async_trait]
impl Host for Headless {
    fn emit(&self, _: AppEvent) {}

    fn open_in_browser(&self, address: &str) {
        eprintln!("To sign in, open {address}");
    }

    fn notify(&self, _: &str, _: &str) {}

    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    async fn pick_file(&self) -> Option<PathBuf> {
        None
    }

    async fn pick_attachments(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    async fn pick_recipe(&self) -> Option<PathBuf> {
        None
    }

    async fn pick_folder(&self) -> Option<PathBuf> {
        None
    }

    async fn pick_new_file(&self, _: &str) -> Option<PathBuf> {
        None
    }
}

pub fn run(call: &TuneCall) -> ExitCode {
    match &call.recipe {
        Some(recipe) => ended(tune(call, recipe)),
        None => tune_local::run(&call.here, call.json),
    }
}

/// Runs the work to its end, and says what went wrong.
pub fn ended(work: impl Future<Output = Result<ExitCode, AppError>>) -> ExitCode {
    let ended = tokio::runtime::Runtime::new()
        .map_err(|error| AppError::new(ErrorCode::Bug, "The program could not start.").detail(error.to_string()))
        .and_then(|runtime| runtime.block_on(work));
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("whetstone: {error}");
            if let Some(hint) = &error.hint {
                eprintln!("{hint}");
            }
            let unreadable = matches!(error.code, ErrorCode::FileBroken | ErrorCode::FileUnavailable);
            if unreadable { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

/// The workbench on a data folder, without a window.
pub async fn open(data: Option<PathBuf>) -> Result<Arc<Workbench>, AppError> {
    let broken = |message: String| AppError::new(ErrorCode::Bug, message);
    let config = WorkbenchConfig {
        data_dir: data_folder(data),
        worker: worker_command().map_err(broken)?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Workbench::open(config, Arc::new(Headless)).await
}

async fn tune(call: &TuneCall, recipe: &Path) -> Result<ExitCode, AppError> {
    let workbench = open(call.data.clone()).await?;
    let draft = workbench.cook(recipe).await?;
    if call.show_call {
        let shown = workbench.show_call(draft).await?;
        return Ok(written(&(shown.json + "\n")));
    }
    let plan = workbench.plan_job(draft.clone()).await?;
    if !plan.problems.is_empty() {
        if call.json {
            let problems = serde_json::to_value(&plan.problems).unwrap_or_default();
            written(&format!("{}\n", json!({ "problems": problems })));
        }
        for problem in &plan.problems {
            eprintln!("whetstone: {}: {}", problem.field, problem.message);
        }
        return Ok(ExitCode::FAILURE);
    }
    eprintln!("{}: {} training records, {}", draft.job_name, plan.training_records, plan.cost.headline.to_lowercase());
    let job = workbench.start_job(draft).await?;
    let ended = follow(&workbench, &job.id).await?;
    report(&ended, call.json)
}

/// Shows how far the job is until it has ended: a line that is written over on a terminal, a line a change elsewhere.
async fn follow(workbench: &Arc<Workbench>, id: &str) -> Result<JobDetail, AppError> {
    let terminal = std::io::stderr().is_terminal();
    let mut said = String::new();
    loop {
        let detail = workbench.job(JobId { job: id.to_owned() }).await?;
        let over = matches!(detail.summary.status, JobStatus::Completed | JobStatus::Failed | JobStatus::Stopped);
        let line = in_words(&detail, terminal);
        if line != said {
            if terminal {
                eprint!("\r\x1b[K{line}");
                let _ = std::io::stderr().flush();
            } else {
                eprintln!("{line}");
            }
            said = line;
        }
        if over {
            if terminal {
                eprintln!();
            }
            return Ok(detail);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// In full on a terminal; where every line stays, only what changes seldom.
fn in_words(detail: &JobDetail, terminal: bool) -> String {
    let status = match detail.summary.status {
        JobStatus::Uploading => "uploading",
        JobStatus::InProgress => "in progress",
        JobStatus::Completed => "completed",
        JobStatus::Failed => "failed",
        JobStatus::Stopping => "stopping",
        JobStatus::Stopped => "stopped",
    };
    let phase = detail.phases.iter().find(|phase| phase.status == PhaseStatus::InProgress);
    let phase = phase.map_or_else(String::new, |phase| format!(", {:?}", phase.name).to_lowercase());
    match detail.progress.as_ref().filter(|_| detail.summary.status == JobStatus::InProgress) {
        Some(progress) if terminal => {
            let total = progress.total_steps.map_or_else(String::new, |total| format!(" of {total}"));
            format!("{status}{phase}: step {}{total}, loss {:.3}", progress.step + 1, progress.training_loss)
        }
        Some(progress) => format!("{status}{phase}: epoch {}", progress.epoch + 1),
        None => format!("{status}{phase}"),
    }
}

fn report(ended: &JobDetail, as_json: bool) -> Result<ExitCode, AppError> {
    let completed = ended.summary.status == JobStatus::Completed;
    let text = if as_json {
        let value = serde_json::to_value(ended).map_err(|error| AppError::new(ErrorCode::Bug, error.to_string()))?;
        format!("{value}\n")
    } else if completed {
        let loss = |loss: Option<f64>| loss.map_or_else(|| "unknown".to_owned(), |loss| format!("{loss:.4}"));
        format!(
            "{}\ntraining loss {}, validation loss {}\n",
            ended.output_model_arn.as_deref().unwrap_or_default(),
            loss(ended.summary.training_loss),
            loss(ended.summary.validation_loss),
        )
    } else {
        String::new()
    };
    if let Some(failure) = &ended.failure {
        eprintln!("whetstone: {failure}");
    }
    let printed = written(&text);
    Ok(if completed { printed } else { ExitCode::FAILURE })
}

pub fn written(text: &str) -> ExitCode {
    match print(|out| out.write_all(text.as_bytes())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
