//! An API that accepts connections and never answers takes neither the descriptors of
//! scrapes nor the requests of other accounts.

use std::fs;
use std::time::{Duration, Instant};

use test_support::program::command_with_descriptors;

use crate::crowd::{Crowd, scrape};

const DESCRIPTORS: usize = 512;
const SILENT: usize = 600;
const HEALTHY: usize = 100;

#[test]
fn more_silent_accounts_than_descriptors_delay_neither_scrapes_nor_other_accounts() {
    let crowd = Crowd::new();
    let silent = (0..SILENT).map(|place| crowd.silent_account(&format!("silent-{place}")));
    let mut accounts: Vec<_> = silent.collect();
    accounts.extend(crowd.accounts(HEALTHY));
    crowd.configure(&accounts);
    crowd.record();
    let mut command = command_with_descriptors(DESCRIPTORS);
    let slower = ["--api.timeout=20s", "--poll.interval=5s"];
    let exporter = crowd.start_by(&mut command, &slower);
    let begun = Instant::now();
    // Longer than one request takes.
    while begun.elapsed() < Duration::from_secs(30) {
        scrape(&exporter);
    }
    crowd.wait_until_counted(&exporter, HEALTHY);
    for _ in 0..2 {
        crowd.count_one_more(&exporter, HEALTHY);
    }
    exporter
        .program
        .wait_for_line("the limit of open files is low for so many accounts");
    crowd.answer_all();
    crowd.wait_until_counted(&exporter, SILENT + HEALTHY);
}

#[test]
fn the_limit_of_open_files_is_raised_as_far_as_it_may() {
    let crowd = Crowd::new();
    crowd.configure(&crowd.accounts(1));
    let mut shell = std::process::Command::new("sh");
    let limited = "ulimit -Sn 300; ulimit -Hn 900; exec \"$0\" \"$@\"";
    shell.args(["-c", limited]);
    shell.arg(test_support::program::executable());
    shell.env("NEXMO_API_SECRET", "of-nobody");
    let exporter = crowd.start_by(&mut shell, &[]);
    let limits = format!("/proc/{}/limits", exporter.program.id());
    let limits = fs::read_to_string(limits).expect("limits");
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = files.and_then(|line| line.split_whitespace().nth(3));
    assert_eq!(soft, Some("900"), "{limits}");
}
