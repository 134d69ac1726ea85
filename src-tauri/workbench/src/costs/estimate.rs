//! The price of a job and of its model, item by item: arithmetic over rates, without a place where they come from.

use whetstone_catalog::{BaseModel, Price, PriceItem, ServingMode};
use whetstone_contract::{Charged, CostEstimate, CostItem, CostLine, TokenSource};

use crate::models::show_price;

/// How AWS turns hours into a month.
const HOURS_A_MONTH: f64 = 730.0;

/// What is to be paid for.
pub struct Asked<'a> {
    pub model: &'a BaseModel,
    /// Whose prices.
    pub region: &'a str,
    pub tokens: u64,
    pub counted_by: TokenSource,
    pub epochs: u32,
    /// Whether the connection bills anything.
    pub billed: bool,
}

/// The estimate from the rates that are known for the model in the Region.
pub fn estimate(asked: &Asked<'_>, rates: &[Price], prices_from: String) -> CostEstimate {
    let billed_tokens = asked.tokens.saturating_mul(asked.epochs.into());
    let lines = if asked.model.local { Vec::new() } else { lines(asked, billed_tokens, rates) };
    let training = lines.iter().find(|line| line.item == CostItem::Training);
    let on_aws = training.and_then(|line| line.usd);
    let start_usd = if asked.billed { on_aws } else { Some(0.0) };
    let headline = match start_usd {
        None => "Price unknown".to_owned(),
        Some(_) if !asked.billed => "Free".to_owned(),
        Some(usd) => format!("About {}", dollars(usd)),
    };
    let note = match (asked.billed, training) {
        (false, None) => "It runs on this computer and is not billed.".to_owned(),
        (false, Some(line)) => match line.usd {
            Some(usd) => format!(
                "A rehearsal on this computer is not billed. In {}, training would cost about {}.",
                asked.region,
                dollars(usd)
            ),
            None => "A rehearsal on this computer is not billed. The price of training on AWS is unknown.".to_owned(),
        },
        (true, Some(line)) => line.note.clone(),
        (true, None) => format!("{} is not a model of Bedrock's.", asked.model.name),
    };
    CostEstimate {
        base_model: asked.model.id.clone(),
        base_model_name: asked.model.name.clone(),
        region: asked.region.to_owned(),
        training_tokens: asked.tokens,
        token_source: asked.counted_by.clone(),
        epochs: asked.epochs,
        billed_tokens,
        billed: asked.billed,
        start_usd,
        headline,
        note,
        prices_from,
        budget_warning: None,
        lines,
    }
}

fn lines(asked: &Asked<'_>, billed_tokens: u64, rates: &[Price]) -> Vec<CostLine> {
    let of = |item: PriceItem| rates.iter().filter(move |rate| rate.what == item);
    let unknown = |item| unknown(asked, item);
    #[expect(clippy::cast_precision_loss, reason = "a price is rounded to cents anyway")]
    let trained = billed_tokens as f64 / 1000.0;
    let mut lines = vec![of(PriceItem::Training).next().map_or_else(
        || unknown(PriceItem::Training),
        |rate| {
            let how = format!("Tokens × epochs: {billed_tokens} tokens at {} USD per {}.", rate.usd, rate.unit);
            line(rate, Charged::Once, Some(trained * rate.usd), how)
        },
    )];
    lines.push(of(PriceItem::Storage).next().map_or_else(
        || unknown(PriceItem::Storage),
        |rate| line(rate, Charged::Monthly, Some(rate.usd), "For each custom model and month it is kept.".into()),
    ));
    if asked.model.serving.contains(&ServingMode::OnDemand) {
        for (item, how) in [
            (PriceItem::InputTokens, "Read by the tuned model on demand; nothing while it is idle."),
            (PriceItem::OutputTokens, "Written by the tuned model on demand; nothing while it is idle."),
        ] {
            let rate = of(item).next();
            lines.push(rate.map_or_else(|| unknown(item), |rate| line(rate, Charged::ByTheToken, None, how.into())));
        }
    }
    if asked.model.serving.contains(&ServingMode::Provisioned) {
        let before = lines.len();
        lines.extend(of(PriceItem::ProvisionedHour).map(|rate| {
            let how = format!(
                "{} USD for each model unit and hour, whether used or not; a month has {HOURS_A_MONTH} hours.",
                rate.usd
            );
            line(rate, Charged::Hourly, Some(rate.usd * HOURS_A_MONTH), how)
        }));
        if lines.len() == before {
            lines.push(unknown(PriceItem::ProvisionedHour));
        }
    }
    lines
}

fn line(rate: &Price, charged: Charged, usd: Option<f64>, note: String) -> CostLine {
    let shown = show_price(rate);
    CostLine { item: item(rate.what), label: shown.what.clone(), charged, rate: Some(shown), usd, note }
}

