//! What the connection's price list says today, read as rates of base models.
//!
//! Asked once a day and Region, in the background; where it may not be asked, or names no price, the catalog's dated table
//! stands in, rate by rate. Which model and which item a row is about is told by its usage type: the rows of tuned models
//! carry an ordinary inference type, and retired models keep their rows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use whetstone_catalog::{BaseModel, Price, PriceItem};
use whetstone_cloud::{CloudError, PriceRow, PriceUnit};

use super::catalog_rates;
use crate::connections::Link;

const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// A list that could not be had is asked again after this.
const AGAIN: Duration = Duration::from_secs(10 * 60);

type Asked = Option<Result<Arc<Vec<PriceRow>>, CloudError>>;

struct Slot {
    since: Instant,
    answer: watch::Receiver<Asked>,
}

/// What was asked, by endpoint and Region.
#[derive(Default)]
pub struct PriceLists {
    lists: Mutex<HashMap<(String, String), Slot>>,
}

/// Rates, and where they are from in words.
pub struct Rates {
    pub rates: Vec<Price>,
    pub from: String,
}

impl PriceLists {
    /// The rates of a model in a Region. Waits for an answer no longer than `patience`; a later one counts next time.
    pub async fn rates(
        &self,
        link: &Link,
        endpoint: &str,
        model: &BaseModel,
        region: &str,
        patience: Duration,
    ) -> Rates {
        let mut answer = self.ask(link, endpoint, region);
        let settled = tokio::time::timeout(patience, answer.wait_for(Option::is_some)).await;
        let rows = settled.ok().and_then(Result::ok).and_then(|settled| settled.clone());
        match rows {
            Some(Ok(rows)) => {
                let live = live_rates(&rows, model, region);
                let from = match live.len() {
                    0 => "The price list names none of these prices; each is from the app's dated table.".to_owned(),
                    _ => {
                        "Prices are from the price list, and from the app's dated table where it names none.".to_owned()
                    }
                };
                Rates { rates: merged(live, catalog_rates(model, region)), from }
            }
            Some(Err(error)) => Rates {
                rates: catalog_rates(model, region),
                from: format!(
                    "The price list could not be asked ({}); prices are from the app's dated table.",
                    error.message
                ),
            },
            None => Rates {
                rates: catalog_rates(model, region),
                from: "The price list has not answered yet; prices are from the app's dated table.".to_owned(),
            },
        }
    }

    fn ask(&self, link: &Link, endpoint: &str, region: &str) -> watch::Receiver<Asked> {
        let key = (endpoint.to_owned(), region.to_owned());
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = lists.get(&key) {
            let keeps = if matches!(*slot.answer.borrow(), Some(Err(_))) { AGAIN } else { FRESH };
            if slot.since.elapsed() < keeps {
                return slot.answer.clone();
            }
        }
        let (tell, answer) = watch::channel(None);
        lists.insert(key, Slot { since: Instant::now(), answer: answer.clone() });
        let (cloud, region) = (link.cloud.clone(), region.to_owned());
        tokio::spawn(async move {
            tell.send_replace(Some(cloud.bedrock_prices(&region).await.map(Arc::new)));
        });
        answer
    }
}

/// A live rate takes the place of the dated one of the same item and unit.
fn merged(live: Vec<Price>, dated: Vec<Price>) -> Vec<Price> {
    let same = |a: &Price, b: &Price| a.what == b.what && (a.what != PriceItem::ProvisionedHour || a.unit == b.unit);
    let kept: Vec<Price> = dated.into_iter().filter(|old| !live.iter().any(|new| same(new, old))).collect();
    live.into_iter().chain(kept).collect()
}

/// The rows that are about this model in this Region.
fn live_rates(rows: &[PriceRow], model: &BaseModel, region: &str) -> Vec<Price> {
    let mut rates: Vec<Price> = Vec::new();
    for row in rows.iter().filter(|row| row.region.as_deref() == Some(region)) {
        let Some((stem, what, unit)) = read(&row.usage_type) else { continue };
        if counted(what) != row.unit || !is_about(model, stem, row.model.as_deref()) {
            continue;
        }
        if rates.iter().any(|known| known.what == what && known.unit == unit) {
            continue;
        }
        let (source, date) = row.source.clone().unwrap_or_else(|| {
            let published = row.published.clone().unwrap_or_else(|| "today".to_owned());
            (format!("AWS Price List API, {}", row.usage_type), published)
        });
        rates.push(Price { what, usd: row.usd, unit: unit.to_owned(), region: Some(region.to_owned()), source, date });
    }
    rates
}

