use futures_util::FutureExt;
use hyper::header::HeaderValue;

use super::*;

const COST: u32 = 4;

fn network(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
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
    let queue = PasswordQueue::new().expect("randomness");
    Passwords::new(&users(pairs), None, &queue).expect("users")
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
    let after = Passwords::new(&changed, Some(&before), &before.queue).expect("users");
    // A check that needs bcrypt waits for this.
    let turn = Arc::clone(&after.queue.one_at_a_time);
    let turn = turn.acquire_owned().await.expect("a turn");
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

#[tokio::test]
async fn few_passwords_wait_and_fewer_of_one_network() {
    let alice = hash("secret");
    let passwords = passwords(&[("alice", &alice)]);
    assert_eq!(
        passwords.check(&basic("alice:secret"), network(1)).await,
        Verdict::Accepted
    );
    let turn = Arc::clone(&passwords.queue.one_at_a_time);
    let turn = turn.acquire_owned().await.expect("a turn");
    let wrong = basic("alice:wrong");
    let mut waiting = Vec::new();
    for last in 0..4 {
        for _ in 0..MAX_QUEUED_OF_NETWORK {
            let mut checked = Box::pin(passwords.check(&wrong, network(last)));
            assert!((&mut checked).now_or_never().is_none());
            waiting.push(checked);
        }
        assert_eq!(passwords.check(&wrong, network(last)).await, Verdict::Busy);
    }
    assert_eq!(waiting.len(), MAX_QUEUED);
    assert_eq!(passwords.check(&wrong, network(99)).await, Verdict::Busy);
    // A password that is proven waits for none of them.
    assert_eq!(
        passwords.check(&basic("alice:secret"), network(0)).await,
        Verdict::Accepted
    );
    // A client that goes leaves its place to another.
    waiting.truncate(MAX_QUEUED - 1);
    let mut late = Box::pin(passwords.check(&wrong, network(99)));
    assert!((&mut late).now_or_never().is_none());
    drop(turn);
    // In the order in which they came: the semaphore is fair.
    waiting.push(late);
    for checked in waiting {
        assert_eq!(checked.await, Verdict::Refused);
    }
}

#[tokio::test]
async fn an_unknown_user_costs_as_much_as_the_costliest_one() {
    let (cheap, dear) = (hash("x"), bcrypt::hash("x", COST + 2).expect("a hash"));
    let dear = dear.parse().expect("a hash");
    let passwords = passwords(&[("a", &cheap), ("b", &dear)]);
    assert_eq!(passwords.nobody.hash.cost(), COST + 2);
    assert!(bcrypt::verify("x", passwords.nobody.hash.as_str()).is_ok());
}

#[test]
fn without_users_no_password_is_needed() {
    let queue = PasswordQueue::new().expect("randomness");
    assert!(Passwords::new(&BTreeMap::new(), None, &queue).is_none());
}

#[test]
fn no_hash_is_shown() {
    let shown = format!("{:?}", passwords(&[("alice", &hash("secret"))]));
    assert!(!shown.contains('$'), "{shown}");
}