/// Says that a price is not known, and where it is when another Region has one.
fn unknown(asked: &Asked<'_>, what: PriceItem) -> CostLine {
    let elsewhere = asked.model.prices.iter().find(|price| price.what == what).and_then(|price| {
        let region = price.region.as_deref()?;
        Some(format!(
            "Unknown in {}. In {region} it is {} USD per {} ({}, {}).",
            asked.region, price.usd, price.unit, price.source, price.date
        ))
    });
    let (label, charged) = match what {
        PriceItem::Training => ("Training", Charged::Once),
        PriceItem::Storage => ("Storage of the custom model", Charged::Monthly),
        PriceItem::InputTokens => ("Input tokens, on demand", Charged::ByTheToken),
        PriceItem::OutputTokens => ("Output tokens, on demand", Charged::ByTheToken),
        PriceItem::BaseInputTokens => ("Input tokens of the base model, on demand", Charged::ByTheToken),
        PriceItem::BaseOutputTokens => ("Output tokens of the base model, on demand", Charged::ByTheToken),
        PriceItem::ProvisionedHour => ("Provisioned throughput", Charged::Hourly),
    };
    CostLine {
        item: item(what),
        label: label.into(),
        charged,
        rate: None,
        usd: None,
        note: elsewhere.unwrap_or_else(|| "Unknown: no dated source names it.".into()),
    }
}

fn item(what: PriceItem) -> CostItem {
    match what {
        PriceItem::Training => CostItem::Training,
        PriceItem::Storage => CostItem::Storage,
        PriceItem::InputTokens => CostItem::InputTokens,
        PriceItem::OutputTokens => CostItem::OutputTokens,
        PriceItem::BaseInputTokens => CostItem::BaseInputTokens,
        PriceItem::BaseOutputTokens => CostItem::BaseOutputTokens,
        PriceItem::ProvisionedHour => CostItem::ProvisionedHour,
    }
}

pub fn dollars(usd: f64) -> String {
    if usd < 0.01 { "less than 1 US cent".into() } else { format!("{usd:.2} USD") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::costs::catalog_rates;

    fn estimated(model: &str, region: &str, tokens: u64, epochs: u32, billed: bool) -> CostEstimate {
        let model = whetstone_catalog::catalog().find(model).expect("a base model");
        let counted_by = TokenSource { exact: false, name: "test".into(), note: None };
        let asked = Asked { model, region, tokens, counted_by, epochs, billed };
        estimate(&asked, &catalog_rates(model, region), String::new())
    }

    fn of(estimate: &CostEstimate, item: CostItem) -> Vec<&CostLine> {
        estimate.lines.iter().filter(|line| line.item == item).collect()
    }

    #[test]
    fn training_is_tokens_times_epochs_times_the_dated_rate() {
        let cost = estimated("amazon.nova-2-lite-v1:0:256k", "us-east-1", 1_000_000, 3, true);
        let training = of(&cost, CostItem::Training)[0];
        assert!((training.usd.expect("known") - 3.0 * 1000.0 * 0.00378).abs() < 1e-9);
        assert_eq!((cost.headline.as_str(), cost.billed_tokens), ("About 11.34 USD", 3_000_000));
        for line in cost.lines.iter().filter_map(|line| line.rate.as_ref()) {
            assert!(!line.source.is_empty() && !line.date.is_empty());
        }
        let hours = of(&cost, CostItem::ProvisionedHour);
        assert_eq!(hours.len(), 2, "with and without a commitment");
        assert!((hours[0].usd.expect("known") - 60.5 * 730.0).abs() < 1e-6);
    }

    #[test]
    fn what_no_dated_source_names_is_unknown() {
        let cost = estimated("amazon.nova-pro-v1:0:300k", "us-east-1", 1_000_000, 2, true);
        assert_eq!((cost.headline.as_str(), cost.start_usd), ("Price unknown", None));
        let training = of(&cost, CostItem::Training)[0];
        assert!(training.rate.is_none() && training.note.starts_with("Unknown"), "{training:?}");
    }

    #[test]
    fn a_price_of_another_region_is_named_as_such_and_not_taken() {
        let cost = estimated("meta.llama3-3-70b-instruct-v1:0:128k", "us-east-1", 1000, 1, true);
        let training = of(&cost, CostItem::Training)[0];
        assert!(training.usd.is_none() && training.note.contains("In us-west-2 it is 0.0033 USD"), "{}", training.note);
    }

    #[test]
    fn a_rehearsal_is_free_and_says_what_aws_would_charge() {
        let cost = estimated("amazon.nova-micro-v1:0:128k", "us-east-1", 2_000_000, 1, false);
        assert_eq!((cost.headline.as_str(), cost.start_usd), ("Free", Some(0.0)));
        assert!(cost.note.contains("about 2.00 USD"), "{}", cost.note);
        let local = estimated(whetstone_catalog::TINY_V1, "us-east-1", 2_000_000, 1, false);
        assert!(local.lines.is_empty() && local.headline == "Free");
    }
}
