//! Manual pages, which are made from the flags, the examples of the help, and the sections
//! here.

use std::collections::BTreeMap;

use clap::Command;
use clap_mangen::Man;
use nexmo_audit_exporter::cli;
use roff::{Roff, bold, roman};

use super::generated;

const PAGES: &str = "packaging/man";

/// A heading of a page, and what is told under it: a term and its meaning each.
type Section = (&'static str, &'static [(&'static str, &'static str)]);

const EXIT_STATUS: Section = (
    "EXIT STATUS",
    &[
        ("0", "It is done, or a signal has ended what had no end."),
        ("1", "It failed while it ran."),
        (
            "2",
            "The command line or the configuration cannot be used. All problems are told at once.",
        ),
    ],
);

const ENVIRONMENT: Section = (
    "ENVIRONMENT",
    &[
        (
            "NEXMO_API_KEY, NEXMO_API_SECRET",
            "The credentials of a single account; VONAGE_API_KEY and VONAGE_API_SECRET as well.",
        ),
        (
            "NEXMO_AUDIT_*",
            "Every flag: NEXMO_AUDIT_ and the flag in capitals, dots and dashes as _. A flag that is given takes precedence.",
        ),
        (
            "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
            "The proxy on the way to the API, as in curl.",
        ),
        (
            "SSL_CERT_FILE",
            "A file in PEM with the certificates that are trusted, in place of those of the system.",
        ),
        ("TZ", "The time zone of --local."),
        (
            "LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES",
            "The sockets that systemd hands over to serve, which uses them in place of --web.listen-address.",
        ),
        (
            "NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID",
            "Where serve tells systemd that it is ready, reloads, stops and is alive.",
        ),
        ("NO_COLOR", "No colours on a terminal."),
    ],
);

const FILES: Section = (
    "FILES",
    &[
        (
            "data/",
            "The stored state, below the folder that the program runs in; --storage.path names another. The unit of the Debian package keeps it in /var/lib/nexmo-audit-exporter.",
        ),
        (
            "/etc/default/nexmo-audit-exporter",
            "The environment of the unit of the Debian package.",
        ),
        (
            "/etc/nexmo-audit-exporter/api-secret",
            "The API secret of the unit of the Debian package.",
        ),
        (
            "/etc/nexmo-audit-exporter/config.yml",
            "The config file of the unit of the Debian package, for several accounts.",
        ),
    ],
);

#[test]
fn manual_pages_are_those_of_the_flags() {
    let mut program = with_variables(cli::command());
    // The revision differs from commit to commit.
    program = program
        .disable_help_subcommand(true)
        .long_version(env!("CARGO_PKG_VERSION"));
    program.build();
    let mut pages = BTreeMap::new();
    add_pages(&program, &[], &mut pages);
    generated::holds(PAGES, &pages);
}

/// Returns the command with the names of the variables, and with all that the short help leaves
/// out: a page would leave out the words about it.
fn with_variables(command: Command) -> Command {
    command
        .mut_args(|arg| arg.hide_env(false).hide_short_help(false))
        .mut_subcommands(with_variables)
}

fn add_pages(command: &Command, path: &[&str], pages: &mut BTreeMap<String, String>) {
    for inner in command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set())
    {
        add_pages(inner, &[path, &[inner.get_name()]].concat(), pages);
    }
    let mut page = Vec::new();
    // What follows the flags is told by sections of their own.
    let plain = command.clone().after_help("").after_long_help("");
    let man = Man::new(plain);
    man.render_title(&mut page).expect("memory");
    man.render_name_section(&mut page).expect("memory");
    man.render_synopsis_section(&mut page).expect("memory");
    man.render_description_section(&mut page).expect("memory");
    man.render_options_section(&mut page).expect("memory");
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page).expect("memory");
    }
    let mut text = String::from_utf8(page).expect("UTF-8");
    text.push_str(&examples(path));
    for section in [&EXIT_STATUS, &ENVIRONMENT, &FILES] {
        text.push_str(&rendered(section));
    }
    pages.insert(man.get_filename(), text);
}

fn examples(path: &[&str]) -> String {
    let examples = cli::examples(path);
    let mut roff = Roff::new();
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
    }
    for (purpose, lines) in examples {
        roff.control("PP", []).text([roman(format!("{purpose}:"))]);
        roff.control("RS", ["4"]).control("nf", []);
        for line in lines.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []).control("RE", []);
    }
    without_preamble(&roff.render())
}

fn rendered((heading, terms): &Section) -> String {
    let mut roff = Roff::new();
    roff.control("SH", [*heading]);
    for (term, meaning) in *terms {
        roff.control("TP", []).text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
    without_preamble(&roff.render())
}

/// Returns the text without the definitions that a page has once, at its head.
fn without_preamble(text: &str) -> String {
    let begin = text.find(".SH ").unwrap_or(text.len());
    text[begin..].to_owned()
}
