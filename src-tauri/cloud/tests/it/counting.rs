//! A proxy in front of any S3 that notes which parts were sent, stored and asked for. It passes the bytes as they are.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, copy};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};

/// What was seen so far.
#[derive(Default)]
pub struct Seen {
    /// Those that the client can know of: listed to it with an ETag to compare, or written down by itself.
    known: HashSet<String>,
    pub parts_stored: usize,
    pub asked_for_parts: usize,
    /// Sent although the client could have known that they are there.
    pub sent_without_need: Vec<String>,
}

pub struct Counting {
    pub url: String,
    pub seen: Arc<Mutex<Seen>>,
}

impl Counting {
    /// What the client wrote down before it ended.
    pub fn knows(&self, journal: &str) {
        let value = |line: &str, name: &str| {
            let rest = line.split_once(&format!("\"{name}\":"))?.1.trim_start_matches('"');
            Some(rest.split(['"', ',', '}']).next()?.to_owned())
        };
        let Some(upload) = journal.lines().rev().find_map(|line| value(line, "id")) else { return };
        let numbers = journal.lines().filter_map(|line| value(line, "number"));
        lock(&self.seen).known.extend(numbers.map(|number| format!("{number} of {upload}")));
    }

    pub async fn before(store: &str) -> std::io::Result<Self> {
        let store = store.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let noting = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (store, seen) = (store.clone(), Arc::clone(&noting));
                // A connection that breaks is the client's end, which is what this is about.
                tokio::spawn(async move { pass(client, &store, &seen).await.ok() });
            }
        });
        Ok(Self { url, seen })
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn pass(client: TcpStream, store: &str, seen: &Mutex<Seen>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let store = TcpStream::connect(store).await?;
    store.set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let (from_store, mut to_store) = store.into_split();
    let (mut from_client, mut from_store) = (BufReader::new(from_client), BufReader::new(from_store));
    loop {
        let Some(request) = head(&mut from_client).await? else { return Ok(()) };
        let part = part_of(&request);
        note_request(seen, &request, part.as_deref());
        to_store.write_all(request.as_bytes()).await?;
        body(&mut from_client, &mut to_store, &request, true).await?;
        let Some(answer) = head(&mut from_store).await? else { return Ok(()) };
        if part.is_some() && answer.starts_with("HTTP/1.1 200") {
            lock(seen).parts_stored += 1;
        }
        to_client.write_all(answer.as_bytes()).await?;
        let has_body = !request.starts_with("HEAD ") && !answer.starts_with("HTTP/1.1 204");
        if let Some(upload) = listing_of(&request) {
            let mut listing = Vec::new();
            body(&mut from_store, &mut listing, &answer, has_body).await?;
            to_client.write_all(&listing).await?;
            let known = numbers_with_etag(&String::from_utf8_lossy(&listing));
            lock(seen).known.extend(known.iter().map(|number| format!("{number} of {upload}")));
        } else {
            body(&mut from_store, &mut to_client, &answer, has_body).await?;
        }
    }
}

fn note_request(seen: &Mutex<Seen>, request: &str, part: Option<&str>) {
    let target = target_of(request);
    let mut seen = lock(seen);
    if let Some(part) = part {
        if seen.known.contains(part) {
            seen.sent_without_need.push(part.to_owned());
        }
    } else if request.starts_with("GET ") && target.contains("uploadId=") {
        seen.asked_for_parts += 1;
    }
}

fn target_of(request: &str) -> &str {
    request.split(' ').nth(1).unwrap_or_default()
}

/// Number and upload of a part that is being sent.
fn part_of(request: &str) -> Option<String> {
    let (_, query) = target_of(request).split_once('?').filter(|_| request.starts_with("PUT "))?;
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    Some(format!("{} of {}", value("partNumber")?, value("uploadId")?))
}

/// The upload whose parts are asked for.
fn listing_of(request: &str) -> Option<String> {
    let (_, query) = target_of(request).split_once('?').filter(|_| request.starts_with("GET "))?;
    query.split('&').find_map(|pair| pair.strip_prefix("uploadId=")).map(str::to_owned)
}

fn numbers_with_etag(listing: &str) -> Vec<String> {
    let parts = listing.split("<Part>").skip(1).filter(|part| part.contains("<ETag>"));
    let number = |part: &str| Some(part.split_once("<PartNumber>")?.1.split_once('<')?.0.to_owned());
    parts.filter_map(number).collect()
}

async fn head(from: &mut BufReader<OwnedReadHalf>) -> std::io::Result<Option<String>> {
    let mut head = String::new();
    loop {
        if from.read_line(&mut head).await? == 0 {
            return Ok(None);
        }
        if head.ends_with("\r\n\r\n") {
            return Ok(Some(head));
        }
    }
}

async fn body(
    from: &mut BufReader<OwnedReadHalf>,
    to: &mut (impl AsyncWrite + Unpin),
    head: &str,
    has_body: bool,
) -> std::io::Result<()> {
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    if !has_body {
        return Ok(());
    }
    if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        loop {
            let mut line = String::new();
            from.read_line(&mut line).await?;
            to.write_all(line.as_bytes()).await?;
            let length = u64::from_str_radix(line.trim().split(';').next().unwrap_or("0"), 16).unwrap_or(0);
            copy(&mut from.take(length + 2), to).await?;
            if length == 0 {
                return Ok(());
            }
        }
    }
    let length: u64 = header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    copy(&mut from.take(length), to).await.map(drop)
}
