//! One reading of the pages of a range, from page 1 to the last page.

use crate::event::Page;

/// The number of pages in a row without a new element after which a reading ends. An API
/// that repeats its last page never shows an empty page. A single page without a new
/// element may come from pages that shift.
const MAX_STALE_PAGES: u32 = 3;

/// The part of the page size below which a page says little about what follows.
const SMALL_SHARE: u64 = 5;

/// The state of one reading.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The number of the last page that was asked for.
    pub(super) pages_asked: u64,
    /// The number of pages that were taken or refused.
    pub(super) pages_done: u64,
    /// The number of elements of page 1; `None` until page 1 was taken.
    pub(super) first_len: Option<u64>,
    /// The largest number of pages that a page claimed.
    pages_claimed: u64,
    /// The largest number of elements that a page claimed; `None` if no page claimed any.
    pub(super) elements_claimed: Option<u64>,
    /// The page with the highest number that had elements.
    pub(super) last: Option<LastPage>,
    /// The lowest number of a page that was empty or refused.
    end: Option<u64>,
    /// The number of pages in a row that had nothing new for this reading.
    stale_pages: u32,
    /// The number of elements on all pages, with repetitions.
    pub(super) listed: u64,
    /// The number of different elements.
    pub(super) shown: u64,
    /// `true` if the reading showed an element that no earlier reading did.
    pub(super) found_more: bool,
}

/// The last page with elements.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastPage {
    /// The number of the page, from 1.
    pub(super) number: u64,
    /// The number of its elements.
    pub(super) len: u64,
    /// `true` if it has a link to a next page.
    pub(super) has_next: bool,
}

impl Reading {
    pub(super) fn claim(&mut self, page: &Page<'_>) {
        self.pages_claimed = self.pages_claimed.max(page.total_pages.unwrap_or(0));
        self.elements_claimed = self.elements_claimed.max(page.total_elements);
    }

    /// Records that page `number` has no elements.
    pub(super) fn end_at(&mut self, number: u64) {
        self.end = Some(self.end.map_or(number, |end| end.min(number)));
    }

    pub(super) fn count_stale(&mut self, is_new: bool) {
        self.stale_pages = if is_new { 0 } else { self.stale_pages + 1 };
    }

    /// Returns `true` if no further page is worth asking for.
    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some() || self.stale_pages >= MAX_STALE_PAGES
    }

    /// Returns the number of pages that the claims amount to. An API that puts fewer elements
    /// on a page than it was asked for shows so by page 1.
    pub(super) fn pages_announced(&self, page_size: u64) -> u64 {
        let elements = self.elements_claimed.unwrap_or(0);
        self.pages_claimed.max(self.pages_of(elements, page_size))
    }

    /// Returns the number of pages that hold so many elements.
    pub(super) fn pages_of(&self, elements: u64, page_size: u64) -> u64 {
        let size = match self.first_len {
            Some(len) if len > 0 => len.min(page_size),
            _ => page_size,
        };
        elements.div_ceil(size)
    }

    /// Returns `true` if the pages repeat what earlier pages showed, and the last of them says
    /// by a link that more follow: a proxy may ignore the number of the page. A last page
    /// that is short is repeated by an API that has no further events.
    pub(super) fn repeats_without_end(&self, page_size: u64) -> bool {
        let is_linked = |last: LastPage| {
            last.has_next && self.is_full(last) && last.len >= page_size / SMALL_SHARE
        };
        self.stale_pages >= MAX_STALE_PAGES
            && self.end.is_none()
            && !self.knows_number()
            && self.last.is_some_and(is_linked)
    }

    /// Returns `true` if another page may follow the last one although no claim says so.
    pub(super) fn goes_on(&self) -> bool {
        let Some(last) = self.last else { return false };
        last.has_next || self.is_full(last) && !self.knows_number()
    }

    /// Returns `true` if the pages ended although the API said that more follow. `missing` is
    /// the number of events that were claimed and not shown.
    pub(super) fn is_cut_off(&self, page_size: u64, missing: u64) -> bool {
        let (Some(end), Some(last)) = (self.end, self.last) else {
            return false;
        };
        if end < last.number {
            return false;
        }
        let is_claimed = missing > 0 && end <= self.pages_announced(page_size);
        let is_linked = !self.knows_number() && last.has_next && end == last.number + 1;
        is_claimed || is_linked
    }

    /// Returns `true` if pages that end as these do may end because of a limit: nothing that
    /// the API said speaks against further events.
    pub(super) fn may_be_limited(&self, page_size: u64) -> bool {
        let (Some(last), Some(first)) = (self.last, self.first_len) else {
            return false;
        };
        // A page of a few events says little about a limit.
        let is_small = first < page_size && (last.number == 1 || first < page_size / SMALL_SHARE);
        let ends_full = self.is_full(last) && !is_small;
        let is_open = self.is_full(last) || self.knows_number();
        ends_full || is_open && is_round(self.shown)
    }

    fn is_full(&self, last: LastPage) -> bool {
        self.first_len.is_some_and(|first| last.len >= first)
    }

    /// Returns `true` if the API claims a number of elements that can be true: not fewer than
    /// it shows.
    pub(super) fn knows_number(&self) -> bool {
        self.elements_claimed
            .is_some_and(|claimed| claimed >= self.shown)
    }
}

