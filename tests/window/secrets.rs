//! Keys typed into the real window, used for real calls, and then looked for byte by byte in everything that is left.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fantoccini::Locator;
use whetstone_sandbox::{Sandbox, SandboxConfig, WorkerCommand, WorkerLimits};

use crate::harness::{Outcome, Window};

const PATIENCE: Duration = Duration::from_secs(60);

/// Says to a test that it was started by itself, inside a session with a keyring.
const WITH_KEYRING: &str = "WHETSTONE_TEST_WITH_KEYRING";

/// A sandbox that stands for someone's account; its keys are what is typed in.
pub async fn account(folder: &Path) -> Result<Sandbox, Box<dyn std::error::Error>> {
    let worker = WorkerCommand { program: env!("CARGO_BIN_EXE_whetstone").into(), args: vec!["train-worker".into()] };
    let config = SandboxConfig {
        data_dir: folder.to_owned(),
        port: 0,
        region: "us-east-1".into(),
        worker,
        limits: WorkerLimits::default(),
        faults: None,
    };
    Ok(Sandbox::start(config).await?)
}

async fn type_in(window: &Window, sandbox: &Sandbox) -> Outcome {
    window.go("#/settings/connections").await?;
    window.click("connection-add").await?;
    window.click("connection-way-keys").await?;
    window.fill("key-id", sandbox.keys().access_key_id()).await?;
    window.fill("key-secret", sandbox.keys().secret_access_key()).await?;
    window.get("connection-region").await?.select_by_value("us-east-1").await?;
    window.client.find(Locator::Css("[data-testid=\"connection-dialog\"] summary")).await?.click().await?;
    window.fill("connection-endpoint-url", &sandbox.endpoint()).await?;
    window.picture("connection-keys").await?;
    window.click("connection-add-confirm").await
}

/// Every place below a folder where the bytes stand.
fn places(folder: &Path, bytes: &[u8], found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            places(&path, bytes, found)?;
        } else if path.is_file() && std::fs::read(&path)?.windows(bytes.len()).any(|window| window == bytes) {
            found.push(path);
        }
    }
    Ok(())
}

/// Programs that were started with the bytes among their arguments.
fn programs(bytes: &[u8]) -> std::io::Result<Vec<PathBuf>> {
    let running = std::fs::read_dir("/proc")?.filter_map(|entry| Some(entry.ok()?.path().join("cmdline")));
    let told =
        |path: &PathBuf| std::fs::read(path).is_ok_and(|call| call.windows(bytes.len()).any(|part| part == bytes));
    Ok(running.filter(told).collect())
}

/// Types keys in, has them used, and looks for them. `keeping` is what the window must say of them.
async fn leaves_no_trace(keeping: &str) -> Outcome {
    let folder = tempfile::tempdir()?;
    let sandbox = account(&folder.path().join("account")).await?;
    let data = folder.path().join("app");
    let window = Window::open(&data, None).await?;
    type_in(&window, &sandbox).await?;
    window.wait_text("connection-account", PATIENCE, |text| text == sandbox.account()).await?;
    window.wait_text("connection-keeping", PATIENCE, |text| text.contains(keeping)).await?;
    window.picture("connection-page").await?;
    window.click("doctor-run").await?;
    window.find("[data-testid=\"doctor\"]:not([data-state=\"running\"]):not([data-state=\"idle\"])").await?;
    window.find("[data-testid=\"doctor-check\"][data-check=\"quotas\"]").await?;
    window.picture("connection-doctor").await?;
    // While the app runs, and after it was killed: a crash leaves no trace either.
    for killed in [false, true] {
        if killed {
            window.kill_app()?;
        }
        for secret in [sandbox.keys().secret_access_key(), sandbox.keys().access_key_id()] {
            let mut found = Vec::new();
            places(&data, secret.as_bytes(), &mut found)?;
            found.extend(programs(secret.as_bytes())?);
            assert!(found.is_empty(), "a typed-in key stands in {found:?}");
        }
    }
    let mut known = Vec::new();
    places(&folder.path().join("account"), sandbox.keys().secret_access_key().as_bytes(), &mut known)?;
    assert!(!known.is_empty(), "the search finds what is there");
    sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn typed_in_keys_leave_no_trace_where_there_is_no_keyring() -> Outcome {
    if std::env::var_os(WITH_KEYRING).is_some() {
        return Ok(());
    }
    leaves_no_trace("this run of the app only").await
}

/// The test runs itself again in a session of its own with a keyring, which it unlocks with a password.
#[test]
fn typed_in_keys_leave_no_trace_outside_the_keyring() -> Outcome {
    const NAME: &str = "secrets::typed_in_keys_leave_no_trace_outside_the_keyring";
    if std::env::var_os(WITH_KEYRING).is_some() {
        return tokio::runtime::Runtime::new()?.block_on(leaves_no_trace("keyring of your desktop"));
    }
    let home = tempfile::tempdir()?;
    let script = "printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null && exec \"$0\" --exact \"$1\" --nocapture";
    let again = Command::new("dbus-run-session")
        .args(["--", "sh", "-c", script])
        .arg(std::env::current_exe()?)
        .arg(NAME)
        .env("HOME", home.path())
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_RUNTIME_DIR")
        .env(WITH_KEYRING, "yes")
        .output()
        .map_err(|error| format!("dbus-run-session (Debian package dbus-daemon) does not start: {error}"))?;
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&again.stderr));
    Ok(())
}
