//! What `serve` and `check-config` say of settings, variables, places and ports before
//! anything is counted.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use test_support::exporter::Exporter;
use test_support::program::command;
use test_support::scripted_api::{ScriptedApi, healthy};

/// Runs the program to its end, and returns its status and what it wrote.
fn ended(command: &mut Command) -> (Option<i32>, String) {
    let done = command.output().expect("the program runs");
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8(said).expect("text"))
}

fn check(folder: &tempfile::TempDir, arguments: &[&str]) -> Command {
    let mut command = command();
    command.current_dir(folder.path()).arg("check-config");
    command.args(arguments);
    command
}

fn cannot_be_used(problems: &[&str]) -> String {
    let problems = problems.join("\n  ");
    format!("nexmo-audit-exporter: the configuration cannot be used:\n  {problems}\n")
}

#[test]
fn an_empty_variable_is_as_if_it_were_not_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = check(&folder, &[]);
    for name in [
        "WEB_CONFIG_FILE",
        "WEB_ENABLE_LIFECYCLE",
        "CONFIG_FILE",
        "API_SECRET_FILE",
        "POLL_INTERVAL",
        "STORAGE_PATH",
        "SHARD_INDEX",
        "EVENTS_LOG",
    ] {
        command.env(format!("NEXMO_AUDIT_{name}"), "");
    }
    let expected = "The configuration can be used: 1 account.\n";
    assert_eq!(ended(&mut command), (Some(0), expected.to_owned()));
}

#[test]
fn values_may_be_written_as_people_write_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = check(
        &folder,
        &["--log.format=JSON", "--metrics.scrape-interval=AUTO"],
    );
    command.env("NEXMO_AUDIT_LOG_LEVEL", "INFO");
    command.env("NEXMO_AUDIT_WEB_ENABLE_LIFECYCLE", "1");
    command.env("NEXMO_AUDIT_EVENTS_LOG", "None");
    fs::write(
        folder.path().join("config.yml"),
        "api: {allow_http: Yes}\npoll: {interval: }\n",
    )
    .expect("a file");
    command.arg("--config.file=config.yml");
    let expected = "Warning: config.yml:2: `interval` has no value, and the default is used\nThe configuration can be used: 1 account.\n";
    assert_eq!(ended(&mut command), (Some(0), expected.to_owned()));
}

#[test]
fn a_problem_names_the_variable_that_it_comes_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = check(&folder, &["--poll.lookback=x"]);
    command.env("NEXMO_AUDIT_POLL_INTERVAL", "soon");
    command.env("NEXMO_AUDIT_WEB_ENABLE_LIFECYCLE", "maybe");
    let expected = cannot_be_used(&[
        "NEXMO_AUDIT_WEB_ENABLE_LIFECYCLE must be true or false",
        "NEXMO_AUDIT_POLL_INTERVAL \"soon\" is not a duration; write it like 30s, 15m or 24h",
        "--poll.lookback \"x\" is not a duration; write it like 30s, 15m or 24h",
    ]);
    assert_eq!(ended(&mut command), (Some(2), expected));
}

#[test]
fn variables_without_effect_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = check(&folder, &[]);
    command.env("NEXMO_AUDIT_POLL_INTERVALL", "soon");
    command.env("NEXMO_AUDIT_API_SECRET", "hunter2");
    command.env("VONAGE_API_SECRET", "hunter3");
    let expected = "Warning: NEXMO_AUDIT_API_SECRET is unknown and has no effect; the secret is in NEXMO_API_SECRET
Warning: NEXMO_AUDIT_POLL_INTERVALL is unknown and has no effect; is NEXMO_AUDIT_POLL_INTERVAL meant?
Warning: VONAGE_API_SECRET is ignored in favour of NEXMO_API_KEY and NEXMO_API_SECRET; remove what is not meant
The configuration can be used: 1 account.
";
    assert_eq!(ended(&mut command), (Some(0), expected.to_owned()));
}

