BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO "_sqlx_migrations" VALUES(1,'graph','2026-11-28 20:28:49',1,X'FF4A3758D47E98C4F76C729F98383673EC17DB7DB65B645BFB92F72D75F6EB16DA137AC5013860ED941462D674A7ADC0',7422388);
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
INSERT INTO "aliases" VALUES('i-1','name','web','','aws',-4765721259616743357,NULL,NULL,600000000000,600000000000);
INSERT INTO "aliases" VALUES('i-1','private_ip','10.0.0.1','','aws',-4765721259616743357,NULL,NULL,600000000000,600000000000);
CREATE TABLE change_uids (
    uid  TEXT    NOT NULL,
    time INTEGER NOT NULL,
    id   TEXT    NOT NULL,
    PRIMARY KEY (uid, time, id)
) STRICT, WITHOUT ROWID;
INSERT INTO "change_uids" VALUES('other',1740000000000,'e1');
INSERT INTO "change_uids" VALUES('sg',1740000000000,'e1');
CREATE TABLE changes (
    id         TEXT PRIMARY KEY,
    time       INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    uid        TEXT,
    event_name TEXT    NOT NULL,
    actor      TEXT,
    details    TEXT    NOT NULL
) STRICT;
INSERT INTO "changes" VALUES('e1',1740000000000,'trail','sg','AuthorizeSecurityGroupIngress','eve','{"time":"1970-01-01T00:29:00.000000000Z","uid":"sg","source":"trail","id":"e1","event_name":"AuthorizeSecurityGroupIngress","actor":"eve","resources":["sg","other"]}');
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
INSERT INTO "completions" VALUES('aws/1/eu-west-1/ec2','aws','actual',600000000000,1200000000000,-2007024193735183753,'[600000000000,1200000000000]');
INSERT INTO "completions" VALUES('aws/1/eu-west-1/ec2','aws','actual',1800000000000,1800000000000,1254175385111991114,'[1800000000000]');
INSERT INTO "completions" VALUES('aws/1/eu-west-1/ec2','aws','actual',2400000000000,2400000000000,-4995560339442386935,'[2400000000000]');
INSERT INTO "completions" VALUES('aws/1/eu-west-1/ec2','aws','actual',3000000000000,3600000000000,-3292149248475288077,'[3000000000000,3600000000000]');
INSERT INTO "completions" VALUES('aws/1/eu-west-1/moved','aws','actual',3000000000000,3000000000000,5430768168429648899,'[3000000000000]');
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
INSERT INTO "edge_figures" VALUES(60000000000,'svc:////a','CALLS','svc:////b','','w',0,5,1,5.0,1.0,3,0,'[5]');
INSERT INTO "edge_figures" VALUES(60000000000,'svc:////a','CALLS','svc:////b','','w',1,7,0,7.0,1.0,3,0,'[7]');
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
INSERT INTO "facts" VALUES('i-1','actual','aws','aws/1/eu-west-1/ec2',7,600000000000,600000000000,'thing','i-1',NULL,NULL,NULL,NULL,X'0A0B0A05737461746512021807');
INSERT INTO "facts" VALUES('i-1','lifecycle','aws','aws/1/eu-west-1/ec2',-5677432861742839438,600000000000,600000000000,'thing',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "facts" VALUES('i-2','actual','aws','aws/1/eu-west-1/ec2',7,600000000000,600000000000,'thing','i-2',NULL,NULL,NULL,NULL,X'0A0B0A05737461746512021807');
INSERT INTO "facts" VALUES('i-2','lifecycle','aws','aws/1/eu-west-1/ec2',-5677432861742839438,600000000000,600000000000,'thing',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "facts" VALUES('sg','actual','aws','aws/1/eu-west-1/ec2',7,600000000000,2400000000000,'thing','sg',NULL,NULL,NULL,NULL,X'0A0B0A05737461746512021807');
INSERT INTO "facts" VALUES('sg','lifecycle','aws','aws/1/eu-west-1/ec2',-5677432861742839438,600000000000,600000000000,'thing',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "facts" VALUES('i-1','edges','aws','',8144426477129951507,600000000000,600000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "facts" VALUES('i-1','aliases','aws','',-4765721259616743357,600000000000,600000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "facts" VALUES('sg','actual','aws','aws/1/eu-west-1/ec2',8,1800000000000,1800000000000,'thing','sg',NULL,NULL,NULL,NULL,X'0A0B0A05737461746512021808');
INSERT INTO "facts" VALUES('i-2','lifecycle','aws','aws/1/eu-west-1/ec2',0,1800000000000,1800000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "facts" VALUES('i-1','edges','aws','',-5757485886312295907,2400000000000,2400000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "facts" VALUES('i-1','lifecycle','aws','aws/1/eu-west-1/ec2',0,3000000000000,3000000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "facts" VALUES('i-1','actual','aws','aws/1/eu-west-1/moved',7,3000000000000,3000000000000,'thing','i-1',NULL,NULL,NULL,NULL,X'0A0B0A05737461746512021807');
INSERT INTO "facts" VALUES('i-1','lifecycle','aws','aws/1/eu-west-1/moved',-5677432861742839438,3000000000000,3000000000000,'thing',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "facts" VALUES('svc:////cart','telemetry','otlp','',3359757625462362097,720000000000,3300000000000,'thing','cart',NULL,NULL,NULL,NULL,X'0A0E0A046E616D6512060A0463617274');
INSERT INTO "facts" VALUES('rule','lifecycle','trail','',0,900000000000,900000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "facts" VALUES('rule','actual','aws','',-8550700812058882619,660000000000,660000000000,'thing','rule',NULL,NULL,NULL,NULL,X'0A0E0A046E616D6512060A0472756C65');
CREATE TABLE members (
    hash  INTEGER PRIMARY KEY,
    pairs BLOB NOT NULL
) STRICT;
INSERT INTO "members" VALUES(-4995560339442386935,X'8CA4809CE593CF0D07000000000000002935FCE45AA8C0C50700000000000000');
INSERT INTO "members" VALUES(-3292149248475288077,X'8CA4809CE593CF0D0700000000000000');
INSERT INTO "members" VALUES(-2007024193735183753,X'8CA4809CE593CF0D070000000000000058ECED530CC1629B07000000000000002935FCE45AA8C0C50700000000000000');
INSERT INTO "members" VALUES(1254175385111991114,X'8CA4809CE593CF0D08000000000000002935FCE45AA8C0C50700000000000000');
INSERT INTO "members" VALUES(5430768168429648899,X'2935FCE45AA8C0C50700000000000000');
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
INSERT INTO "relations" VALUES('i-1','PART_OF','subnet','aws',-5757485886312295907,1.0,NULL,2400000000000,2400000000000);
INSERT INTO "relations" VALUES('i-1','PART_OF','subnet','aws',8144426477129951507,1.0,NULL,600000000000,600000000000);
INSERT INTO "relations" VALUES('i-1','SECURED_BY','sg','aws',8144426477129951507,1.0,NULL,600000000000,600000000000);
CREATE INDEX facts_by_kind ON facts (kind, uid);
CREATE INDEX facts_by_scope ON facts (scope, source, uid) WHERE scope <> '';
CREATE INDEX relations_by_end ON relations (to_uid, kind, uid, source, set_hash);
CREATE INDEX aliases_by_value ON aliases (value, uid);
COMMIT;
