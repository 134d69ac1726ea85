//! A proxy in front of a sandbox that notes which prompts were sent, and to whom. A sandbox answers only to its own name,
//! which is part of what is signed: the requests are signed anew on the way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy};
use tokio::net::{TcpListener, TcpStream};
use whetstone_sandbox::Sandbox;

/// Whom the requests are for, and who signs them.
struct Behind {
    address: String,
    credentials: Credentials,
    region: String,
}

pub struct Proxy {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub async fn before(sandbox: &Sandbox) -> std::io::Result<Self> {
        let keys = sandbox.keys();
        let behind = Arc::new(Behind {
            address: sandbox.endpoint().trim_start_matches("http://").to_owned(),
            credentials: Credentials::new(keys.access_key_id(), keys.secret_access_key(), None, None, "test"),
            region: sandbox.region().to_owned(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noting = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (behind, asked) = (Arc::clone(&behind), Arc::clone(&noting));
                // A connection that breaks is the client's end, which is what this is about.
                tokio::spawn(async move { pass(client, &behind, &asked).await.ok() });
            }
        });
        Ok(Self { url, asked })
    }

    /// Model and prompt of each request so far.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }
}

fn lock(asked: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(client: TcpStream, behind: &Behind, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let server = TcpStream::connect(&behind.address).await?;
    server.set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
    let mut requests = BufReader::new(from_client);
    loop {
        let (mut head, mut length) = (Vec::new(), 0_usize);
        loop {
            let began = head.len();
            if requests.read_until(b'\n', &mut head).await? == 0 {
                answers.abort();
                return Ok(());
            }
            let line = String::from_utf8_lossy(&head[began..]).to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        requests.read_exact(&mut body).await?;
        let first = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
        if first.contains("/converse-stream") {
            lock(asked).push(format!("{first} {}", String::from_utf8_lossy(&body)));
        }
        let head = signed(behind, &String::from_utf8_lossy(&head), &body)
            .ok_or_else(|| std::io::Error::other("a request could not be signed"))?;
        to_server.write_all(head.as_bytes()).await?;
        to_server.write_all(&body).await?;
    }
}

/// The head of a request under the sandbox's own name.
fn signed(behind: &Behind, head: &str, body: &[u8]) -> Option<String> {
    let mut lines = head.lines();
    let first = lines.next()?;
    let (method, target) = first.split_once(' ')?;
    let target = target.split(' ').next()?;
    let fields = lines.filter_map(|line| line.split_once(": ").or_else(|| line.split_once(':')));
    let replaced = ["host", "authorization", "x-amz-date", "connection"];
    let fields: Vec<(&str, &str)> =
        fields.filter(|(name, _)| !replaced.contains(&name.to_ascii_lowercase().as_str())).collect();
    // The service that the client signed for stands in its own signature.
    let service = head.split("/aws4_request").next()?.rsplit('/').next()?;
    let identity = behind.credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&behind.region)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .ok()?;
    let signed_fields = [("host", behind.address.as_str())];
    let uri = format!("http://{}{target}", behind.address);
    let request = SignableRequest::new(method, uri, signed_fields.into_iter(), SignableBody::Bytes(body)).ok()?;
    let (instructions, _) = sign(request, &parameters.into()).ok()?.into_parts();
    let (added, _) = instructions.into_parts();
    let mut whole = format!("{first}\r\nhost: {}\r\n", behind.address);
    for (name, value) in fields {
        whole += &format!("{name}: {value}\r\n");
    }
    for header in &added {
        whole += &format!("{}: {}\r\n", header.name(), header.value());
    }
    Some(whole + "\r\n")
}
