//! What is worth telling once, however often it happens.

use crate::formats::Schema;

#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The first line that is not UTF-8, and how many pieces are not.
    guessed: Option<(u64, u64)>,
    /// The first line in another form than the file's, that form, and how many there are.
    others: Option<(u64, Schema, u64)>,
    said: Vec<String>,
}

impl Notes {
    /// Bytes as text: UTF-8, or Windows-1252 where they are none, which is noted.
    pub fn decode(&mut self, bytes: &[u8], line: u64) -> String {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                self.guessed.get_or_insert((line, 0)).1 += 1;
                let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes);
                text.into_owned()
            }
        }
    }

    pub fn other_schema(&mut self, line: u64, schema: Schema) {
        self.others.get_or_insert((line, schema, 0)).2 += 1;
    }

    pub fn say(&mut self, note: impl Into<String>) {
        self.said.push(note.into());
    }

    /// A sentence each.
    pub fn texts(&self) -> Vec<String> {
        let mut texts = self.said.clone();
        if let Some((line, pieces)) = self.guessed {
            texts.push(format!(
                "Not all of the file is UTF-8: {pieces} {}, the first on line {line}, read as Windows-1252.",
                if pieces == 1 { "field was" } else { "fields were" }
            ));
        }
        if let Some((line, schema, count)) = &self.others {
            texts.push(format!(
                "Not all records are in the same form: {count} {} not, the first on line {line}, which is {}.",
                if *count == 1 { "is" } else { "are" },
                schema.name()
            ));
        }
        texts
    }
}
