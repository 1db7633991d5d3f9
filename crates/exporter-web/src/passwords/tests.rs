use std::net::IpAddr;

use futures_util::FutureExt;
use hyper::header::HeaderValue;

use super::*;
use crate::scrape_time_limit::HEADER;

const COST: u32 = 4;

fn network(last: u8) -> PeerAddress {
    IpAddr::from([192, 0, 2, last]).into()
}

fn hash(password: &str) -> PasswordHash {
    let hash = bcrypt::hash(password, COST).expect("a hash");
    hash.parse().expect("a hash")
}

fn users(pairs: &[(&str, &PasswordHash)]) -> BTreeMap<String, PasswordHash> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, hash)| ((*name).to_owned(), (*hash).clone()))
        .collect()
}

fn basic(credentials: &str) -> HeaderMap {
    with(&format!("Basic {}", STANDARD.encode(credentials)))
}

fn with(value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).expect("a value");
    HeaderMap::from_iter([(AUTHORIZATION, value)])
}

fn passwords(pairs: &[(&str, &PasswordHash)]) -> Passwords {
    let checks = PasswordChecks::new().expect("randomness");
    Passwords::new(&users(pairs), None, &checks).expect("users")
}

#[tokio::test]
async fn the_right_password_is_accepted_and_no_other() {
    let (alice, colon) = (hash("secret"), hash("a:b:"));
    let passwords = passwords(&[("alice", &alice), ("", &colon), ("bob smith", &alice)]);
    let cases = [
        (basic("alice:secret"), Verdict::Accepted),
        (basic(":a:b:"), Verdict::Accepted),
        (basic("bob smith:secret"), Verdict::Accepted),
        (
            with(&format!("bAsIc  {}", STANDARD.encode("alice:secret"))),
            Verdict::Accepted,
        ),
        (HeaderMap::new(), Verdict::Refused),
        (basic("alice:Secret"), Verdict::Refused),
        (basic("alice:secret\0"), Verdict::Refused),
        (basic("alice:secret\0secret"), Verdict::Refused),
        (basic("alice:"), Verdict::Refused),
        (basic("alice"), Verdict::Refused),
        (basic("Alice:secret"), Verdict::Refused),
        (basic("eve:secret"), Verdict::Refused),
        (basic("eve:"), Verdict::Refused),
        (with("Basic"), Verdict::Refused),
        (with("Basic !!!"), Verdict::Refused),
        (with("Basic //////8="), Verdict::Refused),
        (
            with(&format!("Bearer {}", STANDARD.encode("alice:secret"))),
            Verdict::Refused,
        ),
    ];
    // The second time, the right passwords are known by their keyed hash.
    for _ in 0..2 {
        for (headers, expected) in &cases {
            assert_eq!(
                passwords.check(headers, network(1)).await,
                *expected,
                "{headers:?}"
            );
        }
    }
    let mut twice = basic("alice:wrong");
    twice.append(AUTHORIZATION, basic("alice:secret")[AUTHORIZATION].clone());
    assert_eq!(passwords.check(&twice, network(1)).await, Verdict::Refused);
}

#[tokio::test]
async fn a_password_stays_proven_while_its_hash_stays() {
    let (old, new) = (hash("old"), hash("new"));
    let before = passwords(&[("alice", &old), ("bob", &old)]);
    for name in ["alice", "bob"] {
        let headers = basic(&format!("{name}:old"));
        assert_eq!(before.check(&headers, network(1)).await, Verdict::Accepted);
    }
    let changed = users(&[("alice", &new), ("bob", &old), ("carol", &old)]);
    let after = Passwords::new(&changed, Some(&before), &before.checks).expect("users");
    // A check that needs bcrypt waits for this.
    let turn = turn(&after, 1).await;
    assert_eq!(
        after.check(&basic("bob:old"), network(1)).await,
        Verdict::Accepted
    );
    let (alice, carol) = (basic("alice:old"), basic("carol:old"));
    let mut alice = Box::pin(after.check(&alice, network(1)));
    let mut carol = Box::pin(after.check(&carol, network(1)));
    assert!((&mut alice).now_or_never().is_none());
    assert!((&mut carol).now_or_never().is_none());
    drop(turn);
    assert_eq!(alice.await, Verdict::Refused);
    assert_eq!(carol.await, Verdict::Accepted);
}

