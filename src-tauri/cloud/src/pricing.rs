//! AWS's Price List for Bedrock: rows as they come, with their usage type, unit and amount told apart.
//!
//! What a usage type means for a base model is the caller's to say. Deliberately absent: other services, reserved terms,
//! and a row whose amount or unit cannot be read: its price is then unknown.

use aws_config::Region;
use aws_sdk_pricing::types::{Filter, FilterType};
use serde::Deserialize;
use serde_json::Value;

use crate::{Cloud, CloudError};

/// One price.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceRow {
    /// Such as `USE1-NovaMicro-Customization-Training`.
    pub usage_type: String,
    pub model: Option<String>,
    pub region: Option<String>,
    /// For one of `unit`.
    pub usd: f64,
    pub unit: PriceUnit,
    /// The day (YYYY-MM-DD) the list was published, where it says so.
    pub published: Option<String>,
    /// Where a list that is not AWS's own has it from, and when it was seen there.
    pub source: Option<(String, String)>,
}

/// What is counted; tokens by the thousand, whatever the list counts them by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceUnit {
    ThousandTokens,
    Hour,
    Month,
}

impl Cloud {
    /// The on-demand prices of Bedrock in a Region, as the Price List has them today.
    ///
    /// # Errors
    /// `AccessDenied` without `pricing:GetProducts`, and those of any call.
    pub async fn bedrock_prices(&self, region: &str) -> Result<Vec<PriceRow>, CloudError> {
        let filter = |field: &str, value: &str| {
            Filter::builder()
                .r#type(FilterType::TermMatch)
                .field(field)
                .value(value)
                .build()
                .map_err(|error| CloudError::new("GetProducts", crate::CloudErrorCode::Other, error.to_string()))
        };
        let products = self.pricing.get_products().service_code("AmazonBedrock").format_version("aws_v1");
        let mut pages = products.filters(filter("regionCode", region)?).into_paginator().send();
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(CloudError::of("GetProducts"))?;
            rows.extend(page.price_list.unwrap_or_default().iter().flat_map(|document| price_rows(document)));
        }
        Ok(rows)
    }
}

/// The price list is asked at three places only; each has the prices of all Regions.
pub(crate) fn price_list_region(region: &str) -> Region {
    Region::new(match region.split('-').next() {
        Some("eu" | "il" | "me" | "af") => "eu-central-1",
        Some("ap") => "ap-south-1",
        _ => "us-east-1",
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    product: Product,
    terms: Terms,
    publication_date: Option<String>,
}

#[derive(Deserialize)]
struct Product {
    attributes: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Terms {
    on_demand: Option<std::collections::BTreeMap<String, Offer>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Offer {
    price_dimensions: std::collections::BTreeMap<String, Rate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rate {
    unit: String,
    begin_range: Option<String>,
    price_per_unit: std::collections::BTreeMap<String, String>,
}

/// The prices in one document of the list. Prices of volume beyond a first tier are left out.
pub fn price_rows(document: &str) -> Vec<PriceRow> {
    let Ok(document) = serde_json::from_str::<Document>(document) else { return Vec::new() };
    let attribute = |name: &str| document.product.attributes.get(name).and_then(Value::as_str).map(str::to_owned);
    let Some(usage_type) = attribute("usagetype") else { return Vec::new() };
    let offers = document.terms.on_demand.unwrap_or_default();
    let rates = offers.values().flat_map(|offer| offer.price_dimensions.values());
    let first_tier = rates.filter(|rate| rate.begin_range.as_deref().is_none_or(|begin| begin == "0"));
    first_tier
        .filter_map(|rate| {
            let amount: f64 = rate.price_per_unit.get("USD")?.parse().ok()?;
            let (times, unit) = unit(&rate.unit)?;
            (amount > 0.0 && amount.is_finite()).then(|| PriceRow {
                usage_type: usage_type.clone(),
                model: attribute("model"),
                region: attribute("regionCode"),
                usd: amount * times,
                unit,
                published: document.publication_date.as_ref().and_then(|date| date.get(..10)).map(str::to_owned),
                source: attribute("source").zip(attribute("seen")),
            })
        })
        .collect()
}

/// What the list calls a unit, and how many of it make one of ours. None for one that is not known.
fn unit(text: &str) -> Option<(f64, PriceUnit)> {
    let text = text.to_lowercase();
    let is = |names: &[&str]| names.contains(&text.trim());
    if is(&["1k tokens", "1000 tokens", "1k token", "thousand tokens"]) {
        Some((1.0, PriceUnit::ThousandTokens))
    } else if is(&["tokens", "token"]) {
        Some((1000.0, PriceUnit::ThousandTokens))
    } else if is(&["1m tokens", "million tokens", "1m token"]) {
        Some((0.001, PriceUnit::ThousandTokens))
    } else if is(&["hrs", "hours", "hour", "hr"]) || text.starts_with("model unit-hour") {
        Some((1.0, PriceUnit::Hour))
    } else if is(&["month", "months", "model-month", "models-month", "model-mo"]) {
        Some((1.0, PriceUnit::Month))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(usage: &str, unit: &str, usd: &str) -> String {
        format!(
            r#"{{"product":{{"productFamily":"Amazon Bedrock","attributes":{{"servicecode":"AmazonBedrock",
            "usagetype":"{usage}","regionCode":"us-east-1","model":"Nova Micro","feature":"Model Customization"}},"sku":"X"}},
            "serviceCode":"AmazonBedrock","version":"20260801","publicationDate":"2026-08-01T10:11:12Z",
            "terms":{{"OnDemand":{{"X.JRTCKXETXF":{{"priceDimensions":{{"X.JRTCKXETXF.6YS6EN2CT7":{{"unit":"{unit}",
            "beginRange":"0","endRange":"Inf","pricePerUnit":{{"USD":"{usd}"}}}}}}}}}}}}}}"#
        )
    }

    #[test]
    fn tokens_are_counted_by_the_thousand_whatever_the_list_counts_by() {
        for (unit, usd) in [("1K tokens", "0.0010000000"), ("Tokens", "0.0000010000"), ("1M tokens", "1.00")] {
            let rows = price_rows(&document("USE1-NovaMicro-Customization-Training", unit, usd));
            assert_eq!(rows.len(), 1, "{unit}");
            assert!((rows[0].usd - 0.001).abs() < 1e-12, "{unit}: {}", rows[0].usd);
            assert_eq!(rows[0].unit, PriceUnit::ThousandTokens);
            assert_eq!(rows[0].published.as_deref(), Some("2026-08-01"));
        }
        assert_eq!(price_rows(&document("USE1-X-ModelUnits", "Hrs", "20"))[0].unit, PriceUnit::Hour);
    }

    #[test]
    fn what_cannot_be_read_is_no_price() {
        for document in [
            document("USE1-NovaMicro-Customization-Training", "Furlongs", "1"),
            document("USE1-NovaMicro-Customization-Training", "1K tokens", "free"),
            document("USE1-NovaMicro-Customization-Training", "1K tokens", "0.0000000000"),
            "{}".to_owned(),
            "not json".to_owned(),
        ] {
            assert_eq!(price_rows(&document), [], "{document}");
        }
    }

    #[test]
    fn the_list_is_asked_at_one_of_its_three_places() {
        for (region, place) in
            [("us-west-2", "us-east-1"), ("eu-west-3", "eu-central-1"), ("ap-northeast-1", "ap-south-1")]
        {
            assert_eq!(price_list_region(region).as_ref(), place);
        }
    }
}
