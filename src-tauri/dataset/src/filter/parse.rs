//! From the text of a filter to what it asks.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::FilterError;
use super::field::{BEINGS, Being, FIELDS, Field, HAS, Has, NumberField, ROLES, SPLITS, TextField};
use crate::record::Role;
use crate::split::SplitKind;

/// Brackets and minus signs within one another. More is no filter that a person wrote.
const DEEPEST: usize = 50;
/// A compiled expression larger than this is refused, so that no filter takes the memory.
const REGEX_BYTES: usize = 4 << 20;

#[derive(Debug, Clone)]
pub(super) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Term(Term),
}

#[derive(Debug, Clone)]
pub(super) enum Term {
    Text(TextField, Matcher),
    Extra(String, Matcher),
    /// From and to, both included.
    Number(NumberField, u64, u64),
    Role(Role),
    Has(Has),
    Split(Option<SplitKind>),
    /// `None` for any rule.
    Finding(Option<String>),
    Is(Being),
    Duplicate,
}

/// What a text must be like.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    Contains {
        regex: Regex,
        /// The same over the bytes of a line, where a line without it is known not to match.
        in_line: Option<regex::bytes::Regex>,
    },
    Is {
        text: String,
        any_case: bool,
    },
    Regex(Regex),
}

impl Matcher {
    pub fn holds(&self, text: &str) -> bool {
        match self {
            Self::Contains { regex, .. } | Self::Regex(regex) => regex.is_match(text),
            Self::Is { text: wanted, any_case: true } => text.to_lowercase() == *wanted,
            Self::Is { text: wanted, any_case: false } => text == wanted,
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Expression, FilterError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expression = parser.any()?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.error(parser.at..parser.at + 1, "There is no bracket that this one closes.", "Remove it."));
    }
    Ok(expression)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    /// Alternatives.
    fn any(&mut self) -> Result<Expression, FilterError> {
        let mut alternatives = vec![self.all()?];
        while let Some(word) = self.keyword("or") {
            let next = self.all()?;
            let nothing = |one: &Expression| matches!(one, Expression::All(parts) if parts.is_empty());
            if nothing(&next) || alternatives.last().is_some_and(nothing) {
                return Err(self.error(word, "\"or\" stands between two terms.", "Write one before it and one after."));
            }
            alternatives.push(next);
        }
        match alternatives.len() {
            1 => Ok(alternatives.remove(0)),
            _ => Ok(Expression::Any(alternatives)),
        }
    }

    /// Terms side by side.
    fn all(&mut self) -> Result<Expression, FilterError> {
        let mut parts = Vec::new();
        loop {
            self.skip_space();
            if self.rest().is_empty() || self.rest().starts_with(')') || self.peek_keyword("or") {
                break;
            }
            parts.push(self.one()?);
        }
        Ok(Expression::All(parts))
    }

    fn one(&mut self) -> Result<Expression, FilterError> {
        let start = self.at;
        if self.depth >= DEEPEST {
            return Err(self.error(start..start + 1, "This goes too deep.", "Use fewer brackets within one another."));
        }
        if self.eat('-') || self.keyword("not").is_some() {
            self.skip_space();
            if self.rest().is_empty() || self.rest().starts_with(')') {
                return Err(self.error(start..self.at, "Nothing follows that could be turned round.", "Add a term."));
            }
            self.depth += 1;
            let inner = self.one()?;
            self.depth -= 1;
            return Ok(Expression::Not(Box::new(inner)));
        }
        if self.eat('(') {
            self.depth += 1;
            let inner = self.any()?;
            self.depth -= 1;
            self.skip_space();
            if !self.eat(')') {
                return Err(self.error(start..start + 1, "This bracket is not closed.", "Add a \")\"."));
            }
            return Ok(inner);
        }
        self.term()
    }

    fn term(&mut self) -> Result<Expression, FilterError> {
        let start = self.at;
        if self.rest().starts_with('"') {
            let text = self.value()?;
            return Ok(Expression::Term(Term::Text(TextField::Any, contains(&text))));
        }
        if self.rest().starts_with('/') {
            let regex = self.regex()?;
            return Ok(Expression::Term(Term::Text(TextField::Any, Matcher::Regex(regex))));
        }
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let name_len = self.rest().find(|c| !named(c)).unwrap_or(self.rest().len());
        let name = &self.rest()[..name_len];
        let after = &self.rest()[name_len..];
        let operator = [">=", "<=", "!=", ":", "=", "~", ">", "<"].into_iter().find(|sign| after.starts_with(sign));
        let Some(operator) = operator.filter(|_| !name.is_empty()) else {
            let text = self.word();
            if text == "dup" {
                return Ok(Expression::Term(Term::Duplicate));
            }
            return Ok(Expression::Term(Term::Text(TextField::Any, contains(&text))));
        };
        let name = name.to_owned();
        self.at += name_len + operator.len();
        let (operator, turned) = if operator == "!=" { ("=", true) } else { (operator, false) };
        let term = self.field_term(start..start + name_len, &name, operator)?;
        Ok(if turned { Expression::Not(Box::new(Expression::Term(term))) } else { Expression::Term(term) })
    }

