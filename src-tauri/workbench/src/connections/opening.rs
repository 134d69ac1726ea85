//! Tries a connection: starts the sandbox, or reads credentials and asks AWS whose they are.

use std::time::{SystemTime, UNIX_EPOCH};

use whetstone_cloud::profiles::{ConfigFiles, Endpoints, Plan, Refusal, Service, Surroundings};
use whetstone_cloud::{Cloud, Credentials, Endpoint};
use whetstone_contract::{AppError, Connection, ConnectionState, ErrorCode, Identity, SecretKeeping};
use whetstone_sandbox::{Sandbox, SandboxConfig, WorkerLimits};

use super::record::{ConnectionRecord, Source};
use super::{Connections, Entry, Link, SANDBOX_BUCKET, SANDBOX_REGION, THIS_COMPUTER};
use crate::Workbench;
use crate::errors::{from_cloud, from_join, from_store, wants_sign_in};

/// A connection that was tried and answered.
struct Opened {
    link: Link,
    identity: Option<Identity>,
    endpoint: Option<String>,
    keeping: Option<SecretKeeping>,
}

impl Connections {
    /// Tries a connection, or tries it anew. Says whether it answers now and did not before.
    pub async fn start(&self, id: &str) -> Result<bool, AppError> {
        let opening = self.read(id, |entry| entry.opening.clone())?;
        let _turn = opening.lock().await;
        self.start_now(id).await
    }

    /// Tries a connection unless it was tried before.
    pub(super) async fn start_once(&self, id: &str) -> Result<(), AppError> {
        let opening = self.read(id, |entry| entry.opening.clone())?;
        let _turn = opening.lock().await;
        if self.read(id, |entry| entry.shown.state == ConnectionState::Idle)? {
            self.start_now(id).await?;
        }
        Ok(())
    }

    async fn start_now(&self, id: &str) -> Result<bool, AppError> {
        let link = self.read(id, |entry| entry.link.clone())?;
        let answered = matches!(&*link.borrow(), Some(Ok(_)));
        if id == THIS_COMPUTER && answered {
            return Ok(false);
        }
        if !answered {
            link.send_replace(None);
        }
        self.show(id, |shown| {
            shown.state = ConnectionState::Starting;
            shown.error = None;
        })?;
        let record = self.read(id, |entry| entry.record.clone())?;
        let opened = match &record {
            None => self.open_sandbox().await,
            Some(record) => self.open_aws(record).await,
        };
        match opened {
            Ok(opened) => {
                link.send_replace(Some(Ok(opened.link.clone())));
                self.show(id, |shown| show_opened(shown, opened))?;
                Ok(!answered)
            }
            Err(error) => {
                link.send_replace(Some(Err(error.clone())));
                self.show(id, |shown| show_failed(shown, error))?;
                Ok(false)
            }
        }
    }

    async fn open_sandbox(&self) -> Result<Opened, AppError> {
        let mut running = self.sandbox.lock().await;
        let sandbox = self.start_sandbox().await?;
        let keys = sandbox.keys();
        let endpoint = Endpoint {
            region: sandbox.region().to_owned(),
            endpoints: Endpoints::all(&sandbox.endpoint()),
            credentials: Credentials::Static {
                id: keys.access_key_id().to_owned(),
                secret: keys.secret_access_key().to_owned(),
                session: None,
            },
        };
        let cloud = Cloud::connect(endpoint).map_err(|error| from_cloud(&error))?;
        let identity = cloud.identity().await.map_err(|error| from_cloud(&error))?;
        // The app's own bucket, which nobody has to choose.
        cloud.ensure_bucket(SANDBOX_BUCKET).await.map_err(|error| from_cloud(&error))?;
        let link = Link {
            connection: THIS_COMPUTER.into(),
            name: "This computer".into(),
            cloud,
            account: Some(identity.account.clone()),
            region: sandbox.region().to_owned(),
            bucket: Some(SANDBOX_BUCKET.into()),
            prefix: String::new(),
            role_arn: Some(sandbox.role_arn().to_owned()),
            on_this_computer: true,
        };
        let endpoint = Some(sandbox.endpoint());
        *running = Some(sandbox);
        Ok(Opened { link, identity: Some(shown_identity(identity)), endpoint, keeping: None })
    }

