use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::net::TcpListener;
use whetstone_cloud::{Bandwidth, Cloud, CloudErrorCode, S3Uri, Timeouts, Transfer, TransferOptions};

use crate::answering::{Answering, Reply, endpoint};
use crate::s3::store;

const MIB: usize = 1024 * 1024;

/// Bytes in which a part that is missing, doubled or out of place would show.
fn content(length: usize) -> Vec<u8> {
    (0..length as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

fn at(key: &str) -> S3Uri {
    S3Uri { bucket: "data".into(), key: key.into() }
}

fn limited(journal: PathBuf, bytes_a_second: u64) -> TransferOptions {
    TransferOptions { bandwidth: Arc::new(Bandwidth::limited(Some(bytes_a_second))), ..TransferOptions::new(journal) }
}

/// Waits until so many bytes have gone.
async fn until(transfer: &mut Transfer, bytes: u64) {
    while transfer.next_progress().await.unwrap().bytes < bytes {}
}

#[tokio::test]
async fn files_of_every_size_go_and_come_back_whole() {
    let store = store().await;
    let folder = tempfile::tempdir().unwrap();
    let (file, back) = (folder.path().join("file"), folder.path().join("back"));
    let options = || TransferOptions::new(folder.path().join("journal"));
    for length in [0, 1, 1000, 8 * MIB, 8 * MIB + 1, 25 * MIB + 7] {
        fs::write(&file, content(length)).unwrap();
        let key = at(&format!("folder/a file of {length}.jsonl"));
        let mut up = store.cloud.upload_file(&file, &key, options());
        let mut last = up.progress();
        while let Some(progress) = up.next_progress().await {
            assert!(progress.bytes <= length as u64, "{progress:?}");
            last = progress;
        }
        let sent = up.join().await.unwrap_or_else(|error| panic!("{length} bytes: {error}"));
        // This store keeps no checksum of what came in parts, and says so.
        let unchecked = u64::from(length > 8 * MIB);
        assert_eq!((sent.files, sent.bytes, sent.unchecked), (1, length as u64, unchecked));
        assert_eq!((last.bytes, last.total_bytes), (length as u64, length as u64));
        let brought = store.cloud.download_file(&key, &back, options()).join().await.unwrap();
        assert_eq!((brought.files, brought.bytes, brought.unchecked), (1, length as u64, unchecked), "{length} bytes");
        assert!(fs::read(&back).unwrap() == fs::read(&file).unwrap(), "{length} bytes");
    }
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "neither journal nor half a file stays: {left:?}");
}

#[tokio::test]
async fn a_folder_goes_and_comes_back_with_all_that_is_in_it() {
    let store = store().await;
    let folder = tempfile::tempdir().unwrap();
    let (here, back) = (folder.path().join("here"), folder.path().join("back"));
    fs::create_dir_all(here.join("a/b")).unwrap();
    for number in 0..300 {
        fs::write(here.join(format!("a/{number}.txt")), content(number * 7)).unwrap();
    }
    fs::write(here.join("a/b/large"), content(19 * MIB)).unwrap();
    let options = || TransferOptions::new(folder.path().join("journal"));
    let sent = store.cloud.upload_folder(&here, &at("out"), options()).join().await.unwrap();
    assert_eq!(sent.files, 301);
    let brought = store.cloud.download_folder(&at("out/"), &back, options()).join().await.unwrap();
    assert_eq!((brought.files, brought.bytes), (301, sent.bytes));
    for number in 0..300 {
        assert_eq!(fs::read(back.join(format!("a/{number}.txt"))).unwrap(), content(number * 7));
    }
    assert!(fs::read(back.join("a/b/large")).unwrap() == content(19 * MIB));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    let store = store().await;
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("not-there.jsonl"), folder.path().to_owned()] {
        let options = TransferOptions::new(folder.path().join("journal"));
        let error = store.cloud.upload_file(&path, &at("key"), options).join().await.unwrap_err();
        assert_eq!(error.code, CloudErrorCode::LocalFile);
        assert!(error.message.contains(&path.display().to_string()), "{error}");
    }
}

