//! Tries whether files can be kept at a place, and leaves nothing there.

use std::{
    fs::{self, OpenOptions},
    io,
    path::Path,
};

use super::{
    StateReader,
    error::{StoreError, without_name},
    file::{self, parent},
};

/// Tries whether a state can be kept in `directory`: whether the state that is there can be
/// read and written, or one can be made.
///
/// # Errors
/// The [`StoreError`] that an exporter would meet. [`StoreError::AlreadyOpen`] means that one
/// is running.
pub(crate) fn try_state(directory: &Path) -> Result<(), StoreError> {
    match fs::metadata(directory) {
        Ok(there) if there.is_dir() => try_state_file(directory),
        Ok(_) => Err(StoreError::NotADirectory {
            path: directory.to_owned(),
        }),
        Err(_) => {
            let made = tempfile::tempdir_in(parent(directory));
            made.map_err(|error| file::not_created(directory, error))?;
            Ok(())
        }
    }
}

fn try_state_file(directory: &Path) -> Result<(), StoreError> {
    match StateReader::open(directory) {
        Ok(_) => {
            let path = file::path_in(directory);
            let opened = OpenOptions::new().write(true).open(&path);
            opened.map_err(|error| StoreError::io("write", &path, error))?;
        }
        Err(StoreError::NoState { .. }) => {}
        Err(error) => return Err(error),
    }
    let made = tempfile::tempfile_in(directory);
    made.map_err(|error| StoreError::io("write to", directory, error))?;
    Ok(())
}

/// Tries whether lines can be appended to the file at `path`, which is created if it is
/// missing. A pipe or a device is not opened, since that may wait for its reader.
///
/// # Errors
/// The error of the system.
pub(crate) fn try_appending(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(there) if there.is_file() => {
            OpenOptions::new().append(true).open(path)?;
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            tempfile::tempfile_in(parent(path)).map_err(without_name)?;
            Ok(())
        }
        Err(error) => Err(error),
    }
}
