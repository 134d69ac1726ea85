//! The window: Tauri around the workbench. One command and one event cross here, whatever they carry.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use serde_json::Value;
use tauri::{AppHandle, DragDropEvent, Emitter, Manager, State, WebviewUrl, WebviewWindowBuilder, WindowEvent};
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};
use whetstone_contract::{AppError, AppEvent};
use whetstone_workbench::{Host, Workbench, WorkbenchConfig, attachable_extensions};

/// The name under which every `AppEvent` reaches the window.
const EVENT: &str = "whetstone";
const WINDOW: &str = "main";
const DATASET_EXTENSIONS: &[&str] = &["csv", "tsv", "jsonl", "ndjson", "json", "parquet", "xlsx", "gz", "zst"];

pub fn open(data_dir: PathBuf, file: Option<PathBuf>) -> Result<(), String> {
    let worker = crate::command_line::worker_command()?;
    tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .invoke_handler(tauri::generate_handler![call])
        .setup(move |app| {
            let host = Arc::new(Desktop { app: app.handle().clone() });
            // What the web view keeps (a draft of the wizard) belongs to this data folder too.
            let web_data = data_dir.join("window");
            let config = WorkbenchConfig { data_dir, worker, version: env!("CARGO_PKG_VERSION").to_owned() };
            let workbench = match tauri::async_runtime::block_on(Workbench::open(config, host)) {
                Ok(workbench) => workbench,
                Err(error) => {
                    refuse_to_start(app.handle(), &error);
                    return Ok(());
                }
            };
            if let Some(file) = file {
                workbench.offer_file(&file);
            }
            app.manage(workbench);
            WebviewWindowBuilder::new(app, WINDOW, WebviewUrl::default())
                .title("Whetstone")
                .data_directory(web_data)
                .inner_size(1280.0, 800.0)
                .min_inner_size(960.0, 640.0)
                .zoom_hotkeys_enabled(true)
                .build()?;
            Ok(())
        })
        .on_window_event(|window, event| {
            if let WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) = event {
                window.state::<Arc<Workbench>>().drop_files(paths);
            }
        })
        .run(tauri::generate_context!())
        .map_err(|error| error.to_string())
}

/// Without its data folder there is no app: says why, and ends when the person has read it.
fn refuse_to_start(app: &AppHandle, error: &AppError) {
    tracing::error!(%error, "the app cannot start");
    let hint = error.hint.as_deref().unwrap_or_default();
    let leaving = app.clone();
    app.dialog()
        .message(format!("{error}\n\n{hint}"))
        .title("Whetstone")
        .kind(MessageDialogKind::Error)
        .show(move |_| leaving.exit(1));
}

#[tauri::command]
async fn call(name: String, argument: Value, workbench: State<'_, Arc<Workbench>>) -> Result<Value, AppError> {
    whetstone_contract::dispatch(workbench.inner().as_ref(), &name, argument).await
}

struct Desktop {
    app: AppHandle,
}

#[async_trait]
impl Host for Desktop {
    fn emit(&self, event: AppEvent) {
        if let Err(error) = self.app.emit(EVENT, event) {
            tracing::warn!(%error, "the window could not be told");
        }
    }

    fn open_in_browser(&self, address: &str) {
        if let Err(error) = open::that_detached(address) {
            tracing::warn!(%error, "no browser could be opened");
        }
    }

    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    async fn pick_file(&self) -> Option<PathBuf> {
        let (answer, picked) = tokio::sync::oneshot::channel();
        self.app
            .dialog()
            .file()
            .set_title("Open a dataset")
            .add_filter("Datasets", DATASET_EXTENSIONS)
            .add_filter("All files", &["*"])
            .pick_file(move |file| drop(answer.send(file)));
        picked.await.ok().flatten()?.into_path().ok()
    }

    async fn pick_attachments(&self) -> Vec<PathBuf> {
        let (answer, picked) = tokio::sync::oneshot::channel();
        let extensions: Vec<&str> = attachable_extensions().collect();
        let dialog = self.app.dialog().file().set_title("Attach to the prompt");
        let dialog = dialog.add_filter("Pictures and documents", &extensions);
        dialog.pick_files(move |files| drop(answer.send(files)));
        let files = picked.await.ok().flatten().unwrap_or_default();
        files.into_iter().filter_map(|file| file.into_path().ok()).collect()
    }

    async fn pick_recipe(&self) -> Option<PathBuf> {
        let (answer, picked) = tokio::sync::oneshot::channel();
        let dialog = self.app.dialog().file().set_title("Open a recipe").add_filter("Recipes", &["toml"]);
        dialog.pick_file(move |file| drop(answer.send(file)));
        picked.await.ok().flatten()?.into_path().ok()
    }

    async fn pick_folder(&self) -> Option<PathBuf> {
        let (answer, picked) = tokio::sync::oneshot::channel();
        self.app.dialog().file().set_title("Export into a folder").pick_folder(move |folder| drop(answer.send(folder)));
        picked.await.ok().flatten()?.into_path().ok()
    }

    async fn pick_new_file(&self, suggested: &str) -> Option<PathBuf> {
        let (answer, picked) = tokio::sync::oneshot::channel();
        let dialog = self.app.dialog().file().set_title("Save as").set_file_name(suggested);
        dialog.save_file(move |file| drop(answer.send(file)));
        picked.await.ok().flatten()?.into_path().ok()
    }
    fn notify(&self, title: &str, body: &str) {
        let mut notification = notify_rust::Notification::new();
        notification.appname("Whetstone").summary(title).body(body);
        // The desktop's service may take its time, and may not be there at all.
        tauri::async_runtime::spawn_blocking(move || {
            if let Err(error) = notification.show() {
                tracing::info!(%error, "the desktop could not be told");
            }
        });
    }
}
