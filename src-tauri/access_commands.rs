//! The commands about access to AWS: `doctor`, `profiles` and `sign-in`. They need no data folder, so that a window may
//! be open beside them.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;
use whetstone_contract::{AppError, Check, CheckState, DoctorReport, Profiles};
use whetstone_workbench::ProfileSubject;

use crate::command_line::{USAGE, print};

#[derive(Args)]
pub struct DoctorCall {
    /// A profile of the AWS configuration files; without one, AWS_PROFILE, the environment, then "default".
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The Region to look at; without one, the environment's or the profile's own.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// A base model that is to be tuned.
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// The role that the job is to take on.
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// The bucket for uploads and results.
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
    /// What stands in front of every key in the bucket.
    #[arg(long, value_name = "PREFIX", default_value = "")]
    prefix: String,
    /// Write an object of a few bytes into the bucket, read it and delete it.
    #[arg(long, requires = "bucket")]
    probe: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct ProfilesCall {
    /// Get credentials for each profile, too, which may run programs and call STS.
    #[arg(long)]
    resolve: bool,
    /// Print the list as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct SignInCall {
    /// A profile with single sign-on.
    profile: String,
}

/// Tells the page and the code, and waits until the person has let it in.
pub fn sign_in(call: SignInCall) -> ExitCode {
    let tell = |code: &str, address: &str| eprintln!("Open {address}\nand let it in when the code there is {code}.");
    match run(whetstone_workbench::sign_in_profile(call.profile, tell)) {
        Ok(_) => {
            eprintln!("Signed in.");
            ExitCode::SUCCESS
        }
        Err(error) => {
            usage(&error);
            ExitCode::FAILURE
        }
    }
}

/// 0 when a job would be let in, warnings or not; 1 when something failed; 2 for a wrong call.
pub fn doctor(call: DoctorCall) -> ExitCode {
    let live = !call.json;
    let prefix = call.prefix.trim_matches('/');
    let subject = ProfileSubject {
        profile: call.profile,
        region: call.region,
        model: call.model,
        role_arn: call.role,
        bucket: call.bucket,
        prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
        probe: call.probe,
    };
    let colour = std::io::stdout().is_terminal();
    let tell = move |check: &Check| {
        if live {
            // A reader that went away has seen enough.
            let _ = print(|out| write_check(out, check, colour));
        }
    };
    match run(whetstone_workbench::examine_profile(subject, &tell)) {
        Ok(report) => finish(&report, call.json),
        Err(error) => usage(&error),
    }
}

fn finish(report: &DoctorReport, json: bool) -> ExitCode {
    let written = if json {
        print_json(report)
    } else {
        let count = |state: CheckState| report.checks.iter().filter(|check| check.state == state).count();
        let (failed, warnings) = (count(CheckState::Failed), count(CheckState::Warning));
        let unknown = count(CheckState::Unknown);
        print(|out| {
            writeln!(
                out,
                "\n{} in {}: {failed} failed, {warnings} warnings, {unknown} unknown",
                report.name, report.region
            )
        })
    };
    if let Err(error) = written {
        eprintln!("whetstone: {error}");
        return ExitCode::FAILURE;
    }
    if report.verdict == CheckState::Failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn write_check(out: &mut dyn Write, check: &Check, colour: bool) -> std::io::Result<()> {
    let (mark, tint) = match check.state {
        CheckState::Ok => ("ok     ", "32"),
        CheckState::Warning => ("warning", "33"),
        CheckState::Failed => ("FAILED ", "31"),
        CheckState::Skipped => ("skipped", "2"),
        CheckState::Unknown => ("unknown", "36"),
    };
    let mark = if colour { format!("\x1b[{tint}m{mark}\x1b[0m") } else { mark.to_owned() };
    writeln!(out, "{mark}  {}: {}", check.title, check.answered)?;
    if check.state == CheckState::Ok {
        return Ok(());
    }
    writeln!(out, "         asked: {}", check.asked)?;
    let Some(mend) = &check.mend else { return Ok(()) };
    writeln!(out, "         {}", mend.words)?;
    for line in mend.policy.iter().flat_map(|policy| policy.lines()) {
        writeln!(out, "           {line}")?;
    }
    match &mend.page {
        Some(page) => writeln!(out, "         {page}"),
        None => Ok(()),
    }
}

/// 0 when every profile gives credentials, 1 when one does not.
pub fn profiles(call: &ProfilesCall) -> ExitCode {
    let listed = match run(whetstone_workbench::list_profiles(call.resolve)) {
        Ok(listed) => listed,
        Err(error) => return usage(&error),
    };
    let written = if call.json { print_json(&listed) } else { print(|out| write_profiles(out, &listed)) };
    if let Err(error) = written {
        eprintln!("whetstone: {error}");
        return ExitCode::FAILURE;
    }
    let broken = listed.profiles.iter().any(|profile| profile.problem.is_some()) || !listed.problems.is_empty();
    if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn write_profiles(out: &mut dyn Write, listed: &Profiles) -> std::io::Result<()> {
    if !listed.found {
        writeln!(out, "There is neither {} nor {}.", listed.config_file, listed.credentials_file)?;
        return writeln!(out, "Make a profile with: aws configure sso");
    }
    for problem in &listed.problems {
        let line = problem.line.map_or_else(String::new, |line| format!(":{line}"));
        writeln!(out, "! {}{line}: {}", problem.file.as_deref().unwrap_or_default(), problem.message)?;
    }
    for profile in &listed.profiles {
        let region = profile.region.as_deref().unwrap_or("no Region");
        writeln!(out, "{} ({region}, {}:{}): {}", profile.name, profile.file, profile.line, profile.source)?;
        if let Some(problem) = &profile.problem {
            writeln!(out, "  ! {}", problem.message)?;
        }
        if let Some(key) = &profile.key_tail {
            writeln!(out, "  gives a key that ends in {key}")?;
        }
    }
    Ok(())
}

fn run<T>(work: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        AppError::new(whetstone_contract::ErrorCode::Bug, "The program cannot start its threads.")
            .detail(error.to_string())
    })?;
    runtime.block_on(work)
}

fn print_json(value: &impl serde::Serialize) -> std::io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    print(|out| writeln!(out, "{text}"))
}

fn usage(error: &AppError) -> ExitCode {
    eprintln!("whetstone: {error}");
    if let Some(hint) = &error.hint {
        eprintln!("{hint}");
    }
    ExitCode::from(USAGE)
}
