//! The calls the window can make, each declared once: name, argument, answer.
//!
//! The list below becomes a trait for the workbench to implement, a dispatcher by name for the shell,
//! and the `Commands` interface of the generated TypeScript.

use async_trait::async_trait;
use serde_json::Value;

#[allow(clippy::wildcard_imports)]
use crate::*;

/// A call without an argument takes this.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize, ts_rs::TS)]
pub struct Nothing {}

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($argument:ty) -> $answer:ty;)*) => {
        /// What the workbench can do for a window.
        #[async_trait]
        pub trait Api: Send + Sync {
            $($(#[$doc])* async fn $name(&self, argument: $argument) -> Result<$answer, AppError>;)*
        }

        /// Calls a command by its name with a JSON argument.
        pub async fn dispatch(api: &dyn Api, name: &str, argument: Value) -> Result<Value, AppError> {
            match name {
                $(stringify!($name) => {
                    let argument: $argument = serde_json::from_value(argument).map_err(|error| bad_argument(name, &error))?;
                    let answer = api.$name(argument).await?;
                    serde_json::to_value(answer).map_err(|error| bad_argument(name, &error))
                })*
                _ => Err(AppError::new(ErrorCode::Bug, format!("There is no command named {name}."))),
            }
        }

        /// Shows each command's name, argument and answer to a visitor, in the order of declaration.
        pub(crate) fn visit_commands(visitor: &mut impl CommandVisitor) {
            $(visitor.visit::<$argument, $answer>(stringify!($name));)*
        }
    };
}

pub(crate) trait CommandVisitor {
    fn visit<A: ts_rs::TS + 'static, R: ts_rs::TS + 'static>(&mut self, name: &'static str);
}

fn bad_argument(name: &str, error: &serde_json::Error) -> AppError {
    AppError::new(ErrorCode::Bug, format!("The window and the workbench disagree about {name}."))
        .detail(error.to_string())
        .hint("Restart the app; if it happens again, please report it.")
}

commands! {
    /// The first call of a window.
    start(Nothing) -> Start;
    patch_settings(SettingsPatch) -> Settings;
    connection(Nothing) -> Connection;
    /// Tries a failed connection again.
    reconnect(Nothing) -> Connection;
    activities(Nothing) -> Vec<Activity>;
    cancel_activity(ActivityId) -> Nothing;

    /// Opens the desktop's own dialog; null when the person closed it.
    pick_file(Nothing) -> Option<PickedFile>;
    preview_file(FileToken) -> FilePreview;
    import_dataset(ImportRequest) -> ImportOutcome;
    samples(Nothing) -> Vec<Sample>;
    import_sample(SampleId) -> DatasetSummary;
    datasets(Nothing) -> Vec<DatasetSummary>;
    dataset(DatasetId) -> DatasetSummary;
    delete_dataset(DatasetId) -> Nothing;
    rows(RowsRequest) -> RowWindow;
    record(RecordRequest) -> RecordDetail;
    edit_record(EditRequest) -> RecordDetail;
    insert_record(InsertRequest) -> DatasetSummary;
    delete_record(DeleteRecordRequest) -> DatasetSummary;
    undo(DatasetId) -> DatasetSummary;
    redo(DatasetId) -> DatasetSummary;
    split_dataset(SplitRequest) -> DatasetSummary;
    findings(FindingsRequest) -> FindingsReport;
    /// Writes the splits as the base model's own JSON Lines into a folder the person chooses.
    export_dataset(ExportRequest) -> ExportOutcome;

    base_models(Nothing) -> Vec<BaseModel>;
    /// Checks a draft: names, hyperparameters, data. Uploads nothing.
    plan_job(JobDraft) -> JobPlan;
    /// Uploads the splits and creates the job; answers as soon as it is written down.
    start_job(JobDraft) -> JobSummary;
    jobs(Nothing) -> Vec<JobSummary>;
    job(JobId) -> JobDetail;
    job_chart(ChartRequest) -> Chart;
    stop_job(JobId) -> JobDetail;
    /// Creates an on-demand deployment of the model that a completed job made.
    deploy(JobId) -> JobDetail;

    playable_models(Nothing) -> Vec<PlayableModel>;
    send_prompt(PromptRequest) -> Reply;
    cancel_prompt(RequestId) -> Nothing;
    hold_out_prompt(HoldOutRequest) -> Option<HoldOutPrompt>;
}
