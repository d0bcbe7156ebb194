-- Every event, wide columns first so that nothing is padded. `first` marks a commit's first event: the unique index over
-- (stream, command id) holds those rows only, which makes a command id unique per stream and keeps the index small.
-- Positions come from append_events, never from a sequence: a sequence hands numbers out before it is known in which
-- order their transactions end.
CREATE TABLE events (
    position       bigint   PRIMARY KEY,
    recorded_at    bigint   NOT NULL,
    version        integer  NOT NULL,
    kind           smallint NOT NULL,
    type_version   smallint NOT NULL,
    stream_id      uuid     NOT NULL,
    event_id       uuid     NOT NULL,
    command_id     uuid     NOT NULL,
    correlation_id uuid     NOT NULL,
    causation_id   uuid,
    first          boolean  NOT NULL,
    type           text     NOT NULL,
    actor          text     NOT NULL,
    traceparent    text,
    payload        bytea    NOT NULL
);
CREATE UNIQUE INDEX events_by_stream ON events (kind, stream_id, version);
CREATE UNIQUE INDEX events_by_command ON events (kind, stream_id, command_id) WHERE first;

CREATE TABLE log_meta (
    one        boolean     PRIMARY KEY DEFAULT true CHECK (one),
    log_id     uuid        NOT NULL,
    created_at timestamptz NOT NULL
);
INSERT INTO log_meta (log_id, created_at) VALUES (gen_random_uuid(), now());

