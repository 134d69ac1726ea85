//! What both programs of the app share: where its data lies, how it is started as a trainer, its log and its output.

use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use tracing_subscriber::EnvFilter;
use whetstone_sandbox::WorkerCommand;

/// The subcommand by which a program trains.
pub const WORKER: &str = "train-worker";

/// Warnings, or what WHETSTONE_LOG asks for.
pub fn log_to_standard_error() {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("WHETSTONE_LOG").unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// The folder given, else the platform's own place for an app's data.
pub fn data_folder(given: Option<PathBuf>) -> PathBuf {
    given.unwrap_or_else(|| {
        directories::ProjectDirs::from("dev", "Whetstone", "whetstone")
            .map_or_else(|| PathBuf::from(".whetstone"), |folders| folders.data_dir().to_path_buf())
    })
}

/// How this very program is started again as a trainer.
pub fn worker_command() -> Result<WorkerCommand, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
    Ok(WorkerCommand { program, args: vec![WORKER.into()] })
}

/// Writes to the standard output. A reader that has seen enough (`| head`) is no error.
pub fn print(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
