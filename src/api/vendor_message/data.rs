//! E-mail addresses, IP addresses and long numbers in a text.

use std::net::Ipv6Addr;

/// The number of digits of the shortest number that can be the id of a user.
const ID_DIGITS: usize = 6;
/// The number of digits of the shortest number that is written in groups.
const GROUPED_DIGITS: usize = 7;
/// The longest IPv6 address, in characters.
const MAX_IPV6_CHARS: usize = 45;
/// The characters that can stand between the four numbers of an IPv4 address, in the names
/// of hosts as well.
const IPV4_SEPARATORS: [char; 3] = ['.', '-', '_'];

/// The kind of data that a character belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Data {
    Email,
    Address,
    Number,
}

impl Data {
    fn stand_in(self) -> &'static str {
        match self {
            Self::Email => "<e-mail>",
            Self::Address => "<address>",
            Self::Number => "<number>",
        }
    }
}

/// A text, and what each of its characters belongs to.
struct Marked {
    text: Vec<char>,
    data: Vec<Option<Data>>,
}

/// Replaces each e-mail address, IP address and long number in `text`.
pub(super) fn without_data(text: &str) -> String {
    let mut marked = Marked::new(text);
    marked.emails();
    marked.addresses();
    marked.numbers();
    marked.shown()
}

/// Returns `true` if `text` holds an IP address.
pub(super) fn has_address(text: &str) -> bool {
    let mut marked = Marked::new(text);
    marked.addresses();
    marked.data.iter().any(Option::is_some)
}

/// Returns `true` if `text` holds a long number.
pub(super) fn has_number(text: &str) -> bool {
    let mut marked = Marked::new(text);
    marked.numbers();
    marked.data.iter().any(Option::is_some)
}

impl Marked {
    fn new(text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        let data = vec![None; text.len()];
        Self { text, data }
    }

    fn shown(&self) -> String {
        let mut shown = String::new();
        let mut before = None;
        for (character, data) in self.text.iter().zip(&self.data) {
            match data {
                None => shown.push(*character),
                Some(data) if before != Some(*data) => shown.push_str(data.stand_in()),
                Some(_) => {}
            }
            before = *data;
        }
        shown
    }

    /// Marks what is not marked yet.
    fn mark(&mut self, range: std::ops::Range<usize>, kind: Data) {
        for data in &mut self.data[range] {
            data.get_or_insert(kind);
        }
    }

    fn emails(&mut self) {
        let signs: Vec<_> = (0..self.text.len())
            .filter(|place| self.text[*place] == '@')
            .collect();
        for sign in signs {
            let range = self.start_of_email(sign)..self.end_of_email(sign);
            self.mark(range, Data::Email);
        }
    }

    fn start_of_email(&self, sign: usize) -> usize {
        let mut start = sign;
        while start > 0 && self.text[start - 1].is_whitespace() {
            start -= 1;
        }
        // A quoted local part may hold anything.
        if start > 0 && self.text[start - 1] == '"' {
            let quote = self.text[..start - 1].iter().rposition(|c| *c == '"');
            return quote.unwrap_or(start - 1);
        }
        while start > 0 && !ends_word(self.text[start - 1]) {
            start -= 1;
        }
        start
    }

    fn end_of_email(&self, sign: usize) -> usize {
        let mut end = sign + 1;
        while end < self.text.len() && self.text[end].is_whitespace() {
            end += 1;
        }
        while end < self.text.len() && !ends_word(self.text[end]) {
            end += 1;
        }
        while end > sign + 1 && ['.', ':', '!', '?'].contains(&self.text[end - 1]) {
            end -= 1;
        }
        end
    }

    fn addresses(&mut self) {
        let mut place = 0;
        while place < self.text.len() {
            let is_inside = place > 0 && self.text[place - 1].is_ascii_alphanumeric();
            let end = match (self.ipv4_end(place), self.ipv6_end(place)) {
                (_, Some(end)) if !is_inside => end,
                (Some(end), _) => end,
                _ => {
                    place += 1;
                    continue;
                }
            };
            self.mark(place..end, Data::Address);
            place = end;
        }
    }

    /// Returns the end of the IPv4 address that begins at `start`.
    fn ipv4_end(&self, start: usize) -> Option<usize> {
        if start > 0 && self.text[start - 1].is_ascii_digit() {
            return None;
        }
        let mut end = self.octet_end(start)?;
        let separator = *self.text.get(end)?;
        if !IPV4_SEPARATORS.contains(&separator) {
            return None;
        }
        let mut numbers = 1;
        // In the name of a host, a further number may stand beside the four.
        while self.text.get(end) == Some(&separator)
            && let Some(next) = self.octet_end(end + 1)
        {
            end = next;
            numbers += 1;
        }
        (numbers >= 4).then_some(end)
    }

    /// Returns the end of the number from 0 to 255 that begins at `start`.
    fn octet_end(&self, start: usize) -> Option<usize> {
        let rest = self.text.get(start..)?;
        let digits = rest.iter().take_while(|c| c.is_ascii_digit());
        let digits: String = digits.take(4).collect();
        digits.parse::<u8>().ok()?;
        Some(start + digits.len())
    }

