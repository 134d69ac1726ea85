//! Single sign-on from the app: the browser is opened at the page that asks the person, and the connection is tried
//! again when they have answered.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;
use whetstone_cloud::SignIn;
use whetstone_cloud::profiles::{ConfigFiles, Surroundings};
use whetstone_contract::{AppError, AppEvent, Connection, ErrorCode};

use super::from_refusal;
use crate::Workbench;
use crate::errors::{from_cloud, from_join};

/// Sign-ins that wait for the person, by connection; dropping the sender ends one.
#[derive(Default)]
pub struct SignIns(Mutex<HashMap<String, oneshot::Sender<()>>>);

impl SignIns {
    fn begin(&self, connection: &str) -> oneshot::Receiver<()> {
        let (keep, ended) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(connection.to_owned(), keep);
        ended
    }

    pub fn cancel(&self, connection: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(connection);
    }
}

/// Signs a profile in: tells code and page, waits for the person, and writes the token where the AWS CLI looks for it.
///
/// # Errors
/// The profile has no single sign-on, or the person did not let it in.
pub async fn sign_in_profile(profile: String, tell: impl FnOnce(&str, &str) + Send) -> Result<PathBuf, AppError> {
    let surroundings = Surroundings::of_this_process();
    let home = surroundings.home.clone();
    let home =
        home.ok_or_else(|| AppError::new(ErrorCode::Storage, "There is no home folder to keep the sign-in in."))?;
    let read = tokio::task::spawn_blocking(move || ConfigFiles::read(surroundings).plan(&profile));
    let plan = read.await.map_err(|error| from_join(&error))?.map_err(|refusal| from_refusal(&refusal))?;
    let sso = plan.sso().ok_or_else(no_sign_in)?;
    let begun = SignIn::begin(sso, &plan.endpoints).await.map_err(|error| from_cloud(&error))?;
    tell(&begun.user_code, &begun.address);
    begun.wait(&home).await.map_err(|error| from_cloud(&error))
}

impl Workbench {
    /// Answers when the person has signed in and the connection was tried again.
    pub(crate) async fn sign_in(&self, id: &str) -> Result<Connection, AppError> {
        let profile = self.connections.get(id)?.profile.ok_or_else(no_sign_in)?;
        let tell = |code: &str, address: &str| {
            let (connection, code, address) = (id.to_owned(), code.to_owned(), address.to_owned());
            // Whoever has no browser here opens the page elsewhere; its address is shown.
            if address.starts_with("https://") || address.starts_with("http://") {
                self.host.open_in_browser(&address);
            }
            self.host.emit(AppEvent::SignInCode { connection, code, address });
        };
        let ended = self.connections.sign_ins.begin(id);
        let signed_in = tokio::select! {
            written = sign_in_profile(profile, tell) => written,
            _ = ended => Err(AppError::new(ErrorCode::Cancelled, "The sign-in was stopped.")),
        };
        self.connections.sign_ins.cancel(id);
        signed_in?;
        self.connect(id).await;
        self.connections.get(id)
    }
}

fn no_sign_in() -> AppError {
    AppError::new(ErrorCode::Refused, "This connection has no single sign-on.")
        .hint("Renew its credentials where they come from, then connect again.")
}