-- Written to, and taken back, to learn whether there is room on the disk.
CREATE UNLOGGED TABLE room_probe (bytes bytea NOT NULL);
ALTER TABLE room_probe ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Appends a batch of commits and answers each. Arrays, from 1 on:
--   s_*  the streams of the batch: kind, id, and the version that the first commit on each expects;
--   c_*  the commits in order: index of the stream, expected version, number of events and how many of the batch stand
--        before them, whether it was decided on the one before it; c_key is the first commit of the batch with the same
--        stream and command id, c_content the first of those with the same events;
--   e_*  the events in order: index of the commit, and what is the event's own.
-- `smooth` says that no command id comes twice and that the commits of each stream build on each other without a gap:
-- then nothing has to be decided one by one, as long as the streams are where the batch expects them to be. That a command
-- took effect before shows then in the index over command ids, which refuses the rows, and the batch is looked at again
-- with care; only commits without events, which leave no row, are asked for.
--
-- `head` is the last position before the batch. `outcomes` per commit: 0 new, 1 duplicate, 2 conflict, 3 command id used
-- for something else; with the version to tell, and the position. No outcomes: all are new, and positions are where the
-- streams ended before, in order of the streams.
--
-- The functions of this log in different processes take turns: the lock is the first statement, and in READ COMMITTED
-- each statement after it sees all that was committed by those who had it before. So positions have no gaps, and whoever
-- has seen one has seen everything below it. Plans must be made without looking at how full the table is: a plan made
-- on an empty table, and kept, would read all of it. Hence no sequential scans, and each question is put as the first row
-- of an order that just one index has: for a command id asked for by equality, the index over versions would look as good.
CREATE FUNCTION append_events(
    smooth boolean,
    s_kind smallint[], s_id uuid[], s_expected integer[],
    c_stream integer[], c_expected integer[], c_events integer[], c_before integer[], c_chained boolean[],
    c_key integer[], c_content integer[],
    c_command uuid[], c_correlation uuid[], c_causation uuid[], c_actor text[], c_recorded_at bigint[],
    c_traceparent text[],
    e_commit integer[], e_type text[], e_type_version smallint[], e_id uuid[], e_payload bytea[],
    OUT head bigint, OUT outcomes smallint[], OUT versions integer[], OUT positions bigint[]
) LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET enable_bitmapscan = off
AS $$
DECLARE
    commits  CONSTANT integer := cardinality(c_stream);
    careful  boolean;
    tail     bigint;
    reached  integer[];
    ends     bigint[];
    fits     boolean;
    stored   integer[];
    written  integer[];
    broken   boolean[];
    shift    bigint[];
    hit      record;
    kept     record;
    count    integer;
    same     boolean;
    stream   integer;
    earlier  integer;
    outcome  smallint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('orderstream log ' || current_schema(), 0));
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the log is appended to in READ COMMITTED only';
    END IF;
    SELECT coalesce(max(events.position), 0) INTO head FROM events;
    SELECT array_agg(coalesce(newest.position, 0) ORDER BY asked.number),
        bool_and(coalesce(newest.version, 0) = asked.expected)
    INTO ends, fits
    FROM unnest(s_kind, s_id, s_expected) WITH ORDINALITY AS asked (kind, id, expected, number)
    LEFT JOIN LATERAL (
        SELECT events.version, events.position FROM events
        WHERE events.kind = asked.kind AND events.stream_id = asked.id AND events.version >= asked.expected
        ORDER BY events.version DESC LIMIT 1
    ) AS newest ON true;
    careful := NOT smooth OR NOT fits OR EXISTS (
        SELECT FROM unnest(c_stream, c_events, c_command) AS asked (stream, events, command)
        CROSS JOIN LATERAL (
            SELECT events.command_id FROM events
            WHERE events.kind = s_kind[asked.stream] AND events.stream_id = s_id[asked.stream]
                AND events.command_id >= asked.command AND events.first
            ORDER BY events.command_id LIMIT 1
        ) AS nearest
        WHERE asked.events = 0 AND s_expected[asked.stream] > 0 AND nearest.command_id = asked.command
    );

    LOOP
        IF careful THEN
            SELECT array_agg(coalesce(newest.version, 0) ORDER BY asked.number),
                array_agg(coalesce(newest.position, 0) ORDER BY asked.number)
            INTO reached, ends
            FROM unnest(s_kind, s_id) WITH ORDINALITY AS asked (kind, id, number)
            LEFT JOIN LATERAL (
                SELECT events.version, events.position FROM events
                WHERE events.kind = asked.kind AND events.stream_id = asked.id
                ORDER BY events.version DESC LIMIT 1
            ) AS newest ON true;
            stored := array_fill(NULL::integer, ARRAY[commits]);
            FOR hit IN
                SELECT asked.number, nearest.version
                FROM unnest(c_stream, c_command) WITH ORDINALITY AS asked (stream, command, number)
                CROSS JOIN LATERAL (
                    SELECT events.version, events.command_id FROM events
                    WHERE events.kind = s_kind[asked.stream] AND events.stream_id = s_id[asked.stream]
                        AND events.command_id >= asked.command AND events.first
                    ORDER BY events.command_id LIMIT 1
                ) AS nearest
                WHERE reached[asked.stream] > 0 AND nearest.command_id = asked.command
            LOOP
                stored[hit.number] := hit.version;
            END LOOP;
            outcomes := array_fill(0::smallint, ARRAY[commits]);
            versions := array_fill(0, ARRAY[commits]);
            positions := array_fill(0::bigint, ARRAY[commits]);
            written := array_fill(0, ARRAY[commits]);
            shift := array_fill(NULL::bigint, ARRAY[commits]);
            broken := array_fill(false, ARRAY[cardinality(s_id)]);
            tail := head;
            FOR this IN 1 .. commits LOOP
                stream := c_stream[this];
                earlier := written[c_key[this]];
                IF earlier > 0 THEN
                    versions[this] := versions[earlier];
                    positions[this] := positions[earlier];
                    outcome := CASE WHEN c_events[this] = 0 OR c_content[this] = c_content[earlier] THEN 1 ELSE 3 END;
                ELSIF stored[this] IS NOT NULL THEN
                    same := true;
                    count := 0;
                    FOR kept IN
                        SELECT events.version, events.position, events.command_id, events.type, events.type_version,
                            events.payload
                        FROM events
                        WHERE events.kind = s_kind[stream] AND events.stream_id = s_id[stream]
                            AND events.version >= stored[this]
                        ORDER BY events.version
                    LOOP
                        EXIT WHEN kept.command_id <> c_command[this];
                        count := count + 1;
                        versions[this] := kept.version;
                        positions[this] := kept.position;
                        same := same AND count <= c_events[this] AND kept.type = e_type[c_before[this] + count]
                            AND kept.type_version = e_type_version[c_before[this] + count]
                            AND kept.payload = e_payload[c_before[this] + count];
                    END LOOP;
                    same := same AND count = c_events[this];
                    outcome := CASE WHEN c_events[this] = 0 OR same THEN 1 ELSE 3 END;
                ELSIF c_expected[this] <> reached[stream] OR (c_chained[this] AND broken[stream]) THEN
                    versions[this] := reached[stream];
                    outcome := 2;
                ELSE
                    outcome := 0;
                    IF c_events[this] > 0 THEN
                        shift[this] := head + c_before[this] - tail;
                        tail := tail + c_events[this];
                        reached[stream] := reached[stream] + c_events[this];
                        ends[stream] := tail;
                        written[c_key[this]] := this;
                    END IF;
                    versions[this] := reached[stream];
                    positions[this] := ends[stream];
                END IF;
                outcomes[this] := outcome;
                IF outcome > 1 OR (outcome = 1 AND c_events[this] > 0) THEN
                    broken[stream] := true;
                END IF;
            END LOOP;
        ELSE
            positions := ends;
            shift := array_fill(0::bigint, ARRAY[commits]);
            tail := head + cardinality(e_commit);
        END IF;
        BEGIN
            INSERT INTO events (position, recorded_at, version, kind, type_version, stream_id, event_id, command_id,
                correlation_id, causation_id, first, type, actor, traceparent, payload)
            SELECT head + fresh.number - shift[fresh.commit], c_recorded_at[fresh.commit],
                c_expected[fresh.commit] + fresh.number::integer - c_before[fresh.commit],
                s_kind[c_stream[fresh.commit]], fresh.type_version, s_id[c_stream[fresh.commit]], fresh.id,
                c_command[fresh.commit], c_correlation[fresh.commit], c_causation[fresh.commit],
                fresh.number = c_before[fresh.commit] + 1, fresh.type, c_actor[fresh.commit], c_traceparent[fresh.commit],
                fresh.payload
            FROM unnest(e_commit, e_type, e_type_version, e_id, e_payload) WITH ORDINALITY
                AS fresh (commit, type, type_version, id, payload, number)
            WHERE shift[fresh.commit] IS NOT NULL;
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            IF careful THEN
                RAISE;
            END IF;
            careful := true;
        END;
    END LOOP;

    IF tail > head THEN
        PERFORM pg_notify('orderstream_' || current_schema(), tail::text);
    END IF;
