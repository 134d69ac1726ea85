//! Amazon Bedrock and S3 as the app needs them: a thin, typed layer over the AWS SDK for Rust.
//!
//! Whatever speaks these protocols is reached the same way; only region, endpoint and credentials differ, and they come from the caller.
//! The caller owns client tokens, file paths and every decision; this crate keeps no state but its connections.
//! Deliberately absent: polling (the caller decides how often to ask), saving anything, waiting for a state, words for a person beyond what
//! AWS itself said, and creates without a client token (the SDK repeats a request whose answer was lost, so a create must be one that AWS
//! recognises).
//!
//! | file | what is in it |
//! | --- | --- |
//! | `browse` | buckets, folders, the beginning of an object |
//! | `connect` | region, endpoint, credentials, timeouts, the one HTTP client |
//! | `iam` | roles, and what IAM says that someone may do |
//! | `probe` | questions that change nothing: is a model, a bucket, a quota there |
//! | `identity` | whose credentials these are |
//! | `profiles/` | the AWS configuration files: what a profile means, and carrying it out |
//! | `sign_in` | single sign-on, with the token where the AWS CLI looks for it |
//! | `s3` | get, list, buckets |
//! | `transfer/` | files and folders to S3 and back, resumed after any end of the program |
//! | `jobs`, `create` | customization jobs, and the request that makes one |
//! | `metrics` | the loss files that a job leaves in its output folder |
//! | `models` | foundation models, custom models, deployments |
//! | `pricing` | AWS's price list for Bedrock |
//! | `imports` | imported models, and copies in other Regions |
//! | `provisioned` | provisioned throughput: create, turn, end |
//! | `runtime`, `completion` | answers of a model to a conversation or to a text, as they are sampled |
//! | `caught` | a request's body, without sending it |
//! | `error` | what went wrong, told apart by AWS's error code |

mod browse;
mod caught;
mod completion;
mod connect;
mod create;
mod error;
mod iam;
mod identity;
mod imports;
mod jobs;
mod metrics;
mod models;
mod pricing;
mod probe;
pub mod profiles;
mod provisioned;
mod runtime;
mod s3;
mod sign_in;
mod spelled;
mod transfer;

pub use browse::{BucketSummary, FolderPage, ObjectStart};
pub use completion::CompletionRequest;
pub use connect::{Cloud, Credentials, Endpoint, KeyInHand, Timeouts};
pub use error::{CloudError, CloudErrorCode};
pub use iam::{Decision, Role};
pub use identity::Identity;
pub use imports::{Bringing, BringingStatus, ImportedModel, NewImport};
pub use jobs::{CreateJob, Job, JobStatus, JobSummary, Phase, PhaseStatus, Phases, Purpose, TrainingData, Vpc};
pub use metrics::{Metrics, MetricsNews, MetricsPoint, MetricsReader, SeriesNews};
pub use models::{CustomModel, CustomModelSummary, Deployment, DeploymentStatus, FoundationModel, ModelStatus};
pub use pricing::{PriceRow, PriceUnit, price_rows};
pub use probe::{BucketPlace, ModelAccess, Quota};
pub use provisioned::{NewProvisioned, Provisioned, ProvisionedStatus};
pub use runtime::{Attached, AttachedAs, ChatMessage, ChatRole, ConverseEvent, ConverseRequest, ConverseStream};
pub use s3::{MAX_OBJECT_IN_MEMORY, ObjectHead, ObjectSummary, S3Uri};
pub use sign_in::SignIn;
pub use transfer::{AbandonedUpload, Bandwidth, Transfer, TransferOptions, TransferOutcome, TransferProgress};
