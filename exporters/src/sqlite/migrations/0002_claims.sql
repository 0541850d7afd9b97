-- What version 1 wrote is renamed, so that an older airdig that still runs fails rather than writes
-- where no one reads. `earlier/` moves it into the tables below when the exporter starts.
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

-- The rows of pipeline::store::rows. Times are nanoseconds since 1970, hashes 64 bits as a signed
-- number. A word is a number of `words`, 0 for none. Tags, values and properties are airdig's
-- attributes (a run of OTLP KeyValue messages).
--
-- Rows are written by `INSERT OR FAIL`: a statement that fails half-way is rolled back with its
-- transaction. A column that such a statement updates is not `NOT NULL`, though it never is null:
-- SQLite would copy each page that the statement touches into a journal of its own.
CREATE TABLE words (
    id   INTEGER PRIMARY KEY,
    word TEXT NOT NULL UNIQUE
) STRICT;

-- Nodes as they are now. What a list is filtered by comes first, so that a long uid is not read for it.
-- A number is never used again, so that none in a commit or a page names another node.
CREATE TABLE nodes (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    hash          INTEGER NOT NULL, -- of the uid
    listing       INTEGER, -- in no list (0), current (1), ended (2)
    kind          INTEGER,
    provider      INTEGER,
    account       INTEGER,
    region        INTEGER,
    has_lifecycle INTEGER,
    ended         INTEGER,
    unobserved    INTEGER,
    first_seen    INTEGER,
    last_seen     INTEGER,
    changed       INTEGER, -- no claim began, changed or ended after it
    same_as       INTEGER,
    uid           TEXT    NOT NULL,
    name          TEXT,
    tags          BLOB
) STRICT;
CREATE INDEX nodes_by_hash ON nodes (hash);
CREATE INDEX nodes_by_same_as ON nodes (same_as) WHERE same_as IS NOT NULL;
-- Lists in the order of numbers, one for each filter. Current and ended nodes stand apart, so that a list
-- of the current ones does not skip those that ended. What telemetry names has no provider, account or region.
CREATE INDEX nodes_by_listing ON nodes (listing) WHERE listing > 0;
CREATE INDEX nodes_by_kind ON nodes (listing, kind) WHERE listing > 0;
CREATE INDEX nodes_by_provider ON nodes (listing, provider) WHERE listing > 0 AND provider > 0;
CREATE INDEX nodes_by_account ON nodes (listing, account) WHERE listing > 0 AND account > 0;
CREATE INDEX nodes_by_region ON nodes (listing, region) WHERE listing > 0 AND region > 0;

-- The last stretch of each claim.
CREATE TABLE claims (
    node   INTEGER NOT NULL,
    class  INTEGER NOT NULL,
    source INTEGER NOT NULL,
    scope  INTEGER NOT NULL,
    since  INTEGER,
    until  INTEGER, -- none while it is open
    ending INTEGER, -- another value followed (0), it was deleted (1) or released (2)
    state  INTEGER,
    seen   INTEGER,
    points BLOB,
    PRIMARY KEY (node, class, source, scope)
) STRICT, WITHOUT ROWID;
-- Of a scope first the open ones, by node, then the others, by their end.
CREATE INDEX claims_by_scope ON claims (source, scope, class, until, node);

-- The stretches before it.
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

-- What a state of a claim says; it has content where the kind is not null. Values may be long: those
-- of a table with row numbers are read with fewer pages.
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
    written  INTEGER, -- when anything of it was last written
    UNIQUE (node, source, scope, state)
) STRICT;

-- Immutable lists of edges (part 0) and of aliases (1).
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

-- Where edges started that are not current any more.
CREATE TABLE past_edges (
    to_node   INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    from_node INTEGER NOT NULL,
    PRIMARY KEY (to_node, kind, from_node)
) STRICT, WITHOUT ROWID;

-- Current aliases. A value may be long, so its hash stands for it in the key and in the index.
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