END $$;

-- The log as the crate postgres-es lays its events out, to be read only. The payload names the event by its stored name.
-- An aggregate is found by reading all of its kind: for moving house and for looking, not for serving.
CREATE VIEW postgres_es AS
SELECT
    CASE kind
        WHEN 1 THEN 'Shop' WHEN 2 THEN 'Product' WHEN 3 THEN 'Order' WHEN 4 THEN 'Payment' WHEN 5 THEN 'Delivery'
        WHEN 6 THEN 'Notification' WHEN 7 THEN 'Refund' WHEN 8 THEN 'Coupon' WHEN 9 THEN 'Resort'
        WHEN 10 THEN 'Reservation' WHEN 11 THEN 'Voucher' ELSE kind::text
    END AS aggregate_type,
    stream_id::text AS aggregate_id,
    version::bigint AS sequence,
    type AS event_type,
    type_version::text AS event_version,
    json_build_object(type, convert_from(payload, 'UTF8')::json) AS payload,
    json_strip_nulls(json_build_object(
        'position', position::text,
        'event_id', event_id::text,
        'command_id', command_id::text,
        'correlation_id', correlation_id::text,
        'causation_id', causation_id::text,
        'actor', actor,
        'recorded_at', to_char(timestamp 'epoch' + recorded_at * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'traceparent', traceparent
    )) AS metadata
FROM events;
