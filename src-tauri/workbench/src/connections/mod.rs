//! Where calls go: "This computer", which is the sandbox started inside this program, and any number of AWS accounts.
//!
//! Owns the list of connections, the running sandbox, and the clients that talk to each. The rest of the workbench asks
//! for a `Link` and never for what is behind it. New work goes to the current connection; what was begun with another
//! goes on there.
//!
//! | file | what it does |
//! | --- | --- |
//! | `opening.rs` | tries a connection: starts the sandbox, or reads credentials and asks whose they are |
//! | `editing.rs` | adds, changes, chooses, removes |
//! | `listing.rs` | the profiles of the AWS configuration files |
//! | `place.rs` | bucket and role: what there is, what is created |
//! | `record.rs` | what is written down: names and choices |
//! | `sign_in.rs` | single sign-on through the browser |
//! | `secrets.rs` | typed-in keys, in the keyring or for this run |

mod editing;
mod listing;
mod opening;
mod place;
mod record;
mod secrets;
mod sign_in;

pub use listing::{list_profiles, profiles};
pub use opening::{account_changed, from_refusal};
pub use sign_in::sign_in_profile;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use whetstone_cloud::Cloud;
use whetstone_contract::{
    AppError, AppEvent, Connection, ConnectionKind, ConnectionState, ErrorCode, RegionChoice, SecretKeeping,
};
use whetstone_sandbox::{Sandbox, WorkerCommand};

use crate::errors::from_store;
use crate::host::Host;
use crate::store::Store;

use record::ConnectionRecord;
use secrets::{Codes, Secrets};
use sign_in::SignIns;

/// The id of the connection that is always there.
pub const THIS_COMPUTER: &str = "this-computer";
/// The Region that the sandbox plays.
const SANDBOX_REGION: &str = "us-east-1";
/// The bucket of the sandbox that the app keeps its uploads and the jobs' output in.
const SANDBOX_BUCKET: &str = "whetstone";

/// A connection that answers.
#[derive(Clone)]
pub struct Link {
    /// The connection's own id, and its name.
    pub connection: String,
    pub name: String,
    pub cloud: Cloud,
    /// None where nobody can say: a Bedrock API key does not tell whose it is.
    pub account: Option<String>,
    pub region: String,
    /// None until the person chose one.
    pub bucket: Option<String>,
    /// In front of every key: empty, or ending with a slash.
    pub prefix: String,
    pub role_arn: Option<String>,
    /// Training and serving happen on this machine: nothing is billed, and Bedrock base models have a stand-in.
    pub on_this_computer: bool,
}

impl Link {
    /// What answers are kept under: the account, or words for that of this connection where nobody can say which it is.
    pub fn whose(&self) -> String {
        self.account.clone().unwrap_or_else(|| format!("unknown ({})", self.connection))
    }
}

/// None while it is being tried; then the link, or why there is none.
type Settled = Option<Result<Link, AppError>>;

struct Entry {
    shown: Connection,
    /// None for this computer, of which nothing needs to be written down.
    record: Option<ConnectionRecord>,
    link: Arc<watch::Sender<Settled>>,
    /// One attempt at a time.
    opening: Arc<tokio::sync::Mutex<()>>,
}

pub struct Connections {
    host: Arc<dyn Host>,
    store: Arc<Store>,
    sandbox_dir: PathBuf,
    worker: WorkerCommand,
    secrets: Secrets,
    codes: Codes,
    pub(crate) sign_ins: SignIns,
    all: Mutex<Vec<Entry>>,
    sandbox: tokio::sync::Mutex<Option<Sandbox>>,
}

impl Connections {
    /// Reads the list; nothing is tried yet.
    pub fn open(
        host: Arc<dyn Host>,
        store: Arc<Store>,
        sandbox_dir: PathBuf,
        worker: WorkerCommand,
    ) -> Result<Self, AppError> {
        let (records, current) = store.connections::<ConnectionRecord>().map_err(|error| from_store(&error))?;
        let mut all = vec![Entry::of(this_computer(&sandbox_dir), None)];
        all.extend(records.into_iter().map(|record| Entry::of(shown(&record), Some(record))));
        let at = all.iter().position(|entry| Some(&entry.shown.id) == current.as_ref()).unwrap_or(0);
        all[at].shown.current = true;
        Ok(Self {
            host,
            store,
            sandbox_dir,
            worker,
            secrets: Secrets::default(),
            codes: Codes::default(),
            sign_ins: SignIns::default(),
            all: Mutex::new(all),
            sandbox: tokio::sync::Mutex::default(),
        })
    }

    /// The current one.
    pub fn shown(&self) -> Connection {
        let all = self.lock();
        let current = all.iter().find(|entry| entry.shown.current).or_else(|| all.first());
        current.map_or_else(|| this_computer(&self.sandbox_dir), |entry| entry.shown.clone())
    }

    /// This computer first.
    pub fn list(&self) -> Vec<Connection> {
        self.lock().iter().map(|entry| entry.shown.clone()).collect()
    }

    pub fn get(&self, id: &str) -> Result<Connection, AppError> {
        self.read(id, |entry| entry.shown.clone())
    }

    /// The current connection, once it answers; the reason when it does not.
    pub async fn link(&self) -> Result<Link, AppError> {
        let id = self.shown().id;
        self.link_of(&id).await
    }

    /// A connection, once it answers; one that was not tried yet is tried now.
    pub async fn link_of(&self, id: &str) -> Result<Link, AppError> {
        if self.read(id, |entry| entry.shown.state == ConnectionState::Idle)? {
            self.start_once(id).await?;
        }
        let mut link = self.read(id, |entry| entry.link.subscribe())?;
        let settled = link.wait_for(Option::is_some).await.map(|settled| settled.clone());
        match settled {
            Ok(Some(result)) => result,
            _ => Err(AppError::new(ErrorCode::Unreachable, "The app is closing.")),
        }
    }

