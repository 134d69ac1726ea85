//! The contract between the window and the workbench: every request, answer, event and error code, declared once.
//!
//! `commands.rs` lists the calls; the other modules hold the shapes they carry. The TypeScript of `ui/src/contract`
//! is generated from here (`typescript.rs`), and a test fails when the two drift apart.
//!
//! Deliberately absent: any behaviour. Nothing here opens a file, calls AWS or knows Tauri.

mod app;
mod attachments;
mod catalog;
mod charts;
mod commands;
mod connections;
mod costs;
mod dataset_edits;
mod dataset_export;
mod dataset_findings;
mod dataset_import;
mod dataset_records;
mod dataset_rows;
mod dataset_snapshots;
mod dataset_splits;
mod dataset_statistics;
mod datasets;
mod doctor;
mod error;
mod evaluations;
mod jobs;
mod models;
mod playground;
mod preferences;
mod prompts;
mod s3;
mod serving;
mod typescript;
mod wizard;

pub use app::*;
pub use attachments::*;
pub use catalog::*;
pub use charts::*;
pub use commands::*;
pub use connections::*;
pub use costs::*;
pub use dataset_edits::*;
pub use dataset_export::*;
pub use dataset_findings::*;
pub use dataset_import::*;
pub use dataset_records::*;
pub use dataset_rows::*;
pub use dataset_snapshots::*;
pub use dataset_splits::*;
pub use dataset_statistics::*;
pub use datasets::*;
pub use doctor::*;
pub use error::*;
pub use evaluations::*;
pub use jobs::*;
pub use models::*;
pub use playground::*;
pub use preferences::*;
pub use prompts::*;
pub use s3::*;
pub use serving::*;
pub use typescript::typescript;
pub use wizard::*;

/// The derives and the wire spelling that every shape of the contract shares.
macro_rules! shapes {
    ($($(#[$meta:meta])* pub $kind:ident $name:ident $body:tt)*) => {$(
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, ts_rs::TS)]
        #[serde(rename_all = "camelCase")]
        $(#[$meta])*
        pub $kind $name $body
    )*};
}
pub(crate) use shapes;
