-- Renames the tables of version 1, so that an older airdig that still runs fails instead of writing rows that this
-- version does not read. When the exporter starts, `earlier/` imports their rows into the tables below.
DROP INDEX facts_by_kind;
DROP INDEX facts_by_scope;
DROP INDEX relations_by_end;
DROP INDEX aliases_by_value;
ALTER TABLE facts RENAME TO earlier_facts;
ALTER TABLE completions RENAME TO earlier_completions;
ALTER TABLE members RENAME TO earlier_members;
ALTER TABLE relations RENAME TO earlier_relations;
ALTER TABLE aliases RENAME TO earlier_aliases;
ALTER TABLE edge_figures RENAME TO earlier_edge_figures;
ALTER TABLE changes RENAME TO earlier_changes;
ALTER TABLE change_uids RENAME TO earlier_change_uids;

-- The tables of pipeline::store::rows. Times are nanoseconds since 1970, hashes are 64 bits as a signed number. A word
-- is an id of `words`, or 0 for none. Tags, values and properties are airdig's attributes (a sequence of OTLP KeyValue
-- messages).
--
-- `INSERT OR FAIL` writes rows: a statement that fails half-way is rolled back with its transaction. A column that such
-- a statement updates is not declared `NOT NULL`, although it is never null: SQLite would copy each page that the
-- statement changes into a statement journal.
CREATE TABLE words (
    id   INTEGER PRIMARY KEY,
    word TEXT NOT NULL UNIQUE
) STRICT;

-- Current state of nodes. The columns that filter lists come first, so that a filter does not read a long uid. Ids are
-- never reused, so that an id in a commit or a page cursor never names another node.
CREATE TABLE nodes (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    hash          INTEGER NOT NULL, -- hash of the uid
    listing       INTEGER, -- 0: in no list, 1: current, 2: ended
    kind          INTEGER,
    provider      INTEGER,
    account       INTEGER,
    region        INTEGER,
    has_lifecycle INTEGER,
    ended         INTEGER,
    unobserved    INTEGER,
    first_seen    INTEGER,
    last_seen     INTEGER,
    changed       INTEGER, -- when a claim last began, changed or ended
    same_as       INTEGER,
    uid           TEXT    NOT NULL,
    name          TEXT,
    tags          BLOB
) STRICT;
CREATE INDEX nodes_by_hash ON nodes (hash);
CREATE INDEX nodes_by_same_as ON nodes (same_as) WHERE same_as IS NOT NULL;
-- An index for each filter of lists, in the order of ids. Current and ended nodes are apart, so that a list of current
-- nodes does not skip ended ones. Nodes from telemetry have no provider, account or region.
CREATE INDEX nodes_by_listing ON nodes (listing) WHERE listing > 0;
CREATE INDEX nodes_by_kind ON nodes (listing, kind) WHERE listing > 0;
CREATE INDEX nodes_by_provider ON nodes (listing, provider) WHERE listing > 0 AND provider > 0;
CREATE INDEX nodes_by_account ON nodes (listing, account) WHERE listing > 0 AND account > 0;
CREATE INDEX nodes_by_region ON nodes (listing, region) WHERE listing > 0 AND region > 0;

-- The last interval of each claim.
CREATE TABLE claims (
    node   INTEGER NOT NULL,
    class  INTEGER NOT NULL,
    source INTEGER NOT NULL,
    scope  INTEGER NOT NULL,
    since  INTEGER,
    until  INTEGER, -- null while the claim is open
    ending INTEGER, -- 0: another value followed, 1: deleted, 2: released
    state  INTEGER,
    seen   INTEGER,
    points BLOB,
    PRIMARY KEY (node, class, source, scope)
) STRICT, WITHOUT ROWID;
-- For each scope, first the open claims by node, then the others by their end.
CREATE INDEX claims_by_scope ON claims (source, scope, class, until, node);

-- The intervals before the last one.
CREATE TABLE claim_history (
    node   INTEGER NOT NULL,
    class  INTEGER NOT NULL,
    source INTEGER NOT NULL,
    scope  INTEGER NOT NULL,
    since  INTEGER NOT NULL,
    until  INTEGER,
    ending INTEGER,
    state  INTEGER,
    seen   INTEGER,
    points BLOB,
    PRIMARY KEY (node, class, source, scope, since)
) STRICT, WITHOUT ROWID;