    /// The files of a custom model that this computer trained.
    pub async fn model_files(&self, arn: &str) -> Result<PathBuf, AppError> {
        let sandbox = self.sandbox.lock().await;
        sandbox.as_ref().and_then(|sandbox| sandbox.model_folder(arn)).ok_or_else(|| {
            AppError::new(ErrorCode::NotFound, "The files of this model are not on this computer.").hint("Look again.")
        })
    }

    /// The connection that leads to an account in a Region, the current one before others.
    pub fn leading_to(&self, account: &str, region: &str) -> Option<String> {
        let all = self.lock();
        let leads = |entry: &&Entry| {
            entry.shown.region == region && entry.shown.identity.as_ref().is_some_and(|who| who.account == account)
        };
        let current = all.iter().filter(leads).find(|entry| entry.shown.current);
        current.or_else(|| all.iter().find(leads)).map(|entry| entry.shown.id.clone())
    }

    /// A current session was refused as over: the connection says so until it is tried again.
    pub fn session_over(&self, link: &Link, error: AppError) {
        let told = self.read(&link.connection, |entry| entry.link.clone()).and_then(|settled| {
            settled.send_replace(Some(Err(error.clone())));
            self.show(&link.connection, |shown| {
                shown.state = ConnectionState::Failed;
                shown.error = Some(error);
            })
        });
        if let Err(error) = told {
            tracing::info!(%error, "a session ended on a connection that was removed");
        }
    }

    /// The link of a connection that does not answer now, once it does; none when that takes longer.
    pub async fn wait_for_link(&self, id: &str, at_most: Duration) -> Result<Option<Link>, AppError> {
        let mut link = self.read(id, |entry| entry.link.subscribe())?;
        let answered = tokio::time::timeout(at_most, link.wait_for(|settled| matches!(settled, Some(Ok(_))))).await;
        Ok(match answered {
            Ok(Ok(settled)) => settled.as_ref().and_then(|result| result.as_ref().ok().cloned()),
            _ => None,
        })
    }

    fn read<T>(&self, id: &str, look: impl FnOnce(&Entry) -> T) -> Result<T, AppError> {
        let all = self.lock();
        all.iter().find(|entry| entry.shown.id == id).map(look).ok_or_else(gone)
    }

    /// Changes how a connection is shown, and tells the window.
    fn show(&self, id: &str, change: impl FnOnce(&mut Connection)) -> Result<Connection, AppError> {
        let mut all = self.lock();
        let entry = all.iter_mut().find(|entry| entry.shown.id == id).ok_or_else(gone)?;
        let before = entry.shown.clone();
        change(&mut entry.shown);
        let connection = entry.shown.clone();
        drop(all);
        if connection != before {
            self.host.emit(AppEvent::ConnectionChanged { connection: connection.clone() });
        }
        Ok(connection)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn of(shown: Connection, record: Option<ConnectionRecord>) -> Self {
        Self { shown, record, link: Arc::new(watch::Sender::new(None)), opening: Arc::default() }
    }
}

fn gone() -> AppError {
    AppError::new(ErrorCode::NotFound, "This connection was removed.").hint("Choose another connection.")
}

fn this_computer(sandbox_dir: &std::path::Path) -> Connection {
    Connection {
        id: THIS_COMPUTER.into(),
        name: "This computer".into(),
        kind: ConnectionKind::ThisComputer,
        current: false,
        region: SANDBOX_REGION.into(),
        endpoint: None,
        data_folder: Some(sandbox_dir.display().to_string()),
        profile: None,
        keeping: None,
        signs_in: false,
        state: ConnectionState::Idle,
        error: None,
        identity: None,
        expires_at: None,
        bucket: Some(SANDBOX_BUCKET.into()),
        prefix: String::new(),
        role_arn: None,
    }
}

/// A connection as its record tells of it, before it was tried.
fn shown(record: &ConnectionRecord) -> Connection {
    Connection {
        id: record.id.clone(),
        name: record.name.clone(),
        kind: record.source.kind(),
        current: false,
        region: record.region.clone(),
        endpoint: record.endpoint.clone(),
        data_folder: None,
        profile: record.source.profile().map(str::to_owned),
        signs_in: false,
        keeping: record.source.entry().map(|_| SecretKeeping::Keyring),
        state: ConnectionState::Idle,
        error: None,
        identity: None,
        expires_at: None,
        bucket: record.bucket.clone(),
        prefix: record.prefix.clone(),
        role_arn: record.role_arn.clone(),
    }
}

/// Regions where some base model can be tuned, the most first.
pub fn regions() -> Vec<RegionChoice> {
    let models = whetstone_catalog::catalog().models();
    let mut choices: Vec<RegionChoice> = Vec::new();
    for (model, region) in
        models.iter().flat_map(|model| model.tuning_regions.iter().map(move |region| (model, region)))
    {
        if model.lifecycle.status == whetstone_catalog::LifecycleStatus::EndOfLife {
            continue;
        }
        match choices.iter_mut().find(|choice| choice.region == *region) {
            Some(choice) => choice.tunable.push(model.name.clone()),
            None => choices.push(RegionChoice { region: region.clone(), tunable: vec![model.name.clone()] }),
        }
    }
    choices.sort_by(|a, b| b.tunable.len().cmp(&a.tunable.len()).then_with(|| a.region.cmp(&b.region)));
    choices
}
