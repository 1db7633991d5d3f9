//! The output that the program left behind, and the search of it.

use std::fs;
use std::path::Path;

use crate::private_data::{self, Haystack, Needle};

/// The output, each piece with its place.
#[derive(Default)]
pub(crate) struct CollectedOutput(Vec<(String, Vec<u8>)>);

impl CollectedOutput {
    pub(crate) fn add(&mut self, place: &str, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.to_owned(), bytes.into()));
    }

    /// Adds every file below a folder, and its name.
    pub(crate) fn add_folder(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                self.add_folder(&path);
            } else {
                let bytes = fs::read(&path).expect("a file");
                self.add("the name of a file", path.display().to_string());
                self.add(&path.display().to_string(), bytes);
            }
        }
    }

    /// Fails if any secret or personal data is in the output in any form.
    pub(crate) fn shows_nothing_private(&self) {
        assert!(
            self.0.iter().any(|(_, bytes)| !bytes.is_empty()),
            "there is no output to search"
        );
        let found: Vec<_> = private_data::all()
            .iter()
            .flat_map(|needle| self.places(needle))
            .collect();
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    /// Fails if one of these texts is missing: a search that does not find them would
    /// find no secret, either.
    pub(crate) fn shows(&self, texts: &[&str]) {
        let all: Vec<_> = self
            .0
            .iter()
            .map(|(_, bytes)| String::from_utf8_lossy(bytes))
            .collect();
        assert_eq!(self.missing(texts), None, "{}", all.join("\n"));
    }

    /// Returns the first of these texts that is missing.
    pub(crate) fn missing<'t>(&self, texts: &[&'t str]) -> Option<&'t str> {
        let is_missing = |text: &&str| self.places(&Needle::new((*text).to_owned())).is_empty();
        texts.iter().copied().find(is_missing)
    }

    fn places(&self, needle: &Needle) -> Vec<String> {
        let of = |(place, bytes): &(String, Vec<u8>)| {
            let form = needle.form_in(&Haystack::new(bytes))?;
            let text = String::from_utf8_lossy(bytes);
            let lines = text
                .lines()
                .filter(|line| needle.form_in(&Haystack::new(line.as_bytes())).is_some());
            let lines: Vec<_> = lines.take(3).collect();
            Some(format!(
                "{place} shows {:?} ({form}): {lines:#?}",
                needle.text
            ))
        };
        self.0.iter().filter_map(of).collect()
    }
}
