//! An answer as the query protocol writes it: members as elements, lists as `<member>`s.

use std::fmt::Write;

use serde_json::Value;

pub(super) fn answer(operation: &str, namespace: &str, members: &Value, request_id: &str) -> String {
    let mut body = String::new();
    write_value(&mut body, members);
    // Some operations answer nothing but that they were done.
    let result =
        if members.is_null() { String::new() } else { format!("<{operation}Result>{body}</{operation}Result>") };
    format!(
        "<{operation}Response xmlns=\"{namespace}\">{result}<ResponseMetadata><RequestId>{request_id}</RequestId>\
         </ResponseMetadata></{operation}Response>"
    )
}

pub(super) fn error(namespace: &str, code: &str, message: &str, status: u16, request_id: &str) -> String {
    let at_fault = if status >= 500 { "Receiver" } else { "Sender" };
    let message = escape(message);
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{at_fault}</Type><Code>{code}</Code><Message>{message}\
         </Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Value::Number(number) => {
            // Writing to a String does not fail.
            write!(out, "{number}").ok();
        }
        Value::String(text) => out.push_str(&escape(text)),
        Value::Array(items) => items.iter().for_each(|item| write_element(out, "member", item)),
        Value::Object(members) => members.iter().for_each(|(name, member)| write_element(out, name, member)),
    }
}

fn write_element(out: &mut String, name: &str, value: &Value) {
    // What is absent has no element.
    if value.is_null() {
        return;
    }
    out.push_str(&format!("<{name}>"));
    write_value(out, value);
    out.push_str(&format!("</{name}>"));
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#13;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_elements_and_text_stays_text() {
        let members = json!({ "Roles": [{ "Name": "a<b" }], "IsTruncated": false, "Marker": null });
        let text = answer("List", "ns", &members, "id");
        let expected = "<ListResponse xmlns=\"ns\"><ListResult><Roles><member><Name>a&lt;b</Name></member></Roles>\
                        <IsTruncated>false</IsTruncated></ListResult><ResponseMetadata><RequestId>id</RequestId>\
                        </ResponseMetadata></ListResponse>";
        assert_eq!(text, expected);
    }
}
