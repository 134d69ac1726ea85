//! One provisioned throughput: what it serves, its status by the clock, its commitment, and how it is shown.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{Date, OffsetDateTime};

use crate::clock::iso8601;
use crate::ids::foundation_model_arn;
use crate::paging::Listed;
use crate::runtime::models::Weights;
use crate::state::Resource;

/// How long a throughput is Creating or Updating, in milliseconds. On AWS it takes minutes.
const SETTLING: i64 = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Creating,
    InService,
    Updating,
    Failed,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::InService => "InService",
            Self::Updating => "Updating",
            Self::Failed => "Failed",
        }
    }
}

/// For how long a throughput is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Commitment {
    OneMonth,
    SixMonths,
}

impl Commitment {
    pub(super) const ALL: [&'static str; 2] = ["OneMonth", "SixMonths"];

    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "OneMonth" => Some(Self::OneMonth),
            "SixMonths" => Some(Self::SixMonths),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::OneMonth => Self::ALL[0],
            Self::SixMonths => Self::ALL[1],
        }
    }

    /// The end of a commitment that begins at `start`: the same day of a later month, or that month's last.
    fn end(self, start: i64) -> i64 {
        let months = if self == Self::OneMonth { 1 } else { 6 };
        let Ok(begun) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(start) * 1_000_000) else { return start };
        let index = i32::from(u8::from(begun.month())) - 1 + months;
        let (year, month) = (begun.year() + index / 12, time::Month::January.nth_next((index % 12) as u8));
        let day = begun.day().min(month.length(year));
        let end = Date::from_calendar_date(year, month, day).map_or(begun, |date| begun.replace_date(date));
        (end.unix_timestamp_nanos() / 1_000_000) as i64
    }
}

/// A model that a throughput answers with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Served {
    pub(super) arn: String,
    /// The base model of the catalog.
    pub(crate) base: String,
    /// The custom model's id; the base model itself where there is none.
    pub(super) custom: Option<String>,
    pub(crate) stand_in: Option<String>,
}

