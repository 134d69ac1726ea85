//! The AWS SDK for Rust over the sandbox's operations: `rust-sdk` reads the environment that `whetstone sandbox env`
//! prints, makes each call once or more, and writes `SERVICE OPERATION` to standard output for every call that the SDK
//! was content with. The conformance tests run it and keep their table with what it writes.
//!
//! The clients are the SDK's own, with its own parsers; an interceptor, which the SDK offers for that, sees what
//! succeeded. A call that fails ends the program with what the SDK said.

mod account;
mod bedrock;
mod objects;
mod recorder;
mod runtime;
mod serving;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls;
use recorder::Recorder;

pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The bucket that everything here happens in.
pub const BUCKET: &str = "rust-sdk";

/// A client of each service, and what they have done.
pub struct Clients {
    pub bedrock: aws_sdk_bedrock::Client,
    pub runtime: aws_sdk_bedrockruntime::Client,
    pub s3: aws_sdk_s3::Client,
    pub sts: aws_sdk_sts::Client,
    pub iam: aws_sdk_iam::Client,
    pub quotas: aws_sdk_servicequotas::Client,
    pub pricing: aws_sdk_pricing::Client,
    /// The service role of the sandbox.
    pub role: String,
}

impl Clients {
    fn new(config: &SdkConfig, recorder: &Recorder, role: String) -> Self {
        let seen = recorder.clone();
        Self {
            bedrock: aws_sdk_bedrock::Client::from_conf(
                aws_sdk_bedrock::config::Builder::from(config).interceptor(seen.clone()).build(),
            ),
            runtime: aws_sdk_bedrockruntime::Client::from_conf(
                aws_sdk_bedrockruntime::config::Builder::from(config).interceptor(seen.clone()).build(),
            ),
            s3: aws_sdk_s3::Client::from_conf(
                aws_sdk_s3::config::Builder::from(config).force_path_style(true).interceptor(seen.clone()).build(),
            ),
            sts: aws_sdk_sts::Client::from_conf(
                aws_sdk_sts::config::Builder::from(config).interceptor(seen.clone()).build(),
            ),
            iam: aws_sdk_iam::Client::from_conf(
                aws_sdk_iam::config::Builder::from(config).interceptor(seen.clone()).build(),
            ),
            quotas: aws_sdk_servicequotas::Client::from_conf(
                aws_sdk_servicequotas::config::Builder::from(config).interceptor(seen.clone()).build(),
            ),
            pricing: aws_sdk_pricing::Client::from_conf(
                aws_sdk_pricing::config::Builder::from(config).interceptor(seen).build(),
            ),
            role,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let recorder = Recorder::default();
    let outcome = Box::pin(all(&recorder)).await;
    if let Err(error) = std::io::stdout().write_all(recorder.lines().as_bytes()) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}\n{error:?}");
            ExitCode::FAILURE
        }
    }
}

async fn all(recorder: &Recorder) -> Outcome<()> {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let clients = Clients::new(&config, recorder, std::env::var("WHETSTONE_ROLE_ARN")?);
    account::all(&clients).await?;
    objects::all(&clients).await?;
    let tuned = bedrock::tune(&clients).await?;
    runtime::all(&clients, &tuned.deployment).await?;
    serving::all(&clients, &tuned.model).await?;
    bedrock::clear(&clients, &tuned).await
}

/// Asks again, as every client of these services must, until there is an answer.
pub async fn until<T>(mut ask: impl AsyncFnMut() -> Outcome<Option<T>>) -> Outcome<T> {
    for _ in 0..1200 {
        if let Some(found) = ask().await? {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("waited a minute in vain".into())
}
