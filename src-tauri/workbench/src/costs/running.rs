//! What costs money as long as it is there, from the endpoint's own records; the month, and the budget for it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use whetstone_catalog::{BaseModel, Price, PriceItem, catalog};
use whetstone_cloud::Provisioned;
use whetstone_contract::{AppError, JobStatus, MonthCosts, RunningCost, RunningCosts, RunningKind};

use super::PATIENCE;
use crate::Workbench;
use crate::connections::Link;
use crate::errors::from_cloud;
use crate::jobs::JobRecord;
use crate::models::show_price;

const HOUR: f64 = 3_600_000.0;
const HOURS_A_MONTH: f64 = 730.0;
/// A warning comes at this share of the budget.
const NEARLY: f64 = 0.8;

impl Workbench {
    pub(crate) async fn running(&self) -> Result<RunningCosts, AppError> {
        let link = self.connections.link().await?;
        let now = self.host.now_ms();
        let mut items = Vec::new();
        for one in link.cloud.provisioned().await.map_err(|error| from_cloud(&error))? {
            items.push(self.provisioned_cost(&link, one, now).await);
        }
        for model in link.cloud.custom_models().await.map_err(|error| from_cloud(&error))? {
            let base = base_of(&model.base_model_arn);
            let rate = self.rate(&link, base, PriceItem::Storage, |_| true).await;
            items.push(item(Running {
                arn: model.arn,
                name: model.name,
                kind: RunningKind::Storage,
                base,
                units: 1,
                status: model.status.as_ref().map_or("", |status| status.as_str()).to_owned(),
                since: model.created.and_then(millis),
                committed_until: None,
                hours_a_unit: HOURS_A_MONTH,
                rate,
                now,
            }));
        }
        let budget = self.settings()?.monthly_budget_usd;
        let billed = !link.on_this_computer;
        let month = month(&items, &self.jobs.all()?, billed, budget, now);
        Ok(RunningCosts {
            billed,
            hourly_usd: items.iter().filter_map(|item| item.hourly_usd).sum(),
            unknown: items.iter().filter(|item| item.rate.is_none()).count().try_into().unwrap_or(u32::MAX),
            items,
            month,
        })
    }

    /// What one costs, and when it ends.
    pub(crate) async fn provisioned_cost(&self, link: &Link, one: Provisioned, now: i64) -> RunningCost {
        let base = base_of(&one.foundation_model_arn);
        let words = match one.commitment.as_deref() {
            None => "no commitment",
            Some("OneMonth") => "one month",
            Some(_) => "six months",
        };
        // A source that names no commitment means that there is none.
        let fits = |unit: &str| unit.ends_with(words) || (one.commitment.is_none() && !unit.contains(','));
        let rate = self.rate(link, base, PriceItem::ProvisionedHour, fits).await;
        let mut cost = item(Running {
            kind: RunningKind::Provisioned,
            base,
            units: one.units,
            status: one.status.as_str().to_owned(),
            since: one.created.and_then(millis),
            committed_until: one.commitment_ends.and_then(millis),
            hours_a_unit: 1.0,
            rate,
            now,
            arn: one.arn,
            name: one.name,
        });
        if let Some(end) = self.end_times.of(&cost.arn) {
            cost.ends_at = Some(end.at);
            cost.end_problem = end.problem;
        }
        cost
    }

    pub(crate) async fn rate(
        &self,
        link: &Link,
        base: Option<&'static BaseModel>,
        what: PriceItem,
        fits: impl Fn(&str) -> bool,
    ) -> Option<Price> {
        let model = base.filter(|model| !model.local)?;
        let region = super::priced_region(model, &link.region);
        let endpoint = self.connections.shown().endpoint.unwrap_or_default();
        let rates = self.price_lists.rates(link, &endpoint, model, region, PATIENCE).await;
        rates.rates.into_iter().find(|rate| rate.what == what && fits(&rate.unit))
    }
}

/// A base model by any ARN it has: under the id it is tuned by or the one it is invoked by.
pub fn base_of(arn: &str) -> Option<&'static BaseModel> {
    catalog().find(arn).or_else(|| catalog().find_by_invocation_id(arn))
}

struct Running {
    arn: String,
    name: String,
    kind: RunningKind,
    base: Option<&'static BaseModel>,
    units: u32,
    status: String,
    since: Option<i64>,
    committed_until: Option<i64>,
    /// How many hours the rate is for.
    hours_a_unit: f64,
    rate: Option<Price>,
    now: i64,
}

fn item(of: Running) -> RunningCost {
    // A model that is trained here as itself belongs to nobody's bill.
    let free = of.base.is_some_and(|base| base.local);
    let hourly = match &of.rate {
        Some(rate) => Some(rate.usd * f64::from(of.units) / of.hours_a_unit),
        None => free.then_some(0.0),
    };
    RunningCost {
        arn: of.arn,
        name: of.name,
        kind: of.kind,
        base_model_name: of.base.map(|base| base.name.clone()),
        units: of.units,
        status: of.status,
        since: of.since,
        committed_until: of.committed_until,
        rate: of.rate.as_ref().map(show_price),
        hourly_usd: hourly,
        so_far_usd: hourly.zip(of.since).map(|(hourly, since)| hourly * hours(since, of.now)),
        ends_at: None,
        end_problem: None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "hours")]
fn hours(from: i64, to: i64) -> f64 {
    (to - from).max(0) as f64 / HOUR
}

