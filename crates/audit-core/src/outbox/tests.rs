use super::*;

fn outbox(account: Option<&str>, last: u64, written: &Written) -> Outbox {
    let account = account.map(Arc::from);
    Outbox::new(Content::Everything, account, last, written.clone())
}

fn numbers(lines: &Lines) -> Vec<u64> {
    lines.new.iter().map(|line| line.number).collect()
}

#[test]
fn no_event_log_is_kept_by_default() {
    let mut outbox = Outbox::default();
    outbox.push(r#"{"id": "a"}"#);
    assert!(!outbox.is_kept());
    assert_eq!(outbox.lines(), Lines::default());
}

#[test]
fn lines_are_numbered_without_gaps_through_commits_and_restarts() {
    let written = Written::default();
    for last in [0, 7, u64::from(u32::MAX)] {
        let mut outbox = outbox(None, last, &written);
        outbox.push(r#"{"id": "a"}"#);
        outbox.push(r#"{"id": "b"}"#);
        assert_eq!(numbers(&outbox.lines()), [last + 1, last + 2]);
        outbox.confirm();
        outbox.push(r#"{"id": "c"}"#);
        assert_eq!(numbers(&outbox.lines()), [last + 3]);
    }
}

#[test]
fn lines_stay_until_a_commit_has_stored_them() {
    let mut outbox = outbox(None, 0, &Written::default());
    outbox.push(r#"{"id": "a"}"#);
    let failed = outbox.lines();
    outbox.push(r#"{"id": "b"}"#);
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
        outbox.push(json);
        assert_eq!(outbox.lines().new[0].text, expected);
    }
}
