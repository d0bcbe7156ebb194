//! Rows of idempotency keys.

use std::sync::LazyLock;

use sqlx::{
    Connection, Row as _,
    postgres::{PgConnection, PgRow},
};
use uuid::Uuid;

use super::{contacts, erasure};
use crate::accounts::{Begin, Begun, KeyState, KeyedRequest, RequestIds, StoredAnswer, idempotency::Row};

/// The key's row is ours if nobody had it, if it was ours before (the answer to that was lost), or if it goes on after a
/// lease that has ended. A row that somebody else is writing is waited for, so the clock is read after that.
const BEGIN: &str = "
    WITH taken AS (
        INSERT INTO idempotency AS known
            (space, key, hash, command_id, minted, attempt, lease_until, erasures_seen, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7),
            coalesce((SELECT max(erasure) FROM erasures), 0), now())
        ON CONFLICT (space, key) DO UPDATE
            SET attempt = excluded.attempt, lease_until = clock_timestamp() + make_interval(secs => $7)
            WHERE known.status IS NULL AND (known.attempt = excluded.attempt
                OR $8 AND known.hash = excluded.hash AND known.command_id = excluded.command_id
                    AND known.minted = excluded.minted AND known.lease_until <= clock_timestamp())
        RETURNING attempt
    ), contact AS (
        INSERT INTO contacts (contact_id, owner, kind, data)
        SELECT $9::uuid, $10::text, $11::text, $12::text FROM taken WHERE $9::uuid IS NOT NULL
        ON CONFLICT DO NOTHING
    )
    SELECT attempt FROM taken";

/// Begins, or says why not. May be run again with the same attempt.
pub(super) async fn begin(
    conn: &mut PgConnection,
    begin: &Begin,
    attempt: Uuid,
) -> Result<Begun, sqlx::Error> {
    let contact = begin.contact.as_ref();
    let Some(request) = &begin.keyed else {
        if let Some(contact) = contact {
            contacts::insert(conn, contact).await?;
        }
        return Ok(Begun::Go);
    };
    let taken = sqlx::query(BEGIN)
        .bind(&request.space)
        .bind(&request.key)
        .bind(&request.hash[..])
        .bind(begin.ids.command_id)
        .bind(begin.ids.minted)
        .bind(attempt)
        .bind(begin.lease.as_secs_f64())
        .bind(begin.again)
        .bind(contact.map(|contact| contact.contact_id.uuid()))
        .bind(contact.map(|contact| contact.owner.as_str()))
        .bind(contact.map(|contact| contact.kind.name()))
        .bind(contact.map(|contact| contact.data.to_string()));
    match taken.fetch_optional(&mut *conn).await? {
        Some(_) => Ok(Begun::Go),
        None => Ok(Begun::Not(state(conn, request).await?)),
    }
}

/// What the request's key stands for.
pub(super) async fn state(conn: &mut PgConnection, request: &KeyedRequest) -> Result<KeyState, sqlx::Error> {
    let sql =
        "SELECT hash, command_id, minted, lease_until > clock_timestamp(), status, headers, body, subject
               FROM idempotency WHERE space = $1 AND key = $2";
    let row = sqlx::query(sql).bind(&request.space).bind(&request.key).fetch_optional(conn).await?;
    Ok(KeyState::of(row.as_ref().map(of_row), request))
}

fn of_row(row: &PgRow) -> Row {
    let status = row.get::<Option<i16>, _>(4).map(i16::cast_unsigned);
    Row {
        hash: row.get(0),
        ids: RequestIds { command_id: row.get(1), minted: row.get(2) },
        leased: row.get(3),
        answer: StoredAnswer::from_row(status, row.get(5), row.get(6), row.get(7)),
    }
}

/// How runs ended, column by column.
#[derive(Default)]
pub(super) struct Ended {
    answers: Answers,
    releases: Releases,
}

#[derive(Default)]
struct Answers {
    spaces: Vec<String>,
    keys: Vec<String>,
    statuses: Vec<i16>,
    headers: Vec<String>,
    bodies: Vec<String>,
    subjects: Vec<Option<String>>,
}

#[derive(Default)]
struct Releases {
    spaces: Vec<String>,
    keys: Vec<String>,
    attempts: Vec<Uuid>,
}

impl Ended {
    pub(super) fn answered(&mut self, (space, key): &(String, String), answer: &StoredAnswer) {
        let answers = &mut self.answers;
        answers.spaces.push(space.clone());
        answers.keys.push(key.clone());
        answers.statuses.push(answer.status.cast_signed());
        answers.headers.push(answer.headers_text());
        answers.bodies.push(answer.body.clone());
        answers.subjects.push(answer.subject.clone());
    }

    pub(super) fn released(&mut self, (space, key): &(String, String), attempt: Uuid) {
        self.releases.spaces.push(space.clone());
        self.releases.keys.push(key.clone());
        self.releases.attempts.push(attempt);
    }
}

/// An answer that is kept stays: a late run of the same request does not change it.
static KEEP: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE idempotency AS known SET status = given.status, headers = given.headers, subject = given.subject,
             body = CASE WHEN given.body <> '' AND EXISTS (
                     SELECT FROM erasures AS e WHERE e.owner = given.subject AND e.erasure > known.erasures_seen)
                 THEN {} ELSE given.body END
         FROM unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::text[])
             AS given (space, key, status, headers, body, subject)
         WHERE known.space = given.space AND known.key = given.key AND known.status IS NULL",
        erasure::without_personal_data("given.body")
    )
});

/// Keeps answers and ends leases, in one transaction. May be run again.
pub(super) async fn end(conn: &mut PgConnection, ended: &Ended) -> Result<(), sqlx::Error> {
    let mut transaction = conn.begin().await?;
    let Ended { answers, releases } = ended;
    if !answers.keys.is_empty() {
        erasure::hold_off(&mut transaction).await?;
        let keep = sqlx::query(&KEEP).bind(&answers.spaces).bind(&answers.keys).bind(&answers.statuses);
        let keep = keep.bind(&answers.headers).bind(&answers.bodies).bind(&answers.subjects);
        keep.execute(&mut *transaction).await?;
    }
    if !releases.keys.is_empty() {
        let sql = "UPDATE idempotency AS known SET lease_until = '-infinity'
                   FROM unnest($1::text[], $2::text[], $3::uuid[]) AS given (space, key, attempt)
                   WHERE known.space = given.space AND known.key = given.key AND known.attempt = given.attempt
                       AND known.status IS NULL";
        let release = sqlx::query(sql).bind(&releases.spaces).bind(&releases.keys).bind(&releases.attempts);
        release.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// Forgets a portion of the keys that are older than `age_secs`, so that nobody waits long, and the erasures that no key
/// asks for any more.
pub(super) async fn forget(conn: &mut PgConnection, age_secs: f64) -> Result<usize, sqlx::Error> {
    let keys = "DELETE FROM idempotency WHERE (space, key) IN (
                    SELECT space, key FROM idempotency WHERE created_at < now() - make_interval(secs => $1)
                    ORDER BY created_at LIMIT 1000)";
    let forgotten = sqlx::query(keys).bind(age_secs).execute(&mut *conn).await?.rows_affected();
    let erasures = "DELETE FROM erasures WHERE erased_at < now() - make_interval(secs => $1)";
    sqlx::query(erasures).bind(age_secs).execute(conn).await?;
    Ok(usize::try_from(forgotten).unwrap_or(usize::MAX))
}
