//! Durable timers: rows in the same database as the state of their owner, set and cleared in the same transaction.

use domain::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// A timer that was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Whose it is: the name of a process manager or a view.
    pub consumer: String,
    /// Which instance of it.
    pub instance: Vec<u8>,
    /// Which of the instance's timers.
    pub name: String,
    /// When it is due. UTC, microseconds.
    pub due_at: Timestamp,
}

/// The functions over the table of timers. All of them run inside the caller's transaction.
#[derive(Clone, Copy, Debug)]
pub struct Timers;

impl Timers {
    /// The migration that creates the table, for the migrations of the database that holds it.
    #[must_use]
    pub const fn schema() -> &'static str {
        "CREATE TABLE timers (
            consumer TEXT    NOT NULL,
            instance BLOB    NOT NULL,
            name     TEXT    NOT NULL,
            due_at   INTEGER NOT NULL,
            PRIMARY KEY (consumer, instance, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX timers_by_due ON timers (consumer, due_at);"
    }

    /// Sets a timer, or moves it if it is set already.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set(
        conn: &Connection,
        consumer: &str,
        instance: &[u8],
        name: &str,
        due_at: Timestamp,
    ) -> rusqlite::Result<()> {
        conn.prepare_cached(
            "INSERT INTO timers (consumer, instance, name, due_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET due_at = excluded.due_at",
        )?
        .execute(params![consumer, instance, name, due_at.timestamp_micros()])?;
        Ok(())
    }

    /// Clears a timer; whether it was set.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn clear(conn: &Connection, consumer: &str, instance: &[u8], name: &str) -> rusqlite::Result<bool> {
        let cleared = conn
            .prepare_cached("DELETE FROM timers WHERE consumer = ?1 AND instance = ?2 AND name = ?3")?
            .execute(params![consumer, instance, name])?;
        Ok(cleared > 0)
    }

    /// Clears all timers of an instance; how many there were.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn clear_all(conn: &Connection, consumer: &str, instance: &[u8]) -> rusqlite::Result<usize> {
        conn.prepare_cached("DELETE FROM timers WHERE consumer = ?1 AND instance = ?2")?
            .execute(params![consumer, instance])
    }

    /// The timers that are due at `now`, earliest first, at most `limit`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn due(
        conn: &Connection,
        consumer: &str,
        now: Timestamp,
        limit: usize,
    ) -> rusqlite::Result<Vec<Timer>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        conn.prepare_cached(
            "SELECT instance, name, due_at FROM timers WHERE consumer = ?1 AND due_at <= ?2
             ORDER BY due_at, instance, name LIMIT ?3",
        )?
        .query_map(params![consumer, now.timestamp_micros(), limit], |row| {
            Ok(Timer {
                consumer: consumer.to_owned(),
                instance: row.get(0)?,
                name: row.get(1)?,
                due_at: time(row.get(2)?),
            })
        })?
        .collect()
    }

    /// When the consumer's earliest timer is due.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn next_due(conn: &Connection, consumer: &str) -> rusqlite::Result<Option<Timestamp>> {
        conn.prepare_cached("SELECT due_at FROM timers WHERE consumer = ?1 ORDER BY due_at LIMIT 1")?
            .query_row([consumer], |row| row.get(0).map(time))
            .optional()
    }
}

fn time(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(micros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        time(secs * 1_000_000)
    }

    #[test]
    fn timers_are_due_in_order_and_only_of_their_consumer() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(Timers::schema()).unwrap();
        assert_eq!(Timers::next_due(&conn, "payments").unwrap(), None);
        Timers::set(&conn, "payments", b"b", "due", at(20)).unwrap();
        Timers::set(&conn, "payments", b"a", "due", at(30)).unwrap();
        Timers::set(&conn, "payments", b"a", "retry", at(10)).unwrap();
        Timers::set(&conn, "checkout", b"a", "due", at(1)).unwrap();
        let names = |now, limit| {
            let due = Timers::due(&conn, "payments", now, limit).unwrap();
            due.into_iter().map(|t| (t.instance, t.name)).collect::<Vec<_>>()
        };
        assert_eq!(names(at(9), 10), vec![]);
        assert_eq!(
            names(at(20), 10),
            vec![(b"a".to_vec(), "retry".to_owned()), (b"b".to_vec(), "due".to_owned())]
        );
        assert_eq!(names(at(99), 1).len(), 1);
        assert_eq!(Timers::next_due(&conn, "payments").unwrap(), Some(at(10)));
    }

    #[test]
    fn a_timer_set_again_moves_and_a_cleared_one_is_gone() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(Timers::schema()).unwrap();
        Timers::set(&conn, "payments", b"a", "due", at(20)).unwrap();
        Timers::set(&conn, "payments", b"a", "due", at(40)).unwrap();
        assert_eq!(Timers::next_due(&conn, "payments").unwrap(), Some(at(40)));
        assert!(Timers::clear(&conn, "payments", b"a", "due").unwrap());
        assert!(!Timers::clear(&conn, "payments", b"a", "due").unwrap());
        Timers::set(&conn, "payments", b"a", "x", at(1)).unwrap();
        Timers::set(&conn, "payments", b"a", "y", at(2)).unwrap();
        assert_eq!(Timers::clear_all(&conn, "payments", b"a").unwrap(), 2);
        assert_eq!(Timers::next_due(&conn, "payments").unwrap(), None);
    }
}
