//! A program that reads the pages of the API as the exporter does, and throws them away:
//! what is left of the time of a catch-up if counting costs nothing.

use std::{
    env,
    io::Read,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;
use reqwest::{Client, header::ACCEPT_ENCODING};
use tokio::{runtime::Runtime, task::JoinSet};

use super::{
    running::{Running, command},
    simulator::{KEY, SECRET, Simulator},
};

/// The first argument of the process that reads; the URL and the number of pages follow.
const READ: &str = "--read-pages";
/// The number of pages that the exporter requests at once, and the events of a page.
const PAGES_AT_ONCE: usize = 8;
const PAGE: usize = 100;

/// If this process was started to read pages, reads them and returns `true`.
pub(crate) fn is_run() -> bool {
    let arguments: Vec<String> = env::args().collect();
    let [_, first, url, pages] = arguments.as_slice() else {
        return false;
    };
    if first == READ {
        let pages = pages.parse().expect("a number");
        let runtime = Runtime::new().expect("a runtime");
        runtime.block_on(read(url.clone(), pages));
    }
    first == READ
}

async fn read(url: String, pages: usize) {
    // A second installation fails and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().tls_certs_only([]).no_proxy().build();
    let client = client.expect("a client");
    let next = Arc::new(AtomicUsize::new(1));
    let mut readers = JoinSet::new();
    for _ in 0..PAGES_AT_ONCE {
        let (client, url, next) = (client.clone(), url.clone(), Arc::clone(&next));
        readers.spawn(async move {
            loop {
                let page = next.fetch_add(1, Ordering::Relaxed);
                if page > pages {
                    return;
                }
                let url = format!("{url}/events?page={page}&size={PAGE}");
                let request = client.get(url).basic_auth(KEY, Some(SECRET));
                let request = request.header(ACCEPT_ENCODING, "gzip");
                let answer = request.send().await.expect("an answer");
                let answer = answer.error_for_status().expect("a page");
                let body = answer.bytes().await.expect("a body");
                let read = GzDecoder::new(&*body).read_to_end(&mut Vec::new());
                read.expect("gzip");
            }
        });
    }
    readers.join_all().await;
}

/// Returns the time in which a process reads all pages of so many events.
pub(crate) fn time(api: &Simulator, events: usize, folder: &Path) -> Duration {
    let program = env::current_exe().expect("this program");
    let mut reader = command(program);
    let pages = events.div_ceil(PAGE).to_string();
    reader.args([READ, &api.base_url(), &pages]);
    let started = Instant::now();
    let mut reader = Running::start(&mut reader, &folder.join("bare-loop.log"));
    reader.wait();
    started.elapsed()
}
