//! Tables are made by `orderstream migrate` and by nobody else: processes of several releases may use them at once.

use sqlx::{Connection, Executor, Row, postgres::PgConnection};

use super::Database;
use crate::StoreError;

/// A part of the schema: the tables of one store, with their migrations in order.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its name in the registry of parts.
    pub name: &'static str,
    /// Each may hold several statements. One that was released is never changed.
    pub migrations: &'static [&'static str],
}

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Migrations that the part had seen before; none when it was not there.
    pub before: Option<u32>,
    /// Migrations that it has seen now.
    pub now: u32,
}

impl Part {
    fn version(&self) -> u32 {
        u32::try_from(self.migrations.len()).expect("nobody writes four thousand million migrations")
    }
}

impl Database {
    /// Creates the schema and the tables of the part, or brings them up to date.
    ///
    /// # Errors
    /// When it was written by a newer release, or the user may not create it.
    pub async fn migrate(&self, part: Part) -> Result<Migrated, StoreError> {
        let schema = self.schema().to_owned();
        let migrated = self.run(move |conn| {
            let schema = schema.clone();
            Box::pin(async move { migrate(conn, &schema, part).await })
        });
        let (found, now) = migrated.await?;
        match now {
            Some(now) => Ok(Migrated { before: found, now }),
            None => Err(StoreError::NewerSchema { found: found.unwrap_or(0), known: part.version() }),
        }
    }

    /// Checks that the part is as this release needs it.
    ///
    /// # Errors
    /// [`StoreError::NoSchema`], [`StoreError::OlderSchema`] or [`StoreError::NewerSchema`].
    pub async fn require(&self, part: Part) -> Result<(), StoreError> {
        let schema = self.schema().to_owned();
        let found = self.run(move |conn| {
            let schema = schema.clone();
            Box::pin(async move { version(conn, &schema, part).await })
        });
        let (schema, needed) = (self.schema().to_owned(), part.version());
        match found.await? {
            None => Err(StoreError::NoSchema { schema }),
            Some(found) if found < needed => {
                Err(StoreError::OlderSchema { schema, part: part.name, found, needed })
            }
            Some(found) if found > needed => Err(StoreError::NewerSchema { found, known: needed }),
            Some(_) => Ok(()),
        }
    }
}

/// How many migrations the part has seen.
async fn version(conn: &mut PgConnection, schema: &str, part: Part) -> Result<Option<u32>, sqlx::Error> {
    let there = sqlx::query("SELECT to_regclass($1) IS NOT NULL");
    let there: bool = there.bind(format!("{schema}.schema_parts")).fetch_one(&mut *conn).await?.get(0);
    if !there {
        return Ok(None);
    }
    let found = sqlx::query("SELECT version FROM schema_parts WHERE part = $1").bind(part.name);
    let found: Option<i32> = found.fetch_optional(conn).await?.map(|row| row.get(0));
    Ok(found.map(|found| found.unsigned_abs()))
}

/// Answers what was found and what is there now; nothing now when what was found is newer.
async fn migrate(
    conn: &mut PgConnection,
    schema: &str,
    part: Part,
) -> Result<(Option<u32>, Option<u32>), sqlx::Error> {
    let mut transaction = conn.begin().await?;
    // Whoever migrates at the same time waits here. The names were checked: nothing in them needs quoting.
    let lock = sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('orderstream migrate ' || $1, 0))");
    lock.bind(schema).execute(&mut *transaction).await?;
    let there = sqlx::query("SELECT to_regnamespace($1) IS NOT NULL").bind(schema);
    if !there.fetch_one(&mut *transaction).await?.get::<bool, _>(0) {
        let create = format!("CREATE SCHEMA {schema}");
        transaction.execute(create.as_str()).await?;
    }
    let registry =
        "CREATE TABLE IF NOT EXISTS schema_parts (part text PRIMARY KEY, version integer NOT NULL)";
    transaction.execute(registry).await?;
    let found = version(&mut transaction, schema, part).await?;
    let known = part.version();
    if found.is_some_and(|found| found > known) {
        return Ok((found, None));
    }
    for sql in part.migrations.iter().skip(found.unwrap_or(0) as usize) {
        // A text without parameters may hold several statements.
        transaction.execute(*sql).await?;
    }
    let note = "INSERT INTO schema_parts (part, version) VALUES ($1, $2)
                ON CONFLICT (part) DO UPDATE SET version = excluded.version";
    let version = i32::try_from(known).unwrap_or(i32::MAX);
    sqlx::query(note).bind(part.name).bind(version).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok((found, Some(known)))
}
