//! Everything that a handler may reach: the folder, the keys, the state, S3, the jobs at work and the loaded models.
//!
//! `App` is made once at the start and shared. It decides nothing itself.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use s3s::service::S3Service;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Door;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::home::{Home, Keys};
use crate::ids::Scope;
use crate::jobs::engine::RunningJobs;
use crate::memory::Memory;
use crate::runtime::models::Models;
use crate::s3::store::ObjectStore;
use crate::state::State;
use crate::{SandboxConfig, SandboxError, WorkerCommand};

pub(crate) struct App {
    home: Home,
    keys: Keys,
    region: String,
    worker: WorkerCommand,
    address: SocketAddr,
    clock: Clock,
    state: State,
    store: Arc<ObjectStore>,
    s3: OnceLock<S3Service>,
    jobs: RunningJobs,
    models: Models,
    threads: Option<usize>,
    tasks: TaskTracker,
    stopping: CancellationToken,
    started: i64,
    faults: Faults,
}

impl App {
    pub(crate) fn new(
        config: SandboxConfig,
        faults: Faults,
        home: Home,
        keys: Keys,
        address: SocketAddr,
        clock: Clock,
    ) -> Result<Self, SandboxError> {
        let folder = |source| SandboxError::Folder { path: config.data_dir.clone(), source };
        let store = Arc::new(ObjectStore::open(&home, &config.region).map_err(folder)?);
        let state = State::open(&home.path("state.sqlite")).map_err(|error| SandboxError::State(error.to_string()))?;
        Ok(Self {
            s3: OnceLock::new(),
            models: Models::new(Memory { limit: config.limits.memory }),
            threads: config.limits.threads,
            jobs: RunningJobs::new(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            started: clock.millis(),
            faults,
            region: config.region,
            worker: config.worker,
            home,
            keys,
            address,
            clock,
            state,
            store,
        })
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The Region of the configuration. A request speaks to the Region that it was signed for.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    pub(crate) fn scope<'a>(&'a self, region: &'a str) -> Scope<'a> {
        Scope { region, account: self.keys.account() }
    }

    pub(crate) fn worker(&self) -> &WorkerCommand {
        &self.worker
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// When the sandbox started, in milliseconds since the Unix epoch.
    pub(crate) fn started(&self) -> i64 {
        self.started
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn store(&self) -> &Arc<ObjectStore> {
        &self.store
    }

    /// The S3 half of the port. It asks `App` who may do what, so it is made when `App` is.
    pub(crate) fn s3(app: &Arc<Self>) -> &S3Service {
        app.s3.get_or_init(|| crate::s3::service(app))
    }

    /// What a request is held to now.
    pub(crate) fn door(&self) -> Door<'_> {
        Door { keys: &self.keys, region: &self.region, now: self.clock.now() }
    }

    pub(crate) fn jobs(&self) -> &RunningJobs {
        &self.jobs
    }

    pub(crate) fn models(&self) -> &Models {
        &self.models
    }

    /// Processor threads that one training takes.
    pub(crate) fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or(cores, |threads| threads.clamp(1, cores))
    }

    /// Background work, which `Sandbox::stop` waits for.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Cancelled when the sandbox stops. Jobs keep their state and go on at the next start.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }
}
