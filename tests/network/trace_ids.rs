//! The trace id of a failed answer, which the vendor's support asks for.

use test_support::exporter::Exporter;
use test_support::program::command;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::ScriptedApi;

const TRACE_ID: &str = "6f1b2a9c04d84e5cbb3f0a7d92e1c583";

fn failing(status: u16, trace_id: &'static str) -> ScriptedApi {
    ScriptedApi::start(move |_| {
        Answer::error(status, "no luck")
            .header("x-nexmo-trace-id", trace_id)
            .header("Retry-After", "0")
    })
}

#[test]
fn the_log_line_of_a_failure_has_the_trace_id() {
    for status in [302, 400, 401, 403, 404, 429, 500, 503] {
        let api = failing(status, TRACE_ID);
        let exporter = Exporter::polling(&api);
        let line = exporter.program.wait_for_line("polls fail");
        let expected = format!(", X-Nexmo-Trace-Id {TRACE_ID}");
        assert!(line.contains(&expected), "{line}");
    }
}

#[test]
fn a_trace_id_cannot_forge_a_line() {
    let hostile = [
        "id\" level=info message=\"all is well",
        "id reason=none",
        "x,y;z",
    ];
    for trace_id in hostile {
        let api = failing(500, trace_id);
        let exporter = Exporter::polling(&api);
        let line = exporter.program.wait_for_line("polls fail");
        assert!(
            line.contains("status 500: \\\"no luck\\\"; the API has a fault"),
            "{line}"
        );
    }
}

#[test]
fn the_error_of_a_command_has_the_trace_id() {
    let api = failing(403, TRACE_ID);
    let folder = tempfile::tempdir().expect("a folder");
    let commands: [&[&str]; 4] = [
        &["events", "list"],
        &["events", "get", "an-id"],
        &["events", "types"],
        &["backfill", "--from=3d", "--to=2d", "--output=history"],
    ];
    for arguments in commands {
        let mut command = command();
        command.current_dir(folder.path()).args(arguments);
        command.args(["--api.base-url", &api.base_url()]);
        let done = command.output().expect("the program runs");
        assert_eq!(done.status.code(), Some(1), "{arguments:?}");
        let said = String::from_utf8(done.stderr).expect("text");
        let expected = format!("(403: \"no luck\", X-Nexmo-Trace-Id {TRACE_ID});");
        assert!(said.contains(&expected), "{arguments:?}: {said}");
    }
}
