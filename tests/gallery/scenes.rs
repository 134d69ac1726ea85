//! The screens and their states, one function a screen. A picture's name begins with the name of its scene.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::json;

use crate::camera::Camera;
use crate::harness::{Outcome, Window, by_id};
use crate::stage;

const SOON: Duration = Duration::from_secs(30);
const TINY: &str = "whetstone.tiny-v1";

pub type Act<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

pub struct Scene {
    pub name: &'static str,
    /// In an app with a past; else in one that was just installed.
    pub worked_with: bool,
    /// What the app is started with.
    pub file: Option<&'static str>,
    pub act: for<'a> fn(&'a Window, &'a mut Camera) -> Act<'a>,
}

macro_rules! scenes {
    ($($name:literal, $past:literal, $file:expr, $act:ident;)*) => {
        pub const SCENES: &[Scene] = &[$(Scene {
            name: $name,
            worked_with: $past,
            file: $file,
            act: |window, camera| Box::pin($act(window, camera)),
        }),*];
    };
}

scenes! {
    "first", false, None, first;
    "home", true, None, home;
    "datasets", true, None, datasets;
    "records", true, None, records;
    "dialogs", true, None, dialogs;
    "import-workbook", false, Some("pairs.xlsx"), import_workbook;
    "import-table", false, Some("kunden.csv"), import_table;
    "import-broken", false, Some("broken.jsonl"), import_broken;
    "import-refused", false, Some("picture.csv"), import_refused;
    "wizard", true, None, wizard;
    "jobs", true, None, jobs;
    "models", true, None, models;
    "playground", true, None, playground;
    "evaluations", true, None, evaluations;
    "settings", true, None, settings;
    "shell", true, None, shell;
}

/// An app that has just been installed: every screen with nothing on it.
async fn first(window: &Window, camera: &mut Camera) -> Outcome {
    for (route, shown, name) in [
        ("#/home", "sample-customer-support", "first-home"),
        ("#/datasets", "datasets-empty", "first-datasets"),
        ("#/datasets/import", "import-pick", "first-import"),
        ("#/fine-tune", "goal-support", "first-wizard"),
        ("#/jobs", "jobs-empty", "first-jobs"),
        ("#/models", "models-empty", "first-models"),
        ("#/playground", "playground-input", "first-playground"),
        ("#/evaluations", "evaluations-empty", "first-evaluations"),
    ] {
        window.go(route).await?;
        window.get(shown).await?;
        camera.take(window, name).await?;
    }
    window.click("activity-open").await?;
    window.get("activity-drawer").await?;
    camera.take(window, "first-activity").await
}

async fn home(window: &Window, camera: &mut Camera) -> Outcome {
    window.go("#/home").await?;
    window.get("recent-job").await?;
    camera.take(window, "home-worked").await?;
    to_the_end(window).await?;
    camera.take(window, "home-end").await
}

async fn datasets(window: &Window, camera: &mut Camera) -> Outcome {
    window.go("#/datasets").await?;
    window.get("dataset-row").await?;
    camera.take(window, "datasets-list").await?;
    open_dataset(window, "Customer support").await?;
    camera.take(window, "datasets-table").await?;
    window.click("page-tab-statistics").await?;
    window.find(&format!("{} svg", by_id("statistics"))).await?;
    camera.take(window, "datasets-statistics").await?;
    to_the_end(window).await?;
    camera.take(window, "datasets-statistics-end").await?;
    window.click("page-tab-snapshots").await?;
    window.get("snapshots").await?;
    camera.take(window, "datasets-snapshots").await
}

/// Records that have something wrong with them.
async fn records(window: &Window, camera: &mut Camera) -> Outcome {
    open_dataset(window, "support-messy").await?;
    window.click("side-tab-findings").await?;
    window.get("rule-row").await?;
    camera.take(window, "records-findings").await?;
    window.click("rule-row").await?;
    window.get("finding-list").await?;
    camera.take(window, "records-rule").await?;
    window.fill("go-to-record", "42\u{e007}").await?;
    window.click("side-tab-record").await?;
    window.get("finding").await?;
    camera.take(window, "records-finding").await?;
    window.click("record-face-json").await?;
    camera.take(window, "records-json").await?;
    window.click("record-face-form").await?;
    window.click("find-open").await?;
    window.fill("find-text", "order").await?;
    window.wait_text("find-tally", SOON, |text| text.contains("hits")).await?;
    window.click("find-replace-open").await?;
    window.click("side-tab-matches").await?;
    camera.take(window, "records-find").await?;
    window.click("find-open").await?;
    window.fill("filter", "to").await?;
    window.get("filter-list").await?;
    camera.take(window, "records-filter").await?;
    window.fill("filter", "no-such-word\u{e007}").await?;
    window.get("filter-empty").await?;
    camera.take(window, "records-none").await?;
    window.click("filter-clear").await?;
    window.press("record-table", &format!("{}a", char::from(Key::Control))).await?;
    window.get("selection-count").await?;
    camera.take(window, "records-selected").await
}

