//! The tables.

use rusqlite::Connection;

pub(in crate::accounts) const MIGRATIONS: &[&str] = &["
    CREATE TABLE contacts (
        contact_id BLOB PRIMARY KEY,
        owner      TEXT NOT NULL,
        kind       TEXT NOT NULL,
        data       TEXT,
        erased_at  INTEGER
    ) STRICT;
    CREATE INDEX contacts_by_owner ON contacts (owner) WHERE erased_at IS NULL;

    CREATE TABLE idempotency (
        space       TEXT    NOT NULL,
        key         TEXT    NOT NULL,
        hash        BLOB    NOT NULL,
        command_id  BLOB    NOT NULL,
        minted      BLOB    NOT NULL,
        lease_until INTEGER NOT NULL,
        subject     TEXT,
        status      INTEGER,
        headers     TEXT,
        body        TEXT,
        created_at  INTEGER NOT NULL,
        PRIMARY KEY (space, key)
    ) STRICT;
    CREATE INDEX idempotency_by_age ON idempotency (created_at);
    CREATE INDEX idempotency_by_subject ON idempotency (subject) WHERE subject IS NOT NULL;
"];

/// Also makes SQLite overwrite what is deleted or erased, instead of leaving it in free pages.
pub(super) fn end_leases(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    conn.execute("UPDATE idempotency SET lease_until = 0 WHERE status IS NULL AND lease_until > 0", [])?;
    Ok(())
}
