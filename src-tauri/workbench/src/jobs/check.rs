//! Everything that can be wrong with a draft by itself: kind, model, hyperparameters, names, places, tags.
//!
//! It knows neither the data nor the connection; `plan.rs` adds what those say. Patterns: botocore's service model of
//! `bedrock`, 2023-04-20.

use std::sync::LazyLock;

use regex::Regex;
use whetstone_catalog::{BaseModel, CustomizationType};
use whetstone_contract::{FieldProblem, JobDraft, Tag};

use super::kinds;
use crate::names;

const MOST_TAGS: usize = 200;
const MOST_SUBNETS: usize = 16;
const MOST_SECURITY_GROUPS: usize = 5;
/// A grader's ARN, at most.
const LONGEST_GRADER: usize = 512;

macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(concat!("^(?:", $pattern, ")$")).ok());
    };
}

pattern!(ROLE, r"arn:aws(-[^:]+)?:iam::([0-9]{12})?:role/.+");
pattern!(S3_URI, r"s3://[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](?:/[-!_*'().a-z0-9A-Z]+(?:/[-!_*'().a-z0-9A-Z]+)*)?/?");
pattern!(
    KMS_KEY,
    r"(arn:aws(-[^:]+)?:kms:[a-zA-Z0-9-]*:[0-9]{12}:((key/[a-zA-Z0-9-]{36})|(alias/[a-zA-Z0-9-_/]+)))|([a-zA-Z0-9-]{36})|(alias/[a-zA-Z0-9-_/]+)"
);
pattern!(VPC_ID, r"[-0-9a-zA-Z]{1,32}");
pattern!(TAG_TEXT, r"[a-zA-Z0-9\s._:/=+@-]*");
pattern!(LAMBDA, r"arn:aws(-[^:]+)?:lambda:[a-z0-9-]{1,20}:[0-9]{12}:function:[a-zA-Z0-9-_.]+(:[a-zA-Z0-9-_$]+)?");
pattern!(
    TEACHER,
    r"(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:((:foundation-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})|([0-9]{12}:inference-profile/[a-zA-Z0-9-:.]+)))|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})"
);

fn fits(pattern: &Option<Regex>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// In the order in which the wizard asks.
pub fn check_draft(model: &BaseModel, draft: &JobDraft) -> Vec<FieldProblem> {
    let kind = kinds::of(draft);
    let mut problems = Vec::new();
    if !model.supports(kind) {
        let offered: Vec<&str> = model.customization_types.iter().map(|kind| kinds::in_words(*kind)).collect();
        problems.push(problem(
            "customizationType",
            format!("{} is not tuned by {}, only by {}.", model.name, kinds::in_words(kind), offered.join(" and ")),
        ));
        return problems;
    }
    problems.extend(check_hyperparameters(model, draft));
    problems.extend(check_purpose(model, draft, kind));
    problems.extend(names::check_job_name(&draft.job_name));
    problems.extend(names::check_model_name("modelName", &draft.model_name));
    problems.extend(check_places(draft));
    problems.extend(check_tags("jobTags", &draft.job_tags));
    problems.extend(check_tags("modelTags", &draft.model_tags));
    if let Some(approach) = draft.approach
        && !model.approaches.contains(&kinds::approach_of(approach))
    {
        problems.push(problem("approach", format!("{} is not tuned that way.", model.name)));
    }
    problems
}

fn check_hyperparameters(model: &BaseModel, draft: &JobDraft) -> Vec<FieldProblem> {
    let kind = kinds::of(draft);
    let wrong = model.check_hyperparameters(kind, &draft.hyperparameters);
    let known = model.hyperparameters_for(kind);
    wrong
        .iter()
        .map(|error| FieldProblem {
            field: error.key().to_owned(),
            message: error.to_string(),
            suggestion: known.iter().find(|one| one.key == error.key()).map(|one| one.default.clone()),
        })
        .collect()
}

fn check_purpose(model: &BaseModel, draft: &JobDraft, kind: CustomizationType) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    match (kind, &draft.teacher) {
        (CustomizationType::Distillation, None) => {
            let named = model.teachers.join(" or ");
            let message = if named.is_empty() {
                format!("No teacher that still answers is paired with {}.", model.name)
            } else {
                format!("A distillation needs a teacher: {named}.")
            };
            let suggestion = model.teachers.first().cloned();
            problems.push(FieldProblem { field: "teacher".into(), message, suggestion });
        }
        (CustomizationType::Distillation, Some(teacher)) => {
            if !fits(&TEACHER, &teacher.model) || teacher.model.len() > 2048 {
                problems.push(FieldProblem {
                    field: "teacher".into(),
                    message: "A teacher is a model id, a foundation model's ARN or an inference profile's ARN.".into(),
                    suggestion: model.teachers.first().cloned(),
                });
            }
            if teacher.longest_answer.is_some_and(|tokens| tokens == 0 || i32::try_from(tokens).is_err()) {
                let message = format!("An answer may have 1 to {} tokens.", i32::MAX);
                problems.push(FieldProblem { field: "longestAnswer".into(), message, suggestion: Some("1000".into()) });
            }
        }
        (_, Some(_)) => problems.push(problem("teacher", "Only a distillation has a teacher.".into())),
        (_, None) => {}
    }
    match (kind, &draft.grader) {
        (CustomizationType::ReinforcementFineTuning, None) => {
            problems.push(problem("grader", "Reinforcement needs a grader: the ARN of a Lambda function.".into()));
        }
        (CustomizationType::ReinforcementFineTuning, Some(arn)) => {
            if arn.len() > LONGEST_GRADER || !fits(&LAMBDA, arn) {
                let example = "arn:aws:lambda:us-east-1:123456789012:function:grade";
                problems
                    .push(problem("grader", format!("This is not the ARN of a Lambda function, such as {example}.")));
            }
        }
        (_, Some(_)) => problems.push(problem("grader", "Only reinforcement has a grader.".into())),
        (_, None) => {}
    }
    if let Some(logs) = &draft.invocation_logs {
        if matches!(kind, CustomizationType::FineTuning | CustomizationType::ContinuedPreTraining) {
            problems.push(problem(
                "invocationLogs",
                "Only distillation and reinforcement can learn from invocation logs.".into(),
            ));
        }
        problems.extend(check_uri("invocationLogs", &logs.uri));
    }
    problems
}