async fn dialogs(window: &Window, camera: &mut Camera) -> Outcome {
    open_dataset(window, "support-messy").await?;
    window.click("split-open").await?;
    window.get("split-bar").await?;
    camera.take(window, "dialogs-split").await?;
    escape(window, "split-dialog").await?;
    for (item, dialog, name) in [
        ("convert", "convert-dialog", "dialogs-convert"),
        ("move", "move-dialog", "dialogs-move"),
        ("edit", "bulk-dialog", "dialogs-edit"),
        ("rename", "rename-dialog", "dialogs-rename"),
    ] {
        window.click("dataset-menu").await?;
        if item == "convert" {
            window.get("dataset-menu-rename").await?;
            camera.take(window, "dialogs-menu").await?;
            window.click("dataset-menu").await?;
            if window.client.find(Locator::Css(&by_id("dataset-menu-rename"))).await.is_err() {
                window.click("dataset-menu").await?;
            }
        }
        window.click(&format!("dataset-menu-{item}")).await?;
        window.get(dialog).await?;
        camera.take(window, name).await?;
        escape(window, dialog).await?;
    }
    Ok(())
}

async fn import_workbook(window: &Window, camera: &mut Camera) -> Outcome {
    window.get("import-sheet").await?;
    camera.take(window, "import-workbook-pairs").await?;
    window.choose("import-sheet", "notes").await?;
    window.wait_text("mapping-preview", SOON, |text| !text.is_empty()).await?;
    camera.take(window, "import-workbook-notes").await
}

async fn import_table(window: &Window, camera: &mut Camera) -> Outcome {
    window.get("import-encoding").await?;
    window.choose("mapping-prompt", "Frage").await?;
    window.choose("mapping-completion", "Antwort").await?;
    window.wait_text("mapping-preview", SOON, |text| text.contains("Schlüssel")).await?;
    camera.take(window, "import-table-read").await?;
    window.choose("import-delimiter", ",").await?;
    window.wait_text("mapping-preview", SOON, |text| !text.contains("Matte")).await?;
    camera.take(window, "import-table-misread").await
}

async fn import_broken(window: &Window, camera: &mut Camera) -> Outcome {
    window.click("import-in-place").await?;
    window.click("import-confirm").await?;
    window.get("import-broken").await?;
    camera.take(window, "import-broken-line").await
}

async fn import_refused(window: &Window, camera: &mut Camera) -> Outcome {
    window.get("import-error").await?;
    camera.take(window, "import-refused-file").await
}

async fn wizard(window: &Window, camera: &mut Camera) -> Outcome {
    let dataset = stage::id_of(window, "datasets", "Customer support").await?;
    window.go(&format!("#/fine-tune/model?dataset={dataset}&model={TINY}")).await?;
    window.get("model-details").await?;
    window.click("wizard-step-goal").await?;
    window.click("goal-support").await?;
    camera.take(window, "wizard-goal").await?;
    window.click("wizard-step-model").await?;
    window.get("model-details").await?;
    camera.take(window, "wizard-model").await?;
    to_the_end(window).await?;
    camera.take(window, "wizard-model-end").await?;
    window.click("wizard-step-data").await?;
    window.get("wizard-dataset").await?;
    camera.take(window, "wizard-data").await?;
    window.click("wizard-step-settings").await?;
    window.get("hp-epochCount").await?;
    camera.take(window, "wizard-settings").await?;
    window.click("hp-advanced").await?;
    window.fill("hp-epochCount", "500").await?;
    to_the_end(window).await?;
    camera.take(window, "wizard-settings-wrong").await?;
    window.fill("hp-epochCount", "2").await?;
    window.click("wizard-step-output").await?;
    window.fill("job-name", "support-again").await?;
    window.fill("model-name", "support-again").await?;
    camera.take(window, "wizard-output").await?;
    window.click("show-call").await?;
    window.wait_text("call-text", SOON, |text| !text.is_empty()).await?;
    camera.take(window, "wizard-call").await?;
    escape(window, "call-dialog").await?;
    window.click("wizard-step-review").await?;
    window.find(&format!("{}:not([disabled])", by_id("start-job"))).await?;
    camera.take(window, "wizard-review").await?;
    to_the_end(window).await?;
    camera.take(window, "wizard-review-end").await
}

