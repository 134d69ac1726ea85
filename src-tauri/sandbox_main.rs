//! The sandbox as a program of its own: what `whetstone sandbox` goes on as. It is linked without the window, so it is
//! there at once and takes little memory.

mod program;
mod sandbox_call;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use sandbox_call::SandboxCall;

/// Run the local endpoint that speaks S3 and Bedrock: the same as `whetstone sandbox`.
#[derive(Parser)]
#[command(name = "whetstone-sandbox", version, about, args_conflicts_with_subcommands = true)]
struct Call {
    #[command(flatten)]
    call: SandboxCall,
}

fn main() -> ExitCode {
    // The sandbox starts this program once more for each training. That is no command for people.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == program::WORKER)
        && let Some(folder) = arguments.next()
    {
        return whetstone_tuner::worker_process(Path::new(&folder));
    }
    let Call { call } = Call::parse();
    program::log_to_standard_error();
    match sandbox_call::run(call) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("whetstone: {message}");
            ExitCode::FAILURE
        }
    }
}
