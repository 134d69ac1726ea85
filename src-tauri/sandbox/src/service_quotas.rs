//! Service Quotas for Bedrock: the figures that `limits` enforces here.
//!
//! They were seen on AWS accounts, where each is one account's view; a description says so. A quota whose code no source
//! names is listed without one. Deliberately absent: requests for more, other services, and history.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::limits::{self, Quota};
use crate::rpc::{Call, Failure, Operation, Protocol, Service};

pub(crate) const SERVICE: Service = Service {
    scope: "servicequotas",
    protocol: Protocol::Json { target: "ServiceQuotasV20190624" },
    operations: &[
        Operation { name: "ListServiceQuotas", handler: list },
        Operation { name: "GetServiceQuota", handler: get },
    ],
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    service_code: String,
    next_token: Option<String>,
    max_results: Option<usize>,
    quota_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    service_code: String,
    quota_code: String,
}

fn known(service: &str) -> Result<(), Failure> {
    if service == "bedrock" {
        return Ok(());
    }
    Err(Failure::new("NoSuchResourceException", 400, format!("The sandbox knows no quotas of {service}.")))
}

/// The token is the number of quotas that were shown.
fn list(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: List = call.read()?;
    known(&asked.service_code)?;
    let size = asked.max_results.unwrap_or(100);
    if !(1..=100).contains(&size) {
        return Err(Failure::new("IllegalArgumentException", 400, "MaxResults must be from 1 to 100."));
    }
    let start = match &asked.next_token {
        None => 0,
        Some(token) => token
            .parse()
            .map_err(|_| Failure::new("InvalidPaginationTokenException", 400, "The NextToken is invalid."))?,
    };
    let wanted = |quota: &&Quota| asked.quota_code.as_deref().is_none_or(|code| quota.code == Some(code));
    let all: Vec<&Quota> = limits::ALL.iter().filter(wanted).collect();
    let shown: Vec<Value> = all.iter().skip(start).take(size).map(|quota| view(app, &call.region, quota)).collect();
    let mut answer = json!({ "Quotas": shown });
    if start + size < all.len() {
        answer["NextToken"] = json!((start + size).to_string());
    }
    Ok(answer)
}

fn get(app: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: Get = call.read()?;
    known(&asked.service_code)?;
    let quota = limits::ALL.iter().find(|quota| quota.code == Some(asked.quota_code.as_str())).ok_or_else(|| {
        Failure::new("NoSuchResourceException", 400, format!("The sandbox knows no quota {}.", asked.quota_code))
    })?;
    Ok(json!({ "Quota": view(app, &call.region, quota) }))
}

fn view(app: &App, region: &str, quota: &Quota) -> Value {
    let mut shown = json!({
        "ServiceCode": "bedrock",
        "ServiceName": "Amazon Bedrock",
        "QuotaName": quota.name,
        "Value": quota.value,
        "Unit": "None",
        "Adjustable": quota.adjustable,
        "GlobalQuota": false,
        "QuotaAppliedAtLevel": "ACCOUNT",
        "Description": "As it was seen on AWS accounts and not verified; this sandbox enforces it.",
    });
    if let Some(code) = quota.code {
        let account = app.keys().account();
        shown["QuotaCode"] = json!(code);
        shown["QuotaArn"] = json!(format!("arn:aws:servicequotas:{region}:{account}:bedrock/{code}"));
    }
    shown
}
