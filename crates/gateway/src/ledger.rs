//! The sandbox's books: one row for every key that was ever used.

use std::path::Path;

use domain::Money;
use eventlog::{
    StoreError,
    sqlite::{Durability, Readers, Writer},
};
use rusqlite::{Connection, OptionalExtension, params};
use sagas::ports::{ChargeOutcome, LedgerEntry, LedgerKind, LedgerPage, RefundAnswer, VoidOutcome};

const MIGRATIONS: &[&str] = &["CREATE TABLE entries (
        key          TEXT    NOT NULL PRIMARY KEY,
        kind         TEXT    NOT NULL,
        amount_minor INTEGER NOT NULL,
        currency     TEXT    NOT NULL,
        charge_ref   TEXT,
        code         TEXT,
        calls        INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX entries_by_charge ON entries (charge_ref, kind);"];

#[derive(Clone)]
pub(crate) struct Ledger {
    writer: Writer,
    readers: Readers,
}

impl Ledger {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let writer = Writer::open(path, Durability::Normal, MIGRATIONS)?;
        Ok(Self { writer, readers: Readers::open(path, 1)? })
    }

    pub(crate) async fn close(&self) {
        self.writer.close().await;
    }

    /// Charges under `key` unless it was used before; the outcome of the first use, and how often it was used.
    pub(crate) async fn charge(
        &self,
        key: &str,
        amount: Money,
        declined: Option<&'static str>,
    ) -> Result<(ChargeOutcome, u32), StoreError> {
        let key = key.to_owned();
        self.writer
            .write(move |conn| {
                let charge_ref = declined.is_none().then(|| charge_ref(&key));
                let row = Row {
                    key: &key,
                    kind: "charge",
                    amount,
                    charge_ref: charge_ref.as_deref(),
                    code: declined,
                };
                let entry = row.once(conn)?;
                Ok((outcome(&entry), entry.calls))
            })
            .await
    }

    pub(crate) async fn void(&self, key: &str) -> Result<VoidOutcome, StoreError> {
        let key = key.to_owned();
        let amount = Money { amount_minor: 0, currency: domain::Currency::KRW };
        self.writer
            .write(move |conn| {
                let row = Row { key: &key, kind: "void", amount, charge_ref: None, code: Some("voided") };
                Ok(match outcome(&row.once(conn)?) {
                    ChargeOutcome::Captured { provider_ref } => VoidOutcome::Captured { provider_ref },
                    ChargeOutcome::Declined { .. } => VoidOutcome::Voided,
                })
            })
            .await
    }

    pub(crate) async fn refund(
        &self,
        key: &str,
        charge: &str,
        amount: Money,
    ) -> Result<RefundAnswer, StoreError> {
        let (key, charge) = (key.to_owned(), charge.to_owned());
        self.writer
            .write(move |conn| {
                let code = refusal(conn, &key, &charge, amount)?;
                let charge_ref = code.is_none().then_some(charge.as_str());
                let row = Row { key: &key, kind: "refund", amount, charge_ref, code };
                let entry = row.once(conn)?;
                Ok(match entry.code {
                    None => RefundAnswer::Refunded { provider_ref: refund_ref(&key) },
                    Some(code) => RefundAnswer::Failed { code },
                })
            })
            .await
    }

    pub(crate) async fn look_up(&self, key: &str) -> Result<Option<ChargeOutcome>, StoreError> {
        let entry = self.entry(key).await?;
        let of_charge = entry.filter(|entry| entry.kind != LedgerKind::Refund);
        Ok(of_charge.as_ref().map(outcome))
    }

    /// What stands under a key, flushed or not.
    pub(crate) async fn entry(&self, key: &str) -> Result<Option<LedgerEntry>, StoreError> {
        let key = key.to_owned();
        self.writer.write(move |conn| find(conn, &key)).await
    }

    /// The last row, 0 when there is none.
    pub(crate) async fn last_row(&self) -> Result<i64, StoreError> {
        let sql = "SELECT coalesce(max(rowid), 0) FROM entries";
        self.readers.read(move |conn| conn.query_row(sql, [], |row| row.get(0))).await
    }

    /// The next entries behind the row `after`, each with its row.
    pub(crate) async fn rows_after(&self, after: i64) -> Result<Vec<(i64, LedgerEntry)>, StoreError> {
        self.readers
            .read(move |conn| {
                let sql =
                    format!("SELECT {COLUMNS}, rowid FROM entries WHERE rowid > ?1 ORDER BY rowid LIMIT ?2");
                let mut statement = conn.prepare_cached(&sql)?;
                let rows = statement.query_map(params![after, PAGE], |row| Ok((row.get(7)?, read(row)?)))?;
                rows.collect()
            })
            .await
    }

    /// The entries behind the row `after`.
    pub(crate) async fn page(&self, after: i64) -> Result<LedgerPage, StoreError> {
        self.readers
            .read(move |conn| {
                let sql =
                    format!("SELECT {COLUMNS}, rowid FROM entries WHERE rowid > ?1 ORDER BY rowid LIMIT ?2");
                let mut statement = conn.prepare_cached(&sql)?;
                let (mut entries, mut last) = (Vec::new(), after);
                let mut rows = statement.query(params![after, PAGE])?;
                while let Some(row) = rows.next()? {
                    entries.push(read(row)?);
                    last = row.get(7)?;
                }
                let next = (entries.len() == PAGE).then(|| last.to_string());
                Ok(LedgerPage { entries, next })
            })
            .await
    }
}

