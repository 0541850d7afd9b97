//! The facts that rows of `resources` state.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampNanosecondType, UInt64Type};
use pipeline::attributes::MapBuilder;
use pipeline::component::UnixNanos;
use pipeline::facts::hash_of;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::resources::op;
use pipeline::schema::{aliases, edges, nodes, opening, resources};
use pipeline::{Batch, Signal, SignalSet};

use super::scans::Scans;

/// Where a row does not say when it was seen, it is `now`. `scans` follows which states the scans
/// that go on have seen.
pub(super) fn of_resources(
    batch: &Batch,
    wanted: SignalSet,
    scans: &mut Scans,
    now: UnixNanos,
) -> Vec<Batch> {
    let exists = MapBuilder::new().bool("exists", true).finish();
    let mut made = Made {
        nodes: wanted
            .contains(Signal::Nodes)
            .then(|| Rows::new(Signal::Nodes)),
        edges: wanted
            .contains(Signal::Edges)
            .then(|| Rows::new(Signal::Edges)),
        aliases: wanted
            .contains(Signal::Aliases)
            .then(|| Rows::new(Signal::Aliases)),
    };
    let columns = Columns::of(batch);
    for row in 0..batch.num_rows() {
        made.add(&columns.row(row, now), scans, &exists);
    }
    let rows = [made.nodes, made.edges, made.aliases].into_iter().flatten();
    rows.filter(|rows| !rows.is_empty())
        .map(|mut rows| rows.finish(batch.delivery().clone()))
        .collect()
}

struct Made {
    nodes: Option<Rows>,
    edges: Option<Rows>,
    aliases: Option<Rows>,
}

impl Made {
    fn add(&mut self, row: &Row<'_>, scans: &mut Scans, exists: &[u8]) {
        let scan = row.scope.map(|scope| (row.source, scope, row.group));
        match row.op {
            op::SCOPE_COMPLETE => {
                let members = row.members.as_deref().unwrap_or_default();
                let states = scan.map(|scan| scans.complete(scan, row.time, members));
                self.node(row, op::SCOPE_COMPLETE, row.group, None, states.as_deref());
            }
            op::DELETED => self.node(row, op::DELETED, existence(row.group), None, None),
            _ => {
                if let (Some(scan), Some(uid), Some(state)) = (scan, row.uid, row.state) {
                    scans.saw(scan, row.time, uid, state);
                }
                // Desired state says nothing of whether a thing exists.
                if row.group == nodes::group::ACTUAL {
                    self.node(
                        row,
                        op::OBSERVED,
                        nodes::group::LIFECYCLE,
                        Some(exists),
                        None,
                    );
                }
                let configuration = row.configuration.unwrap_or_default();
                self.node(row, op::OBSERVED, row.group, Some(configuration), None);
                self.relations(row);
                self.names(row);
            }
        }
    }

    fn node<'a>(
        &mut self,
        row: &'a Row<'a>,
        op: &'a str,
        group: &'a str,
        value: Option<&'a [u8]>,
        states: Option<&'a [u64]>,
    ) {
        let Some(rows) = &mut self.nodes else { return };
        let members = row.members.as_deref().map_or(Cell::Null, Cell::UInts);
        rows.push(
            Some(row.time),
            row.uid,
            row.source,
            &[
                (nodes::OP, Cell::Text(op)),
                (nodes::GROUP, Cell::Text(group)),
                (nodes::SCOPE, row.scope.into()),
                (nodes::STATE, row.state.map_or(Cell::Null, Cell::UInt)),
                (nodes::MEMBERS, members),
                (nodes::MEMBER_STATES, states.map_or(Cell::Null, Cell::UInts)),
                (nodes::KIND, row.kind.into()),
                (nodes::NAME, row.name.into()),
                (nodes::PROVIDER, row.provider.into()),
                (nodes::ACCOUNT, row.account.into()),
                (nodes::REGION, row.region.into()),
                (nodes::TAGS, row.tags.map_or(Cell::Null, Cell::Bytes)),
                (nodes::VALUE, value.map_or(Cell::Null, Cell::Bytes)),
            ],
        );
    }

    /// All edges that the source tells of the uid: none is said with one row without an end.
    fn relations(&mut self, row: &Row<'_>) {
        let (Some(rows), Some(relations)) = (&mut self.edges, &row.relations) else {
            return;
        };
        let mut push = |kind: Option<&str>, to: Option<&str>| {
            let cells = [
                (edges::MODE, Cell::Text(edges::mode::SET)),
                (edges::STATE, row.state.map_or(Cell::Null, Cell::UInt)),
                (edges::KIND, kind.into()),
                (edges::TO, to.into()),
                (edges::CONFIDENCE, Cell::Float(1.0)),
            ];
            rows.push(Some(row.time), row.uid, row.source, &cells);
        };
        if relations.is_empty() {
            push(None, None);
        }
        for (kind, to) in relations {
            push(Some(kind), Some(to));
        }
    }

    /// All other names that the source tells of the uid, likewise.
    fn names(&mut self, row: &Row<'_>) {
        let (Some(rows), Some(names)) = (&mut self.aliases, &row.aliases) else {
            return;
        };
        let mut push = |kind: Option<&str>, value: Option<&str>| {
            let cells = [
                (aliases::MODE, Cell::Text(edges::mode::SET)),
                (aliases::STATE, row.state.map_or(Cell::Null, Cell::UInt)),
                (aliases::KIND, kind.into()),
                (aliases::VALUE, value.into()),
            ];
            rows.push(Some(row.time), row.uid, row.source, &cells);
        };
        if names.is_empty() {
            push(None, None);
        }
        for (kind, value) in names {
            push(Some(kind), Some(value));
        }
    }
}

