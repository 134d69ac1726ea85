//! From a draft and the places it was given to the one request that is sent, shown and tested.

use std::collections::BTreeMap;

use whetstone_catalog::BaseModel;
use whetstone_cloud::{CreateJob, Purpose, TrainingData, Vpc};
use whetstone_contract::{Approach, JobDraft, Tag};

use super::kinds;

/// The tag by which a stand-in is told which weights to train. To AWS it is a tag like any other.
const APPROACH_TAG: &str = "whetstone:approach";

/// Where a job finds and leaves things, and under which token it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    pub role_arn: String,
    /// Of the uploaded file; not used where the data are invocation logs.
    pub training_uri: String,
    pub validation_uri: Option<String>,
    pub output_uri: String,
    pub client_token: String,
}

pub fn create_request(model: &BaseModel, draft: &JobDraft, places: Places) -> CreateJob {
    let kind = kinds::of(draft);
    let hyperparameters = sent_hyperparameters(model, draft, places.validation_uri.is_some());
    let distillation = draft.teacher.as_ref().map(|teacher| Purpose::Distillation {
        teacher: teacher.model.clone(),
        longest_answer: teacher.longest_answer.and_then(|tokens| i32::try_from(tokens).ok()),
    });
    let reinforcement = draft
        .grader
        .as_ref()
        .map(|arn| Purpose::Reinforcement { grader_arn: arn.clone(), hyperparameters: hyperparameters.clone() });
    CreateJob {
        name: draft.job_name.clone(),
        model_name: draft.model_name.clone(),
        role_arn: places.role_arn,
        base_model: draft.base_model.clone(),
        customization_type: kind.as_str().to_owned(),
        training: match &draft.invocation_logs {
            Some(logs) => TrainingData::InvocationLogs { uri: logs.uri.clone(), with_answers: logs.with_answers },
            None => TrainingData::File(places.training_uri),
        },
        validation_uri: places.validation_uri,
        output_uri: places.output_uri,
        hyperparameters,
        purpose: distillation.or(reinforcement),
        kms_key: draft.kms_key.clone(),
        vpc: draft
            .vpc
            .as_ref()
            .map(|vpc| Vpc { subnets: vpc.subnets.clone(), security_groups: vpc.security_groups.clone() }),
        job_tags: job_tags(model, draft),
        model_tags: pairs(&draft.model_tags),
        client_token: places.client_token,
    }
}

/// What is sent of a draft's hyperparameters: some are left out where a validation set is given.
pub fn sent_hyperparameters(model: &BaseModel, draft: &JobDraft, validated: bool) -> BTreeMap<String, String> {
    let known = model.hyperparameters_for(kinds::of(draft));
    let kept = |key: &String| !validated || !known.iter().any(|one| one.key == *key && one.without_validation);
    draft.hyperparameters.iter().filter(|(key, _)| kept(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A model that trains as itself has a hyperparameter for the approach; only stand-ins need to be told by a tag.
fn job_tags(model: &BaseModel, draft: &JobDraft) -> Vec<(String, String)> {
    let mut tags = pairs(&draft.job_tags);
    let value = match draft.approach {
        Some(Approach::Full) => Some("full"),
        Some(Approach::Peft) => Some("peft"),
        Some(Approach::Instruction) | None => None,
    };
    if let Some(value) = value.filter(|_| !model.local) {
        tags.push((APPROACH_TAG.to_owned(), value.to_owned()));
    }
    tags
}

fn pairs(tags: &[Tag]) -> Vec<(String, String)> {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}
