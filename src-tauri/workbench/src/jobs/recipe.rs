//! Recipes: a draft as a small TOML file that a person can read, share, keep beside the data and run.
//!
//! A recipe names no connection and holds no secret, so that the same one is rehearsed here and run on AWS. It owns
//! nothing: what it names is looked up when it is opened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use whetstone_contract::{
    AppError, Approach, DatasetSummary, ErrorCode, ImportRequest, InvocationLogs, JobDraft, OpenedRecipe,
    PreviewRequest, RecipeRequest, SampleId, SavedRecipe, SplitMethod, SplitRequest, Tag, Teacher, Vpc,
};

use super::kinds;
use super::plan::free_name;
use crate::Workbench;
use crate::errors::from_io;
use crate::samples::SAMPLES;

/// The version of the form. A recipe of a later one is refused instead of half understood.
const VERSION: u32 = 1;
const HEAD: &str = "# A Whetstone recipe. Run it with: whetstone tune FILE\n\n";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    recipe: u32,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<String>,
    model: Model,
    data: Data,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    hyperparameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    teacher: Option<RecipeTeacher>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grader: Option<Grader>,
    job: Job,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    base: String,
    /// In AWS's spelling.
    #[serde(rename = "type")]
    kind: String,
    /// `full` or `peft`, for a stand-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    approach: Option<String>,
}

/// One of the three says where the records are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    /// The name of a dataset of the app, or of a bundled sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset: Option<String>,
    /// Beside the recipe, or with its whole path.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation_logs: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with_answers: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_percent: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_out_percent: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeTeacher {
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    longest_answer: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grader {
    lambda_arn: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    name: String,
    model_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    subnets: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    security_groups: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    model_tags: BTreeMap<String, String>,
}

impl Recipe {
    fn of(draft: &JobDraft, goal: Option<String>, dataset: Option<&DatasetSummary>) -> Self {
        let split = dataset.and_then(|dataset| dataset.split.as_ref());
        let (validation_percent, hold_out_percent) = match split.map(|split| &split.method) {
            Some(SplitMethod::Ratio { validation_percent, hold_out_percent }) => {
                (Some(*validation_percent), Some(*hold_out_percent))
            }
            _ => (None, None),
        };
        let in_place = dataset.and_then(|dataset| dataset.file.path.clone()).map(PathBuf::from);
        Self {
            recipe: VERSION,
            name: draft.job_name.clone(),
            goal,
            model: Model {
                base: draft.base_model.clone(),
                kind: kinds::of(draft).as_str().to_owned(),
                approach: draft.approach.and_then(spell_approach),
            },
            data: Data {
                dataset: dataset.filter(|_| in_place.is_none()).map(|dataset| dataset.name.clone()),
                file: in_place,
                invocation_logs: draft.invocation_logs.as_ref().map(|logs| logs.uri.clone()),
                with_answers: draft.invocation_logs.as_ref().map(|logs| logs.with_answers),
                validation_percent,
                hold_out_percent,
                seed: split.map(|split| split.seed),
            },
            hyperparameters: draft.hyperparameters.clone(),
            teacher: draft
                .teacher
                .clone()
                .map(|teacher| RecipeTeacher { model: teacher.model, longest_answer: teacher.longest_answer }),
            grader: draft.grader.clone().map(|lambda_arn| Grader { lambda_arn }),
            job: Job {
                name: draft.job_name.clone(),
                model_name: draft.model_name.clone(),
                output_uri: draft.output_uri.clone(),
                role_arn: draft.role_arn.clone(),
                kms_key: draft.kms_key.clone(),
                subnets: draft.vpc.as_ref().map(|vpc| vpc.subnets.clone()).unwrap_or_default(),
                security_groups: draft.vpc.as_ref().map(|vpc| vpc.security_groups.clone()).unwrap_or_default(),
                tags: map(&draft.job_tags),
                model_tags: map(&draft.model_tags),
            },
        }
    }

    /// Reads a recipe's text; what is wrong with it is said with its line.
    pub fn parse(text: &str) -> Result<Self, AppError> {
        let broken = |message: String| {
            AppError::new(ErrorCode::FileBroken, message).hint("A recipe is what “Save as recipe” writes.")
        };
        let recipe: Self =
            toml::from_str(text).map_err(|error| broken("This is not a recipe.".into()).detail(error.to_string()))?;
        if recipe.recipe != VERSION {
            return Err(broken(format!("This recipe has version {}; this program reads {VERSION}.", recipe.recipe)));
        }
        if kinds::spelled(&recipe.model.kind).is_none() {
            return Err(broken(format!("“{}” is no kind of training.", recipe.model.kind)));
        }
        Ok(recipe)
    }

