//! A file whose writes are held in memory until they are allowed.
//!
//! The database writes to its file when it is opened: it marks the file as open, writes
//! the result of a recovery, and later marks the file as closed. A file that turns out to
//! be damaged, or to belong to another program or a newer version, must not change by a
//! byte. So all writes are held until [`HeldFile::release`].

use std::{
    io,
    ops::Bound,
    sync::{Arc, Mutex, PoisonError},
};

use redb::{BackendError, StorageBackend, backends::FileBackend};

/// The number of bytes that [`HeldFile::rewrite`] copies at once.
const CHUNK: usize = 1 << 16;

#[derive(Debug)]
enum HeldWrite {
    Length(u64),
    Bytes(u64, Vec<u8>),
    Sync,
}

#[derive(Debug)]
enum WriteState {
    /// Writes are held, in order.
    Holding(Vec<HeldWrite>),
    Released,
    /// The release failed in the middle. The database has to be opened again, so that
    /// its recovery repairs the file.
    Failed,
}

/// A file whose writes are held in memory until they are released.
#[derive(Debug, Clone)]
pub(super) struct HeldFile {
    file: Arc<FileBackend>,
    state: Arc<Mutex<WriteState>>,
}

impl HeldFile {
    pub(super) fn new(file: FileBackend) -> Self {
        Self {
            file: Arc::new(file),
            state: Arc::new(Mutex::new(WriteState::Holding(Vec::new()))),
        }
    }

    /// Applies all held writes in order. Later writes go to the file directly.
    pub(super) fn release(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let WriteState::Holding(writes) = std::mem::replace(&mut *state, WriteState::Failed) else {
            return Ok(());
        };
        for write in &writes {
            self.apply(write)?;
        }
        *state = WriteState::Released;
        Ok(())
    }

    /// Reads the whole file and writes it again, so that all of it is on the disk.
    pub(super) fn rewrite(&self) -> io::Result<()> {
        let length = self.file.len()?;
        let mut chunk = vec![0; CHUNK];
        let mut offset = 0;
        while offset < length {
            let left = usize::try_from(length - offset).unwrap_or(usize::MAX);
            let chunk = &mut chunk[..left.min(CHUNK)];
            self.file.read(offset, chunk)?;
            self.file.write(offset, chunk)?;
            offset += chunk.len() as u64;
        }
        self.file.sync_data()
    }

    fn apply(&self, write: &HeldWrite) -> io::Result<()> {
        match write {
            HeldWrite::Length(length) => self.file.set_len(*length),
            HeldWrite::Bytes(offset, bytes) => self.file.write(*offset, bytes),
            HeldWrite::Sync => self.file.sync_data(),
        }
    }

    /// Holds a write and returns `true`; returns `false` once writes are released.
    fn hold(&self, write: impl FnOnce() -> HeldWrite) -> io::Result<bool> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            WriteState::Holding(writes) => {
                writes.push(write());
                Ok(true)
            }
            WriteState::Released => Ok(false),
            WriteState::Failed => Err(io::Error::other("an earlier write failed")),
        }
    }

    /// Reads what the file would contain after `writes`.
    fn read_through(&self, writes: &[HeldWrite], offset: u64, out: &mut [u8]) -> io::Result<()> {
        let keep_length = !writes
            .iter()
            .any(|write| matches!(write, HeldWrite::Length(_)));
        // The length is asked for only where it matters: each page of the file comes by here.
        let is_within = keep_length && self.file.read(offset, out).is_ok();
        if !is_within {
            self.read_to_the_end(writes, offset, out)?;
        }
        for write in writes {
            match write {
                HeldWrite::Bytes(start, bytes) => overlay(offset, out, *start, bytes),
                HeldWrite::Length(length) => cut(offset, out, *length),
                HeldWrite::Sync => {}
            }
        }
        Ok(())
    }

    /// Reads what is in the file, and 0 for what lies beyond its end but not beyond the end that
    /// it has after `writes`.
    fn read_to_the_end(&self, writes: &[HeldWrite], offset: u64, out: &mut [u8]) -> io::Result<()> {
        let length = self.file.len()?;
        if offset.saturating_add(out.len() as u64) > length_after(length, writes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let there = length.saturating_sub(offset);
        let there = usize::try_from(there).unwrap_or(usize::MAX).min(out.len());
        let (old, new) = out.split_at_mut(there);
        self.file.read(offset, old)?;
        new.fill(0);
        Ok(())
    }
}

fn length_after(length: u64, writes: &[HeldWrite]) -> u64 {
    writes.iter().fold(length, |length, write| match write {
        HeldWrite::Length(length) => *length,
        HeldWrite::Bytes(offset, bytes) => length.max(offset + bytes.len() as u64),
        HeldWrite::Sync => length,
    })
}

