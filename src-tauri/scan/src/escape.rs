//! JSON's escapes, and hashes of texts that do not depend on how they were escaped.

use rapidhash::v3::rapidhash_v3;

/// Hash of a text. Equal texts have equal hashes, whichever way a line spells them.
///
/// What is hashed is the text as the shortest JSON has it, because that is how most lines have it already.
pub fn hash_text(text: &str, scratch: &mut Vec<u8>) -> u64 {
    if !text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        return hash_escaped(text.as_bytes());
    }
    scratch.clear();
    for byte in text.bytes() {
        match byte {
            b'"' => scratch.extend_from_slice(b"\\\""),
            b'\\' => scratch.extend_from_slice(b"\\\\"),
            b'\n' => scratch.extend_from_slice(b"\\n"),
            b'\r' => scratch.extend_from_slice(b"\\r"),
            b'\t' => scratch.extend_from_slice(b"\\t"),
            0x08 => scratch.extend_from_slice(b"\\b"),
            0x0C => scratch.extend_from_slice(b"\\f"),
            0..0x20 => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                scratch.extend_from_slice(b"\\u00");
                scratch.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            _ => scratch.push(byte),
        }
    }
    hash_escaped(scratch)
}

/// Hash of a text that stands as the shortest JSON has it.
#[inline]
pub(crate) fn hash_escaped(text: &[u8]) -> u64 {
    rapidhash_v3(text)
}

/// Adds a turn to the hash of those before it.
pub fn hash_turn(before: u64, role: &str, text: u64) -> u64 {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&before.to_le_bytes());
    bytes[8..16].copy_from_slice(&text.to_le_bytes());
    let name = role.as_bytes();
    if let Some(place) = bytes[16..].get_mut(..name.len()) {
        place.copy_from_slice(name);
    } else {
        bytes[16..].copy_from_slice(&rapidhash_v3(name).to_le_bytes());
    }
    // 0 says that there is no context.
    rapidhash_v3(&bytes).max(1)
}

/// Writes out the text that stands between quotation marks; `None` where an escape is none of JSON's.
pub fn unescape(raw: &[u8], text: &mut Vec<u8>) -> Option<()> {
    text.clear();
    let mut rest = raw;
    while let Some(place) = memchr::memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..place]);
        let escape = *rest.get(place + 1)?;
        rest = &rest[place + 2..];
        let plain = match escape {
            b'"' | b'\\' | b'/' => escape,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 0x08,
            b'f' => 0x0C,
            b'u' => {
                let char = unicode(&mut rest)?;
                text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return None,
        };
        text.push(plain);
    }
    text.extend_from_slice(rest);
    Some(())
}

/// The char of `XXXX`, or of `XXXX\uXXXX` where that is a pair of surrogates.
fn unicode(rest: &mut &[u8]) -> Option<char> {
    let first = unit(rest)?;
    if !(0xD800..0xDC00).contains(&first) {
        return char::from_u32(first);
    }
    *rest = rest.strip_prefix(b"\\u")?;
    let second = unit(rest)?;
    if !(0xDC00..0xE000).contains(&second) {
        return None;
    }
    char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
}

fn unit(rest: &mut &[u8]) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(4)?;
    let mut unit = 0;
    for digit in digits {
        unit = unit * 16 + char::from(*digit).to_digit(16)?;
    }
    *rest = after;
    Some(unit)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    fn unescaped(raw: &str) -> Option<String> {
        let mut text = Vec::new();
        unescape(raw.as_bytes(), &mut text)?;
        Some(String::from_utf8(text).unwrap())
    }

    #[test]
    fn escapes_are_read_as_json_means_them() {
        let expected = "a\"\\/\n\r\t\u{8}\u{c}é😀z";
        assert_eq!(unescaped(r#"a\"\\\/\n\r\t\b\f\u00e9\ud83d\ude00z"#).unwrap(), expected);
        for broken in [r"\x", r"\", r"\u12", r"\u12g4", r"\ud800", r"\ud800\u0041", r"\ude00"] {
            assert_eq!(unescaped(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_text_has_one_hash_however_it_is_spelled() {
        let mut scratch = Vec::new();
        let text = "say \"hé\"\n\u{1}";
        assert_eq!(hash_text(text, &mut scratch), hash_escaped(r#"say \"hé\"\n\u0001"#.as_bytes()));
        assert_ne!(hash_text("a", &mut scratch), hash_text("b", &mut scratch));
        assert_ne!(hash_turn(0, "user", 1), hash_turn(0, "assistant", 1));
    }
}
