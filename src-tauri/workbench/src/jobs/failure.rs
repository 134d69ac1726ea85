//! A failed job explained: one table of what a failure's words mean and what helps, with its sources.
//!
//! AWS tells of a failed job in one sentence and gives no code, so here, and only here, a text is searched. The sandbox's
//! messages carry the same fragments. What no row knows is explained by the phase that failed.

use whetstone_contract::{AppError, Explanation, FaultyRecord, JobStatus, PhaseName, PhaseStatus};
use whetstone_dataset::SplitKind;

use super::record::JobRecord;
use crate::Workbench;

struct Row {
    /// Any of these in the message, whatever its case.
    fragments: &'static [&'static str],
    cause: &'static str,
    fix: &'static str,
    source: &'static str,
}

const TROUBLESHOOTING: &str = "Amazon Bedrock User Guide, fine-tuning-troubleshooting";
const GUIDE: &str = "the fine-tuning guide this app follows, troubleshooting";

/// The first row that fits counts, so what is particular stands before what is general.
const ROWS: &[Row] = &[
    Row {
        fragments: &["Could not validate GetObject permissions"],
        cause: "The service role may not read the data, or the bucket is in another Region than the job.",
        fix: "Give the role s3:GetObject and s3:ListBucket on the bucket, let bedrock.amazonaws.com assume it, and keep bucket and job in one Region; a bucket with a key of its own also needs kms:Decrypt.",
        source: TROUBLESHOOTING,
    },
    Row {
        fragments: &["perms missing (PutObject)", "write_access_check_file"],
        cause: "The service role may not write to the output location.",
        fix: "Give the role s3:PutObject on the output bucket, or choose another output location.",
        source: TROUBLESHOOTING,
    },
    Row {
        fragments: &["is not authorized to perform: sts:AssumeRole", "cannot be assumed", "assume the role"],
        cause: "Bedrock may not take on the service role.",
        fix: "Let its trust policy name bedrock.amazonaws.com, with your account as aws:SourceAccount.",
        source: "Amazon Bedrock User Guide, model-customization-iam-role",
    },
    Row {
        fragments: &["Unable to parse Amazon S3 file", "is not valid JSON", "not a JSON object", "blank line"],
        cause: "A line of the file is no JSON, or it is blank.",
        fix: "Open the record and mend it. Files that this app writes have one record a line; one that was edited elsewhere may not.",
        source: TROUBLESHOOTING,
    },
    Row {
        fragments: &["must follow", "extraneous key", "required key", "The field"],
        cause: "The records do not have the keys that this base model wants.",
        fix: "Convert the dataset to the format of the base model, then start again.",
        source: "aws-samples/amazon-bedrock-workshop, issue 266",
    },
    Row {
        fragments: &["Input size exceeded"],
        cause: "A record has more characters than the quota allows.",
        fix: "Shorten the record, split it in two, or leave it out.",
        source: TROUBLESHOOTING,
    },
    Row {
        fragments: &["Maximum input token count", "Maximum output token", "Max sum of input and output"],
        cause: "A record has more tokens than this base model takes.",
        fix: "Shorten the record, split it in two, or leave it out.",
        source: TROUBLESHOOTING,
    },
    Row {
        fragments: &["inconsistent with Anthropic"],
        cause: "The screening of the content stopped the job; it is done for Claude only.",
        fix: "Look through the records for what the provider's terms rule out, and take it out.",
        source: TROUBLESHOOTING,
    },
    Row {
        fragments: &["bucketOwner", "lies in the bucket", "one bucket", "another bucket", "media"],
        cause: "An image or a video of a record cannot be used where it lies.",
        fix: "Put the record's media into the bucket that the job's data goes to and name them from there, or take the record out.",
        source: "Amazon Nova User Guide, fine-tune-prepare-data-understanding",
    },
    Row {
        fragments: &["records is below", "fewer than", "too few records", "at least", "more than the"],
        cause: "The file has fewer or more records than this base model takes.",
        fix: "Add or leave out records, or change how many are set aside for validation and hold-out.",
        source: "Amazon Bedrock User Guide, model-customization-prepare",
    },
    Row {
        fragments: &["loss is not a number", "diverged", "not finite"],
        cause: "The training diverged: its steps became too large to take back.",
        fix: "Halve the learning rate, or give it more warm-up steps, and start again.",
        source: GUIDE,
    },
    Row {
        fragments: &["unexpected error when processing the request", "InternalServer"],
        cause: "Something went wrong inside the service.",
        fix: "Start the job again. If it fails in the same way, ask AWS Support and give the job's ARN.",
        source: TROUBLESHOOTING,
    },
    Row {
        fragments: &["ServiceQuotaExceeded", "quota"],
        cause: "A quota of the account is used up.",
        fix: "Wait until other jobs have ended, or ask for a higher quota under Service Quotas, code bedrock.",
        source: "Service Quotas, code bedrock",
    },
    Row {
        fragments: &["provided model identifier is invalid", "model identifier"],
        cause: "The base model's id is not one that can be tuned here.",
        fix: "Choose the base model in the wizard again; it lists what this Region can tune.",
        source: "Amazon Bedrock API, CreateModelCustomizationJob",
    },
    Row {
        fragments: &["training process", "could not be started", "No space left"],
        cause: "The training on this computer could not run.",
        fix: "See that there is memory and room on the disk, then start the job again.",
        source: "this app's own trainer",
    },
];

