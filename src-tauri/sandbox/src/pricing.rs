//! The Price List's GetProducts for Bedrock: the catalog's dated prices, in the form in which AWS's rows come.
//!
//! Every row says where its price was seen and when, in `source` and `seen`, which AWS's rows do not have; a price whose
//! source names no Region has none. Deliberately absent: other services, reserved terms, bulk files.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use whetstone_catalog::{BaseModel, Price, PriceItem, catalog};

use crate::app::App;
use crate::rpc::{Call, Failure, Operation, Protocol, Service};

pub(crate) const SERVICE: Service = Service {
    scope: "pricing",
    protocol: Protocol::Json { target: "AWSPriceListService" },
    operations: &[Operation { name: "GetProducts", handler: get_products }],
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetProducts {
    service_code: String,
    #[serde(default)]
    filters: Vec<Filter>,
    format_version: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    r#type: String,
    field: String,
    value: String,
}

impl Filter {
    fn check(&self) -> Result<(), Failure> {
        if matches!(self.r#type.as_str(), "TERM_MATCH" | "EQUALS" | "CONTAINS" | "ANY_OF" | "NONE_OF") {
            return Ok(());
        }
        Err(invalid(format!("Type {} is none of TERM_MATCH, EQUALS, CONTAINS, ANY_OF, NONE_OF.", self.r#type)))
    }

    fn keeps(&self, product: &Value) -> bool {
        let given = match self.field.as_str() {
            "ServiceCode" => Some("AmazonBedrock"),
            field => product["product"]["attributes"][field].as_str(),
        };
        let mut listed = self.value.split(',');
        match self.r#type.as_str() {
            "CONTAINS" => given.is_some_and(|text| text.contains(&self.value)),
            "ANY_OF" => listed.any(|one| given == Some(one)),
            "NONE_OF" => !listed.any(|one| given == Some(one)),
            _ => given == Some(self.value.as_str()),
        }
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("InvalidParameterException", 400, message)
}

/// The token is the number of rows that were shown.
fn get_products(_: &Arc<App>, call: &Call) -> Result<Value, Failure> {
    let asked: GetProducts = call.read()?;
    if asked.service_code != "AmazonBedrock" {
        return Err(Failure::new("NotFoundException", 400, "The sandbox knows the prices of AmazonBedrock only."));
    }
    if asked.format_version.as_deref().is_some_and(|version| version != "aws_v1") {
        return Err(invalid("FormatVersion must be aws_v1."));
    }
    let size = asked.max_results.unwrap_or(100);
    if !(1..=100).contains(&size) {
        return Err(invalid("MaxResults must be from 1 to 100."));
    }
    asked.filters.iter().try_for_each(Filter::check)?;
    let start = match &asked.next_token {
        None => 0,
        Some(token) => {
            token.parse().map_err(|_| Failure::new("InvalidNextTokenException", 400, "The NextToken is invalid."))?
        }
    };
    let rows: Vec<Value> = catalog()
        .models()
        .iter()
        .flat_map(|model| model.prices.iter().map(move |price| product(model, price)))
        .filter(|row| asked.filters.iter().all(|filter| filter.keeps(row)))
        .collect();
    let shown: Vec<String> = rows.iter().skip(start).take(size).map(Value::to_string).collect();
    let mut answer = json!({ "FormatVersion": "aws_v1", "PriceList": shown });
    if start + size < rows.len() {
        answer["NextToken"] = json!((start + size).to_string());
    }
    Ok(answer)
}

/// One row, with a usage type in the pattern of AWS's own.
fn product(model: &BaseModel, price: &Price) -> Value {
    let region = price.region.as_deref();
    let compact = model
        .usage_names
        .first()
        .cloned()
        .unwrap_or_else(|| model.name.trim_start_matches(&model.provider).split_whitespace().collect());
    let (usage, feature) = match price.what {
        PriceItem::Training => ("Customization-Training", "Model Customization"),
        PriceItem::Storage => ("Customization-Storage", "Model Customization"),
        PriceItem::InputTokens => ("input-tokens-custom-model", "On-demand Inference"),
        PriceItem::OutputTokens => ("output-tokens-custom-model", "On-demand Inference"),
        PriceItem::BaseInputTokens => ("input-tokens", "On-demand Inference"),
        PriceItem::BaseOutputTokens => ("output-tokens", "On-demand Inference"),
        PriceItem::ProvisionedHour => ("ProvisionedThroughput-NoCommit-ModelUnits", "Provisioned Throughput"),
    };
    let head = region.map_or_else(String::new, |region| format!("{}-", short(region)));
    let usage = format!("{head}{compact}-{usage}");
    let mut attributes = json!({
        "servicecode": "AmazonBedrock",
        "servicename": "Amazon Bedrock",
        "usagetype": usage,
        "model": model.name,
        "provider": model.provider,
        "feature": feature,
        "source": price.source,
        "seen": price.date,
    });
    if let Some(region) = region {
        attributes["regionCode"] = json!(region);
    }
    let rate =
        json!({ "unit": price.unit, "pricePerUnit": { "USD": format!("{:.10}", price.usd) }, "description": usage });
    json!({
        "product": { "productFamily": "Amazon Bedrock", "attributes": attributes, "sku": usage },
        "serviceCode": "AmazonBedrock",
        "terms": { "OnDemand": { "offer": { "priceDimensions": { "rate": rate }, "sku": usage } } },
    })
}

/// `us-east-1` as usage types have it: `USE1`.
fn short(region: &str) -> String {
    let mut parts = region.split('-');
    let (area, side, number) = (parts.next(), parts.next(), parts.next());
    let side: String = side.unwrap_or_default().chars().take(1).collect();
    format!("{}{side}{}", area.unwrap_or_default(), number.unwrap_or_default()).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_type_begins_with_its_region_in_short() {
        assert_eq!((short("us-east-1").as_str(), short("us-west-2").as_str()), ("USE1", "USW2"));
    }
}
