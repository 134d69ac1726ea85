//! Writing a changed value into the text it came from: what did not change keeps its bytes.

use std::ops::Range;

use serde_json::{Map, Value};

use super::outline::{Fault, Kind, Member, Node, outline};

/// Beyond so many comparisons, what stands between the common beginning and end is paired in order.
const MOST_COMPARISONS: usize = 250_000;

/// The text of `new`, taken from the text of `old` as far as the two are equal.
pub(crate) fn splice(text: &[u8], old: &Value, new: &Value) -> Result<Vec<u8>, Fault> {
    let root = outline(text)?;
    let splicer = Splicer { text, style: Style::of(text, &root) };
    let mut out = Vec::with_capacity(text.len() + 64);
    out.extend_from_slice(&text[..root.span.start]);
    splicer.value(&root, old, new, &mut out);
    out.extend_from_slice(&text[root.span.end..]);
    Ok(out)
}

/// For each new element the old one that it continues: the equal ones in order, and between them one
/// after the other.
pub(crate) fn align(old: usize, new: usize, same: impl Fn(usize, usize) -> bool) -> Vec<Option<usize>> {
    let mut paired = vec![None; new];
    let shared = old.min(new);
    let head = (0..shared).take_while(|&at| same(at, at)).count();
    let tail = (0..shared - head).take_while(|&back| same(old - 1 - back, new - 1 - back)).count();
    for (at, pair) in paired.iter_mut().enumerate() {
        if at < head {
            *pair = Some(at);
        } else if at >= new - tail {
            *pair = Some(at + old - new);
        }
    }
    let (olds, news) = (head..old - tail, head..new - tail);
    let (mut from_old, mut from_new) = (olds.start, news.start);
    let last = news.end;
    let ends = std::iter::once((olds.end, news.end));
    for (at_old, at_new) in common(olds, news, &same).into_iter().chain(ends) {
        // What lies before the next equal pair continues in order.
        for (between_old, between_new) in (from_old..at_old).zip(from_new..at_new) {
            paired[between_new] = Some(between_old);
        }
        if at_new < last {
            paired[at_new] = Some(at_old);
        }
        (from_old, from_new) = (at_old + 1, at_new + 1);
    }
    paired
}

/// The longest common subsequence.
fn common(olds: Range<usize>, news: Range<usize>, same: &impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let (rows, columns) = (olds.len(), news.len());
    if rows == 0 || columns == 0 || rows.saturating_mul(columns) > MOST_COMPARISONS {
        return Vec::new();
    }
    let mut longest = vec![0_u32; (rows + 1) * (columns + 1)];
    let cell = |row: usize, column: usize| row * (columns + 1) + column;
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            longest[cell(row, column)] = if same(olds.start + row, news.start + column) {
                longest[cell(row + 1, column + 1)] + 1
            } else {
                longest[cell(row + 1, column)].max(longest[cell(row, column + 1)])
            };
        }
    }
    let mut pairs = Vec::new();
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if longest[cell(row, column)] == longest[cell(row + 1, column)] {
            row += 1;
        } else if longest[cell(row, column)] == longest[cell(row, column + 1)] {
            column += 1;
        } else {
            pairs.push((olds.start + row, news.start + column));
            (row, column) = (row + 1, column + 1);
        }
    }
    pairs
}

/// What stands behind a comma and around a colon, so that a new member looks like its neighbours.
struct Style {
    comma: Vec<u8>,
    colon: Vec<u8>,
}

impl Style {
    fn of(text: &[u8], root: &Node) -> Style {
        let mut style = Style { comma: b",".to_vec(), colon: b":".to_vec() };
        if let Kind::Object(members) = &root.kind {
            let taken = |range: Range<usize>| text[range].to_vec();
            if let [first, ..] = &members[..] {
                style.colon = taken(first.key_span.end..first.value.span.start);
            }
            if let [first, second, ..] = &members[..] {
                style.comma = taken(first.value.span.end..second.key_span.start);
            }
        }
        // Unusual amounts of space are not worth repeating.
        if !matches!(style.comma[..], [b','] | [b',', b' ']) || style.colon.len() > 3 {
            style = Style { comma: b", ".to_vec(), colon: b": ".to_vec() };
        }
        style
    }
}

struct Splicer<'a> {
    text: &'a [u8],
    style: Style,
}

/// An element of an object or a list with the space around it.
struct Piece {
    /// Where the space before it begins.
    lead: usize,
    /// Itself; of a member with its key.
    span: Range<usize>,
    /// Where the space behind it ends.
    tail: usize,
}

