//! The names in a PromQL expression. This is no parser: real servers check the syntax.

/// A word outside of quotes that is no function, keyword or number, with the labels that
/// are asked of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) metric: String,
    pub(super) labels: Vec<String>,
}

/// The words of the language that these expressions use.
const OPERATORS: [&str; 6] = ["and", "or", "unless", "offset", "bool", "inf"];
/// The words that are followed by labels in parentheses.
const WITH_LABELS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

/// The names in an expression.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) selectors: Vec<Selector>,
    /// The labels to group by, to match on, and to take over.
    pub(super) labels: Vec<String>,
}

/// Returns every name in an expression.
pub(super) fn names(expression: &str) -> Names {
    let mut names = Names::default();
    let words = words(&without_quoted(expression));
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        let next = words.peek().copied();
        if word == "[" {
            words.by_ref().take_while(|inside| *inside != "]").count();
        } else if word == "{" {
            names.selectors.last_mut().expect("a metric").labels = words
                .by_ref()
                .take_while(|inside| *inside != "}")
                .filter(|inside| is_name(inside))
                .map(str::to_owned)
                .collect();
        } else if WITH_LABELS.contains(&word) {
            let labels = words.by_ref().take_while(|inside| *inside != ")");
            let labels = labels.filter(|inside| is_name(inside));
            names.labels.extend(labels.map(str::to_owned));
        } else if word == "offset" {
            words.next();
        } else if is_name(word) && !OPERATORS.contains(&word) && !is_function(next) {
            names.selectors.push(Selector {
                metric: word.to_owned(),
                labels: Vec::new(),
            });
        }
    }
    names
}

/// Returns the expression without what is in curly brackets.
pub(super) fn without_selectors(expression: &str) -> String {
    let mut parts = expression.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.filter_map(|part| part.split_once('}'));
    first + &rest.map(|(_, after)| after).collect::<String>()
}

/// Returns the text up to where as many parentheses are closed.
pub(super) fn until_closed(text: &str, open: usize) -> &str {
    let mut open = open;
    for (place, character) in text.char_indices() {
        match character {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return &text[..place];
        }
    }
    panic!("{open} parentheses are open in {text}");
}

/// Returns the labels in `{{event_type}}`, `{{ $labels.account }}` and the like.
pub(super) fn labels_in_template(template: &str) -> Vec<String> {
    let inside = template.split("{{").skip(1);
    let inside = inside.filter_map(|rest| rest.split("}}").next());
    let label = |inside: &str| {
        let word = inside.trim();
        match inside.split_once("$labels.") {
            Some((_, label)) => label.split_whitespace().next().map(str::to_owned),
            None => is_name(word).then(|| word.to_owned()),
        }
    };
    inside
        .filter_map(label)
        .filter(|label| label != "end")
        .collect()
}

/// Returns the text after the name of a function. An aggregation may have its labels
/// first.
fn is_function(next: Option<&str>) -> bool {
    next.is_some_and(|next| next == "(" || WITH_LABELS.contains(&next))
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

/// Replaces quoted text with a space.
fn without_quoted(expression: &str) -> String {
    let mut kept = String::new();
    let mut quoted = false;
    let mut escaped = false;
    for character in expression.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            other => kept.push(other),
        }
    }
    kept
}

/// Splits into names, numbers and variables, and all other text into single characters.
fn words(expression: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut inside = false;
    for character in expression.chars() {
        let belongs = character.is_ascii_alphanumeric() || "_:$.".contains(character);
        match words.last_mut() {
            Some(word) if inside && belongs => word.push(character),
            _ if character.is_whitespace() => {}
            _ => words.push(character.to_string()),
        }
        inside = belongs;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_metrics_and_labels_and_nothing_else() {
        let found = names(
            "sum by (kind, job) (rate(a_total{kind=~\"b{c=\\\"d\\\"}\",x!=\"$y\"}[5m] offset 1h)) \
             * on (kind) group_left (text) group without (job) (b:c) > 0.5 or vector($cap) unless d",
        );
        let selector = |metric: &str, labels: &[&str]| Selector {
            metric: metric.to_owned(),
            labels: labels.iter().map(ToString::to_string).collect(),
        };
        let expected = Names {
            selectors: vec![
                selector("a_total", &["kind", "x"]),
                selector("b:c", &[]),
                selector("d", &[]),
            ],
            labels: ["kind", "job", "kind", "text", "job"]
                .map(str::to_owned)
                .to_vec(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn cuts_an_expression() {
        let expression = "sum(a{b=~\"c\"} unless (d{e=\"f\"} or g)) > 1";
        let short = without_selectors(expression);
        assert_eq!(short, "sum(a unless (d or g)) > 1");
        assert_eq!(until_closed(&short[4..], 1), "a unless (d or g)");
    }

    #[test]
    fn finds_labels_in_templates() {
        let template = "{{kind}} of {{ $labels.account }}{{ with $labels.job }} {{ . }}{{ end }}";
        assert_eq!(labels_in_template(template), ["kind", "account", "job"]);
    }
}
