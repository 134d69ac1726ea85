//! What things cost: the arithmetic, and where the rates come from.
//!
//! Deliberately absent: a rate in code, and a rate without a source and a date. What no source names is said to be unknown.
//!
//! | file | what it does |
//! | --- | --- |
//! | `estimate.rs` | rates and tokens become lines of an estimate |
//! | `end_times.rs` | when provisioned throughput is to end, and its end |
//! | `live.rs` | what a price list says today, read as rates of base models |
//! | `running.rs` | what costs money as long as it is there; the month and its budget |

mod end_times;
mod estimate;
mod live;
mod running;

use std::time::Duration;

use whetstone_catalog::{BaseModel, Price};
use whetstone_contract::{AppError, CostEstimate, EstimateRequest, TokenEstimateRequest, TokenSource};
use whetstone_dataset::Intent;

use crate::connections::Link;
use crate::{Workbench, models, tokens};

pub use end_times::EndTimes;
pub use live::PriceLists;
pub use running::{base_of, millis};

/// A price list that answers at all does so within this time; one that does not must not hold up a plan for long.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// An estimate from the catalog's dated table, for what has no connection to ask.
pub fn estimate_from_catalog(
    model: &BaseModel,
    region: Option<&str>,
    tokens: u64,
    counted_by: TokenSource,
    epochs: Option<u32>,
) -> CostEstimate {
    let region = region.or_else(|| model.tuning_regions.first().map(String::as_str)).unwrap_or_default();
    let epochs = epochs.unwrap_or_else(|| default_epochs(model));
    let asked = estimate::Asked { model, region, tokens, counted_by, epochs, billed: !model.local };
    estimate::estimate(&asked, &catalog_rates(model, region), "Prices are from the app's dated table.".to_owned())
}

/// The catalog's rates for a Region, and those whose source names no Region.
fn catalog_rates(model: &BaseModel, region: &str) -> Vec<Price> {
    let fits = |price: &&Price| price.region.as_deref().is_none_or(|named| named == region);
    model.prices.iter().filter(fits).cloned().collect()
}

fn default_epochs(model: &BaseModel) -> u32 {
    model.hyperparameter("epochCount").and_then(|epochs| epochs.default.parse().ok()).unwrap_or(1)
}

/// Whose prices count: the connection's, unless the model is not tuned there.
fn priced_region<'a>(model: &'a BaseModel, region: &'a str) -> &'a str {
    match model.tuning_regions.first() {
        Some(first) if !model.tunable_in(region) => first,
        _ => region,
    }
}

impl Workbench {
    pub(crate) async fn estimate_costs(&self, request: EstimateRequest) -> Result<CostEstimate, AppError> {
        let link = self.connections.link().await?;
        let model = models::find(&request.base_model)?;
        let data = self.datasets.for_model(request.dataset, Intent::new(model), None).await?;
        Ok(self.cost_of(&link, model, data.training_tokens, request.epochs, request.region.as_deref()).await)
    }

    pub(crate) async fn estimate_of_tokens(&self, request: TokenEstimateRequest) -> Result<CostEstimate, AppError> {
        let link = self.connections.link().await?;
        Ok(self.cost_of(&link, models::find(&request.base_model)?, request.tokens, None, None).await)
    }

    /// The estimate at a connection.
    pub(crate) async fn cost_of(
        &self,
        link: &Link,
        model: &BaseModel,
        training_tokens: u64,
        epochs: Option<u32>,
        region: Option<&str>,
    ) -> CostEstimate {
        let region = region.unwrap_or_else(|| priced_region(model, &link.region));
        let asked = estimate::Asked {
            model,
            region,
            tokens: training_tokens,
            counted_by: tokens::source(&Intent::new(model)),
            epochs: epochs.unwrap_or_else(|| default_epochs(model)),
            billed: !link.on_this_computer,
        };
        let endpoint = self.connections.get(&link.connection).ok().and_then(|shown| shown.endpoint).unwrap_or_default();
        let rates = self.price_lists.rates(link, &endpoint, model, region, PATIENCE).await;
        let mut cost = estimate::estimate(&asked, &rates.rates, rates.from);
        // The month is looked at only where something is spent against a budget.
        if cost.billed
            && self.settings().is_ok_and(|settings| settings.monthly_budget_usd.is_some())
            && let Ok(running) = self.running().await
        {
            cost.budget_warning = running::over_budget(&running.month, cost.start_usd);
        }
        cost
    }
}