    async fn start_sandbox(&self) -> Result<Sandbox, AppError> {
        let config = SandboxConfig {
            data_dir: self.sandbox_dir.clone(),
            port: 0,
            region: SANDBOX_REGION.into(),
            worker: self.worker.clone(),
            limits: WorkerLimits::default(),
            faults: None,
        };
        Sandbox::start(config).await.map_err(|error| {
            AppError::new(ErrorCode::Unreachable, "The endpoint on this computer could not be started.")
                .detail(error.to_string())
                .hint("Close other programs that use the same data folder, then try again.")
        })
    }

    async fn open_aws(&self, record: &ConnectionRecord) -> Result<Opened, AppError> {
        let (cloud, shown_endpoint, keeping) = self.prepare(record).await?;
        let identity = match record.source {
            // STS takes no API key; that Bedrock takes it is all that can be known.
            Source::ApiKey(_) => {
                cloud.foundation_models().await.map_err(|error| from_cloud(&error))?;
                None
            }
            Source::Profile(_) | Source::Keys(_) | Source::Environment => {
                let identity = cloud.identity().await.map_err(|error| from_cloud(&error))?;
                self.same_account(record, &identity.account)?;
                Some(identity)
            }
        };
        let link = Link {
            connection: record.id.clone(),
            name: record.name.clone(),
            cloud,
            account: identity.as_ref().map(|who| who.account.clone()),
            region: record.region.clone(),
            bucket: record.bucket.clone(),
            prefix: record.prefix.clone(),
            role_arn: record.role_arn.clone(),
            on_this_computer: false,
        };
        Ok(Opened { link, identity: identity.map(shown_identity), endpoint: shown_endpoint, keeping })
    }

    /// A client for a connection, whether or not it answers.
    pub async fn cloud_of(&self, id: &str) -> Result<Cloud, AppError> {
        let settled = self.read(id, |entry| entry.link.borrow().clone())?;
        if let Some(Ok(link)) = settled {
            return Ok(link.cloud);
        }
        match self.read(id, |entry| entry.record.clone())? {
            Some(record) => self.prepare(&record).await.map(|(cloud, ..)| cloud),
            None => self.link_of(id).await.map(|link| link.cloud),
        }
    }

    /// Reads credentials and endpoints; nothing is called yet.
    async fn prepare(
        &self,
        record: &ConnectionRecord,
    ) -> Result<(Cloud, Option<String>, Option<SecretKeeping>), AppError> {
        let (credentials, keeping) = self.credentials(record).await?;
        let endpoints = match (&record.endpoint, &credentials) {
            (Some(url), _) => Endpoints::all(url),
            (None, Credentials::Profile { plan, .. }) => plan.endpoints.clone(),
            (None, _) => Endpoints::of_environment(&Surroundings::of_this_process()),
        };
        let shown_endpoint = endpoints.get(Service::Bedrock).map(str::to_owned);
        let endpoint = Endpoint { region: record.region.clone(), endpoints, credentials };
        let cloud = Cloud::connect(endpoint).map_err(|error| from_cloud(&error))?;
        Ok((cloud, shown_endpoint, keeping))
    }

    async fn credentials(&self, record: &ConnectionRecord) -> Result<(Credentials, Option<SecretKeeping>), AppError> {
        Ok(match &record.source {
            Source::Profile(name) => {
                let plan = read_plan(name.clone()).await?;
                self.show(&record.id, |shown| shown.signs_in = plan.sso().is_some())?;
                (Credentials::Profile { plan: Box::new(plan), code: self.codes.take(&record.id) }, None)
            }
            Source::Environment => (Credentials::Environment, None),
            Source::Keys(entry) | Source::ApiKey(entry) => match self.secrets.find(entry.clone()).await? {
                Some((keys, keeping)) => (keys.into(), Some(keeping)),
                None => {
                    return Err(AppError::new(ErrorCode::KeysNeeded, "The keys of this connection are not here any more.")
                        .hint("Type them in again. Where there is no keyring service, keys are kept for one run of the app only."));
                }
            },
        })
    }