/// Entries of a page.
const PAGE: usize = 1_000;
const COLUMNS: &str = "key, kind, amount_minor, currency, charge_ref, code, calls";

struct Row<'a> {
    key: &'a str,
    kind: &'static str,
    amount: Money,
    charge_ref: Option<&'a str>,
    code: Option<&'static str>,
}

impl Row<'_> {
    /// Enters the row unless the key was used before; what stands there now.
    fn once(&self, conn: &Connection) -> rusqlite::Result<LedgerEntry> {
        conn.prepare_cached(&format!(
            "INSERT INTO entries ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)
             ON CONFLICT DO UPDATE SET calls = calls + 1 RETURNING {COLUMNS}"
        ))?
        .query_row(
            params![
                self.key,
                self.kind,
                self.amount.amount_minor,
                self.amount.currency.code(),
                self.charge_ref,
                self.code
            ],
            read,
        )
    }
}

/// What the entry of a charge or a void says.
fn outcome(entry: &LedgerEntry) -> ChargeOutcome {
    match (&entry.charge_ref, &entry.code) {
        (Some(charge), None) => ChargeOutcome::Captured { provider_ref: charge.clone() },
        (_, code) => ChargeOutcome::Declined { code: code.clone().unwrap_or_default() },
    }
}

fn charge_ref(key: &str) -> String {
    format!("ch_{key}")
}

/// The key of the charge with this name.
pub(crate) fn key_of(charge_ref: &str) -> Option<&str> {
    charge_ref.strip_prefix("ch_")
}

pub(crate) fn refund_ref(key: &str) -> String {
    format!("re_{key}")
}

fn find(conn: &Connection, key: &str) -> rusqlite::Result<Option<LedgerEntry>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM entries WHERE key = ?1"))?
        .query_row([key], read)
        .optional()
}

/// Why a refund is not made, unless its key was used before.
fn refusal(
    conn: &Connection,
    key: &str,
    charge: &str,
    amount: Money,
) -> rusqlite::Result<Option<&'static str>> {
    if find(conn, key)?.is_some() {
        return Ok(None);
    }
    let sum = |kind: &str| -> rusqlite::Result<Option<i64>> {
        conn.prepare_cached(
            "SELECT sum(amount_minor) FROM entries WHERE charge_ref = ?1 AND kind = ?2 AND currency = ?3 AND code IS NULL",
        )?
        .query_row(params![charge, kind, amount.currency.code()], |row| row.get(0))
    };
    let Some(charged) = sum("charge")? else { return Ok(Some("unknown_charge")) };
    let refunded = sum("refund")?.unwrap_or(0);
    Ok((refunded.saturating_add(amount.amount_minor) > charged).then_some("more_than_charged"))
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<LedgerEntry> {
    let kind: String = row.get(1)?;
    Ok(LedgerEntry {
        key: row.get(0)?,
        kind: match kind.as_str() {
            "charge" => LedgerKind::Charge,
            "void" => LedgerKind::Void,
            _ => LedgerKind::Refund,
        },
        amount_minor: row.get(2)?,
        currency: row.get(3)?,
        charge_ref: row.get(4)?,
        code: row.get(5)?,
        calls: row.get(6)?,
    })
}