/// The group that a deletion ends.
fn existence(group: &str) -> &'static str {
    match group {
        nodes::group::DESIRED => nodes::group::DESIRED,
        _ => nodes::group::LIFECYCLE,
    }
}

/// One row of `resources`.
struct Row<'a> {
    time: UnixNanos,
    uid: Option<&'a str>,
    source: &'a str,
    op: &'a str,
    group: &'a str,
    scope: Option<&'a str>,
    /// Names all that the row says, where a scan tells it: only its completion vouches for a state.
    state: Option<u64>,
    members: Option<Vec<u64>>,
    kind: Option<&'a str>,
    name: Option<&'a str>,
    provider: Option<&'a str>,
    account: Option<&'a str>,
    region: Option<&'a str>,
    relations: Option<Vec<(&'a str, &'a str)>>,
    aliases: Option<Vec<(&'a str, &'a str)>>,
    tags: Option<&'a [u8]>,
    configuration: Option<&'a [u8]>,
}

impl Row<'_> {
    fn hash(&self) -> u64 {
        let words = [
            self.kind,
            self.name,
            self.provider,
            self.account,
            self.region,
        ];
        let words = words.map(|word| word.map(str::as_bytes));
        let lists = [&self.relations, &self.aliases].map(|list| {
            let mut pairs: Vec<_> = list.iter().flatten().collect();
            // In which order a source tells them means nothing.
            pairs.sort_unstable();
            pairs
        });
        let pairs = lists.iter().flat_map(|pairs| {
            let texts = pairs.iter().flat_map(|(kind, other)| [kind, other]);
            // A missing part ends each list.
            texts.map(|text| Some(text.as_bytes())).chain([None])
        });
        hash_of(
            words
                .into_iter()
                .chain([self.tags, self.configuration])
                .chain(pairs),
        )
    }
}

struct Columns<'a>(&'a Batch);

impl<'a> Columns<'a> {
    fn of(batch: &'a Batch) -> Columns<'a> {
        Columns(batch)
    }

    fn row(&self, row: usize, now: UnixNanos) -> Row<'a> {
        let batch = self.0;
        let times = batch.numbers::<TimestampNanosecondType>(opening::TIME);
        let members = batch.column(resources::MEMBERS).as_list::<i32>();
        let mut read = Row {
            time: if times.is_null(row) {
                now
            } else {
                UnixNanos(times.value(row).max(0) as u64)
            },
            uid: self.text(opening::UID, row),
            source: self.word(opening::SOURCE, row).unwrap_or_default(),
            op: self.word(resources::OP, row).unwrap_or_default(),
            group: self.word(resources::GROUP, row).unwrap_or_default(),
            scope: self.text(resources::SCOPE, row),
            state: None,
            members: members.is_valid(row).then(|| {
                members
                    .value(row)
                    .as_primitive::<UInt64Type>()
                    .values()
                    .to_vec()
            }),
            kind: self.word(resources::KIND, row),
            name: self.text(resources::NAME, row),
            provider: self.word(resources::PROVIDER, row),
            account: self.word(resources::ACCOUNT, row),
            region: self.word(resources::REGION, row),
            relations: self.pairs(resources::RELATIONS, row),
            aliases: self.pairs(resources::ALIASES, row),
            tags: self.bytes(resources::TAGS, row),
            configuration: self.bytes(resources::CONFIGURATION, row),
        };
        read.state = read.scope.map(|_| read.hash());
        read
    }

    fn text(&self, column: &str, row: usize) -> Option<&'a str> {
        let texts = self.0.text(column);
        texts.is_valid(row).then(|| texts.value(row))
    }

    fn word(&self, column: &str, row: usize) -> Option<&'a str> {
        let words = self.0.words(column);
        let key = words
            .keys()
            .is_valid(row)
            .then(|| words.keys().value(row))?;
        Some(words.values().value(usize::try_from(key).ok()?))
    }

    fn bytes(&self, column: &str, row: usize) -> Option<&'a [u8]> {
        let bytes = self.0.bytes(column);
        bytes.is_valid(row).then(|| bytes.value(row))
    }

    fn pairs(&self, column: &str, row: usize) -> Option<Vec<(&'a str, &'a str)>> {
        let lists = self.0.column(column).as_list::<i32>();
        if lists.is_null(row) {
            return None;
        }
        let items = lists.values().as_struct();
        let (firsts, seconds) = (
            items.column(0).as_string_view(),
            items.column(1).as_string_view(),
        );
        let offsets = lists.value_offsets();
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        Some(
            range
                .map(|item| (firsts.value(item), seconds.value(item)))
                .collect(),
        )
    }
}
