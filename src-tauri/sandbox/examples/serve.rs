//! The sandbox alone: `serve --port N --data DIR`, which is also its own trainer: `serve train-worker DIR`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use whetstone_sandbox::{Sandbox, SandboxConfig, WorkerCommand, environment};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [command, folder] = args.as_slice()
        && command == "train-worker"
    {
        return whetstone_tuner::worker_process(Path::new(folder));
    }
    let value = |name: &str| args.iter().skip_while(|arg| *arg != name).nth(1).cloned();
    let data_dir = PathBuf::from(value("--data").unwrap_or_else(|| "sandbox-data".to_owned()));
    let port = value("--port").and_then(|text| text.parse().ok()).unwrap_or(0);
    match run(&data_dir, port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(data_dir: &Path, port: u16) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let worker = WorkerCommand { program: std::env::current_exe()?, args: vec!["train-worker".to_owned()] };
        let config = SandboxConfig { data_dir: data_dir.to_owned(), port, region: "us-east-1".to_owned(), worker };
        let sandbox = Sandbox::start(config).await?;
        eprint!("{}", environment(data_dir, 0)?);
        tokio::signal::ctrl_c().await?;
        sandbox.stop().await;
        Ok(())
    })
}