/// Begin and end of the calendar month (UTC) that a moment is in.
fn bounds(now: i64) -> (i64, i64) {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(now.div_euclid(1000)) else { return (now, now) };
    let first = moment.date().replace_day(1).unwrap_or_else(|_| moment.date());
    let days = i64::from(first.month().length(first.year()));
    let begin = first.midnight().assume_utc().unix_timestamp() * 1000;
    (begin, begin + days * 24 * 3_600_000)
}

fn month(items: &[RunningCost], jobs: &[JobRecord], billed: bool, budget: Option<f64>, now: i64) -> MonthCosts {
    let (begin, end) = bounds(now);
    if !billed {
        return MonthCosts { so_far_usd: 0.0, expected_usd: 0.0, budget_usd: budget, warning: None };
    }
    // A job that failed before its training costs nothing; one that ended otherwise may have cost all of it.
    let counts = |job: &&JobRecord| job.created_at >= begin && job.arn.is_some() && job.status != JobStatus::Failed;
    let trained: f64 = jobs.iter().filter(counts).filter_map(|job| job.cost_usd).sum();
    let mut so_far = trained;
    let mut rest = 0.0;
    for item in items {
        let Some(hourly) = item.hourly_usd else { continue };
        so_far += hourly * hours(item.since.unwrap_or(begin).max(begin), now);
        rest += hourly * hours(now, item.ends_at.map_or(end, |at| at.clamp(now, end)));
    }
    let expected = so_far + rest;
    MonthCosts {
        so_far_usd: so_far,
        expected_usd: expected,
        budget_usd: budget,
        warning: warning(so_far, expected, budget),
    }
}

fn warning(so_far: f64, expected: f64, budget: Option<f64>) -> Option<String> {
    let budget = budget?;
    if so_far >= budget {
        Some(format!("This month's budget of {budget:.2} USD is used up: {so_far:.2} USD so far."))
    } else if expected > budget {
        Some(format!(
            "What is there now will bring this month to {expected:.2} USD, over the budget of {budget:.2} USD."
        ))
    } else if so_far >= budget * NEARLY {
        Some(format!("This month's budget of {budget:.2} USD is nearly used up: {so_far:.2} USD so far."))
    } else {
        None
    }
}

/// What a job that is about to start would do to the budget.
pub(super) fn over_budget(month: &MonthCosts, start_usd: Option<f64>) -> Option<String> {
    let (budget, start) = (month.budget_usd?, start_usd?);
    let with = month.expected_usd + start;
    (start > 0.0 && with > budget)
        .then(|| format!("With this job the month comes to about {with:.2} USD, over the budget of {budget:.2} USD."))
}

pub fn millis(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3_600_000;
    /// 2026-11-11, midnight.
    const NOW: i64 = 1_794_355_200_000;

    fn running(hourly: f64, since: i64, ends_at: Option<i64>) -> RunningCost {
        let rate = Price {
            what: PriceItem::ProvisionedHour,
            usd: hourly,
            unit: "model unit-hour, no commitment".into(),
            region: None,
            source: "test".into(),
            date: "2026".into(),
        };
        let base = catalog().find("amazon.nova-2-lite-v1:0:256k");
        let mut item = item(Running {
            arn: "arn".into(),
            name: "name".into(),
            kind: RunningKind::Provisioned,
            base,
            units: 2,
            status: "InService".into(),
            since: Some(since),
            committed_until: None,
            hours_a_unit: 1.0,
            rate: Some(rate),
            now: NOW,
        });
        item.ends_at = ends_at;
        item
    }

    #[test]
    fn hours_count_from_the_beginning_of_the_month_and_to_the_end_that_was_set() {
        assert_eq!(bounds(NOW), (NOW - 10 * DAY, NOW + 20 * DAY));
        let old = running(1.0, NOW - 100 * DAY, Some(NOW + DAY));
        assert!((old.so_far_usd.expect("known") - 2.0 * 2400.0).abs() < 1e-6);
        let month = month(&[old], &[], true, None, NOW);
        assert!((month.so_far_usd - 480.0).abs() < 1e-6, "{month:?}");
        assert!((month.expected_usd - 528.0).abs() < 1e-6, "{month:?}");
    }

    #[test]
    fn the_budget_is_warned_of_before_it_is_used_up() {
        assert_eq!(warning(10.0, 20.0, None), None);
        assert_eq!(warning(10.0, 20.0, Some(100.0)), None);
        assert!(warning(85.0, 90.0, Some(100.0)).is_some_and(|words| words.contains("nearly")));
        assert!(warning(10.0, 120.0, Some(100.0)).is_some_and(|words| words.contains("will bring")));
        assert!(warning(101.0, 120.0, Some(100.0)).is_some_and(|words| words.contains("used up: 101.00")));
        let month = MonthCosts { so_far_usd: 90.0, expected_usd: 95.0, budget_usd: Some(100.0), warning: None };
        assert!(over_budget(&month, Some(6.0)).is_some() && over_budget(&month, Some(4.0)).is_none());
        assert!(over_budget(&month, None).is_none());
    }

    #[test]
    fn on_this_computer_nothing_is_spent() {
        let month = month(&[running(1.0, NOW - DAY, None)], &[], false, Some(1.0), NOW);
        assert_eq!((month.so_far_usd, month.warning), (0.0, None));
    }
}
