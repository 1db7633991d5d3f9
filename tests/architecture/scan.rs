//! A scan of Rust code for the paths that it names: no parser, and robust for that.

/// The code with a blank in place of each comment, string and character.
pub(crate) fn without_comments_and_texts(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| literal(rest));
        if let Some(length) = skipped {
            code.push(' ');
            rest = &rest[length..];
        } else {
            // A word is taken whole: the `r` of `for"` begins no raw string.
            let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            let length = length.max(next.len_utf8());
            code.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    code
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the comment that `text` begins with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let inside = text.strip_prefix("/*")?;
    Some(inside.find("*/").map_or(text.len(), |end| end + 4))
}

/// The length of the string or character that `text` begins with.
fn literal(text: &str) -> Option<usize> {
    let plain = text.strip_prefix(['b', 'c']).unwrap_or(text);
    let prefix = text.len() - plain.len();
    let length = raw_string(plain)
        .or_else(|| quoted(plain, '"'))
        .or_else(|| character(plain))?;
    Some(prefix + length)
}

/// `r"…"`, `r#"…"#` and so on.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?;
    let inside = hashes.trim_start_matches('#');
    let inside = inside.strip_prefix('"')?;
    let begin = text.len() - inside.len();
    let close = format!("\"{}", "#".repeat(begin - 2));
    Some(begin + inside.find(&close)? + close.len())
}

/// A character; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let mut after = text.strip_prefix('\'')?.chars();
    let escaped = after.next()? == '\\';
    (escaped || after.next()? == '\'').then(|| quoted(text, '\''))?
}

fn quoted(text: &str, quote: char) -> Option<usize> {
    let inside = text.strip_prefix(quote)?;
    let mut escaped = false;
    for (place, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(place + 2),
            _ => {}
        }
    }
    None
}

/// The code without items that are compiled for tests alone.
pub(crate) fn without_tests(code: &str) -> String {
    const TEST: &str = "#[cfg(test)]";
    let mut kept = String::new();
    let mut rest = code;
    while let Some(place) = rest.find(TEST) {
        kept.push_str(&rest[..place]);
        let item = &rest[place + TEST.len()..];
        rest = &item[item_length(item)..];
    }
    kept + rest
}

/// Up to the `;` of the item, or to the end of its braces.
fn item_length(item: &str) -> usize {
    let mut depth = 0;
    for (place, c) in item.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ';' => {}
            _ => continue,
        }
        if depth == 0 {
            return place + 1;
        }
    }
    item.len()
}

/// Words, `::` and single signs.
pub(crate) fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// Every path that is named, `a::{b, c::d}` as `a::b` and `a::c::d`.
pub(crate) fn paths(tokens: &[&str]) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    // What stands before each brace that is open: the prefix of a group of
    // imports, or nothing where the brace is one of code.
    let mut open: Vec<Vec<String>> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut joined = false;
    for token in tokens {
        match *token {
            "::" => joined = true,
            "{" => {
                let prefix = if joined { path.clone() } else { Vec::new() };
                open.push(prefix);
                joined = false;
                path.clear();
            }
            "}" => {
                open.pop();
                joined = false;
            }
            word if word.starts_with(is_word) || word == "*" => {
                if !joined {
                    path = open.last().cloned().unwrap_or_default();
                }
                path.push(word.to_owned());
                paths.push(path.clone());
                joined = false;
            }
            _ => joined = false,
        }
    }
    paths
}
