//! Quotas: how much of a kind there may be. One table, which what enforces them and what lists them share.
//!
//! The figures were seen on AWS accounts, where each is one account's view; no source gives the codes of those that
//! have none here. Deliberately absent: quotas on requests and tokens a minute, which a loopback endpoint has no use
//! for.

use crate::errors::{ApiError, ErrorKind};

/// One quota, as Service Quotas shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quota {
    /// `None` where no source names it.
    pub(crate) code: Option<&'static str>,
    pub(crate) name: &'static str,
    pub(crate) value: usize,
    pub(crate) adjustable: bool,
}

impl Quota {
    /// Whether there may be another one beside `count`.
    pub(crate) fn room_for_one_more(&self, count: usize) -> Result<(), ApiError> {
        if count < self.value {
            return Ok(());
        }
        let message = format!("You have reached the quota of {}: {}.", self.name, self.value);
        Err(ApiError::new(ErrorKind::ServiceQuotaExceeded, message))
    }
}

/// All of them, as they are listed.
pub(crate) const ALL: [Quota; 4] = [SCHEDULED_JOBS, TRAININGS, DEPLOYMENTS_IN_PROGRESS, DEPLOYMENTS];

/// Jobs that are not over, in one Region.
pub(crate) const SCHEDULED_JOBS: Quota = Quota {
    code: Some("L-0406044C"),
    name: "(Model customization) Scheduled customization jobs",
    value: 10,
    adjustable: false,
};

/// Trainings at once. Further jobs wait in the order in which they were created.
pub(crate) const TRAININGS: Quota =
    Quota { code: None, name: "(Model customization) Concurrent trainings", value: 2, adjustable: false };

/// Deployments that are being created, in one Region.
pub(crate) const DEPLOYMENTS_IN_PROGRESS: Quota = Quota {
    code: Some("L-C02E1E99"),
    name: "(Model customization) Custom model deployments with a creating status",
    value: 2,
    adjustable: false,
};

/// Provisioned throughputs that were taken without a commitment, in the account.
pub(crate) const UNCOMMITTED_THROUGHPUTS: Quota = Quota {
    code: None,
    name: "(Model customization) Provisioned throughputs of a custom model without commitment",
    value: 2,
    adjustable: true,
};

/// Model units of one provisioned throughput without a commitment.
pub(crate) const UNITS_WITHOUT_COMMITMENT: Quota = Quota {
    code: None,
    name: "(Model customization) Model units of a provisioned throughput without commitment",
    value: 1,
    adjustable: true,
};

/// Model units of all provisioned throughputs with a commitment, in the account. AWS grants none until it is asked for
/// some; here two are granted, so that a commitment can be rehearsed.
pub(crate) const COMMITTED_UNITS: Quota =
    Quota { code: None, name: "(Model customization) Model units with commitment", value: 2, adjustable: true };

/// Deployments in one Region.
pub(crate) const DEPLOYMENTS: Quota =
    Quota { code: None, name: "(Model customization) Custom model deployments", value: 10, adjustable: true };
