-- Times are UTC milliseconds. Ids are UUIDv7 in their text form: they sort by creation time.

CREATE TABLE tasks (
    id                  TEXT   NOT NULL PRIMARY KEY,
    -- Grows with every change; whoever shows a task applies only newer ones.
    revision            BIGINT NOT NULL,
    status              TEXT   NOT NULL,
    payment             TEXT   NOT NULL,
    -- The accepted spec as JSON. Never changed after posting.
    spec                TEXT   NOT NULL,
    -- The number of the current or last lease. It only grows, and it fences every call of a runner.
    epoch               BIGINT NOT NULL,
    -- The runner that holds the lease of this epoch.
    runner_id           TEXT,
    lease_expires_at    BIGINT,
    posted_at           BIGINT NOT NULL,
    -- Back-off after a failed attempt: not leased before.
    not_before          BIGINT NOT NULL,
    deadline_at         BIGINT NOT NULL,
    leased_at           BIGINT,
    started_at          BIGINT,
    finished_at         BIGINT,
    cancel_requested_at BIGINT,
    -- JSON; present exactly when the status is terminal and an attempt decided it.
    outcome             TEXT
);

CREATE INDEX tasks_by_status ON tasks (status, id);
-- The queue in the order it is handed out, without the finished.
CREATE INDEX tasks_queued ON tasks (posted_at, id) WHERE status = 'queued';
CREATE INDEX tasks_held ON tasks (runner_id, lease_expires_at) WHERE status IN ('leased', 'running');

-- One lease of a task by one runner.
CREATE TABLE attempts (
    task_id      TEXT   NOT NULL REFERENCES tasks (id),
    epoch        BIGINT NOT NULL,
    runner_id    TEXT   NOT NULL,
    runner_name  TEXT   NOT NULL,
    leased_at    BIGINT NOT NULL,
    -- When its runner began to pull the image, if it had to.
    pulling_at   BIGINT,
    -- Set when the lease is over, however it ended: nothing of this attempt is accepted afterwards.
    ended_at     BIGINT,
    outcome      TEXT,
    -- 1 when the runner itself reported the end: repeating that report is then harmless.
    result_received BIGINT NOT NULL DEFAULT 0,
    -- The number of the log chunk that is waited for: chunks are contiguous below it.
    log_next_seq BIGINT NOT NULL,
    log_bytes    BIGINT NOT NULL,
    -- What the task may write; a runner that sends more is not believed.
    log_limit    BIGINT NOT NULL,
    PRIMARY KEY (task_id, epoch)
);

CREATE TABLE log_chunks (
    task_id      TEXT   NOT NULL,
    epoch        BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    stream       BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    -- Where its first byte stands in the whole log of the attempt.
    start_offset BIGINT NOT NULL,
    data         BLOB   NOT NULL,
    PRIMARY KEY (task_id, epoch, seq)
);

-- Append-only, one global order: timeline, sockets and webhooks read the same sequence.
CREATE TABLE events (
    cursor  INTEGER PRIMARY KEY AUTOINCREMENT,
    at      BIGINT NOT NULL,
    task_id TEXT,
    -- The step of a task; null for events of runners.
    step    TEXT,
    detail  TEXT,
    -- The body as it is sent to subscribers, JSON.
    body    TEXT   NOT NULL
);

CREATE INDEX events_by_task ON events (task_id, cursor) WHERE task_id IS NOT NULL;

CREATE TABLE runners (
    id                TEXT   NOT NULL PRIMARY KEY,
    revision          BIGINT NOT NULL,
    -- SHA-256 of the credential in hex; the credential itself never leaves the runner.
    credential_sha256 TEXT   NOT NULL,
    name              TEXT   NOT NULL,
    status            TEXT   NOT NULL,
    version           TEXT   NOT NULL,
    -- JSON of what it offers.
    capabilities      TEXT   NOT NULL,
    succeeded         BIGINT NOT NULL,
    failed            BIGINT NOT NULL,
    first_seen_at     BIGINT NOT NULL,
    last_seen_at      BIGINT NOT NULL
);
