//! The real window, driven from outside through WebKit's own driver.
//!
//! A test owns its driver, its port and its data folder; dropping the window ends the app and the driver.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// How long a change of the picture may take before a test calls it missing.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Window {
    pub client: Client,
    driver: Child,
    data: PathBuf,
}

impl Window {
    /// Starts the app on this data folder, as the desktop would, with a file to open or none.
    pub async fn open(data: &Path, file: Option<&Path>) -> Result<Self, Box<dyn std::error::Error>> {
        Self::open_in(data, file, &[]).await
    }

    /// The same, with variables in the app's environment.
    pub async fn open_in(
        data: &Path,
        file: Option<&Path>,
        variables: &[(&str, &Path)],
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let port = free_port()?;
        let driver = Command::new("WebKitWebDriver")
            .args(["--host=127.0.0.1", &format!("--port={port}")])
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("WebKitWebDriver (Debian package webkit2gtk-driver) does not start: {error}"))?;
        let mut arguments = vec!["--data".to_owned(), data.display().to_string()];
        arguments.extend(file.map(|file| file.display().to_string()));
        let mut capabilities = serde_json::Map::new();
        let options = json!({ "binary": program(), "args": arguments });
        capabilities.insert("webkitgtk:browserOptions".into(), options);
        wait_for_port(port).await?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        let address = format!("http://127.0.0.1:{port}");
        let client = tokio::time::timeout(PATIENCE, builder.connect(&address))
            .await
            .map_err(|_| "the app did not open a window: is there a screen?")?
            .map_err(|error| format!("no session with the window: {error}"))?;
        let window = Self { client, driver, data: data.to_owned() };
        window.find("[data-testid=\"connection-card\"][data-state=\"ready\"]").await?;
        Ok(window)
    }

    pub async fn find(&self, css: &str) -> Result<Element, Box<dyn std::error::Error>> {
        self.client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
            .map_err(|error| format!("{css} did not appear: {error}").into())
    }

    pub async fn get(&self, test_id: &str) -> Result<Element, Box<dyn std::error::Error>> {
        self.find(&by_id(test_id)).await
    }

    /// Clicks once the element is there and enabled, as a person would wait for it. A picture that is still being laid
    /// out can take the element from under the pointer: it is looked for again, as an eye would.
    pub async fn click(&self, test_id: &str) -> Outcome {
        let enabled = format!("{}:not(:disabled)", by_id(test_id));
        let began = Instant::now();
        loop {
            let Ok(element) = self.find(&enabled).await else {
                self.picture(&format!("unclickable-{test_id}")).await?;
                return Err(format!("{test_id} did not appear, or stayed disabled").into());
            };
            match element.click().await {
                Ok(()) => return Ok(()),
                Err(_) if began.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(error) => {
                    self.picture(&format!("unclickable-{test_id}")).await?;
                    return Err(format!("{test_id} cannot be clicked: {error:?}").into());
                }
            }
        }
    }

    /// Types into a field as a person does: what was there is replaced.
    pub async fn fill(&self, test_id: &str, text: &str) -> Outcome {
        self.click(test_id).await?;
        let element = self.get(test_id).await?;
        element.clear().await?;
        element.send_keys(text).await?;
        Ok(())
    }

    /// Chooses an option of a list.
    pub async fn choose(&self, test_id: &str, value: &str) -> Outcome {
        Ok(self.get(test_id).await?.select_by_value(value).await?)
    }

    pub async fn text(&self, test_id: &str) -> Result<String, Box<dyn std::error::Error>> {
        match shown_text(&self.get(test_id).await?).await {
            Ok(text) => Ok(text),
            // It was drawn anew in between.
            Err(_) => Ok(shown_text(&self.get(test_id).await?).await?),
        }
    }

    /// Waits until the element's text satisfies the test; says what stood there last.
    pub async fn wait_text(
        &self,
        test_id: &str,
        at_most: Duration,
        fits: impl Fn(&str) -> bool,
    ) -> Result<String, Box<dyn std::error::Error>> {
        let began = Instant::now();
        let mut last = String::new();
        while began.elapsed() < at_most {
            if let Ok(element) = self.client.find(Locator::Css(&by_id(test_id))).await
                && let Ok(text) = shown_text(&element).await
            {
                if fits(&text) {
                    return Ok(text);
                }
                last = text;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.picture(&format!("missing-{test_id}")).await?;
        Err(format!("{test_id} still says {last:?} after {at_most:?}").into())
    }

    /// The whole answer of a playground column, once it is done.
    pub async fn answer(&self, column: usize) -> Result<String, Box<dyn std::error::Error>> {
        let reply = format!("{}[data-state=\"done\"]", by_id(&format!("column-{column}-reply")));
        Ok(shown_text(&self.find(&reply).await?).await?)
    }

    /// Waits until the element is away.
    pub async fn wait_gone(&self, test_id: &str) -> Outcome {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self.client.find(Locator::Css(&by_id(test_id))).await.is_err() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("{test_id} is still there").into())
    }

    pub async fn go(&self, route: &str) -> Outcome {
        self.client.execute("location.hash = arguments[0]", vec![Value::from(route)]).await?;
        Ok(())
    }

    /// Asks the workbench as the window itself does.
    pub async fn call(&self, name: &str, argument: Value) -> Result<Value, Box<dyn std::error::Error>> {
        let script = "const [name, argument, done] = arguments;\
            window.__TAURI_INTERNALS__.invoke('call', { name, argument })\
                .then((answer) => done({ answer }), (error) => done({ error }));";
        let said = self.client.execute_async(script, vec![Value::from(name), argument]).await?;
        match said.get("error") {
            Some(error) => Err(format!("{name}: {error}").into()),
            None => Ok(said["answer"].clone()),
        }
    }

    /// Runs a piece of JavaScript, for what a person does with the mouse and the driver cannot.
    pub async fn run(&self, script: &str) -> Outcome {
        self.client.execute(script, Vec::new()).await?;
        Ok(())
    }

    /// Presses keys while the element has the focus.
    pub async fn press(&self, test_id: &str, keys: &str) -> Outcome {
        Ok(self.get(test_id).await?.send_keys(keys).await?)
    }

    /// Waits until the list of jobs, which must be open, names so many as completed.
    pub async fn wait_completed(&self, jobs: usize, at_most: Duration) -> Outcome {
        self.get("job-row").await?;
        let began = Instant::now();
        loop {
            let list = shown_text(&self.find("table").await?).await?;
            if list.matches("Completed").count() == jobs {
                return Ok(());
            }
            if began.elapsed() > at_most {
                return Err(format!("not {jobs} jobs are completed: {list}").into());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Keeps a picture of the window in the folder named by `WHETSTONE_SCREENS`, if there is one.
    pub async fn picture(&self, name: &str) -> Outcome {
        let Some(folder) = std::env::var_os("WHETSTONE_SCREENS") else { return Ok(()) };
        let two_frames = "const done = arguments[arguments.length - 1];\
            requestAnimationFrame(() => requestAnimationFrame(() => done(null)));";
        self.client.execute_async(two_frames, Vec::new()).await?;
        let path = PathBuf::from(folder).join(format!("{name}.png"));
        std::fs::write(path, self.client.screenshot().await?)?;
        Ok(())
    }

    /// Ends the app with SIGKILL. What it started is left to notice by itself.
    pub fn kill_app(&self) -> Outcome {
        let app = self.app().ok_or("the app does not run")?;
        signal_kill(app)?;
        let began = Instant::now();
        while self.app().is_some() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// The driver starts the app through a helper, so it is told by its program and its data folder.
    fn app(&self) -> Option<u32> {
        let folder = self.data.display().to_string();
        std::fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).find(
            |pid| {
                let running = std::fs::read_link(format!("/proc/{pid}/exe"));
                let call = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                let mut arguments = call.split(|byte| *byte == 0);
                running.is_ok_and(|running| running == program())
                    && arguments.clone().any(|argument| argument == folder.as_bytes())
                    && arguments.all(|argument| argument != b"train-worker")
            },
        )
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if let Some(app) = self.app() {
            let _ = signal_kill(app);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Cargo tells a test where the app is; whatever else drives the window is told by its caller.
fn program() -> PathBuf {
    let told = option_env!("CARGO_BIN_EXE_whetstone").map(PathBuf::from);
    told.or_else(|| std::env::var_os("WHETSTONE_PROGRAM").map(PathBuf::from)).unwrap_or_default()
}

pub fn by_id(test_id: &str) -> String {
    format!("[data-testid=\"{test_id}\"]")
}

/// As the web view lays it out. The driver's own "element text" is empty for some text that is cut with an ellipsis.
async fn shown_text(element: &Element) -> Result<String, fantoccini::error::CmdError> {
    Ok(element.prop("innerText").await?.unwrap_or_default())
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The driver opens its port some moments after it starts.
async fn wait_for_port(port: u16) -> Outcome {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err("WebKitWebDriver did not open its port".into())
}

fn signal_kill(pid: u32) -> Outcome {
    Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status()?;
    Ok(())
}
