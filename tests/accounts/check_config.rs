//! `check-config`, as a person or a pipeline runs it.

use std::process::Output;

use test_support::program::command_without_account;

use crate::vendor::{Vendor, account};

fn check(vendor: &Vendor, more: &[&str]) -> Output {
    let mut command = command_without_account();
    command.current_dir(vendor.folder.path());
    command.args(["check-config", "--config.file=config.yml"]);
    command.args(more).output().expect("the program runs")
}

#[test]
fn a_valid_configuration_is_accepted() {
    let vendor = Vendor::new(&[]);
    vendor.configure_accounts(&["one", "two"]);
    let done = check(&vendor, &[]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let said = String::from_utf8(done.stdout).expect("text");
    assert_eq!(said, "The configuration can be used: 2 accounts.\n");
    assert!(!vendor.path("data").exists(), "the command makes no files");
    assert!(
        vendor.api.requests().is_empty(),
        "the command sends no request"
    );
}

/// The cases are files, with every problem that is reported of each.
#[test]
fn all_problems_are_reported_at_once() {
    let cases: [(String, &[&str], &[&str]); 5] = [
        (
            "poll: {interval: 0s}\nlog: {level: loud}\naccounts: [{name: a, api_key: k, api_secret_file: gone}]".into(),
            &["--poll.lookback=x"],
            &[
                "config.yml:1: poll.interval must be above 0",
                "config.yml:2: log.level \"loud\" is unknown; write error, warn, info, debug or trace",
                "config.yml:3: `api_secret_file` gone cannot be used: No such file or directory (os error 2)",
                "--poll.lookback \"x\" is not a duration; write it like 30s, 15m or 24h",
            ],
        ),
        (
            format!("accounts:\n{}{}", account("a", ""), account("a", ", base_url: 'http://example.org'")),
            &[],
            &[
                "config.yml:3: `name` is the same as that of the account in line 2; the name is the label of the account",
                "config.yml:3: `api_key` is the same as that of the account in line 2; counts are stored under the key",
                "config.yml:3: `base_url` is plain http to example.org, which would show the API secret to the network; use https, or allow it with --api.allow-http",
            ],
        ),
        (
            format!("poll: {{interval: 2h}}\nlog: {{level: loud}}\naccounts:\n{}", account("a", "")),
            &["--poll.lookback=30m"],
            &[
                "config.yml:1: poll.interval is 2h, and must not be longer than --poll.lookback, which is 30m; poll more often, or look back as far",
                "config.yml:2: log.level \"loud\" is unknown; write error, warn, info, debug or trace",
            ],
        ),
        (
            "poll: {intervall: 1s}\naccounts: []".into(),
            &["--shard.count=2", "--shard.index=2"],
            &[
                "config.yml:1: poll.intervall is unknown; settings are named like the flags of serve, with nesting in place of dots",
                "config.yml:2: `accounts` is an empty list; add an account, or remove the list",
                "--shard.index is 2, and must be below --shard.count, which is 2",
            ],
        ),
        (
            format!("web: {{listen_adress: ':1'}}\naccounts:\n{}", account("a", "")),
            &[],
            &["config.yml:1: web.listen_adress is unknown; settings are named like the flags of serve, with nesting in place of dots"],
        ),
    ];
    for (file, more, expected) in cases {
        let vendor = Vendor::new(&[]);
        vendor.configure(&file);
        let done = check(&vendor, more);
        assert_eq!(done.status.code(), Some(2), "{file}");
        let said = String::from_utf8(done.stderr).expect("text");
        let expected = format!(
            "nexmo-audit-exporter: the configuration cannot be used:\n  {}\n",
            expected.join("\n  ")
        );
        assert_eq!(said, expected, "{file}");
    }
}

/// Two accounts whose names look the same could not be told apart in an alert.
#[test]
fn a_name_that_does_not_look_like_what_it_is_is_refused() {
    for odd in [
        "a\u{202e}b",
        "a\u{200b}",
        "\u{feff}a",
        "a\u{2066}b",
        "a\u{ad}b",
    ] {
        let vendor = Vendor::new(&[]);
        vendor.configure(&format!(
            "accounts: [{{name: \"{odd}\", api_key: k, api_secret: s3cret}}]"
        ));
        let done = check(&vendor, &[]);
        assert_eq!(done.status.code(), Some(2), "{odd:?}");
        let said = String::from_utf8(done.stderr).expect("text");
        let problem = "`name` must have at most 64 characters, all printable";
        assert!(said.contains(problem), "{said}");
    }
}

#[test]
fn a_missing_file_is_reported() {
    let vendor = Vendor::new(&[]);
    let done = check(&vendor, &[]);
    assert_eq!(done.status.code(), Some(2));
    let said = String::from_utf8(done.stderr).expect("text");
    assert!(
        said.contains("--config.file config.yml cannot be read: No such file or directory"),
        "{said}"
    );
}
