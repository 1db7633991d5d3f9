//! Proxies, and the hosts that are reached without one.

use std::process::{Command, Output};

use test_support::exporter::Exporter;
use test_support::program::command;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::ScriptedApi;
use test_support::tools::optional;

/// Every variable that concerns proxies. The environment of the developer must not decide a
/// test.
const VARIABLES: [&str; 8] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];
const BASE_URL: &str = "https://api.example.com/beta/audit";
/// Names and values of variables.
type Variables<'a> = &'a [(&'a str, &'a str)];

const PASSWORD: &str = "proxy-swordfish-8861";

fn without_proxies(mut command: Command) -> Command {
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// Returns the program with these variables.
fn with(variables: Variables) -> Command {
    let mut command = without_proxies(command());
    command.envs(variables.iter().copied());
    command
}

fn check_config(variables: Variables) -> Output {
    let mut command = with(variables);
    command.args(["check-config", "--api.base-url", BASE_URL]);
    command.output().expect("the program runs")
}

/// Starts a proxy that opens no tunnel.
fn proxy() -> ScriptedApi {
    ScriptedApi::start(|_| Answer::error(502, "no tunnel"))
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused() {
    let no_url = "is not the URL of a proxy; write it like http://proxy.example.com:3128, with special characters of a password percent-encoded";
    let password = format!("http://ada:{PASSWORD}#1@proxy:3128");
    let socks = format!("socks5://ada:{PASSWORD}@proxy:1080");
    let cases = [
        ("HTTPS_PROXY", "not a url", no_url),
        ("https_proxy", "not a url", no_url),
        ("ALL_PROXY", "\"http://proxy:3128\"", no_url),
        ("all_proxy", "http://", no_url),
        ("HTTPS_PROXY", &password, no_url),
        (
            "HTTPS_PROXY",
            &socks,
            "has a scheme that is not supported; only proxies of http and https can be used",
        ),
    ];
    for (variable, text, problem) in cases {
        let commands: [&[&str]; 3] = [&["check-config"], &["serve"], &["events", "types"]];
        for arguments in commands {
            let mut command = with(&[(variable, text)]);
            command.args(arguments).args(["--api.base-url", BASE_URL]);
            let done = command.output().expect("the program runs");
            let said = String::from_utf8(done.stderr).expect("text");
            let expected = format!(
                "nexmo-audit-exporter: the configuration cannot be used:\n  {variable} {problem}\n"
            );
            assert_eq!(said, expected, "{arguments:?} {text}");
            assert_eq!(done.status.code(), Some(2));
        }
    }
}

#[test]
fn a_variable_that_decides_nothing_is_not_checked() {
    let cases: [Variables; 3] = [
        &[("HTTPS_PROXY", "")],
        &[("http_proxy", ""), ("NO_PROXY", "a:1")],
        &[("https_proxy", "proxy:3128"), ("ALL_PROXY", "not a url")],
    ];
    for variables in cases {
        let done = check_config(variables);
        let said = String::from_utf8(done.stdout).expect("text");
        assert_eq!(said, "The configuration can be used: 1 account.\n");
    }
    // No proxy is used for plain HTTP.
    let mut command = with(&[("HTTPS_PROXY", "not a url")]);
    command.args(["check-config", "--api.base-url=http://127.0.0.1:1/"]);
    assert!(command.status().expect("the program runs").success());
}

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    let list = "localhost, api.example.com:443 \"api.example.com\"";
    let with_list = [("HTTPS_PROXY", "proxy:3128"), ("NO_PROXY", list)];
    let only_http = [("HTTP_PROXY", "proxy:3128")];
    let cases: [(Variables, &[&str]); 2] = [
        (
            &with_list,
            &[
                r#"NO_PROXY: the entry "api.example.com:443" matches no host, since it has a port; write the host alone, which stands for all its ports"#,
                r#"NO_PROXY: the entry "\"api.example.com\"" matches no host, since it has quotes; remove them"#,
            ],
        ),
        (
            &only_http,
            &[
                "HTTP_PROXY is not used, since requests to the API are sent by https; set HTTPS_PROXY if they have to go through a proxy",
            ],
        ),
    ];
    for (variables, warnings) in cases {
        let said = String::from_utf8(check_config(variables).stdout).expect("text");
        let lines: Vec<_> = warnings.iter().map(|w| format!("Warning: {w}\n")).collect();
        let expected = format!(
            "{}The configuration can be used: 1 account.\n",
            lines.concat()
        );
        assert_eq!(said, expected);
        let arguments = ["--log.format=json", "--poll.interval=10m"];
        let exporter =
            Exporter::started_by(&mut with(variables), "https://127.0.0.1:1", &arguments);
        for warning in warnings {
            let in_json = warning.replace('\\', "\\\\").replace('"', "\\\"");
            exporter.program.wait_for_line(&in_json);
        }
    }
}

/// Returns `true` if the exporter asks the proxy of `variables` for the API at `base_url`,
/// where nothing listens.
fn exporter_uses(proxy: &ScriptedApi, variables: Variables, base_url: &str) -> bool {
    let before = proxy.connections();
    let exporter = Exporter::started_by(&mut with(variables), base_url, &[]);
    exporter.program.wait_for_line("polls fail");
    proxy.connections() > before
}

#[test]
fn a_proxy_is_named_by_any_of_four_variables() {
    let (proxy, other) = (proxy(), proxy());
    let url = proxy.address().to_string();
    let http = format!("http://{url}/");
    let other_url = other.address().to_string();
    let cases: [(Variables, bool); 9] = [
        (&[], false),
        (&[("HTTPS_PROXY", &url)], true),
        (&[("https_proxy", &http)], true),
        (&[("ALL_PROXY", &http)], true),
        (&[("all_proxy", &url)], true),
        (&[("HTTP_PROXY", &url), ("http_proxy", &url)], false),
        (&[("HTTPS_PROXY", &url), ("all_proxy", &other_url)], true),
        (&[("https_proxy", &url), ("HTTPS_PROXY", &other_url)], true),
        // A program that a web server starts takes no proxy from its environment. The
        // exporter is not such a program.
        (&[("HTTPS_PROXY", &url), ("REQUEST_METHOD", "GET")], true),
    ];
    for (variables, expected) in cases {
        let used = exporter_uses(&proxy, variables, "https://127.0.0.1:1/beta/audit");
        assert_eq!(used, expected, "{variables:?}");
    }
    assert_eq!(other.connections(), 0);
}

/// Returns `true` if curl asks the proxy.
fn curl_uses(proxy: &ScriptedApi, variables: Variables, url: &str) -> Option<bool> {
    let mut curl = without_proxies(Command::new(optional("curl")?));
    let before = proxy.connections();
    curl.envs(variables.iter().copied());
    curl.args(["--disable", "--silent", "--max-time", "10", url]);
    assert!(!curl.status().expect("curl runs").success(), "{url}");
    Some(proxy.connections() > before)
}

#[test]
fn hosts_are_reached_without_a_proxy_as_by_curl() {
    let proxy = proxy();
    let url = format!("http://{}", proxy.address());
    let cases = [
        ("localhost", "*", true),
        ("localhost", "localhost", true),
        ("localhost", ".localhost", true),
        ("localhost", "LocalHost.", true),
        ("localhost", "example.com ,\tlocalhost", true),
        ("localhost", "example.com localhost", true),
        ("localhost", "example.com,,localhost,", true),
        ("localhost", "host", false),
        ("localhost", "127.0.0.1", false),
        ("localhost", "localhost:1", false),
        ("localhost", "\"localhost\"", false),
        ("localhost", "'localhost,example.com'", false),
        ("localhost", "example.com,*", false),
        ("localhost", "*.localhost", false),
        ("localhost", "https://localhost", false),
        ("127.0.0.1", "*", true),
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "127.0.0.0/8", true),
        ("127.0.0.1", "127.0.0.2/31", false),
        ("127.0.0.1", "127.0.0.1/33", false),
        ("127.0.0.1", "127.0.0.1:1", false),
        ("127.0.0.1", "0.0.1", false),
        ("[::1]", "::1", true),
        ("[::1]", "0::1/64", true),
        ("[::1]", "[::1]", false),
        ("[::1]", "::2/127", false),
    ];
    for (host, list, direct) in cases {
        let api = format!("https://{host}:1/beta/audit");
        for variable in ["NO_PROXY", "no_proxy"] {
            let variables = [("HTTPS_PROXY", &*url), (variable, list)];
            let used = exporter_uses(&proxy, &variables, &api);
            assert_eq!(used, !direct, "the exporter, {host}, {variable}={list:?}");
            // curl before 7.86 knows no networks, and some later versions none of IPv6.
            if host == "[::1]" && list.contains('/') {
                continue;
            }
            if let Some(used) = curl_uses(&proxy, &variables, &api) {
                assert_eq!(used, !direct, "curl, {host}, {variable}={list:?}");
            }
        }
    }
    // The variable that curl prefers, and one that is empty.
    for (lower, upper, direct) in [
        ("localhost", "", true),
        ("", "localhost", true),
        ("a", "localhost", false),
    ] {
        let lists = [("no_proxy", lower), ("NO_PROXY", upper)];
        let variables = [lists[0], lists[1], ("https_proxy", &*url)];
        let api = "https://localhost:1/beta/audit";
        assert_eq!(exporter_uses(&proxy, &variables, api), !direct, "{lists:?}");
        if let Some(used) = curl_uses(&proxy, &variables, api) {
            assert_eq!(used, !direct, "curl, {lists:?}");
        }
    }
}

#[test]
fn requests_go_through_the_tunnel_of_a_proxy_with_a_password() {
    let proxy = ScriptedApi::start(|request| {
        assert_eq!(request.method, "CONNECT");
        Answer::error(407, "who are you?")
    });
    let url = format!("http://ada:{PASSWORD}@{}", proxy.address());
    let _exporter = Exporter::started_by(
        &mut with(&[("HTTPS_PROXY", &url)]),
        "https://api.example.com/beta/audit",
        &[],
    );
    let asked = proxy.wait_for_requests(1, |_| true);
    assert_eq!(asked[0].target, "api.example.com:443");
    let basic = test_support::audit_event::base64(&format!("ada:{PASSWORD}"));
    let shown = asked[0].header("Proxy-Authorization");
    assert_eq!(shown, Some(&*format!("Basic {basic}")));
    // The secret of the API is not for the proxy.
    assert_eq!(asked[0].header("Authorization"), None);
}
