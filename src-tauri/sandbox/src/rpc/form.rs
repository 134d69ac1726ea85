//! A form's flat names as nested members: `Tags.member.1.Key=a` is the first of `Tags`, with a `Key`.

use serde_json::{Map, Value};

use crate::router::parse_query;

/// Deeper names than this are nobody's: no member of these services is so deep.
const DEEPEST: usize = 12;

fn pairs(body: &[u8]) -> Vec<(String, String)> {
    parse_query(&String::from_utf8_lossy(body))
}

/// One of the form's own values.
pub(super) fn value(body: &[u8], name: &str) -> Option<String> {
    pairs(body).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// All of the form as members; every value is text.
pub(super) fn members(body: &[u8]) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, text) in pairs(body) {
        let path: Vec<&str> = name.split('.').collect();
        if path.len() <= DEEPEST {
            insert(&mut root, &path, text);
        }
    }
    lists(root)
}

fn insert(place: &mut Value, path: &[&str], text: String) {
    let Value::Object(members) = place else { return };
    match path {
        [] => {}
        [last] => {
            members.insert((*last).to_owned(), Value::String(text));
        }
        [first, rest @ ..] => {
            insert(members.entry(*first).or_insert_with(|| Value::Object(Map::new())), rest, text);
        }
    }
}

/// `{"member": {"1": …, "2": …}}` is a list.
fn lists(value: Value) -> Value {
    let Value::Object(mut members) = value else { return value };
    if members.len() == 1
        && let Some(Value::Object(_)) = members.get("member")
        && let Some(Value::Object(numbered)) = members.remove("member")
    {
        let mut items: Vec<(u32, Value)> =
            numbered.into_iter().filter_map(|(index, item)| Some((index.parse().ok()?, lists(item)))).collect();
        items.sort_by_key(|(index, _)| *index);
        return Value::Array(items.into_iter().map(|(_, item)| item).collect());
    }
    Value::Object(members.into_iter().map(|(name, value)| (name, lists(value))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flat_names_become_members_and_lists_in_their_order() {
        let body = b"Action=Simulate&ActionNames.member.2=s3%3APut&ActionNames.member.1=a+b&Tags.member.1.Key=k";
        let expected = json!({ "Action": "Simulate", "ActionNames": ["a b", "s3:Put"], "Tags": [{ "Key": "k" }] });
        assert_eq!(members(body), expected);
        assert_eq!(value(body, "Action").as_deref(), Some("Simulate"));
    }

    #[test]
    fn nonsense_is_no_panic() {
        for body in ["a.b=1&a=2&a.b.c=3", "member.1=x&member=y", ".=..", "&&==", "a.member.x=1"] {
            members(body.as_bytes());
        }
        members(&b".".repeat(100_000));
    }
}
