//! Shell completions, which are made from the flags, and how shells and `man` take what is
//! generated.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use clap_complete::aot::{Shell, generate};
use nexmo_audit_exporter::cli;
use test_support::repository;
use test_support::tools;

use super::{generated, output_of};

const PROGRAM: &str = "nexmo-audit-exporter";
const COMPLETIONS: &str = "packaging/completions";
const PAGES: &str = "packaging/man";

/// The file names of the completions of each shell.
const SHELLS: [(Shell, &str); 3] = [
    (Shell::Bash, "nexmo-audit-exporter"),
    (Shell::Zsh, "_nexmo-audit-exporter"),
    (Shell::Fish, "nexmo-audit-exporter.fish"),
];

/// Returns the command without the hidden command of the image, which shells would
/// offer, too.
fn offered() -> clap::Command {
    let all = cli::command();
    let visible = all.get_subcommands().filter(|c| !c.is_hide_set()).cloned();
    clap::Command::new(PROGRAM)
        .version(env!("CARGO_PKG_VERSION"))
        .args(all.get_arguments().cloned())
        .subcommands(visible)
}

/// Returns `true` if `serve` reads a setting from this variable.
pub(crate) fn is_variable(name: &str) -> bool {
    let command = cli::command();
    let serve = command.find_subcommand("serve").expect("serve");
    let mut known = serve.get_arguments().filter_map(|arg| arg.get_env());
    known.any(|variable| variable == name)
}

#[test]
fn completions_are_those_of_the_flags() {
    let made = SHELLS.map(|(shell, name)| {
        let mut text = Vec::new();
        generate(shell, &mut offered(), PROGRAM, &mut text);
        let mut text = String::from_utf8(text).expect("UTF-8");
        match shell {
            Shell::Bash => text = with_dashes(&text),
            Shell::Fish => text = with_dots(&text),
            _ => {}
        }
        (name.to_owned(), text)
    });
    generated::holds(COMPLETIONS, &BTreeMap::from(made));
}

/// Returns the completions of bash for a program with dashes in its name, which
/// `clap_complete` 4.6 calls by another name where it looks for commands.
fn with_dashes(text: &str) -> String {
    let joined = |by: &str| PROGRAM.replace('-', by);
    text.replace(&joined("__subcmd__"), &joined("__"))
}

/// The function that finds the command among the words before the cursor. The generated
/// function uses argparse of fish, which refuses names of flags with a dot. Flags
/// before a command are bad usage, so no value of a flag can be taken for the command.
const FIND_COMMAND: &str = "\
    set -l words (commandline -opc)
    for word in $words[2..]
        if not string match -q -- '-*' $word
            echo $word
            return 1
        end
    end
    return 0
end
";

/// Returns the completions of fish, for flags with a dot.
fn with_dots(text: &str) -> String {
    let head = "function __fish_nexmo_audit_exporter_needs_command\n";
    let (_, rest) = text.split_once(head).expect("the function");
    let (_, rest) = rest.split_once("\nend\n").expect("its end");
    format!("{head}{FIND_COMMAND}{rest}")
}

#[test]
fn bash_completes_commands_and_flags() {
    let completed = |words: &str| {
        let script = format!(
            "source {COMPLETIONS}/{PROGRAM}; COMP_WORDS=({words}); \
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _{} {PROGRAM} \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\" || true; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            PROGRAM.replace('-', "__")
        );
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-euc", &script]);
        words_of(&output_of(bash.current_dir(repository(""))))
    };
    offers_what_there_is(completed);
}

#[test]
fn fish_completes_commands_and_flags() {
    let Some(fish) = tools::require("fish") else {
        return;
    };
    let home = tempfile::tempdir().expect("a folder");
    offers_what_there_is(|words| {
        let script = format!("source {COMPLETIONS}/{PROGRAM}.fish; complete -C '{words}'");
        let mut fish = Command::new(&fish);
        fish.args(["--no-config", "-c", &script]);
        fish.env("HOME", home.path()).current_dir(repository(""));
        words_of(&output_of(&mut fish))
    });
}

/// Returns the first word of each line; fish adds a description.
fn words_of(text: &str) -> BTreeSet<String> {
    let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
    text.lines().filter_map(first).collect()
}

fn offers_what_there_is(completed: impl Fn(&str) -> BTreeSet<String>) {
    let set = |words: &[&str]| {
        words
            .iter()
            .map(ToString::to_string)
            .collect::<BTreeSet<_>>()
    };
    let commands = completed(&format!("{PROGRAM} s"));
    assert_eq!(commands, set(&["serve", "simulate", "state"]));
    let flags = completed(&format!("{PROGRAM} serve --poll.reconcile"));
    let both = ["--poll.reconcile-interval", "--poll.reconcile-lookback"];
    assert_eq!(flags, set(&both));
    assert_eq!(completed(&format!("{PROGRAM} events l")), set(&["list"]));
    assert_eq!(completed(&format!("{PROGRAM} state e")), set(&["export"]));
    assert_eq!(completed(&format!("{PROGRAM} healthc")), set(&[]));
}

#[test]
fn zsh_finds_its_completions() {
    let Some(zsh) = tools::require("zsh") else {
        return;
    };
    let home = tempfile::tempdir().expect("a folder");
    let script = format!(
        "fpath=({COMPLETIONS} $fpath); autoload -Uz compinit; compinit -u -d $HOME/dump; \
         print -r -- $_comps[{PROGRAM}]; autoload +X _{PROGRAM}"
    );
    let mut zsh = Command::new(zsh);
    zsh.args(["-f", "-c", &script]);
    zsh.env("HOME", home.path()).current_dir(repository(""));
    assert_eq!(output_of(&mut zsh).trim(), format!("_{PROGRAM}"));
}

#[test]
fn every_page_is_clean_for_man_and_has_a_name() {
    let (Some(man), Some(lexgrog)) = (tools::require("man"), tools::require("lexgrog")) else {
        return;
    };
    // Without groff, man formats nothing.
    if tools::require("groff").is_none() {
        return;
    }
    let pages = fs::read_dir(repository(PAGES)).expect("the pages");
    for page in pages.map(|page| page.expect("a page").path()) {
        let warnings = warnings(&man, &page);
        assert_eq!(warnings, "", "{}", page.display());
        let name = output_of(Command::new(&lexgrog).arg(&page));
        assert!(name.contains(PROGRAM), "{name}");
    }
}

/// Returns the warnings of man for a page, with the flags that lintian uses.
fn warnings(man: &Path, page: &Path) -> String {
    let mut man = Command::new(man);
    man.env("MANROFFSEQ", "").env("MANWIDTH", "80");
    man.env("LC_ALL", "C.UTF-8");
    man.args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]);
    let output = man.arg(page).output().expect("man");
    assert!(output.status.success(), "{}", page.display());
    String::from_utf8_lossy(&output.stderr).into_owned()
}
