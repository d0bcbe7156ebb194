//! Reading instances: for the runner by key, for operators by list.

use eventlog::StoreError;
use rusqlite::{OptionalExtension, params, params_from_iter};
use uuid::Uuid;

use super::{InstanceDetails, InstanceState, Saved, TimerDetails, WorkStore, row::time};

/// How many keys one statement looks up.
const KEYS_PER_LOOKUP: usize = 64;

impl WorkStore {
    /// The instances with these keys, where there are such.
    pub(crate) async fn load(
        &self,
        process: &'static str,
        keys: Vec<Uuid>,
    ) -> Result<Vec<Saved>, StoreError> {
        self.readers
            .read(move |conn| {
                let mut found = Vec::with_capacity(keys.len());
                for keys in keys.chunks(KEYS_PER_LOOKUP) {
                    let marks = vec!["?"; keys.len()].join(", ");
                    let sql = format!(
                        "SELECT {} FROM instances WHERE process = '{process}' AND key IN ({marks})",
                        Saved::COLUMNS
                    );
                    let mut statement = conn.prepare_cached(&sql)?;
                    for row in statement.query_map(params_from_iter(keys), Saved::read)? {
                        found.push(row?);
                    }
                }
                Ok(found)
            })
            .await
    }

    /// The instances that have steps to do: where the runner goes on after a start.
    pub(crate) async fn unfinished(&self, process: &'static str) -> Result<Vec<Saved>, StoreError> {
        self.readers
            .read(move |conn| {
                let sql = format!(
                    "SELECT {} FROM instances WHERE process = ?1 AND status <> 'ended' AND status <> 'waiting'",
                    Saved::COLUMNS
                );
                conn.prepare_cached(&sql)?.query_map([process], Saved::read)?.collect()
            })
            .await
    }

    /// How many instances of a process are in each state, ended ones left out.
    pub(crate) async fn counts(
        &self,
        process: &'static str,
    ) -> Result<Vec<(InstanceState, u64)>, StoreError> {
        self.readers
            .read(move |conn| {
                conn.prepare_cached(
                    "SELECT status, count(*) FROM instances WHERE process = ?1 AND status <> 'ended' GROUP BY status",
                )?
                .query_map([process], |row| {
                    let status: String = row.get(0)?;
                    let state = InstanceState::from_name(&status).unwrap_or(InstanceState::Running);
                    Ok((state, row.get::<_, i64>(1)?.unsigned_abs()))
                })?
                .collect()
            })
            .await
    }

    /// Instances in key order behind a key, for operators.
    pub(crate) async fn list(
        &self,
        process: &'static str,
        state: Option<InstanceState>,
        after: Uuid,
        limit: usize,
    ) -> Result<Vec<Saved>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .read(move |conn| {
                let wanted = match state {
                    Some(state) => format!("status = '{}'", state.name()),
                    None => "status <> 'ended'".to_owned(),
                };
                let sql = format!(
                    "SELECT {} FROM instances WHERE process = ?1 AND {wanted} AND key > ?2 ORDER BY key LIMIT ?3",
                    Saved::COLUMNS
                );
                conn.prepare_cached(&sql)?.query_map(params![process, after, limit], Saved::read)?.collect()
            })
            .await
    }

    /// One instance in full.
    pub(crate) async fn show(
        &self,
        process: &'static str,
        key: Uuid,
    ) -> Result<Option<InstanceDetails>, StoreError> {
        self.readers
            .read(move |conn| {
                let sql = format!("SELECT {} FROM instances WHERE process = ?1 AND key = ?2", Saved::COLUMNS);
                let saved = conn.prepare_cached(&sql)?.query_row(params![process, key], Saved::read).optional()?;
                let Some(saved) = saved else { return Ok(None) };
                let timers = conn
                    .prepare_cached("SELECT name, due_at FROM timers WHERE consumer = ?1 AND instance = ?2 ORDER BY due_at")?
                    .query_map(params![process, key.as_bytes().as_slice()], |row| {
                        Ok(TimerDetails { name: row.get(0)?, due_at: time(row.get(1)?) })
                    })?
                    .collect::<rusqlite::Result<_>>()?;
                Ok(Some(InstanceDetails {
                    summary: saved.summary(process),
                    version: saved.version,
                    stage: serde_json::from_str(&saved.state).unwrap_or_default(),
                    last_position: saved.last_position,
                    pending: saved.outbox,
                    timers,
                }))
            })
            .await
    }
}
