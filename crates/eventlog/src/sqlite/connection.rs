//! Opening a database the same way everywhere, and its migrations.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// How long a statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Page cache of one connection, in KiB. A writer's is no larger than pays: when a commit has split a page of an index,
/// SQLite looks through all of the cache (it parks pages under the number 262,145, and then drops what lies beyond the
/// file's end), which with 64 MiB took a tenth of the log's writer. A reader's is small: there are a dozen of them, and the
/// system keeps the file in memory as well.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
const READER_CACHE_KIB: i64 = 2 * 1024;
/// Prepared statements kept by a connection; a consumer has some dozens.
const STATEMENTS: usize = 256;

/// What an answered write has survived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Power loss: every commit is synced to disk.
    Full,
    /// The end of the process. Power loss may take the latest commits, whole ones and in order.
    Normal,
}

impl Durability {
    /// Changed rows after which the WAL is copied into the database: so many that a page of an index that is hit again and
    /// again is copied once, and so few that the WAL is soon written over again, which costs less than to let it grow. It is
    /// up to some 30 MiB then. A row of the log changes a page of each of two indexes, those of views lie closer together.
    /// *Source*: appending to existing streams gives an eighth more with 4,096 than with 16,384; a rebuild of views loses a
    /// twentieth by it.
    #[must_use]
    pub const fn rows_per_checkpoint(self) -> u32 {
        match self {
            Self::Full => 4_096,
            Self::Normal => 16_384,
        }
    }
}

/// How a writer's connection is opened, and opened again after an error.
#[derive(Clone, Debug)]
pub(super) struct WriterConfig {
    pub(super) path: PathBuf,
    pub(super) durability: Durability,
    /// Bound of the file in pages; 0 for none. Shared, since it may change while the writer runs.
    pub(super) max_pages: Arc<AtomicU32>,
}

/// `max_page_count` of a database without a bound: SQLite's own limit.
const NO_BOUND: u32 = 0xffff_fffe;

impl WriterConfig {
    pub(super) fn open(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.path, flags)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        let synchronous = match self.durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        };
        conn.execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = {synchronous};
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -{WRITER_CACHE_KIB};"
        ))?;
        self.apply_bound(&conn)?;
        Ok(conn)
    }

    /// Sets the bound of the file, which lives in the connection.
    pub(super) fn apply_bound(&self, conn: &Connection) -> Result<(), StoreError> {
        let pages = match self.max_pages.load(Ordering::SeqCst) {
            0 => NO_BOUND,
            pages => pages,
        };
        conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        Ok(())
    }
}

/// Opens a connection that cannot write.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.execute_batch(&format!(
        "PRAGMA query_only = 1; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{READER_CACHE_KIB};"
    ))?;
    Ok(conn)
}

/// Applies the migrations that the file does not have yet, each in a transaction of its own with its number
/// (`PRAGMA user_version`).
pub(super) fn migrate(conn: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let known = u32::try_from(migrations.len()).expect("nobody writes four thousand million migrations");
    let found: u32 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for (number, sql) in (1..=known).zip(migrations).skip(found as usize) {
        let transaction = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have been faster between the look and the lock.
        let now: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if now < number {
            transaction.execute_batch(sql)?;
            transaction.execute_batch(&format!("PRAGMA user_version = {number}"))?;
        }
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_applied_once_and_a_newer_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let config = WriterConfig {
            path: folder.path().join("a.db"),
            durability: Durability::Normal,
            max_pages: Arc::default(),
        };
        let both = ["CREATE TABLE a (x)", "CREATE TABLE b (x)"];
        migrate(&mut config.open().unwrap(), &both[..1]).unwrap();
        migrate(&mut config.open().unwrap(), &both).unwrap();
        migrate(&mut config.open().unwrap(), &both).unwrap();
        let error = migrate(&mut config.open().unwrap(), &both[..1]).unwrap_err();
        assert_eq!(error, StoreError::NewerSchema { found: 2, known: 1 });
    }
}
