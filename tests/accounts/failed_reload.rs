//! A reload that fails because the state cannot be read.

use std::fs;

use test_support::exporter::{Exporter, is};
use test_support::exposition;

use crate::vendor::{EVENTS, UP, Vendor, account, wait_for_counted};

const SUCCESSFUL: &str = "nexmo_audit_config_last_reload_successful";
const FAILED: &str = "The configuration could not be loaded again";

/// Returns the accounts that `/metrics` shows, each with its counted events.
fn shown(exporter: &Exporter) -> Vec<(String, String)> {
    let page = exporter.page("/metrics");
    let samples = exposition::samples(&page).into_iter();
    let events = samples.filter(|sample| sample.name == EVENTS);
    let mut shown: Vec<_> = events
        .map(|sample| (format!("{:?}", sample.labels), sample.value.to_string()))
        .collect();
    shown.sort();
    shown
}

#[test]
fn a_reload_while_the_state_is_away_changes_nothing() {
    let vendor = Vendor::new(&["stays", "changes", "goes", "comes"]);
    for name in ["stays", "changes", "goes", "comes"] {
        vendor.record_many(name, 2);
    }
    vendor.configure_accounts(&["stays", "changes", "goes"]);
    let exporter = vendor.start();
    for name in ["stays", "changes", "goes"] {
        wait_for_counted(&exporter, name, 2);
    }
    let before = shown(&exporter);
    assert_eq!(before.len(), 3, "{before:?}");

    fs::rename(vendor.path("state"), vendor.path("away")).expect("it is moved");
    let accounts = [
        account("stays", ""),
        account("changes", ", exclude_event_types: [OTHER]"),
        account("comes", ""),
    ];
    vendor.configure(&format!("accounts:\n{}", accounts.concat()));
    exporter.program.signal("HUP");
    let line = exporter
        .program
        .wait_for_line("the previous configuration stays in use");
    assert!(line.contains("level=error"), "{line}");
    exporter.wait_for(SUCCESSFUL, &[], is(0.0));
    assert_eq!(shown(&exporter), before);
    exporter.wait_for_text("/", FAILED);
    let page = exporter.page("/");
    for account in ["changes", "comes"] {
        let problem = format!("<li>account &quot;{account}&quot;: ");
        assert!(page.contains(&problem), "{page}");
    }
    for name in ["stays", "changes", "goes"] {
        exporter.wait_for(UP, &[("account", name)], is(0.0));
    }

    fs::rename(vendor.path("away"), vendor.path("state")).expect("it is moved");
    for name in ["stays", "changes", "goes"] {
        exporter.wait_for(UP, &[("account", name)], is(1.0));
        vendor.record_many(name, 1);
        wait_for_counted(&exporter, name, 3);
    }
    assert_eq!(shown(&exporter).len(), 3);

    exporter.program.signal("HUP");
    let line = exporter.program.wait_for_line("configuration loaded");
    assert!(line.contains("added=1 changed=1 removed=1"), "{line}");
    exporter.wait_for(SUCCESSFUL, &[], is(1.0));
    for (name, number) in [("stays", 3), ("changes", 3), ("comes", 2)] {
        wait_for_counted(&exporter, name, number);
    }
    assert!(!exporter.page("/").contains(FAILED));
    let log = exporter.program.lines().join("\n");
    assert!(!log.contains("defect"), "{log}");
}
