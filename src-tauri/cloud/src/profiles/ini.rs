//! The form of the AWS configuration files, read the way the AWS CLI reads them (Python's `configparser`, strict), so
//! that a file it refuses is refused here, at the same line.
//!
//! aws-config's own reader is laxer (it joins repeated sections and skips what it cannot read), and it keeps no lines.

/// One `[section]` with its settings, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub name: String,
    /// From 1.
    pub line: usize,
    pub settings: Vec<Setting>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// In lower case.
    pub key: String,
    /// Lines that go on are joined with a line break; nested settings begin with one.
    pub value: String,
    pub line: usize,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Malformed {
    pub line: usize,
    pub message: String,
}

impl Section {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|setting| setting.key == key).map(|setting| setting.value.as_str())
    }
}

/// Values of a section of this name hold for every section.
const DEFAULTS: &str = "DEFAULT";

pub fn parse(text: &str) -> Result<Vec<Section>, Malformed> {
    let mut reader = Reader::default();
    for (index, line) in text.lines().enumerate() {
        reader.take(index + 1, line)?;
    }
    reader.end()
}

#[derive(Default)]
struct Reader {
    sections: Vec<Section>,
    /// The setting that a further line would go on with is the last one of the last section.
    open: bool,
    /// How far the last line that was not a continuation was indented.
    indent: usize,
    /// A line that is no setting is reported at the end, after anything graver.
    unread: Option<Malformed>,
}

impl Reader {
    fn take(&mut self, number: usize, line: &str) -> Result<(), Malformed> {
        let text = line.trim();
        if text.is_empty() {
            if self.open {
                self.continue_with("");
            }
            return Ok(());
        }
        if text.starts_with(['#', ';']) {
            return Ok(());
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if self.open && indent > self.indent {
            self.continue_with(text);
            return Ok(());
        }
        self.indent = indent;
        match header(text) {
            Some(name) => self.begin_section(number, name),
            None => self.begin_setting(number, text),
        }
    }

    fn continue_with(&mut self, text: &str) {
        if let Some(setting) = self.sections.last_mut().and_then(|section| section.settings.last_mut()) {
            setting.value.push('\n');
            setting.value.push_str(text);
        }
    }

    fn begin_section(&mut self, line: usize, name: &str) -> Result<(), Malformed> {
        self.open = false;
        if name != DEFAULTS && self.sections.iter().any(|section| section.name == name) {
            return Err(Malformed { line, message: format!("the section [{name}] stands there a second time") });
        }
        self.sections.push(Section { name: name.to_owned(), line, settings: Vec::new() });
        Ok(())
    }

    fn begin_setting(&mut self, line: usize, text: &str) -> Result<(), Malformed> {
        let Some(section) = self.sections.last_mut() else {
            return Err(Malformed { line, message: "there is no [section] above this line".into() });
        };
        let Some((key, value)) = text.split_once(['=', ':']).filter(|(key, _)| !key.trim().is_empty()) else {
            // The text may be half of a secret, so it is not repeated.
            let message = "this is neither a [section] nor key = value".to_owned();
            self.unread.get_or_insert(Malformed { line, message });
            return Ok(());
        };
        let key = key.trim_end().to_lowercase();
        if section.settings.iter().any(|setting| setting.key == key) {
            return Err(Malformed { line, message: format!("{key} stands a second time in [{}]", section.name) });
        }
        section.settings.push(Setting { key, value: value.trim().to_owned(), line });
        self.open = true;
        Ok(())
    }

    fn end(mut self) -> Result<Vec<Section>, Malformed> {
        if let Some(unread) = self.unread {
            return Err(unread);
        }
        for setting in self.sections.iter_mut().flat_map(|section| &mut section.settings) {
            setting.value.truncate(setting.value.trim_end().len());
            check_nested(setting)?;
        }
        let (defaults, mut sections): (Vec<_>, Vec<_>) =
            self.sections.into_iter().partition(|section| section.name == DEFAULTS);
        for default in defaults.into_iter().flat_map(|section| section.settings) {
            for section in &mut sections {
                if section.get(&default.key).is_none() {
                    section.settings.push(default.clone());
                }
            }
        }
        Ok(sections)
    }
}

/// The name between the first `[` and the last `]`, spaces and all. What follows is not looked at.
fn header(text: &str) -> Option<&str> {
    let inner = &text.strip_prefix('[')?;
    inner.rfind(']').filter(|end| *end > 0).map(|end| &inner[..end])
}

/// A value that begins on the next line is a list of settings.
fn check_nested(setting: &Setting) -> Result<(), Malformed> {
    let nested = setting.value.starts_with('\n');
    match setting.value.lines().position(|line| nested && !line.trim().is_empty() && !line.contains('=')) {
        Some(at) => {
            Err(Malformed { line: setting.line + at, message: format!("{} holds a line without =", setting.key) })
        }
        None => Ok(()),
    }
}

/// The settings nested in a value, such as those of one service.
pub fn nested(value: &str) -> Vec<(String, String)> {
    let pairs = value.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

/// Words as a POSIX shell tells them apart; none when a quote is not closed.
pub fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some('"'), '\\') => {
                let next = letters.next()?;
                let kept = word.get_or_insert_default();
                if next != '"' && next != '\\' {
                    kept.push('\\');
                }
                kept.push(next);
            }
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().push(letters.next()?),
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of_error(text: &str) -> Option<usize> {
        parse(text).err().map(|malformed| malformed.line)
    }

    #[test]
    fn spacing_comments_and_continuations_are_read_as_configparser_reads_them() {
        let text = "; head\n[default]\nRegion: eu-west-1\n\n  # indented comment\n[ odd ]x\nkey=a=b\ns3 =\n  max = 2\n  min = 1\n";
        let sections = parse(text).unwrap_or_default();
        assert_eq!(sections[0].get("region"), Some("eu-west-1"));
        assert_eq!(sections[1].name, " odd ");
        assert_eq!(sections[1].get("key"), Some("a=b"));
        assert_eq!(
            nested(sections[1].get("s3").unwrap_or_default()),
            [("max".to_owned(), "2".to_owned()), ("min".to_owned(), "1".to_owned())]
        );
    }

    #[test]
    fn a_broken_file_is_refused_at_its_line() {
        assert_eq!(line_of_error("a = 1\n"), Some(1));
        assert_eq!(line_of_error("[a]\n[b]\n[a]\n"), Some(3));
        assert_eq!(line_of_error("[a]\nx = 1\nX : 2\n"), Some(3));
        assert_eq!(line_of_error("[a]\nnonsense\n"), Some(2));
        assert_eq!(line_of_error("[a]\ns3 =\n  no delimiter\n"), Some(3));
    }

    #[test]
    fn words_are_those_of_a_shell() {
        assert_eq!(words("profile 'my dev'"), Some(vec!["profile".to_owned(), "my dev".to_owned()]));
        assert_eq!(words(r#"a "b \" c" d\ e"#), Some(vec!["a".to_owned(), "b \" c".to_owned(), "d e".to_owned()]));
        assert_eq!(words("profile \"open"), None);
    }
}
