//! The command line: what each subcommand is called, and which part of the program answers it.
//!
//! Exit status: 0 done, 1 the work found or hit something, 2 the call itself was wrong.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::access_commands::{self, DoctorCall, ProfilesCall, SignInCall};
use crate::data_commands::{self, ConvertCall, EstimateCall, StatsCall, ValidateCall};
use crate::evaluate::{self, EvaluateCall};
use crate::program::{self, data_folder};
pub use crate::program::{print, worker_command};
use crate::sandbox_call::{self, SandboxCall};
use crate::tune::{self, TuneCall};

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
    /// Run the job of a recipe, from its data to the tuned model.
    Tune(TuneCall),
    /// Measure recorded answers, or put a dataset's records to models and say whether one is better.
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

pub fn run() -> ExitCode {
    let call = Call::parse();
    program::log_to_standard_error();
    let outcome = match call.command {
        None => crate::window::open(data_folder(call.window.data), call.window.file),
        Some(Command::Sandbox(call)) => {
            hand_over();
            sandbox_call::run(call)
        }
        Some(Command::Validate(call)) => return data_commands::validate_files(&call),
        Some(Command::Convert(call)) => return data_commands::convert_file(&call),
        Some(Command::Stats(call)) => return data_commands::print_statistics(&call),
        Some(Command::Estimate(call)) => return data_commands::estimate_file(&call),
        Some(Command::Tune(call)) => return tune::run(&call),
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

/// Goes on as the program that is the sandbox alone, where that lies beside this one: it does the same and carries none
/// of the libraries that a window needs, which take far more memory than the sandbox itself.
fn hand_over() {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let mut arguments = std::env::args_os().skip(1);
        let alone = std::env::current_exe().map(|this| this.with_file_name("whetstone-sandbox"));
        let (Ok(alone), Some(first)) = (alone, arguments.next()) else { return };
        if first == "sandbox" && alone.is_file() {
            // It returns only when it failed, and this program can do the work as well.
            let error = std::process::Command::new(&alone).args(arguments).exec();
            tracing::debug!(%error, program = %alone.display(), "could not go on as another program");
        }
    }
}
