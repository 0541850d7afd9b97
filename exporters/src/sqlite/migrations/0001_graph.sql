-- Facts of nodes, and one for each set of edges or aliases. Times are nanoseconds since 1970, hashes
-- 64 bits as a signed number, tags and values airdig's attributes (a run of OTLP KeyValue messages).
CREATE TABLE facts (
    uid        TEXT    NOT NULL,
    grp        TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    hash       INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    kind       TEXT,
    name       TEXT,
    provider   TEXT,
    account    TEXT,
    region     TEXT,
    tags       BLOB,
    value      BLOB,
    PRIMARY KEY (uid, grp, source, scope, hash)
) STRICT;
CREATE INDEX facts_by_kind ON facts (kind, uid);
CREATE INDEX facts_by_scope ON facts (scope, source, uid) WHERE scope <> '';

-- Scans, one after the other, that found the same members: when the first and the last began, and
-- when those did that are known one by one (a JSON list, the newest 16).
CREATE TABLE completions (
    scope       TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    grp         TEXT    NOT NULL,
    first_began INTEGER NOT NULL,
    last_began  INTEGER NOT NULL,
    members     INTEGER NOT NULL,
    scans       TEXT    NOT NULL,
    PRIMARY KEY (scope, source, grp, first_began, members)
) STRICT, WITHOUT ROWID;

-- By their hash: pairs of the hashes of a uid and of its state, 16 bytes each, ascending.
CREATE TABLE members (
    hash  INTEGER PRIMARY KEY,
    pairs BLOB NOT NULL
) STRICT;

-- Edges: of the set whose fact has that hash, or seen by themselves (0).
CREATE TABLE relations (
    uid        TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    to_uid     TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    set_hash   INTEGER NOT NULL,
    confidence REAL    NOT NULL,
    properties BLOB,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (uid, kind, to_uid, source, set_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX relations_by_end ON relations (to_uid, kind, uid, source, set_hash);

-- Other names: of the set whose fact has that hash, or seen by themselves (0).
CREATE TABLE aliases (
    uid        TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    set_hash   INTEGER NOT NULL,
    valid_from INTEGER,
    valid_to   INTEGER,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (uid, kind, value, scope, source, set_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_value ON aliases (value, uid);

CREATE TABLE edge_figures (
    minute          INTEGER NOT NULL,
    uid             TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    to_uid          TEXT    NOT NULL,
    connection_type TEXT    NOT NULL,
    writer          TEXT    NOT NULL,
    chunk           INTEGER NOT NULL,
    calls           INTEGER NOT NULL,
    errors          INTEGER NOT NULL,
    duration_sum    REAL    NOT NULL,
    duration_max    REAL    NOT NULL,
    scale           INTEGER NOT NULL,
    first_bucket    INTEGER NOT NULL,
    counts          TEXT    NOT NULL,
    PRIMARY KEY (minute, uid, kind, to_uid, connection_type, writer, chunk)
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
    id         TEXT PRIMARY KEY,
    time       INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    uid        TEXT,
    event_name TEXT    NOT NULL,
    actor      TEXT,
    details    TEXT    NOT NULL
) STRICT;

-- Every uid that a change names.
CREATE TABLE change_uids (
    uid  TEXT    NOT NULL,
    time INTEGER NOT NULL,
    id   TEXT    NOT NULL,
    PRIMARY KEY (uid, time, id)
) STRICT, WITHOUT ROWID;