    fn field_term(&mut self, at: Range<usize>, name: &str, operator: &str) -> Result<Term, FilterError> {
        if let Some(member) = name.strip_prefix("extra.").filter(|member| !member.is_empty()) {
            return Ok(Term::Extra(member.to_owned(), self.matcher(operator, false)?));
        }
        let Some((_, field, _)) = FIELDS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)) else {
            let known: Vec<&str> = FIELDS.iter().map(|(name, ..)| *name).collect();
            let hint = format!("Fields are {}, extra.NAME. To find it as text, put it in quotes.", known.join(", "));
            return Err(self.error(at, &format!("There is no field \"{name}\"."), &hint));
        };
        if let Field::Text(text) = field {
            return Ok(Term::Text(*text, self.matcher(operator, *text == TextField::Label)?));
        }
        if let Field::Number(number) = field {
            return self.number_term(*number, operator);
        }
        if !matches!(operator, ":" | "=") {
            let hint = format!("Write {name}:VALUE.");
            return Err(self.error(at.end..self.at, &format!("\"{name}\" is not compared so."), &hint));
        }
        let from = self.at;
        let value = self.value()?;
        let at = from..self.at;
        match field {
            Field::Role => Ok(Term::Role(
                ROLES
                    .iter()
                    .find(|(known, ..)| *known == value)
                    .map_or(Role::Other(value), |(_, role, _)| role.clone()),
            )),
            Field::Has => match HAS.iter().find(|(known, ..)| *known == value) {
                Some((_, has, _)) => Ok(Term::Has(*has)),
                None => Err(self.unknown(at, &value, HAS.iter().map(|(name, ..)| *name))),
            },
            Field::Is => match BEINGS.iter().find(|(known, ..)| *known == value) {
                Some((_, being, _)) => Ok(Term::Is(*being)),
                None => Err(self.unknown(at, &value, BEINGS.iter().map(|(name, ..)| *name))),
            },
            Field::Split => match value.as_str() {
                "none" => Ok(Term::Split(None)),
                _ => match SplitKind::ALL.into_iter().find(|kind| kind.name() == value) {
                    Some(kind) => Ok(Term::Split(Some(kind))),
                    None => Err(self.unknown(at, &value, SPLITS.iter().map(|(name, _)| *name))),
                },
            },
            _ => Ok(Term::Finding((value != "any").then_some(value))),
        }
    }

    fn matcher(&mut self, operator: &str, whole: bool) -> Result<Matcher, FilterError> {
        let from = self.at;
        match operator {
            "~" if self.rest().starts_with('/') => Ok(Matcher::Regex(self.regex()?)),
            "~" => {
                let text = self.value()?;
                Ok(Matcher::Regex(self.compiled(from..self.at, &text, false)?))
            }
            ":" if self.rest().starts_with('/') => Ok(Matcher::Regex(self.regex()?)),
            ":" if whole => Ok(Matcher::Is { text: self.value()?.trim().to_lowercase(), any_case: true }),
            ":" => Ok(contains(&self.value()?)),
            "=" => Ok(Matcher::Is { text: self.value()?, any_case: false }),
            _ => Err(self.error(
                from - operator.len()..from,
                "A text is neither more nor less.",
                "Use : for contains, = for is, ~ for a regular expression.",
            )),
        }
    }

    fn number_term(&mut self, field: NumberField, operator: &str) -> Result<Term, FilterError> {
        let from = self.at;
        let value = self.value()?;
        let at = from..self.at;
        let number = |text: &str| text.replace('_', "").parse::<u64>().ok();
        let span = match (operator, value.split_once("..")) {
            (":" | "=", Some((low, high))) => {
                let low = if low.is_empty() { Some(0) } else { number(low) };
                low.zip(if high.is_empty() { Some(u64::MAX) } else { number(high) })
            }
            (_, Some(_)) => None,
            (operator, None) => number(&value).and_then(|number| match operator {
                ">" => number.checked_add(1).map(|low| (low, u64::MAX)),
                ">=" => Some((number, u64::MAX)),
                "<" => number.checked_sub(1).map(|high| (0, high)).or(Some((1, 0))),
                "<=" => Some((0, number)),
                ":" | "=" => Some((number, number)),
                _ => None,
            }),
        };
        let (low, high) = span.ok_or_else(|| {
            self.error(at, &format!("\"{value}\" is no number here."), "Write a whole number, or 10..20 after a colon.")
        })?;
        Ok(Term::Number(field, low, high))
    }

    /// A text in quotes or a word, directly here.
    fn value(&mut self) -> Result<String, FilterError> {
        let start = self.at;
        if !self.eat('"') {
            let word = self.word();
            if word.is_empty() {
                return Err(self.error(start..start, "A value is missing here.", "Write it directly behind the sign."));
            }
            return Ok(word);
        }
        let mut text = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((offset, character)) = characters.next() {
            match character {
                '"' => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, other)) => text.push(other),
                    None => break,
                },
                other => text.push(other),
            }
        }
        Err(self.error(start..self.text.len(), "These quotes are not closed.", "Add a \" at the end of the text."))
    }

    fn word(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')')).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        word
    }

    /// `/expression/` with flags behind it.
    fn regex(&mut self) -> Result<Regex, FilterError> {
        let start = self.at;
        let mut escaped = false;
        let inner = &self.rest()[1..];
        let end = inner.char_indices().find(|(_, c)| {
            let closes = *c == '/' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let Some((end, _)) = end else {
            let at = start..self.text.len();
            return Err(self.error(at, "This expression is not closed.", "Add a / at its end."));
        };
        let pattern = inner[..end].replace("\\/", "/");
        self.at += end + 2;
        let flags = self.word();
        if !flags.chars().all(|flag| flag == 'i') {
            let at = self.at - flags.len()..self.at;
            return Err(self.error(at, "There is no such flag.", "The flag is i: capitals do not matter."));
        }
        self.compiled(start..self.at, &pattern, !flags.is_empty())
    }

    fn compiled(&self, at: Range<usize>, pattern: &str, any_case: bool) -> Result<Regex, FilterError> {
        let built = RegexBuilder::new(pattern).case_insensitive(any_case).size_limit(REGEX_BYTES).build();
        built.map_err(|error| {
            let reason = match &error {
                regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
                other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
            };
            let message = format!("This is no regular expression: {reason}.");
            self.error(at, &message, "Put a \\ before a sign that is meant as itself.")
        })
    }

    fn unknown<'a>(&self, at: Range<usize>, value: &str, known: impl Iterator<Item = &'a str>) -> FilterError {
        let hint = format!("It is one of {}.", known.collect::<Vec<_>>().join(", "));
        self.error(at, &format!("\"{value}\" is not known here."), &hint)
    }

    fn error(&self, at: Range<usize>, message: &str, hint: &str) -> FilterError {
        let end = self.text.len();
        let start = self.text.floor_char_boundary(at.start.min(end));
        let stop = self.text.ceil_char_boundary(at.end.clamp(start, end));
        FilterError { at: start..stop, message: message.to_owned(), hint: hint.to_owned() }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, character: char) -> bool {
        let eaten = self.rest().starts_with(character);
        if eaten {
            self.at += character.len_utf8();
        }
        eaten
    }

    fn peek_keyword(&self, word: &str) -> bool {
        let ends =
            |rest: &str| rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || c == '(' || c == ')');
        let rest = self.rest();
        rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)) && ends(&rest[word.len()..])
    }

    fn keyword(&mut self, word: &str) -> Option<Range<usize>> {
        self.skip_space();
        let found = self.peek_keyword(word).then_some(self.at..self.at + word.len());
        if let Some(at) = &found {
            self.at = at.end;
        }
        found
    }
}

/// Capitals do not matter. A text of plain letters and digits is first looked for in the bytes of the
/// line, because JSON writes those as they are.
fn contains(text: &str) -> Matcher {
    let pattern = regex::escape(text);
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
    let in_line = plain.then(|| regex::bytes::RegexBuilder::new(&pattern).case_insensitive(true).build().ok());
    match RegexBuilder::new(&pattern).case_insensitive(true).size_limit(REGEX_BYTES).build() {
        Ok(regex) => Matcher::Contains { regex, in_line: in_line.flatten() },
        // Only a text of megabytes is no expression; it is compared as it stands.
        Err(_) => Matcher::Is { text: text.to_owned(), any_case: false },
    }
}