#[tokio::test]
async fn what_was_stopped_half_way_goes_on_where_it_was() {
    let store = store().await;
    let folder = tempfile::tempdir().unwrap();
    let (file, back) = (folder.path().join("file"), folder.path().join("back"));
    let journal = folder.path().join("journal");
    // So long that it is nowhere near its end when it is stopped: this store does not complete an upload twice.
    fs::write(&file, content(129 * MIB)).unwrap();
    let mut up = store.cloud.upload_file(&file, &at("key"), limited(journal.clone(), 60_000_000));
    // Four parts begin together, so by now one has arrived.
    until(&mut up, 34 * MIB as u64).await;
    up.stop().await;
    let mut up = store.cloud.upload_file(&file, &at("key"), limited(journal.clone(), 60_000_000));
    let first = loop {
        match up.next_progress().await {
            Some(progress) if progress.bytes > 0 => break progress,
            Some(_) => {}
            None => panic!("it ended: {:?}", up.join().await),
        }
    };
    assert!(first.bytes >= 8 * MIB as u64, "{first:?}");
    up.join().await.unwrap();

    let mut down = store.cloud.download_file(&at("key"), &back, limited(journal.clone(), 60_000_000));
    until(&mut down, 20 * MIB as u64).await;
    down.stop().await;
    assert!(!back.exists());
    store.cloud.download_file(&at("key"), &back, limited(journal, 60_000_000)).join().await.unwrap();
    assert!(fs::read(&back).unwrap() == content(129 * MIB));
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_told_and_not_uploaded_mixed() {
    let store = store().await;
    let folder = tempfile::tempdir().unwrap();
    let (file, journal) = (folder.path().join("file"), folder.path().join("journal"));
    fs::write(&file, content(41 * MIB)).unwrap();
    let mut up = store.cloud.upload_file(&file, &at("key"), limited(journal.clone(), 60_000_000));
    until(&mut up, 20 * MIB as u64).await;
    up.stop().await;
    let other: Vec<u8> = content(41 * MIB).into_iter().rev().collect();
    fs::write(&file, &other).unwrap();
    let again = || store.cloud.upload_file(&file, &at("key"), TransferOptions::new(&journal)).join();
    let error = again().await.unwrap_err();
    assert!(error.code == CloudErrorCode::LocalFile && error.message.contains("changed"), "{error}");
    assert_eq!(store.cloud.head_object("data", "key").await.unwrap_err().code, CloudErrorCode::NotFound);
    again().await.unwrap();
    let back = folder.path().join("back");
    store.cloud.download_file(&at("key"), &back, TransferOptions::new(&journal)).join().await.unwrap();
    assert!(fs::read(&back).unwrap() == other);
}

#[tokio::test]
async fn a_paused_transfer_begins_nothing_until_it_goes_on() {
    let store = store().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, content(64 * MIB)).unwrap();
    let mut up = store.cloud.upload_file(&file, &at("key"), limited(folder.path().join("journal"), 100_000_000));
    until(&mut up, MIB as u64).await;
    up.pause();
    // What is under way comes to its end; then two looks in a row see the same.
    let mut before = None;
    let still = loop {
        let progress = up.next_progress().await.unwrap();
        if progress.paused && before == Some(progress.bytes) {
            break progress.bytes;
        }
        before = Some(progress.bytes);
    };
    assert!(still < 64 * MIB as u64);
    up.resume();
    assert_eq!(up.join().await.unwrap().bytes, 64 * MIB as u64);
}