const BY_PHASE: [(PhaseName, &str, &str); 3] = [
    (
        PhaseName::Validation,
        "The job failed while permissions and places were looked at; nothing was trained, and so nothing billed.",
        "Check the role, the bucket's Region and the paths of the files.",
    ),
    (
        PhaseName::DataProcessing,
        "The job failed while its data was read; nothing was trained, and so nothing billed.",
        "Look at the dataset's findings for this base model, mend them and start again.",
    ),
    (
        PhaseName::Training,
        "The job failed while it trained; the tokens trained so far may be billed.",
        "Start it again; where it fails in the same way, lower the learning rate and look at the longest records.",
    ),
];

impl Workbench {
    pub(super) async fn explain_failure(&self, job: &JobRecord) -> Option<Explanation> {
        let message = job.failure.as_ref().filter(|_| job.status == JobStatus::Failed)?;
        let (cause, fix, source) = known(message, failed_phase(job));
        let record = self.faulty_record(job, message).await.unwrap_or_else(|error| {
            tracing::info!(job = job.id, %error, "the record at fault could not be looked up");
            None
        });
        Some(Explanation { cause: cause.into(), fix: fix.into(), source: source.into(), record })
    }

    /// The record that stands where the message says a line is at fault.
    async fn faulty_record(&self, job: &JobRecord, message: &str) -> Result<Option<FaultyRecord>, AppError> {
        let Some((line, kind)) = line_named(message).filter(|_| !job.draft.dataset.is_empty()) else {
            return Ok(None);
        };
        let uploaded = if kind == SplitKind::Validation { job.validation_records } else { job.training_records };
        let found = self.datasets.record_of_line(job.draft.dataset.clone(), kind, line).await?;
        Ok(found.map(|(position, records)| FaultyRecord {
            dataset: job.draft.dataset.clone(),
            position,
            line,
            split: kind.name().to_owned(),
            moved: records != uploaded,
        }))
    }
}

fn failed_phase(job: &JobRecord) -> PhaseName {
    let failed = job.phases.iter().find(|phase| phase.status == PhaseStatus::Failed);
    let reached = job.phases.iter().rev().find(|phase| phase.status != PhaseStatus::NotStarted);
    failed.or(reached).map_or(PhaseName::Validation, |phase| phase.name)
}

fn known(message: &str, phase: PhaseName) -> (&'static str, &'static str, &'static str) {
    let lower = message.to_lowercase();
    let fits = |row: &&Row| row.fragments.iter().any(|fragment| lower.contains(&fragment.to_lowercase()));
    if let Some(row) = ROWS.iter().find(fits) {
        return (row.cause, row.fix, row.source);
    }
    let (_, cause, fix) = BY_PHASE.iter().find(|(name, ..)| *name == phase).unwrap_or(&BY_PHASE[0]);
    (cause, fix, GUIDE)
}

/// "Line 12 of the validation data": the line from 1, and whose it is. Where it is not said, it is the training data's.
fn line_named(message: &str) -> Option<(u64, SplitKind)> {
    let lower = message.to_lowercase();
    let at = lower.match_indices("line ").map(|(at, word)| at + word.len());
    let line = at.filter_map(|at| {
        let digits: String = lower[at..].chars().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
        digits.replace(',', "").parse::<u64>().ok().filter(|line| *line > 0)
    });
    let kind = if lower.contains("validation data") || lower.contains("validation.jsonl") {
        SplitKind::Validation
    } else {
        SplitKind::Training
    };
    Some((line.into_iter().next()?, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fragments of AWS's own that public sources name, each in a sentence as it is met.
    #[test]
    fn every_known_fragment_has_its_own_cause() {
        for (message, cause) in [
            ("Could not validate GetObject permissions to access Amazon S3 bucket: b at key k", "may not read"),
            ("Amazon S3 perms missing (PutObject): s3://b/out/", "may not write"),
            ("Unable to parse Amazon S3 file: t.jsonl. Line 3 is not JSON", "no JSON"),
            ("Each line must follow '{\"prompt\": …}'", "keys"),
            ("Input size exceeded in file t.jsonl for record starting with", "characters"),
            ("Maximum input token count 4096 exceeds limit of 2048", "tokens"),
            ("Max sum of input and output token length exceeds", "tokens"),
            ("potentially inconsistent with Anthropic's third-party license terms", "screening"),
            ("Encountered an unexpected error when processing the request", "inside the service"),
            ("The training process ended early (signal: 9)", "could not run"),
        ] {
            let (found, fix, source) = known(message, PhaseName::DataProcessing);
            assert!(found.contains(cause), "{message}: {found}");
            assert!(!fix.is_empty() && !source.is_empty());
        }
    }

    #[test]
    fn what_no_row_knows_is_explained_by_its_phase() {
        for (phase, words) in [
            (PhaseName::Validation, "permissions"),
            (PhaseName::DataProcessing, "data"),
            (PhaseName::Training, "trained"),
        ] {
            assert!(known("Something else.", phase).0.contains(words));
        }
    }

    #[test]
    fn a_line_is_found_with_the_split_that_it_is_of() {
        let of = |message| line_named(message).map(|(line, kind)| (line, kind.name()));
        assert_eq!(of("Line 12 of the training data: The prompt is empty."), Some((12, "training")));
        assert_eq!(of("Line 1,204 of the validation data: too long"), Some((1204, "validation")));
        assert_eq!(of("Unable to parse Amazon S3 file at line 7"), Some((7, "training")));
        assert_eq!(of("No place is named."), None);
    }
}
