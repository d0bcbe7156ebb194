//! The data folder: created if need be, and held by one process at a time.

use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use chrono::{SecondsFormat, Utc};

use crate::settings::Settings;

/// Who holds a data folder, as its lock file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Where it listens; nothing for a command that does not listen.
    pub listen: Option<String>,
    /// Since when. RFC 3339 UTC.
    pub started_at: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}, running since {}", self.pid, self.started_at)?;
        match &self.listen {
            Some(listen) => write!(f, ", listening on {listen}"),
            None => Ok(()),
        }
    }
}

impl Holder {
    fn this_process() -> Self {
        let started_at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        Self { pid: std::process::id(), listen: None, started_at }
    }

    fn to_text(&self) -> String {
        let listen = self.listen.as_deref().unwrap_or("-");
        format!("pid {}\nlisten {listen}\nstarted_at {}\n", self.pid, self.started_at)
    }

    fn from_text(text: &str) -> Option<Self> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Some(Self {
            pid: field("pid")?.parse().ok()?,
            listen: field("listen").filter(|listen| *listen != "-").map(str::to_owned),
            started_at: field("started_at")?.to_owned(),
        })
    }
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Somebody else uses it.
    #[error("the data folder {} is in use by {}", .path.display(), .holder.as_ref().map_or("another process".to_owned(), ToString::to_string))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Who, if the lock file says so.
        holder: Option<Holder>,
    },
    /// It cannot be created, or the lock cannot be written.
    #[error("the data folder {} cannot be used: {source}", .path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// A data folder that this process holds until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// None when nothing in the folder is for one process only.
    lock: Option<File>,
    holder: Holder,
}

impl DataDir {
    /// The data folder of these settings: held if they need it held, else only created.
    ///
    /// # Errors
    /// Another process holds it, or it cannot be written.
    pub fn open(settings: &Settings) -> Result<Self, DataDirError> {
        if settings.needs_the_data_folder() {
            return Self::hold(&settings.data);
        }
        let path = settings.data.clone();
        create_private_folder(&path).map_err(|source| DataDirError::Io { path: path.clone(), source })?;
        Ok(Self { path, lock: None, holder: Holder::this_process() })
    }

    /// Creates the folder if need be and takes its lock.
    ///
    /// # Errors
    /// Another process holds it, or it cannot be written.
    pub fn hold(path: &Path) -> Result<Self, DataDirError> {
        let io = |source| DataDirError::Io { path: path.to_owned(), source };
        create_private_folder(path).map_err(io)?;
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(lock_path(path));
        let lock = file.map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirError::InUse { path: path.to_owned(), holder: read_holder(path) });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let mut held = Self { path: path.to_owned(), lock: Some(lock), holder: Holder::this_process() };
        held.write().map_err(io)?;
        Ok(held)
    }

    /// Says in the lock file where this process listens.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn announce(&mut self, listen: &str) -> Result<(), DataDirError> {
        self.holder.listen = Some(listen.to_owned());
        self.write().map_err(|source| DataDirError::Io { path: self.path.clone(), source })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who holds the folder at `path` now; nothing when nobody does.
    ///
    /// # Errors
    /// The lock file is there but cannot be read.
    pub fn holder_of(path: &Path) -> Result<Option<Holder>, DataDirError> {
        let io = |source| DataDirError::Io { path: path.to_owned(), source };
        let file = match File::open(lock_path(path)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let unknown = Holder { pid: 0, listen: None, started_at: "an unknown time".to_owned() };
                Ok(Some(read_holder(path).unwrap_or(unknown)))
            }
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    fn write(&mut self) -> std::io::Result<()> {
        let Some(lock) = &mut self.lock else { return Ok(()) };
        lock.set_len(0)?;
        lock.seek(SeekFrom::Start(0))?;
        lock.write_all(self.holder.to_text().as_bytes())?;
        lock.flush()
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if let Some(lock) = &self.lock {
            // Whoever reads the file next shall not be told of a process that is gone.
            let _ = lock.set_len(0);
        }
    }
}

fn lock_path(folder: &Path) -> PathBuf {
    folder.join("LOCK")
}

/// The folder holds personal data: nobody else may look into it.
pub(crate) fn create_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

fn read_holder(folder: &Path) -> Option<Holder> {
    let mut text = String::new();
    File::open(lock_path(folder)).ok()?.read_to_string(&mut text).ok()?;
    Holder::from_text(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_at_a_time_and_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/data");
        let mut held = DataDir::hold(&path).unwrap();
        held.announce("127.0.0.1:9").unwrap();
        let text = DataDir::hold(&path).unwrap_err().to_string();
        assert!(
            text.contains(&format!("process {}", std::process::id())) && text.contains("127.0.0.1:9"),
            "{text}"
        );
        let holder = DataDir::holder_of(&path).unwrap().unwrap();
        assert_eq!(holder.listen.as_deref(), Some("127.0.0.1:9"));
        drop(held);
        assert_eq!(DataDir::holder_of(&path).unwrap(), None);
        assert!(DataDir::hold(&path).is_ok());
    }

    #[test]
    fn nobody_holds_a_folder_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(DataDir::holder_of(&folder.path().join("none")).unwrap(), None);
    }
}