async fn jobs(window: &Window, camera: &mut Camera) -> Outcome {
    window.go("#/jobs").await?;
    window.get("job-row").await?;
    camera.take(window, "jobs-list").await?;
    let (one, two) =
        (stage::id_of(window, "jobs", "support-answers").await?, stage::id_of(window, "jobs", "support-slower").await?);
    window.go(&format!("#/jobs/{one}")).await?;
    window.find(&format!("{} svg", by_id("job-chart"))).await?;
    camera.take(window, "jobs-completed").await?;
    to_the_end(window).await?;
    camera.take(window, "jobs-completed-end").await?;
    window.go(&format!("#/jobs/compare?jobs={one},{two}")).await?;
    window.find(&format!("{} svg", by_id("job-chart"))).await?;
    camera.take(window, "jobs-compare").await?;
    let failed = stage::id_of(window, "jobs", "pets-with-pictures").await?;
    window.go(&format!("#/jobs/{failed}")).await?;
    window.get("failure-cause").await?;
    camera.take(window, "jobs-failed").await?;
    if !camera.wants("jobs-running") {
        return Ok(());
    }
    let support = stage::id_of(window, "datasets", "Customer support").await?;
    let name = if camera.dark { "support-at-night" } else { "support-by-day" };
    stage::start(window, &support, TINY, name, json!({ "epochCount": "20" })).await?;
    let running = stage::id_of(window, "jobs", name).await?;
    window.go(&format!("#/jobs/{running}")).await?;
    window.wait_text("training-loss", Duration::from_secs(120), |text| text != "–").await?;
    window.find(&format!("{} svg", by_id("job-chart"))).await?;
    camera.take(window, "jobs-running").await?;
    window.go("#/home").await?;
    window.get("recent-job").await?;
    camera.take(window, "jobs-running-home").await?;
    window.call("stop_job", json!({ "job": running })).await?;
    stage::wait_for_jobs(window).await?;
    window.go(&format!("#/jobs/{running}")).await?;
    window.wait_text("job-status", SOON, |text| text == "Stopped").await?;
    camera.take(window, "jobs-running-stopped").await
}

async fn models(window: &Window, camera: &mut Camera) -> Outcome {
    window.go("#/models").await?;
    open_model(window, "support-nova").await?;
    window.get("served-meter").await?;
    camera.take(window, "models-by-the-hour").await?;
    window.click("served-end").await?;
    window.get("end-dialog").await?;
    camera.take(window, "models-end").await?;
    escape(window, "end-dialog").await?;
    window.click("model-serve").await?;
    window.click("serve-way-provisioned").await?;
    window.get("serve-hours").await?;
    camera.take(window, "models-serve-by-the-hour").await?;
    escape(window, "serve-dialog").await?;
    open_model(window, "support-slower").await?;
    window.wait_text("model-served", SOON, |text| text.contains("Nothing yet")).await?;
    camera.take(window, "models-unserved").await?;
    window.click("model-serve").await?;
    window.get("serve-why").await?;
    camera.take(window, "models-serve").await?;
    escape(window, "serve-dialog").await?;
    for (item, dialog, name) in [("copy", "copy-dialog", "models-copy"), ("remove", "remove-dialog", "models-remove")] {
        window.click("model-menu").await?;
        window.click(&format!("model-menu-{item}")).await?;
        window.get(dialog).await?;
        camera.take(window, name).await?;
        escape(window, dialog).await?;
    }
    window.click("model-import").await?;
    window.get("import-dialog").await?;
    camera.take(window, "models-import").await
}