impl Splicer<'_> {
    fn value(&self, node: &Node, old: &Value, new: &Value, out: &mut Vec<u8>) {
        if old == new {
            out.extend_from_slice(&self.text[node.span.clone()]);
            return;
        }
        match (&node.kind, old, new) {
            (Kind::Object(members), Value::Object(old), Value::Object(new)) => {
                self.object(node, members, old, new, out);
            }
            (Kind::Array(items), Value::Array(old), Value::Array(new)) => self.array(node, items, old, new, out),
            _ => self.fresh(new, out),
        }
    }

    fn object(
        &self,
        node: &Node,
        members: &[Member],
        old: &Map<String, Value>,
        new: &Map<String, Value>,
        out: &mut Vec<u8>,
    ) {
        let spans = members.iter().map(|member| member.key_span.start..member.value.span.end);
        let mut list = List::begin(self, b'{', out);
        let pieces = self.pieces(node, spans);
        for (at, (member, piece)) in members.iter().zip(&pieces).enumerate() {
            let Some(value) = new.get(&member.key) else { continue };
            list.old(&pieces[0], piece, out);
            out.extend_from_slice(&self.text[member.key_span.start..member.value.span.start]);
            // Of members with the same name the last one counts, for the parser and for us.
            let counts = members[at + 1..].iter().all(|later| later.key != member.key);
            match old.get(&member.key) {
                Some(before) if counts => self.value(&member.value, before, value, out),
                _ => out.extend_from_slice(&self.text[member.value.span.clone()]),
            }
        }
        for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
            list.added(out);
            self.fresh(&Value::String(key.clone()), out);
            out.extend_from_slice(&self.style.colon);
            self.fresh(value, out);
        }
        list.end(b'}', out);
    }

    fn array(&self, node: &Node, items: &[Node], old: &[Value], new: &[Value], out: &mut Vec<u8>) {
        let pieces = self.pieces(node, items.iter().map(|item| item.span.clone()));
        let paired = align(old.len(), new.len(), |before, after| old[before] == new[after]);
        let mut list = List::begin(self, b'[', out);
        for (value, pair) in new.iter().zip(paired) {
            match pair {
                Some(at) => {
                    list.old(&pieces[0], &pieces[at], out);
                    // What was moved here keeps its bytes too.
                    match old.iter().position(|before| before == value) {
                        Some(moved) if old[at] != *value => {
                            out.extend_from_slice(&self.text[items[moved].span.clone()]);
                        }
                        _ => self.value(&items[at], &old[at], value, out),
                    }
                }
                None => {
                    list.added(out);
                    match old.iter().position(|before| before == value) {
                        Some(moved) => out.extend_from_slice(&self.text[items[moved].span.clone()]),
                        None => self.fresh(value, out),
                    }
                }
            }
        }
        list.end(b']', out);
    }

    fn pieces(&self, node: &Node, spans: impl Iterator<Item = Range<usize>>) -> Vec<Piece> {
        let mut lead = node.span.start + 1;
        let space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        spans
            .map(|span| {
                let tail = span.end + self.text[span.end..].iter().take_while(space).count();
                let piece = Piece { lead, span, tail };
                // Past the comma or the closing bracket.
                lead = tail + 1;
                piece
            })
            .collect()
    }

    /// A value that was not there before, in the style of the others.
    fn fresh(&self, value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Object(members) => {
                out.push(b'{');
                for (at, (key, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.extend_from_slice(&self.style.comma);
                    }
                    write_scalar(&Value::String(key.clone()), out);
                    out.extend_from_slice(&self.style.colon);
                    self.fresh(value, out);
                }
                out.push(b'}');
            }
            Value::Array(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.extend_from_slice(&self.style.comma);
                    }
                    self.fresh(item, out);
                }
                out.push(b']');
            }
            scalar => write_scalar(scalar, out),
        }
    }
}

fn write_scalar(value: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(value.to_string().as_bytes());
}

/// An object or a list that is being written: its commas, and the space that its elements had.
struct List<'a> {
    splicer: &'a Splicer<'a>,
    empty: bool,
    /// Space that stood behind the last old element; it is written before the next old one or the end.
    tail: Range<usize>,
}

