//! Who does what: work is spread over slots, and a slot is done by one process at a time.
//!
//! A lease is a row: (consumer, slot, holder, epoch, expires). Whoever takes a slot raises its epoch; whoever works for it
//! checks the epoch in the transaction that writes ([`Leases::check`]), so a holder that was paused and wakes up late changes
//! nothing. Time is the database's: processes need no common clock.

use std::{sync::Arc, time::Duration};

use sqlx::{Connection, Row, postgres::PgConnection};
use uuid::Uuid;

use super::{Database, Part};
use crate::StoreError;

/// The tables of leases.
pub const LEASES: Part = Part {
    name: "leases",
    migrations: &["
    CREATE TABLE leases (
        consumer   text     NOT NULL,
        slot       smallint NOT NULL,
        holder     uuid,
        epoch      bigint   NOT NULL DEFAULT 0,
        expires_at timestamptz,
        PRIMARY KEY (consumer, slot)
    ) WITH (fillfactor = 50);
    CREATE TABLE members (
        consumer   text NOT NULL,
        holder     uuid NOT NULL,
        label      text NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (consumer, holder)
    ) WITH (fillfactor = 50);
"],
};

/// A process, as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Another one for every start.
    pub id: Uuid,
    /// For people: machine and process.
    pub label: String,
}

impl Holder {
    /// This process.
    #[must_use]
    pub fn this_process() -> Self {
        let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let machine = Some(machine.trim()).filter(|name| !name.is_empty()).unwrap_or("localhost").to_owned();
        let id = Uuid::from_u128(rand::random());
        Self { id, label: format!("{machine}:{}", std::process::id()) }
    }
}

/// How long a lease lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseOptions {
    /// A holder that is not heard of for so long loses its slots.
    pub ttl: Duration,
}

impl Default for LeaseOptions {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(5) }
    }
}

impl LeaseOptions {
    /// How often a holder says that it lives.
    #[must_use]
    pub fn renew_every(&self) -> Duration {
        self.ttl / 5
    }
}

/// A slot that is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Which slot.
    pub slot: u16,
    /// Under which epoch.
    pub epoch: i64,
}

/// What is ours after a renewal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Our slots, in order; those that were lost are not among them.
    pub held: Vec<Held>,
    /// How many of them others should have: to be released once their work is written.
    pub surplus: usize,
}

/// The leases in a database. Cheap to clone.
#[derive(Clone)]
pub struct Leases {
    database: Database,
    holder: Arc<Holder>,
    options: LeaseOptions,
}

impl Leases {
    /// The leases in a database that has [`LEASES`], for one process.
    #[must_use]
    pub fn new(database: Database, holder: Holder, options: LeaseOptions) -> Self {
        Self { database, holder: Arc::new(holder), options }
    }

    /// How long leases last.
    #[must_use]
    pub fn options(&self) -> LeaseOptions {
        self.options
    }

