//! Names of event types as a person writes them, and as the API names them.

use audit_core::event::{EventType, UNKNOWN, types_from_zero};

use crate::{
    config::Problems,
    query::{history::RetryingClient, listing::printable},
};

/// The number of names that are proposed in place of an unknown one.
const PROPOSALS: usize = 3;
/// The least likeness of a name that is proposed, from 0 to 1.
const LIKENESS: f64 = 0.8;

/// Returns the names with the spelling of the API, which refuses any other. A name is known if
/// the API or its documentation has it. Where the API does not give its list, names that are
/// not known stay as they are.
///
/// # Errors
/// [`Problems`] with each name that is not known.
pub(super) async fn as_the_api_names_them(
    requested: Vec<String>,
    client: &RetryingClient,
) -> Result<Vec<String>, Problems> {
    if requested.is_empty() {
        return Ok(requested);
    }
    spelled(requested, &client.types().await.unwrap_or_default())
}

fn spelled(requested: Vec<String>, named: &[EventType]) -> Result<Vec<String>, Problems> {
    let known: Vec<&str> = types_from_zero(named).collect();
    let mut problems = Vec::new();
    let mut right = Vec::new();
    for name in requested {
        let same = known.iter().find(|known| known.eq_ignore_ascii_case(&name));
        match same {
            Some(known) => right.push((*known).to_owned()),
            None if named.is_empty() || name.eq_ignore_ascii_case(UNKNOWN) => right.push(name),
            None => problems.push(unknown(&name, &known)),
        }
    }
    if problems.is_empty() {
        return Ok(right);
    }
    Err(Problems::new(problems))
}

fn unknown(name: &str, known: &[&str]) -> String {
    let likeness = |known: &str| strsim::jaro_winkler(&name.to_uppercase(), known);
    let mut near: Vec<_> = known.iter().map(|known| (likeness(known), known)).collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0));
    let near = near
        .iter()
        .take_while(|(likeness, _)| *likeness >= LIKENESS);
    let near: Vec<_> = near
        .take(PROPOSALS)
        .map(|(_, known)| printable(known))
        .collect();
    let name = printable(name);
    if near.is_empty() {
        return format!("--type {name} is no type of the API; `events types` lists them");
    }
    let near = near.join(", ");
    format!("--type {name} is no type of the API; near to it are: {near}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn check(requested: &[&str]) -> Result<Vec<String>, String> {
        let named = ["APP_CREATE", "New_Type"].map(|name| EventType {
            name: name.to_owned(),
            description: String::new(),
        });
        spelled(own(requested), &named).map_err(|problems| problems.to_string())
    }

    #[test]
    fn a_name_is_spelled_as_the_api_spells_it() {
        let names = check(&["app_create", "NEW_TYPE", "user_login", "unknown"]);
        let spelled_so = own(&["APP_CREATE", "New_Type", "USER_LOGIN", "unknown"]);
        assert_eq!(names, Ok(spelled_so));
        let anything = own(&["anything"]);
        assert_eq!(spelled(anything.clone(), &[]), Ok(anything));
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest() {
        let problem = check(&["user_logon", "APP_CREATE", "xyz"]).expect_err("a problem");
        insta::assert_snapshot!(problem, @r"
        the configuration cannot be used:
          --type user_logon is no type of the API; near to it are: USER_LOGIN, USER_LOGOUT
          --type xyz is no type of the API; `events types` lists them
        ");
    }
}
