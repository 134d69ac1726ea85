//! The access doctor: would a customization job be let in? Asked from credentials to quotas, in that order, so that the
//! first failure is the one to mend.
//!
//! | file | what it does |
//! | --- | --- |
//! | `subject.rs` | who is looked at: a connection of the app, or a profile named on the command line |
//! | `caller.rs` | credentials, identity, clock, Region, Bedrock, the base model, what the person may do |
//! | `role.rs` | the job's role: trust, permissions, handing it over |
//! | `bucket.rs` | the bucket: Region, listing, writing, its key |
//! | `quotas.rs` | what is left of the quotas |
//! | `policies.rs`, `trust.rs` | the documents that let a job in; reading those that are there |
//! | `verdict.rs` | how a check is written |
//!
//! Nothing is changed by it. The one call that writes, an object that is taken away again, is made on request.

mod bucket;
mod caller;
pub mod policies;
mod quotas;
mod role;
mod subject;
pub mod trust;
mod verdict;

use whetstone_cloud::Cloud;
use whetstone_contract::{AppError, AppEvent, Check, CheckState, DoctorReport, DoctorRequest};

use crate::Workbench;

pub use subject::{ProfileSubject, examine_profile};

use policies::Place;

/// What is looked at.
pub struct Subject {
    pub name: String,
    /// Where the credentials come from, in a few words.
    pub source: String,
    pub region: String,
    /// None when there are no credentials to make calls with; then the reason.
    pub cloud: Result<Cloud, AppError>,
    pub model: Option<String>,
    pub role_arn: Option<String>,
    pub bucket: Option<String>,
    pub prefix: String,
    pub probe: bool,
    /// Bedrock base models have a stand-in here.
    pub on_this_computer: bool,
}

/// What the checks learn on their way, for those that come after.
struct Round<'a> {
    subject: &'a Subject,
    cloud: &'a Cloud,
    account: String,
    /// As IAM knows the caller: the user, or the role behind a session.
    caller: Option<String>,
    place: Place,
    checks: Vec<Check>,
    tell: &'a (dyn Fn(&Check) + Send + Sync),
}

impl Round<'_> {
    fn add(&mut self, check: Check) {
        (self.tell)(&check);
        self.checks.push(check);
    }
}

/// Asks everything, and tells each answer as it comes.
pub async fn examine(subject: &Subject, tell: &(dyn Fn(&Check) + Send + Sync)) -> DoctorReport {
    let (checks, account) = match caller::let_in(subject, tell).await {
        Ok(mut round) => {
            caller::look(&mut round).await;
            role::look(&mut round).await;
            bucket::look(&mut round).await;
            quotas::look(&mut round).await;
            (round.checks, Some(round.account))
        }
        Err(checks) => (checks, None),
    };
    let worst = |state: CheckState| checks.iter().any(|check| check.state == state);
    let verdict = if worst(CheckState::Failed) {
        CheckState::Failed
    } else if worst(CheckState::Warning) {
        CheckState::Warning
    } else {
        CheckState::Ok
    };
    DoctorReport { name: subject.name.clone(), region: subject.region.clone(), account, checks, verdict }
}

impl Workbench {
    pub(crate) async fn examine(&self, request: DoctorRequest) -> Result<DoctorReport, AppError> {
        let subject = self.subject(&request).await?;
        let host = self.host.clone();
        let name = request.request;
        let tell = move |check: &Check| {
            host.emit(AppEvent::DoctorChecked { request: name.clone(), check: check.clone() });
        };
        Ok(examine(&subject, &tell).await)
    }
}