    /// Who we are.
    #[must_use]
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Says that we live and want work of `consumer`, renews what is ours, and takes free slots up to our fair share of
    /// the `slots` there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn balance(&self, consumer: &str, slots: u16) -> Result<Balance, StoreError> {
        let (consumer, holder, ttl) =
            (consumer.to_owned(), self.holder.clone(), self.options.ttl.as_secs_f64());
        let balance = self.database.run(move |conn| {
            let (consumer, holder) = (consumer.clone(), holder.clone());
            Box::pin(async move { balance(conn, &consumer, slots, &holder, ttl).await })
        });
        balance.await
    }

    /// Wants no more work of `consumer`, so that others may have our share; what is ours stays so until it is released.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn retire(&self, consumer: &str) -> Result<(), StoreError> {
        let (consumer, holder) = (consumer.to_owned(), self.holder.id);
        let retire = self.database.run(move |conn| {
            let consumer = consumer.clone();
            Box::pin(async move {
                let sql = "DELETE FROM members WHERE consumer = $1 AND holder = $2";
                sqlx::query(sql).bind(consumer).bind(holder).execute(conn).await
            })
        });
        retire.await.map(drop)
    }

    /// Gives slots away, so that others may have them at once. What is not ours any more stays as it is.
    ///
    /// # Errors
    /// When the database does not answer; the leases then end by themselves.
    pub async fn release(&self, consumer: &str, held: &[Held]) -> Result<(), StoreError> {
        let consumer = consumer.to_owned();
        let (slots, epochs) = arrays(held);
        let release = self.database.run(move |conn| {
            let (consumer, slots, epochs) = (consumer.clone(), slots.clone(), epochs.clone());
            Box::pin(async move {
                let sql = "UPDATE leases l SET holder = NULL, expires_at = NULL
                           FROM unnest($2::smallint[], $3::bigint[]) AS given (slot, epoch)
                           WHERE l.consumer = $1 AND l.slot = given.slot AND l.epoch = given.epoch";
                sqlx::query(sql).bind(consumer).bind(slots).bind(epochs).execute(conn).await
            })
        });
        release.await.map(drop)
    }

    /// Gives everything of `consumer` away and wants no more work of it.
    ///
    /// # Errors
    /// When the database does not answer; it all ends by itself then.
    pub async fn leave(&self, consumer: &str) -> Result<(), StoreError> {
        let (consumer, holder) = (consumer.to_owned(), self.holder.id);
        let leave = self.database.run(move |conn| {
            let consumer = consumer.clone();
            Box::pin(async move {
                let sql = "WITH gone AS (DELETE FROM members WHERE consumer = $1 AND holder = $2)
                           UPDATE leases SET holder = NULL, expires_at = NULL WHERE consumer = $1 AND holder = $2";
                sqlx::query(sql).bind(consumer).bind(holder).execute(conn).await
            })
        });
        leave.await.map(drop)
    }

    /// Takes one slot if nobody holds it, for a short piece of work. [`Leases::balance`] does not count it as ours: whoever
    /// works on our share in this process knows nothing of it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_if_free(&self, consumer: &str, slot: u16) -> Result<Option<Held>, StoreError> {
        let guest = Uuid::from_u128(rand::random());
        let (consumer, holder, ttl) = (consumer.to_owned(), guest, self.options.ttl.as_secs_f64());
        let take = self.database.run(move |conn| {
            let consumer = consumer.clone();
            Box::pin(async move {
                let sql = "INSERT INTO leases AS l (consumer, slot, holder, epoch, expires_at)
                           VALUES ($1, $2, $3, 1, now() + make_interval(secs => $4))
                           ON CONFLICT (consumer, slot) DO UPDATE SET holder = excluded.holder, epoch = l.epoch + 1,
                               expires_at = excluded.expires_at
                           WHERE l.holder IS NULL OR l.expires_at < now() RETURNING epoch";
                let taken = sqlx::query(sql).bind(consumer).bind(slot.cast_signed()).bind(holder).bind(ttl);
                taken.fetch_optional(conn).await
            })
        });
        Ok(take.await?.map(|row| Held { slot, epoch: row.get(0) }))
    }

    /// The labels of those who do `consumer`'s work now, with how many slots each holds.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn members(&self, consumer: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let consumer = consumer.to_owned();
        let members = self.database.run(move |conn| {
            let consumer = consumer.clone();
            Box::pin(async move {
                let sql = "SELECT m.label, count(l.slot) FROM members m
                           LEFT JOIN leases l ON l.consumer = m.consumer AND l.holder = m.holder AND l.expires_at > now()
                           WHERE m.consumer = $1 AND m.expires_at > now() GROUP BY m.label, m.holder ORDER BY m.label";
                sqlx::query(sql).bind(consumer).fetch_all(conn).await
            })
        });
        let rows = members.await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get::<i64, _>(1).unsigned_abs())).collect())
    }

    /// The labels of all processes that do any work now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn everybody(&self) -> Result<Vec<String>, StoreError> {
        let labels = self.database.run(move |conn| {
            let sql = "SELECT DISTINCT label FROM members WHERE expires_at > now() ORDER BY label";
            Box::pin(async move { sqlx::query(sql).fetch_all(conn).await })
        });
        Ok(labels.await?.iter().map(|row| row.get(0)).collect())
    }

    /// Whether all of these slots are still ours: an epoch is one holder's. Inside a transaction: they stay so until it
    /// ends, since whoever wants to take one waits for that. So that nobody waits for a process that was paused or cut off
    /// in the middle, the server ends a transaction in which nothing happens for as long as a lease lasts.
    ///
    /// # Errors
    /// What the database says.
    pub async fn check(
        &self,
        conn: &mut PgConnection,
        consumer: &str,
        held: &[Held],
    ) -> Result<bool, sqlx::Error> {
        if held.is_empty() {
            return Ok(true);
        }
        let (slots, epochs) = arrays(held);
        let sql = "SELECT l.slot FROM set_config('idle_in_transaction_session_timeout', $4, true), leases l
                   JOIN unnest($2::smallint[], $3::bigint[]) AS given (slot, epoch) USING (slot, epoch)
                   WHERE l.consumer = $1 AND l.holder IS NOT NULL ORDER BY l.slot FOR SHARE OF l";
        let ours = sqlx::query(sql).bind(consumer).bind(slots).bind(epochs).bind(millis(self.options.ttl));
        Ok(ours.fetch_all(conn).await?.len() == held.len())
    }
}

