//! What the workbench needs from the program around it: dialogs, a clock, a way to tell the window something.
//!
//! The window's shell implements it with Tauri; tests and the command line with a folder and a list.

use std::path::PathBuf;

use async_trait::async_trait;
use whetstone_contract::AppEvent;

#[async_trait]
pub trait Host: Send + Sync + 'static {
    /// Tells every open window.
    fn emit(&self, event: AppEvent);

    /// Shows a page in the person's own browser. Nothing is said when there is none.
    fn open_in_browser(&self, address: &str);

    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// The desktop's own dialog for a dataset file; `None` when the person closed it.
    async fn pick_file(&self) -> Option<PathBuf>;

    /// The desktop's own dialog for files to attach to a prompt; none when the person closed it.
    async fn pick_attachments(&self) -> Vec<PathBuf>;

    /// The desktop's own dialog for a recipe.
    async fn pick_recipe(&self) -> Option<PathBuf>;

    /// The desktop's own dialog for a folder to write into.
    async fn pick_folder(&self) -> Option<PathBuf>;

    /// The desktop's own dialog for a file to write, which may be one that is there; a name is suggested.
    async fn pick_new_file(&self, suggested: &str) -> Option<PathBuf>;

    /// A notification of the desktop. Where there is no service for it, nothing happens: the window has said it too.
    fn notify(&self, title: &str, body: &str);
}
