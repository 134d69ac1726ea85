//! Which ways there are to serve a model, at which price, and why the first of them.
//!
//! Sources: Amazon Bedrock User Guide, deploy-custom-model-on-demand and prov-thru-supported.

use time::macros::datetime;
use whetstone_catalog::{BaseModel, Price, PriceItem, ServingMode};
use whetstone_contract::{AppError, ErrorCode, ServingPlan, ServingWay, WayToServe};

use super::list::{base_of_model, find_all};
use crate::Workbench;
use crate::costs::PATIENCE;
use crate::models::show_price;

/// Only models that were customized since then are served on demand (User Guide, deploy-custom-model-on-demand).
const ON_DEMAND_SINCE: time::OffsetDateTime = datetime!(2025-07-16 0:00 UTC);

impl Workbench {
    pub(crate) async fn plan_serving(&self, arn: &str) -> Result<ServingPlan, AppError> {
        let link = self.connections.link().await?;
        let found = find_all(&link).await?;
        let Some(model) = found.custom.iter().find(|model| model.arn == arn) else {
            return Err(AppError::new(ErrorCode::NotFound, "This custom model is not there (any more).")
                .hint("An imported model answers by its own ARN and needs nothing more."));
        };
        let base = base_of_model(&found, arn);
        let endpoint = self.connections.shown().endpoint.unwrap_or_default();
        let rates = match base.filter(|base| !base.local) {
            Some(base) => Some(self.price_lists.rates(&link, &endpoint, base, &link.region, PATIENCE).await),
            None => None,
        };
        let of = |wanted: &[PriceItem]| -> Vec<Price> {
            let all = rates.iter().flat_map(|rates| &rates.rates);
            all.filter(|rate| wanted.contains(&rate.what)).cloned().collect()
        };
        let (modes, why) = choose(base, &model.base_model_name, &link.region, model.created.map(Into::into));
        let ways = modes.into_iter().map(|way| {
            let items: &[PriceItem] = match way {
                ServingWay::OnDemand => &[PriceItem::InputTokens, PriceItem::OutputTokens],
                ServingWay::Provisioned => &[PriceItem::ProvisionedHour],
            };
            WayToServe { way, rates: of(items).iter().map(show_price).collect() }
        });
        let taken = |name: &str| {
            found.deployments.iter().any(|one| one.name == name) || found.provisioned.iter().any(|one| one.name == name)
        };
        let suggested_name = (1..)
            .map(|n| if n == 1 { model.name.clone() } else { format!("{}-{n}", model.name) })
            .find(|name| !taken(name))
            .unwrap_or_default();
        Ok(ServingPlan {
            ways: ways.collect(),
            why,
            suggested_name,
            billed: !link.on_this_computer,
            prices_from: rates
                .map_or_else(|| "It runs on this computer and is not billed.".to_owned(), |rates| rates.from),
        })
    }
}

/// The ways in the order in which they are to be taken, and why.
fn choose(
    base: Option<&BaseModel>,
    base_name: &str,
    region: &str,
    created: Option<time::OffsetDateTime>,
) -> (Vec<ServingWay>, String) {
    let Some(base) = base else {
        let why = format!(
            "The app does not know how tuned copies of {base_name} are served. Provisioned throughput is the way that \
             most have; the endpoint has the last word."
        );
        return (vec![ServingWay::Provisioned], why);
    };
    let hourly = base.serving.contains(&ServingMode::Provisioned);
    let by_the_hour = || if hourly { vec![ServingWay::Provisioned] } else { Vec::new() };
    let then = if hourly {
        "so it takes provisioned throughput, which is billed by the hour."
    } else {
        "and provisioned throughput is not offered for it either. A copy in another Region may answer there."
    };
    if !base.serving.contains(&ServingMode::OnDemand) {
        return (by_the_hour(), format!("Tuned copies of {} are not served on demand, {then}", base.name));
    }
    if !base.on_demand_regions.is_empty() && !base.on_demand_regions.iter().any(|one| one == region) {
        let regions = base.on_demand_regions.join(", ");
        return (
            by_the_hour(),
            format!("{} is served on demand in {regions} only, not in {region}, {then}", base.name),
        );
    }
    if created.is_some_and(|created| created < ON_DEMAND_SINCE) {
        return (by_the_hour(), format!("Models from before 16 July 2025 are not served on demand, {then}"));
    }
    let mut ways = vec![ServingWay::OnDemand];
    ways.append(&mut by_the_hour());
    let why =
        format!("Tuned copies of {} are served on demand here: billed by the token, nothing while idle.", base.name);
    (ways, why)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    fn ways(id: &str, region: &str, created: Option<time::OffsetDateTime>) -> (Vec<ServingWay>, String) {
        choose(Some(whetstone_catalog::catalog().find(id).unwrap()), "", region, created)
    }

    #[test]
    fn on_demand_comes_first_where_it_is_and_the_hour_where_it_is_not() {
        let new = Some(datetime!(2026-11-01 0:00 UTC));
        let (found, _) = ways("amazon.nova-lite-v1:0:300k", "us-east-1", new);
        assert_eq!(found, [ServingWay::OnDemand, ServingWay::Provisioned]);
        let (found, why) = ways("amazon.nova-lite-v1:0:300k", "us-east-1", Some(datetime!(2025-07-15 23:59 UTC)));
        assert!(found == [ServingWay::Provisioned] && why.contains("16 July 2025"), "{why}");
        let (found, why) = ways("meta.llama3-3-70b-instruct-v1:0:128k", "us-east-1", new);
        assert!(found.is_empty() && why.contains("us-west-2 only"), "{why}");
        let (found, why) = ways("anthropic.claude-3-haiku-20240307-v1:0:200k", "us-west-2", new);
        assert!(found == [ServingWay::Provisioned] && why.contains("not served on demand"), "{why}");
    }
}