/// The model's name in a usage type, what is paid for, and the unit in the catalog's words.
fn read(usage_type: &str) -> Option<(&str, PriceItem, &'static str)> {
    const ENDS: [(&str, PriceItem, &str); 12] = [
        ("-Customization-Training", PriceItem::Training, "1K tokens"),
        ("-Customization-Storage", PriceItem::Storage, "model-month"),
        ("-input-tokens-custom-model", PriceItem::InputTokens, "1K tokens"),
        ("-output-tokens-custom-model", PriceItem::OutputTokens, "1K tokens"),
        ("-input-tokens", PriceItem::BaseInputTokens, "1K tokens"),
        ("-output-tokens", PriceItem::BaseOutputTokens, "1K tokens"),
        (
            "-ProvisionedThroughput-Custom-NoCommit-ModelUnits",
            PriceItem::ProvisionedHour,
            "model unit-hour, no commitment",
        ),
        ("-ProvisionedThroughput-NoCommit-ModelUnits", PriceItem::ProvisionedHour, "model unit-hour, no commitment"),
        ("-ProvisionedThroughput-Custom-1month-ModelUnits", PriceItem::ProvisionedHour, "model unit-hour, one month"),
        ("-ProvisionedThroughput-1month-ModelUnits", PriceItem::ProvisionedHour, "model unit-hour, one month"),
        ("-ProvisionedThroughput-Custom-6month-ModelUnits", PriceItem::ProvisionedHour, "model unit-hour, six months"),
        ("-ProvisionedThroughput-6month-ModelUnits", PriceItem::ProvisionedHour, "model unit-hour, six months"),
    ];
    ENDS.into_iter().find_map(|(end, what, unit)| {
        let at = usage_type.len().checked_sub(end.len())?;
        let stem = usage_type.get(..at).filter(|_| usage_type[at..].eq_ignore_ascii_case(end))?;
        // `USE1-NovaMicro`: the Region in short stands first.
        let name = stem.split_once('-').map_or(stem, |(_, name)| name);
        Some((name, what, unit))
    })
}

fn counted(what: PriceItem) -> PriceUnit {
    match what {
        PriceItem::Training
        | PriceItem::InputTokens
        | PriceItem::OutputTokens
        | PriceItem::BaseInputTokens
        | PriceItem::BaseOutputTokens => PriceUnit::ThousandTokens,
        PriceItem::Storage => PriceUnit::Month,
        PriceItem::ProvisionedHour => PriceUnit::Hour,
    }
}

/// By the name in the usage type where the catalog knows it, else by the row's own `model`.
fn is_about(model: &BaseModel, name: &str, named: Option<&str>) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    if model.usage_names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return true;
    }
    let ours = plain(model.name.trim_start_matches(&model.provider));
    // A variant, such as cached or batched tokens, has more in its usage type than the model's name.
    named.is_some_and(|named| {
        let theirs = plain(named.trim_start_matches(&model.provider));
        theirs == ours && plain(name) == theirs
    })
}

#[cfg(test)]
mod tests {
    use whetstone_cloud::price_rows;

    use super::*;