impl Served {
    pub(crate) fn weights(&self) -> Weights {
        self.custom.clone().map_or(Weights::Bundled, Weights::Custom)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Throughput {
    pub(super) id: String,
    pub(crate) arn: String,
    pub(crate) region: String,
    pub(super) name: String,
    pub(super) units: u32,
    served: Served,
    /// What it is turning to.
    desired: Option<Served>,
    commitment: Option<Commitment>,
    expires: Option<i64>,
    pub(crate) status: Status,
    failure: Option<String>,
    created: i64,
    modified: i64,
    /// When it is settled.
    due: i64,
}

impl Throughput {
    pub(super) fn new(
        id: String,
        arn: String,
        region: String,
        name: String,
        served: Served,
        (units, commitment): (u32, Option<Commitment>),
        now: i64,
    ) -> Self {
        Self {
            id,
            arn,
            region,
            name,
            units,
            served,
            desired: None,
            commitment,
            expires: commitment.map(|commitment| commitment.end(now)),
            status: Status::Creating,
            failure: None,
            created: now,
            modified: now,
            due: now + SETTLING,
        }
    }

    pub(super) fn is_due(&self, now: i64) -> bool {
        matches!(self.status, Status::Creating | Status::Updating) && now >= self.due
    }

    /// Writes down how loading the weights went.
    pub(super) fn settled(&mut self, result: Result<(), String>, now: i64) {
        if !self.is_due(now) {
            return;
        }
        self.modified = self.due;
        let desired = self.desired.take();
        match result {
            Ok(()) => {
                self.served = desired.unwrap_or_else(|| self.served.clone());
                self.status = Status::InService;
                self.failure = None;
            }
            Err(why) => {
                // One that was updated in vain goes on with what it had.
                self.status = if desired.is_some() { Status::InService } else { Status::Failed };
                self.failure = Some(why.chars().take(2048).collect());
            }
        }
    }

    pub(super) fn rename(&mut self, name: &str, now: i64) {
        name.clone_into(&mut self.name);
        self.modified = now;
    }

    /// Begins to turn to another model: the base model, or another custom model of it.
    pub(super) fn turn_to(&mut self, served: Served, now: i64) -> Result<(), &'static str> {
        if served.arn == self.served.arn {
            return Ok(());
        }
        if self.served.custom.is_none() {
            return Err("The model of a provisioned throughput of a base model cannot be changed.");
        }
        if served.base != self.served.base {
            return Err("The desired model must be the base model of the current one, or another custom model of it.");
        }
        self.desired = Some(served);
        self.status = Status::Updating;
        self.modified = now;
        self.due = now + SETTLING;
        Ok(())
    }

    /// What it answers with now.
    pub(crate) fn served(&self) -> &Served {
        &self.served
    }

    /// What it answers with once it is settled.
    pub(super) fn next(&self) -> &Served {
        self.desired.as_ref().unwrap_or(&self.served)
    }

    pub(super) fn uses(&self, model_arn: &str) -> bool {
        self.served.arn == model_arn || self.next().arn == model_arn
    }

    pub(super) fn model_arn(&self) -> &str {
        &self.served.arn
    }

    pub(super) fn stand_in(&self) -> Option<&str> {
        self.served.stand_in.as_deref()
    }

    pub(super) fn is_committed(&self) -> bool {
        self.commitment.is_some()
    }

    /// The end of the commitment, while that is still to come.
    pub(super) fn committed_until(&self, now: i64) -> Option<String> {
        self.expires.filter(|end| *end > now).map(iso8601)
    }

    /// A summary.
    pub(super) fn view(&self) -> Value {
        let mut view = json!({
            "provisionedModelName": self.name,
            "provisionedModelArn": self.arn,
            "modelArn": self.served.arn,
            "desiredModelArn": self.next().arn,
            "foundationModelArn": foundation_model_arn(&self.region, &self.served.base),
            "modelUnits": self.units,
            "desiredModelUnits": self.units,
            "status": self.status.as_str(),
            "creationTime": iso8601(self.created),
            "lastModifiedTime": iso8601(self.modified),
        });
        if let (Some(commitment), Some(end)) = (self.commitment, self.expires) {
            view["commitmentDuration"] = json!(commitment.as_str());
            view["commitmentExpirationTime"] = json!(iso8601(end));
        }
        view
    }

    /// The summary, and why it failed.
    pub(super) fn details(&self) -> Value {
        let mut view = self.view();
        if let Some(failure) = &self.failure {
            view["failureMessage"] = json!(failure);
        }
        view
    }
}

impl Resource for Throughput {
    const KIND: &'static str = "provisioned-model";
    fn id(&self) -> &str {
        &self.id
    }
    fn arn(&self) -> &str {
        &self.arn
    }
    fn region(&self) -> &str {
        &self.region
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl Listed for Throughput {
    fn created(&self) -> i64 {
        self.created
    }
    fn status(&self) -> &'static str {
        self.status.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse_iso8601;

    #[test]
    fn a_commitment_ends_on_the_same_day_of_its_last_month_or_that_months_last() {
        for (start, commitment, end) in [
            ("2026-01-31T10:00:00Z", Commitment::OneMonth, "2026-02-28T10:00:00.000Z"),
            ("2026-11-22T10:00:00Z", Commitment::OneMonth, "2026-12-22T10:00:00.000Z"),
            ("2026-08-31T23:59:59Z", Commitment::SixMonths, "2027-02-28T23:59:59.000Z"),
            ("2026-12-01T00:00:00Z", Commitment::OneMonth, "2027-01-01T00:00:00.000Z"),
        ] {
            let start = parse_iso8601(start).unwrap_or_default();
            assert_eq!(iso8601(commitment.end(start)), end);
        }
    }
}
