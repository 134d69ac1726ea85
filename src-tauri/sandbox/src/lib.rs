//! A loopback endpoint that speaks S3 and Amazon Bedrock, and truly trains.
//!
//! One HTTP port on 127.0.0.1, for any AWS SDK: buckets and objects as plain files, foundation models from the catalog,
//! customization jobs that train a small language model in a process of its own, deployments and inference. Nothing it
//! says is made up: every loss was computed and every token sampled. Where a base model cannot be had on this computer,
//! a bundled one stands in for it, and the answers say so.
//!
//! State lives in one folder (see `home` for what lies where) and survives `kill -9`. Every route wants a signature of
//! version 4 with the folder's own key or one that was handed out for a role; Bedrock takes the folder's API key too.
//!
//! | module | what it does |
//! | --- | --- |
//! | `home`, `state`, `clock`, `ids` | the folder and its keys, the database, time, names |
//! | `server`, `auth`, `router`, `errors` | the port, signatures, the table of operations, error answers |
//! | `patience` | bodies that stall |
//! | `identity` | who signs: the user, and whoever took a role on |
//! | `constraints`, `creation`, `paging` | what the service model asks of requests; creating once; lists |
//! | `access`, `limits`, `memory` | what roles may do; quotas; what fits into memory |
//! | `foundation_models`, `jobs`, `custom_models`, `deployments`, `runtime` | the groups of operations |
//! | `tags` | tags of every resource that can have them |
//! | `stand_in` | what is trained in the place of a model that is not local |
//! | `provisioned` | provisioned throughput |
//! | `imports`, `copies` | models brought in from S3, models copied to another Region |
//! | `s3` | buckets and objects |
//! | `faults` | answers that go wrong on request |
//! | `profile` | a profile of the AWS config file that points here |
//! | `rpc` | services that live at one path: `sts`, `iam`, `service_quotas`, `pricing` |
//!
//! Deliberately absent: any address but loopback, any account but one, and every operation that is not in the table.

mod access;
mod app;
mod auth;
mod authority;
mod clock;
mod constraints;
mod copies;
mod creation;
mod custom_models;
mod deployments;
mod errors;
mod faults;
mod foundation_models;
#[cfg(fuzzing)]
pub mod fuzzing;
mod home;
mod iam;
mod identity;
mod ids;
mod imports;
mod jobs;
mod limits;
mod memory;
mod paging;
mod patience;
mod pricing;
mod profile;
mod provisioned;
mod router;
mod rpc;
mod runtime;
mod s3;
mod server;
mod service_quotas;
mod stand_in;
mod state;
mod sts;
mod tags;

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use app::App;
pub use clock::Clock;
use faults::Faults;
pub use home::Keys;
use home::{Connection, Home, Settings};
pub use jobs::turns;
pub use profile::{ProfileChange, ProfileError};

/// Region of a sandbox that was never told another one.
const DEFAULT_REGION: &str = "us-east-1";

/// How long `stop` waits for answers that are being given.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// How to start a sandbox.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// The folder that holds everything. Made when it is not there.
    pub data_dir: PathBuf,
    /// The port on 127.0.0.1. 0 takes the port of the last start when that is free, else any that is, and keeps it.
    pub port: u16,
    /// Region of buckets and of the `environment` lines. Requests may be signed for any Region.
    pub region: String,
    /// What runs a training job.
    pub worker: WorkerCommand,
    /// How much of the computer it may take.
    pub limits: WorkerLimits,
    /// A file that says which answers are to go wrong; see `faults`.
    pub faults: Option<PathBuf>,
}

/// Bounds on what training and answering take. `Default` is all that there is.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerLimits {
    /// Processor threads of one training.
    pub threads: Option<usize>,
    /// Bytes of memory for one model. A checkpoint that needs more is refused; so is one that needs more than is free.
    pub memory: Option<u64>,
}

/// A program that trains what lies in a folder: it is run as `PROGRAM ARGS… FOLDER`.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    pub program: PathBuf,
    pub args: Vec<String>,
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the port {port} on 127.0.0.1 is taken by another program")]
    PortTaken { port: u16 },
    #[error("another sandbox is using the folder {}", path.display())]
    InUse { path: PathBuf },
    #[error("the sandbox cannot use {}: {source}", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the sandbox's records cannot be used: {0}")]
    State(String),
    #[error("the sandbox cannot listen on 127.0.0.1: {0}")]
    Listen(#[source] io::Error),
    #[error("'{0}' is not the name of a Region")]
    Region(String),
    #[error("the faults in {} cannot be used: {reason}", path.display())]
    Faults { path: PathBuf, reason: String },
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error("no port is given and the folder has none from an earlier start")]
    UnknownPort,
}

/// A running sandbox. Dropping it stops it without waiting; `stop` waits.
pub struct Sandbox {
    app: Arc<App>,
    role_arn: String,
    stop: CancellationToken,
    server: JoinHandle<()>,
    _lock: File,
}

impl Sandbox {
    /// Starts a sandbox, takes up the jobs that an earlier one left unfinished, and answers requests from then on.
    pub async fn start(config: SandboxConfig) -> Result<Sandbox, SandboxError> {
        Self::start_at(config, Clock::system()).await
    }