    /// A document in the shape of AWS's documentation of the Price List API.
    fn row(usage: &str, model: &str, unit: &str, usd: &str) -> Vec<PriceRow> {
        price_rows(&format!(
            r#"{{"product":{{"productFamily":"Amazon Bedrock","attributes":{{"regionCode":"us-east-1","servicecode":
            "AmazonBedrock","usagetype":"{usage}","model":"{model}","inferenceType":"Input tokens",
            "locationType":"AWS Region","location":"US East (N. Virginia)","operation":""}},"sku":"2XGJ7"}},
            "serviceCode":"AmazonBedrock","terms":{{"OnDemand":{{"2XGJ7.JRTCKXETXF":{{"priceDimensions":{{
            "2XGJ7.JRTCKXETXF.6YS6EN2CT7":{{"unit":"{unit}","endRange":"Inf","description":"","appliesTo":[],
            "rateCode":"2XGJ7.JRTCKXETXF.6YS6EN2CT7","beginRange":"0","pricePerUnit":{{"USD":"{usd}"}}}}}},
            "sku":"2XGJ7","effectiveDate":"2026-08-01T00:00:00Z","offerTermCode":"JRTCKXETXF","termAttributes":{{}}}}}}}},
            "version":"20260805120000","publicationDate":"2026-08-05T12:00:00Z"}}"#
        ))
    }

    fn list() -> Vec<PriceRow> {
        [
            row("USE1-Nova2.0Lite-Customization-Training", "Nova 2.0 Lite", "1K tokens", "0.0040000000"),
            row("USE1-Nova2.0Lite-Customization-Storage", "Nova 2.0 Lite", "Month", "1.9500000000"),
            row("USE1-Nova2.0Lite-input-tokens", "Nova 2.0 Lite", "1K tokens", "0.0003300000"),
            row("USE1-Nova2.0Lite-input-tokens-custom-model", "Nova 2.0 Lite", "1K tokens", "0.0003000000"),
            row("USE1-Nova2.0Lite-cache-read-input-tokens-custom-model", "Nova 2.0 Lite", "1K tokens", "0.00001"),
            row("USE1-Nova2.0Lite-output-tokens-custom-model", "Nova 2.0 Lite", "Tokens", "0.0000025"),
            row("USE1-Nova2.0Lite-ProvisionedThroughput-NoCommit-ModelUnits", "Nova 2.0 Lite", "hours", "61.5"),
            row("USE1-NovaLite-input-tokens-custom-model", "Nova Lite", "1K tokens", "0.00006"),
            row("USE1-NovaPro-Customization-Training", "Nova Pro", "1K tokens", "0.009"),
        ]
        .concat()
    }

    fn model(id: &str) -> &'static BaseModel {
        whetstone_catalog::catalog().find(id).expect("a base model")
    }

    #[test]
    fn rows_of_tuned_models_are_told_from_those_of_the_base_model() {
        let rates = live_rates(&list(), model("amazon.nova-2-lite-v1:0:256k"), "us-east-1");
        let found: Vec<_> = rates.iter().map(|rate| (rate.what, (rate.usd * 1e7).round())).collect();
        assert_eq!(
            found,
            [
                (PriceItem::Training, 40000.0),
                (PriceItem::Storage, 19_500_000.0),
                (PriceItem::BaseInputTokens, 3300.0),
                (PriceItem::InputTokens, 3000.0),
                (PriceItem::OutputTokens, 25000.0),
                (PriceItem::ProvisionedHour, 615_000_000.0),
            ]
        );
        assert!(rates.iter().all(|rate| rate.date == "2026-08-05" && rate.source.starts_with("AWS Price List API")));
    }

    #[test]
    fn a_model_whose_usage_name_is_not_known_is_told_by_its_name() {
        let rates = live_rates(&list(), model("amazon.nova-pro-v1:0:300k"), "us-east-1");
        assert_eq!(rates.len(), 1);
        assert_eq!(live_rates(&list(), model("amazon.nova-pro-v1:0:300k"), "eu-west-1"), []);
        assert_eq!(live_rates(&list(), model("amazon.nova-micro-v1:0:128k"), "us-east-1"), []);
    }

    #[test]
    fn a_live_rate_takes_the_place_of_the_dated_one_and_the_rest_stays() {
        let model = model("amazon.nova-2-lite-v1:0:256k");
        let rates = merged(live_rates(&list(), model, "us-east-1"), catalog_rates(model, "us-east-1"));
        let of = |what| rates.iter().filter(move |rate| rate.what == what).collect::<Vec<_>>();
        assert!((of(PriceItem::Training)[0].usd - 0.004).abs() < 1e-12);
        assert_eq!(of(PriceItem::Training).len(), 1);
        let hours: Vec<_> = of(PriceItem::ProvisionedHour).iter().map(|rate| (rate.usd, rate.unit.as_str())).collect();
        assert_eq!(hours, [(61.5, "model unit-hour, no commitment"), (55.0, "model unit-hour, one month")]);
    }
}
