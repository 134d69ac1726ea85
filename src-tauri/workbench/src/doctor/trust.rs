//! Reads a role's trust policy: may Bedrock take it on for a job of this account here?

use serde_json::Value;

use super::policies::{ASSUME, Place, SERVICE};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// For jobs of this account only.
    Narrow,
    /// For anyone's jobs: it works, and others could have Bedrock use the role.
    Wide,
    /// No statement lets Bedrock take it on.
    None,
    /// Bedrock is let in, and a condition keeps these jobs out; the condition in words.
    ElsewhereOnly(String),
    /// The document is not what was expected.
    Unreadable,
}

pub fn read(document: &str, place: &Place) -> Trust {
    let Ok(policy) = serde_json::from_str::<Value>(document) else { return Trust::Unreadable };
    let mut found = Trust::None;
    for statement in items(&policy["Statement"]) {
        let allows = statement["Effect"] == "Allow"
            && texts(&statement["Action"]).any(|action| action == ASSUME || action == "sts:*" || action == "*")
            && (statement["Principal"] == "*" || texts(&statement["Principal"]["Service"]).any(|name| name == SERVICE));
        if !allows {
            continue;
        }
        match condition(&statement["Condition"], place) {
            Trust::Narrow => return Trust::Narrow,
            Trust::Wide => found = Trust::Wide,
            other if found == Trust::None => found = other,
            _ => {}
        }
    }
    found
}

/// Conditions on where a request comes from; those on anything else are taken as fulfilled.
fn condition(condition: &Value, place: &Place) -> Trust {
    let mut narrow = false;
    for (operator, keys) in condition.as_object().into_iter().flatten() {
        for (key, wanted) in keys.as_object().into_iter().flatten() {
            let actual = match key.to_lowercase().as_str() {
                "aws:sourceaccount" => place.account.clone(),
                // Any job will do: the random end of its ARN stands for itself.
                "aws:sourcearn" => place.jobs().replace('*', "amazon.model/abcdefghijkl"),
                _ => continue,
            };
            let exact = operator.starts_with("StringEquals");
            let fits = texts(wanted).any(|pattern| if exact { pattern == actual } else { glob(pattern, &actual) });
            if !fits {
                let patterns: Vec<&str> = texts(wanted).collect();
                return Trust::ElsewhereOnly(format!("{key} must be {}", patterns.join(" or ")));
            }
            narrow = true;
        }
    }
    if narrow { Trust::Narrow } else { Trust::Wide }
}

/// One item, or a list of them.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    items(value).filter_map(Value::as_str)
}

/// `*` stands for any letters, `?` for one.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| glob(&pattern[1..], &text[at..]))
        }
        Some(wanted) => text.chars().next().is_some_and(|letter| {
            (wanted == '?' || wanted == letter) && glob(&pattern[wanted.len_utf8()..], &text[letter.len_utf8()..])
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::policies::{text, trust};
    use super::*;

    fn place() -> Place {
        Place::of("arn:aws:iam::111122223333:user/ada", "us-east-1", "111122223333")
    }

    #[test]
    fn the_trust_that_the_app_writes_is_narrow_here_and_shut_elsewhere() {
        let written = text(&trust(&place()));
        assert_eq!(read(&written, &place()), Trust::Narrow);
        let other_region = Place { region: "us-west-2".into(), ..place() };
        assert!(matches!(read(&written, &other_region), Trust::ElsewhereOnly(_)));
        let other_account = Place { account: "444455556666".into(), ..place() };
        assert!(matches!(read(&written, &other_account), Trust::ElsewhereOnly(_)));
    }

    #[test]
    fn a_trust_without_conditions_is_wide_and_one_for_another_service_is_none() {
        let of = |service: &str| {
            format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":{{"Service":["{service}"]}},"Action":["sts:AssumeRole"]}}}}"#
            )
        };
        assert_eq!(read(&of("bedrock.amazonaws.com"), &place()), Trust::Wide);
        assert_eq!(read(&of("lambda.amazonaws.com"), &place()), Trust::None);
        assert_eq!(read("{", &place()), Trust::Unreadable);
    }
}
