//! A sweep ends whatever the API claims about pages and events, and it believes the
//! greater of two claims.

use audit_core::{
    event::{Keep, Page},
    sweep::{Step, Sweep},
};
use proptest::{collection::vec, prelude::*};

/// The most times that a sweep reads all pages.
const MOST_READINGS: usize = 4;

/// The most pages beyond the last that one reading asks for.
const MOST_BEYOND: usize = 3;

/// The claims of one page. They may differ from page to page.
type Claims = (Option<u64>, Option<u64>);

fn claim(truth: u64) -> impl Strategy<Value = Option<u64>> {
    prop_oneof![
        2 => Just(Some(truth)),
        1 => Just(None),
        1 => prop::option::of(0..2 * truth + 3),
        1 => Just(Some(u64::MAX)),
    ]
}

fn field(name: &str, value: Option<u64>) -> String {
    value.map_or_else(
        || format!(r#""{name}": null"#),
        |value| format!(r#""{name}": {value}"#),
    )
}

fn text(ids: &[usize], (pages, elements): Claims) -> String {
    let events: Vec<String> = ids
        .iter()
        .map(|id| format!(r#"{{"id": "e{id}"}}"#))
        .collect();
    format!(
        r#"{{"_embedded": {{"events": [{}]}}, "page": {{{}, {}}}}}"#,
        events.join(", "),
        field("totalPages", pages),
        field("totalElements", elements),
    )
}

prop_compose! {
    fn api()(events in 0..30_usize, size in 1..6_usize)(
        claims in vec((claim(events.div_ceil(size) as u64), claim(events as u64)), 1..6),
        events in Just(events),
        size in Just(size),
        repeats_its_last_page in any::<bool>(),
    ) -> (Vec<Vec<usize>>, usize, Vec<Claims>, bool) {
        let ids: Vec<usize> = (0..events).collect();
        let pages = ids.chunks(size).map(<[usize]>::to_vec).collect();
        (pages, size, claims, repeats_its_last_page)
    }
}

/// Returns `true` if the claims of the first page are enough to know all pages.
fn first_page_tells_all(pages: &[Vec<usize>], size: usize, (claimed, elements): Claims) -> bool {
    let by_elements = elements.map_or(0, |elements| elements.div_ceil(size as u64));
    claimed.unwrap_or(0).max(by_elements) >= pages.len() as u64
}

proptest! {
    #![proptest_config(super::config(500))]

    #[test]
    fn a_sweep_ends_whatever_is_claimed(
        (pages, size, claims, repeats_its_last_page) in api(),
    ) {
        let empty = Vec::new();
        let beyond = pages.last().filter(|_| repeats_its_last_page).unwrap_or(&empty);
        let most = MOST_READINGS * (pages.len() + MOST_BEYOND);
        let mut sweep = Sweep::new(size as u64);
        let mut requests = 0;
        loop {
            match sweep.step() {
                Step::Read(number) => {
                    prop_assert!(requests < most, "more than {most} requests");
                    let ids = usize::try_from(number - 1).ok().and_then(|place| pages.get(place));
                    let text = text(ids.unwrap_or(beyond), claims[requests % claims.len()]);
                    sweep.take(number, &Page::parse(&text, Keep::Parsed).expect("a page"));
                    requests += 1;
                }
                Step::ReadAgain => sweep.read_again(),
                Step::Whole | Step::Short { .. } | Step::Limited | Step::Endless => break,
            }
        }
        if first_page_tells_all(&pages, size, claims[0]) {
            let events: usize = pages.iter().map(Vec::len).sum();
            prop_assert_eq!(sweep.distinct(), events as u64);
        }
    }
}
