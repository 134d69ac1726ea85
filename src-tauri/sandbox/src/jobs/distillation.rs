//! The data processing phase of a distillation: the teacher answers the prompts, and the student is trained on that.
//!
//! The teacher's stand-in really answers: each answer is drawn from its weights. An answer is in the job's folder before
//! the next one begins, so a sandbox that was killed goes on with the prompt it was at. What became of the prompts is
//! reported beside the job's other output; the service names such a report and gives no path or form of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use whetstone_catalog::BaseModel;
use whetstone_dataset::{Role, Schema, Turn};
use whetstone_tuner::{Piece, SampleOptions, StopReason, TunerError};

use super::data::{TRAINING_FILE, turns, write_records};
use super::engine::{End, blocking};
use super::job::Job;
use super::place::{Place, Refusal};
use super::prompts::{self, Prompt, Prompts};
use crate::app::App;
use crate::runtime::models::Weights;

/// What was answered so far, inside a job's folder.
const ANSWERS_FILE: &str = "answers.jsonl";
/// How long an answer may be where the job does not say: what AWS's samples ask for.
const ANSWER_TOKENS: usize = 1000;
/// How the teacher draws its answers.
const TEMPERATURE: f32 = 0.7;
const TOP_P: f32 = 0.9;
/// Records of the sample that is put beside the report.
const SAMPLE: usize = 100;

/// Has every prompt answered, and writes the records that the student is trained on.
pub(super) async fn process(
    app: &Arc<App>,
    job: &Job,
    model: &'static BaseModel,
    folder: &Path,
    stop: &CancellationToken,
) -> Result<(), End> {
    let home = folder.to_owned();
    let (prompts, answers) = blocking(app, job, move |app, job| {
        let prompts = prompts::read(app, job, model)?;
        fs::create_dir_all(&home).map_err(|error| unwritable(&error))?;
        Ok((Arc::new(prompts), Answers::open(&home).map_err(|error| unwritable(&error))?))
    })
    .await?;
    let answers = ask(app, job, &prompts, answers, stop).await?;
    let file = folder.join(TRAINING_FILE);
    blocking(app, job, move |app, job| finish(app, job, &prompts, &answers.given, &file)).await
}

/// One prompt after the other, each as one answer among those that the sandbox gives at a time.
async fn ask(
    app: &Arc<App>,
    job: &Job,
    prompts: &Arc<Prompts>,
    mut answers: Answers,
    stop: &CancellationToken,
) -> Result<Answers, End> {
    for index in answers.given.len()..prompts.accepted.len() {
        let _turn = tokio::select! {
            turn = app.models().answers.clone().acquire_owned() => turn.map_err(|_| End::Interrupted)?,
            () = stop.cancelled() => return Err(End::Stopped),
            () = app.stopping().cancelled() => return Err(End::Interrupted),
        };
        let (prompts, stop_now) = (prompts.clone(), stop.clone());
        answers = blocking(app, job, move |app, job| {
            if let Some(text) = answer(app, job, &prompts.accepted[index], index, &stop_now)? {
                answers.keep(text).map_err(|error| unwritable(&error))?;
            }
            Ok(answers)
        })
        .await?;
        if stop.is_cancelled() {
            return Err(End::Stopped);
        }
        if app.stopping().is_cancelled() {
            return Err(End::Interrupted);
        }
    }
    Ok(answers)
}

/// The answer to one prompt, empty where it leaves no room for one. `None` when it was broken off.
fn answer(
    app: &App,
    job: &Job,
    prompt: &Prompt,
    index: usize,
    stop: &CancellationToken,
) -> Result<Option<String>, Refusal> {
    if let Some(answer) = &prompt.answer {
        return Ok(Some(answer.clone()));
    }
    let most = job.asked.teacher.as_ref().and_then(|teacher| teacher.max_response_length_for_inference);
    let options = SampleOptions {
        max_tokens: most.and_then(|tokens| usize::try_from(tokens).ok()).unwrap_or(ANSWER_TOKENS),
        temperature: TEMPERATURE,
        top_p: TOP_P,
        // Of the job and the prompt, so that a prompt that is answered again after a restart is answered the same.
        seed: u64::try_from(job.created).unwrap_or_default().wrapping_add(index as u64),
        ..SampleOptions::default()
    };
    let mut go_on = |_: Piece<'_>| {
        let halted = stop.is_cancelled() || app.stopping().is_cancelled();
        if halted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let failed = |error: &dyn std::fmt::Display| format!("The teacher could not answer the prompts: {error}.");
    let teacher = app.models().load(app.home(), &Weights::Bundled).map_err(|error| failed(&error))?;
    match teacher.generate(&turns(&prompt.record), &options, &mut go_on) {
        Ok(generated) if generated.stop == StopReason::Cancelled => Ok(None),
        Ok(generated) => Ok(Some(generated.text)),
        Err(TunerError::PromptTooLong { .. }) => Ok(Some(String::new())),
        Err(other) => Err(failed(&other)),
    }
}