fn check_places(draft: &JobDraft) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    if let Some(uri) = &draft.output_uri {
        problems.extend(check_uri("outputUri", uri));
    }
    if let Some(role) = &draft.role_arn
        && (role.len() > 2048 || !fits(&ROLE, role))
    {
        let example = "arn:aws:iam::123456789012:role/AmazonBedrockTuning";
        problems.push(problem("roleArn", format!("This is not the ARN of a role, such as {example}.")));
    }
    if let Some(key) = &draft.kms_key
        && (key.len() > 2048 || !fits(&KMS_KEY, key))
    {
        problems.push(problem("kmsKey", "A key is given by its ARN, its id of 36 characters, or alias/NAME.".into()));
    }
    if let Some(vpc) = &draft.vpc {
        let lists = [
            ("subnets", "subnets", &vpc.subnets, MOST_SUBNETS),
            ("securityGroups", "security groups", &vpc.security_groups, MOST_SECURITY_GROUPS),
        ];
        for (field, words, ids, most) in lists {
            if ids.is_empty() || ids.len() > most {
                problems.push(problem(field, format!("A VPC needs 1 to {most} {words}; this has {}.", ids.len())));
            } else if let Some(bad) = ids.iter().find(|id| !fits(&VPC_ID, id)) {
                problems
                    .push(problem(field, format!("“{bad}” is not an id: letters, digits and hyphens, at most 32.")));
            }
        }
    }
    problems
}

fn check_uri(field: &str, uri: &str) -> Option<FieldProblem> {
    if uri.len() <= 1024 && fits(&S3_URI, uri) {
        return None;
    }
    let message = "Bedrock takes s3://bucket/folder/ with letters, digits and - ! _ * ' ( ) . in the folder; no spaces, \
                   no +, = or %, and no double slash.";
    Some(problem(field, message.into()))
}

fn check_tags(field: &str, tags: &[Tag]) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    if tags.len() > MOST_TAGS {
        problems.push(problem(field, format!("At most {MOST_TAGS} tags; there are {}.", tags.len())));
    }
    for (index, tag) in tags.iter().enumerate() {
        let (key, value) = (tag.key.chars().count(), tag.value.chars().count());
        if key == 0 || key > 128 || value > 256 {
            problems.push(problem(field, "A tag has a key of 1 to 128 characters and a value of at most 256.".into()));
        } else if !fits(&TAG_TEXT, &tag.key) || !fits(&TAG_TEXT, &tag.value) {
            let message = format!("The tag “{}” holds more than letters, digits, spaces and . _ : / = + @ -", tag.key);
            problems.push(problem(field, message));
        } else if tags[..index].iter().any(|earlier| earlier.key == tag.key) {
            problems.push(problem(field, format!("The tag “{}” is there twice.", tag.key)));
        }
    }
    problems
}

pub fn problem(field: &str, message: String) -> FieldProblem {
    FieldProblem { field: field.into(), message, suggestion: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for pattern in [&ROLE, &S3_URI, &KMS_KEY, &VPC_ID, &TAG_TEXT, &LAMBDA, &TEACHER] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn an_s3_uri_is_held_to_what_bedrock_takes() {
        for good in ["s3://my-bucket", "s3://my-bucket/", "s3://my-bucket/a/b.jsonl", "s3://my-bucket/it's(1)!/"] {
            assert_eq!(check_uri("outputUri", good), None, "{good}");
        }
        for bad in
            ["", "s3://", "s3://b", "s3://my-bucket/a b", "s3://my-bucket//a", "s3://my-bucket/a+b", "my-bucket/a"]
        {
            assert!(check_uri("outputUri", bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn tags_are_held_to_their_lengths_and_characters() {
        let tag = |key: &str, value: &str| Tag { key: key.into(), value: value.into() };
        assert_eq!(check_tags("jobTags", &[tag("team", "a/b@c"), tag("k", "")]), []);
        for bad in [tag("", "x"), tag(&"k".repeat(129), ""), tag("k", &"v".repeat(257)), tag("a&b", "")] {
            assert_eq!(check_tags("jobTags", &[bad]).len(), 1);
        }
        assert_eq!(check_tags("jobTags", &[tag("k", "1"), tag("k", "2")]).len(), 1);
    }
}
