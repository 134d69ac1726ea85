//! Single sign-on from the app: the device flow of IAM Identity Center, and its token where the AWS CLI and the SDKs look
//! for it, so that a sign-in here is one for all of them.
//!
//! The only place of this crate that asks again by itself: the protocol says how often, and for how long.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::tls;
use aws_smithy_types::{DateTime, date_time::Format};
use serde::Serialize;
use sha1::{Digest, Sha1};

use crate::profiles::{Endpoints, Service, Sso};
use crate::{CloudError, CloudErrorCode};

/// How Identity Center shows who asks.
const CLIENT: &str = "Whetstone";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What a session asks for when its section names no scopes, as the AWS CLI does.
const SCOPE: &str = "sso:account:access";
/// The protocol's own pause where the service names none.
const PAUSE: Duration = Duration::from_secs(5);

/// A sign-in that waits for the person.
pub struct SignIn {
    client: aws_sdk_ssooidc::Client,
    sso: Sso,
    client_id: String,
    client_secret: String,
    registration_ends: SystemTime,
    device_code: String,
    pause: Duration,
    /// What the page in the browser must show, too.
    pub user_code: String,
    /// The page to open.
    pub address: String,
    /// The person has until then.
    pub ends: SystemTime,
}

/// As the AWS CLI writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CachedToken<'a> {
    start_url: &'a str,
    region: &'a str,
    access_token: &'a str,
    expires_at: String,
    client_id: &'a str,
    client_secret: &'a str,
    registration_expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

impl SignIn {
    /// Asks Identity Center for a code.
    ///
    /// # Errors
    /// What a call met with.
    pub async fn begin(sso: &Sso, endpoints: &Endpoints) -> Result<Self, CloudError> {
        let client = client(sso, endpoints);
        // A session's token can be refreshed for as long as the administrator lets it; one of the old way cannot.
        let scopes = match (&sso.session, sso.scopes.is_empty()) {
            (None, _) => None,
            (Some(_), true) => Some(vec![SCOPE.to_owned()]),
            (Some(_), false) => Some(sso.scopes.clone()),
        };
        let call = client.register_client().client_name(CLIENT).client_type("public").set_scopes(scopes);
        let registered = call.send().await.map_err(CloudError::of("RegisterClient"))?;
        let lacking = |operation: &'static str| move || CloudError::unreadable(operation);
        let client_id = registered.client_id.ok_or_else(lacking("RegisterClient"))?;
        let client_secret = registered.client_secret.ok_or_else(lacking("RegisterClient"))?;
        let seconds = u64::try_from(registered.client_secret_expires_at).unwrap_or_default();
        let call = client.start_device_authorization().client_id(&client_id).client_secret(&client_secret);
        let started =
            call.start_url(&sso.start_url).send().await.map_err(CloudError::of("StartDeviceAuthorization"))?;
        let lacking = || CloudError::unreadable("StartDeviceAuthorization");
        Ok(Self {
            client,
            sso: sso.clone(),
            client_id,
            client_secret,
            registration_ends: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            device_code: started.device_code.ok_or_else(lacking)?,
            pause: u64::try_from(started.interval).ok().filter(|one| *one > 0).map_or(PAUSE, Duration::from_secs),
            user_code: started.user_code.ok_or_else(lacking)?,
            address: started.verification_uri_complete.or(started.verification_uri).ok_or_else(lacking)?,
            ends: SystemTime::now() + Duration::from_secs(u64::try_from(started.expires_in).unwrap_or_default()),
        })
    }

    /// Waits for the person, then writes the token down beneath their home folder. Dropping the future ends it.
    ///
    /// # Errors
    /// `Expired` when the code ran out, `AccessDenied` when the person said no, `LocalFile` when it cannot be written.
    pub async fn wait(mut self, home: &Path) -> Result<PathBuf, CloudError> {
        loop {
            let call = self.client.create_token().client_id(&self.client_id).client_secret(&self.client_secret);
            let answer = call.grant_type(DEVICE).device_code(&self.device_code).send().await;
            let error = match answer {
                Ok(token) => {
                    let access = token.access_token.ok_or_else(|| CloudError::unreadable("CreateToken"))?;
                    let seconds = u64::try_from(token.expires_in).unwrap_or_default();
                    let ends = SystemTime::now() + Duration::from_secs(seconds);
                    return self.write(home, &access, token.refresh_token.as_deref(), ends);
                }
                Err(error) => CloudError::of("CreateToken")(error),
            };
            match error.aws_code.as_deref() {
                Some("AuthorizationPendingException") => {}
                Some("SlowDownException") => self.pause += PAUSE,
                _ => return Err(error),
            }
            tokio::time::sleep(self.pause).await;
        }
    }

    fn write(&self, home: &Path, access: &str, refresh: Option<&str>, ends: SystemTime) -> Result<PathBuf, CloudError> {
        let time = |at: SystemTime| DateTime::from(at).fmt(Format::DateTime).unwrap_or_default();
        let whole_seconds = |at: SystemTime| {
            let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        };
        let token = CachedToken {
            start_url: &self.sso.start_url,
            region: &self.sso.region,
            access_token: access,
            expires_at: whole_seconds(ends),
            client_id: &self.client_id,
            client_secret: &self.client_secret,
            registration_expires_at: whole_seconds(self.registration_ends),
            refresh_token: refresh,
        };
        let path = token_file(home, &self.sso);
        let text = serde_json::to_vec(&token).unwrap_or_default();
        write_private(&path, &text).map_err(|error| {
            let message = format!("{} cannot be written: {error}", path.display());
            CloudError::new("SignIn", CloudErrorCode::LocalFile, message)
        })?;
        Ok(path)
    }
}

fn client(sso: &Sso, endpoints: &Endpoints) -> aws_sdk_ssooidc::Client {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(sso.region.clone()))
        .http_client(http);
    config.set_endpoint_url(endpoints.get(Service::SsoOidc).map(str::to_owned));
    aws_sdk_ssooidc::Client::new(&config.build())
}

/// Where the AWS CLI keeps the token of a session, or of a start address of the old way.
fn token_file(home: &Path, sso: &Sso) -> PathBuf {
    let name = sso.session.as_ref().unwrap_or(&sso.start_url);
    let hex: String = Sha1::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    home.join(".aws").join("sso").join("cache").join(format!("{hex}.json"))
}

/// For the person's eyes only, whole or not at all.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let beside = path.with_extension("json.whetstone");
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
