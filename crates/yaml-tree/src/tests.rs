use proptest::prelude::*;

use super::*;

/// The tree in one line: `{key@line: value}`.
fn drawn(entries: &[YamlEntry]) -> String {
    let entries = entries.iter().map(|entry| {
        let YamlEntry { key, line, node } = entry;
        format!("{key}@{line}: {}", node_drawn(node))
    });
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

fn node_drawn(node: &YamlNode) -> String {
    match &node.value {
        YamlValue::Null => "null".to_owned(),
        YamlValue::Scalar { text, plain: true } => text.clone(),
        YamlValue::Scalar { text, plain: false } => format!("{text:?}"),
        YamlValue::List(items) => {
            let items = items.iter().map(node_drawn).collect::<Vec<_>>();
            format!("[{}]", items.join(", "))
        }
        YamlValue::Map(entries) => drawn(entries),
    }
}

#[test]
fn documents_are_read_with_their_lines() {
    let cases = [
        ("", "{}"),
        ("# nothing\n", "{}"),
        ("---\n", "{}"),
        ("---\n...\n", "{}"),
        ("~\n", "{}"),
        ("{}", "{}"),
        ("\u{feff}a: 1\n", "{a@1: 1}"),
        ("a: 1\r\nb: 2\r\n", "{a@1: 1, b@2: 2}"),
        ("\n\na:\n  b: x\n  c:\n", "{a@3: {b@4: x, c@5: null}}"),
        ("a: {b: x, c: [1, '2']}", "{a@1: {b@1: x, c@1: [1, \"2\"]}}"),
        ("a:\n- x\n-\n- - y\n", "{a@1: [x, null, [y]]}"),
        (
            "a:\n- b: 1\n  c: 2\n- b: 3\n",
            "{a@1: [{b@2: 1, c@3: 2}, {b@4: 3}]}",
        ),
        (
            "a: |\n  one\n  two\nb: x",
            "{a@1: \"one\\ntwo\\n\", b@4: x}",
        ),
        (
            "a: \"\"\nb: ''\nc: 'null'",
            "{a@1: \"\", b@2: \"\", c@3: \"null\"}",
        ),
        ("'a b': x # why\n\"c\": d#e", "{a b@1: x, c@2: d#e}"),
        ("a: $2y$10$abc.DEF/x", "{a@1: $2y$10$abc.DEF/x}"),
        ("1: a\ntrue: b", "{1@1: a, true@2: b}"),
        // Two mappings may have the same key.
        ("a: {x: 1}\nb: {x: 2}", "{a@1: {x@1: 1}, b@2: {x@2: 2}}"),
    ];
    for (text, expected) in cases {
        let tree = parse(text).map(|entries| drawn(&entries));
        assert_eq!(tree.as_deref(), Ok(expected), "{text:?}");
    }
}

#[test]
fn anything_that_misleads_is_an_error_that_names_it() {
    const ALIAS: &str = "anchors (`&…`) and aliases (`*…`) are not supported; quote text that begins with `&` or `*`";
    const TAG: &str = "tags (`!…`) are not supported; quote text that begins with `!`";
    const TWO: &str = "a second document begins here; keep one, and remove `---`";
    const QUOTE: &str = "text that begins with `%`, `@` or a backtick must be quoted";
    let cases = [
        (
            "a: 1\nb: 2\na: 3",
            3,
            "`a` is given again, after line 1; keep one",
        ),
        (
            "a:\n  x: 1\n  'x': 2",
            3,
            "`x` is given again, after line 2; keep one",
        ),
        (
            "a: {x: 1, x: 2}",
            1,
            "`x` is given again, after line 1; keep one",
        ),
        (
            "\"\\e[31m\": 1\n\"\\e[31m\": 1",
            2,
            "`\\u{1b}[31m` is given again, after line 1; keep one",
        ),
        ("a: &x 1\nb: *x", 1, ALIAS),
        ("a: &x {b: 1}", 1, ALIAS),
        ("a: &x [1]", 1, ALIAS),
        ("&x a: 1", 1, ALIAS),
        ("a: 1\nb: *hunter2", 2, ALIAS),
        ("a: !hunter2", 1, TAG),
        ("a: !!str 1", 1, TAG),
        ("a: !!map {}", 1, TAG),
        ("a: !!binary hunter2", 1, TAG),
        ("a: 1\n---\nb: 2", 2, TWO),
        ("---\n---\nb: 2", 2, TWO),
        ("[a]: 1", 1, "a key must be text"),
        ("? {a: 1}\n: 1", 1, "a key must be text"),
        ("~: 1", 1, "a key must be text"),
        ("a: 1\n: 2", 2, "a key must be text"),
        ("- a\n- b", 1, "write settings as `key: value`"),
        ("hunter2", 1, "write settings as `key: value`"),
        ("a: @hunter2", 1, QUOTE),
        ("a: `hunter2", 1, QUOTE),
    ];
    for (text, line, problem) in cases {
        assert_eq!(parse(text), Err(error(line, problem)), "{text:?}");
    }
}

#[test]
fn text_that_is_not_yaml_is_an_error_with_its_line() {
    let cases = [
        ("a: 1\nb: [hunter2", 2),
        ("a: 1\nb: \"hunter2", 2),
        ("a: hunter2: x", 1),
        ("a: 1\n hunter2: 2\n", 2),
        // The parser reads the second line as the end of the first.
        ("a: 1\n\tb: hunter2", 1),
        ("a: \"\\hunter2\"", 1),
        ("a: 1\nhunter2\nb: 3", 2),
        ("%hunter2", 1),
        ("a: }hunter2", 1),
    ];
    for (text, from) in cases {
        let problem = parse(text).expect_err(text);
        assert!(problem.line >= from, "{text:?}: {problem}");
        assert!(!problem.to_string().contains("hunter"), "{problem}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth| format!("a: {}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH - 1)).is_ok());
    let problem = parse(&nested(MAX_DEPTH)).expect_err("too deep");
    let expected = "line 1: lists and mappings are nested more than 32 deep";
    assert_eq!(problem.to_string(), expected);
    assert_eq!(parse(&nested(100_000)), Err(problem));
}

