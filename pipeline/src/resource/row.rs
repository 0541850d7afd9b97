//! Reads rows of the signal `resources`.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampNanosecondType, UInt64Type};
use arrow_array::{BinaryViewArray, ListArray, PrimitiveArray, StringViewArray, StructArray};

use crate::Batch;
use crate::batch::cells::{self, WordColumn, bytes, text, word};
use crate::schema::{opening, resources};
use crate::unix_nanos::UnixNanos;

/// One row of `resources`, borrowed from its batch. The fields are the columns, see [`resources`].
#[derive(Debug)]
pub struct ResourceRow<'a> {
    pub time: Option<UnixNanos>,
    pub uid: Option<&'a str>,
    pub source: &'a str,
    pub op: &'a str,
    pub group: &'a str,
    pub scope: Option<&'a str>,
    /// `None` for rows that no scan made.
    pub scan_id: Option<&'a str>,
    /// Whether the scan reports a uid that is not among the members as deleted or as released.
    pub miss: Option<&'a str>,
    pub state: Option<u64>,
    pub members: Option<&'a [u64]>,
    pub member_states: Option<&'a [u64]>,
    pub change: Option<&'a str>,
    pub kind: Option<&'a str>,
    pub name: Option<&'a str>,
    pub provider: Option<&'a str>,
    pub account: Option<&'a str>,
    pub region: Option<&'a str>,
    /// `None` if the row does not report relations; empty if it reports that there are none.
    pub relations: Option<StructItems<'a>>,
    /// `None` if the row does not report aliases; empty if it reports that there are none.
    pub aliases: Option<StructItems<'a>>,
    pub tags: Option<&'a [u8]>,
    pub configuration: Option<&'a [u8]>,
}

/// The items of one cell that is a list of structs.
#[derive(Clone, Debug)]
pub struct StructItems<'a> {
    structs: &'a StructArray,
    rows: std::ops::Range<usize>,
}

/// An item of `relations`: kind, uid, confidence, properties.
pub type RelationCell<'a> = (&'a str, &'a str, f64, Option<&'a [u8]>);
/// An item of `aliases`: kind, value, scope.
pub type AliasCell<'a> = (&'a str, &'a str, Option<&'a str>);

impl<'a> StructItems<'a> {
    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The items of a cell of `relations`.
    pub fn relations(self) -> impl Iterator<Item = RelationCell<'a>> {
        let [kind, uid, confidence, properties] =
            [0, 1, 2, 3].map(|index| self.structs.column(index));
        let (kinds, uids) = (kind.as_string_view(), uid.as_string_view());
        let confidences = confidence.as_primitive::<Float64Type>();
        let properties = properties.as_binary_view();
        self.rows.map(move |row| {
            (
                kinds.value(row),
                uids.value(row),
                confidences.value(row),
                bytes(properties, row),
            )
        })
    }

    /// The items of a cell of `aliases`.
    pub fn aliases(self) -> impl Iterator<Item = AliasCell<'a>> {
        let texts = [0, 1, 2].map(|index| self.structs.column(index).as_string_view());
        let [kinds, values, scopes] = texts;
        self.rows
            .map(move |row| (kinds.value(row), values.value(row), text(scopes, row)))
    }
}

impl<'a> ResourceRow<'a> {
    /// All rows of a batch of `resources`.
    pub fn all(batch: &'a Batch) -> impl Iterator<Item = ResourceRow<'a>> {
        let columns = ResourceColumns::of(batch);
        (0..batch.num_rows()).map(move |row| columns.row(row))
    }
}

/// The columns of one batch.
struct ResourceColumns<'a> {
    time: &'a PrimitiveArray<TimestampNanosecondType>,
    uid: &'a StringViewArray,
    source: WordColumn<'a>,
    op: WordColumn<'a>,
    group: WordColumn<'a>,
    scope: &'a StringViewArray,
    scan_id: &'a StringViewArray,
    miss: WordColumn<'a>,
    state: &'a PrimitiveArray<UInt64Type>,
    members: &'a ListArray,
    member_states: &'a ListArray,
    change: WordColumn<'a>,
    kind: WordColumn<'a>,
    name: &'a StringViewArray,
    provider: WordColumn<'a>,
    account: WordColumn<'a>,
    region: WordColumn<'a>,
    relations: &'a ListArray,
    aliases: &'a ListArray,
    tags: &'a BinaryViewArray,
    configuration: &'a BinaryViewArray,
}

impl<'a> ResourceColumns<'a> {
    fn of(batch: &'a Batch) -> ResourceColumns<'a> {
        ResourceColumns {
            time: batch.numbers(opening::TIME),
            uid: batch.uid(),
            source: batch.words(opening::SOURCE),
            op: batch.words(resources::OP),
            group: batch.words(resources::GROUP),
            scope: batch.text(resources::SCOPE),
            scan_id: batch.text(resources::SCAN_ID),
            miss: batch.words(resources::MISS),
            state: batch.numbers(resources::STATE),
            members: batch.column(resources::MEMBERS).as_list(),
            member_states: batch.column(resources::MEMBER_STATES).as_list(),
            change: batch.words(resources::CHANGE),
            kind: batch.words(resources::KIND),
            name: batch.text(resources::NAME),
            provider: batch.words(resources::PROVIDER),
            account: batch.words(resources::ACCOUNT),
            region: batch.words(resources::REGION),
            relations: batch.column(resources::RELATIONS).as_list(),
            aliases: batch.column(resources::ALIASES).as_list(),
            tags: batch.bytes(resources::TAGS),
            configuration: batch.bytes(resources::CONFIGURATION),
        }
    }

    fn row(&self, row: usize) -> ResourceRow<'a> {
        ResourceRow {
            time: cells::time(self.time, row),
            uid: text(self.uid, row),
            source: word(&self.source, row).unwrap_or_default(),
            op: word(&self.op, row).unwrap_or_default(),
            group: word(&self.group, row).unwrap_or_default(),
            scope: text(self.scope, row),
            scan_id: text(self.scan_id, row),
            miss: word(&self.miss, row),
            state: cells::number(self.state, row),
            members: cells::uint64s(self.members, row),
            member_states: cells::uint64s(self.member_states, row),
            change: word(&self.change, row),
            kind: word(&self.kind, row),
            name: text(self.name, row),
            provider: word(&self.provider, row),
            account: word(&self.account, row),
            region: word(&self.region, row),
            relations: struct_items(self.relations, row),
            aliases: struct_items(self.aliases, row),
            tags: bytes(self.tags, row),
            configuration: bytes(self.configuration, row),
        }
    }
}

fn struct_items(column: &ListArray, row: usize) -> Option<StructItems<'_>> {
    let (items, rows) = cells::list(column, row)?;
    let structs = items.as_struct();
    Some(StructItems { structs, rows })
}
