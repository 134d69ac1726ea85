//! A rehearsal: the draft of one connection, run at this computer first, then started where it was meant for.
//!
//! There is no second way of running a job here: a rehearsal is a job like any other, of the same draft at another
//! connection. Only its record says what it was for. What belongs to the other account (places, role, key, network) is
//! left to the connection that rehearses, and comes back when the draft goes on.

use whetstone_contract::{AppError, ErrorCode, JobDraft, JobPlan, JobSummary, Rehearsal};

use super::plan::free_name;
use super::record::{JobRecord, Origin, RehearsalRecord};
use crate::Workbench;
use crate::connections::THIS_COMPUTER;

impl Workbench {
    /// Starts the current connection's draft at this computer.
    pub(crate) async fn rehearse(&self, draft: JobDraft) -> Result<JobSummary, AppError> {
        let meant = self.connections.shown();
        if meant.id == THIS_COMPUTER {
            let message =
                "Jobs are rehearsed on this computer for another connection, and this computer is the current one.";
            return Err(AppError::new(ErrorCode::Refused, message).hint("Start the job; it runs here."));
        }
        if draft.invocation_logs.is_some() {
            let message = format!("The logs lie at {}, so this job cannot be rehearsed here.", meant.name);
            return Err(AppError::new(ErrorCode::Refused, message).hint("Choose a dataset, or start the job there."));
        }
        let here = self.draft_here(&draft)?;
        let rehearsal = RehearsalRecord { connection: meant.id, connection_name: meant.name, draft };
        let origin = Origin { rehearsal: Some(rehearsal), rehearsed_by: None };
        self.submit_at(THIS_COMPUTER, here, origin).await
    }

    /// The draft that a rehearsal was for, checked where it is to go.
    pub(crate) async fn plan_carried(&self, id: &str) -> Result<JobPlan, AppError> {
        let rehearsal = rehearsal_of(&self.jobs.get(id)?)?;
        let link = self.connections.link_of(&rehearsal.connection).await?;
        self.plan_at(&link, &rehearsal.draft).await
    }

    /// Starts the draft that a rehearsal was for where it was meant for: once.
    pub(crate) async fn carry_over(&self, id: &str) -> Result<JobSummary, AppError> {
        // Two clicks are one start.
        let Some(_carrying) = self.jobs.carry(format!("rehearsal {id}")) else {
            return Err(AppError::new(ErrorCode::Refused, "This rehearsal is being carried over already."));
        };
        let rehearsal = rehearsal_of(&self.jobs.get(id)?)?;
        if let Some(job) = self.carried_of(id)? {
            return Ok(self.summary_of(&job));
        }
        let origin = Origin { rehearsal: None, rehearsed_by: Some(id.to_owned()) };
        let started = self.submit_at(&rehearsal.connection, rehearsal.draft, origin).await?;
        self.job_changed(id);
        Ok(started)
    }

    /// As the window shows it.
    pub(super) fn shown_rehearsal(&self, job: &JobRecord) -> Result<Option<Rehearsal>, AppError> {
        let Some(rehearsal) = &job.rehearsal else { return Ok(None) };
        let shown = self.connections.get(&rehearsal.connection).ok();
        Ok(Some(Rehearsal {
            known: shown.is_some(),
            connection_name: shown.as_ref().map_or(&rehearsal.connection_name, |shown| &shown.name).clone(),
            region: shown.map(|shown| shown.region).unwrap_or_default(),
            carried: self.carried_of(&job.id)?.map(|job| self.summary_of(&job)),
        }))
    }

    /// The job that came of a rehearsal. It is the one that names the rehearsal, since its record is written first.
    fn carried_of(&self, rehearsal: &str) -> Result<Option<JobRecord>, AppError> {
        Ok(self.jobs.all()?.into_iter().find(|job| job.rehearsed_by.as_deref() == Some(rehearsal)))
    }

    /// The same draft with what this computer has in the place of what belongs to the other account.
    fn draft_here(&self, draft: &JobDraft) -> Result<JobDraft, AppError> {
        let jobs = self.jobs.all()?;
        let taken = |name: &str| {
            jobs.iter()
                .filter(|job| job.connection == THIS_COMPUTER)
                .any(|job| job.draft.job_name == name || job.draft.model_name == name)
        };
        Ok(JobDraft {
            job_name: free_name(&draft.job_name, taken),
            model_name: free_name(&draft.model_name, taken),
            output_uri: None,
            role_arn: None,
            kms_key: None,
            vpc: None,
            ..draft.clone()
        })
    }
}

fn rehearsal_of(job: &JobRecord) -> Result<RehearsalRecord, AppError> {
    job.rehearsal.clone().ok_or_else(|| AppError::new(ErrorCode::NotFound, "This job is no rehearsal."))
}
