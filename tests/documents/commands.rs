//! Commands that documents give.

use clap::error::ErrorKind;
use nexmo_audit_exporter::cli;

use super::markdown::Document;

const PROGRAM: &str = "nexmo-audit-exporter";

/// Commands of a document that the program or the Makefile does not know.
pub(crate) fn unknown(document: &Document, targets: &[String]) -> Vec<String> {
    let blocks = document.shell.iter().flat_map(|block| commands(block));
    // One word after `make` is a target; a message has more words.
    let is_make = |span: &str| span.split(' ').nth_back(1) == Some("make");
    let is_command = |span: &&String| is_make(span) || span.starts_with(&format!("{PROGRAM} "));
    let spans = document.spans.iter().filter(is_command);
    let spans = spans.flat_map(|span| commands(span));
    let problems = blocks
        .chain(spans)
        .filter_map(|words| problem(&words, targets));
    problems
        .map(|problem| format!("{}: {problem}", document.path))
        .collect()
}

/// Returns the error of the program, if it does not take a line.
pub(crate) fn not_taken(line: &str) -> Option<String> {
    let words = shlex::split(line);
    words.map_or_else(
        || Some(format!("{line} is no command")),
        |words| problem(&words, &[]),
    )
}

/// The words of each command of a script.
fn commands(script: &str) -> Vec<Vec<String>> {
    let whole = script.replace("\\\n", " ");
    let lines = whole.lines().filter_map(shlex::split);
    lines
        .flat_map(|words| {
            let ends = |word: &String| ["|", "||", "&&", "&", ";", ">", "do"].contains(&&**word);
            let commands = words.split(ends).map(<[String]>::to_vec);
            commands.collect::<Vec<_>>()
        })
        .collect()
}

fn problem(words: &[String], targets: &[String]) -> Option<String> {
    let is_setting = |word: &&String| word.split_once('=').is_some_and(|(name, _)| is_name(name));
    let settings = words.iter().take_while(is_setting).count();
    let (first, rest) = words[settings..].split_first()?;
    match &**first {
        "make" => {
            let mut wanted = rest.iter().filter(|word| !is_setting(word));
            let unknown = wanted.find(|word| !targets.contains(word))?;
            Some(format!("the Makefile has no target {unknown}"))
        }
        "cargo" if rest.first().is_some_and(|word| word == "run") => {
            let mut cargo = rest.iter().take_while(|word| *word != "--");
            let is_example = cargo.any(|word| word == "--example");
            let arguments = rest.iter().skip_while(|word| *word != "--").skip(1);
            (!is_example).then(|| refused(arguments)).flatten()
        }
        program if program == PROGRAM || program.ends_with(&format!("/{PROGRAM}")) => {
            refused(rest.iter())
        }
        _ => None,
    }
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    !text.is_empty() && text.chars().all(plain)
}

/// Returns the error of the program, if it does not take the arguments.
fn refused<'w>(arguments: impl Iterator<Item = &'w String>) -> Option<String> {
    let line = std::iter::once(PROGRAM).chain(arguments.map(String::as_str));
    let error = cli::command().try_get_matches_from(line).err()?;
    let is_answer = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion].contains(&error.kind());
    (!is_answer).then(|| error.to_string())
}

#[test]
fn a_command_is_one_that_the_program_takes() {
    let targets = ["test".to_owned(), "image".to_owned()];
    let cases = [
        (
            "nexmo-audit-exporter serve --poll.start=24h # from yesterday on",
            0,
        ),
        (
            "A=1 B=2 \\\n  ./target/release/nexmo-audit-exporter --web.max-requests=3",
            0,
        ),
        ("cargo run --release -- demo", 0),
        ("cargo run --release -- sing", 1),
        ("cargo run -p exporter-web --example exporter -- sing", 0),
        (
            "nexmo-audit-exporter events list --from 2h --output csv > november.csv",
            0,
        ),
        ("nexmo-audit-exporter --version", 0),
        (
            "FUZZ_SECONDS=1 make test && make image ARGUMENTS=--quiet",
            0,
        ),
        ("nexmo-audit-exporter serve --poll.begin=24h", 1),
        ("nexmo-audit-exporter events show", 1),
        ("cargo run -- demo --fast", 1),
        ("true && make tests", 1),
    ];
    for (script, expected) in cases {
        let document = Document::read("a.md", &format!("```sh\n{script}\n```\n"));
        assert_eq!(unknown(&document, &targets).len(), expected, "{script}");
    }
    let spans = "`make nothing`, `SEED=1 make nothing`, `nexmo-audit-exporter nothing`, `make`, `make room for it`";
    let document = Document::read("a.md", spans);
    assert_eq!(unknown(&document, &targets).len(), 3);
}
