//! Reads a file that a person named.

use std::{
    ffi::OsStr,
    fs::{self, FileType, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    },
    path::{Component, Path},
};

use super::{
    time_limit::{self, Hanging, PendingWork},
    user,
};

/// The character with which editors of Windows begin a file. It is not part of the text.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The permission of everybody to read a file, and to write it.
const READABLE_BY_ALL: u32 = 0o004;
const WRITABLE_BY_ALL: u32 = 0o002;

/// The folder in which Docker, Compose, Podman and Kubernetes put secrets.
const SECRETS: &str = "/run/secrets";
/// How the names of the folders begin in which Kubernetes keeps the files of a volume. The
/// names of the files are links to them.
const KUBERNETES: &[u8] = b"..";

/// The content of a file, and who may read and write the file.
#[derive(Debug)]
pub struct ReadFile {
    /// The content.
    pub bytes: Vec<u8>,
    /// The permissions, as numbers of Unix.
    pub mode: u32,
    /// `true` if the file was mounted into a container, whose users are all that can reach
    /// it. Such files are readable by everybody, unless a person asks for another mode.
    pub is_mounted: bool,
}

/// The reason why a file cannot be read. The message follows the path and a colon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system refuses.
    #[error(transparent)]
    System(io::Error),
    /// The user that the process runs as may not read the file. The message contains the
    /// error of the system.
    #[error(
        "{error}; the process runs as {user}: let that user read the file, and enter its folders"
    )]
    NoPermission {
        /// The error of the system.
        error: io::Error,
        /// The name and the number of the user.
        user: String,
    },
    /// The path names something else than a file. The text says what.
    #[error("it is {0}; name a regular file, or a link to one")]
    NotRegular(&'static str),
    /// The file is longer than this number of bytes.
    #[error("it is longer than {0} bytes")]
    TooLong(u64),
    /// The file is not text.
    #[error("it is not text in UTF-8; save it as UTF-8")]
    NotText,
    /// The file system does not answer.
    #[error(transparent)]
    Hanging(#[from] Hanging),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::NoPermission {
                error,
                user: user::current_user(),
            },
            _ => Self::System(error),
        }
    }
}

/// A file that is being read by a thread of its own.
#[derive(Debug)]
pub struct PendingFile(Result<PendingWork<Result<ReadFile, FileError>>, FileError>);

/// Reads a file of at most `max_bytes`. Links are followed.
///
/// # Errors
/// A [`FileError`] if the path names no regular file, if the file is longer, or if it cannot
/// be read within five seconds.
pub fn read_file(path: &Path, max_bytes: u64) -> Result<ReadFile, FileError> {
    PendingFile::begin(path, max_bytes).wait()
}

impl PendingFile {
    /// Begins to read a file of at most `max_bytes`, so that several files are waited for
    /// at once.
    #[must_use]
    pub fn begin(path: &Path, max_bytes: u64) -> Self {
        let begun = time_limit::begin(path, move |path| read(path, max_bytes));
        Self(match begun {
            Ok(begun) => begun.map_err(FileError::from),
            Err(error) => Err(error.into()),
        })
    }

    /// Waits for the file: at most until five seconds after it was begun.
    ///
    /// # Errors
    /// A [`FileError`]: see [`read_file`].
    pub fn wait(self) -> Result<ReadFile, FileError> {
        self.0?.wait()?
    }
}

impl ReadFile {
    /// Returns the content as text, without a byte order mark.
    ///
    /// # Errors
    /// [`FileError::NotText`] if the content is not in UTF-8.
    pub fn text(self) -> Result<String, FileError> {
        let mut text = String::from_utf8(self.bytes).map_err(|_| FileError::NotText)?;
        if text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len_utf8());
        }
        Ok(text)
    }

    /// Returns what everybody on the machine may do with the file, if anything: "read",
    /// "write" or both. A secret that was mounted into a container may be read.
    #[must_use]
    pub fn is_open_to_all(&self) -> Option<&'static str> {
        match (
            self.mode & READABLE_BY_ALL > 0,
            self.mode & WRITABLE_BY_ALL > 0,
        ) {
            (true, true) => Some("read and write"),
            (true, false) if !self.is_mounted => Some("read"),
            (false, true) => Some("write"),
            (_, false) => None,
        }
    }
}

