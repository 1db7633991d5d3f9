//! The rules under the server of rules of VictoriaMetrics: the scenarios of promtool, in the
//! words of its own tool.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use test_support::tools;

use super::files;

/// Returns a file of tests for promtool in the words of vmalert-tool, which adds the group of
/// an alert to its labels, and whose `changes()` counts the first value too.
fn translated(tests: &str) -> String {
    let lines = tests.lines().map(|line| {
        let line = line.replace("changes(", "changes_prometheus(");
        match line.split_once("- expr: ") {
            Some((indent, expression)) => {
                format!("{indent}- expr: label_del({expression}, \"alertgroup\")\n")
            }
            None => line.replace("promql_expr_test:", "metricsql_expr_test:") + "\n",
        }
    });
    lines.collect()
}

/// Copies the rules and the translated tests into `folder`.
fn translate(folder: &Path) {
    for name in ["rules", "tests"] {
        fs::create_dir(folder.join(name)).expect("a folder");
        for file in files(name) {
            let text = fs::read_to_string(&file).expect("a text");
            let text = if name == "tests" {
                translated(&text)
            } else {
                text
            };
            let copy = folder.join(name).join(file.file_name().expect("a name"));
            fs::write(copy, text).expect("a copy");
        }
    }
}

#[test]
fn scenarios_fire_the_same_alerts_under_vmalert() {
    let Some(program) = tools::optional("vmalert-tool") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    translate(folder.path());
    thread::scope(|scope| {
        for test in files("tests") {
            let copy = folder
                .path()
                .join("tests")
                .join(test.file_name().expect("a name"));
            let program = &program;
            scope.spawn(move || {
                let output = Command::new(program)
                    .args(["unittest", "--disableAlertgroupLabel"])
                    .arg(format!("--files={}", copy.display()))
                    .output()
                    .expect("vmalert-tool starts");
                let said = String::from_utf8_lossy(&output.stdout);
                assert!(
                    output.status.success() && said.contains("SUCCESS"),
                    "{}:\n{said}\n{}",
                    test.display(),
                    String::from_utf8_lossy(&output.stderr)
                );
            });
        }
    });
}
