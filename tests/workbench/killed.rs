//! Uploads whose program is killed half-way, again and again.
//!
//! The program is this test's own, started once more: see `uploads_when_it_is_told_to`. Which parts are sent again is
//! read off the sandbox's folder: a part that arrives anew is another file there. `WHETSTONE_KILLS=50` kills more often.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::process::Command;
use whetstone_cloud::profiles::Endpoints;
use whetstone_cloud::{Bandwidth, Cloud, Credentials, Endpoint, S3Uri, TransferOptions};

use crate::connections::account;
use crate::host::Outcome;

const BUCKET: &str = "killed";
/// Six parts, the last one short.
const LENGTH: u64 = 5 * 8 * 1024 * 1024 + 12_345;
/// So that an upload takes most of a second, and a kill finds it at work.
const LIMIT: u64 = 60_000_000;
/// What the second program is told by.
const CHILD: &str = "WHETSTONE_UPLOAD_CHILD";

fn cloud(endpoint: &str, id: &str, secret: &str) -> Result<Cloud, Box<dyn std::error::Error>> {
    Ok(Cloud::connect(Endpoint {
        region: "us-east-1".into(),
        endpoints: Endpoints::all(endpoint),
        credentials: Credentials::Static { id: id.into(), secret: secret.into(), session: None },
    })?)
}

/// The program that is killed. As a test of its own it has nothing to do.
#[tokio::test]
async fn uploads_when_it_is_told_to() -> Outcome {
    let Ok(told) = std::env::var(CHILD) else { return Ok(()) };
    let [endpoint, id, secret, key, file] = told.split('\n').collect::<Vec<_>>()[..] else {
        return Err("told something else".into());
    };
    let bandwidth = Arc::new(Bandwidth::limited(Some(LIMIT)));
    let options = TransferOptions { bandwidth, ..TransferOptions::new(journal_of(Path::new(file))) };
    let to = S3Uri { bucket: BUCKET.into(), key: key.to_owned() };
    cloud(endpoint, id, secret)?.upload_file(Path::new(file), &to, options).join().await?;
    Ok(())
}

fn journal_of(file: &Path) -> PathBuf {
    file.with_extension("journal")
}

/// Small and repeatable; the seed is printed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

fn content(seed: u64) -> Vec<u8> {
    let mut chance = Chance(seed);
    let mut content = Vec::new();
    while (content.len() as u64) < LENGTH {
        content.extend(chance.below(u64::from(u32::MAX)).to_le_bytes());
    }
    content.truncate(usize::try_from(LENGTH).unwrap_or(0));
    content
}

/// What the sandbox keeps of each part of the uploads under way, by its path.
fn parts_at(uploads: &Path) -> std::io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut parts = BTreeMap::new();
    for upload in fs::read_dir(uploads)? {
        for part in fs::read_dir(upload?.path())? {
            let path = part?.path();
            if path.extension().is_some_and(|extension| extension == "json") && !path.ends_with("upload.json") {
                parts.insert(path.clone(), fs::read(path)?);
            }
        }
    }
    Ok(parts)
}

/// The parts that the killed program had written down: it knows that these have arrived.
fn written_down(journal: &Path, uploads: &Path) -> std::io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let lines = fs::read_to_string(journal).unwrap_or_default();
    let lines: Vec<serde_json::Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let numbers: Vec<i64> = lines.iter().filter_map(|line| line["part"]["number"].as_i64()).collect();
    let known = |path: &PathBuf| numbers.iter().any(|number| path.ends_with(format!("part-{number:05}.json")));
    Ok(parts_at(uploads)?.into_iter().filter(|(path, _)| known(path)).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_killed_again_and_again_arrives_whole_and_once() -> Outcome {
    let kills: u32 = std::env::var("WHETSTONE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    eprintln!("seed {seed}, {kills} kills");
    let folder = tempfile::tempdir()?;
    let sandbox = account(folder.path(), 0, None).await?;
    let uploads = folder.path().join("data/s3-uploads");
    let (url, keys) = (sandbox.endpoint(), sandbox.keys());
    let (id, secret) = (keys.access_key_id().to_owned(), keys.secret_access_key().to_owned());
    let cloud = cloud(&url, &id, &secret)?;
    cloud.ensure_bucket(BUCKET).await?;

    let file = folder.path().join("file");
    let mut chance = Chance(seed);
    let (mut killed, mut rounds, mut went_on) = (0, 0, 0);
    while killed < kills {
        rounds += 1;
        let key = format!("round-{rounds}.bin");
        fs::write(&file, content(seed + rounds))?;
        let told = [url.as_str(), &id, &secret, &key, &file.display().to_string()].join("\n");
        loop {
            let known = written_down(&journal_of(&file), &uploads)?;
            went_on += usize::from(!known.is_empty());
            let mut child = Command::new(std::env::current_exe()?)
                .args(["--exact", "killed::uploads_when_it_is_told_to", "--nocapture"])
                .env(CHILD, &told)
                .stdout(Stdio::null())
                .spawn()?;
            // After the last kill it is left alone.
            let after = if killed < kills { 20 + chance.below(1400) } else { 600_000 };
            let ended = tokio::time::timeout(Duration::from_millis(after), child.wait()).await;
            if ended.is_err() {
                child.kill().await?;
                killed += 1;
            }
            let now = parts_at(&uploads)?;
            for (part, kept) in &known {
                // Completed uploads are gone from there.
                assert!(now.get(part).is_none_or(|now| now == kept), "{} was sent without need", part.display());
            }
            if let Ok(status) = ended {
                assert!(status?.success(), "the upload failed");
                break;
            }
        }
        let back = folder.path().join("back");
        let from = S3Uri { bucket: BUCKET.into(), key };
        let options = TransferOptions::new(folder.path().join("back.journal"));
        cloud.download_file(&from, &back, options).join().await?;
        assert!(fs::read(&back)? == fs::read(&file)?, "round {rounds}: the bytes differ");
        assert!(!journal_of(&file).exists());
    }
    let left = cloud.abandoned_uploads(BUCKET, "").await?;
    assert!(left.is_empty(), "left behind: {left:?}");
    eprintln!("{killed} kills in {rounds} uploads, {went_on} of them went on with parts that were there");
    assert!(went_on > 0 || killed < 12, "no upload went on where it was");
    sandbox.stop().await;
    Ok(())
}
