//! `whetstone sandbox`: the local endpoint without a window, and the lines that point others at it.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use whetstone_sandbox::{Sandbox, SandboxConfig, WorkerLimits};

use crate::program::{data_folder, print, worker_command};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SandboxCall {
    #[command(subcommand)]
    command: Option<SandboxCommand>,
    #[command(flatten)]
    place: SandboxPlace,
    /// Let answers go wrong as this file says (TOML: operation, resource, nth, probability, kind).
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
}

#[derive(Subcommand)]
enum SandboxCommand {
    /// Print the shell lines that point the AWS CLI and the SDKs at the sandbox.
    Env(EnvCall),
}

#[derive(Args)]
struct EnvCall {
    #[command(flatten)]
    place: SandboxPlace,
    /// Add a profile of this name to the AWS config file instead of printing.
    #[arg(long, value_name = "NAME")]
    write_profile: Option<String>,
    /// Print the Bedrock API key too. Clients that find it use it for Bedrock in place of the access key.
    #[arg(long, conflicts_with = "write_profile")]
    api_key: bool,
    /// Do not ask before the AWS config file is changed.
    #[arg(long, requires = "write_profile")]
    yes: bool,
}

#[derive(Args)]
struct SandboxPlace {
    /// Loopback port; 0 takes a free one.
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// Folder that holds the sandbox's state, objects and models.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The Region that the sandbox plays.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Processor threads of one training; all by default.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Memory for one model, in megabytes; what is free by default. A checkpoint that needs more is refused.
    #[arg(long, value_name = "MB")]
    memory: Option<u64>,
}

fn sandbox_config(place: SandboxPlace) -> Result<SandboxConfig, String> {
    let data_dir = place.data.unwrap_or_else(|| data_folder(None).join("sandbox"));
    let memory = place.memory.map(|megabytes| megabytes.saturating_mul(1_000_000));
    let limits = WorkerLimits { threads: place.threads, memory };
    Ok(SandboxConfig {
        data_dir,
        port: place.port,
        region: place.region,
        worker: worker_command()?,
        limits,
        faults: None,
    })
}

/// Does what was called for.
pub fn run(call: SandboxCall) -> Result<(), String> {
    match call {
        SandboxCall { command: Some(SandboxCommand::Env(call)), .. } => environment(call),
        SandboxCall { command: None, place, faults } => run_sandbox(place, faults),
    }
}

fn run_sandbox(place: SandboxPlace, faults: Option<PathBuf>) -> Result<(), String> {
    let config = SandboxConfig { faults, ..sandbox_config(place)? };
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let sandbox = Sandbox::start(config).await.map_err(|error| error.to_string())?;
        eprintln!("The sandbox listens on {}. Ctrl+C ends it.", sandbox.endpoint());
        wait_for_end().await.map_err(|error| error.to_string())?;
        sandbox.stop().await;
        Ok(())
    })
}

async fn wait_for_end() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            result = tokio::signal::ctrl_c() => result,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

fn environment(call: EnvCall) -> Result<(), String> {
    let config = sandbox_config(call.place)?;
    if let Some(name) = call.write_profile {
        return write_profile(&config, &name, call.yes);
    }
    let mut lines = whetstone_sandbox::environment(&config.data_dir, config.port).map_err(|error| error.to_string())?;
    if call.api_key {
        let key = whetstone_sandbox::api_key(&config.data_dir).map_err(|error| error.to_string())?;
        lines.push_str(&format!("export AWS_BEARER_TOKEN_BEDROCK={key}\n"));
    }
    print(|out| out.write_all(lines.as_bytes())).map_err(|error| error.to_string())
}

/// Shows what will be added to the AWS config file, asks, and adds it.
fn write_profile(config: &SandboxConfig, name: &str, yes: bool) -> Result<(), String> {
    let file = aws_config_file().ok_or("there is no home folder, and AWS_CONFIG_FILE is not set")?;
    let change =
        whetstone_sandbox::profile(&config.data_dir, config.port, &file, name).map_err(|error| error.to_string())?;
    eprint!("To be in {}, with the sandbox's secret key beside it:\n\n{}\n", change.path().display(), change.shown());
    if !yes && !agreed()? {
        return Err("nothing was changed".to_owned());
    }
    change.write().map_err(|error| error.to_string())?;
    eprintln!("Use it with: aws --profile {name} bedrock list-foundation-models");
    Ok(())
}

fn agreed() -> Result<bool, String> {
    if !std::io::stdin().is_terminal() {
        return Err("there is nobody to ask; --yes changes the file without asking".to_owned());
    }
    eprint!("Add it? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| error.to_string())?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Where the AWS CLI and the SDKs look for profiles.
fn aws_config_file() -> Option<PathBuf> {
    if let Some(file) = std::env::var_os("AWS_CONFIG_FILE").filter(|file| !file.is_empty()) {
        return Some(file.into());
    }
    Some(directories::BaseDirs::new()?.home_dir().join(".aws").join("config"))
}
