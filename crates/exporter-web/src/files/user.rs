//! The user that the process runs as.

use std::fs;

const USERS: &str = "/etc/passwd";

/// Returns the name and the number of the user that the process runs as, such as
/// `nobody (65534)`.
#[must_use]
pub fn current_user() -> String {
    let number = rustix::process::geteuid().as_raw();
    let users = fs::read_to_string(USERS).unwrap_or_default();
    match name(&users, number) {
        Some(name) => format!("{name} ({number})"),
        None => format!("a user without a name ({number})"),
    }
}

/// Returns the name of a user in a list of the form of `passwd(5)`.
fn name(users: &str, number: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        (id.parse() == Ok(number)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_known_by_the_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\n\n+\nweb:x:33:33::/:\n";
        assert_eq!(name(users, 33), Some("web"));
        assert_eq!(name(users, 3), None);
    }
}
