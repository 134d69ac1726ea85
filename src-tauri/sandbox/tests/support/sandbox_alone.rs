//! The sandbox in a process of its own, for tests that kill it: `sandbox-alone PORT FOLDER`. It is also its own
//! trainer: `sandbox-alone train-worker FOLDER`. Once it answers, it writes its address to standard error.

use std::path::Path;
use std::process::ExitCode;

use whetstone_sandbox::{Sandbox, SandboxConfig, WorkerCommand, WorkerLimits};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [command, folder] = args.as_slice() else {
        eprintln!("sandbox-alone PORT FOLDER");
        return ExitCode::from(2);
    };
    if command == "train-worker" {
        return whetstone_tuner::worker_process(Path::new(folder));
    }
    match run(command.parse().unwrap_or(0), Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(port: u16, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let worker = WorkerCommand { program: std::env::current_exe()?, args: vec!["train-worker".to_owned()] };
        let (data_dir, region) = (folder.to_owned(), "us-east-1".to_owned());
        let config = SandboxConfig { data_dir, port, region, worker, limits: WorkerLimits::default(), faults: None };
        let sandbox = Sandbox::start(config).await?;
        eprintln!("{}", sandbox.endpoint());
        end_asked_for().await?;
        sandbox.stop().await;
        Ok(())
    })
}

#[cfg(unix)]
async fn end_asked_for() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

#[cfg(not(unix))]
async fn end_asked_for() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
