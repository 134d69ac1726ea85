//! Digests: what a request says its body must hash to, what was computed, and what is kept with an object.
//!
//! An object that was uploaded in parts keeps either the digest of the whole or the digest of its parts' digests, as
//! S3 has it: `FULL_OBJECT` or `COMPOSITE`.

use aws_smithy_types::base64;
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::dto;
use s3s::{S3Result, TrailingHeaders, s3_error};
use serde::{Deserialize, Serialize};

/// Checksums that a client asked to be kept, in base64.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Checksums {
    pub(crate) crc32: Option<String>,
    pub(crate) crc32c: Option<String>,
    pub(crate) crc64nvme: Option<String>,
    pub(crate) sha1: Option<String>,
    pub(crate) sha256: Option<String>,
    /// They are digests of the parts' digests.
    pub(crate) composite: bool,
}

/// The algorithms by the names of their headers.
pub(super) const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

impl Checksums {
    pub(super) fn get(&self, algorithm: &str) -> Option<&str> {
        match algorithm {
            "crc32" => self.crc32.as_deref(),
            "crc32c" => self.crc32c.as_deref(),
            "crc64nvme" => self.crc64nvme.as_deref(),
            "sha1" => self.sha1.as_deref(),
            "sha256" => self.sha256.as_deref(),
            _ => None,
        }
    }

    pub(super) fn set(&mut self, algorithm: &str, value: Option<String>) {
        match algorithm {
            "crc32" => self.crc32 = value,
            "crc32c" => self.crc32c = value,
            "crc64nvme" => self.crc64nvme = value,
            "sha1" => self.sha1 = value,
            "sha256" => self.sha256 = value,
            _ => {}
        }
    }

    /// What the kept checksums are digests of; `None` when there are none.
    pub(super) fn kind(&self) -> Option<dto::ChecksumType> {
        ALGORITHMS.iter().find_map(|one| self.get(one))?;
        let kind = if self.composite { dto::ChecksumType::COMPOSITE } else { dto::ChecksumType::FULL_OBJECT };
        Some(dto::ChecksumType::from_static(kind))
    }

    pub(super) fn of(computed: dto::Checksum) -> Self {
        Self {
            crc32: computed.checksum_crc32,
            crc32c: computed.checksum_crc32c,
            crc64nvme: computed.checksum_crc64nvme,
            sha1: computed.checksum_sha1,
            sha256: computed.checksum_sha256,
            composite: false,
        }
    }
}

/// Fills the checksum members that many answers have, beside their other ones.
macro_rules! with_checksums {
    ($checksums:expr, $($shape:ident)::+ { $($members:tt)* }) => {{
        let checksums = $checksums;
        $($shape)::+ {
            checksum_crc32: checksums.crc32,
            checksum_crc32c: checksums.crc32c,
            checksum_crc64nvme: checksums.crc64nvme,
            checksum_sha1: checksums.sha1,
            checksum_sha256: checksums.sha256,
            $($members)*
        }
    }};
}
pub(super) use with_checksums;

/// A hasher of the algorithms that `wanted` names.
pub(super) fn hasher(wanted: impl Fn(&str) -> bool) -> ChecksumHasher {
    ChecksumHasher {
        crc32: wanted("crc32").then(Default::default),
        crc32c: wanted("crc32c").then(Default::default),
        crc64nvme: wanted("crc64nvme").then(Default::default),
        sha1: wanted("sha1").then(Default::default),
        sha256: wanted("sha256").then(Default::default),
    }
}

/// What a request says its body must hash to, in headers and trailers.
pub(super) struct Declared {
    given: Checksums,
    /// `CRC32`, `SHA256`, …: a checksum that is only asked to be computed.
    algorithm: String,
    content_md5: Option<String>,
    trailers: Option<TrailingHeaders>,
    /// Names announced in `x-amz-trailer`.
    announced: String,
}

impl Declared {
    pub(super) fn of(headers: &HeaderMap, trailers: Option<TrailingHeaders>) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut given = Checksums::default();
        for one in ALGORITHMS {
            given.set(one, header(&format!("x-amz-checksum-{one}")));
        }
        Self {
            given,
            algorithm: header("x-amz-sdk-checksum-algorithm").unwrap_or_default(),
            content_md5: header("content-md5"),
            trailers,
            announced: header("x-amz-trailer").unwrap_or_default().to_ascii_lowercase(),
        }
    }

    /// What to compute while the body comes in. `kept` names the algorithm of the upload that a part belongs to.
    pub(super) fn hasher(&self, kept: Option<&str>) -> ChecksumHasher {
        hasher(|name| {
            self.given.get(name).is_some()
                || kept == Some(name)
                || self.algorithm.eq_ignore_ascii_case(name)
                || self.announced.split(',').any(|one| one.trim().strip_prefix("x-amz-checksum-") == Some(name))
        })
    }

    /// Compares everything that was declared, in a header or a trailer, with what was computed.
    pub(super) fn check(&self, computed: &Checksums, md5: &[u8]) -> S3Result<()> {
        if let Some(text) = &self.content_md5 {
            let given = base64::decode(text).map_err(|_| s3_error!(InvalidDigest))?;
            if given != md5 {
                return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
            }
        }
        let trailers = self.trailers.as_ref().and_then(TrailingHeaders::take).unwrap_or_default();
        for one in ALGORITHMS {
            let trailer = trailers.get(format!("x-amz-checksum-{one}")).and_then(|value| value.to_str().ok());
            if let Some(given) = self.given.get(one).or(trailer)
                && computed.get(one) != Some(given)
            {
                let name = one.to_uppercase();
                return Err(s3_error!(BadDigest, "The {name} you specified did not match the calculated checksum."));
            }
        }
        Ok(())
    }
}

impl Declared {
    /// Compares what is declared of a whole object with what its parts came to. Headers about the parts' digests may
    /// leave out how many parts there were.
    pub(super) fn check_whole(&self, computed: &Checksums) -> S3Result<()> {
        for one in ALGORITHMS {
            let Some(given) = self.given.get(one) else { continue };
            let whole = computed.get(one).unwrap_or_default();
            if given != whole && Some(given) != whole.rsplit_once('-').map(|(digest, _)| digest) {
                let name = one.to_uppercase();
                return Err(s3_error!(BadDigest, "The {name} you specified did not match the calculated checksum."));
            }
        }
        Ok(())
    }
}

/// The digest of the parts' digests, with their count, as S3 writes it.
pub(super) fn composite(algorithm: &str, parts: &[String]) -> Option<String> {
    let mut all = hasher(|name| name == algorithm);
    for part in parts {
        all.update(&base64::decode(part).ok()?);
    }
    let digest = Checksums::of(all.finalize());
    Some(format!("{}-{}", digest.get(algorithm)?, parts.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_composite_is_the_digest_of_the_parts_digests() {
        // Of the parts "hello" and "world", computed by Python's hashlib and zlib.
        let sha256 = ["LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", "SG6kYiTRu0+2gPNPfJrZao8k7Ii+c+qOWmxlJg6cuKc="];
        let whole = composite("sha256", &sha256.map(str::to_owned));
        assert_eq!(whole.as_deref(), Some("cwXbmyq8zXBsJW2z2X5f9I1nfP5NOlkEr7faDjlQ4eI=-2"));
        let crc32 = composite("crc32", &["NhCmhg==".to_owned(), "OncRQw==".to_owned()]);
        assert_eq!(crc32.as_deref(), Some("wpn7tg==-2"));
    }
}