/// A time as the server's settings have it; 0 would mean for ever.
fn millis(time: Duration) -> String {
    time.as_millis().max(1).to_string()
}

fn arrays(held: &[Held]) -> (Vec<i16>, Vec<i64>) {
    held.iter().map(|held| (held.slot.cast_signed(), held.epoch)).unzip()
}

async fn balance(
    conn: &mut PgConnection,
    consumer: &str,
    slots: u16,
    holder: &Holder,
    ttl: f64,
) -> Result<Balance, sqlx::Error> {
    let mut transaction = conn.begin().await?;
    let live = "INSERT INTO members (consumer, holder, label, expires_at)
                SELECT $1, $2, $3, now() + make_interval(secs => $4)
                FROM set_config('idle_in_transaction_session_timeout', $5, true)
                ON CONFLICT (consumer, holder) DO UPDATE SET expires_at = excluded.expires_at";
    let patience = millis(Duration::try_from_secs_f64(ttl).unwrap_or_default());
    let live = sqlx::query(live).bind(consumer).bind(holder.id).bind(&holder.label).bind(ttl).bind(patience);
    live.execute(&mut *transaction).await?;
    let renew =
        "WITH mine AS (SELECT slot FROM leases WHERE consumer = $1 AND holder = $2 ORDER BY slot FOR UPDATE)
                 UPDATE leases l SET expires_at = now() + make_interval(secs => $3) FROM mine
                 WHERE l.consumer = $1 AND l.slot = mine.slot RETURNING l.slot, l.epoch";
    let renew = sqlx::query(renew).bind(consumer).bind(holder.id).bind(ttl);
    let mut held: Vec<Held> = renew.fetch_all(&mut *transaction).await?.iter().map(of_row).collect();

    let count = "SELECT (SELECT count(*) FROM members WHERE consumer = $1 AND expires_at > now()),
                        (SELECT count(*) FROM leases WHERE consumer = $1)";
    let counted = sqlx::query(count).bind(consumer).fetch_one(&mut *transaction).await?;
    let (members, known): (i64, i64) = (counted.get(0), counted.get(1));
    if known < i64::from(slots) {
        let create = "INSERT INTO leases (consumer, slot) SELECT $1, generate_series(0, $2 - 1)::smallint
                      ON CONFLICT DO NOTHING";
        sqlx::query(create).bind(consumer).bind(i32::from(slots)).execute(&mut *transaction).await?;
    }
    let members = usize::try_from(members).unwrap_or(1).max(1);
    let fair = usize::from(slots).div_ceil(members);
    if held.len() < fair {
        let take = "WITH free AS (
                        SELECT slot FROM leases WHERE consumer = $1 AND (holder IS NULL OR expires_at < now())
                        ORDER BY slot LIMIT $4 FOR UPDATE SKIP LOCKED)
                    UPDATE leases l SET holder = $2, epoch = l.epoch + 1, expires_at = now() + make_interval(secs => $3)
                    FROM free WHERE l.consumer = $1 AND l.slot = free.slot RETURNING l.slot, l.epoch";
        let wanted = i64::try_from(fair - held.len()).unwrap_or(i64::MAX);
        let take = sqlx::query(take).bind(consumer).bind(holder.id).bind(ttl).bind(wanted);
        held.extend(take.fetch_all(&mut *transaction).await?.iter().map(of_row));
    }
    let forget = "DELETE FROM members WHERE consumer = $1 AND expires_at < now() - interval '1 minute'";
    sqlx::query(forget).bind(consumer).execute(&mut *transaction).await?;
    transaction.commit().await?;
    held.sort_unstable();
    let surplus = held.len().saturating_sub(fair);
    Ok(Balance { held, surplus })
}

fn of_row(row: &sqlx::postgres::PgRow) -> Held {
    Held { slot: row.get::<i16, _>(0).cast_unsigned(), epoch: row.get(1) }
}
