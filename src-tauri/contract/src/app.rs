//! The app as a whole: how it starts, where it is connected, its settings, its long work, its events.

use crate::{AppError, Check, Connection, PickedFile, shapes};

shapes! {
    /// What the window needs to draw its first picture.
    pub struct Start {
        pub version: String,
        pub settings: Settings,
        pub connection: Connection,
        /// A file the app was opened with, waiting to be imported.
        pub opened_file: Option<PickedFile>,
    }

    #[derive(Default)]
    #[serde(default)]
    pub struct Settings {
        pub theme: Theme,
        /// What a month may cost, in US dollars; null for no budget.
        pub monthly_budget_usd: Option<f64>,
        /// What all transfers together may take of the line, in bytes a second; null for no limit.
        pub transfer_limit: Option<u64>,
    }

    #[derive(Eq, Default)]
    pub enum Theme { #[default] System, Light, Dark }

    /// A change of settings; what is null stays as it is.
    pub struct SettingsPatch {
        pub theme: Option<Theme>,
        /// 0 takes it away.
        pub monthly_budget_usd: Option<f64>,
        /// 0 takes it away.
        pub transfer_limit: Option<u64>,
    }

    /// Long work in the background.
    pub struct Activity {
        pub id: String,
        pub title: String,
        /// What is being done right now, in a few words.
        pub phase: String,
        /// Between 0 and 1; null while it cannot be told.
        pub fraction: Option<f64>,
        pub seconds_left: Option<f64>,
        pub state: ActivityState,
        pub error: Option<AppError>,
        pub cancellable: bool,
    }

    #[derive(Eq, Copy)]
    pub enum ActivityState { Running, Done, Failed, Cancelled }

    pub struct ActivityId {
        pub activity: String,
    }

    #[derive(Eq, Copy)]
    pub enum DatasetPart { Index, View, Find, Findings, Statistics, Snapshots, Conversion }

    /// What the workbench tells the window without being asked.
    #[serde(tag = "event")]
    #[serde(rename_all_fields = "camelCase")]
    pub enum AppEvent {
        /// One of the connections changed; the current one says so of itself.
        ConnectionChanged { connection: Connection },
        /// One was added, removed or chosen: ask for the list again.
        ConnectionsChanged,
        /// A sign-in waits for the person, on this page and with this code.
        SignInCode { connection: String, code: String, address: String },
        /// The doctor has an answer more.
        DoctorChecked { request: String, check: Check },
        DatasetsChanged { dataset: Option<String> },
        /// Something computed in the background has seen more of a dataset: ask again for what is on the screen.
        /// At most a few times a second, and once at the end.
        DatasetProgress { dataset: String, part: DatasetPart },
        /// The account's own models, or what answers for them: ask again.
        ModelsChanged,
        /// An end time, or what was ended.
        RunningCostsChanged,
        JobsChanged { job: Option<String> },
        EvaluationsChanged { evaluation: Option<String> },
        ActivityChanged { activity: Activity },
        /// Files were dropped on the window; at least one.
        FilesDropped { files: Vec<PickedFile> },
        /// The next piece of an answer.
        ReplyText { request: String, text: String },
        /// The model cannot answer yet, or has too much to do: it is asked again then.
        ReplyWaits { request: String, why: String, until: i64 },
    }
}