    fn written(&self) -> Result<String, AppError> {
        let text = toml::to_string_pretty(self);
        let text = text.map_err(|error| {
            AppError::new(ErrorCode::Bug, "The recipe could not be written.").detail(error.to_string())
        })?;
        Ok(format!("{HEAD}{text}"))
    }

    fn draft(&self, dataset: String) -> JobDraft {
        let job = &self.job;
        JobDraft {
            customization_type: kinds::spelled(&self.model.kind).map(kinds::show).unwrap_or_default(),
            base_model: self.model.base.clone(),
            dataset,
            invocation_logs: self
                .data
                .invocation_logs
                .clone()
                .map(|uri| InvocationLogs { uri, with_answers: self.data.with_answers.unwrap_or(false) }),
            hyperparameters: self.hyperparameters.clone(),
            job_name: job.name.clone(),
            model_name: job.model_name.clone(),
            teacher: self
                .teacher
                .clone()
                .map(|teacher| Teacher { model: teacher.model, longest_answer: teacher.longest_answer }),
            grader: self.grader.clone().map(|grader| grader.lambda_arn),
            approach: self.model.approach.as_deref().and_then(read_approach),
            output_uri: job.output_uri.clone(),
            role_arn: job.role_arn.clone(),
            kms_key: job.kms_key.clone(),
            vpc: (!job.subnets.is_empty() || !job.security_groups.is_empty())
                .then(|| Vpc { subnets: job.subnets.clone(), security_groups: job.security_groups.clone() }),
            job_tags: tags(&job.tags),
            model_tags: tags(&job.model_tags),
        }
    }
}

fn spell_approach(approach: Approach) -> Option<String> {
    match approach {
        Approach::Full => Some("full".to_owned()),
        Approach::Peft => Some("peft".to_owned()),
        Approach::Instruction => None,
    }
}

fn read_approach(text: &str) -> Option<Approach> {
    match text {
        "full" => Some(Approach::Full),
        "peft" => Some(Approach::Peft),
        _ => None,
    }
}

