//! Checks a draft before anything is uploaded: names, hyperparameters, data; and says what it would cost.

use whetstone_catalog::BaseModel;
use whetstone_contract::{AppError, ErrorCode, FieldProblem, JobDraft, JobPlan};

use crate::Workbench;
use crate::connections::Link;
use crate::datasets::DataForModel;
use crate::{models, names, tokens};

/// Prefixes inside the bucket; keys hold only characters that Bedrock takes in an S3 URI.
const TRAINING_PREFIX: &str = "datasets";
const OUTPUT_PREFIX: &str = "output";

impl Workbench {
    pub async fn plan(&self, draft: &JobDraft) -> Result<JobPlan, AppError> {
        let link = self.connections.link().await?;
        let model = models::find(&draft.base_model)?;
        let data = self.datasets.for_model(draft.dataset.clone(), model).await?;
        let mut problems = data_problems(model, &data);
        problems.extend(hyperparameter_problems(model, draft));
        problems.extend(names::check_job_name(&draft.job_name));
        problems.extend(names::check_model_name("modelName", &draft.model_name));
        problems.extend(self.taken_names(draft, &link)?);
        problems.extend(missing_choices(&link));
        if !model.tunable_in(&link.region) && !link.on_this_computer {
            problems.push(FieldProblem {
                field: "baseModel".into(),
                message: format!("{} cannot be tuned in {}.", model.name, link.region),
                suggestion: model.tuning_regions.first().cloned(),
            });
        }
        let bucket = link.bucket.clone().unwrap_or_default();
        let epochs = draft.hyperparameters.get("epochCount").and_then(|text| text.parse().ok());
        let cost = self.cost_of(&link, model, data.training_tokens, epochs, None).await;
        Ok(JobPlan {
            problems,
            errors: data.errors,
            warnings: data.warnings,
            training_records: data.training,
            validation_records: data.validation,
            hold_out_records: data.hold_out,
            training_tokens: data.training_tokens,
            tokens_note: tokens::source(model).name,
            training_uri: format!("s3://{bucket}/{}", training_key(&link.prefix, &draft.job_name)),
            output_uri: output_uri(&bucket, &link.prefix),
            bucket,
            role_arn: link.role_arn.unwrap_or_default(),
            cost,
            stand_in: link.on_this_computer && !model.local,
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

pub fn output_uri(bucket: &str, prefix: &str) -> String {
    format!("s3://{bucket}/{prefix}{OUTPUT_PREFIX}/")
}

/// A job needs a place for its files and a role to take on.
fn missing_choices(link: &Link) -> Vec<FieldProblem> {
    let missing = |field: &str, message: String| FieldProblem { field: field.into(), message, suggestion: None };
    let name = &link.name;
    let bucket = link.bucket.is_none().then(|| missing("bucket", format!("No bucket is chosen for {name} yet.")));
    let role = link.role_arn.is_none().then(|| missing("roleArn", format!("No role is chosen for {name} yet.")));
    bucket.into_iter().chain(role).collect()
}

/// Bucket and role of a link that has both.
pub fn chosen(link: &Link) -> Result<(String, String), AppError> {
    match (&link.bucket, &link.role_arn, missing_choices(link).first()) {
        (Some(bucket), Some(role), _) => Ok((bucket.clone(), role.clone())),
        (.., Some(problem)) => Err(refuse(problem)),
        (.., None) => Err(AppError::new(ErrorCode::Bug, "The bucket or the role is missing.")),
    }
}

/// A job's name may hold `+`, which Bedrock refuses in an S3 URI.
fn key_part(job_name: &str) -> String {
    job_name.replace('+', "_")
}

fn taken_problem(field: &str, name: &str, taken: impl Fn(&str) -> bool) -> FieldProblem {
    let free = (2..1000).map(|number| format!("{name}-{number}")).find(|candidate| !taken(candidate));
    FieldProblem {
        field: field.into(),
        message: format!("{name} was used before; names are unique."),
        suggestion: free,
    }
}

fn hyperparameter_problems(model: &BaseModel, draft: &JobDraft) -> Vec<FieldProblem> {
    model
        .check_hyperparameters(&draft.hyperparameters)
        .iter()
        .map(|error| FieldProblem {
            field: error.key().to_owned(),
            message: error.to_string(),
            suggestion: model.hyperparameter(error.key()).map(|parameter| parameter.default.clone()),
        })
        .collect()
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