-- The content of a state of a claim; none if `kind` is null. Values may be long: SQLite reads fewer pages for them in a
-- table with row ids.
CREATE TABLE versions (
    id       INTEGER PRIMARY KEY,
    node     INTEGER NOT NULL,
    source   INTEGER NOT NULL,
    scope    INTEGER NOT NULL,
    state    INTEGER NOT NULL,
    edges    INTEGER,
    aliases  INTEGER,
    kind     INTEGER,
    provider INTEGER,
    account  INTEGER,
    region   INTEGER,
    name     TEXT,
    tags     BLOB,
    value    BLOB,
    written  INTEGER, -- when a column was last written
    UNIQUE (node, source, scope, state)
) STRICT;

-- Immutable snapshots: lists of edges (part 0) and of aliases (part 1).
CREATE TABLE snapshots (
    node INTEGER NOT NULL,
    part INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    body BLOB    NOT NULL,
    PRIMARY KEY (node, part, hash)
) STRICT, WITHOUT ROWID;

-- Current edges.
CREATE TABLE edges (
    from_node      INTEGER NOT NULL,
    kind           INTEGER NOT NULL,
    to_node        INTEGER NOT NULL,
    source         INTEGER NOT NULL,
    scope          INTEGER NOT NULL,
    is_observation INTEGER NOT NULL,
    confidence     REAL,
    first_seen     INTEGER,
    last_seen      INTEGER,
    properties     BLOB,
    PRIMARY KEY (from_node, kind, to_node, source, scope, is_observation)
) STRICT, WITHOUT ROWID;
CREATE INDEX edges_by_target ON edges (to_node, kind, from_node, source, scope, is_observation);

-- The ends of edges that are no longer current.
CREATE TABLE past_edges (
    to_node   INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    from_node INTEGER NOT NULL,
    PRIMARY KEY (to_node, kind, from_node)
) STRICT, WITHOUT ROWID;

