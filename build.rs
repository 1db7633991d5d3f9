//! Passes the revision and the Rust version to the compiler, for `--version` and the metric
//! `nexmo_audit_exporter_build_info`.

use std::{env, fs, path::Path, process::Command};

/// Cargo writes this file into a package, with the commit that the package was made of.
const PACKAGED: &str = ".cargo_vcs_info.json";

fn main() {
    println!("cargo:rerun-if-env-changed=NEXMO_AUDIT_REVISION");
    println!("cargo:rerun-if-changed=build.rs");
    // An image is built without the repository, so the environment can give the revision.
    let given = env::var("NEXMO_AUDIT_REVISION").ok();
    let revision = given.or_else(packaged_revision).or_else(git_revision);
    let revision = revision.unwrap_or_else(|| "unknown".into());
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let rustversion = first_line(&rustc, &["--version"])
        .and_then(|line| line.split(' ').nth(1).map(str::to_owned))
        .unwrap_or_else(|| "unknown".into());
    println!("cargo:rustc-env=BUILD_REVISION={revision}");
    println!("cargo:rustc-env=BUILD_RUSTVERSION={rustversion}");
}

/// Returns the revision that a package was made of. The sources may have been changed since
/// the commit, which cargo notes as `"dirty": true`.
fn packaged_revision() -> Option<String> {
    let text = fs::read_to_string(PACKAGED).ok()?;
    let (_, rest) = text.split_once(r#""sha1": ""#)?;
    let revision = rest.get(..12)?;
    let changed = if text.contains(r#""dirty": true"#) {
        "-dirty"
    } else {
        ""
    };
    Some(format!("{revision}{changed}"))
}

/// Returns the revision of the repository that these sources are the root of. Sources that
/// lie below another repository, as a package that was unpacked does in a home folder that is
/// kept in git, have none.
fn git_revision() -> Option<String> {
    let root = first_line("git", &["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(root).ok()? != env::current_dir().and_then(fs::canonicalize).ok()? {
        return None;
    }
    // Git knows where these files are, also in a worktree. Cargo would rebuild everything
    // each time for a file that does not exist.
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = first_line("git", &["rev-parse", "--git-path", name])
            && Path::new(&path).exists()
        {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    first_line("git", &["rev-parse", "--short=12", "HEAD"])
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}
