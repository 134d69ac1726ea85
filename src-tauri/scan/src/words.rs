//! Words that a text may not hold, found by a byte that is rare in prose.

/// The bytes that a word is found by; [`crate::block`] marks each of them as an anchor.
const ANCHORS: &[u8] = b":[<";

/// Words to look for, ASCII case ignored.
#[derive(Debug, Clone)]
pub struct Words {
    words: Vec<Word>,
    /// Bytes beside a colon, and behind a bracket, with which a comparison is worth its time.
    near: [bool; 256],
    /// Some word has no such byte: any text may hold it.
    any: bool,
}

#[derive(Debug, Clone)]
struct Word {
    /// In lower case.
    text: Vec<u8>,
    anchor: usize,
}

impl Words {
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Words {
        let mut made = Words { words: Vec::new(), near: [false; 256], any: false };
        for word in words {
            made.add(word);
        }
        made
    }

    fn add(&mut self, word: &str) {
        // What JSON escapes is written otherwise in a line. Only what follows it is looked for, which is found in every
        // text that holds the whole.
        let escaped = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\' | b'/') || !byte.is_ascii();
        let from = word.as_bytes().iter().rposition(escaped).map_or(0, |place| place + 1);
        let text = word.as_bytes()[from..].to_ascii_lowercase();
        let Some(anchor) = text.iter().position(|byte| ANCHORS.contains(byte)) else {
            self.any = true;
            return;
        };
        let near = if anchor > 0 { text.get(anchor - 1) } else { text.get(1) };
        let Some(&near) = near else {
            self.any = true;
            return;
        };
        self.near[usize::from(near)] = true;
        self.near[usize::from(near.to_ascii_uppercase())] = true;
        self.words.push(Word { text, anchor });
    }

    /// Whether any text has to be taken for one that holds a word.
    pub(crate) fn are_anywhere(&self) -> bool {
        self.any
    }

    /// Whether a word stands around the anchor at `place` of a text that begins at `start`. There must be 64 bytes more
    /// than the text has.
    #[inline]
    pub(crate) fn stand_at(&self, bytes: &[u8], start: usize, place: usize) -> bool {
        let before = place > start && self.near[usize::from(bytes[place - 1])];
        if !before && !self.near[usize::from(bytes[place + 1])] {
            return false;
        }
        self.compare(bytes, start, place)
    }

    #[inline(never)]
    fn compare(&self, bytes: &[u8], start: usize, place: usize) -> bool {
        self.words.iter().any(|word| {
            let Some(from) = place.checked_sub(word.anchor).filter(|&from| from >= start) else { return false };
            bytes.get(from..from + word.text.len()).is_some_and(|found| found.eq_ignore_ascii_case(&word.text))
        })
    }
}
