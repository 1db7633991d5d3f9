//! A real Alertmanager with the configuration of the stack.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use test_support::process::Process;
use test_support::repository;
use test_support::restartable::free_port;

use super::receiver::Receiver;

/// A running Alertmanager.
pub(super) struct Alertmanager {
    pub(super) process: Process,
    pub(super) port: u16,
    _folder: TempDir,
}

impl Alertmanager {
    /// Starts with the configuration of the stack, which notifies `receiver`. Each of `changes`
    /// is a text of the configuration and the text in its place.
    pub(super) fn start(program: &Path, receiver: &Receiver, changes: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let shipped = fs::read_to_string(repository("dashboards/alertmanager/alertmanager.yml"));
        let mut config_text = shipped.expect("the configuration of the stack");
        let webhook = format!(
            "  - name: page\n    webhook_configs: [{{url: '{}', send_resolved: false}}]\n",
            receiver.url()
        );
        for (from, to) in changes.iter().chain(&[("  - name: page\n", &*webhook)]) {
            assert!(config_text.contains(from), "{from}");
            config_text = config_text.replace(from, to);
        }
        let config = folder.path().join("alertmanager.yml");
        fs::write(&config, config_text).expect("a configuration");
        let storage = folder.path().join("data");
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", storage.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            // Without a cluster Alertmanager needs no network.
            .arg("--cluster.listen-address=");
        Self {
            process: Process::start("alertmanager", &mut command),
            port,
            _folder: folder,
        }
    }
}
