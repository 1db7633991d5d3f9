use futures_util::FutureExt;
use hyper::header::HeaderValue;

use super::*;

const COST: u32 = 4;

fn place(last: u8) -> IpAddr {
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
async fn who_has_the_password_is_let_in() {
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
    // The second time it is what was proven that decides.
    for _ in 0..2 {
        for (headers, expected) in &cases {
            assert_eq!(
                passwords.judge(headers, place(1)).await,
                *expected,
                "{headers:?}"
            );
        }
    }
    let mut twice = basic("alice:wrong");
    twice.append(AUTHORIZATION, basic("alice:secret")[AUTHORIZATION].clone());
    assert_eq!(passwords.judge(&twice, place(1)).await, Verdict::Refused);
}

#[tokio::test]
async fn what_was_proven_holds_while_the_hash_does() {
    let (old, new) = (hash("old"), hash("new"));
    let before = passwords(&[("alice", &old), ("bob", &old)]);
    for name in ["alice", "bob"] {
        let headers = basic(&format!("{name}:old"));
        assert_eq!(before.judge(&headers, place(1)).await, Verdict::Accepted);
    }
    let changed = users(&[("alice", &new), ("bob", &old), ("carol", &old)]);
    let after = Passwords::new(&changed, Some(&before), &before.queue).expect("users");
    // Whoever is looked at now would wait for this.
    let turn = Arc::clone(&after.queue.one_at_a_time);
    let turn = turn.acquire_owned().await.expect("a turn");
    assert_eq!(
        after.judge(&basic("bob:old"), place(1)).await,
        Verdict::Accepted
    );
    let (alice, carol) = (basic("alice:old"), basic("carol:old"));
    let mut alice = Box::pin(after.judge(&alice, place(1)));
    let mut carol = Box::pin(after.judge(&carol, place(1)));
    assert!((&mut alice).now_or_never().is_none());
    assert!((&mut carol).now_or_never().is_none());
    drop(turn);
    assert_eq!(alice.await, Verdict::Refused);
    assert_eq!(carol.await, Verdict::Accepted);
}

#[tokio::test]
async fn few_wait_and_fewer_from_one_place() {
    let alice = hash("secret");
    let passwords = passwords(&[("alice", &alice)]);
    assert_eq!(
        passwords.judge(&basic("alice:secret"), place(1)).await,
        Verdict::Accepted
    );
    let turn = Arc::clone(&passwords.queue.one_at_a_time);
    let turn = turn.acquire_owned().await.expect("a turn");
    let wrong = basic("alice:wrong");
    let mut waiting = Vec::new();
    for last in 0..4 {
        for _ in 0..MOST_WAITING_FROM_ONE {
            let mut judged = Box::pin(passwords.judge(&wrong, place(last)));
            assert!((&mut judged).now_or_never().is_none());
            waiting.push(judged);
        }
        assert_eq!(passwords.judge(&wrong, place(last)).await, Verdict::Busy);
    }
    assert_eq!(waiting.len(), MOST_WAITING);
    assert_eq!(passwords.judge(&wrong, place(99)).await, Verdict::Busy);
    // Who is known waits for none of them.
    assert_eq!(
        passwords.judge(&basic("alice:secret"), place(0)).await,
        Verdict::Accepted
    );
    // Clients that go leave their place to others.
    waiting.truncate(MOST_WAITING - 1);
    let mut late = Box::pin(passwords.judge(&wrong, place(99)));
    assert!((&mut late).now_or_never().is_none());
    drop(turn);
    // In the order that they came in: a turn is kept for who is next.
    waiting.push(late);
    for judged in waiting {
        assert_eq!(judged.await, Verdict::Refused);
    }
}

#[tokio::test]
async fn an_unknown_user_costs_what_the_costliest_does() {
    let (cheap, dear) = (hash("x"), bcrypt::hash("x", COST + 2).expect("a hash"));
    let dear = dear.parse().expect("a hash");
    let passwords = passwords(&[("a", &cheap), ("b", &dear)]);
    assert_eq!(passwords.nobody.hash.cost(), COST + 2);
    assert!(bcrypt::verify("x", passwords.nobody.hash.as_str()).is_ok());
}

#[test]
fn without_users_nobody_is_asked() {
    let queue = PasswordQueue::new().expect("randomness");
    assert!(Passwords::new(&BTreeMap::new(), None, &queue).is_none());
}

#[test]
fn nothing_secret_is_shown() {
    let shown = format!("{:?}", passwords(&[("alice", &hash("secret"))]));
    assert!(!shown.contains('$'), "{shown}");
}
