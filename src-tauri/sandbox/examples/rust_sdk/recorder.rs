//! Writes down which operations the SDK was content with.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<BTreeSet<String>>>);

impl Recorder {
    /// `SERVICE OPERATION`, a line each.
    pub fn lines(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|line| format!("{line}\n")).collect()
    }
}

#[dyn_dispatch_hint]
impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Some(Ok(_)), Some(call)) = (context.output_or_error(), config.load::<Metadata>()) {
            let line = format!("{} {}", call.service(), call.name());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(line);
        }
        Ok(())
    }
}
