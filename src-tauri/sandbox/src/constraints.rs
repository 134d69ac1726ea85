//! The constraints of the service model: lengths, patterns and required members, and the words in which the service
//! says that one is broken. All that is wrong with a request is said at once.
//!
//! The patterns are those of botocore's `bedrock` model. They are compiled by the `regex` crate, whose time is linear
//! in its input, so a request cannot make one run long.

use std::sync::LazyLock;

use regex::Regex;

use crate::errors::ApiError;

/// A named kind of text with its bounds.
pub(crate) struct Rule {
    min: usize,
    max: usize,
    pattern: &'static str,
    regex: LazyLock<Option<Regex>>,
}

macro_rules! rule {
    ($name:ident, $min:expr, $max:expr, $pattern:expr) => {
        pub(crate) static $name: Rule = Rule {
            min: $min,
            max: $max,
            pattern: $pattern,
            // A test compiles every pattern, so none is missing in a program that was built.
            regex: LazyLock::new(|| Regex::new(concat!("^(?:", $pattern, ")$")).ok()),
        };
    };
}

rule!(JOB_NAME, 1, 63, r"[a-zA-Z0-9](-*[a-zA-Z0-9\+\-\.])*");
rule!(CUSTOM_MODEL_NAME, 1, 63, r"([0-9a-zA-Z][_-]?){1,63}");
rule!(ROLE_ARN, 0, 2048, r"arn:aws(-[^:]+)?:iam::([0-9]{12})?:role/.+");
rule!(TOKEN, 1, 256, r"[a-zA-Z0-9]([-a-zA-Z0-9]{0,254}[a-zA-Z0-9])?");
rule!(S3_URI, 1, 1024, r"s3://[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](?:/[-!_*'().a-z0-9A-Z]+(?:/[-!_*'().a-z0-9A-Z]+)*)?/?");
rule!(
    KMS_KEY,
    1,
    2048,
    r"(arn:aws(-[^:]+)?:kms:[a-zA-Z0-9-]*:[0-9]{12}:((key/[a-zA-Z0-9-]{36})|(alias/[a-zA-Z0-9-_/]+)))|([a-zA-Z0-9-]{36})|(alias/[a-zA-Z0-9-_/]+)"
);
rule!(
    BASE_MODEL,
    1,
    2048,
    r"(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(([0-9]{12}:custom-model/([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})/[a-z0-9]{12})|(:foundation-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([:][a-z0-9-]{1,63}){0,2})))|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})|(([0-9a-zA-Z][_-]?)+)"
);
rule!(
    CUSTOM_MODEL_ARN,
    20,
    1011,
    r"arn:aws(|-us-gov|-cn|-iso|-iso-b):bedrock:[a-z0-9-]{1,20}:[0-9]{12}:custom-model/(imported|[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([a-z0-9-]{1,63}[.]){0,2}[a-z0-9-]{1,63}([:][a-z0-9-]{1,63}){0,2})/[a-z0-9]{12}"
);
rule!(THROUGHPUT_NAME, 1, 63, r"([0-9a-zA-Z][_-]?)+");
rule!(
    SERVED_MODEL_ARN,
    20,
    1011,
    r"arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(([0-9]{12}:custom-model/((imported)|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}))(([:][a-z0-9-]{1,63}){0,2})?/[a-z0-9]{12})|(:foundation-model/[a-z0-9-]{1,63}[.]{1}([a-z0-9-]{1,63}[.]){0,2}[a-z0-9-]{1,63}([:][a-z0-9-]{1,63}){0,2}))"
);
rule!(REQUEST_METADATA_KEY, 1, 256, r"[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}");
rule!(REQUEST_METADATA_VALUE, 0, 256, r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}");
rule!(DESCRIPTION, 1, 2048, r".*");
rule!(
    TEACHER_MODEL,
    1,
    2048,
    r"(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:((:foundation-model/([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})|(([0-9a-zA-Z][_-]?)+)$)|([0-9]{12}:inference-profile/[a-zA-Z0-9-:.]+$)))|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})"
);
rule!(METADATA_KEY, 1, 256, r"[a-zA-Z0-9\s._:/=+$@-]{1,256}");
rule!(METADATA_VALUE, 0, 256, r"[a-zA-Z0-9\s._:/=+$@-]{0,256}");
rule!(PROVIDER, 1, 63, r"[A-Za-z0-9- ]{1,63}");
rule!(NAME_PART, 1, 63, r".*");
rule!(VPC_ID, 0, 32, r"[-0-9a-zA-Z]+");
rule!(TAG_KEY, 1, 128, r"[a-zA-Z0-9\s._:/=+@-]*");
rule!(TAG_VALUE, 0, 256, r"[a-zA-Z0-9\s._:/=+@-]*");
// The service's own pattern spells out every kind of resource; which of them there are here is asked of the state.
rule!(TAGGABLE_ARN, 20, 1011, r"arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:([0-9]{12}|):[a-z-]+/[a-zA-Z0-9./:-]+");

/// Gathers what is wrong with one request.
#[derive(Default)]
pub(crate) struct Checks {
    broken: Vec<String>,
}

