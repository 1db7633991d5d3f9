//! The numbers of instructions that `benches/instructions.txt` keeps, and the judgement of
//! new ones.

use std::fmt::Write as _;

/// The file of the repository that keeps the counts.
pub const FILE: &str = "benches/instructions.txt";

/// The command that writes the file anew.
const RENEW: &str = "`RENEW_GENERATED=1 make bench-instructions` renews the file";

/// The largest part of a count by which a new count may differ.
const TOLERANCE: f64 = 0.03;

const HEAD: &str = "\
# Instructions, as callgrind counts them in the program of the release image on x86_64.
# `make bench-instructions` counts again, and fails for a count that differs by more than
# 3 %. `RENEW_GENERATED=1 make bench-instructions` renews this file.
#
# What the kernel does is not counted. Valgrind shows every program the same processor, so
# code that chooses by processor chooses the same everywhere, if the machine has AVX2. Digits
# of times and durations, random seeds, and the parts in which an answer is sent differ
# from run to run: by less than 0.5 % of a scrape, and not at all of an event.
";

/// The number of instructions of one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Count {
    pub of: String,
    pub number: f64,
}

/// Reads the counts of a file.
pub fn read(text: &str) -> Vec<Count> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let count = |line: &str| {
        let (number, of) = line.split_once(' ')?;
        Some(Count {
            of: of.to_owned(),
            number: number.parse().ok()?,
        })
    };
    lines
        .map(|line| count(line).unwrap_or_else(|| panic!("{FILE}: {line:?} is no count")))
        .collect()
}

/// Returns the text of a file that keeps these counts.
pub fn write(counts: &[Count]) -> String {
    let mut text = String::from(HEAD);
    for count in counts {
        let written = writeln!(text, "{:.0} {}", count.number, count.of);
        written.expect("a text can be written to");
    }
    text
}

/// Returns a complaint for each count that the kept counts do not expect.
pub fn judge(counted: &[Count], kept: &[Count]) -> Vec<String> {
    let find = |counts: &[Count], of: &str| counts.iter().find(|count| count.of == of).cloned();
    let of_counted = counted
        .iter()
        .filter_map(|count| match find(kept, &count.of) {
            Some(before) => compare(count, before.number),
            None => Some(format!("{}: not in {FILE}; {RENEW}", count.of)),
        });
    let gone = kept
        .iter()
        .filter(|count| find(counted, &count.of).is_none());
    let of_gone = gone.map(|count| format!("{}: in {FILE}, but not counted; {RENEW}", count.of));
    of_counted.chain(of_gone).collect()
}

fn compare(count: &Count, before: f64) -> Option<String> {
    let Count { of, number } = count;
    let difference = number / before - 1.0;
    if difference.abs() <= TOLERANCE {
        return None;
    }
    let percent = difference.abs() * 100.0;
    let counted = format!("{of}: {number:.0} instructions, {percent:.1} %");
    Some(if difference > 0.0 {
        format!(
            "{counted} more than the {before:.0} of {FILE}; look for what takes them, and if \
             they are worth it, {RENEW}"
        )
    } else {
        format!("{counted} fewer than the {before:.0} of {FILE}; {RENEW}, so that none come back")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(of: &str, number: f64) -> Count {
        Count {
            of: of.to_owned(),
            number,
        }
    }

    fn complaint(number: f64) -> Option<String> {
        let complaints = judge(&[count("an event", number)], &[count("an event", 1000.0)]);
        complaints.first().cloned()
    }

    #[test]
    fn a_count_within_three_percent_passes() {
        for number in [971.0, 1000.0, 1029.0] {
            assert_eq!(complaint(number), None, "{number}");
        }
    }

    #[test]
    fn a_higher_count_fails() {
        let complaint = complaint(1031.0).expect("a complaint");
        assert!(
            complaint.starts_with("an event: 1031 instructions, 3.1 % more than the 1000 of"),
            "{complaint}"
        );
    }

    #[test]
    fn a_lower_count_fails_and_names_the_command_that_renews() {
        let complaint = complaint(900.0).expect("a complaint");
        assert!(complaint.contains("10.0 % fewer"), "{complaint}");
        assert!(
            complaint.contains("RENEW_GENERATED=1 make bench-instructions"),
            "{complaint}"
        );
    }

    #[test]
    fn a_new_count_and_one_that_is_gone_fail() {
        let complaints = judge(&[count("new", 1.0)], &[count("gone", 1.0)]);
        let [new, gone] = complaints.as_slice() else {
            panic!("{complaints:?}");
        };
        assert!(new.starts_with("new: not in"), "{new}");
        assert!(gone.starts_with("gone: in"), "{gone}");
    }

    #[test]
    fn what_was_written_is_read() {
        let counts = [
            count("an event, parse to count", 12338.0),
            count("a scrape", 7.0),
        ];
        assert_eq!(read(&write(&counts)), counts);
    }
}
