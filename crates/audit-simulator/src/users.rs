//! The users of a simulated account.

use std::net::Ipv4Addr;

use crate::catalog::{COUNTRIES, COUNTRY_WEIGHT};
use crate::random::{self, Purpose};

const GIVEN: [&str; 12] = [
    "ada", "ben", "chloe", "dmitri", "elif", "farah", "goran", "hana", "ines", "jonas", "kofi",
    "lucia",
];
const FAMILY: [&str; 11] = [
    "abbott", "baker", "costa", "diallo", "eriksson", "fischer", "garcia", "haddad", "ivanov",
    "jansen", "kowalski",
];
const DOMAINS: [&str; 3] = ["example.com", "example.org", "example.net"];

/// The number of users of an account.
const USERS: u8 = 48;

/// One user of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SimulatedUser {
    number: u8,
    /// `user_id`, seven digits.
    pub(crate) id: u32,
    /// Index of the country the user works from.
    pub(crate) home: usize,
}

/// Returns the user who made event `number`. A few users make most of the events.
pub(crate) fn user_of(seed: u64, number: u32) -> SimulatedUser {
    let share = random::share(seed, Purpose::User, number.into());
    let user = whole(share * share * f64::from(USERS)).min(USERS - 1);
    let mut rng = random::generator(seed, Purpose::Person, user.into());
    let weights = COUNTRIES.iter().map(|(_, weight)| *weight);
    SimulatedUser {
        number: user,
        id: rng.u32(1_000_000..10_000_000),
        home: random::weighted(&mut rng, COUNTRY_WEIGHT, weights),
    }
}

impl SimulatedUser {
    /// Returns the `user_email`, in a domain that is reserved for examples.
    pub(crate) fn email(self) -> String {
        let at = usize::from(self.number);
        // The lengths have no common divisor, so that no two users have the same name.
        let given = GIVEN[at % GIVEN.len()];
        let family = FAMILY[at % FAMILY.len()];
        let domain = DOMAINS[at / 12 % DOMAINS.len()];
        format!("{given}.{family}@{domain}")
    }

    /// Returns the address of the user's desk, in a range reserved for documentation.
    pub(crate) fn desk_address(self) -> Ipv4Addr {
        Ipv4Addr::new(192, 0, 2, 10 + self.number)
    }

    /// Returns the address of the user elsewhere, in a range reserved for documentation.
    pub(crate) fn travel_address(self) -> Ipv4Addr {
        Ipv4Addr::new(198, 51, 100, 10 + self.number)
    }

    /// Returns the address of the server that acts for the user, in a range reserved for
    /// documentation.
    pub(crate) fn server_address(self) -> Ipv4Addr {
        Ipv4Addr::new(203, 0, 113, 10 + self.number % 12)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of the users is a small positive number"
)]
fn whole(value: f64) -> u8 {
    value as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_user_has_a_name_of_its_own_and_makes_events() {
        let emails: BTreeSet<_> = (0..5000).map(|number| user_of(1, number).email()).collect();
        assert_eq!(emails.len(), usize::from(USERS));
    }

    #[test]
    fn a_user_stays_the_same_person() {
        let one = user_of(7, 1);
        let again = (2..1000).map(|number| user_of(7, number));
        for other in again.filter(|user| user.number == one.number) {
            assert_eq!(other, one);
        }
    }
}
