//! The right to be forgotten, with answers that are being written by other processes meanwhile.
//!
//! An answer may hold what its request read before an erasure, and be kept after it. So every erasure is numbered; a key
//! remembers the latest number when it was first seen; and an answer is kept without what is personal when its subject
//! has a later one. An erasure locks its table until it is committed: numbers are in the order of commits, and whoever
//! keeps an answer ([`hold_off`]) either comes before it, and is found by it, or after it, and finds it.
//!
//! Nobody can read what was erased through the tables. The server's files hold it until the next (auto)vacuum, and so do
//! its backups until they are thrown away.

use sqlx::{Connection, postgres::PgConnection};

/// Lets no erasure happen until the transaction ends.
pub(super) async fn hold_off(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("LOCK TABLE erasures IN ROW SHARE MODE").execute(conn).await.map(drop)
}

/// Erases everything personal of a customer. Tells how many contacts held something.
pub(super) async fn erase(conn: &mut PgConnection, owner: &str) -> Result<usize, sqlx::Error> {
    let mut transaction = conn.begin().await?;
    sqlx::query("LOCK TABLE erasures IN EXCLUSIVE MODE").execute(&mut *transaction).await?;
    let note = "INSERT INTO erasures (owner, erased_at) VALUES ($1, now())";
    sqlx::query(note).bind(owner).execute(&mut *transaction).await?;
    let answers = format!(
        "UPDATE idempotency SET body = {} WHERE subject = $1 AND body <> ''",
        without_personal_data("body")
    );
    sqlx::query(&answers).bind(owner).execute(&mut *transaction).await?;
    let contacts =
        "UPDATE contacts SET data = NULL, erased_at = now() WHERE owner = $1 AND erased_at IS NULL";
    let erased = sqlx::query(contacts).bind(owner).execute(&mut *transaction).await?.rows_affected();
    transaction.commit().await?;
    Ok(usize::try_from(erased).unwrap_or(usize::MAX))
}

/// SQL for the JSON text `body`, which is not empty, without what is personal: the same members as in
/// `sqlite/contacts.rs`. Members that are not there are not added.
pub(super) fn without_personal_data(body: &str) -> String {
    // jsonb knows no NUL, which JSON may escape: it becomes U+FFFD. An even number of backslashes before it escapes them.
    let parsed = format!(r"regexp_replace({body}, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g')::jsonb");
    format!(
        r#"(SELECT CASE jsonb_typeof(answer) WHEN 'object' THEN (answer || coalesce((
                SELECT jsonb_object_agg(name, value) FROM (VALUES
                    ('recipient', '{{"erased": true}}'::jsonb),
                    ('guest', '{{"erased": true}}'),
                    ('reason', '"erased"'),
                    ('cancellation', CASE jsonb_typeof(answer -> 'cancellation')
                        WHEN 'object' THEN jsonb_set(answer -> 'cancellation', '{{reason}}', '"erased"', false)
                        ELSE answer -> 'cancellation' END),
                    ('refunds', CASE jsonb_typeof(answer -> 'refunds')
                        WHEN 'array' THEN (
                            SELECT coalesce(jsonb_agg(CASE jsonb_typeof(refund)
                                WHEN 'object' THEN jsonb_set(refund, '{{reason}}', '"erased"', false)
                                ELSE refund END ORDER BY place), '[]')
                            FROM jsonb_array_elements(answer -> 'refunds') WITH ORDINALITY AS list (refund, place))
                        ELSE answer -> 'refunds' END)
                ) AS erased (name, value) WHERE answer ? name), '{{}}'))::text ELSE {body} END
            FROM (SELECT {parsed}) AS parsed (answer))"#
    )
}
