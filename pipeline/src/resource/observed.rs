//! Rows of `resources`, as they stand in their batch.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampNanosecondType, UInt64Type};
use arrow_array::{Array, StructArray};

use crate::Batch;
use crate::component::UnixNanos;
use crate::schema::{opening, resources};

/// One row of `resources`, as it stands in its batch.
#[derive(Debug)]
pub struct Observed<'a> {
    pub time: Option<UnixNanos>,
    pub uid: Option<&'a str>,
    pub source: &'a str,
    pub op: &'a str,
    pub group: &'a str,
    pub scope: Option<&'a str>,
    /// None for rows that no scan made.
    pub scan_id: Option<&'a str>,
    /// What it means that a uid is not among the members.
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
    /// None where the row does not say, which is not the same as that there are none.
    pub relations: Option<Items<'a>>,
    /// Likewise.
    pub aliases: Option<Items<'a>>,
    pub tags: Option<&'a [u8]>,
    pub configuration: Option<&'a [u8]>,
}

/// The structs of one cell.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    structs: &'a StructArray,
    rows: std::ops::Range<usize>,
}

/// Kind, uid, confidence, properties.
pub type RelationItem<'a> = (&'a str, &'a str, f64, Option<&'a [u8]>);
/// Kind, value, scope.
pub type AliasItem<'a> = (&'a str, &'a str, Option<&'a str>);

impl<'a> Items<'a> {
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Of a cell of `relations`.
    pub fn relations(self) -> impl Iterator<Item = RelationItem<'a>> {
        let [kind, uid, confidence, properties] =
            [0, 1, 2, 3].map(|place| self.structs.column(place));
        let (kinds, uids) = (kind.as_string_view(), uid.as_string_view());
        let confidences = confidence.as_primitive::<Float64Type>();
        let properties = properties.as_binary_view();
        self.rows.map(move |row| {
            let known = properties.is_valid(row).then(|| properties.value(row));
            (
                kinds.value(row),
                uids.value(row),
                confidences.value(row),
                known,
            )
        })
    }

    /// Of a cell of `aliases`.
    pub fn aliases(self) -> impl Iterator<Item = AliasItem<'a>> {
        let texts = [0, 1, 2].map(|place| self.structs.column(place).as_string_view());
        let [kinds, values, scopes] = texts;
        self.rows.map(move |row| {
            let scope = scopes.is_valid(row).then(|| scopes.value(row));
            (kinds.value(row), values.value(row), scope)
        })
    }
}

impl<'a> Observed<'a> {
    /// All rows of a batch of `resources`.
    pub fn of(batch: &'a Batch) -> impl Iterator<Item = Observed<'a>> {
        let columns = Columns(batch);
        (0..batch.num_rows()).map(move |row| columns.row(row))
    }
}

struct Columns<'a>(&'a Batch);

impl<'a> Columns<'a> {
    fn row(&self, row: usize) -> Observed<'a> {
        let times = self.0.numbers::<TimestampNanosecondType>(opening::TIME);
        let states = self.0.numbers::<UInt64Type>(resources::STATE);
        let time = times.is_valid(row).then(|| times.value(row));
        Observed {
            time: time.map(|time| UnixNanos(u64::try_from(time).unwrap_or_default())),
            uid: self.text(opening::UID, row),
            source: self.word(opening::SOURCE, row).unwrap_or_default(),
            op: self.word(resources::OP, row).unwrap_or_default(),
            group: self.word(resources::GROUP, row).unwrap_or_default(),
            scope: self.text(resources::SCOPE, row),
            scan_id: self.text(resources::SCAN_ID, row),
            miss: self.word(resources::MISS, row),
            state: states.is_valid(row).then(|| states.value(row)),
            members: self.numbers(resources::MEMBERS, row),
            member_states: self.numbers(resources::MEMBER_STATES, row),
            change: self.word(resources::CHANGE, row),
            kind: self.word(resources::KIND, row),
            name: self.text(resources::NAME, row),
            provider: self.word(resources::PROVIDER, row),
            account: self.word(resources::ACCOUNT, row),
            region: self.word(resources::REGION, row),
            relations: self.items(resources::RELATIONS, row),
            aliases: self.items(resources::ALIASES, row),
            tags: self.bytes(resources::TAGS, row),
            configuration: self.bytes(resources::CONFIGURATION, row),
        }
    }

    fn text(&self, column: &str, row: usize) -> Option<&'a str> {
        let texts = self.0.text(column);
        texts.is_valid(row).then(|| texts.value(row))
    }

    fn word(&self, column: &str, row: usize) -> Option<&'a str> {
        let words = self.0.words(column);
        let keys = words.keys();
        let key = keys.is_valid(row).then(|| keys.value(row))?;
        Some(words.values().value(usize::try_from(key).ok()?))
    }

    fn bytes(&self, column: &str, row: usize) -> Option<&'a [u8]> {
        let bytes = self.0.bytes(column);
        bytes.is_valid(row).then(|| bytes.value(row))
    }

    fn numbers(&self, column: &str, row: usize) -> Option<&'a [u64]> {
        let (items, range) = self.list(column, row)?;
        Some(&items.as_primitive::<UInt64Type>().values()[range])
    }

    fn items(&self, column: &str, row: usize) -> Option<Items<'a>> {
        let (items, rows) = self.list(column, row)?;
        let structs = items.as_struct();
        Some(Items { structs, rows })
    }

    fn list(&self, column: &str, row: usize) -> Option<(&'a dyn Array, std::ops::Range<usize>)> {
        let lists = self.0.column(column).as_list::<i32>();
        let offsets = lists.value_offsets();
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        lists
            .is_valid(row)
            .then(|| (lists.values().as_ref(), range))
    }
}