async fn playground(window: &Window, camera: &mut Camera) -> Outcome {
    let job = stage::id_of(window, "jobs", "support-answers").await?;
    window.go(&format!("#/playground?job={job}")).await?;
    window.get("column-1").await?;
    camera.take(window, "playground-ready").await?;
    window.fill("playground-input", "Where is my parcel? It should have been here on Monday.").await?;
    window.click("playground-send").await?;
    window.answer(0).await?;
    window.answer(1).await?;
    camera.take(window, "playground-answered").await?;
    window.click("playground-parameters").await?;
    window.get("parameter-panel").await?;
    camera.take(window, "playground-parameters").await?;
    window.click("playground-parameters").await?;
    window.click("column-1-code").await?;
    window.wait_text("code-text", SOON, |text| !text.is_empty()).await?;
    camera.take(window, "playground-code").await?;
    escape(window, "code-dialog").await?;
    window.click("column-1-correct").await?;
    window.get("record-completion").await?;
    camera.take(window, "playground-correct").await?;
    escape(window, "record-dialog").await?;
    window.click("playground-history").await?;
    window.get("history-row").await?;
    camera.take(window, "playground-history").await?;
    escape(window, "history-dialog").await?;
    window.click("playground-add-column").await?;
    window.click("playground-add-column").await?;
    window.get("column-3").await?;
    camera.take(window, "playground-four").await
}

async fn evaluations(window: &Window, camera: &mut Camera) -> Outcome {
    window.go("#/evaluations").await?;
    window.get("evaluation-row").await?;
    camera.take(window, "evaluations-list").await?;
    window.click("evaluation-row").await?;
    window.get("evaluation-case").await?;
    camera.take(window, "evaluations-verdict").await?;
    to_the_end(window).await?;
    camera.take(window, "evaluations-verdict-end").await?;
    let job = stage::id_of(window, "jobs", "support-answers").await?;
    window.go(&format!("#/evaluations/new?job={job}")).await?;
    window.get("evaluation-cost").await?;
    camera.take(window, "evaluations-new").await?;
    window.click("evaluation-start").await?;
    window.get("evaluation-progress").await?;
    camera.take(window, "evaluations-running").await
}

async fn settings(window: &Window, camera: &mut Camera) -> Outcome {
    window.get("version").await?;
    camera.take(window, "settings-all").await?;
    window.click("connection-add").await?;
    window.get("connection-dialog").await?;
    camera.take(window, "settings-profiles").await?;
    window.click("connection-way-keys").await?;
    window.get("key-id").await?;
    camera.take(window, "settings-keys").await?;
    escape(window, "connection-dialog").await?;
    window.go("#/settings/connection?id=this-computer").await?;
    window.click("doctor-run").await?;
    window.find("[data-testid=\"doctor\"][data-state=\"ok\"]").await?;
    camera.take(window, "settings-doctor").await
}

async fn shell(window: &Window, camera: &mut Camera) -> Outcome {
    window.go("#/jobs").await?;
    window.click("jobs-find").await?;
    window.get("toast").await?;
    camera.take(window, "shell-toast").await?;
    window.click("palette-open").await?;
    window.get("palette-input").await?;
    camera.take(window, "shell-palette").await?;
    window.fill("palette-input", "support").await?;
    camera.take(window, "shell-palette-found").await?;
    escape(window, "palette").await?;
    window.press("palette-open", &format!("{}/", char::from(Key::Control))).await?;
    window.get("shortcut-sheet").await?;
    camera.take(window, "shell-shortcuts").await?;
    escape(window, "shortcut-sheet").await?;
    window.click("connection-menu").await?;
    window.get("connection-menu-manage").await?;
    camera.take(window, "shell-connections").await
}

async fn open_dataset(window: &Window, name: &str) -> Outcome {
    let dataset = stage::id_of(window, "datasets", name).await?;
    window.go(&format!("#/datasets/{dataset}")).await?;
    window.get("table-row").await?;
    window.get("record-title").await?;
    Ok(())
}

async fn open_model(window: &Window, name: &str) -> Outcome {
    window.get("model-row").await?;
    for row in window.client.find_all(Locator::Css(&by_id("model-row"))).await? {
        if row.prop("innerText").await?.unwrap_or_default().contains(name) {
            return Ok(row.click().await?);
        }
    }
    Err(format!("no model is named {name}").into())
}

async fn escape(window: &Window, dialog: &str) -> Outcome {
    window.press(dialog, &char::from(Key::Escape).to_string()).await?;
    window.wait_gone(dialog).await
}

/// To the lower end of whatever scrolls.
async fn to_the_end(window: &Window) -> Outcome {
    window.run("for (const one of document.querySelectorAll('main, main *')) one.scrollTop = one.scrollHeight;").await
}
