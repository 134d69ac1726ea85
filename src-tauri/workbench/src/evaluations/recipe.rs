//! An evaluation as a small TOML file, for scripts and continuous integration.
//!
//! ```toml
//! evaluation = 1
//! name = "support on hold-out"
//! dataset = "Customer support"     # the name of a dataset of the app
//! part = "hold-out"                # validation, training, all
//! records = 200                    # left out: all
//!
//! [[models]]                       # the first is what the others are compared with
//! model = "whetstone.tiny-v1"      # as it is invoked
//!
//! [[models]]
//! model = "whetstone.tiny-v1"
//! examples = 4                     # from the training part, before each prompt
//!
//! [[models]]
//! job = "support-01"               # what this job made; it is deployed where it is not yet
//!
//! [[measures]]                     # left out: none; a number, or true and false, in the Common Expression Language
//! name = "A bare label"
//! expression = 'answer.matches("^[a-z_]+$")'
//!
//! [judge]                          # left out: none
//! model = "amazon.nova-pro-v1:0"
//! kind = "pairwise"                # or rubric; prompt and max_tokens where the usual ones do not fit
//! ```

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use whetstone_contract::{
    AppError, Candidate, DeploymentStatus, ErrorCode, EvaluationDraft, EvaluationPart, JobDetail, Judge, JudgeKind,
    Measure, PlayableKind,
};
use whetstone_evaluation::{PAIRWISE_PROMPT, RUBRIC_PROMPT};

use crate::Workbench;

/// A look at the app's own record, which costs nothing.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    /// The version of the form.
    evaluation: u32,
    name: String,
    dataset: String,
    #[serde(default)]
    part: Part,
    records: Option<u64>,
    #[serde(default = "one")]
    seed: u64,
    #[serde(default = "usual_tokens")]
    max_tokens: u32,
    #[serde(default)]
    temperature: f64,
    metric: Option<String>,
    models: Vec<Model>,
    judge: Option<JudgeEntry>,
    #[serde(default)]
    measures: Vec<MeasureEntry>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Part {
    #[default]
    HoldOut,
    Validation,
    Training,
    All,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    model: Option<String>,
    job: Option<String>,
    #[serde(default)]
    examples: u32,
    system: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasureEntry {
    name: String,
    expression: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgeEntry {
    model: String,
    #[serde(default)]
    kind: Kind,
    prompt: Option<String>,
    #[serde(default = "usual_tokens")]
    max_tokens: u32,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    Pairwise,
    Rubric,
}

fn one() -> u64 {
    1
}

fn usual_tokens() -> u32 {
    256
}

impl Workbench {
    /// The draft of an evaluation recipe, its models at hand: what a job made is deployed where it is not yet.
    ///
    /// # Errors
    /// The file cannot be read, or names what is not here.
    pub async fn evaluation_recipe(&self, path: &Path) -> Result<EvaluationDraft, AppError> {
        let broken = |message: String| {
            AppError::new(ErrorCode::FileBroken, format!("{} is no evaluation recipe.", path.display())).detail(message)
        };
        let text = tokio::fs::read_to_string(path).await.map_err(|error| {
            AppError::new(ErrorCode::FileUnavailable, format!("{} cannot be read.", path.display()))
                .detail(error.to_string())
        })?;
        let recipe: Recipe = toml::from_str(&text).map_err(|error| broken(error.to_string()))?;
        if recipe.evaluation != 1 {
            return Err(broken(format!("its form is {}, and this version knows form 1", recipe.evaluation)));
        }
        let datasets = self.datasets.list().await?;
        let dataset = datasets.iter().find(|one| one.name == recipe.dataset).ok_or_else(|| {
            AppError::new(ErrorCode::NotFound, format!("There is no dataset “{}” here.", recipe.dataset))
                .hint("Give the name of one of the app's datasets.")
        })?;
        let mut candidates = Vec::new();
        for model in recipe.models {
            candidates.push(self.candidate(model).await?);
        }
        let judge = match recipe.judge {
            Some(entry) => Some(self.judge(entry).await?),
            None => None,
        };
        Ok(EvaluationDraft {
            name: recipe.name,
            dataset: dataset.id.clone(),
            part: match recipe.part {
                Part::HoldOut => EvaluationPart::HoldOut,
                Part::Validation => EvaluationPart::Validation,
                Part::Training => EvaluationPart::Training,
                Part::All => EvaluationPart::All,
            },
            records: recipe.records,
            seed: recipe.seed,
            candidates,
            max_tokens: recipe.max_tokens,
            temperature: recipe.temperature,
            metric: recipe.metric,
            judge,
            measures: recipe
                .measures
                .into_iter()
                .map(|one| Measure { name: one.name, expression: one.expression })
                .collect(),
        })
    }

    async fn judge(&self, entry: JudgeEntry) -> Result<Judge, AppError> {
        let known = self.list_playable().await?.into_iter().find(|one| one.model_id == entry.model);
        let (kind, usual) = match entry.kind {
            Kind::Pairwise => (JudgeKind::Pairwise, PAIRWISE_PROMPT),
            Kind::Rubric => (JudgeKind::Rubric, RUBRIC_PROMPT),
        };
        Ok(Judge {
            name: known.as_ref().map_or_else(|| entry.model.clone(), |known| known.name.clone()),
            tuned: known.as_ref().is_some_and(|known| known.kind == PlayableKind::Tuned),
            base_model: known.map(|known| known.base_model),
            model_id: entry.model,
            kind,
            prompt: entry.prompt.unwrap_or_else(|| usual.to_owned()),
            max_tokens: entry.max_tokens,
        })
    }

    async fn candidate(&self, model: Model) -> Result<Candidate, AppError> {
        let (examples, system) = (model.examples, model.system);
        match (model.model, model.job) {
            (Some(id), None) => {
                let known = self.list_playable().await?.into_iter().find(|one| one.model_id == id);
                Ok(Candidate {
                    name: known.as_ref().map_or_else(|| id.clone(), |known| known.name.clone()),
                    base_model: known.as_ref().map(|known| known.base_model.clone()),
                    tuned: false,
                    stand_in: known.is_some_and(|known| known.stand_in),
                    model_id: id,
                    examples,
                    system,
                })
            }
            (None, Some(name)) => {
                let jobs = self.jobs.all()?;
                let job = jobs
                    .iter()
                    .find(|job| job.draft.job_name == name)
                    .ok_or_else(|| AppError::new(ErrorCode::NotFound, format!("There is no job “{name}” here.")))?;
                let model_id = self.served(&job.id).await?;
                Ok(Candidate {
                    model_id,
                    name: job.draft.model_name.clone(),
                    base_model: Some(job.draft.base_model.clone()),
                    tuned: true,
                    stand_in: job.stand_in,
                    examples,
                    system,
                })
            }
            _ => Err(AppError::new(ErrorCode::FileBroken, "Each of the models is either a model or a job.")),
        }
    }

    /// Deploys what a job made, and waits until it answers.
    async fn served(&self, job: &str) -> Result<String, AppError> {
        let mut detail: JobDetail = self.serve(job).await?;
        loop {
            match &detail.deployment {
                Some(deployment) if deployment.status == DeploymentStatus::Active => return Ok(deployment.arn.clone()),
                Some(deployment) if deployment.status == DeploymentStatus::Failed => {
                    let why = deployment.failure.clone().unwrap_or_default();
                    return Err(AppError::new(ErrorCode::Refused, "The model could not be deployed.").detail(why));
                }
                _ => tokio::time::sleep(PAUSE).await,
            }
            detail = self.job_detail(job).await?;
        }
    }
}
