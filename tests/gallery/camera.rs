//! Takes a screen's pictures in every view, and asks whether all of it can be read, reached and seen.

use std::fmt::Write as _;
use std::path::PathBuf;

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::harness::{Outcome, Window};

/// Name, width, height, zoom.
const VIEWS: [(&str, u32, u32, f64); 4] = [
    ("1280x800", 1280, 800, 1.0),
    ("1024x700", 1024, 700, 1.0),
    ("1600x1000", 1600, 1000, 1.0),
    ("zoomed", 1280, 800, 2.0),
];
const QUESTIONS: &str = include_str!("look.js");

/// Ends once nothing on the screen has changed for a while: pictures of the size before are still being replaced. A
/// meter never rests, so it does not wait for ever.
const RESTS: &str = "const done = arguments[arguments.length - 1];\
    const at = performance.now();\
    let last = at;\
    const watch = new MutationObserver(() => (last = performance.now()));\
    watch.observe(document.body, { subtree: true, childList: true, attributes: true });\
    const look = () => {\
        const now = performance.now();\
        if (now - last < 250 && now - at < 2500) return requestAnimationFrame(look);\
        watch.disconnect();\
        done(null);\
    };\
    requestAnimationFrame(look);";

pub struct Camera {
    pub folder: PathBuf,
    /// Parts of names; without any, everything is taken.
    pub wanted: Vec<String>,
    /// Only the view that is named so.
    pub view: Option<String>,
    pub dark: bool,
    pub axe: String,
    pub findings: Vec<String>,
    pub pictures: usize,
}

impl Camera {
    /// Whether any picture of these would be taken. What only leads to others need not be gone through.
    pub fn wants(&self, name: &str) -> bool {
        self.wanted.is_empty()
            || self.wanted.iter().any(|wanted| name.contains(wanted.as_str()) || wanted.starts_with(name))
    }

    pub async fn take(&mut self, window: &Window, name: &str) -> Outcome {
        if !self.wants(name) {
            return Ok(());
        }
        let theme = if self.dark { "dark" } else { "light" };
        for (view, width, height, zoom) in VIEWS {
            let whole = format!("{theme}-{view}");
            // The colours were seen in the other sizes.
            if self.view.as_ref().is_some_and(|only| !whole.contains(only.as_str())) || (self.dark && zoom > 1.0) {
                continue;
            }
            show(window, width, height, zoom).await?;
            window.client.execute_async(RESTS, Vec::new()).await?;
            let folder = self.folder.join(&whole);
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(format!("{name}.png")), window.client.screenshot().await?)?;
            self.pictures += 1;
            let mut answers = ask(window, "[...cutWords(), ...tooWide()]").await?;
            if view == "1280x800" {
                window.client.execute(&self.axe, Vec::new()).await?;
                answers.extend(ask(window, "await barriers()").await?);
                window.client.active_element().await?.send_keys(&char::from(Key::Tab).to_string()).await?;
                answers.extend(ask(window, "unseenFocus()").await?);
            }
            self.findings.extend(answers.into_iter().map(|answer| format!("{whole} {name}: {answer}")));
        }
        show(window, 1280, 800, 1.0).await
    }

    pub fn report(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let _ = writeln!(text, "{finding}");
        }
        let _ = writeln!(text, "{} pictures, {} findings", self.pictures, self.findings.len());
        text
    }
}

/// The zoom is the one that the window's own keys set.
async fn show(window: &Window, width: u32, height: u32, zoom: f64) -> Outcome {
    window.client.set_window_rect(0, 0, width, height).await?;
    let set = "const [value, done] = arguments;\
        window.__TAURI_INTERNALS__.invoke('plugin:webview|set_webview_zoom', { value }).then(() => done(null), done);";
    let refused = window.client.execute_async(set, vec![json!(zoom)]).await?;
    if refused.is_null() { Ok(()) } else { Err(format!("the window does not zoom: {refused}").into()) }
}

async fn ask(window: &Window, question: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let script = format!(
        "const done = arguments[arguments.length - 1];{QUESTIONS}\n\
         (async () => {question})().then(done, (error) => done([String(error)]));"
    );
    let answer = window.client.execute_async(&script, Vec::new()).await?;
    let sentences = answer.as_array().into_iter().flatten();
    Ok(sentences.filter_map(Value::as_str).map(str::to_owned).collect())
}
