//! The signing key: 32 random bytes in the data folder, readable by its owner only.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use jsonwebtoken::{DecodingKey, EncodingKey};
use rand::{TryRngCore, rngs::OsRng};

use crate::data_dir::create_private_folder;

/// Length of the key. *Source*: RFC 7518 §3.2 asks for at least the hash's 256 bits.
const KEY_BYTES: usize = 32;
const FILE: &str = "signing.key";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the signing key {} cannot be used: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is damaged.
    #[error("the signing key {} has {found} bytes, not {KEY_BYTES}: remove it, and all tokens are void", .path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: usize,
    },
}

/// Signs and checks tokens. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
}

impl Keys {
    /// The key in the folder; made at first use. Two processes that start together agree on one key.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn open_or_create(data: &Path) -> Result<Self, KeyError> {
        let path = data.join(FILE);
        let io = |source| KeyError::Io { path: path.clone(), source };
        let secret = match read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create(data, &path).map_err(io)?;
                read(&path).map_err(io)?
            }
            other => other.map_err(io)?,
        };
        if secret.len() != KEY_BYTES {
            return Err(KeyError::Length { path, found: secret.len() });
        }
        Ok(Self::from_secret(&secret))
    }

    /// A key that is known already.
    #[must_use]
    pub fn from_secret(secret: &[u8]) -> Self {
        Self { encoding: EncodingKey::from_secret(secret), decoding: DecodingKey::from_secret(secret) }
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut secret = Vec::new();
    File::open(path)?.read_to_end(&mut secret)?;
    Ok(secret)
}

/// Writes a new key under a name of its own, then links it: nobody ever sees half a key, and the first one wins.
fn create(data: &Path, path: &Path) -> std::io::Result<()> {
    create_private_folder(data)?;
    let mut secret = [0_u8; KEY_BYTES];
    OsRng.try_fill_bytes(&mut secret).map_err(std::io::Error::other)?;
    let temporary = data.join(format!("{FILE}.{}", std::process::id()));
    let _ = std::fs::remove_file(&temporary);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(&secret)?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&temporary, path);
    std::fs::remove_file(&temporary)?;
    File::open(data)?.sync_all()?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        Keys::open_or_create(folder.path()).unwrap();
        let first = read(&folder.path().join(FILE)).unwrap();
        Keys::open_or_create(folder.path()).unwrap();
        assert_eq!(read(&folder.path().join(FILE)).unwrap(), first);
        assert_eq!(first.len(), KEY_BYTES);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), b"short").unwrap();
        assert!(matches!(Keys::open_or_create(folder.path()), Err(KeyError::Length { found: 5, .. })));
    }
}