    /// Remembers whose the connection is. Another account than last time is a question for the person.
    fn same_account(&self, record: &ConnectionRecord, account: &str) -> Result<(), AppError> {
        match &record.account {
            Some(before) if before != account => Err(account_changed(&record.name, before, account)),
            Some(_) => Ok(()),
            None => self.write(&record.id, |record| record.account = Some(account.to_owned())).map(|_| ()),
        }
    }

    /// Changes what is written down of a connection.
    pub(super) fn write(
        &self,
        id: &str,
        change: impl FnOnce(&mut ConnectionRecord),
    ) -> Result<ConnectionRecord, AppError> {
        let mut all = self.lock();
        let entry: &mut Entry = all.iter_mut().find(|entry| entry.shown.id == id).ok_or_else(super::gone)?;
        let Some(record) = &mut entry.record else {
            return Err(AppError::new(ErrorCode::Refused, "This computer stays as it is."));
        };
        change(record);
        self.store.save_connection(&record.id, record.created_at, record).map_err(|error| from_store(&error))?;
        Ok(record.clone())
    }
}

/// What a profile means now; the files are small, and may have changed since they were read last.
async fn read_plan(name: String) -> Result<Plan, AppError> {
    let read = tokio::task::spawn_blocking(move || ConfigFiles::read(Surroundings::of_this_process()).plan(&name));
    read.await.map_err(|error| from_join(&error))?.map_err(|refusal| from_refusal(&refusal))
}

/// A profile that gives no credentials, with the place to mend.
pub fn from_refusal(refusal: &Refusal) -> AppError {
    let error = AppError::new(ErrorCode::InvalidInput, format!("This profile gives no credentials: {refusal}."));
    match (&refusal.file, refusal.line) {
        (Some(file), Some(line)) => error.hint(format!("Mend line {line} of {} and try again.", file.display())),
        (Some(file), None) => error.hint(format!("Look into {} and try again.", file.display())),
        (None, _) => error.hint("Choose another profile."),
    }
}

/// The question that a changed account is.
pub fn account_changed(name: &str, before: &str, now: &str) -> AppError {
    AppError::new(
        ErrorCode::AccountChanged,
        format!("{name} led to account {before} until now, and leads to account {now} today."),
    )
    .hint("If that is what you want, use the new account from now on. Jobs of the old account stay listed.")
}

fn show_opened(shown: &mut Connection, opened: Opened) {
    shown.state = ConnectionState::Ready;
    shown.error = None;
    shown.expires_at = opened.link.cloud.credentials_end().map(milliseconds);
    shown.role_arn = opened.link.role_arn;
    shown.identity = opened.identity;
    shown.endpoint = opened.endpoint;
    shown.keeping = opened.keeping.or(shown.keeping);
}

fn show_failed(shown: &mut Connection, error: AppError) {
    if error.code == ErrorCode::KeysNeeded {
        shown.keeping = Some(SecretKeeping::Gone);
    }
    shown.state = ConnectionState::Failed;
    shown.error = Some(error);
}

fn shown_identity(identity: whetstone_cloud::Identity) -> Identity {
    Identity { account: identity.account, arn: identity.arn }
}

fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Workbench {
    /// The current connection, seen to be good for work that takes its time: it answers now, it leads to the account
    /// that it led to before, and its credentials last for a while.
    pub(crate) async fn link_for_long_work(&self, connection: &str) -> Result<Link, AppError> {
        let link = self.connections.link_of(connection).await?;
        let Some(account) = &link.account else { return Ok(link) };
        let identity = match link.cloud.identity().await {
            Ok(identity) => identity,
            Err(error) => {
                let told = from_cloud(&error);
                if wants_sign_in(&error) {
                    self.connections.session_over(&link, told.clone());
                }
                return Err(told);
            }
        };
        if identity.account != *account {
            let error = account_changed(&link.name, account, &identity.account);
            self.connections.session_over(&link, error.clone());
            return Err(error);
        }
        Ok(link)
    }

    /// Forgets a connection that has nothing under way.
    pub(crate) async fn forget_connection(&self, id: &str) -> Result<(), AppError> {
        if self.connections_at_work()?.contains(id) {
            let error = AppError::new(ErrorCode::Refused, "A job of this connection is under way.");
            return Err(error.hint("Wait until it has ended, or stop it first."));
        }
        self.connections.remove(id).await
    }
}
