use super::*;

fn outbox(account: Option<&str>, last: u64, written: &Written) -> Outbox {
    let account = account.map(Arc::from);
    Outbox::new(Content::Everything, account, last, written.clone())
}

/// Adds the line of an event that was created at this second.
fn push(outbox: &mut Outbox, id: &str, second: i64) {
    let created_at = Timestamp::from_second(second).expect("a time");
    outbox.push(&format!(r#"{{"id":"{id}"}}"#), created_at);
}

fn ids(lines: &Lines) -> Vec<&str> {
    let id = |line: &'_ Line| line.text.len() - 3..line.text.len() - 2;
    lines.new.iter().map(|line| &line.text[id(line)]).collect()
}

fn numbers(lines: &Lines) -> Vec<u64> {
    lines.new.iter().map(|line| line.number).collect()
}

#[test]
fn no_event_log_is_kept_by_default() {
    let mut outbox = Outbox::default();
    push(&mut outbox, "a", 0);
    assert!(!outbox.is_kept());
    assert_eq!(outbox.lines(), Lines::default());
}

#[test]
fn lines_are_numbered_without_gaps_through_commits_and_restarts() {
    let written = Written::default();
    for last in [0, 7, u64::from(u32::MAX)] {
        let mut outbox = outbox(None, last, &written);
        push(&mut outbox, "a", 0);
        push(&mut outbox, "b", 0);
        assert_eq!(numbers(&outbox.lines()), [last + 1, last + 2]);
        outbox.confirm();
        push(&mut outbox, "c", 0);
        assert_eq!(numbers(&outbox.lines()), [last + 3]);
    }
}

#[test]
fn lines_stay_until_a_commit_has_stored_them() {
    let mut outbox = outbox(None, 0, &Written::default());
    push(&mut outbox, "a", 0);
    let failed = outbox.lines();
    push(&mut outbox, "b", 0);
    assert_eq!(numbers(&failed), [1]);
    assert_eq!(numbers(&outbox.lines()), [1, 2]);
    outbox.confirm();
    assert_eq!(outbox.lines(), Lines::default());
}

#[test]
fn a_commit_says_up_to_which_line_the_log_is_written() {
    let written = Written::default();
    let outbox = outbox(None, 7, &written);
    assert_eq!(outbox.lines().written, 0);
    written.set(5);
    assert_eq!((written.get(), outbox.lines().written), (5, 5));
}

#[test]
fn a_line_has_the_content_and_the_account_of_its_outbox() {
    let json = r#"{"id": "a", "user_email": "ada@example.org"}"#;
    let cases = [
        (
            Content::Everything,
            None,
            r#"{"id":"a","user_email":"ada@example.org"}"#,
        ),
        (Content::Impersonal, None, r#"{"id":"a"}"#),
        (
            Content::Impersonal,
            Some("one"),
            r#"{"account":"one","id":"a"}"#,
        ),
    ];
    for (content, account, expected) in cases {
        let account: Option<Arc<str>> = account.map(Arc::from);
        let mut outbox = Outbox::new(content, account, 0, Written::default());
        outbox.push(json, Timestamp::UNIX_EPOCH);
        assert_eq!(outbox.lines().new[0].text, expected);
    }
}

#[test]
fn the_lines_of_a_commit_are_oldest_first() {
    type Listed = &'static [(&'static str, i64)];
    let cases: [(Listed, [&str; 3]); 4] = [
        // As the API lists them.
        (&[("c", 9), ("b", 9), ("a", 8)], ["a", "b", "c"]),
        (&[("a", 8), ("b", 9), ("c", 9)], ["a", "b", "c"]),
        (&[("b", 5), ("c", 7), ("a", 3)], ["a", "b", "c"]),
        (&[("a", 5), ("b", 5), ("c", 5)], ["a", "b", "c"]),
    ];
    for (listed, expected) in cases {
        let mut outbox = outbox(None, 0, &Written::default());
        for (id, second) in listed {
            push(&mut outbox, id, *second);
        }
        let lines = outbox.lines();
        assert_eq!(ids(&lines), expected, "{listed:?}");
        assert_eq!(numbers(&lines), [1, 2, 3]);
    }
}

#[test]
fn a_line_keeps_the_number_of_a_commit_that_failed() {
    let mut outbox = outbox(None, 0, &Written::default());
    push(&mut outbox, "b", 8);
    push(&mut outbox, "a", 7);
    assert_eq!(ids(&outbox.lines()), ["a", "b"]);
    outbox.reject();
    push(&mut outbox, "c", 6);
    let lines = outbox.lines();
    assert_eq!(
        (ids(&lines), numbers(&lines)),
        (vec!["a", "b", "c"], vec![1, 2, 3])
    );
}

#[test]
fn lines_beyond_the_limit_are_lost_and_counted() {
    let written = Written::default();
    written.set(7);
    let mut outbox = outbox(None, 8, &written).with_limit(
        WaitingLimit {
            lines: 3,
            ..WaitingLimit::default()
        },
        1_000,
    );
    for id in ["a", "b", "c", "d"] {
        push(&mut outbox, id, 0);
    }
    let lost = |lines, is_first| Some(LostLines { lines, is_first });
    assert_eq!(outbox.take_lost(), lost(2, true));
    assert_eq!(outbox.take_lost(), None);
    assert_eq!(numbers(&outbox.lines()), [9, 10]);
    outbox.confirm();
    push(&mut outbox, "e", 0);
    assert_eq!(outbox.take_lost(), lost(1, false));
    // The numbers of the lines that wait have no gap.
    written.set(8);
    push(&mut outbox, "f", 0);
    assert_eq!(
        (outbox.take_lost(), numbers(&outbox.lines())),
        (None, vec![11])
    );
    push(&mut outbox, "g", 0);
    assert_eq!(outbox.take_lost(), lost(1, true));
}

#[test]
fn lines_beyond_the_size_are_lost_until_lines_are_written() {
    let written = Written::default();
    let limit = WaitingLimit {
        bytes: 1_000,
        ..WaitingLimit::default()
    };
    let mut outbox = outbox(None, 8, &written).with_limit(limit, 500);
    let id = "x".repeat(200);
    let mut pushed = |number| {
        for _ in 0..number {
            push(&mut outbox, &id, 0);
        }
        let kept = outbox.lines().new.len();
        outbox.confirm();
        (kept, outbox.take_lost().map_or(0, |lost| lost.lines))
    };
    // A line that begins below the bound may end above it.
    assert_eq!(pushed(4), (3, 1));
    assert_eq!(pushed(1), (0, 1));
    // Lines of a few commits count until all of them are written.
    written.set(10);
    assert_eq!(pushed(1), (0, 1));
    written.set(11);
    assert_eq!(pushed(4), (4, 0));
}

#[test]
fn lines_of_several_mebibytes_are_to_be_stored() {
    let mut outbox = outbox(None, 0, &Written::default());
    let id = "x".repeat(60_000);
    let most = FULL_BYTES / id.len();
    for _ in 0..=most {
        assert!(!outbox.is_full());
        push(&mut outbox, &id, 0);
    }
    assert!(outbox.is_full());
    outbox.reject();
    assert!(outbox.is_full());
    outbox.confirm();
    assert!(!outbox.is_full());
}

#[test]
fn lines_that_are_cut_are_counted_once() {
    let mut outbox = outbox(None, 0, &Written::default());
    push(&mut outbox, "a", 0);
    assert_eq!(outbox.take_cut(), 0);
    for _ in 0..2 {
        push(&mut outbox, &"x".repeat(70_000), 0);
    }
    assert_eq!((outbox.take_cut(), outbox.take_cut()), (2, 0));
}
