//! Identifiers and ARNs in AWS's own forms.

use rand::Rng;
use rand::TryRngCore;
use rand::rngs::OsRng;

/// The account's own names: everything an ARN needs beside the resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
}

impl Scope<'_> {
    pub(crate) fn job_arn(self, base: &str, id: &str) -> String {
        format!("arn:aws:bedrock:{}:{}:model-customization-job/{base}/{id}", self.region, self.account)
    }

    pub(crate) fn custom_model_arn(self, base: &str, id: &str) -> String {
        format!("arn:aws:bedrock:{}:{}:custom-model/{base}/{id}", self.region, self.account)
    }

    pub(crate) fn provisioned_arn(self, id: &str) -> String {
        format!("arn:aws:bedrock:{}:{}:provisioned-model/{id}", self.region, self.account)
    }

    pub(crate) fn import_job_arn(self, id: &str) -> String {
        format!("arn:aws:bedrock:{}:{}:model-import-job/{id}", self.region, self.account)
    }

    pub(crate) fn imported_model_arn(self, id: &str) -> String {
        format!("arn:aws:bedrock:{}:{}:imported-model/{id}", self.region, self.account)
    }

    pub(crate) fn copy_job_arn(self, id: &str) -> String {
        format!("arn:aws:bedrock:{}:{}:model-copy-job/{id}", self.region, self.account)
    }

    pub(crate) fn deployment_arn(self, id: &str) -> String {
        format!("arn:aws:bedrock:{}:{}:custom-model-deployment/{id}", self.region, self.account)
    }
}

pub(crate) fn foundation_model_arn(region: &str, model: &str) -> String {
    format!("arn:aws:bedrock:{region}::foundation-model/{model}")
}

/// Twelve lower-case letters and digits, the last segment of a resource's ARN.
pub(crate) fn resource_id() -> String {
    random_text(b"abcdefghijklmnopqrstuvwxyz0123456789", 12)
}

/// `length` characters drawn evenly from `alphabet`, from the operating system's generator.
pub(crate) fn random_text(alphabet: &[u8], length: usize) -> String {
    let mut source = OsRng.unwrap_err();
    (0..length).map(|_| char::from(alphabet[source.random_range(0..alphabet.len())])).collect()
}

/// A request id in the form of a UUID.
pub(crate) fn request_id() -> String {
    let hex = random_text(b"0123456789abcdef", 32);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The last segment of an ARN, or the whole text when it is no ARN.
pub(crate) fn last_segment(identifier: &str) -> &str {
    if identifier.starts_with("arn:") { identifier.rsplit('/').next().unwrap_or(identifier) } else { identifier }
}
