//! Reads rows of the signal `resources`.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampNanosecondType, UInt64Type};
use arrow_array::{Array, StructArray};

use crate::Batch;
use crate::component::UnixNanos;
use crate::schema::{opening, resources};

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
            let known = properties.is_valid(row).then(|| properties.value(row));
            (
                kinds.value(row),
                uids.value(row),
                confidences.value(row),
                known,
            )
        })
    }

    /// The items of a cell of `aliases`.
    pub fn aliases(self) -> impl Iterator<Item = AliasCell<'a>> {
        let texts = [0, 1, 2].map(|index| self.structs.column(index).as_string_view());
        let [kinds, values, scopes] = texts;
        self.rows.map(move |row| {
            let scope = scopes.is_valid(row).then(|| scopes.value(row));
            (kinds.value(row), values.value(row), scope)
        })
    }
}

impl<'a> ResourceRow<'a> {
    /// All rows of a batch of `resources`.
    pub fn all(batch: &'a Batch) -> impl Iterator<Item = ResourceRow<'a>> {
        let columns = Columns(batch);
        (0..batch.num_rows()).map(move |row| columns.row(row))
    }
}

struct Columns<'a>(&'a Batch);

impl<'a> Columns<'a> {
    fn row(&self, row: usize) -> ResourceRow<'a> {
        let times = self.0.numbers::<TimestampNanosecondType>(opening::TIME);
        let states = self.0.numbers::<UInt64Type>(resources::STATE);
        let time = times.is_valid(row).then(|| times.value(row));
        ResourceRow {
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

    fn items(&self, column: &str, row: usize) -> Option<StructItems<'a>> {
        let (items, rows) = self.list(column, row)?;
        let structs = items.as_struct();
        Some(StructItems { structs, rows })
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