-- Current aliases. A value may be long, so the key and the index have its hash instead.
CREATE TABLE aliases (
    node           INTEGER NOT NULL,
    kind           INTEGER NOT NULL,
    value_hash     INTEGER NOT NULL,
    within         INTEGER NOT NULL,
    source         INTEGER NOT NULL,
    scope          INTEGER NOT NULL,
    is_observation INTEGER NOT NULL,
    valid_from     INTEGER,
    valid_to       INTEGER,
    first_seen     INTEGER,
    last_seen      INTEGER,
    value          TEXT    NOT NULL,
    PRIMARY KEY (node, kind, value_hash, within, source, scope, is_observation)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_value ON aliases (value_hash);

-- The former owners of aliases that are no longer current.
CREATE TABLE past_aliases (
    value_hash INTEGER NOT NULL,
    node       INTEGER NOT NULL,
    PRIMARY KEY (value_hash, node)
) STRICT, WITHOUT ROWID;

-- `scans` has, for each of the newest 16 scans, its begin, the hash of its members (8 bytes each, little endian), and
-- the meaning of a miss (1 byte). It is one column, so that an unchanged scan updates one row.
CREATE TABLE scopes (
    class      INTEGER NOT NULL,
    source     INTEGER NOT NULL,
    scope      INTEGER NOT NULL,
    forgotten  INTEGER,
    touched    INTEGER,
    scans      BLOB,
    PRIMARY KEY (class, source, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX scopes_by_name ON scopes (scope);

-- Members of scans by their hash: ascending pairs of the hash of a uid and the hash of its state, 16 bytes each.
CREATE TABLE members (
    class  INTEGER NOT NULL,
    source INTEGER NOT NULL,
    scope  INTEGER NOT NULL,
    hash   INTEGER NOT NULL,
    pairs  BLOB    NOT NULL,
    PRIMARY KEY (class, source, scope, hash)
) STRICT, WITHOUT ROWID;

-- Contested nodes: they are not current although a claim of the scope is open.
CREATE TABLE contested (
    class  INTEGER NOT NULL,
    source INTEGER NOT NULL,
    scope  INTEGER NOT NULL,
    node   INTEGER NOT NULL,
    PRIMARY KEY (class, source, scope, node)
) STRICT, WITHOUT ROWID;
CREATE INDEX contested_by_node ON contested (node);

-- The number of nodes that are listed as current.
CREATE TABLE counts (
    kind     INTEGER NOT NULL,
    provider INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (kind, provider)
) STRICT, WITHOUT ROWID;

-- Search texts of nodes: `id` is 8 * node + field, `text` joins all texts of the field (backend/texts/layout.rs).
CREATE TABLE texts (
    id         INTEGER PRIMARY KEY,
    text       TEXT    NOT NULL,
    is_current INTEGER NOT NULL
) STRICT;
-- Their trigrams. The row id is 2^40 * field + node, so that matches come in the order of field and node; plus 2^44 if
-- the node is not current.
CREATE VIRTUAL TABLE trigrams USING fts5 (
    text, content = '', columnsize = 0, detail = 'none', tokenize = 'trigram case_sensitive 1'
);
-- Housekeeping merges two segments of the index when they have the same size.
INSERT INTO trigrams (trigrams, rank) VALUES ('usermerge', 2);

-- Statistics of edges: one row per minute, part of the edges, writer and chunk. `body` is a list of edges
-- (backend/stats/packed.rs).
CREATE TABLE edge_stats (
    id     INTEGER PRIMARY KEY,
    minute INTEGER NOT NULL,
    part   INTEGER NOT NULL,
    writer INTEGER NOT NULL,
    chunk  INTEGER NOT NULL,
    body   BLOB,
    UNIQUE (minute, part, writer, chunk)
) STRICT;

-- The same for whole hours, summed over writers and chunks; `minute` is the begin of the hour.
CREATE TABLE edge_stats_hourly (
    id     INTEGER PRIMARY KEY,
    minute INTEGER NOT NULL,
    part   INTEGER NOT NULL,
    writer INTEGER NOT NULL,
    chunk  INTEGER NOT NULL,
    body   BLOB,
    UNIQUE (minute, part, writer, chunk)
) STRICT;

-- The nodes that statistics name, and the end of the last day with statistics.
CREATE TABLE edge_stats_ends (
    node INTEGER PRIMARY KEY,
    last INTEGER
) STRICT;

CREATE TABLE records (
    id          INTEGER PRIMARY KEY,
    signal      INTEGER NOT NULL,
    record      TEXT    NOT NULL,
    opened      INTEGER NOT NULL,
    time        INTEGER,
    source      INTEGER,
    uid         TEXT,
    names       TEXT, -- a JSON list
    status      INTEGER,
    severity    INTEGER,
    resolved    INTEGER,
    columns     TEXT,
    impact      TEXT,
    impact_time INTEGER,
    UNIQUE (signal, record, opened)
) STRICT;
-- Indexes for pages of each filter, newest first, and for housekeeping by age, oldest first.
CREATE INDEX records_by_opening ON records (signal, opened, record);
CREATE INDEX records_by_status ON records (signal, status, opened, record);
CREATE INDEX records_by_severity ON records (signal, severity, opened, record);
CREATE INDEX open_records ON records (signal, opened, record) WHERE resolved IS NULL;
CREATE INDEX records_by_resolution ON records (signal, resolved, record) WHERE resolved IS NOT NULL;

-- The uids that records name.
CREATE TABLE record_names (
    uid_hash INTEGER NOT NULL,
    opened   INTEGER NOT NULL,
    signal   INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    PRIMARY KEY (uid_hash, opened, signal, id)
) STRICT, WITHOUT ROWID;

-- The process that scans a scope.
CREATE TABLE leases (
    source INTEGER NOT NULL,
    scope  INTEGER NOT NULL,
    holder TEXT    NOT NULL,
    until  INTEGER NOT NULL,
    PRIMARY KEY (source, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE commits (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    body     BLOB NOT NULL
) STRICT;

-- Internal values of the store by name, such as the horizon and the position of housekeeping.
CREATE TABLE state (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