/// Copies `bytes`, which begin at `start`, over the part of `out` that they overlap; `out`
/// begins at `offset`.
fn overlay(offset: u64, out: &mut [u8], start: u64, bytes: &[u8]) {
    let from = start.max(offset);
    let to = (start + bytes.len() as u64).min(offset + out.len() as u64);
    let place = |at: u64, origin: u64| usize::try_from(at - origin).unwrap_or(usize::MAX);
    if from < to {
        out[place(from, offset)..place(to, offset)]
            .copy_from_slice(&bytes[place(from, start)..place(to, start)]);
    }
}

/// Sets everything beyond `length` to 0, which is what reading returns if the file grows
/// again.
fn cut(offset: u64, out: &mut [u8], length: u64) {
    let kept = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
    if kept < out.len() {
        out[kept..].fill(0);
    }
}

impl StorageBackend for HeldFile {
    fn len(&self) -> io::Result<u64> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let length = self.file.len()?;
        Ok(match &*state {
            WriteState::Holding(writes) => length_after(length, writes),
            WriteState::Released | WriteState::Failed => length,
        })
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let WriteState::Holding(writes) = &*state {
            return self.read_through(writes, offset, out);
        }
        drop(state);
        self.file.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        if self.hold(|| HeldWrite::Length(length))? {
            return Ok(());
        }
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.hold(|| HeldWrite::Sync)? {
            return Ok(());
        }
        self.file.sync_data()
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if self.hold(|| HeldWrite::Bytes(offset, bytes.to_vec()))? {
            return Ok(());
        }
        self.file.write(offset, bytes)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use fastrand::Rng;
    use tempfile::NamedTempFile;

    use super::*;

    const BEFORE: &[u8] = b"what was there before";

    fn held() -> (NamedTempFile, HeldFile) {
        let there = NamedTempFile::new().expect("a file");
        fs::write(there.path(), BEFORE).expect("it can be written");
        let file = FileBackend::new(there.reopen().expect("the file")).expect("a backend");
        (there, HeldFile::new(file))
    }

    fn length(bytes: &[u8]) -> u64 {
        bytes.len() as u64
    }

    fn all_of(file: &HeldFile) -> Vec<u8> {
        let length = file.len().expect("a length");
        let mut bytes = vec![7; usize::try_from(length).expect("a small file")];
        file.read(0, &mut bytes).expect("it can be read");
        bytes
    }

    fn write(file: &HeldFile, model: &mut Vec<u8>, random: &mut Rng) {
        let offset = random.usize(..60);
        if random.u8(..4) == 0 {
            file.set_len(offset as u64).expect("a length");
            model.resize(offset, 0);
            return;
        }
        let bytes = vec![random.u8(1..); random.usize(1..20)];
        file.write(offset as u64, &bytes)
            .expect("it can be written");
        model.resize(model.len().max(offset + bytes.len()), 0);
        model[offset..offset + bytes.len()].copy_from_slice(&bytes);
    }

    #[test]
    fn what_is_held_back_is_read_and_not_written() {
        for seed in 0..200 {
            let mut random = Rng::with_seed(seed);
            let (there, file) = held();
            let mut model = BEFORE.to_vec();
            for _ in 0..random.u8(..12) {
                write(&file, &mut model, &mut random);
                assert_eq!(all_of(&file), model, "seed {seed}");
            }
            let from = random.usize(..=model.len());
            let mut chunk = vec![7; random.usize(..=model.len() - from)];
            file.read(from as u64, &mut chunk).expect("it can be read");
            assert_eq!(chunk, model[from..from + chunk.len()], "seed {seed}");
            file.read(length(&model), &mut [0])
                .expect_err("there is no more");

            assert_eq!(fs::read(there.path()).expect("the file"), BEFORE);
            file.release().expect("it can be written");
            assert_eq!(fs::read(there.path()).expect("the file"), model);
            write(&file, &mut model, &mut random);
            file.rewrite().expect("it can be written");
            assert_eq!(fs::read(there.path()).expect("the file"), model);
        }
    }

    #[test]
    fn a_release_that_failed_is_the_end() {
        let there = NamedTempFile::new().expect("a file");
        let read_only = fs::File::open(there.path()).expect("the file");
        let file = HeldFile::new(FileBackend::new(read_only).expect("a backend"));
        file.write(0, b"held").expect("it is held");
        file.release().expect_err("it cannot be written");
        file.write(0, b"no").expect_err("it failed before");
        file.sync_data().expect_err("it failed before");
    }
}
