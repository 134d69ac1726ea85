//! When provisioned throughput is to end: the app ends it when it is due. While the app is closed it cannot, so there is a
//! reminder to put into a calendar, and what was due is ended at the next start.
//!
//! Owns `end-times.json` in the data folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::Notify;
use whetstone_cloud::CloudErrorCode;
use whetstone_contract::{AppError, AppEvent, EndTimeRequest, ErrorCode, ReminderRequest, RunningCosts};

use crate::Workbench;
use crate::errors::{from_cloud, from_io};
use crate::files::write_whole;

/// A computer that slept wakes with another clock, so a long wait is looked at again after this.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// What could not be ended is tried again after this.
const AGAIN: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndTime {
    pub name: String,
    /// Milliseconds since 1970.
    pub at: i64,
    /// Why it could not be ended.
    pub problem: Option<String>,
    /// Where it was set, and where alone it is ended. None of what an early version wrote down.
    #[serde(default)]
    pub connection: Option<String>,
}

pub struct EndTimes {
    path: PathBuf,
    all: Mutex<BTreeMap<String, EndTime>>,
    changed: Notify,
}

impl EndTimes {
    pub fn open(path: PathBuf) -> Result<Self, AppError> {
        let all = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                AppError::new(ErrorCode::Storage, "The end times of provisioned throughput cannot be read.")
                    .detail(format!("{}: {error}", path.display()))
                    .hint("Move the file away; nothing is ended by the app then.")
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(from_io("The end times of provisioned throughput", &error)),
        };
        Ok(Self { path, all: Mutex::new(all), changed: Notify::new() })
    }

    pub fn of(&self, arn: &str) -> Option<EndTime> {
        self.lock().get(arn).cloned()
    }

    fn due(&self, now: i64) -> Vec<(String, EndTime)> {
        self.lock().iter().filter(|(_, end)| end.at <= now).map(|(arn, end)| (arn.clone(), end.clone())).collect()
    }

    /// How long until something is due.
    fn wait(&self, now: i64) -> Duration {
        let next = self.lock().values().map(|end| end.at).min();
        let wait = next.map_or(LONGEST_WAIT, |at| Duration::from_millis((at - now).max(0).unsigned_abs()));
        wait.min(LONGEST_WAIT)
    }

    pub fn begin(&self, arn: &str, name: &str, at: i64, connection: &str) -> Result<(), AppError> {
        let end = EndTime { name: name.to_owned(), at, problem: None, connection: Some(connection.to_owned()) };
        self.set(arn, Some(end))
    }

    /// It was deleted, so there is nothing to end.
    pub fn forget(&self, arn: &str) -> Result<(), AppError> {
        if self.of(arn).is_some() { self.set(arn, None) } else { Ok(()) }
    }

    /// Written to the disk before it counts.
    fn set(&self, arn: &str, end: Option<EndTime>) -> Result<(), AppError> {
        let mut all = self.lock();
        let mut changed = all.clone();
        match end {
            Some(end) => changed.insert(arn.to_owned(), end),
            None => changed.remove(arn),
        };
        write(&self.path, &changed).map_err(|error| from_io("The end times of provisioned throughput", &error))?;
        *all = changed;
        self.changed.notify_one();
        Ok(())
    }

    /// It could not be ended; that wakes nobody, or it would be tried again at once.
    fn fail(&self, arn: &str, problem: String) -> Result<(), AppError> {
        let mut all = self.lock();
        if let Some(end) = all.get_mut(arn) {
            end.problem = Some(problem);
        }
        write(&self.path, &all).map_err(|error| from_io("The end times of provisioned throughput", &error))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, EndTime>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(path: &Path, all: &BTreeMap<String, EndTime>) -> std::io::Result<()> {
    write_whole(path, &serde_json::to_vec_pretty(all)?)
}

impl Workbench {
    pub(crate) async fn set_end(&self, request: EndTimeRequest) -> Result<RunningCosts, AppError> {
        let link = self.connections.link().await?;
        let running = self.running().await?;
        let item = running.items.iter().find(|item| item.arn == request.arn).ok_or_else(gone)?;
        let end = match request.ends_at {
            Some(at) if at <= self.host.now_ms() => {
                return Err(AppError::new(ErrorCode::InvalidInput, "This time is over.").hint("Choose a later one."));
            }
            Some(at) if item.committed_until.is_some_and(|until| at < until) => {
                return Err(AppError::new(ErrorCode::Refused, "It cannot be ended before its commitment is over.")
                    .hint("Choose a time after the commitment."));
            }
            at => at.map(|at| EndTime {
                name: item.name.clone(),
                at,
                problem: None,
                connection: Some(link.connection.clone()),
            }),
        };
        self.end_times.set(&request.arn, end)?;
        self.host.emit(AppEvent::RunningCostsChanged);
        self.running().await
    }

    /// Asks for a place and writes a calendar file with an alarm there.
    pub(crate) async fn write_reminder(&self, request: ReminderRequest) -> Result<bool, AppError> {
        let end = self.end_times.of(&request.arn).ok_or_else(gone)?;
        let Some(path) = self.host.pick_new_file(&format!("end-{}.ics", end.name)).await else { return Ok(false) };
        let text = calendar(&request.arn, &end, self.host.now_ms());
        std::fs::write(&path, text).map_err(|error| from_io("The reminder", &error))?;
        Ok(true)
    }

    /// Ends what is due, as long as the app runs.
    pub(crate) fn watch_end_times(&self) {
        let me = self.me.clone();
        tokio::spawn(async move {
            loop {
                let Some(workbench) = me.upgrade() else { return };
                let left = workbench.end_what_is_due().await;
                let wait = if left { AGAIN } else { workbench.end_times.wait(workbench.host.now_ms()) };
                let end_times = Arc::clone(&workbench.end_times);
                drop(workbench);
                // An end that was set just now may be earlier than what is waited for.
                tokio::time::timeout(wait, end_times.changed.notified()).await.ok();
            }
        });
    }

    /// Says whether something that is due is still there.
    async fn end_what_is_due(&self) -> bool {
        let due = self.end_times.due(self.host.now_ms());
        if due.is_empty() {
            return false;
        }
        let mut left = false;
        for (arn, end) in due {
            let ended = match self.end_one(&arn, &end).await {
                Ok(()) => self.end_times.set(&arn, None),
                Err(error) => {
                    // Told once, not every time it is tried.
                    if end.problem.as_deref() != Some(error.message.as_str()) {
                        let activity = self.activities.start(format!("End {}", end.name), "It is due", false);
                        activity.finish(Err(&error));
                    }
                    left = true;
                    self.end_times.fail(&arn, error.message)
                }
            };
            if let Err(error) = ended {
                tracing::error!(%error, arn, "an end time could not be written down");
            }
        }
        self.host.emit(AppEvent::ModelsChanged);
        self.host.emit(AppEvent::RunningCostsChanged);
        left
    }

    /// Where the end was set, and nowhere else: another account's "not found" says nothing about it.
    async fn end_one(&self, arn: &str, end: &EndTime) -> Result<(), AppError> {
        let mut parts = arn.split(':').skip(3);
        let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let connection = end.connection.clone().or_else(|| self.connections.leading_to(account, region));
        let Some(connection) = connection else {
            let words = format!("No connection leads to the account {account} in {region}.");
            return Err(AppError::new(ErrorCode::NotFound, words).hint("Add one, or delete it with the AWS CLI."));
        };
        let link = self.connections.link_of(&connection).await?;
        // A connection may have been given another Region or account since.
        if link.account.as_deref() != Some(account) || link.region != region {
            let words = format!("“{}” leads to another account or Region now.", link.name);
            return Err(AppError::new(ErrorCode::Refused, words).hint("Change it back, or delete it with the AWS CLI."));
        }
        match link.cloud.delete_provisioned(arn).await {
            Ok(()) => {
                self.activities.start(format!("Ended {}", end.name), "It was due", false).finish(Ok(()));
                Ok(())
            }
            Err(error) if error.code == CloudErrorCode::NotFound => Ok(()),
            Err(error) => Err(from_cloud(&error)),
        }
    }
}

fn gone() -> AppError {
    AppError::new(ErrorCode::NotFound, "This provisioned throughput is not there (any more).").hint("Look again.")
}

/// An event of iCalendar (RFC 5545) with an alarm ten minutes before.
fn calendar(arn: &str, end: &EndTime, now: i64) -> String {
    let stamp = |millis: i64| {
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000))
            .ok()
            .and_then(|at| at.format(format).ok())
            .unwrap_or_default()
    };
    let text = |text: &str| text.replace('\\', "\\\\").replace([';', ','], " ").replace(['\r', '\n'], " ");
    let (name, region) = (text(&end.name), arn.split(':').nth(3).unwrap_or_default());
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Whetstone//End times//EN".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@whetstone", text(arn).replace([' ', '/', ':'], "-")),
        format!("DTSTAMP:{}", stamp(now)),
        format!("DTSTART:{}", stamp(end.at)),
        format!("SUMMARY:End provisioned throughput {name}"),
        "DESCRIPTION:It is billed by the hour until it is deleted. Start Whetstone\\, or run:".to_owned(),
        format!("  aws bedrock delete-provisioned-model-throughput --region {region}"),
        format!("  --provisioned-model-id {}", text(arn)),
        "BEGIN:VALARM".to_owned(),
        "ACTION:DISPLAY".to_owned(),
        format!("DESCRIPTION:End provisioned throughput {name}"),
        "TRIGGER:-PT10M".to_owned(),
        "END:VALARM".to_owned(),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    lines.map(|line| folded(&line)).concat()
}

