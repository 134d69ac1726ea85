//! Every request that the wizard can make, at the edges of what it lets through: a line of JSON a case.
//!
//! For each base model and kind of training: the draft with its defaults; each bound of each hyperparameter, just inside
//! and just outside; names at the edges of their rules. Each goes through the check and the request that a start uses, so
//! whoever reads the lines can hold the request against the service's own model and against an endpoint.
//!
//! Arguments: a role's ARN, and a bucket.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Value, json};
use whetstone_catalog::{BaseModel, CustomizationType as Kind, Hyperparameter, HyperparameterKind, catalog};
use whetstone_cloud::profiles::Endpoints;
use whetstone_cloud::{Cloud, CloudErrorCode, Credentials, Endpoint};
use whetstone_contract::{CustomizationType, JobDraft, Teacher};
use whetstone_workbench::{Places, check_draft, create_request};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A draft, and in its first word the field that is tried.
struct Case {
    what: String,
    draft: JobDraft,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next().ok_or("the ARN of a role is needed")?;
    let bucket = arguments.next().ok_or("the name of a bucket is needed")?;
    let credentials = Credentials::Static { id: "none".into(), secret: "none".into(), session: None };
    let cloud = Cloud::connect(Endpoint { region: "us-east-1".into(), endpoints: Endpoints::default(), credentials })?;
    let mut out = std::io::stdout().lock();
    let mut number = 0;
    for model in catalog().models() {
        for kind in &model.customization_types {
            for mut case in cases(model, *kind) {
                number += 1;
                name(&mut case, number);
                let places = Places {
                    role_arn: role.clone(),
                    training_uri: format!("s3://{bucket}/not/there.jsonl"),
                    validation_uri: None,
                    output_uri: format!("s3://{bucket}/output/"),
                    client_token: format!("case-{number}"),
                };
                if let Some(line) = line(&cloud, model, *kind, case, places).await? {
                    writeln!(out, "{line}")?;
                }
            }
        }
    }
    Ok(())
}

/// A name is taken once only; where the name itself is what is tried, it stays.
fn name(case: &mut Case, number: u32) {
    if !case.what.starts_with("jobName") {
        case.draft.job_name = format!("case-{number}");
    }
    if !case.what.starts_with("modelName") {
        case.draft.model_name = format!("case-{number}");
    }
}

/// None for a number that the app refuses and that the service's own type has no room for: it cannot be sent.
async fn line(cloud: &Cloud, model: &BaseModel, kind: Kind, case: Case, places: Places) -> Outcome<Option<Value>> {
    let problems = check_draft(model, &case.draft);
    let body = match cloud.written_job(create_request(model, &case.draft, places)).await {
        Err(error) if error.code == CloudErrorCode::Validation && !problems.is_empty() => return Ok(None),
        written => written?,
    };
    let request: Value = serde_json::from_str(&body)?;
    Ok(Some(json!({
        "model": model.id,
        "type": kind.as_str(),
        "region": model.tuning_regions.first().map_or("us-east-1", String::as_str),
        "teachers": model.teachers,
        "what": case.what,
        "problems": problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(),
        "request": request,
    })))
}

fn cases(model: &BaseModel, kind: Kind) -> Vec<Case> {
    let usual = usual(model, kind);
    let mut all = vec![Case { what: "defaults".into(), draft: usual.clone() }];
    for parameter in model.hyperparameters_for(kind) {
        for (what, value) in edges(parameter) {
            let mut draft = usual.clone();
            draft.hyperparameters.insert(parameter.key.clone(), value);
            all.push(Case { what: format!("{} {what}", parameter.key), draft });
        }
    }
    // Names have the same rules for all; trying them once is enough.
    if model.local {
        for (what, name) in job_names() {
            all.push(Case { what: format!("jobName {what}"), draft: JobDraft { job_name: name, ..usual.clone() } });
        }
        for (what, name) in model_names() {
            all.push(Case { what: format!("modelName {what}"), draft: JobDraft { model_name: name, ..usual.clone() } });
        }
    }
    all
}

fn usual(model: &BaseModel, kind: Kind) -> JobDraft {
    let defaults = model.hyperparameters_for(kind).iter().map(|one| (one.key.clone(), one.default.clone()));
    let hyperparameters: BTreeMap<String, String> = defaults.collect();
    JobDraft {
        customization_type: match kind {
            Kind::FineTuning => CustomizationType::FineTuning,
            Kind::ContinuedPreTraining => CustomizationType::ContinuedPreTraining,
            Kind::Distillation => CustomizationType::Distillation,
            Kind::ReinforcementFineTuning => CustomizationType::ReinforcementFineTuning,
        },
        base_model: model.id.clone(),
        hyperparameters,
        teacher: model
            .teachers
            .first()
            .filter(|_| kind == Kind::Distillation)
            .map(|teacher| Teacher { model: teacher.clone(), longest_answer: Some(1000) }),
        grader: (kind == Kind::ReinforcementFineTuning)
            .then(|| "arn:aws:lambda:us-east-1:123456789012:function:grade".to_owned()),
        ..JobDraft::default()
    }
}

/// Values at the bounds: the word tells on which side.
fn edges(parameter: &Hyperparameter) -> Vec<(&'static str, String)> {
    match &parameter.kind {
        HyperparameterKind::Integer { min, max } => vec![
            ("below", (min - 1).to_string()),
            ("least", min.to_string()),
            ("most", max.to_string()),
            ("above", (max + 1).to_string()),
        ],
        HyperparameterKind::Float { min, max } => vec![
            ("below", format!("{:e}", min.next_down())),
            ("least", format!("{min:e}")),
            ("most", format!("{max:e}")),
            ("above", format!("{:e}", max.next_up())),
        ],
        HyperparameterKind::Choice { options } => {
            let inside = options.iter().map(|option| ("option", option.clone()));
            inside.chain([("outside", "neither".to_owned())]).collect()
        }
    }
}

fn job_names() -> Vec<(&'static str, String)> {
    vec![
        ("inside: one letter", "a".into()),
        ("inside: 63 letters", "a".repeat(63)),
        ("inside: marks", "A1-b+c.d--e".into()),
        ("outside: empty", String::new()),
        ("outside: 64 letters", "b".repeat(64)),
        ("outside: begins with a mark", "-a".into()),
        ("outside: underscore", "a_b".into()),
        ("outside: space", "a b".into()),
        ("outside: not ASCII", "käse".into()),
    ]
}

fn model_names() -> Vec<(&'static str, String)> {
    vec![
        ("inside: one digit", "1".into()),
        ("inside: 63 letters", "c".repeat(63)),
        ("inside: marks", "a-b_c-D".into()),
        ("outside: empty", String::new()),
        ("outside: 64 letters", "d".repeat(64)),
        ("outside: begins with a mark", "_a".into()),
        ("outside: two marks", "a--b".into()),
        ("outside: dot", "a.b".into()),
        ("outside: plus", "a+b".into()),
    ]
}
