//! An exporter with a web configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use test_support::audit_event::{events, many_series};
use test_support::certificates::Authority;
use test_support::eventually::eventually;
use test_support::exporter::{Exporter, ONE_POLL};
use test_support::program::{Program, command};
use test_support::scripted_api::{ScriptedApi, healthy};

/// The time from the start until thousands of series are counted, in an unoptimized
/// build and beside other tests.
const LONG_POLL: Duration = Duration::from_mins(2);

/// The password of `alice`.
pub(crate) const PASSWORD: &str = "correct horse";

/// A running exporter, and the folder of its web configuration.
pub(crate) struct SecuredExporter {
    pub(crate) program: Program,
    pub(crate) authority: Authority,
    folder: TempDir,
    _api: ScriptedApi,
}

impl SecuredExporter {
    /// Starts with a certificate in `server.pem` and `server.key`, the certificate of
    /// an authority in `ca.pem`, and this web configuration.
    pub(crate) fn start(web_config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new();
        write_certificates(folder.path(), &authority);
        let path = folder.path().join("web.yml");
        fs::write(&path, web_config).expect("a file");
        let api = ScriptedApi::start(healthy(events(2, "A")));
        let arguments = [
            "serve".to_owned(),
            "--web.listen-address=127.0.0.1:0".to_owned(),
            "--log.level=debug".to_owned(),
            format!("--web.config.file={}", path.display()),
            format!("--api.base-url={}", api.base_url()),
        ];
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let program = Program::started_by(command().args(&arguments), &arguments);
        Self {
            program,
            authority,
            folder,
            _api: api,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces a file as programs that renew certificates do.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        let new = self.path("new");
        fs::write(&new, text).expect("a file");
        fs::rename(&new, self.path(name)).expect("a file");
    }
}

pub(crate) fn write_certificates(folder: &Path, authority: &Authority) {
    authority
        .issue(&["localhost", "127.0.0.1"])
        .write(folder, "server");
    fs::write(folder.join("ca.pem"), authority.pem()).expect("a file");
}

/// Returns the section that admits `alice`. A low cost keeps the tests fast.
pub(crate) fn users(cost: u32) -> String {
    let hash = bcrypt::hash(PASSWORD, cost).expect("a hash");
    format!("basic_auth_users:\n  alice: {hash}\n")
}

pub(crate) const TLS: &str =
    "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";

/// Starts an exporter whose `/metrics` is larger than the buffers of both ends
/// together.
pub(crate) fn with_a_large_answer(more: &[&str]) -> (ScriptedApi, Exporter) {
    let api = ScriptedApi::start(healthy(many_series()));
    let settings = [ONE_POLL[0], ONE_POLL[1], "--api.timeout=2m"];
    let exporter = Exporter::polling_with(&api, &[&settings, more].concat());
    eventually("a large answer", LONG_POLL, || {
        let up = exporter.value("nexmo_audit_up", &[]);
        if up > 0.0 {
            Ok(())
        } else {
            Err(exporter.program.log())
        }
    });
    (api, exporter)
}
