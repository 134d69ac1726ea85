//! CRC64NVME, the checksum that S3 keeps of every whole object: of pieces, joined to that of the whole.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use aws_smithy_types::base64;
use crc_fast::{CrcAlgorithm, checksum, checksum_combine};
use md5::{Digest, Md5};

/// As S3 writes it: eight bytes, the first the highest, in base64.
pub(super) fn written(crc: u64) -> String {
    base64::encode(crc.to_be_bytes())
}

/// None for what is not one, such as the checksum of the parts' checksums.
pub(super) fn read(text: &str) -> Option<u64> {
    base64::decode(text).ok()?.try_into().ok().map(u64::from_be_bytes)
}

pub(super) fn of(content: &[u8]) -> u64 {
    checksum(CrcAlgorithm::Crc64Nvme, content)
}

/// The checksum of what had this one and goes on with that.
pub(super) fn after(crc: u64, content: &[u8]) -> u64 {
    checksum_combine(CrcAlgorithm::Crc64Nvme, crc, of(content), content.len() as u64)
}

/// The checksum of what consists of these pieces, each with its length, in order.
pub(super) fn joined(pieces: impl IntoIterator<Item = (u64, u64)>) -> u64 {
    pieces
        .into_iter()
        .fold(of(&[]), |whole, (crc, length)| checksum_combine(CrcAlgorithm::Crc64Nvme, whole, crc, length))
}

/// The MD5 that an ETag is, where it is one: of an object that came in one request and is not encrypted with a key of
/// the account's.
pub(super) fn md5_of_etag(etag: &str) -> Option<&str> {
    let etag = etag.trim_matches('"');
    (etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(etag)
}

pub(super) fn md5(content: &[u8]) -> String {
    hex(&Md5::digest(content))
}

/// The MD5 of a whole file.
pub(super) fn md5_of_file(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Md5::new();
    let mut block = vec![0; 1024 * 1024];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&block[..read]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_has_the_checksum_of_its_joined_pieces() {
        let content: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for at in [0, 1, 4096, 99_999, 100_000] {
            let (head, tail) = content.split_at(at);
            assert_eq!(joined([(of(head), head.len() as u64), (of(tail), tail.len() as u64)]), of(&content));
        }
        assert_eq!(read(&written(of(&content))), Some(of(&content)));
    }

    /// The check value that the algorithm's definition names.
    #[test]
    fn it_is_the_checksum_that_s3_means() {
        assert_eq!(of(b"123456789"), 0xae8b_1486_0a79_9888);
    }

    #[test]
    fn the_etag_of_parts_is_no_md5() {
        assert_eq!(md5_of_etag("\"d41d8cd98f00b204e9800998ecf8427e\""), Some("d41d8cd98f00b204e9800998ecf8427e"));
        assert_eq!(md5_of_etag("\"d41d8cd98f00b204e9800998ecf8427e-2\""), None);
        assert_eq!(md5(b""), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
