//! The tables.

use eventlog::postgres::Part;

/// The tables of process managers.
pub const WORK: Part = Part {
    name: "work",
    migrations: &[
        "
    CREATE TABLE instances (
        process        text     NOT NULL,
        key            uuid     NOT NULL,
        slot           smallint NOT NULL,
        version        integer  NOT NULL,
        status         text     NOT NULL,
        state          text     NOT NULL,
        outbox         text     NOT NULL,
        awaiting       text,
        deadline       bigint,
        since          bigint   NOT NULL,
        last_position  bigint   NOT NULL,
        correlation_id uuid     NOT NULL,
        PRIMARY KEY (process, key)
    ) WITH (fillfactor = 80);
    CREATE INDEX instances_open ON instances (process, status, key) WHERE status <> 'ended';
    CREATE TABLE timers (
        process text     NOT NULL,
        key     uuid     NOT NULL,
        name    text     NOT NULL,
        slot    smallint NOT NULL,
        due_at  bigint   NOT NULL,
        PRIMARY KEY (process, key, name)
    );
    CREATE INDEX timers_by_due ON timers (process, due_at);
    CREATE TABLE checkpoints (
        process  text     NOT NULL,
        slot     smallint NOT NULL,
        log_id   uuid     NOT NULL,
        position bigint   NOT NULL,
        event_id uuid,
        PRIMARY KEY (process, slot)
    ) WITH (fillfactor = 50);
    CREATE TABLE wishes (
        process   text     NOT NULL,
        key       uuid     NOT NULL,
        slot      smallint NOT NULL,
        operation text     NOT NULL,
        step      uuid     NOT NULL,
        PRIMARY KEY (process, key)
    );
    CREATE TABLE published (
        name       text PRIMARY KEY,
        value      text NOT NULL,
        expires_at timestamptz NOT NULL
    ) WITH (fillfactor = 50);
",
        // Several processes publish under one name.
        "
    ALTER TABLE published ADD COLUMN holder uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
    ALTER TABLE published DROP CONSTRAINT published_pkey;
    ALTER TABLE published ADD PRIMARY KEY (name, holder);
",
    ],
};