fn map(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

fn tags(map: &BTreeMap<String, String>) -> Vec<Tag> {
    map.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

impl Workbench {
    pub(crate) async fn write_recipe(&self, request: RecipeRequest) -> Result<SavedRecipe, AppError> {
        let dataset = self.datasets.summary(request.job.dataset.clone()).await.ok();
        let recipe = Recipe::of(&request.job, request.goal, dataset.as_ref());
        let Some(path) = self.host.pick_new_file(&format!("{}.toml", recipe.name)).await else {
            return Ok(SavedRecipe { file: None });
        };
        let text = recipe.written()?;
        tokio::fs::write(&path, text).await.map_err(|error| from_io("The recipe", &error))?;
        Ok(SavedRecipe { file: Some(path.display().to_string()) })
    }

    pub(crate) async fn read_recipe(&self) -> Result<Option<OpenedRecipe>, AppError> {
        let Some(path) = self.host.pick_recipe().await else { return Ok(None) };
        let recipe = read(&path).await?;
        let known = self.datasets.list().await?;
        let named = |dataset: &&DatasetSummary| {
            let by_name = recipe.data.dataset.as_ref().is_some_and(|name| *name == dataset.name);
            let file = recipe.data.file.as_ref().map(|file| beside(&path, file).display().to_string());
            by_name || (file.is_some() && dataset.file.path == file)
        };
        let dataset = known.iter().find(named);
        let mut missing = Vec::new();
        if dataset.is_none() && recipe.data.invocation_logs.is_none() {
            let file = recipe.data.file.as_ref().map(|file| file.display().to_string());
            let name = recipe.data.dataset.clone().or(file).unwrap_or_else(|| "its data".into());
            missing.push(format!("The dataset “{name}” is not open here."));
        }
        let job =
            self.under_free_names(recipe.draft(dataset.map_or_else(String::new, |dataset| dataset.id.clone())))?;
        Ok(Some(OpenedRecipe { name: recipe.name, goal: recipe.goal, job, missing }))
    }

    /// The draft of a recipe with its data at hand: found among the datasets, or imported and split as it says.
    pub async fn cook(&self, path: &Path) -> Result<JobDraft, AppError> {
        let recipe = read(path).await?;
        if recipe.data.invocation_logs.is_some() {
            return self.under_free_names(recipe.draft(String::new()));
        }
        let dataset = self.ingredients(path, &recipe).await?;
        let wanted = (recipe.data.validation_percent, recipe.data.hold_out_percent);
        if let (None, (Some(validation_percent), hold_out)) = (&dataset.split, wanted) {
            let method = SplitMethod::Ratio { validation_percent, hold_out_percent: hold_out.unwrap_or(0) };
            let seed = recipe.data.seed.unwrap_or(1);
            let split = SplitRequest { dataset: dataset.id.clone(), method, seed, replace_frozen: false };
            self.datasets.split(split).await?;
        }
        self.under_free_names(recipe.draft(dataset.id))
    }

    async fn ingredients(&self, path: &Path, recipe: &Recipe) -> Result<DatasetSummary, AppError> {
        if let Some(file) = &recipe.data.file {
            let picked = self.picked.remember(&beside(path, file));
            let preview = self.preview(PreviewRequest { token: picked.token.clone(), reading: None }).await?;
            let reading = Some(preview.reading);
            let request =
                ImportRequest { token: picked.token, name: picked.name, reading, in_place: false, skip_broken: false };
            let outcome = self.import(request).await?;
            return outcome.dataset.ok_or_else(|| {
                let first =
                    outcome.problems.first().map(|problem| format!("line {}: {}", problem.line, problem.message));
                AppError::new(ErrorCode::FileBroken, format!("{} cannot be read.", file.display()))
                    .detail(first.unwrap_or_default())
            });
        }
        let Some(name) = &recipe.data.dataset else {
            return Err(AppError::new(ErrorCode::InvalidInput, "The recipe does not say where its data is.")
                .hint("Give [data] a file, the name of a dataset, or invocation_logs."));
        };
        if let Some(known) = self.datasets.list().await?.into_iter().find(|dataset| dataset.name == *name) {
            return Ok(known);
        }
        match SAMPLES.iter().find(|sample| sample.name == name || sample.id == name) {
            Some(sample) => self.import_bundled(SampleId { sample: sample.id.into() }).await,
            None => Err(AppError::new(ErrorCode::NotFound, format!("There is no dataset “{name}” here."))
                .hint("Import it first, or give the recipe a file.")),
        }
    }

    /// A recipe is run more than once, and Bedrock takes a name only once.
    fn under_free_names(&self, mut draft: JobDraft) -> Result<JobDraft, AppError> {
        let jobs = self.jobs.all()?;
        draft.job_name = free_name(&draft.job_name, |name| jobs.iter().any(|job| job.draft.job_name == name));
        draft.model_name = free_name(&draft.model_name, |name| jobs.iter().any(|job| job.draft.model_name == name));
        Ok(draft)
    }
}

async fn read(path: &Path) -> Result<Recipe, AppError> {
    let text = tokio::fs::read_to_string(path).await.map_err(|error| {
        AppError::new(ErrorCode::FileUnavailable, format!("{} cannot be read.", path.display()))
            .detail(error.to_string())
            .hint("Check that the file is there, and is text.")
    })?;
    Recipe::parse(&text)
}

fn beside(recipe: &Path, file: &Path) -> PathBuf {
    recipe.parent().map_or_else(|| file.to_owned(), |folder| folder.join(file))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use whetstone_contract::CustomizationType;

    fn everything() -> JobDraft {
        JobDraft {
            customization_type: CustomizationType::Distillation,
            base_model: "amazon.nova-micro-v1:0:128k".into(),
            dataset: "d-1".into(),
            invocation_logs: Some(InvocationLogs { uri: "s3://logs/a/".into(), with_answers: true }),
            hyperparameters: BTreeMap::from([("epochCount".into(), "2".into())]),
            job_name: "tune-01".into(),
            model_name: "tune-01".into(),
            teacher: Some(Teacher { model: "amazon.nova-pro-v1:0".into(), longest_answer: Some(1000) }),
            grader: Some("arn:aws:lambda:us-east-1:123456789012:function:grade".into()),
            approach: Some(Approach::Full),
            output_uri: Some("s3://out/a/".into()),
            role_arn: Some("arn:aws:iam::123456789012:role/R".into()),
            kms_key: Some("alias/k".into()),
            vpc: Some(Vpc { subnets: vec!["subnet-1".into()], security_groups: vec!["sg-1".into()] }),
            job_tags: vec![Tag { key: "team".into(), value: "a \"b\"".into() }],
            model_tags: vec![Tag { key: "x".into(), value: String::new() }],
        }
    }

    #[test]
    fn a_draft_comes_back_whole_from_its_recipe() {
        let written = Recipe::of(&everything(), Some("distill".into()), None).written().unwrap();
        let recipe = Recipe::parse(&written).unwrap();
        assert_eq!(recipe.draft("d-1".into()), everything());
        assert_eq!(recipe.goal.as_deref(), Some("distill"));
    }

    #[test]
    fn a_recipe_says_what_is_wrong_with_it() {
        let good = Recipe::of(&everything(), None, None).written().unwrap();
        for (from, to) in [("recipe = 1", "recipe = 2"), ("DISTILLATION", "MAGIC"), ("[model]", "[modle]")] {
            let broken = Recipe::parse(&good.replacen(from, to, 1));
            assert_eq!(broken.unwrap_err().code, ErrorCode::FileBroken, "{to}");
        }
    }
}
