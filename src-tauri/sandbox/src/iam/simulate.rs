//! SimulatePrincipalPolicy: what a role's policies decide, without doing it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::entities::Role;
use super::policy::{Context, Decision, Kind, Policy, Question, decide};
use super::user_arn;
use crate::app::App;
use crate::rpc::{Call, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simulate {
    policy_source_arn: String,
    action_names: Vec<String>,
    #[serde(default)]
    resource_arns: Vec<String>,
    #[serde(default)]
    policy_input_list: Vec<String>,
    #[serde(default)]
    context_entries: Vec<Entry>,
    resource_policy: Option<String>,
    #[serde(default)]
    permissions_boundary_policy_input_list: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    context_key_name: String,
    #[serde(default)]
    context_key_values: Vec<String>,
}

pub(super) fn simulate(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Simulate = call.read()?;
    let invalid = |message: String| Failure::new("InvalidInput", 400, message);
    if asked.resource_policy.is_some() || !asked.permissions_boundary_policy_input_list.is_empty() {
        return Err(invalid("The sandbox has neither resource policies nor permissions boundaries.".to_owned()));
    }
    let mut policies = policies_of(app, &asked.policy_source_arn)?;
    for (index, text) in asked.policy_input_list.iter().enumerate() {
        policies
            .push((format!("PolicyInputList.{}", index + 1), Policy::parse(text, Kind::Identity).map_err(invalid)?));
    }
    let mut context = Context::default();
    for entry in asked.context_entries {
        context.add(&entry.context_key_name, entry.context_key_values);
    }
    let resources = if asked.resource_arns.is_empty() { vec!["*".to_owned()] } else { asked.resource_arns };
    let mut results = Vec::new();
    for action in &asked.action_names {
        if !action.contains(':') {
            return Err(invalid(format!("Invalid Action: {action}")));
        }
        for resource in &resources {
            results.push(result(&policies, &Question { principals: &[], action, resource, context: &context }));
        }
    }
    Ok(super::whole("EvaluationResults", &results))
}

/// Name and document of everything that holds for a principal.
fn policies_of(app: &App, arn: &str) -> Result<Vec<(String, Policy)>, Failure> {
    if arn == user_arn(app.keys().account()) {
        let everything = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
        let policy =
            Policy::parse(everything, Kind::Identity).map_err(|wrong| Failure::new("PolicyEvaluation", 500, wrong))?;
        return Ok(vec![("AdministratorAccess".to_owned(), policy)]);
    }
    let role = Role::by_arn(app, arn)?
        .ok_or_else(|| Failure::new("NoSuchEntity", 404, format!("The entity {arn} cannot be found.")))?;
    role.permissions(app).map_err(|wrong| Failure::new("PolicyEvaluation", 500, wrong))
}

fn result(policies: &[(String, Policy)], question: &Question<'_>) -> Value {
    let decision = decide(policies.iter().map(|(_, policy)| policy), question);
    let word = match decision {
        Decision::Allowed => "allowed",
        Decision::ExplicitDeny => "explicitDeny",
        Decision::ImplicitDeny => "implicitDeny",
    };
    let matched: Vec<Value> = policies
        .iter()
        .filter(|(_, policy)| decision != Decision::ImplicitDeny && policy.decide(question) == decision)
        .map(|(name, _)| json!({ "SourcePolicyId": name, "SourcePolicyType": "role" }))
        .collect();
    json!({
        "EvalActionName": question.action,
        "EvalResourceName": question.resource,
        "EvalDecision": word,
        "MatchedStatements": matched,
        "MissingContextValues": [],
    })
}
