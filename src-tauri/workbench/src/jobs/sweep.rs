//! One draft, started for several values of one hyperparameter. The endpoint trains as many at once as it does, and the
//! rest wait there.

use whetstone_contract::{AppError, ErrorCode, JobDraft, JobSummary, Sweep};

use super::plan::{free_name, refuse};
use crate::Workbench;

/// More than this is a search, and no comparison that a person looks at.
const MOST: usize = 8;

impl Workbench {
    pub(crate) async fn sweep(&self, sweep: Sweep) -> Result<Vec<JobSummary>, AppError> {
        let mut values: Vec<&String> = sweep.values.iter().collect();
        values.dedup();
        if values.len() < 2 || values.len() > MOST {
            return Err(AppError::new(ErrorCode::InvalidInput, format!("A sweep takes 2 to {MOST} different values."))
                .hint("Write them with commas between them."));
        }
        let taken: Vec<String> = self.jobs.all()?.into_iter().map(|job| job.draft.job_name).collect();
        let drafts: Vec<JobDraft> = values.iter().map(|value| variant(&sweep, value, &taken)).collect();
        // All or none: a sweep with a hole in it compares nothing.
        for draft in &drafts {
            if let Some(problem) = self.plan(draft).await?.problems.first() {
                return Err(refuse(problem));
            }
        }
        let mut started = Vec::new();
        for draft in drafts {
            started.push(self.submit(draft).await?);
        }
        Ok(started)
    }
}

/// The draft with this value, under names that say so.
fn variant(sweep: &Sweep, value: &str, taken: &[String]) -> JobDraft {
    let mut draft = sweep.job.clone();
    draft.hyperparameters.insert(sweep.key.clone(), value.to_owned());
    let suffix: String =
        value.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    let suffix = suffix.trim_matches('-');
    let named = |name: &str| {
        let room = 63_usize.saturating_sub(suffix.len() + 1);
        format!("{}-{suffix}", name.get(..room).unwrap_or(name).trim_end_matches(['-', '_', '.', '+']))
    };
    draft.job_name = free_name(&named(&draft.job_name), |name| taken.iter().any(|one| one == name));
    draft.model_name = named(&draft.model_name);
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{check_job_name, check_model_name};

    #[test]
    fn each_value_gets_names_that_bedrock_takes() {
        let job = JobDraft { job_name: "a".repeat(63), model_name: "model".into(), ..JobDraft::default() };
        let sweep = Sweep { job, key: "learningRate".into(), values: Vec::new() };
        for value in ["1e-5", "0.0005", "full", "-3"] {
            let draft = variant(&sweep, value, &[]);
            assert_eq!(check_job_name(&draft.job_name), None, "{}", draft.job_name);
            assert_eq!(check_model_name("modelName", &draft.model_name), None, "{}", draft.model_name);
            assert_eq!(draft.hyperparameters["learningRate"], value);
        }
    }
}