/// A content line of a calendar has at most 75 octets; the rest goes on behind a break and a space (RFC 5545, 3.1).
fn folded(line: &str) -> String {
    let mut text = String::with_capacity(line.len() + 8);
    let mut octets = 0;
    for letter in line.chars() {
        if octets + letter.len_utf8() > 75 {
            text.push_str("\r\n ");
            octets = 1;
        }
        text.push(letter);
        octets += letter.len_utf8();
    }
    text + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_time_is_there_after_the_app_was_closed() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("end-times.json");
        let end = EndTime { name: "night run".into(), at: 1000, problem: None, connection: Some("c".into()) };
        EndTimes::open(path.clone())?.set("arn:1", Some(end.clone()))?;
        let again = EndTimes::open(path)?;
        assert_eq!(again.of("arn:1"), Some(end));
        assert_eq!((again.due(999).len(), again.due(1000).len()), (0, 1));
        again.set("arn:1", None)?;
        assert_eq!(again.of("arn:1"), None);
        Ok(())
    }

    #[test]
    fn a_reminder_says_what_to_do_and_when() {
        let end = EndTime { name: "night; run".into(), at: 1_794_355_200_000, problem: None, connection: None };
        let text = calendar("arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abc", &end, 0);
        assert!(text.contains("DTSTART:20261111T000000Z\r\n") && text.contains("TRIGGER:-PT10M\r\n"), "{text}");
        let whole = text.replace("\r\n ", "");
        assert!(
            whole.contains("--region us-east-1") && whole.contains("SUMMARY:End provisioned throughput night  run")
        );
        assert!(text.lines().all(|line| line.len() <= 75), "folded as the format asks");
    }
}
