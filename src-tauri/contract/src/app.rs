//! The app as a whole: how it starts, where it is connected, its settings, its long work, its events.

use crate::{AppError, PickedFile, shapes};

shapes! {
    /// What the window needs to draw its first picture.
    pub struct Start {
        pub version: String,
        pub settings: Settings,
        pub connection: Connection,
        /// A file the app was opened with, waiting to be imported.
        pub opened_file: Option<PickedFile>,
    }

    #[derive(Eq)]
    pub struct Settings {
        pub theme: Theme,
    }

    #[derive(Eq)]
    pub enum Theme { System, Light, Dark }

    /// A change of settings; what is null stays as it is.
    pub struct SettingsPatch {
        pub theme: Option<Theme>,
    }

    /// Where calls go.
    #[derive(Eq)]
    pub struct Connection {
        /// "This computer".
        pub name: String,
        pub region: String,
        pub endpoint: Option<String>,
        /// The folder that holds the sandbox's state.
        pub data_folder: String,
        pub state: ConnectionState,
        /// Set when the state is Failed.
        pub error: Option<AppError>,
    }

    #[derive(Eq, Copy)]
    pub enum ConnectionState { Starting, Ready, Failed }

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
        ConnectionChanged { connection: Connection },
        DatasetsChanged { dataset: Option<String> },
        /// Something computed in the background has seen more of a dataset: ask again for what is on the screen.
        /// At most a few times a second, and once at the end.
        DatasetProgress { dataset: String, part: DatasetPart },
        JobsChanged { job: Option<String> },
        ActivityChanged { activity: Activity },
        /// A file was handed to the running app (dropped, or opened from the desktop).
        FileOpened { file: PickedFile },
        /// The next piece of an answer.
        ReplyText { request: String, text: String },
    }
}
