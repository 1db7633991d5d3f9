//! The program, linked statically as for a release, from the libraries that were built
//! for the tests: a release takes minutes to build.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use test_support::repository;

use super::output_of;

/// Links the program once for all tests of a build, and returns its path.
pub(crate) fn static_program() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let program = folder.join("nexmo-audit-exporter-static");
    let lock = File::create(folder.join("static.lock")).expect("a lock");
    lock.lock().expect("a lock");
    let libraries = Libraries::of_the_tests();
    let built = |path: &str| fs::metadata(path).and_then(|file| file.modified()).ok();
    let linked = fs::metadata(&program).and_then(|file| file.modified()).ok();
    if linked < built(&libraries.program) {
        libraries.link(&program);
    }
    program
}

/// The libraries that src/main.rs is linked with.
struct Libraries {
    program: String,
    exporter_web: String,
    tokio: String,
}

impl Libraries {
    /// Asks cargo for the paths, for which it builds nothing: the libraries were built
    /// for this test.
    fn of_the_tests() -> Self {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(repository(""));
        cargo.args([
            "build",
            "--locked",
            "--test=packages",
            "--message-format=json",
        ]);
        for (name, _) in env::vars_os().filter(|(name, _)| is_of_this_test(name)) {
            cargo.env_remove(name);
        }
        let messages = output_of(&mut cargo);
        let library = |name: &str| {
            let found = messages
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .filter(|message| message["target"]["name"] == name)
                .find_map(|message| rlib(&message));
            found.unwrap_or_else(|| panic!("{name} was built"))
        };
        Self {
            program: library("nexmo_audit_exporter"),
            exporter_web: library("exporter_web"),
            tokio: library("tokio"),
        }
    }

    fn link(&self, program: &Path) {
        let dependencies = PathBuf::from(&self.tokio);
        let dependencies = dependencies.parent().expect("a folder").display();
        let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.current_dir(repository(""));
        rustc.args(["--edition=2024", "--crate-name=nexmo_audit_exporter_static"]);
        rustc.args(["-Ctarget-feature=+crt-static", "-Cstrip=symbols"]);
        rustc.arg("-Clink-arg=-Wl,-z,pack-relative-relocs");
        rustc.arg(format!("-Ldependency={dependencies}"));
        rustc.arg(format!("--extern=nexmo_audit_exporter={}", self.program));
        rustc.arg(format!("--extern=exporter_web={}", self.exporter_web));
        rustc.arg(format!("--extern=tokio={}", self.tokio));
        rustc.arg("-o").arg(program).arg("src/main.rs");
        output_of(&mut rustc);
    }
}

/// The variables that cargo sets for a test. If they were kept, a build script that
/// reads one of them, such as that of ring, would have everything built again.
fn is_of_this_test(variable: &OsStr) -> bool {
    let name = variable.to_string_lossy();
    name == "OUT_DIR"
        || ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

fn rlib(message: &Value) -> Option<String> {
    let files = message["filenames"].as_array()?;
    let mut paths = files.iter().filter_map(Value::as_str);
    let library = |path: &&str| Path::new(path).extension() == Some(OsStr::new("rlib"));
    paths.find(library).map(str::to_owned)
}