/// The answers file: a JSON text a line, in the order of the prompts.
struct Answers {
    file: File,
    given: Vec<String>,
}

impl Answers {
    /// Takes up what is there. A line that a kill cut off is cut away.
    fn open(folder: &Path) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(folder.join(ANSWERS_FILE))?;
        let (mut given, mut whole) = (Vec::new(), 0);
        let mut lines = BufReader::new(&file);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            let Ok(text) = serde_json::from_slice(&line) else { break };
            given.push(text);
            whole += line.len() as u64;
            line.clear();
        }
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, given })
    }

    fn keep(&mut self, text: String) -> io::Result<()> {
        let mut line = serde_json::to_vec(&text)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.given.push(text);
        Ok(())
    }
}

/// Writes the training file, and the report and the sample into S3.
fn finish(app: &App, job: &Job, prompts: &Prompts, answers: &[String], file: &Path) -> Result<(), Refusal> {
    let mut records = Vec::new();
    let mut report = Vec::new();
    for (prompt, answer) in prompts.accepted.iter().zip(answers) {
        let used = !answer.trim().is_empty();
        report.push(match used {
            true => json!({ "prompt": prompt.place, "accepted": true }),
            false => json!({ "prompt": prompt.place, "accepted": false, "reason": "the teacher gave no answer" }),
        });
        if used {
            let mut record = prompt.record.clone();
            record.turns.push(Turn::new(Role::Assistant, answer));
            records.push(record);
        }
    }
    for one in &prompts.rejected {
        report.push(json!({ "prompt": one.place, "accepted": false, "reason": one.reason }));
    }
    if records.is_empty() {
        return Err("The teacher answered none of the prompts.".to_owned());
    }
    write_records(file, &records).map_err(|error| unwritable(&error))?;
    let report: String = report.iter().map(|line| format!("{line}\n")).collect();
    put(app, job, "prompts_report.jsonl", report.as_bytes())?;
    let mut sample = Vec::new();
    for record in records.iter().take(SAMPLE) {
        let line = Schema::Conversation.render(record).map_err(|loss| format!("A prompt cannot be shown: {loss}"))?;
        sample.extend_from_slice(&line);
        sample.push(b'\n');
    }
    put(app, job, "synthetic_data_sample.jsonl", &sample)
}

fn put(app: &App, job: &Job, name: &str, content: &[u8]) -> Result<(), Refusal> {
    let output = Place::of_output(job);
    let key = format!("{}distillation_artifacts/{name}", output.prefix());
    let missing = |error| format!("Amazon S3 perms missing (PutObject): {}: {error}", job.asked.output_uri);
    app.store().put(&output.bucket, &key, content, "application/jsonl").map_err(missing)
}

fn unwritable(error: &io::Error) -> Refusal {
    format!("The sandbox could not write the job's folder: {error}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_up_where_a_kill_left_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut answers = Answers::open(folder.path()).unwrap();
        answers.keep("one\nof two lines".to_owned()).unwrap();
        answers.keep("two".to_owned()).unwrap();
        answers.file.write_all(b"\"thr").unwrap();
        drop(answers);
        let mut answers = Answers::open(folder.path()).unwrap();
        assert_eq!(answers.given, ["one\nof two lines", "two"]);
        answers.keep("three".to_owned()).unwrap();
        assert_eq!(Answers::open(folder.path()).unwrap().given, ["one\nof two lines", "two", "three"]);
    }
}
