//! The command line: what each subcommand is called, and which part of the program answers it.
//!
//! Exit status: 0 done, 1 the work found or hit something, 2 the call itself was wrong.

use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use whetstone_sandbox::{Sandbox, SandboxConfig, WorkerCommand, WorkerLimits};

use crate::access_commands::{self, DoctorCall, ProfilesCall, SignInCall};
use crate::data_commands::{self, ConvertCall, EstimateCall, StatsCall, ValidateCall};
use crate::evaluate::{self, EvaluateCall};

/// The exit status of a call that was wrong, as clap has it.
pub const USAGE: u8 = 2;

/// Fine-tune foundation models on Amazon Bedrock, and rehearse it on this computer.
#[derive(Parser)]
#[command(name = "whetstone", version, about, args_conflicts_with_subcommands = true)]
struct Call {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    window: WindowCall,
}

#[derive(Args)]
struct WindowCall {
    /// A dataset to open (CSV, JSON Lines or JSON).
    file: Option<PathBuf>,
    /// Where the app keeps its data.
    #[arg(long, env = "WHETSTONE_HOME", value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the local endpoint that speaks S3 and Bedrock, without a window.
    Sandbox(SandboxCall),
    /// Hold a dataset to a base model's rules.
    Validate(ValidateCall),
    /// Write a dataset in another form, with a report of what does not carry over.
    Convert(ConvertCall),
    /// Say what a dataset is made of: lengths, labels, languages, repetition.
    Stats(StatsCall),
    /// Say what tuning a base model on a dataset costs, and its model afterwards.
    Estimate(EstimateCall),
    /// Measure recorded answers against their references.
    Evaluate(EvaluateCall),
    /// Ask AWS, from credentials to quotas, whether a customization job would be let in.
    Doctor(DoctorCall),
    /// List the profiles of the AWS configuration files: what each means, and what is wrong with it.
    Profiles(ProfilesCall),
    /// Sign a profile in by single sign-on, for this app, the AWS CLI and the SDKs.
    SignIn(SignInCall),
    /// Run one training in a folder; the sandbox starts this by itself.
    #[command(hide = true)]
    TrainWorker { folder: PathBuf },
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
struct SandboxCall {
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

pub fn run() -> ExitCode {
    let call = Call::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("WHETSTONE_LOG").unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let outcome = match call.command {
        None => crate::window::open(data_folder(call.window.data), call.window.file),
        Some(Command::Sandbox(SandboxCall { command: Some(SandboxCommand::Env(call)), .. })) => environment(call),
        Some(Command::Sandbox(SandboxCall { command: None, place, faults })) => run_sandbox(place, faults),
        Some(Command::Validate(call)) => return data_commands::validate_files(&call),
        Some(Command::Convert(call)) => return data_commands::convert_file(&call),
        Some(Command::Stats(call)) => return data_commands::print_statistics(&call),
        Some(Command::Estimate(call)) => return data_commands::estimate_file(&call),
        Some(Command::Evaluate(call)) => return evaluate::run(&call),
        Some(Command::Doctor(call)) => return access_commands::doctor(call),
        Some(Command::Profiles(call)) => return access_commands::profiles(&call),
        Some(Command::SignIn(call)) => return access_commands::sign_in(call),
        Some(Command::TrainWorker { folder }) => return whetstone_tuner::worker_process(&folder),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("whetstone: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The folder given, else the platform's own place for an app's data.
fn data_folder(given: Option<PathBuf>) -> PathBuf {
    given.unwrap_or_else(|| {
        directories::ProjectDirs::from("dev", "Whetstone", "whetstone")
            .map_or_else(|| PathBuf::from(".whetstone"), |folders| folders.data_dir().to_path_buf())
    })
}

/// How this very program is started again as a trainer.
pub fn worker_command() -> Result<WorkerCommand, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
    Ok(WorkerCommand { program, args: vec!["train-worker".into()] })
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
    let lines = whetstone_sandbox::environment(&config.data_dir, config.port).map_err(|error| error.to_string())?;
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

/// Writes to the standard output. A reader that has seen enough (`| head`) is no error.
pub fn print(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
