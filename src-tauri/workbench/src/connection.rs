//! Where calls go. Today there is one connection, "This computer": the sandbox, started inside this program.
//!
//! Owns the running sandbox and the client that talks to it over HTTP like any other endpoint. The rest of the
//! workbench asks for a `Link` and never for what is behind it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use whetstone_cloud::{Cloud, Credentials, Endpoint};
use whetstone_contract::{AppError, AppEvent, Connection, ConnectionState, ErrorCode};
use whetstone_sandbox::{Sandbox, SandboxConfig, WorkerCommand, WorkerLimits};

use crate::errors::from_cloud;
use crate::host::Host;

const REGION: &str = "us-east-1";
/// The bucket that the app keeps its uploads and the jobs' output in.
const BUCKET: &str = "whetstone";

/// A connection that answers.
#[derive(Clone)]
pub struct Link {
    pub cloud: Cloud,
    pub bucket: String,
    pub role_arn: String,
    pub region: String,
    /// Training and serving happen on this machine: nothing is billed, and Bedrock base models have a stand-in.
    pub on_this_computer: bool,
}

pub struct Connections {
    host: Arc<dyn Host>,
    data_dir: PathBuf,
    worker: WorkerCommand,
    shown: Mutex<Connection>,
    link: watch::Sender<Option<Result<Link, AppError>>>,
    sandbox: tokio::sync::Mutex<Option<Sandbox>>,
}

impl Connections {
    pub fn new(host: Arc<dyn Host>, data_dir: PathBuf, worker: WorkerCommand) -> Self {
        let shown = Connection {
            name: "This computer".into(),
            region: REGION.into(),
            endpoint: None,
            data_folder: data_dir.display().to_string(),
            state: ConnectionState::Starting,
            error: None,
        };
        Self {
            host,
            data_dir,
            worker,
            shown: Mutex::new(shown),
            link: watch::Sender::new(None),
            sandbox: tokio::sync::Mutex::new(None),
        }
    }

    pub fn shown(&self) -> Connection {
        self.lock().clone()
    }

    /// Starts the sandbox, or starts it again after it failed. Says whether a connection is there that was not before.
    pub async fn start(&self) -> bool {
        let mut running = self.sandbox.lock().await;
        if running.is_some() {
            return false;
        }
        self.link.send_replace(None);
        self.show(ConnectionState::Starting, None, None);
        match self.start_sandbox().await {
            Ok((sandbox, link)) => {
                let endpoint = sandbox.endpoint();
                *running = Some(sandbox);
                self.link.send_replace(Some(Ok(link)));
                self.show(ConnectionState::Ready, Some(endpoint), None);
                true
            }
            Err(error) => {
                self.link.send_replace(Some(Err(error.clone())));
                self.show(ConnectionState::Failed, None, Some(error));
                false
            }
        }
    }

    /// The connection, once it answers; the reason when it does not.
    pub async fn link(&self) -> Result<Link, AppError> {
        let mut link = self.link.subscribe();
        let settled = link.wait_for(Option::is_some).await.map(|settled| settled.clone());
        match settled {
            Ok(Some(result)) => result,
            _ => Err(AppError::new(ErrorCode::Unreachable, "The app is closing.")),
        }
    }

    async fn start_sandbox(&self) -> Result<(Sandbox, Link), AppError> {
        let config = SandboxConfig {
            data_dir: self.data_dir.clone(),
            port: 0,
            region: REGION.into(),
            worker: self.worker.clone(),
            limits: WorkerLimits::default(),
            faults: None,
        };
        let sandbox = Sandbox::start(config).await.map_err(|error| {
            AppError::new(ErrorCode::Unreachable, "The endpoint on this computer could not be started.")
                .detail(error.to_string())
                .hint("Close other programs that use the same data folder, then try again.")
        })?;
        let keys = sandbox.keys();
        let endpoint = Endpoint {
            region: sandbox.region().to_owned(),
            endpoint_url: Some(sandbox.endpoint()),
            credentials: Credentials::Static {
                id: keys.access_key_id().to_owned(),
                secret: keys.secret_access_key().to_owned(),
                session: None,
            },
        };
        let cloud = Cloud::connect(endpoint).map_err(|error| from_cloud(&error))?;
        let link = Link {
            cloud,
            bucket: BUCKET.into(),
            role_arn: sandbox.role_arn().to_owned(),
            region: sandbox.region().to_owned(),
            on_this_computer: true,
        };
        Ok((sandbox, link))
    }

    fn show(&self, state: ConnectionState, endpoint: Option<String>, error: Option<AppError>) {
        let mut shown = self.lock();
        shown.state = state;
        shown.endpoint = endpoint;
        shown.error = error;
        let connection = shown.clone();
        drop(shown);
        self.host.emit(AppEvent::ConnectionChanged { connection });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