/// bcrypt looks at 72 bytes.
#[tokio::test]
async fn what_follows_the_longest_password_is_not_ignored() {
    let longest = "x".repeat(72);
    let passwords = passwords(&[("alice", &hash(&longest))]);
    for (password, expected) in [
        (format!("{longest}y"), Verdict::Refused),
        (longest.repeat(2), Verdict::Refused),
        (longest[1..].to_owned(), Verdict::Refused),
        (longest, Verdict::Accepted),
    ] {
        let headers = basic(&format!("alice:{password}"));
        assert_eq!(passwords.check(&headers, network(1)).await, expected);
    }
}

/// Takes the turn of a client in this network, for which other passwords wait.
async fn turn(passwords: &Passwords, last: u8) -> queue::Turn {
    let queue = Arc::clone(&passwords.checks.queue);
    let turn = queue.turn(network(last), Duration::ZERO).await;
    turn.expect("nothing waits")
}

#[tokio::test]
async fn networks_take_turns_and_one_password_is_not_lost_among_many() {
    let alice = hash("secret");
    let passwords = passwords(&[("alice", &alice)]);
    let turn = turn(&passwords, 1).await;
    let (wrong, right) = (basic("alice:wrong"), basic("alice:secret"));
    let mut waiting: Vec<_> = (0..200)
        .map(|_| Box::pin(passwords.check(&wrong, network(1))))
        .collect();
    for checked in &mut waiting {
        assert!(checked.now_or_never().is_none());
    }
    let mut other = Box::pin(passwords.check(&right, network(2)));
    assert!((&mut other).now_or_never().is_none());
    // Clients that go leave their places to others.
    waiting.drain(50..);
    let mut last = Box::pin(passwords.check(&right, network(1)));
    assert!((&mut last).now_or_never().is_none());
    drop(turn);
    // The first of the network that waits longest, and then the other network.
    assert_eq!(waiting.remove(0).await, Verdict::Refused);
    assert_eq!(other.await, Verdict::Accepted);
    // Within the network, all that came before.
    for checked in waiting {
        assert_eq!(checked.await, Verdict::Refused);
    }
    assert_eq!(last.await, Verdict::Accepted);
}

#[tokio::test(start_paused = true)]
async fn a_password_waits_as_long_as_its_scrape_may_take() {
    let passwords = passwords(&[("alice", &hash("secret"))]);
    let turn = turn(&passwords, 1).await;
    for (stated, expected) in [
        (None, 9),
        (Some("x"), 9),
        (Some("-1"), 9),
        (Some("0"), 9),
        (Some("20"), 18),
        (Some("3600"), 54),
    ] {
        let mut headers = basic("alice:secret");
        if let Some(stated) = stated {
            headers.insert(HEADER, HeaderValue::from_static(stated));
        }
        let begun = tokio::time::Instant::now();
        assert_eq!(passwords.check(&headers, network(1)).await, Verdict::Busy);
        let waited = begun.elapsed().as_secs();
        assert_eq!(waited, expected, "{stated:?}");
    }
    // Nothing is left behind, and the turn comes back.
    drop(turn);
    let right = passwords.check(&basic("alice:secret"), network(1)).await;
    assert_eq!(right, Verdict::Accepted);
}

#[tokio::test]
async fn every_wrong_password_costs_as_much_as_the_costliest_hash() {
    let (cheap, dear) = (hash("x"), bcrypt::hash("x", COST + 3).expect("a hash"));
    let dear = dear.parse().expect("a hash");
    let passwords = passwords(&[("a", &cheap), ("b", &dear)]);
    let users = passwords.users.values().chain([&passwords.nobody]);
    for user in users {
        let checks = [user.hash.cost()].into_iter().chain(user.padding.clone());
        let rounds: u64 = checks.map(|cost| 1_u64 << cost).sum();
        assert_eq!(rounds, 1 << (COST + 3));
    }
    for cost in [COST, COST + 3] {
        assert!(bcrypt::verify("x", &hash_of_nobody(cost)).is_ok());
    }
}

#[test]
fn without_users_no_password_is_needed() {
    let checks = PasswordChecks::new().expect("randomness");
    assert!(Passwords::new(&BTreeMap::new(), None, &checks).is_none());
}

#[test]
fn no_hash_is_shown() {
    let shown = format!("{:?}", passwords(&[("alice", &hash("secret"))]));
    assert!(!shown.contains('$'), "{shown}");
}
