//! The real window, driven from outside through WebKit's own driver.
//!
//! A test owns its driver, its port and its data folder; dropping the window kills the whole process group.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
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
}

impl Window {
    /// Starts the app on this data folder, as the desktop would, with a file to open or none.
    pub async fn open(data: &Path, file: Option<&Path>) -> Result<Self, Box<dyn std::error::Error>> {
        let port = free_port()?;
        let driver = Command::new("WebKitWebDriver")
            .args(["--host=127.0.0.1", &format!("--port={port}")])
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("WebKitWebDriver (Debian package webkit2gtk-driver) does not start: {error}"))?;
        let mut arguments = vec!["--data".to_owned(), data.display().to_string()];
        arguments.extend(file.map(|file| file.display().to_string()));
        let mut capabilities = serde_json::Map::new();
        let options = json!({ "binary": env!("CARGO_BIN_EXE_whetstone"), "args": arguments });
        capabilities.insert("webkitgtk:browserOptions".into(), options);
        wait_for_port(port).await?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .map_err(|error| format!("no session with the window: {error}"))?;
        let window = Self { client, driver };
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

    pub async fn click(&self, test_id: &str) -> Outcome {
        let element = self.get(test_id).await?;
        element.click().await.map_err(|error| format!("{test_id} cannot be clicked: {error}"))?;
        Ok(())
    }

    /// Types into a field as a person does: what was there is replaced.
    pub async fn fill(&self, test_id: &str, text: &str) -> Outcome {
        let element = self.get(test_id).await?;
        element.click().await?;
        element.clear().await?;
        element.send_keys(text).await?;
        Ok(())
    }

    pub async fn text(&self, test_id: &str) -> Result<String, Box<dyn std::error::Error>> {
        Ok(self.get(test_id).await?.text().await?)
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
                && let Ok(text) = element.text().await
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
        Ok(self.find(&reply).await?.text().await?)
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
        let app = children(self.driver.id())?.into_iter().find(|pid| is_the_app(*pid)).ok_or("the app does not run")?;
        signal_kill(app)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = kill_tree(self.driver.id());
        let _ = self.driver.wait();
    }
}

pub fn by_id(test_id: &str) -> String {
    format!("[data-testid=\"{test_id}\"]")
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

fn is_the_app(pid: u32) -> bool {
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == Path::new(env!("CARGO_BIN_EXE_whetstone")))
}

fn children(pid: u32) -> std::io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let listed = std::fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        found.extend(listed.split_whitespace().filter_map(|text| text.parse::<u32>().ok()));
    }
    Ok(found)
}

fn kill_tree(pid: u32) -> Outcome {
    let mut doomed = vec![pid];
    let mut next = 0;
    while let Some(parent) = doomed.get(next).copied() {
        doomed.extend(children(parent).unwrap_or_default());
        next += 1;
    }
    for pid in doomed {
        signal_kill(pid)?;
    }
    Ok(())
}

fn signal_kill(pid: u32) -> Outcome {
    Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status()?;
    Ok(())
}
