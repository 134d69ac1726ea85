//! Names as Bedrock takes them, checked before anything is uploaded.
//! Patterns: botocore's service model of `bedrock`, 2023-04-20.

use rand::Rng;
use rand::distr::Alphanumeric;
use whetstone_contract::FieldProblem;

const LONGEST: usize = 63;

/// Short enough for a folder's name and for a client token.
pub fn random_id() -> String {
    rand::rng().sample_iter(Alphanumeric).take(12).map(|byte| char::from(byte).to_ascii_lowercase()).collect()
}

/// `[a-zA-Z0-9](-*[a-zA-Z0-9\+\-\.])*`, 1 to 63 characters.
pub fn check_job_name(name: &str) -> Option<FieldProblem> {
    let shaped = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter));
    problem("jobName", name, shaped, "letters, digits, + - and dots", |letter| "+-.".contains(letter))
}

/// `([0-9a-zA-Z][_-]?){1,63}`: no dots, no two separators in a row.
pub fn check_model_name(field: &str, name: &str) -> Option<FieldProblem> {
    let separator = |letter: char| letter == '-' || letter == '_';
    let mut previous_separates = true;
    let shaped = name.chars().all(|letter| {
        let fits = letter.is_ascii_alphanumeric() || (separator(letter) && !previous_separates);
        previous_separates = separator(letter);
        fits
    });
    problem(field, name, shaped, "letters, digits and single - or _ between them", separator)
}

/// `baseModelIdentifier` as the AWS CLI spells it: `base-model-identifier`.
pub fn kebab(camel: &str) -> String {
    let mut text = String::new();
    let mut before_is_lower = false;
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && before_is_lower {
            text.push('-');
        }
        before_is_lower = !letter.is_ascii_uppercase();
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn problem(field: &str, name: &str, shaped: bool, words: &str, allowed: impl Fn(char) -> bool) -> Option<FieldProblem> {
    let message = if name.is_empty() {
        "A name is needed.".to_owned()
    } else if name.len() > LONGEST {
        format!("At most {LONGEST} characters; this has {}.", name.chars().count())
    } else if shaped {
        return None;
    } else {
        format!("Bedrock takes {words}, starting with a letter or digit.")
    };
    Some(FieldProblem { field: field.into(), message, suggestion: suggest(name, allowed) })
}

/// The nearest name that fits: other characters become single hyphens.
fn suggest(name: &str, allowed: impl Fn(char) -> bool) -> Option<String> {
    let mut fitting = String::new();
    for letter in name.chars() {
        let plain = letter.is_ascii_alphanumeric();
        if plain || (!fitting.is_empty() && fitting.ends_with(|last: char| last.is_ascii_alphanumeric())) {
            fitting.push(if plain || allowed(letter) { letter } else { '-' });
        }
    }
    fitting.truncate(LONGEST);
    let fitting = fitting.trim_end_matches(|last: char| !last.is_ascii_alphanumeric());
    (!fitting.is_empty()).then(|| fitting.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_bedrock_takes_pass_and_others_come_with_one_that_does() {
        for good in ["a", "A1", "my-job.2+3", "a--b", "9"] {
            assert_eq!(check_job_name(good), None, "{good}");
        }
        for good in ["a", "support-answers_03", "A1"] {
            assert_eq!(check_model_name("modelName", good), None, "{good}");
        }
        let long = "x".repeat(64);
        for bad in ["", "-a", "my job", "a_b", "käse", &long] {
            let problem = check_job_name(bad).unwrap_or_else(|| panic!("{bad} was taken"));
            assert!(problem.suggestion.is_none_or(|suggestion| check_job_name(&suggestion).is_none()), "{bad}");
        }
        for bad in ["", "a..b", "a.b", "a--b", "_a", "my model", &long] {
            let problem = check_model_name("modelName", bad).unwrap_or_else(|| panic!("{bad} was taken"));
            assert!(problem.suggestion.is_none_or(|suggestion| check_model_name("", &suggestion).is_none()), "{bad}");
        }
    }
}
