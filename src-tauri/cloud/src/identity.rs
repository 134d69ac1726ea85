//! Whose credentials these are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_sts::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;
use aws_smithy_types::{DateTime, date_time::Format};

use crate::{Cloud, CloudError};

/// The account and the user or role that a call is made as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub account: String,
    pub arn: String,
}

impl Cloud {
    /// Asks STS. It needs no permission, so a refusal is about the credentials themselves.
    ///
    /// # Errors
    /// `Credentials`, `Expired`, `Signature`, `ClockSkew`, or what the network did.
    pub async fn identity(&self) -> Result<Identity, CloudError> {
        let answer = self.sts.get_caller_identity().send().await.map_err(CloudError::of("GetCallerIdentity"))?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok(Identity { account, arn }),
            _ => Err(CloudError::unreadable("GetCallerIdentity")),
        }
    }

    /// How many seconds AWS's clock was ahead of this computer's at the last answer of STS, also when that was a refusal.
    pub fn clock_ahead(&self) -> Option<f64> {
        self.clock.ahead()
    }
}

/// Notes the time that each answer carries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock(Arc<Mutex<Option<f64>>>);

impl Clock {
    fn ahead(&self) -> Option<f64> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        if let Some(theirs) = date.and_then(|text| DateTime::from_str(text, Format::HttpDate).ok()) {
            let ours = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(theirs.as_secs_f64() - ours);
        }
        Ok(())
    }
}
