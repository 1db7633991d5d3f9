use super::*;

fn address(text: &str) -> PeerAddress {
    text.parse::<IpAddr>().expect("an address").into()
}

/// A connection that is idle until it is closed.
struct Idle {
    activity: Arc<Activity>,
    task: tokio::task::JoinHandle<()>,
}

fn connect(connections: &Arc<OpenConnections>, from: &str) -> Idle {
    let activity = Arc::new(Activity::new());
    let place = connections.admit(address(from), &activity);
    let key = place.key();
    let task = tokio::spawn(async move {
        let _place = place;
        std::future::pending::<()>().await;
    });
    connections.set_task(key, task.abort_handle());
    Idle { activity, task }
}

async fn closed(connections: &[Idle]) -> Vec<usize> {
    // A task that was aborted ends when it is next polled.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let all = connections.iter().enumerate();
    let closed = all.filter(|(_, one)| one.task.is_finished());
    closed.map(|(number, _)| number).collect()
}

fn room_for(number: usize) -> Arc<OpenConnections> {
    Arc::new(OpenConnections {
        max: number,
        table: Mutex::default(),
    })
}

fn number(connections: &OpenConnections) -> usize {
    let table = connections.table();
    assert_eq!(
        table.open,
        table.networks.values().map(HashMap::len).sum::<usize>()
    );
    table.open
}

/// Waits until the clock of [`Activity`] has gone on by a millisecond.
fn a_moment_later(activity: &Activity) {
    let before = activity.last();
    while activity.last() == before {
        activity.request_received();
    }
}

#[tokio::test]
async fn without_room_the_idlest_connection_of_the_largest_network_is_closed() {
    let connections = room_for(4);
    let mut all = vec![connect(&connections, "192.0.2.1")];
    all.extend((0..3).map(|_| connect(&connections, "192.0.2.2")));
    assert_eq!(closed(&all).await, [0_usize; 0]);
    // The second is active again, so that the third is the idlest.
    a_moment_later(&all[1].activity);
    a_moment_later(&all[3].activity);
    all.push(connect(&connections, "192.0.2.3"));
    assert_eq!(closed(&all).await, [2]);
    all.push(connect(&connections, "192.0.2.4"));
    assert_eq!(closed(&all).await, [1, 2]);
    assert_eq!(number(&connections), 4);
    // No network has more than another: the idlest connection of all is closed.
    all.push(connect(&connections, "192.0.2.5"));
    assert_eq!(closed(&all).await, [0, 1, 2]);
    assert_eq!(number(&connections), 4);
}

#[tokio::test]
async fn a_client_that_waits_for_its_password_is_not_idle() {
    let connections = room_for(3);
    let mut all: Vec<_> = (0..3).map(|_| connect(&connections, "192.0.2.1")).collect();
    all[0].activity.set_waiting(true);
    for one in &all[1..] {
        a_moment_later(&one.activity);
    }
    for expected in [&[1][..], &[1, 2]] {
        all.push(connect(&connections, "192.0.2.1"));
        a_moment_later(&all[all.len() - 1].activity);
        assert_eq!(closed(&all).await, expected);
    }
}

#[tokio::test]
async fn a_place_is_given_back_when_a_connection_ends() {
    let connections = room_for(2);
    for _ in 0..10 {
        let one = connect(&connections, "192.0.2.1");
        one.task.abort();
        assert_eq!(closed(&[one]).await, [0]);
        assert_eq!(number(&connections), 0);
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_before_its_task_was_known_does_not_run() {
    let connections = room_for(1);
    let activity = Arc::new(Activity::new());
    let place = connections.admit(address("192.0.2.1"), &activity);
    let other = connect(&connections, "192.0.2.1");
    let task = tokio::spawn(std::future::pending::<()>());
    connections.set_task(place.key(), task.abort_handle());
    assert!(task.await.expect_err("aborted").is_cancelled());
    drop(place);
    assert_eq!(closed(&[other]).await, [0_usize; 0]);
    assert_eq!(number(&connections), 1);
}

#[tokio::test]
async fn connections_without_a_request_are_closed_together() {
    let connections = room_for(9);
    let all: Vec<_> = (0..3).map(|_| connect(&connections, "192.0.2.1")).collect();
    all[1].activity.request_received();
    connections.end_silent();
    assert_eq!(closed(&all).await, [0, 2]);
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_cut_for_another() {
    let connections = room_for(9);
    let all: Vec<_> = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"]
        .into_iter()
        .map(|from| connect(&connections, from))
        .collect();
    let here = address("192.0.2.1");
    // No client is behind, and then none that is behind has an answer in flight.
    assert!(!connections.cut_answer(here));
    all[0].activity.set_behind();
    assert!(!connections.cut_answer(address("192.0.2.9")));
    for one in &all {
        one.activity.set_answered(true);
    }
    // The client is not behind for long, and its network asks itself.
    assert!(!connections.cut_answer(here));
    // A network with fewer answers in flight need not wait.
    assert!(connections.cut_answer(address("192.0.2.9")));
    assert_eq!(closed(&all).await, [0]);
    all[1].activity.set_behind();
    all[1].activity.clear_behind();
    assert!(!connections.cut_answer(address("192.0.2.9")));
}

#[test]
fn a_network_is_what_one_client_is_given() {
    let cases = [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::1", "::"),
    ];
    for (text, expected) in cases {
        assert_eq!(network(address(text)), address(expected), "{text}");
    }
}

#[test]
fn the_bound_follows_the_limit_of_open_files() {
    let limits = |soft: &str| {
        format!(
            "Limit                     Soft Limit           Hard Limit           Units     \nMax processes             95943                95943                processes \nMax open files            {soft}                 524288               files     \n"
        )
    };
    let cases = [
        (Some(limits("1024")), 768),
        (Some(limits("256")), 192),
        (Some(limits("10")), MIN_CONNECTIONS),
        (Some(limits("1000000")), MAX_CONNECTIONS),
        (Some(limits("unlimited")), MAX_CONNECTIONS),
        (Some(String::new()), MAX_CONNECTIONS),
        (None, MAX_CONNECTIONS),
    ];
    for (limits, expected) in cases {
        assert_eq!(
            OpenConnections::new(limits.as_deref()).max,
            expected,
            "{limits:?}"
        );
    }
}