impl Checks {
    /// A member that must be there and keep `rule`. A missing one reads as empty, and `finish` refuses the request.
    pub(crate) fn required<'a>(&mut self, member: &str, value: Option<&'a str>, rule: &Rule) -> &'a str {
        match value {
            None => {
                self.missing(member);
                ""
            }
            Some(value) => {
                self.text(member, value, rule);
                value
            }
        }
    }

    pub(crate) fn optional(&mut self, member: &str, value: Option<&str>, rule: &Rule) {
        if let Some(value) = value {
            self.text(member, value, rule);
        }
    }

    pub(crate) fn missing(&mut self, member: &str) {
        self.broken(format!("Value at '{member}' failed to satisfy constraint: Member must not be null"));
    }

    pub(crate) fn one_of(&mut self, member: &str, value: Option<&str>, allowed: &[&str]) {
        if let Some(value) = value.filter(|value| !allowed.contains(value)) {
            let allowed = allowed.join(", ");
            self.broken(format!(
                "Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [{allowed}]"
            ));
        }
    }

    /// A union, of whose members so many were given.
    pub(crate) fn exactly_one(&mut self, member: &str, given: usize) {
        if given != 1 {
            self.broken(format!(
                "Value at '{member}' failed to satisfy constraint: Exactly one member of the union must be set"
            ));
        }
    }

    /// A number with its least and greatest value.
    pub(crate) fn range(&mut self, member: &str, value: f64, min: f64, max: f64) {
        let bound = if value < min {
            format!("greater than or equal to {min}")
        } else if value > max || value.is_nan() {
            format!("less than or equal to {max}")
        } else {
            return;
        };
        self.broken(format!(
            "Value '{value}' at '{member}' failed to satisfy constraint: Member must have value {bound}"
        ));
    }

    pub(crate) fn at_most(&mut self, member: &str, length: usize, max: usize) {
        if length > max {
            self.broken(format!(
                "Value at '{member}' failed to satisfy constraint: Member must have length less than or equal to {max}"
            ));
        }
    }

    pub(crate) fn finish(self) -> Result<(), ApiError> {
        let count = self.broken.len();
        if count == 0 {
            return Ok(());
        }
        let word = if count == 1 { "error" } else { "errors" };
        Err(ApiError::validation(format!("{count} validation {word} detected: {}", self.broken.join("; "))))
    }

    fn text(&mut self, member: &str, value: &str, rule: &Rule) {
        let length = value.chars().count();
        let shown: String = value.chars().take(200).collect();
        if length < rule.min || length > rule.max {
            let bound = if length < rule.min {
                format!("greater than or equal to {}", rule.min)
            } else {
                format!("less than or equal to {}", rule.max)
            };
            self.broken(format!(
                "Value '{shown}' at '{member}' failed to satisfy constraint: Member must have length {bound}"
            ));
        } else if !rule.regex.as_ref().is_some_and(|regex| regex.is_match(value)) {
            self.broken(format!(
                "Value '{shown}' at '{member}' failed to satisfy constraint: Member must satisfy regular expression pattern: {}",
                rule.pattern
            ));
        }
    }

    fn broken(&mut self, text: String) {
        self.broken.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeps(rule: &Rule, value: &str) -> bool {
        let mut checks = Checks::default();
        checks.required("member", Some(value), rule);
        checks.finish().is_ok()
    }

    #[test]
    fn every_pattern_compiles_and_knows_its_own() {
        for (rule, good, bad) in [
            (&JOB_NAME, "tune-1.a+b", "-tune"),
            (&CUSTOM_MODEL_NAME, "my-model_1", "my--model"),
            (&ROLE_ARN, "arn:aws:iam::123456789012:role/R", "arn:aws:iam::12:role/R"),
            (&TOKEN, "a-1", "-a"),
            (&S3_URI, "s3://my-bucket/a/b.jsonl", "s3://my-bucket/a b"),
            (&KMS_KEY, "alias/mine", "mine key"),
            (&BASE_MODEL, "amazon.nova-micro-v1:0:128k", "Amazon Nova"),
            (
                &CUSTOM_MODEL_ARN,
                "arn:aws:bedrock:us-east-1:123456789012:custom-model/whetstone.tiny-v1/abcdefghijkl",
                "whetstone.tiny-v1",
            ),
            (&THROUGHPUT_NAME, "live_1", "-live"),
            (&SERVED_MODEL_ARN, "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0:128k", "a.b"),
            (&REQUEST_METADATA_KEY, "team", ""),
            (&REQUEST_METADATA_VALUE, "", "{}"),
            (&DESCRIPTION, "anything", ""),
            (&METADATA_KEY, "cost center", "a,b"),
            (&METADATA_VALUE, "", "a,b"),
            (&TEACHER_MODEL, "us.meta.llama3-3-70b-instruct-v1:0", "Nova Pro"),
            (&PROVIDER, "AI21 Labs", "a.b"),
            (&NAME_PART, "part", ""),
            (&VPC_ID, "subnet-0ab", "subnet 0ab"),
            (&TAG_KEY, "team:a/b", "team&"),
            (&TAG_VALUE, "", "a&b"),
            (&TAGGABLE_ARN, "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghijkl", "imported-model"),
        ] {
            assert!(keeps(rule, good), "{good}");
            assert!(!keeps(rule, bad), "{bad}");
        }
        assert!(!keeps(&S3_URI, "s3://bucket//a"), "double slashes are refused");
        assert!(!keeps(&JOB_NAME, &"a".repeat(64)));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let mut checks = Checks::default();
        checks.required("jobName", None, &JOB_NAME);
        checks.one_of("customizationType", Some("MAGIC"), &["FINE_TUNING"]);
        let message = checks.finish().err().map(|error| error.message).unwrap_or_default();
        assert!(message.starts_with("2 validation errors detected: "), "{message}");
        assert!(message.contains("'jobName'") && message.contains("'MAGIC'"), "{message}");
    }
}
