//! How long jobs take: what was seen, with its source, and never a promise. AWS says nothing of it in its answers.

use whetstone_contract::{JobStatus, PhaseName, PhaseStatus};

use super::record::JobRecord;

/// What was seen of jobs on AWS.
struct Seen {
    /// In the base model's id.
    model: &'static str,
    words: &'static str,
}

const ON_AWS: &[Seen] = &[
    Seen {
        model: "nova-micro",
        words: "A Nova Micro job over 5,000 records took about 60 min (aws-samples, amazon-bedrock-samples).",
    },
    Seen { model: "nova-2-lite", words: "A Nova 2 Lite job took about 4 h (a guide by AWS)." },
];
const WAITING_ON_AWS: &str = "A job may wait long before it trains: one public project saw 74 h in progress first.";

/// In words, for the phase that a job is in; nothing where nothing is known, or the job has ended.
pub fn of(job: &JobRecord, all: &[JobRecord]) -> Option<String> {
    if job.has_ended() || job.status == JobStatus::Uploading {
        return None;
    }
    let waiting = job.phase(PhaseName::Training).is_none_or(|phase| phase.status == PhaseStatus::NotStarted);
    let mut said = Vec::new();
    if let Some(earlier) = earlier(job, all, waiting) {
        said.push(earlier);
    }
    if !runs_here(job) {
        said.extend(
            ON_AWS.iter().filter(|seen| job.draft.base_model.contains(seen.model)).map(|seen| seen.words.into()),
        );
        if waiting {
            said.push(WAITING_ON_AWS.into());
        }
    }
    (!said.is_empty()).then(|| said.join(" "))
}

/// A stand-in, or the model that is trained as itself on this computer.
fn runs_here(job: &JobRecord) -> bool {
    job.stand_in || crate::models::find(&job.draft.base_model).is_ok_and(|model| model.local)
}

/// What earlier jobs on the same base model took.
fn earlier(job: &JobRecord, all: &[JobRecord], waiting: bool) -> Option<String> {
    let mut took: Vec<i64> = all
        .iter()
        .filter(|one| one.id != job.id && one.status == JobStatus::Completed)
        .filter(|one| one.draft.base_model == job.draft.base_model && one.stand_in == job.stand_in)
        .filter_map(|one| {
            let training = one.phase(PhaseName::Training)?;
            if waiting {
                Some(training.started_at? - one.created_at)
            } else {
                Some(training.changed_at? - training.started_at?)
            }
        })
        .collect();
    took.sort_unstable();
    let (first, last) = (took.first()?, took.last()?);
    let what = if waiting { "reached their training after" } else { "trained for" };
    let (low, high) = (in_words(*first), in_words(*last));
    let span = if low == high { low } else { format!("{low} to {high}") };
    Some(match took.len() {
        1 => format!("Your earlier job on this model {what} {span}."),
        jobs => format!("Your {jobs} earlier jobs on this model {what} {span}."),
    })
}

fn in_words(milliseconds: i64) -> String {
    match milliseconds / 1000 {
        seconds if seconds < 1 => "under a second".into(),
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
