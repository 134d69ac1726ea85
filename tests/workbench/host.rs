//! A host made of a temporary folder and a list of what was told.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use whetstone_contract::{
    Api, AppEvent, Connection, DatasetSummary, ImportRequest, JobDetail, JobDraft, JobId, JobStatus, JobSummary,
    Nothing, PreviewRequest,
};
use whetstone_sandbox::WorkerCommand;
use whetstone_workbench::{Host, Workbench, WorkbenchConfig};

pub type Outcome = Result<(), Box<dyn std::error::Error>>;

#[derive(Default)]
pub struct TestHost {
    told: Mutex<Vec<AppEvent>>,
    /// Pages that were opened in the browser.
    pub opened: Mutex<Vec<String>>,
    /// What the dialog for a file to write answers next.
    pub new_file: Mutex<Option<PathBuf>>,
    /// The titles of the desktop's notifications.
    pub notified: Mutex<Vec<String>>,
    /// What the dialog for a folder answers next.
    pub folder: Mutex<Option<PathBuf>>,
    /// What the dialog for a recipe answers next.
    pub recipe: Mutex<Option<PathBuf>>,
    /// What the dialog for attachments answers next.
    pub attachments: Mutex<Vec<PathBuf>>,
}

impl TestHost {
    /// How many times something of a kind was told.
    pub fn told_of(&self, kind: impl Fn(&AppEvent) -> bool) -> usize {
        let told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        told.iter().filter(|event| kind(event)).count()
    }

    /// The answer's pieces, put together, of the requests whose name holds this text.
    pub fn streamed(&self, request_with: &str) -> String {
        let told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let pieces = told.iter().filter_map(|event| match event {
            AppEvent::ReplyText { request, text } if request.contains(request_with) => Some(text.as_str()),
            _ => None,
        });
        pieces.collect()
    }
}

#[async_trait]
impl Host for TestHost {
    fn emit(&self, event: AppEvent) {
        self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(event);
    }

    fn open_in_browser(&self, address: &str) {
        self.opened.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(address.to_owned());
    }

    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    async fn pick_file(&self) -> Option<PathBuf> {
        None
    }

    async fn pick_attachments(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.attachments.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    async fn pick_recipe(&self) -> Option<PathBuf> {
        self.recipe.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    async fn pick_folder(&self) -> Option<PathBuf> {
        self.folder.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    async fn pick_new_file(&self, _: &str) -> Option<PathBuf> {
        self.new_file.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    fn notify(&self, title: &str, _: &str) {
        self.notified.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(title.to_owned());
    }
}

pub struct Bench {
    pub api: Arc<Workbench>,
    pub host: Arc<TestHost>,
}

impl Bench {
    pub async fn open(data: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let host = Arc::new(TestHost::default());
        let worker =
            WorkerCommand { program: env!("CARGO_BIN_EXE_whetstone").into(), args: vec!["train-worker".into()] };
        let config = WorkbenchConfig { data_dir: data.to_owned(), worker, version: "test".into() };
        let told = Arc::clone(&host);
        Ok(Self { api: Workbench::open(config, told).await?, host })
    }

    /// On a folder that another workbench of this test is just leaving: its background work ends a moment later.
    pub async fn open_when_free(data: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let began = Instant::now();
        loop {
            match Self::open(data).await {
                Ok(bench) => return Ok(bench),
                Err(error) if began.elapsed() > Duration::from_secs(30) => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Offers a file as the desktop does, and imports it as its preview suggests.
    pub async fn import(&self, file: &Path, skip_broken: bool) -> Result<DatasetSummary, Box<dyn std::error::Error>> {
        self.bring_in(file, false, skip_broken).await
    }

    /// The same, editing the file where it lies.
    pub async fn open_in_place(&self, file: &Path) -> Result<DatasetSummary, Box<dyn std::error::Error>> {
        self.bring_in(file, true, false).await
    }

    async fn bring_in(
        &self,
        file: &Path,
        in_place: bool,
        skip_broken: bool,
    ) -> Result<DatasetSummary, Box<dyn std::error::Error>> {
        self.api.offer_file(file);
        let opened = self.api.start(Nothing {}).await?.opened_file.ok_or("the file was not offered")?;
        let preview = self.api.preview_file(PreviewRequest { token: opened.token.clone(), reading: None }).await?;
        let reading = Some(preview.reading);
        let request = ImportRequest { token: opened.token, name: opened.name, reading, in_place, skip_broken };
        let outcome = self.api.import_dataset(request).await?;
        outcome.dataset.ok_or_else(|| format!("{:?}", outcome.problems).into())
    }

    /// Waits until so many jobs are listed: those started elsewhere are looked for once there is a connection.
    pub async fn until_listed(&self, jobs: usize) -> Result<Vec<JobSummary>, Box<dyn std::error::Error>> {
        let began = Instant::now();
        loop {
            let listed = self.api.jobs(Nothing {}).await?;
            if listed.len() >= jobs {
                return Ok(listed);
            }
            if began.elapsed() > Duration::from_secs(60) {
                return Err(format!("only {} jobs are listed", listed.len()).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks until the connection is as wanted.
    pub async fn wait_for_connection(
        &self,
        id: &str,
        fits: impl Fn(&Connection) -> bool,
    ) -> Result<Connection, Box<dyn std::error::Error>> {
        let began = Instant::now();
        loop {
            let all = self.api.connections(Nothing {}).await?;
            let connection = all.into_iter().find(|one| one.id == id).ok_or("the connection is gone")?;
            if fits(&connection) {
                return Ok(connection);
            }
            if began.elapsed() > Duration::from_secs(60) {
                return Err(format!("the connection did not get there: {connection:#?}").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks until the job is as wanted; every poll is a look at the app's own record.
    pub async fn wait_for(
        &self,
        job: &str,
        at_most: Duration,
        fits: impl Fn(&JobDetail) -> bool,
    ) -> Result<JobDetail, Box<dyn std::error::Error>> {
        let began = Instant::now();
        loop {
            let detail = self.api.job(JobId { job: job.to_owned() }).await?;
            if fits(&detail) {
                return Ok(detail);
            }
            let failed = detail.summary.status == JobStatus::Failed;
            if failed || began.elapsed() > at_most {
                return Err(format!("the job did not get there: {detail:#?}").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

pub fn draft(dataset: &str, name: &str, hyperparameters: &[(&str, &str)]) -> JobDraft {
    let hyperparameters: BTreeMap<String, String> =
        hyperparameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    JobDraft {
        base_model: "whetstone.tiny-v1".into(),
        dataset: dataset.to_owned(),
        hyperparameters,
        job_name: name.to_owned(),
        model_name: name.to_owned(),
        ..JobDraft::default()
    }
}

/// Forty ways to name a colour, four labels: small enough to be learnt by heart within seconds.
pub fn colours(folder: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let things = ["sky", "sea", "grass", "leaf", "sun", "lemon", "blood", "rose", "ice", "corn"];
    let mut text = String::from("text,category\n");
    for thing in things {
        let colour = match thing {
            "sky" | "sea" | "ice" => "blue",
            "grass" | "leaf" => "green",
            "sun" | "lemon" | "corn" => "yellow",
            _ => "red",
        };
        for question in ["What colour is the", "Tell me the colour of the", "Name the colour of the", "Colour of"] {
            writeln!(text, "\"{question} \"\"{thing}\"\", please\",{colour}")?;
        }
    }
    let path = folder.join("colours.csv");
    std::fs::write(&path, text)?;
    Ok(path)
}
