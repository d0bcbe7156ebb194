//! The tables.

use eventlog::postgres::Part;

/// The tables of contacts and idempotency keys.
pub const ACCOUNTS: Part = Part {
    name: "accounts",
    migrations: &["
    CREATE TABLE contacts (
        contact_id uuid PRIMARY KEY,
        owner      text NOT NULL,
        kind       text NOT NULL,
        data       text,
        erased_at  timestamptz
    );
    CREATE INDEX contacts_by_owner ON contacts (owner) WHERE erased_at IS NULL;

    -- attempt: which run of the request has the lease.
    -- erasures_seen: the latest erasure when the key was first seen; what came later may concern the answer.
    CREATE TABLE idempotency (
        space         text        NOT NULL,
        key           text        NOT NULL,
        hash          bytea       NOT NULL,
        command_id    uuid        NOT NULL,
        minted        uuid        NOT NULL,
        attempt       uuid        NOT NULL,
        lease_until   timestamptz NOT NULL,
        erasures_seen bigint      NOT NULL,
        subject       text,
        status        smallint,
        headers       text,
        body          text,
        created_at    timestamptz NOT NULL,
        PRIMARY KEY (space, key)
    );
    CREATE INDEX idempotency_by_age ON idempotency (created_at);
    CREATE INDEX idempotency_by_subject ON idempotency (subject) WHERE subject IS NOT NULL;

    -- In the order of their commits, see erasure.rs.
    CREATE TABLE erasures (
        erasure   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        owner     text        NOT NULL,
        erased_at timestamptz NOT NULL
    );
    CREATE INDEX erasures_by_owner ON erasures (owner);
"],
};
