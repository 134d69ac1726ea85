//! The shell: one program with two faces. Without a subcommand it opens the window, with one it does the same work
//! without. It wires the parts together and takes no decision; those are the workbench's.

mod access_commands;
mod command_line;
mod data_commands;
mod evaluate;
mod program;
mod sandbox_call;
mod tune;
mod tune_local;
mod window;

use std::process::ExitCode;

fn main() -> ExitCode {
    command_line::run()
}