impl<'a> List<'a> {
    fn begin(splicer: &'a Splicer<'a>, bracket: u8, out: &mut Vec<u8>) -> List<'a> {
        out.push(bracket);
        List { splicer, empty: true, tail: 0..0 }
    }

    /// Before an element that was there.
    fn old(&mut self, first: &Piece, piece: &Piece, out: &mut Vec<u8>) {
        let text = self.splicer.text;
        if self.empty {
            out.extend_from_slice(&text[first.lead..first.span.start]);
        } else {
            out.extend_from_slice(&text[self.tail.clone()]);
            out.push(b',');
            if piece.lead == first.lead {
                out.extend_from_slice(&self.splicer.style.comma[1..]);
            } else {
                out.extend_from_slice(&text[piece.lead..piece.span.start]);
            }
        }
        self.empty = false;
        self.tail = piece.span.end..piece.tail;
    }

    /// Before an element that was not.
    fn added(&mut self, out: &mut Vec<u8>) {
        if !self.empty {
            out.extend_from_slice(&self.splicer.style.comma);
        }
        self.empty = false;
    }

    fn end(self, bracket: u8, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.splicer.text[self.tail]);
        out.push(bracket);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn spliced(text: &str, change: impl FnOnce(&mut Value)) -> String {
        let old: Value = serde_json::from_str(text).unwrap();
        let mut new = old.clone();
        change(&mut new);
        String::from_utf8(splice(text.as_bytes(), &old, &new).unwrap()).unwrap()
    }

    #[test]
    fn only_what_changed_is_written_anew() {
        let text = r#" { "a" : 1.50, "b":"caf\u00e9" ,"c": [1 , 2,3 ] , "d": {"x": null} } "#;
        assert_eq!(spliced(text, |_| {}), text);
        assert_eq!(spliced(text, |v| v["b"] = json!("tea")), text.replace(r#""caf\u00e9""#, "\"tea\""));
        assert_eq!(spliced(text, |v| v["c"] = json!([1, 3])), text.replace("[1 , 2,3 ]", "[1 ,3 ]"));
        assert_eq!(
            spliced(text, |v| v["c"] = json!([1, 2, 9, 3])),
            text.replace("2,3 ]", "2,9,3 ]").replace(",9", ", 9")
        );
        assert_eq!(spliced(text, |v| v["d"]["x"] = json!(true)), text.replace("null", "true"));
        let without_a = spliced(text, |v| {
            v.as_object_mut().unwrap().shift_remove("a");
        });
        assert_eq!(without_a, text.replace(r#""a" : 1.50, "#, ""));
    }

    #[test]
    fn a_new_member_looks_like_its_neighbours() {
        assert_eq!(spliced(r#"{"a":1,"b":2}"#, |v| v["c"] = json!({"x": [1, 2]})), r#"{"a":1,"b":2,"c":{"x":[1,2]}}"#);
        assert_eq!(
            spliced(r#"{"a": 1, "b": 2}"#, |v| v["c"] = json!({"x": [1, 2]})),
            r#"{"a": 1, "b": 2, "c": {"x": [1, 2]}}"#
        );
        assert_eq!(spliced("{}", |v| v["c"] = json!(1)), r#"{"c":1}"#);
        assert_eq!(spliced(r#"{ "a": 1 }"#, |v| v["c"] = json!(1)), r#"{ "a": 1,"c": 1 }"#);
    }

    #[test]
    fn what_is_moved_or_stands_twice_keeps_its_bytes() {
        let text = r#"{"m":[{"n":1.0},{"n":2.00}],"m2":0,"m2":1e0}"#;
        assert_eq!(
            spliced(text, |v| v["m"].as_array_mut().unwrap().reverse()),
            r#"{"m":[{"n":2.00},{"n":1.0}],"m2":0,"m2":1e0}"#
        );
        assert_eq!(spliced(text, |v| v["m2"] = json!(5)), r#"{"m":[{"n":1.0},{"n":2.00}],"m2":0,"m2":5}"#);
    }

    #[test]
    fn equal_elements_are_paired_in_order_and_the_others_between_them() {
        let paired = |old: &str, new: &str| {
            let (old, new) = (old.as_bytes(), new.as_bytes());
            align(old.len(), new.len(), |a, b| old[a] == new[b])
        };
        assert_eq!(paired("abc", "abc"), [Some(0), Some(1), Some(2)]);
        assert_eq!(paired("abc", "axc"), [Some(0), Some(1), Some(2)]);
        assert_eq!(paired("abcd", "acd"), [Some(0), Some(2), Some(3)]);
        assert_eq!(paired("ab", "axb"), [Some(0), None, Some(1)]);
        assert_eq!(paired("abcde", "xbydz"), [Some(0), Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(paired("", "ab"), [None, None]);
        assert_eq!(paired("ab", ""), []);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9_i64..99).prop_map(Value::from),
            (-9_i32..99).prop_map(|n| Value::from(f64::from(n) / 8.0)),
            "[a-c\"\\\\é\n]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-d]", inner), 0..4).prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_spliced_text_says_what_was_asked(old in json(), new in json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&old) } else { serde_json::to_string(&old) }.unwrap();
            let out = splice(text.as_bytes(), &old, &new).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), new);
            prop_assert_eq!(splice(text.as_bytes(), &old, &old).unwrap(), text.into_bytes());
        }
    }
}