    /// Returns the end of the longest IPv6 address that begins at `start`.
    fn ipv6_end(&self, start: usize) -> Option<usize> {
        let may_have = |c: &&char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
        let run = self.text[start..].iter().take_while(may_have);
        let run: String = run.take(MAX_IPV6_CHARS + 1).collect();
        if run.matches(':').count() < 2 {
            return None;
        }
        let ends = (3..=run.len()).rev();
        let mut ends = ends.filter(|end| {
            // A group is not cut in two.
            let next = self.text.get(start + end);
            next.is_none_or(|next| !next.is_ascii_alphanumeric())
        });
        let end = ends.find(|end| run[..*end].parse::<Ipv6Addr>().is_ok())?;
        Some(start + end)
    }

    fn numbers(&mut self) {
        let mut place = 0;
        while place < self.text.len() {
            let number = Number::at(&self.text[place..]);
            let end = place + number.length.max(1);
            if number.is_long {
                self.mark(place..end, Data::Number);
            }
            place = end;
        }
    }
}

/// Digits, with the characters that group them.
struct Number {
    length: usize,
    is_long: bool,
}

impl Number {
    /// Reads the number at the beginning of `text`; its length is 0 if there is none.
    fn at(text: &[char]) -> Self {
        if is_date(text) {
            let (length, is_long) = (DATE.len(), false);
            return Self { length, is_long };
        }
        let first = text.first().copied().unwrap_or_default();
        // So begin numbers of telephones, whose groups may have spaces between them.
        let may_have_spaces = matches!(first, '+' | '(' | '0');
        let (mut digits, mut run, mut longest, mut length) = (0, 0, 0, 0);
        for (place, character) in text.iter().enumerate() {
            let joins = matches!(character, '-' | '.')
                || may_have_spaces && matches!(character, ' ' | '(' | ')' | '/' | '+');
            if character.is_numeric() {
                digits += 1;
                run += 1;
                longest = longest.max(run);
                length = place + 1;
            } else if joins && (digits > 0 || may_have_spaces) && place < length + 2 {
                run = 0;
            } else {
                break;
            }
        }
        let is_grouped = digits > longest && digits >= GROUPED_DIGITS;
        let is_long = longest >= ID_DIGITS || is_grouped;
        Self { length, is_long }
    }
}

/// The form of a date, with a 0 for each digit.
const DATE: &str = "0000-00-00";

/// Returns `true` if `text` begins with a date.
fn is_date(text: &[char]) -> bool {
    let is_as = |(character, form): (&char, char)| match form {
        '0' => character.is_ascii_digit(),
        other => *character == other,
    };
    let next = text.get(DATE.len());
    text.len() >= DATE.len()
        && text.iter().zip(DATE.chars()).all(is_as)
        && next.is_none_or(|next| !next.is_numeric() && *next != '-')
}

/// Returns `true` for a character that is not part of an e-mail address.
fn ends_word(character: char) -> bool {
    character.is_whitespace() || "\"'`,;()[]=".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_replaced_wherever_it_is() {
        let cases = [
            ("no user ada@example.org.", "no user <e-mail>."),
            ("ada @ example.org, \"a b\"@c", "<e-mail>, <e-mail>"),
            ("mailto:ada@example.org?x", "<e-mail>"),
            ("from 198.51.100.77: no", "from <address>: no"),
            ("203.0.113.77/32", "<address>/32"),
            (
                "ip:203.0.113.77,ip203.0.113.77x",
                "ip:<address>,ip<address>x",
            ),
            ("ec2-203-0-113-77.example", "ec<address>.example"),
            (
                "at [2001:db8::7], at 10.0.0.1:80",
                "at [<address>], at <address>:80",
            ),
            (
                "ip:2001:db8::7/64|::1|fe80::1%eth0",
                "ip:<address>/64|<address>|<address>%eth0",
            ),
            ("2001:db8:0:0:0:0:0:7.", "<address>."),
            ("::ffff:203.0.113.77", "<address>"),
            (
                "user_id=424242424, status 401",
                "user_id=<number>, status 401",
            ),
            ("user424242x, +447700900123", "user<number>x, <number>"),
            ("+44 7700 900123 or (0)7700-900-123", "<number> or <number>"),
            ("07700 900 123, 555-123-4567", "<number>, <number>"),
            ("٤٢٤٢٤٢٤٢", "<number>"),
            ("7 of 100 requests in 2026", "7 of 100 requests in 2026"),
            ("on 2026-11-27 at 10:15:31", "on 2026-11-27 at 10:15:31"),
            (
                "HTTP/1.1 404; v1.2.3 - see std::fs::read",
                "HTTP/1.1 404; v1.2.3 - see std::fs::read",
            ),
            ("+ 5 (a) - . 0", "+ 5 (a) - . 0"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(without_data(text), expected, "{text}");
        }
    }
}
