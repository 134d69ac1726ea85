//! The profiles of the AWS configuration files.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `ini` | the form of the files, as strict as the AWS CLI reads it |
//! | `files` | where they are, which profiles they hold |
//! | `plan` | what a profile means: where credentials come from, through which roles |
//! | `endpoints` | addresses that stand in place of AWS's own |
//! | `providers` | a plan carried out, with aws-config |
//!
//! Nothing is kept: the files are read when someone asks.

mod endpoints;
mod files;
mod ini;
mod plan;
mod providers;

pub use endpoints::{Endpoints, Service};
pub use files::{ConfigFiles, Profile, Surroundings};
pub use plan::{Base, Plan, Refusal, RoleStep, Sso};
pub(crate) use providers::{CodeNeeded, Means, SignInNeeded, of_environment, of_plan};
