//! A metric of one's own: an expression in the Common Expression Language over a prompt, its reference and an answer.
//!
//! `answer.matches("^[a-z_]+$")`, `answer.contains(reference)` or `size(answer) <= 80 ? 1.0 : 0.5`. The language has no loop
//! without an end and reaches nothing outside, so that an expression from a stranger's recipe may be run.

use cel::{Context, Program, Value};

/// What an expression may speak of; each is a text.
const NAMES: [&str; 3] = ["prompt", "reference", "answer"];

#[derive(Debug)]
pub struct Expression(Program);

/// What came of one answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    Right(bool),
    Number(f64),
}

impl Expression {
    /// # Errors
    /// It is no expression, or speaks of something that is not there. In words for the person who wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let program = Program::compile(text).map_err(|error| error.to_string())?;
        if let Some(name) = program.references().variables().into_iter().find(|name| !NAMES.contains(name)) {
            return Err(format!("There is no “{name}”; there are prompt, reference and answer."));
        }
        Ok(Self(program))
    }

    /// # Errors
    /// It cannot be computed for this answer, or gives neither a number nor true or false.
    pub fn of(&self, prompt: &str, reference: &str, answer: &str) -> Result<Measured, String> {
        let mut context = Context::default();
        for (name, text) in NAMES.into_iter().zip([prompt, reference, answer]) {
            context.add_variable_from_value(name, text.to_owned());
        }
        match self.0.execute(&context).map_err(|error| error.to_string())? {
            Value::Bool(right) => Ok(Measured::Right(right)),
            Value::Int(number) => Ok(Measured::Number(number as f64)),
            Value::UInt(number) => Ok(Measured::Number(number as f64)),
            Value::Float(number) if number.is_finite() => Ok(Measured::Number(number)),
            _ => Err("It gives neither a number nor true or false.".to_owned()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    fn of(expression: &str) -> Result<Measured, String> {
        Expression::parse(expression)?.of("Which intent?", "card_arrival", "card_arrival.")
    }

    #[test]
    fn an_answer_is_measured_by_an_expression() {
        assert_eq!(of("answer.contains(reference)"), Ok(Measured::Right(true)));
        assert_eq!(of(r#"answer.matches("^[a-z_]+$")"#), Ok(Measured::Right(false)));
        assert_eq!(of("size(answer) <= 12 ? 1.0 : 0.5"), Ok(Measured::Number(0.5)));
        assert_eq!(of("size(answer) - size(reference)"), Ok(Measured::Number(1.0)));
        assert_eq!(of(r#"prompt.endsWith("?") && answer != """#), Ok(Measured::Right(true)));
    }

    #[test]
    fn what_is_wrong_with_it_is_said() {
        assert!(of("answer ==").is_err() && of("").is_err() && of("((((").is_err() && of("\u{0}é💥").is_err());
        assert!(of("answr == reference").unwrap_err().contains("“answr”"));
        assert!(of("answer + reference").unwrap_err().contains("neither a number"));
        assert!(of("1.0 / 0.0").is_err());
        assert!(of(r#"answer.matches("(")"#).is_err());
        assert!(of("answer.missing()").is_err());
    }
}
