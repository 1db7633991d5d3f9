//! System calls that hang, as they do on a disk or a resolver that does not answer. A library
//! that is loaded before that of the system takes their place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::program::command;

/// The source of the library. A call hangs as long as the file exists that the variable
/// names. Host names that begin with `slow` are never found, and of files only those hang
/// that have `slow-` in their path, and the configuration.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void hang(const char *variable) {
    const char *path = getenv(variable);
    while (path && access(path, F_OK) == 0) poll(NULL, 0, 10);
}

int fdatasync(int file) {
    int (*next)(int) = dlsym(RTLD_NEXT, "fdatasync");
    hang("HANG_DISK");
    return next(file);
}

int statx(int folder, const char *path, int flags, unsigned int mask, struct statx *found) {
    int (*next)(int, const char *, int, unsigned int, struct statx *) =
        dlsym(RTLD_NEXT, "statx");
    int slow = path && (strstr(path, "slow-") || strstr(path, "/config.yml"));
    if (slow) hang("HANG_FILES");
    return next(folder, path, flags, mask, found);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    if (strncmp(name, "slow", 4) == 0) {
        hang("HANG_SLOW_NAMES");
        return EAI_AGAIN;
    }
    hang("HANG_ALL_NAMES");
    return next(name, service, hints, found);
}
"#;

/// Calls that hang on request.
pub(crate) struct HangingCalls {
    library: PathBuf,
    folder: PathBuf,
}

impl HangingCalls {
    /// Compiles the library in this folder. Nothing hangs yet.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let source = folder.join("hang.c");
        fs::write(&source, SOURCE).expect("a file");
        let library = folder.join("hang.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o"]);
        compiler.arg(&library).arg(&source).arg("-ldl");
        assert!(compiler.status().expect("a C compiler").success());
        Self {
            library,
            folder: folder.to_owned(),
        }
    }

    /// Returns the program with these calls.
    pub(crate) fn command(&self) -> Command {
        let mut command = command();
        command.env("LD_PRELOAD", &self.library);
        for name in [
            "HANG_DISK",
            "HANG_FILES",
            "HANG_SLOW_NAMES",
            "HANG_ALL_NAMES",
        ] {
            command.env(name, self.folder.join(name));
        }
        command
    }

    /// Lets the calls of this kind hang from now on.
    pub(crate) fn hang(&self, name: &str) {
        fs::write(self.folder.join(name), "").expect("a file");
    }

    /// Lets the calls of this kind return.
    pub(crate) fn release(&self, name: &str) {
        fs::remove_file(self.folder.join(name)).expect("the calls hang");
    }
}
