//! The limit of open files, and the share of it that requests to APIs may take.

use std::collections::BTreeSet;

use rlimit::Resource;

use crate::{api::ApiBounds, config::Settings};

/// The number of descriptors for the state, the event log, listeners and the runtimes.
const OWN: usize = 32;
/// The highest number of threads that look up host names.
const MAX_LOOK_UPS: usize = 1024;
/// The highest number of requests under way.
const MAX_REQUESTS: usize = 8192;

/// Raises the limit of open files as far as the process may, and returns the bounds that leave
/// descriptors for scrapes.
pub(super) fn raise(settings: &Settings) -> ApiBounds {
    let raised = rlimit::increase_nofile_limit(u64::MAX);
    let limit = raised.or_else(|_| Resource::NOFILE.get_soft());
    let limit = limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    let accounts = settings.accounts.len();
    let bounds = bounds(limit, hosts(settings));
    if bounds.requests < accounts {
        tracing::warn!(
            limit,
            accounts,
            requests = bounds.requests,
            "the limit of open files is low for so many accounts, so that fewer of them are polled at the same time: raise it (LimitNOFILE of systemd, ulimit -n)"
        );
    }
    bounds
}

/// Returns the number of hosts that requests are sent to.
fn hosts(settings: &Settings) -> usize {
    let accounts = settings.accounts.iter();
    let hosts: BTreeSet<_> = accounts
        .map(|account| (account.base_url.host_str(), account.base_url.port()))
        .collect();
    hosts.len()
}

/// Returns the bounds for a limit of open files. The server takes up to three quarters of it;
/// half of the rest is for requests, a quarter for look-ups, and a quarter for connections
/// that are kept.
fn bounds(limit: usize, hosts: usize) -> ApiBounds {
    let share = (limit / 4).saturating_sub(OWN).max(OWN);
    ApiBounds {
        requests: (share / 2).min(MAX_REQUESTS),
        look_ups: (share / 4).min(MAX_LOOK_UPS),
        kept_connections: (share / 4).min(MAX_REQUESTS) / hosts.max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_leave_descriptors_for_scrapes() {
        for limit in [256, 1024, 4096, 65_536, 1 << 20] {
            for hosts in [1, 3, 700] {
                let ApiBounds {
                    requests,
                    look_ups,
                    kept_connections,
                } = bounds(limit, hosts);
                assert!(requests >= 16 && look_ups >= 8);
                let used = requests + look_ups + hosts * kept_connections;
                // The server takes at most three quarters.
                assert!(used + OWN <= limit / 4, "{limit} {hosts}: {used}");
            }
        }
        assert_eq!(bounds(65_536, 1).look_ups, MAX_LOOK_UPS);
        assert_eq!(bounds(usize::MAX, 1).requests, MAX_REQUESTS);
    }
}
