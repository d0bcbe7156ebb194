//! The lock beside the file: views in a file belong to one process.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use eventlog::StoreError;

use crate::ViewError;

/// How long the holder before may take to end.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// Held until it is let go or dropped, or the process ends, however it does.
pub(super) struct FileLock(File);

impl FileLock {
    /// Takes the lock of the views at `path`. Blocks, for up to a second if somebody has it.
    pub(super) fn take(path: &Path) -> Result<Self, ViewError> {
        let lock = lock_path(path);
        let unusable =
            |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", lock.display()));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock);
        let mut file = file.map_err(unusable)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let holder = std::fs::read_to_string(&lock).unwrap_or_default().trim().to_owned();
                    return Err(ViewError::InUse { path: path.to_owned(), holder });
                }
                Err(TryLockError::Error(error)) => return Err(unusable(error).into()),
            }
        }
        file.set_len(0).and_then(|()| writeln!(file, "process {}", std::process::id())).map_err(unusable)?;
        Ok(Self(file))
    }

    pub(super) fn let_go(&self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the views' file stays locked until this process ends");
        }
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_second_hears_who_has_the_file_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("views.db");
        let held = FileLock::take(&path).unwrap();
        let said = FileLock::take(&path).err().unwrap().to_string();
        let expected = format!(
            "the views at {} are in use by process {}: keep views that several processes share in PostgreSQL",
            path.display(),
            std::process::id()
        );
        assert_eq!(said, expected);
        held.let_go();
        FileLock::take(&path).unwrap();
    }
}