-- Which nodes had aliases that they have not any more.
CREATE TABLE past_aliases (
    value_hash INTEGER NOT NULL,
    node       INTEGER NOT NULL,
    PRIMARY KEY (value_hash, node)
) STRICT, WITHOUT ROWID;

-- `scans`: of each of the newest 16 the beginning, the hash of its members (8 bytes each, little
-- endian), and what a miss means (1 byte). One column, so that an unchanged scan updates one row.
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

-- Pairs of the hashes of a uid and of its state, 16 bytes each, ascending.
CREATE TABLE members (
    class  INTEGER NOT NULL,
    source INTEGER NOT NULL,
    scope  INTEGER NOT NULL,
    hash   INTEGER NOT NULL,
    pairs  BLOB    NOT NULL,
    PRIMARY KEY (class, source, scope, hash)
) STRICT, WITHOUT ROWID;

-- Nodes that are not current although a claim of the scope is open.
CREATE TABLE contested (
    class  INTEGER NOT NULL,
    source INTEGER NOT NULL,
    scope  INTEGER NOT NULL,
    node   INTEGER NOT NULL,
    PRIMARY KEY (class, source, scope, node)
) STRICT, WITHOUT ROWID;
CREATE INDEX contested_by_node ON contested (node);

-- How many nodes are listed as current.
CREATE TABLE counts (
    kind     INTEGER NOT NULL,
    provider INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (kind, provider)
) STRICT, WITHOUT ROWID;

-- Texts by which nodes are found: id is 8 * node + field, `text` all of that field, see
-- backend/texts/layout.rs.
CREATE TABLE texts (
    id         INTEGER PRIMARY KEY,
    text       TEXT    NOT NULL,
    is_current INTEGER NOT NULL
) STRICT;
-- Their trigrams: row 2^40 * field + node, so that matches come in the order of field and node; 2^44
-- more where the node is not current.
CREATE VIRTUAL TABLE trigrams USING fts5 (
    text, content = '', columnsize = 0, detail = 'none', tokenize = 'trigram case_sensitive 1'
);
-- Housekeeping merges two parts of it as soon as they are of one size.
INSERT INTO trigrams (trigrams, rank) VALUES ('usermerge', 2);

-- What a writer counted in a minute on the edges of a part; `body` is a list of edges, see
-- backend/stats/packed.rs.
CREATE TABLE edge_stats (
    id     INTEGER PRIMARY KEY,
    minute INTEGER NOT NULL,
    part   INTEGER NOT NULL,
    writer INTEGER NOT NULL,
    chunk  INTEGER NOT NULL,
    body   BLOB,
    UNIQUE (minute, part, writer, chunk)
) STRICT;

-- The same of whole hours, each from where it begins, over all writers and chunks.
CREATE TABLE edge_stats_hourly (
    id     INTEGER PRIMARY KEY,
    minute INTEGER NOT NULL,
    part   INTEGER NOT NULL,
    writer INTEGER NOT NULL,
    chunk  INTEGER NOT NULL,
    body   BLOB,
    UNIQUE (minute, part, writer, chunk)
) STRICT;

-- The nodes that any statistics name, and the end of the last day on which one does.
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
-- Pages of each filter, newest first; by age, oldest first.
CREATE INDEX records_by_opening ON records (signal, opened, record);
CREATE INDEX records_by_status ON records (signal, status, opened, record);
CREATE INDEX records_by_severity ON records (signal, severity, opened, record);
CREATE INDEX open_records ON records (signal, opened, record) WHERE resolved IS NULL;
CREATE INDEX records_by_resolution ON records (signal, resolved, record) WHERE resolved IS NOT NULL;

-- Every uid that a record names.
CREATE TABLE record_names (
    uid_hash INTEGER NOT NULL,
    opened   INTEGER NOT NULL,
    signal   INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    PRIMARY KEY (uid_hash, opened, signal, id)
) STRICT, WITHOUT ROWID;

-- Which process scans a scope.
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

-- What the store keeps for itself, by name: the horizon, where housekeeping is.
CREATE TABLE state (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