#[tokio::test]
async fn an_object_that_is_not_what_was_uploaded_is_not_taken() {
    let store = store().await;
    let folder = tempfile::tempdir().unwrap();
    let (file, back) = (folder.path().join("file"), folder.path().join("back"));
    let options = || TransferOptions::new(folder.path().join("journal"));
    fs::write(&file, content(MIB)).unwrap();
    store.cloud.upload_file(&file, &at("key"), options()).join().await.unwrap();
    let mut damaged = content(MIB);
    damaged[MIB / 2] ^= 1;
    fs::write(store.folder.path().join("data/key"), damaged).unwrap();
    store.cloud.download_file(&at("key"), &back, options()).join().await.unwrap_err();
    assert!(!back.exists());
}

/// A store that begins an upload in parts and answers each part as the test says.
async fn begun_upload(part: fn() -> Reply) -> (Answering, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("large"), content(17 * MIB)).unwrap();
    let server = Answering::start(move |_, asked| match asked.method.as_str() {
        "POST" => {
            Reply::xml("<InitiateMultipartUploadResult><UploadId>the-upload</UploadId></InitiateMultipartUploadResult>")
        }
        "PUT" => part(),
        _ => Reply::Answer { status: 204, headers: vec![], body: vec![] },
    })
    .await;
    (server, folder)
}

fn upload_large(cloud: &Cloud, folder: &Path) -> Transfer {
    cloud.upload_file(&folder.join("large"), &at("key"), TransferOptions::new(folder.join("journal")))
}

async fn aborted(server: &mut Answering) {
    loop {
        let asked = server.asked().await;
        if asked.method == "DELETE" {
            assert!(asked.target.contains("uploadId=the-upload"), "{}", asked.target);
            return;
        }
    }
}

#[tokio::test]
async fn an_upload_that_is_refused_and_given_up_leaves_no_parts_behind() {
    let (mut server, folder) = begun_upload(|| Reply::s3_error(403, "AccessDenied")).await;
    let error = upload_large(&server.cloud(), folder.path()).join().await.unwrap_err();
    assert_eq!((error.code, error.operation), (CloudErrorCode::AccessDenied, "UploadPart"));
    server.cloud().discard_transfer(&folder.path().join("journal")).await.unwrap();
    aborted(&mut server).await;
    assert!(!folder.path().join("journal").exists());
}

#[tokio::test]
async fn a_cancelled_upload_leaves_no_parts_behind() {
    let (mut server, folder) = begun_upload(|| Reply::ThenSilence(vec![])).await;
    let upload = upload_large(&server.cloud(), folder.path());
    while server.asked().await.method != "PUT" {}
    upload.cancel();
    assert_eq!(upload.join().await.unwrap_err().code, CloudErrorCode::Cancelled);
    aborted(&mut server).await;
    assert!(!folder.path().join("journal").exists());
}

#[tokio::test]
async fn an_upload_that_nobody_answers_ends_in_a_timeout() {
    let timeouts = Timeouts { transfer: Duration::from_millis(200), ..Timeouts::default() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small");
    fs::write(&path, content(1000)).unwrap();
    let server = Answering::start(|_, _| Reply::ThenSilence(vec![])).await;
    let options = TransferOptions::new(folder.path().join("journal"));
    let error = server.cloud_with(timeouts).upload_file(&path, &at("key"), options).join().await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::Timeout, "{error}");
}

#[tokio::test]
async fn an_upload_that_nobody_takes_in_ends_before_its_time_is_over() {
    let timeouts = Timeouts { stall: Duration::from_millis(300), ..Timeouts::default() };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, content(8 * MIB)).unwrap();
    // Connections are made and held, and nothing is ever read from them.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cloud = Cloud::connect_with(endpoint(&format!("http://{}", listener.local_addr().unwrap())), timeouts).unwrap();
    let begun = Instant::now();
    let options = TransferOptions::new(folder.path().join("journal"));
    let error = cloud.upload_file(&file, &at("key"), options).join().await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::Timeout, "{error}");
    assert!(begun.elapsed() < timeouts.transfer / 4, "{:?}", begun.elapsed());
}
