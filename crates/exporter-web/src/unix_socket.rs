//! A unix socket that clients connect to by its path.
//!
//! The file of a process that was killed stays behind, and is recognized by a connection that
//! the system refuses. Such a file is replaced; a socket that a process listens on is not.

use std::{
    fs::{self, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::Access;
use tokio::net::{UnixListener, UnixStream};

/// The mode of the socket's file: its owner and its group may connect.
const MODE: u32 = 0o660;
/// The longest queue of connections that wait to be accepted; the system may have a lower
/// bound.
const QUEUE: u32 = 1024;

/// A unix socket that a process listens on.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    /// `None` if the file is not that of this process. Comes first, since the file has to go
    /// before the socket is closed: another process may take the path then.
    _file: Option<SocketFile>,
    listener: UnixListener,
}

/// The file of a socket, removed when dropped unless another file has taken its place.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// The device and the number by which the system knows the file.
    identity: (u64, u64),
}

/// A path that can be listened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UsablePath {
    /// There is no such file.
    Free,
    /// The file is the socket of a process that has gone.
    Abandoned,
}

impl UnixSocket {
    /// Listens on `path`, in place of a process that has gone.
    pub(crate) async fn listen(path: &Path) -> io::Result<Self> {
        if usable(path).await? == UsablePath::Abandoned {
            fs::remove_file(path)?;
        }
        let socket = tokio::net::UnixSocket::new_stream()?;
        socket.bind(path)?;
        let file = SocketFile::of(path)?;
        // Nobody can connect until the process listens, and by then the mode is right.
        fs::set_permissions(path, Permissions::from_mode(MODE))?;
        Ok(Self {
            listener: socket.listen(QUEUE)?,
            _file: Some(file),
        })
    }

    /// Accepts the connections of a socket that another process has opened, whose file is left
    /// to that process.
    pub(crate) fn inherited(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        Ok(Self {
            listener: UnixListener::from_std(listener)?,
            _file: None,
        })
    }

    /// Fails where [`UnixSocket::listen`] would, and leaves everything as it is.
    pub(crate) async fn try_listening(path: &Path) -> io::Result<()> {
        match usable(path).await? {
            UsablePath::Free => Self::listen(path).await.map(drop),
            UsablePath::Abandoned => {
                let folder = path.parent().unwrap_or(path);
                Ok(rustix::fs::access(
                    folder,
                    Access::WRITE_OK | Access::EXEC_OK,
                )?)
            }
        }
    }

    /// Returns the path; it is empty if the socket has none.
    pub(crate) fn path(&self) -> io::Result<PathBuf> {
        let address = self.listener.local_addr()?;
        Ok(address.as_pathname().unwrap_or(Path::new("")).to_owned())
    }

    pub(crate) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            // The next process takes over what cannot be removed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// Returns how a path can be listened on.
///
/// # Errors
/// [`ErrorKind::AddrInUse`] if a process listens on it, [`ErrorKind::AlreadyExists`] if it is
/// the path of something else, and what the system says otherwise.
async fn usable(path: &Path) -> io::Result<UsablePath> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(UsablePath::Free),
        Ok(file) if file.file_type().is_socket() => {}
        Ok(_) => {
            let text = "a file that is no socket has this path";
            return Err(io::Error::new(ErrorKind::AlreadyExists, text));
        }
        Err(error) => return Err(error),
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(UsablePath::Abandoned),
        // The queue of the other process is full.
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        _ => Err(rustix::io::Errno::ADDRINUSE.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener as OtherListener;

    use super::*;

    fn mode(path: &Path) -> u32 {
        let file = fs::symlink_metadata(path).expect("a file");
        file.permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn the_file_is_for_owner_and_group_and_goes_with_the_socket() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("metrics.sock");
        let socket = UnixSocket::listen(&path).await.expect("a socket");
        assert_eq!(mode(&path), 0o660);
        assert_eq!(socket.path().expect("a path"), path);
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn the_file_of_a_process_that_has_gone_is_taken_over_and_only_tried_by_a_trial() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("metrics.sock");
        drop(OtherListener::bind(&path).expect("a socket"));
        let left = identity(&path).expect("a file");
        UnixSocket::try_listening(&path).await.expect("a socket");
        assert_eq!(identity(&path).expect("a file"), left);
        let _socket = UnixSocket::listen(&path).await.expect("a socket");
        UnixStream::connect(&path).await.expect("a connection");
    }

    #[tokio::test]
    async fn a_socket_that_a_process_listens_on_and_another_file_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("metrics.sock");
        let other = OtherListener::bind(&path).expect("a socket");
        for error in [
            UnixSocket::listen(&path).await.map(drop),
            UnixSocket::try_listening(&path).await,
        ] {
            assert_eq!(error.expect_err("an error").kind(), ErrorKind::AddrInUse);
        }
        drop(other);
        fs::remove_file(&path).expect("the file");
        fs::write(&path, "notes").expect("a file");
        let error = UnixSocket::listen(&path).await.expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).expect("the file"), "notes");
    }

    #[tokio::test]
    async fn a_trial_leaves_nothing_and_a_file_that_took_the_place_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("metrics.sock");
        UnixSocket::try_listening(&path).await.expect("a socket");
        assert!(!path.exists());
        let before = UnixSocket::listen(&path).await.expect("a socket");
        fs::remove_file(&path).expect("the file");
        let _after = UnixSocket::listen(&path).await.expect("a socket");
        drop(before);
        assert!(path.exists());
    }
}
