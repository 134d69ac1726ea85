#![expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]

use super::*;
use crate::record::{Block, Role, Turn};
use proptest::prelude::*;
use serde_json::json;

/// One line of each schema and of each odd form it comes in, spelled as nobody would write it twice.
const LINES: [(&str, &str); 26] = [
    ("prompt-completion", r#"{"prompt":"Hi","completion":"Hello"}"#),
    ("prompt-completion", r#" { "completion" : "caf\u00e9 \/ 1" , "prompt":"Hi", "id": 1.50, "system": null }"#),
    ("prompt-completion", r#"{"prompt": "Hi", "completion": {"a": [1.0, 2]}, "system": "Be brief."}"#),
    (
        "claude-messages",
        r#"{"system":"Be brief.","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}"#,
    ),
    (
        "claude-messages",
        r#"{"messages": [{"content": "Hi", "role": "user"}, {"role": "assistant", "content": [{"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}}]}], "system": "s"}"#,
    ),
    (
        "claude-messages",
        r#"{"system":"s","messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"aGk="}},{"type":"tool_result","tool_use_id":"1","content":"4"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"x"},{"type":"tool_use","id":"1","name":"add","input":{}}]}]}"#,
    ),
    (
        "conversation",
        r#"{"schemaVersion":"bedrock-conversation-2024","system":[{"text":"Be brief."}],"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
    ),
    (
        "conversation",
        r#"{"schemaVersion": "v1", "messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/a.png", "bucketOwner": "111122223333"}}}}, {"text": "What is it?"}]}, {"role": "assistant", "content": [{"reasoningContent": {"reasoningText": {"text": "A cat.", "signature": "zz"}}}, {"text": "A cat"}]}]}"#,
    ),
    (
        "conversation",
        r#"{"schemaVersion":"bedrock-conversation-2024","toolConfig":{"tools":[{"toolSpec":{"name":"add"}}]},"messages":[{"role":"user","content":[{"text":"2+2"},{"cachePoint":{"type":"default"}}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"add","input":{"a":2.0}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"json":{"sum":4}}]}}]},{"role":"assistant","content":[{"text":"4"}]}]}"#,
    ),
    (
        "conversation",
        r#"{"schemaVersion":"bedrock-conversation-2024","messages":[{"role":"user","content":[{"video":{"format":"mp4"}},{"document":{"format":"pdf"}},{"text":"a","image":{}},7,{"reasoningContent":{"redactedContent":"x"}}]}]}"#,
    ),
    (
        "conversation",
        r#"{"schemaVersion":"bedrock-conversation-2024","system":[],"messages":[{"role":"user","content":[{"text":"Only a prompt"}],"x":1}]}"#,
    ),
    ("pretraining", r#"{"input": "Once upon a time."}"#),
    ("image-ref", r#"{"image-ref":"s3://b/a.png","caption":"A cat"}"#),
    (
        "openai-chat",
        r#"{"messages":[{"role":"system","content":"Be brief."},{"role":"user","name":"ann","content":[{"type":"text","text":"Hi"},{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]},{"role":"assistant","content":"Hello","weight":0}]}"#,
    ),
    (
        "openai-chat",
        r#"{"messages":[{"role":"user","content":"2+2"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"add","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"4"},{"role":"assistant","content":"4","tool_calls":[]}],"tools":[{"type":"function","function":{"name":"add"}}]}"#,
    ),
    (
        "openai-chat",
        r#"{"id":"7","messages":[{"role":"developer","content":"Think."},{"role":"user","content":"2+2"}],"reference_answer":{"answer":4.0},"difficulty":"easy"}"#,
    ),
    (
        "openai-chat",
        r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","tool_calls":[{"id":"1","custom":{}}]},{"role":"function","content":"x","tool_calls":"odd"}]}"#,
    ),
    (
        "invocation-log",
        r#"{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","modelId":"amazon.nova-pro-v1:0","operation":"Converse","input":{"inputContentType":"application/json","inputBodyJson":{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"system":[{"text":"s"}],"inferenceConfig":{"temperature":0.70}},"inputTokenCount":3},"output":{"outputBodyJson":{"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn"}},"requestMetadata":{"a":"b"}}"#,
    ),
    (
        "invocation-log",
        r#"{"schemaType":"ModelInvocationLog","input":{"inputBodyJson":{"prompt":"Hi","max_gen_len":9}},"output":{"outputBodyJson":{"generation":"Hello"}}}"#,
    ),
    (
        "invocation-log",
        r#"{"schemaType":"ModelInvocationLog","input":{"inputBodyJson":{"messages":[{"role":"user","content":"Hi"}]}},"output":{"outputBodyJson":[{"contentBlockDelta":{"delta":{"text":"Hel"}}},{"contentBlockDelta":{"delta":{"text":"lo"}}}]}}"#,
    ),
    ("invocation-log", r#"{"schemaType":"ModelInvocationLog","input":{"inputBodyJson":{"inputText":"Hi"}}}"#),
    ("alpaca", r#"{"instruction":"Add.","input":"2, 2","output":"4"}"#),
    (
        "alpaca",
        r#"{"instruction":"Hi","input":"","output":"Hello","system":"s","history":[["a","b"],["c","d"]],"text":"x"}"#,
    ),
    ("alpaca", r#"{"instruction":"Hi","output":"Hello","history":[]}"#),
    (
        "sharegpt",
        r#"{"id":"1","conversations":[{"from":"system","value":"s"},{"from":"human","value":"Hi","loss":false},{"from":"gpt","value":"Hello"},{"from":"function_call","value":"{}"},{"from":"observation","value":"4"}]}"#,
    ),
    (
        "sharegpt",
        r#"{"conversations":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}],"system":"s"}"#,
    ),
];

fn schema(id: &str) -> Schema {
    Schema::from_id(id).unwrap()
}

fn texts(record: &Record) -> Vec<(&str, String)> {
    record.turns.iter().map(|turn| (turn.role.as_str(), turn.text().into_owned())).collect()
}

fn parsed(id: &str, line: &str) -> Record {
    schema(id).parse(line.as_bytes()).unwrap()
}

#[test]
fn each_line_is_told_read_and_written_back_byte_for_byte() {
    for (id, line) in LINES {
        let schema = schema(id);
        if !line.contains("conversations\":[{\"role") {
            assert_eq!(Schema::of_line(line.as_bytes()).map(|schema| schema.id()), Some(id), "{line}");
        }
        let record = schema.parse(line.as_bytes()).unwrap();
        assert!(!record.turns.is_empty(), "{line}");
        assert_eq!(schema.patch(line.as_bytes(), &record).unwrap(), line.as_bytes());
        if *id != *"invocation-log" {
            let rendered = schema.render(&record).unwrap();
            assert_eq!(schema.parse(&rendered).unwrap(), record, "{line}");
        }
    }
}

#[test]
fn every_member_of_a_line_is_somewhere_in_its_record() {
    let record = parsed("openai-chat", LINES[13].1);
    assert_eq!(
        texts(&record),
        [("system", "Be brief.".to_owned()), ("user", "Hi".to_owned()), ("assistant", "Hello".to_owned())]
    );
    assert_eq!(record.turns[1].extra["name"], "ann");
    assert_eq!(record.turns[1].content[1].media_uri(), Some("https://example.com/a.png"));
    assert_eq!(record.turns[2].extra["weight"], 0);

    let record = parsed("openai-chat", LINES[14].1);
    assert!(matches!(&record.turns[1].content[..], [Block::ToolUse(call)] if call["function"]["name"] == "add"));
    assert_eq!((&record.turns[2].role, &record.turns[2].extra["tool_call_id"]), (&Role::Tool, &json!("1")));
    assert!(record.extra.contains_key("tools"));

    let record = parsed("openai-chat", LINES[15].1);
    assert_eq!(record.extra["reference_answer"], json!({"answer": 4.0}));
    assert_eq!(record.turns[0].role, Role::System);

    let record = parsed("conversation", LINES[7].1);
    assert_eq!(record.turns[0].content[0].media_uri(), Some("s3://b/a.png"));
    assert_eq!(record.turns[1].content[0], Block::Reasoning("A cat.".into()));
    assert_eq!(record.extra["schemaVersion"], "v1");

    let record = parsed("conversation", LINES[9].1);
    let kinds: Vec<bool> = record.turns[0].content.iter().map(|block| matches!(block, Block::Other(_))).collect();
    assert_eq!(kinds, [false, false, true, true, true]);

    let record = parsed("prompt-completion", LINES[2].1);
    assert_eq!(record.turns[2].content, [Block::Other(json!({"a": [1.0, 2]}))]);

    for (line, expected) in [(17, "Hello"), (18, "Hello"), (19, "Hello"), (20, "")] {
        let record = parsed("invocation-log", LINES[line].1);
        assert_eq!((&*record.prompt(), &*record.completion()), ("Hi", expected));
    }

    let record = parsed("alpaca", LINES[22].1);
    let roles: Vec<&str> = record.turns.iter().map(|turn| turn.role.as_str()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user", "assistant", "user", "assistant"]);
    assert_eq!(parsed("alpaca", LINES[21].1).prompt(), "Add.\n2, 2");
}

#[test]
fn a_change_touches_its_own_bytes_alone() {
    for (index, old, new) in [
        (1, r#""caf\u00e9 \/ 1""#, r#""Bye""#),
        (3, r#""Hello""#, r#""Bye""#),
        (4, r#""Hello""#, r#""Bye""#),
        (6, r#""Hello""#, r#""Bye""#),
        (7, r#""text": "A cat"}"#, r#""text": "Bye"}"#),
        (12, r#""A cat""#, r#""Bye""#),
        (13, r#""Hello""#, r#""Bye""#),
        (17, r#""Hello""#, r#""Bye""#),
        (18, r#""Hello""#, r#""Bye""#),
        (21, r#""4""#, r#""Bye""#),
        (25, r#""Hello""#, r#""Bye""#),
    ] {
        let (id, line) = LINES[index];
        let mut record = parsed(id, line);
        let last = record.turns.last_mut().unwrap().content.last_mut().unwrap();
        *last = Block::Text("Bye".into());
        let patched = schema(id).patch(line.as_bytes(), &record).unwrap();
        assert_eq!(String::from_utf8(patched).unwrap(), line.replacen(old, new, 1));
    }
}

#[test]
fn turns_are_added_moved_and_taken_away() {
    let (id, line) = LINES[8];
    let mut record = parsed(id, line);
    record.turns.remove(2);
    record.turns.insert(0, Turn::new(Role::System, "Be brief."));
    record.turns.push(Turn::of(Role::Tool, vec![Block::Reasoning("r".into()), Block::Image(json!({"format": "png"}))]));
    record.extra.shift_remove("toolConfig");
    let patched = String::from_utf8(schema(id).patch(line.as_bytes(), &record).unwrap()).unwrap();
    assert!(patched.contains(r#""system":[{"text":"Be brief."}]"#), "{patched}");
    assert!(
        patched.contains(r#"{"a":2.0}"#) && !patched.contains("toolResult") && !patched.contains("toolConfig"),
        "{patched}"
    );
    assert!(
        patched.contains(r#"{"reasoningContent":{"reasoningText":{"text":"r"}}},{"image":{"format":"png"}}"#),
        "{patched}"
    );
}

#[test]
fn a_record_that_a_schema_cannot_hold_is_refused_with_the_reason() {
    let two =
        Record::new(vec![Turn::new(Role::User, "a"), Turn::new(Role::Assistant, "b"), Turn::new(Role::User, "c")]);
    let picture =
        Record::new(vec![Turn::of(Role::User, vec![Block::Image(json!({}))]), Turn::new(Role::Assistant, "b")]);
    let mut named = Record::prompt_completion(None, "a", "b");
    named.turns[0].extra.insert("name".into(), json!("ann"));
    for (id, record, kind) in [
        ("prompt-completion", &two, LossKind::Turns),
        ("prompt-completion", &picture, LossKind::Media),
        ("prompt-completion", &named, LossKind::MessageFields),
        ("alpaca", &two, LossKind::Turns),
        ("image-ref", &named, LossKind::Media),
        ("pretraining", &two, LossKind::Turns),
        ("invocation-log", &two, LossKind::Structure),
    ] {
        let loss = schema(id).render(record).unwrap_err();
        assert_eq!(loss.kind, kind, "{id}: {loss}");
        assert!(loss.to_string().ends_with('.'));
    }
    // A block that would be read back as something else is not written.
    let odd = Record::new(vec![Turn::of(Role::User, vec![Block::Other(json!({"text": "a"}))])]);
    assert_eq!(schema("conversation").render(&odd).unwrap_err().kind, LossKind::Blocks);
}

#[test]
fn a_line_that_is_no_record_says_what_is_wrong_and_where() {
    use ShapeKind::{Blank, NotAnObject, NotJson, NotUtf8, Shape};
    type Case = (&'static str, &'static [u8], ShapeKind, Option<u64>, &'static str);
    let cases: [Case; 17] = [
        ("conversation", b" \r", Blank, None, "is blank"),
        ("conversation", b"{\"a\":\"caf\xE9\"}", NotUtf8, Some(10), "UTF-8"),
        ("conversation", b"{\"a\":1", NotJson, Some(1), "is not closed"),
        ("conversation", b"{\"a\" 1}", NotJson, Some(6), "colon"),
        ("conversation", b"[1]", NotAnObject, Some(1), "not a JSON object"),
        ("conversation", br#"{"prompt":"a","completion":"b"}"#, Shape, None, "in the form \"prompt and completion\""),
        ("prompt-completion", br#"{"prompt":"a"}"#, Shape, None, "no \"completion\""),
        ("prompt-completion", br#"{"prompt":"a","completion":null}"#, Shape, None, "is null"),
        ("claude-messages", br#"{"messages":"a"}"#, Shape, None, "not a list"),
        ("claude-messages", br#"{"messages":[7]}"#, Shape, None, "messages[0] is not an object"),
        ("claude-messages", br#"{"messages":[{"content":"a"}]}"#, Shape, None, "messages[0] has no role"),
        ("claude-messages", br#"{"messages":[{"role":"user","content":7}]}"#, Shape, None, "neither a text nor"),
        ("claude-messages", br#"{"system":7,"messages":[]}"#, Shape, None, "\"system\" is neither"),
        ("sharegpt", br#"{"conversations":[{"value":"a"}]}"#, Shape, None, "has no from"),
        (
            "invocation-log",
            br#"{"schemaType":"ModelInvocationLog","input":{}}"#,
            Shape,
            None,
            "no \"input.inputBodyJson\"",
        ),
        ("alpaca", br#"{"instruction":"a"}"#, Shape, None, "no \"output\""),
        ("image-ref", br#"{"image-ref":"a"}"#, Shape, None, "no \"caption\""),
    ];
    for (id, line, kind, column, said) in cases {
        let error = schema(id).parse(line).unwrap_err();
        assert_eq!((error.kind, error.column), (kind, column), "{error:?}");
        assert!(error.message.contains(said), "{error:?}");
        assert!(!error.hint.is_empty());
    }
}

#[test]
fn fields_of_ones_own_are_read_by_a_mapping_and_keep_what_they_were() {
    let mapping = Mapping { prompt: "q".into(), completion: "a".into(), system: Some("s".into()) };
    let schema = Schema::Fields(mapping);
    let line = br#"{"n": 1.0, "q": "Hi", "a": {"x": [1.0]}, "s": null}"#;
    let mut record = schema.parse(line).unwrap();
    assert_eq!(record.completion(), r#"{"x":[1.0]}"#);
    assert_eq!(record.extra["n"], 1.0);
    record.turns[1].content = vec![Block::Text(r#"{"x":[2.5]}"#.into())];
    let patched = schema.patch(line, &record).unwrap();
    assert_eq!(String::from_utf8(patched).unwrap(), r#"{"n": 1.0, "q": "Hi", "a": {"x": [2.5]}, "s": null}"#);
    record.turns[1].content = vec![Block::Text("[2, 5]".into())];
    let patched = schema.patch(line, &record).unwrap();
    assert!(patched.ends_with(br#""a": "[2, 5]", "s": null}"#));
}

#[test]
fn the_schema_of_a_file_is_that_of_most_lines_and_the_others_are_named() {
    let plain = r#"{"messages":[{"role":"user","content":"Hi"}]}"#;
    let chat = LINES[13].1;
    let pairs = LINES[0].1;
    let detect = |lines: &[&str]| Schema::detect(lines.iter().map(|line| line.as_bytes()));
    let told = |schema: Schema, others: &[(usize, Schema)]| Some(Detected { schema, others: others.to_vec() });
    assert_eq!(detect(&[plain, plain, chat]), told(Schema::OpenAiChat, &[]));
    assert_eq!(detect(&[plain, LINES[3].1]), told(Schema::ClaudeMessages, &[]));
    assert_eq!(detect(&[plain, "{", plain]), told(Schema::ClaudeMessages, &[]));
    assert_eq!(detect(&[pairs, plain, pairs]), told(Schema::PromptCompletion, &[(1, Schema::ClaudeMessages)]));
    assert_eq!(detect(&["[]", "{}", "7"]), None);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        (-9_i64..99).prop_map(Value::from),
        (-99_i32..99).prop_map(|n| Value::from(f64::from(n) / 8.0)),
        "[a-c\"\\\\é\n]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-d]|text|type", inner), 0..3)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

fn content() -> impl Strategy<Value = Vec<Block>> {
    let block = prop_oneof![
        4 => "[a-z é]{0,4}".prop_map(Block::Text),
        1 => "[a-z]{0,4}".prop_map(Block::Reasoning),
        1 => value().prop_map(Block::Image),
        1 => value().prop_map(Block::ToolUse),
        1 => value().prop_map(Block::ToolResult),
        1 => value().prop_map(Block::Other),
    ];
    prop::collection::vec(block, 0..3)
}

fn turn() -> impl Strategy<Value = Turn> {
    let role =
        prop::sample::select(vec![Role::User, Role::Assistant, Role::System, Role::Tool, Role::Other("bot".into())]);
    let extra = prop::collection::vec(("weight|name|x", value()), 0..2);
    (role, content(), extra).prop_map(|(role, content, extra)| Turn {
        role,
        content,
        extra: extra.into_iter().collect(),
    })
}

/// What a person may make of a record: some turns exchanged, added or dropped, fields changed.
fn change() -> impl Strategy<Value = Vec<(u8, prop::sample::Index, Turn, Value)>> {
    prop::collection::vec((0..6_u8, any::<prop::sample::Index>(), turn(), value()), 0..4)
}

fn changed(mut record: Record, changes: Vec<(u8, prop::sample::Index, Turn, Value)>) -> Record {
    for (kind, place, turn, value) in changes {
        let length = record.turns.len();
        match kind {
            0 => record.turns.insert(place.index(length + 1), turn),
            1 if length > 0 => drop(record.turns.remove(place.index(length))),
            2 if length > 0 => record.turns[place.index(length)] = turn,
            3 if length > 0 => record.turns[place.index(length)].content = turn.content,
            4 => drop(record.extra.insert("more".into(), value)),
            _ => record.turns.reverse(),
        }
    }
    record
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_patched_into_a_line_is_read_back_or_refused(line in 0..LINES.len(), changes in change()) {
        let (id, line) = LINES[line];
        let schema = schema(id);
        let record = changed(schema.parse(line.as_bytes()).unwrap(), changes);
        if let Ok(patched) = schema.patch(line.as_bytes(), &record) {
            prop_assert_eq!(schema.parse(&patched).unwrap(), record.clone());
            prop_assert_eq!(schema.patch(&patched, &record).unwrap(), patched);
        }
    }

    #[test]
    fn texts_can_always_be_patched(line in 0..LINES.len(), text in "[a-z\"\\\\é\n ]{0,9}") {
        let (id, line) = LINES[line];
        let schema = schema(id);
        let mut record = schema.parse(line.as_bytes()).unwrap();
        let streamed = line.contains("contentBlockDelta");
        for block in record.turns.iter_mut().filter(|turn| !streamed || turn.role == Role::User).flat_map(|turn| &mut turn.content) {
            if let Block::Text(old) = block {
                old.push('x');
                old.push_str(&text);
            }
        }
        let patched = schema.patch(line.as_bytes(), &record).unwrap();
        prop_assert_eq!(schema.parse(&patched).unwrap(), record);
    }

    #[test]
    fn whatever_object_is_a_record_is_written_back_byte_for_byte(members in prop::collection::vec(
        ("prompt|completion|system|messages|input|output|instruction|conversations|schemaVersion|image-ref|caption|x", value()), 0..5)) {
        let object: Map<String, Value> = members.into_iter().collect();
        let line = Value::Object(object).to_string();
        for schema in Schema::ALL {
            if let Ok(record) = schema.parse(line.as_bytes()) {
                prop_assert_eq!(schema.patch(line.as_bytes(), &record).unwrap(), line.as_bytes());
            }
        }
    }
}
