//! Tests against real HTTP on this computer: S3 by s3s over a folder, and a small server that answers what AWS was seen to answer.
#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod answering;
mod bedrock;
mod errors;
mod runtime;
mod s3;
mod transfer;
