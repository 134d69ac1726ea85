//! The gallery: every screen in its main states, light and dark, in several sizes and zoomed in, with what cannot be read,
//! reached or seen on each. `scripts/gallery` builds and runs it.

mod camera;
#[path = "../window/harness.rs"]
#[expect(dead_code, reason = "the gallery drives a part of what the harness can")]
mod harness;
mod scenes;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use camera::Camera;
use harness::{Outcome, Window};
use stage::Stage;

#[derive(Parser)]
struct Arguments {
    /// Where the state is kept that the pictures show.
    #[arg(long)]
    stage: PathBuf,
    /// Only views with this in their name, such as `light-1280x800`.
    #[arg(long)]
    view: Option<String>,
    /// Where the pictures go.
    folder: PathBuf,
    /// Only pictures with one of these in their name, such as `jobs` or `wizard-data`.
    names: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match take_all(arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers whether there was nothing to find.
async fn take_all(arguments: Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let stage = Stage::at(&arguments.stage);
    stage.set().await?;
    let mut camera = Camera {
        folder: arguments.folder,
        wanted: arguments.names,
        view: arguments.view,
        dark: false,
        axe: std::fs::read_to_string("ui/node_modules/axe-core/axe.min.js")?,
        findings: Vec::new(),
        pictures: 0,
    };
    for dark in [false, true] {
        let theme = if dark { "dark" } else { "light" };
        if camera.view.as_ref().is_some_and(|view| view.contains(if dark { "light" } else { "dark" })) {
            continue;
        }
        camera.dark = dark;
        for scene in scenes::SCENES {
            if !camera.wants(scene.name) {
                continue;
            }
            eprintln!("{theme}: {}", scene.name);
            if let Err(error) = act(scene, &stage, &mut camera, theme).await {
                camera.findings.push(format!("{theme} {}: {error}", scene.name));
            }
        }
    }
    let report = camera.report();
    std::fs::write(camera.folder.join("findings.txt"), &report)?;
    eprint!("{report}");
    Ok(camera.findings.is_empty())
}

/// A scene begins with a window of its own, so that none depends on how another ended.
async fn act(scene: &scenes::Scene, stage: &Stage, camera: &mut Camera, theme: &str) -> Outcome {
    let empty = tempfile::tempdir()?;
    let home = if scene.worked_with { stage.home() } else { empty.path().to_owned() };
    let file = scene.file.map(|name| stage.file(name));
    let window = Window::open(&home, file.as_deref()).await?;
    if file.is_none() {
        window.go("#/settings").await?;
        let theme = window.get(&format!("theme-{theme}")).await?;
        window.client.execute("arguments[0].click()", vec![serde_json::to_value(&theme)?]).await?;
    } else if theme == "dark" {
        // The page that the file opened must stay where it is, and nothing on it is drawn by the host.
        window.run("document.documentElement.dataset.theme = 'dark'").await?;
    }
    let outcome = (scene.act)(&window, camera).await;
    if outcome.is_err() {
        let _ = std::fs::create_dir_all(&camera.folder);
        std::fs::write(camera.folder.join(format!("stopped-{}.png", scene.name)), window.client.screenshot().await?)?;
    }
    outcome
}