#[test]
fn a_value_has_the_type_asked_for_or_is_an_error() {
    let entries = parse(
        "text: x\nlist: [a, '1']\nmap: {k: v}\nyes: yes\nno: FALSE\nquoted: 'true'\nnone:\nmixed:\n- a\n- [b]\n- \n",
    );
    let entries = entries.expect("a document");
    let entry = |key: &str| {
        let entry = entries.iter().find(|entry| entry.key == key);
        entry.expect("an entry")
    };
    let said = |result: Result<(), YamlError>| result.expect_err("an error").to_string();
    assert_eq!(entry("text").text(), Ok("x"));
    assert_eq!(entry("none").text(), Ok(""));
    assert_eq!(entry("yes").text(), Ok("yes"));
    assert_eq!(entry("list").texts(), Ok(vec!["a", "1"]));
    assert_eq!(entry("none").texts(), Ok(Vec::new()));
    assert_eq!(entry("yes").flag(), Ok(Some(true)));
    assert_eq!(entry("no").flag(), Ok(Some(false)));
    assert_eq!(entry("none").flag(), Ok(None));
    assert_eq!(entry("map").map().map(drawn).as_deref(), Ok("{k@3: v}"));
    assert_eq!(entry("none").map(), Ok(&[][..]));
    let cases = [
        (
            entry("list").text().map(drop),
            "line 2: `list` must be text",
        ),
        (entry("map").text().map(drop), "line 3: `map` must be text"),
        (
            entry("text").texts().map(drop),
            "line 1: `text` must be a list",
        ),
        (
            entry("mixed").texts().map(drop),
            "line 10: `mixed` must be a list of text",
        ),
        (
            entry("text").map().map(drop),
            "line 1: `text` must be a mapping, `key: value`",
        ),
        (
            entry("quoted").flag().map(drop),
            "line 6: `quoted` must be true or false, without quotes",
        ),
        (
            entry("list").flag().map(drop),
            "line 2: `list` must be true or false, without quotes",
        ),
    ];
    for (result, expected) in cases {
        assert_eq!(said(result), expected);
    }
    assert_eq!(
        entry("map").error("is new").to_string(),
        "line 3: `map` is new"
    );
}

#[test]
fn values_are_not_shown() {
    let entries = parse("a: hunter2\nb: [hunter2, {c: 'hunter2'}]").expect("a document");
    assert!(!format!("{entries:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ \\-a-c:?{}\\[\\],&*!|>'\"%@`#~\n\t\\\\.]{0,80}") {
        let lines = text.matches('\n').count() + 1;
        if let Err(problem) = parse(&text) {
            prop_assert!((1..=lines + 1).contains(&problem.line), "{}", problem);
        }
    }

    /// A secret is the value, whatever mistakes surround it.
    #[test]
    fn no_error_shows_a_value(before in "[ \\-:{}\\[\\],&*!|>'\"%@\n\t]{0,6}", after in "[ :{}\\[\\],'\"\n\t]{0,6}") {
        if let Err(problem) = parse(&format!("a: {before}s3cr3t{after}\nb: 1")) {
            prop_assert!(!problem.problem.contains("s3cr3t") || problem.problem.contains("given again"), "{}", problem);
        }
    }
}
