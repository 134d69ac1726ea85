//! Checks a draft before anything is uploaded, with its data and on its connection; and says what it would cost.

use whetstone_catalog::{BaseModel, LifecycleStatus};
use whetstone_contract::{AppError, CustomizationType, ErrorCode, FieldProblem, JobDraft, JobPlan};
use whetstone_dataset::Intent;

use super::check::{check_draft, problem};
use super::kinds;
use super::recommend::recommend;
use crate::Workbench;
use crate::connections::Link;
use crate::datasets::DataForModel;
use crate::{models, tokens};

/// Prefixes inside the bucket; keys hold only characters that Bedrock takes in an S3 URI.
const TRAINING_PREFIX: &str = "datasets";
const OUTPUT_PREFIX: &str = "output";
const LONGEST_NAME: usize = 63;

impl Workbench {
    pub async fn plan(&self, draft: &JobDraft) -> Result<JobPlan, AppError> {
        self.plan_at(&self.connections.link().await?, draft).await
    }

    /// At this connection, whichever is current.
    pub(super) async fn plan_at(&self, link: &Link, draft: &JobDraft) -> Result<JobPlan, AppError> {
        let model = models::find(&draft.base_model)?;
        let kind = kinds::of(draft);
        let data = match &draft.invocation_logs {
            // What stands in the logs is only known where they lie.
            Some(_) => DataForModel::default(),
            None => {
                let intent = Intent::of(model, kind);
                self.datasets.for_model(draft.dataset.clone(), intent, link.bucket.clone()).await?
            }
        };
        let mut problems = data_problems(model, &data);
        problems.extend(check_draft(model, draft));
        problems.extend(self.taken_names(draft, link)?);
        problems.extend(missing_choices(link, draft));
        problems.extend(self.problem_of_connection(link, model, draft).await);
        let places = Placed::of(link, draft);
        let epochs = draft.hyperparameters.get("epochCount").and_then(|text| text.parse().ok());
        let cost = self.cost_of(link, model, data.training_tokens, epochs, None).await;
        Ok(JobPlan {
            problems,
            errors: data.errors,
            warnings: data.warnings,
            training_records: data.training,
            validation_records: data.validation,
            hold_out_records: data.hold_out,
            training_tokens: data.training_tokens,
            tokens_note: tokens::source(&Intent::of(model, kind)).name,
            training_uri: places.training_uri,
            output_uri: places.output_uri,
            role_arn: places.role_arn,
            bucket: places.bucket,
            cost,
            stand_in: link.on_this_computer && !model.local,
            recommended: recommend(model, kind, data.training),
        })
    }

    /// What this connection, or its endpoint, would refuse for certain.
    async fn problem_of_connection(&self, link: &Link, model: &BaseModel, draft: &JobDraft) -> Option<FieldProblem> {
        if link.on_this_computer {
            let message = "This computer cannot train by reinforcement: its rewards come from an AWS Lambda function, and \
                           there is none here to run. Submit this job to AWS.";
            return (draft.customization_type == CustomizationType::ReinforcementFineTuning)
                .then(|| problem("customizationType", message.into()));
        }
        if !model.tunable_in(&link.region) {
            return Some(FieldProblem {
                field: "baseModel".into(),
                message: format!("{} cannot be tuned in {}.", model.name, link.region),
                suggestion: model.tuning_regions.first().cloned(),
            });
        }
        // Only an active model takes new jobs on AWS, and the endpoint knows better than the catalog.
        let lifecycle = self.endpoint_models.of(link).await.lifecycle_of(model);
        (lifecycle != LifecycleStatus::Active).then(|| {
            let message = format!("{} is past the day on which AWS took the last new job for it.", model.name);
            problem("baseModel", message)
        })
    }

    /// Bedrock refuses a name that was used before, so the app says it first.
    fn taken_names(&self, draft: &JobDraft, link: &Link) -> Result<Vec<FieldProblem>, AppError> {
        let mut jobs = self.jobs.all()?;
        // Names are unique in one account and Region.
        jobs.retain(|job| job.connection == link.connection);
        let mut problems = Vec::new();
        if jobs.iter().any(|job| job.draft.job_name == draft.job_name) {
            let taken = |name: &str| jobs.iter().any(|job| job.draft.job_name == name);
            problems.push(taken_problem("jobName", &draft.job_name, taken));
        }
        if jobs.iter().any(|job| job.draft.model_name == draft.model_name) {
            let taken = |name: &str| jobs.iter().any(|job| job.draft.model_name == name);
            problems.push(taken_problem("modelName", &draft.model_name, taken));
        }
        Ok(problems)
    }
}

pub fn training_key(prefix: &str, job_name: &str) -> String {
    format!("{prefix}{TRAINING_PREFIX}/{}/training.jsonl", key_part(job_name))
}

pub fn validation_key(prefix: &str, job_name: &str) -> String {
    format!("{prefix}{TRAINING_PREFIX}/{}/validation.jsonl", key_part(job_name))
}