fn read(path: &Path, max_bytes: u64) -> Result<ReadFile, FileError> {
    // Before the file is opened, since some devices act when they are opened.
    check_kind(&fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    // A pipe that has taken the place of the file meanwhile is opened without a wait.
    let file = options
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    let metadata = file.metadata()?;
    check_kind(&metadata)?;
    let mut bytes = Vec::new();
    // One byte more than is allowed tells that the file is too long.
    file.take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(FileError::TooLong(max_bytes));
    }
    Ok(ReadFile {
        bytes,
        mode: metadata.mode(),
        is_mounted: fs::canonicalize(path).is_ok_and(|path| is_mounted(&path)),
    })
}

/// Returns `true` if a file is where a container has its secrets. `path` has no links.
fn is_mounted(path: &Path) -> bool {
    let mut names = path.components().map(Component::as_os_str);
    let is_of_kubernetes = |name: &OsStr| name.as_bytes().starts_with(KUBERNETES);
    path.starts_with(SECRETS) || names.any(is_of_kubernetes)
}

fn check_kind(metadata: &Metadata) -> Result<(), FileError> {
    let is = |kind: fn(&FileType) -> bool| kind(&metadata.file_type());
    if metadata.is_file() {
        return Ok(());
    }
    Err(FileError::NotRegular(if metadata.is_dir() {
        "a directory"
    } else if is(FileType::is_fifo) {
        "a pipe"
    } else if is(FileType::is_socket) {
        "a socket"
    } else {
        "a device"
    }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn error(path: &Path) -> String {
        let error = read_file(path, 10).expect_err("no regular file");
        error.to_string()
    }

    #[test]
    fn only_regular_files_are_read_and_to_their_bound() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "0123456789").expect("a file");
        symlink("file", &link).expect("a link");
        assert_eq!(read_file(&link, 10).expect("a file").bytes, b"0123456789");
        fs::write(&file, "0123456789a").expect("a file");
        assert_eq!(error(&link), "it is longer than 10 bytes");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo").success());
        for (path, kind) in [
            (&*pipe, "a pipe"),
            (folder.path(), "a directory"),
            (Path::new("/dev/zero"), "a device"),
            (Path::new("/dev/random"), "a device"),
        ] {
            let expected = format!("it is {kind}; name a regular file, or a link to one");
            assert_eq!(error(path), expected);
        }
        fs::remove_file(&file).expect("the file");
        assert_eq!(error(&link), "No such file or directory (os error 2)");
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_text() {
        let text = |bytes: &[u8]| {
            let bytes = bytes.to_vec();
            let file = ReadFile {
                bytes,
                mode: 0,
                is_mounted: false,
            };
            file.text().ok()
        };
        assert_eq!(text(b"\xef\xbb\xbfa").as_deref(), Some("a"));
        assert_eq!(text(b"a").as_deref(), Some("a"));
        // UTF-16, as some editors of Windows write it.
        assert_eq!(text(b"\xff\xfea\0"), None);
    }

    #[test]
    fn a_file_says_what_everybody_may_do_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("a file");
        for (mode, expected) in [
            (0o600, None),
            (0o440, None),
            (0o604, Some("read")),
            (0o602, Some("write")),
            (0o666, Some("read and write")),
        ] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
            let read = read_file(&file, 10);
            assert_eq!(read.expect("a file").is_open_to_all(), expected);
        }
    }

    #[test]
    fn a_secret_of_a_container_may_be_read_by_all_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        // As Kubernetes makes a volume of a secret.
        let volume = folder.path().join("..2026_11_27_10_00_00.123456789");
        fs::create_dir(&volume).expect("a folder");
        fs::write(volume.join("secret"), "").expect("a file");
        symlink(
            volume.file_name().expect("a name"),
            folder.path().join("..data"),
        )
        .expect("a link");
        let (mounted, other) = (folder.path().join("secret"), folder.path().join("other"));
        symlink("..data/secret", &mounted).expect("a link");
        fs::write(&other, "").expect("a file");
        for (path, mode, expected) in [
            (&mounted, 0o644, None),
            (&mounted, 0o666, Some("read and write")),
            (&mounted, 0o602, Some("write")),
            (&other, 0o644, Some("read")),
        ] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
            let read = read_file(path, 10);
            assert_eq!(read.expect("a file").is_open_to_all(), expected, "{mode:o}");
        }
        for (path, expected) in [
            ("/run/secrets/nexmo", true),
            ("/run/secrets/nested/nexmo", true),
            ("/run/secrets-of-others/nexmo", false),
            ("/etc/nexmo/secret", false),
            ("/etc/nexmo/.secret", false),
        ] {
            assert_eq!(is_mounted(Path::new(path)), expected, "{path}");
        }
    }
}
