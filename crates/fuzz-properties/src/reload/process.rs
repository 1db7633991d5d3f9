//! A process of the exporter without its server: the accounts, the gate, the store and what is
//! shown are those of the program.

use std::{sync::Arc, time::Duration};

use audit_core::gate::{Scrape, ScraperId};
use nexmo_audit_exporter::{
    config::Settings,
    exporter::{Accounts, Difference, SharedParts},
    exposition::{Encoding, Exposition, Format, Variant},
    gate::SharedGate,
    metrics::ProcessMetrics,
    store::SharedStore,
};
use tokio::{runtime::Handle, task::yield_now};

use super::{
    shown::Shown,
    vendor::{Vendor, VendorOutside},
};

/// The number of times that other tasks get their turn until they wait for something.
const TURNS: usize = 12;
/// The format in which scrapes are answered.
const TEXT: Variant = Variant::new(Format::Text, Encoding::Identity);
/// The format that has exemplars.
const OPEN_METRICS: Variant = Variant::new(Format::OpenMetrics, Encoding::Identity);

/// A running process.
pub(super) struct Process {
    vendor: Vendor,
    started: Duration,
    accounts: Accounts<VendorOutside>,
    exposition: Arc<Exposition>,
    gate: Arc<SharedGate>,
    store: SharedStore,
}

impl Process {
    /// Starts a process.
    pub(super) fn start(settings: &Settings, vendor: &Vendor) -> Self {
        let process = Arc::new(ProcessMetrics::new().expect("metrics"));
        let now = || vendor.time.wall_clock();
        let outside = || VendorOutside::of_new_process(vendor);
        let shared = SharedParts::open(settings, process, now, outside).expect("the state");
        let (exposition, gate, store) = (
            Arc::clone(shared.exposition()),
            Arc::clone(shared.gate()),
            shared.store().clone(),
        );
        let mut accounts = Accounts::new(shared, settings).expect("the accounts");
        accounts.start(&Handle::current());
        Self {
            vendor: vendor.clone(),
            started: vendor.time.now(),
            accounts,
            exposition,
            gate,
            store,
        }
    }

    /// Changes the accounts as a reload does. Returns `None` if it fails.
    pub(super) async fn change(&mut self, settings: &Settings) -> Option<Difference> {
        let counting = Handle::current();
        self.accounts.change(settings, &counting).await.ok()
    }

    /// Waits until everything waits for time to pass. Pollers that have ended start again.
    pub(super) async fn settle(&mut self) {
        let counting = Handle::current();
        loop {
            let before = self.vendor.time.activity();
            let restarted = async {
                self.accounts.restart_ended(&counting).await;
                true
            };
            // Each commit that begins is an activity, and ends before the flush.
            let settled = async {
                self.store.flush().await;
                turns(TURNS).await;
                false
            };
            let is_restarted = tokio::select! {
                biased;
                restarted = restarted => restarted,
                settled = settled => settled,
            };
            if !is_restarted && before == self.vendor.time.activity() {
                return;
            }
        }
    }

    /// Lets time pass, and everything happen that is due meanwhile.
    pub(super) async fn pass(&mut self, duration: Duration) {
        let end = self.vendor.time.now() + duration;
        self.settle().await;
        while self.vendor.time.pass(end) || self.vendor.time.now() < end {
            self.settle().await;
        }
    }

    /// Lets time pass, and leaves what is due then under way.
    pub(super) async fn rush(&self, duration: Duration, turns_after: usize) {
        let end = self.vendor.time.now() + duration;
        self.vendor.time.pass(end);
        turns(turns_after).await;
    }

    /// Answers a scrape of a server, and records that it was sent.
    pub(super) async fn serve(&mut self, server: u64) {
        let scraper = ScraperId(server);
        self.gate.announce(scraper, self.uptime());
        self.settle().await;
        let uptime = self.uptime();
        let answer = self.exposition.scrape(Some(scraper), TEXT, uptime);
        let scrape = Scrape {
            scraper,
            product: 1,
            target: 0,
            connection: server,
            timeout: Duration::from_secs(10),
        };
        let generation = answer.expect("an answer").generation;
        self.gate.record_scrape(scrape, generation, uptime);
    }

    /// Returns `true` if a count may wait for servers that scrape.
    pub(super) fn is_gated(&self) -> bool {
        !self.gate.hold(self.uptime()).is_zero()
    }

    /// Returns what a scrape shows of the events.
    pub(super) fn shown(&self) -> Shown {
        Shown::read(&self.scrape(TEXT))
    }

    /// Returns `true` if a scrape shows an exemplar.
    pub(super) fn shows_exemplars(&self) -> bool {
        self.scrape(OPEN_METRICS).contains(" # {")
    }

    fn scrape(&self, variant: Variant) -> String {
        let answer = self.exposition.scrape(None, variant, self.uptime());
        let text = answer.expect("an answer").parts.concat();
        String::from_utf8(text).expect("UTF-8")
    }

    /// Ends the process as a signal does.
    pub(super) async fn end(self) {
        let Self {
            accounts, store, ..
        } = self;
        let stopped = accounts.stop_polling().await;
        // A state that is away cannot be closed.
        let _ = store.close();
        drop(stopped);
        turns(TURNS).await;
    }

    /// Ends the process at once. A commit that is on its way to the disk arrives there.
    pub(super) async fn crash(self) {
        let Self {
            accounts, store, ..
        } = self;
        drop(accounts);
        turns(TURNS).await;
        store.flush().await;
        drop(store);
    }

    fn uptime(&self) -> Duration {
        self.vendor.time.now().saturating_sub(self.started)
    }
}

async fn turns(number: usize) {
    for _ in 0..number {
        yield_now().await;
    }
}