/// Everything that is wrong with a config file, a web configuration, variables and flags is
/// told by one run of either command.
#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "poll: {intervall: 7s, lookback: [1m, 2m]}
log: {level: loud}
accounts:
- {name: one, api_secret_file: gone, base_url: 'http://example.org/'}
- {name: one, api_key: k, key: s3cret, api_secret: s3cret}
";
    fs::write(folder.path().join("config.yml"), config).expect("a file");
    let web =
        "tls_server_config: {cert_file: a.pem}\nbasic_auth_users: {a: hunter2}\nnonsense: 1\n";
    fs::write(folder.path().join("web.yml"), web).expect("a file");
    for command in ["check-config", "serve"] {
        let mut program = test_support::program::command_without_account();
        program.current_dir(folder.path()).arg(command);
        program.args(["--config.file=config.yml", "--web.config.file=web.yml"]);
        program.env("NEXMO_AUDIT_API_TIMEOUT", "0");
        let expected = cannot_be_used(&[
            "config.yml:1: poll.intervall is unknown; settings are named like the flags of serve, with nesting in place of dots",
            "config.yml:1: poll.lookback must be one value",
            "config.yml:2: log.level \"loud\" is unknown; write error, warn, info, debug or trace",
            "config.yml:4: the account has no `api_key`",
            "config.yml:4: `api_secret_file` gone cannot be used: No such file or directory (os error 2)",
            "config.yml:4: `base_url` is plain http to example.org, which would show the API secret to the network; use https, or allow it with --api.allow-http",
            "config.yml:5: `key` is unknown; an account has name, api_key, api_secret, api_secret_file, base_url, event_types and exclude_event_types",
            "config.yml:5: `name` is the same as that of the account in line 4; the name is the label of the account",
            "NEXMO_AUDIT_API_TIMEOUT must be above 0",
            "web.yml:1: `tls_server_config` needs key_file or key: there is no TLS without it",
            "web.yml:2: `a` is not a bcrypt hash; make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`",
            "web.yml:3: `nonsense` is unknown; the options are tls_server_config, http_server_config, basic_auth_users and rate_limit",
        ]);
        assert_eq!(ended(&mut program), (Some(2), expected), "{command}");
    }
}

#[test]
fn places_and_ports_are_tried_and_nothing_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address");
    fs::write(folder.path().join("file"), "").expect("a file");
    let port = format!("--web.listen-address={taken}");
    let mut command = check(
        &folder,
        &[
            &port,
            "--storage.path=gone/data",
            "--events.log=gone/events.log",
        ],
    );
    let expected = cannot_be_used(&[
        "--storage.path: cannot create gone/data: there is no directory gone (is a volume not mounted?): create it, or choose another storage path",
        "--events.log gone/events.log cannot be written: No such file or directory (os error 2); the folder must exist, and let the user that the exporter runs as write there",
        &format!(
            "cannot listen on {taken}: Address already in use (os error 98); another process uses that port: end the process, or choose another port with --web.listen-address"
        ),
    ]);
    assert_eq!(ended(&mut command), (Some(2), expected));
    let mut command = check(&folder, &["--storage.path=file", "--events.log=events.log"]);
    let expected =
        cannot_be_used(&["--storage.path: file is not a directory: choose another storage path"]);
    assert_eq!(ended(&mut command), (Some(2), expected));
    let (status, said) = ended(&mut check(&folder, &["--events.log=events.log"]));
    assert_eq!(status, Some(0), "{said}");
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_start_in_the_future_is_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let (status, said) = ended(&mut check(&folder, &["--poll.start=2999-11-01"]));
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("--poll.start is in the future, and no event before it is counted"),
        "{said}"
    );
    let (_, said) = ended(&mut check(&folder, &["--poll.start=2020-11-01"]));
    assert!(!said.contains("--poll.start"), "{said}");
}

#[test]
fn settings_and_places_are_told_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address");
    let port = format!("--web.listen-address={taken}");
    let mut command = check(
        &folder,
        &[
            "--log.level=loud",
            &port,
            "--web.listen-address=nonsense",
            "--storage.path=gone/data",
        ],
    );
    let expected = cannot_be_used(&[
        "--web.listen-address \"nonsense\" is not an address; write it like :10610, 127.0.0.1:10610, [::1]:10610 or unix:/run/exporter/metrics.sock",
        "--log.level \"loud\" is unknown; write error, warn, info, debug or trace",
        "--storage.path: cannot create gone/data: there is no directory gone (is a volume not mounted?): create it, or choose another storage path",
        &format!(
            "cannot listen on {taken}: Address already in use (os error 98); another process uses that port: end the process, or choose another port with --web.listen-address"
        ),
    ]);
    assert_eq!(ended(&mut command), (Some(2), expected));
}

#[test]
fn an_exporter_that_runs_is_no_problem_of_its_configuration() {
    let api = ScriptedApi::start(healthy(Vec::new()));
    let folder = tempfile::tempdir().expect("a folder");
    let storage = format!("--storage.path={}", folder.path().display());
    let exporter = Exporter::polling_with(&api, &[&storage]);
    let address = format!("--web.listen-address={}", exporter.program.address());
    let mut command = command();
    command.args(["check-config", &storage, &address]);
    let (status, said) = ended(&mut command);
    assert_eq!(status, Some(0), "{said}");
    let pid = exporter.program.id();
    assert!(
        said.contains(&format!("Warning: an exporter (pid {pid}) uses ")),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn serve_tells_of_port_and_state_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address");
    let mut command = command();
    command.current_dir(folder.path());
    let port = format!("--web.listen-address={taken}");
    command.args(["serve", &port, "--storage.path=gone/data"]);
    let expected = format!(
        "nexmo-audit-exporter: cannot listen on {taken}: Address already in use (os error 98); another process uses that port: end the process, or choose another port with --web.listen-address
cannot create gone/data: there is no directory gone (is a volume not mounted?): create it, or choose another storage path\n"
    );
    assert_eq!(ended(&mut command), (Some(1), expected));
}