/// Returns `true` for a number that a person may have chosen as a limit.
fn is_round(number: u64) -> bool {
    let is_decimal = number.is_multiple_of(500) || matches!(number, 20 | 25 | 30 | 40 | 50 | 75);
    let after = number + 1;
    let is_last =
        number >= 99 && (after.is_power_of_two() || after.to_string().trim_end_matches('0') == "1");
    is_decimal || is_last || number >= 32 && number.is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a reading whose page 1 has `first` elements, and whose last page has this
    /// number and this many elements.
    fn reading(first: u64, (number, len): (u64, u64), claimed: Option<u64>) -> Reading {
        let last = LastPage {
            number,
            len,
            has_next: false,
        };
        Reading {
            first_len: Some(first),
            last: Some(last),
            shown: first * (number - 1) + len,
            elements_claimed: claimed,
            ..Reading::default()
        }
    }

    #[test]
    fn an_end_may_be_a_limit_at_a_full_page_or_a_round_number() {
        let cases = [
            ("a full page", 100, (1, 100), None, true),
            ("two full pages", 100, (2, 100), Some(200), true),
            (
                "a last page that is not full",
                100,
                (2, 37),
                Some(137),
                false,
            ),
            (
                "one page that is smaller than asked for",
                37,
                (1, 37),
                None,
                false,
            ),
            ("pages of a fifth", 20, (3, 20), None, true),
            ("pages of less", 19, (3, 19), None, false),
            ("a round number of events", 50, (1, 50), None, true),
            (
                "a round number that is claimed",
                30,
                (2, 10),
                Some(40),
                true,
            ),
            (
                "a round number that ends by a page",
                30,
                (2, 10),
                None,
                false,
            ),
            (
                "a round number that is not the claimed one",
                30,
                (2, 10),
                Some(39),
                false,
            ),
        ];
        for (name, first, last, claimed, expected) in cases {
            let reading = reading(first, last, claimed);
            assert_eq!(reading.may_be_limited(100), expected, "{name}");
        }
        assert!(!Reading::default().may_be_limited(100));
    }

    #[test]
    fn pages_are_cut_off_if_they_end_before_the_claim_or_the_link_says() {
        // The last page and the page that was empty, the claim, whether the last page has a
        // link, the number of events that are missing, and whether the pages were cut off.
        let cases = [
            ((2, Some(3)), Some(40), false, 20, true),
            ((2, Some(3)), Some(40), false, 0, false),
            ((2, Some(4)), Some(40), false, 20, true),
            ((2, Some(5)), Some(40), false, 20, false),
            ((2, None), Some(40), false, 20, false),
            ((4, Some(3)), Some(50), false, 10, false),
            ((2, Some(3)), None, true, 0, true),
            ((2, Some(3)), None, false, 0, false),
            ((2, Some(4)), None, true, 0, false),
            ((2, Some(3)), Some(20), true, 0, false),
        ];
        for case in cases {
            let ((last, end), claimed, has_next, missing, expected) = case;
            let mut reading = reading(10, (last, 10), claimed);
            reading.end = end;
            if let Some(last) = &mut reading.last {
                last.has_next = has_next;
            }
            assert_eq!(reading.is_cut_off(10, missing), expected, "{case:?}");
        }
    }

    #[test]
    fn a_limit_is_a_round_number_or_one_less() {
        let round: Vec<_> = (0..=600).filter(|number| is_round(*number)).collect();
        let expected = [
            0, 20, 25, 30, 32, 40, 50, 64, 75, 99, 127, 128, 255, 256, 500, 511, 512,
        ];
        assert_eq!(round, expected);
        for number in [999, 1000, 1023, 1024, 9999, 10_000, 20_000] {
            assert!(is_round(number), "{number}");
        }
        assert!(![1001, 1999, 9998, 20_001].into_iter().any(is_round));
    }
}