    /// The same with another clock, by which commitments end and signatures expire.
    pub async fn start_at(config: SandboxConfig, clock: Clock) -> Result<Sandbox, SandboxError> {
        let region = &config.region;
        if region.is_empty() || !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(SandboxError::Region(config.region));
        }
        let faults = config.faults.as_deref().map(Faults::open).transpose()?.unwrap_or_default();
        let home = Home::open(&config.data_dir)?;
        let lock = home.lock()?;
        let keys = home.keys()?;
        let listener = listen(&home, config.port).await?;
        let address = listener.local_addr().map_err(SandboxError::Listen)?;
        home.remember(&Settings { port: address.port(), region: config.region.clone() })?;

        let role_arn = keys.role_arn();
        let app = tokio::task::spawn_blocking(move || App::new(config, faults, home, keys, address, clock))
            .await
            .map_err(|failure| SandboxError::State(failure.to_string()))??;
        let app = Arc::new(app);
        jobs::engine::resume(&app).map_err(|error| SandboxError::State(error.to_string()))?;
        copies::resume(&app).map_err(|error| SandboxError::State(error.to_string()))?;
        imports::engine::resume(&app).map_err(|error| SandboxError::State(error.to_string()))?;
        deployments::resume(&app).map_err(|error| SandboxError::State(error.to_string()))?;
        let stop = app.stopping().clone();
        let server = tokio::spawn(server::serve(app.clone(), listener, stop.clone()));
        Ok(Sandbox { app, role_arn, stop, server, _lock: lock })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.app.address())
    }

    pub fn keys(&self) -> &Keys {
        self.app.keys()
    }

    pub fn region(&self) -> &str {
        self.app.region()
    }

    /// The service role that a customization job may be given.
    pub fn role_arn(&self) -> &str {
        &self.role_arn
    }

    /// The account's twelve digits.
    pub fn account(&self) -> &str {
        self.app.keys().account()
    }

    /// Where the files of a custom model lie; they are read, and not changed. None where there is no such model.
    pub fn model_folder(&self, arn: &str) -> Option<PathBuf> {
        let region = arn.split(':').nth(3)?;
        let model = self.app.state().find::<custom_models::CustomModel>(region, arn).ok()??;
        Some(self.app.home().model(&model.id))
    }

    /// Stops answering and ends the training processes. Unfinished jobs stay as they are and go on at the next start.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(LAST_ANSWERS, &mut self.server).await.is_err() {
            self.server.abort();
        }
        self.app.tasks().close();
        self.app.tasks().wait().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The shell lines that point any AWS SDK at the sandbox of this folder, running or not. `port` 0 means that of the
/// last start. The keys are made when the folder has none.
pub fn environment(data_dir: &Path, port: u16) -> Result<String, SandboxError> {
    let home = Home::open(data_dir)?;
    let Connection { endpoint, access_key_id, secret_access_key, region } = connection(&home, port)?;
    let lines = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", access_key_id),
        ("AWS_SECRET_ACCESS_KEY", secret_access_key),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region),
        ("WHETSTONE_ROLE_ARN", home.keys()?.role_arn()),
    ];
    // No value has a character that a shell would read as its own.
    Ok(lines.map(|(name, value)| format!("export {name}={value}\n")).concat())
}

/// The folder's Bedrock API key, which Bedrock and its runtime take as a bearer token in place of a signature. The keys
/// are made when the folder has none.
pub fn api_key(data_dir: &Path) -> Result<String, SandboxError> {
    Ok(identity::api_key(&Home::open(data_dir)?.keys()?))
}

/// A profile of this name for the sandbox of this folder, to be written into an AWS config file. Port and keys are found
/// as for `environment`.
pub fn profile(data_dir: &Path, port: u16, config_file: &Path, name: &str) -> Result<ProfileChange, SandboxError> {
    Ok(ProfileChange::prepare(config_file, name, &connection(&Home::open(data_dir)?, port)?)?)
}

fn connection(home: &Home, port: u16) -> Result<Connection, SandboxError> {
    let keys = home.keys()?;
    let settings = home.settings();
    let port = match (port, &settings) {
        (0, Some(settings)) => settings.port,
        (0, None) => return Err(SandboxError::UnknownPort),
        (port, _) => port,
    };
    Ok(Connection {
        endpoint: format!("http://127.0.0.1:{port}"),
        access_key_id: keys.access_key_id().to_owned(),
        secret_access_key: keys.secret_access_key().to_owned(),
        region: settings.map_or_else(|| DEFAULT_REGION.to_owned(), |settings| settings.region),
    })
}

async fn listen(home: &Home, port: u16) -> Result<TcpListener, SandboxError> {
    let bind = async |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await;
    let remembered = if port == 0 { home.settings().map_or(0, |settings| settings.port) } else { port };
    match bind(remembered).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && port != 0 => Err(SandboxError::PortTaken { port }),
        Err(error) if port != 0 => Err(SandboxError::Listen(error)),
        Err(_) => bind(0).await.map_err(SandboxError::Listen),
    }
}
