//! Turns at a stream: an advisory lock that is held by a transaction which does nothing else.

use std::{sync::Arc, time::Duration};

use domain::StreamId;
use sqlx::{Executor, Postgres, pool::PoolConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Database;
use crate::StreamTurn;

/// The holder's share of the connections: turns must leave some to those who read.
const ONE_IN: u32 = 4;

/// How long a turn waits for others of this process.
const FOR_A_CONNECTION: Duration = Duration::from_millis(100);

/// How many turns a process may wait for or hold at once.
pub(super) fn most(database: &Database) -> Arc<Semaphore> {
    let connections = database.pool().options().get_max_connections();
    Arc::new(Semaphore::new((connections / ONE_IN).max(1) as usize))
}

/// A connection in a transaction, or about to be in one. Its end ends the transaction.
struct Held {
    connection: Option<PoolConnection<Postgres>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let (Some(mut connection), permit) = (self.connection.take(), self.permit.take()) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            // Nobody is left to wait for an answer: closed, which ends the transaction, too.
            drop(connection.detach());
            return;
        };
        runtime.spawn(async move {
            if connection.execute("ROLLBACK").await.is_err() {
                // Not back into the pool with a transaction open.
                drop(connection.detach());
            }
            drop(permit);
        });
    }
}

/// Waits up to a second. None when there is no turn to be had.
pub(super) async fn take(database: &Database, most: &Arc<Semaphore>, stream: StreamId) -> Option<StreamTurn> {
    // The turn before may just be ending.
    let permit = tokio::time::timeout(FOR_A_CONNECTION, most.clone().acquire_owned()).await.ok()?.ok()?;
    let connection = database.pool().acquire().await.ok()?;
    // Held from here on: whoever stops waiting must not leave a transaction behind.
    let mut held = Held { connection: Some(connection), permit: Some(permit) };
    // One text and one round trip. Nothing in it needs quoting: the schema's name was checked, the rest are numbers.
    let (schema, kind, id) = (database.schema(), stream.kind.code(), stream.id);
    let sql = format!(
        "BEGIN; SET LOCAL lock_timeout = '1s';
         SELECT pg_advisory_xact_lock(hashtextextended('orderstream stream {schema} {kind} {id}', 0))"
    );
    held.connection.as_mut()?.execute(sql.as_str()).await.ok()?;
    Some(StreamTurn::new(held))
}