/// Where a job's files and output go: what the draft says, else what the connection has. Empty where neither knows.
pub struct Placed {
    pub bucket: String,
    pub training_uri: String,
    pub validation_uri: String,
    pub output_uri: String,
    pub role_arn: String,
}

impl Placed {
    pub fn of(link: &Link, draft: &JobDraft) -> Self {
        let bucket = link.bucket.clone().unwrap_or_default();
        let prefix = &link.prefix;
        Self {
            training_uri: match &draft.invocation_logs {
                Some(logs) => logs.uri.clone(),
                None => format!("s3://{bucket}/{}", training_key(prefix, &draft.job_name)),
            },
            validation_uri: format!("s3://{bucket}/{}", validation_key(prefix, &draft.job_name)),
            output_uri: draft.output_uri.clone().unwrap_or_else(|| format!("s3://{bucket}/{prefix}{OUTPUT_PREFIX}/")),
            role_arn: draft.role_arn.clone().or_else(|| link.role_arn.clone()).unwrap_or_default(),
            bucket,
        }
    }
}

/// Whether anything of the job goes to the connection's own bucket.
pub fn uses_bucket(draft: &JobDraft) -> bool {
    draft.invocation_logs.is_none() || draft.output_uri.is_none()
}

/// A job needs a place for its files and a role to take on.
fn missing_choices(link: &Link, draft: &JobDraft) -> Vec<FieldProblem> {
    let name = &link.name;
    if link.account.is_none() {
        let words = "uses a Bedrock API key, which cannot upload data to S3. Tune with a profile or an access key.";
        return vec![problem("bucket", format!("{name} {words}"))];
    }
    let bucket = (uses_bucket(draft) && link.bucket.is_none())
        .then(|| problem("bucket", format!("No bucket is chosen for {name} yet.")));
    let role = (draft.role_arn.is_none() && link.role_arn.is_none())
        .then(|| problem("roleArn", format!("No role is chosen for {name} yet.")));
    bucket.into_iter().chain(role).collect()
}

/// A job's name may hold `+`, which Bedrock refuses in an S3 URI.
fn key_part(job_name: &str) -> String {
    job_name.replace('+', "_")
}

fn taken_problem(field: &str, name: &str, taken: impl Fn(&str) -> bool) -> FieldProblem {
    FieldProblem {
        field: field.into(),
        message: format!("{name} was used before; names are unique."),
        suggestion: Some(free_name(name, taken)),
    }
}

/// The name itself, or with the first number behind it that makes it a free one: `tune-02` is followed by `tune-03`. A
/// single digit may mean something else, as in `tune-5e-4`, and stays.
pub fn free_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(name) {
        return name.to_owned();
    }
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let (stem, digits) = match stem.strip_suffix('-') {
        Some(before) if stem.len() + 1 < name.len() && !before.is_empty() => (before, name.len() - stem.len()),
        _ => (name, 0),
    };
    let numbered = |number: u32| {
        let number = format!("-{number:0digits$}");
        // A name that is as long as it may be makes room for its number.
        let room = LONGEST_NAME.saturating_sub(number.len());
        format!("{}{number}", stem.get(..room).unwrap_or(stem).trim_end_matches(['-', '_', '.', '+']))
    };
    (2..10_000).map(numbered).find(|candidate| !taken(candidate)).unwrap_or_else(|| name.to_owned())
}

fn data_problems(model: &BaseModel, data: &DataForModel) -> Vec<FieldProblem> {
    if data.errors == 0 {
        return Vec::new();
    }
    let message = match (&data.first_error, data.errors) {
        (Some(first), 1) => first.clone(),
        (first, errors) => {
            format!("{errors} errors for {}. The first: {}", model.name, first.clone().unwrap_or_default())
        }
    };
    vec![FieldProblem { field: "dataset".into(), message, suggestion: None }]
}

pub fn refuse(problem: &FieldProblem) -> AppError {
    let error = AppError::new(ErrorCode::InvalidInput, problem.message.clone()).detail(problem.field.clone());
    match &problem.suggestion {
        Some(suggestion) => error.hint(format!("{suggestion} would be accepted.")),
        None => error.hint("Mend it and try again."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_numbered_on() {
        let taken = |known: &'static [&'static str]| move |name: &str| known.contains(&name);
        assert_eq!(free_name("tune", taken(&[])), "tune");
        assert_eq!(free_name("tune", taken(&["tune"])), "tune-2");
        assert_eq!(free_name("tune-02", taken(&["tune-02"])), "tune-03");
        assert_eq!(free_name("tune-5e-4", taken(&["tune-5e-4"])), "tune-5e-4-2");
        assert_eq!(free_name("tune-09", taken(&["tune-02", "tune-03", "tune-09"])), "tune-04");
        let long: &'static str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
        assert_eq!(free_name(long, move |name| name == long).len(), LONGEST_NAME);
    }
}
