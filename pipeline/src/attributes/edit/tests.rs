//! Tests of edits of encoded attributes, on generated attributes.

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::{Array, BinaryViewArray};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::{set, without};
use crate::attributes::wire::put_bytes;
use crate::attributes::{Map, Value, edit_rows, encode_value};

/// Keys and encoded values, in order.
type Model = Vec<(String, Vec<u8>)>;

fn model(run: &[u8]) -> Model {
    Map::new(run)
        .entries()
        .map(|(key, value)| (String::from_utf8(key.to_vec()).unwrap(), value.to_vec()))
        .collect()
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let encoded = |value: Value<'_>| {
        let mut out = Vec::new();
        encode_value(&mut out, value);
        out
    };
    prop_oneof![
        Just(Vec::new()),
        any::<i64>().prop_map(move |int| encoded(Value::Int(int))),
        any::<f64>().prop_map(move |double| encoded(Value::Double(double))),
        "[a-zé]{0,200}".prop_map(move |text| encoded(Value::Text(&text))),
    ]
}

/// Few different keys, so that some occur twice.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![Just("a".to_owned()), Just("b".to_owned()), "[c-e.]{0,3}"]
}

/// A run of entries with field number 1 or 9. Some entries have an unknown field.
fn run() -> impl Strategy<Value = Vec<u8>> {
    let entries = vec((key(), value(), any::<bool>()), 0..6);
    (prop_oneof![Just(1u8), Just(9)], entries).prop_map(|(number, entries)| {
        let mut run = Vec::new();
        for (key, value, unknown) in entries {
            let mut entry = Vec::new();
            put_bytes(&mut entry, 1, key.as_bytes());
            if unknown {
                put_bytes(&mut entry, 15, b"not known");
            }
            put_bytes(&mut entry, 2, &value);
            put_bytes(&mut run, number, &entry);
        }
        run
    })
}

/// Does the same as [`set`] on the model.
fn set_in_model(entries: &Model, key: &str, value: &[u8]) -> Model {
    let mut found = false;
    let mut after: Model = Vec::new();
    for (other, old) in entries {
        if other != key {
            after.push((other.clone(), old.clone()));
        } else if !std::mem::replace(&mut found, true) {
            after.push((key.to_owned(), value.to_vec()));
        }
    }
    if !found {
        after.push((key.to_owned(), value.to_vec()));
    }
    after
}

proptest! {
    #[test]
    fn set_key_occurs_once_and_other_entries_are_unchanged(run in run(), key in key(), value in value()) {
        let mut out = b"before".to_vec();
        let changed = set(&run, &key, &value, &mut out);
        let after = &out[6..];
        let expected = set_in_model(&model(&run), &key, &value);
        prop_assert_eq!(changed, expected != model(&run));
        if changed {
            prop_assert_eq!(model(after), expected);
            prop_assert!(!set(after, &key, &value, &mut Vec::new()));
        } else {
            prop_assert!(after.is_empty());
        }
    }

    #[test]
    fn removed_key_is_absent_and_other_entries_are_unchanged(run in run(), key in key()) {
        let mut out = Vec::new();
        let changed = without(&run, |other| other == key.as_bytes(), &mut out);
        let mut expected = model(&run);
        expected.retain(|(other, _)| *other != key);
        prop_assert_eq!(changed, expected.len() < model(&run).len());
        if changed {
            prop_assert_eq!(model(&out), expected);
        } else {
            prop_assert!(out.is_empty());
        }
    }

    #[test]
    fn unchanged_entries_keep_their_bytes(run in run(), value in value()) {
        let mut with_key = Vec::new();
        prop_assume!(set(&run, "new", &value, &mut with_key));
        prop_assert!(with_key.starts_with(&run));
        let mut back = Vec::new();
        prop_assert!(without(&with_key, |key| key == b"new", &mut back));
        prop_assert_eq!(back, run);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..64)) {
        set(&bytes, "k", b"", &mut Vec::new());
        without(&bytes, |_| true, &mut Vec::new());
    }

    #[test]
    fn editing_a_column_equals_editing_its_rows_one_by_one(
        rows in vec((of(run()), 1..4usize, any::<bool>()), 0..8), value in value(),
    ) {
        let mut column = BinaryViewBuilder::new();
        let mut expected: Vec<Option<Vec<u8>>> = Vec::new();
        let mut chosen = Vec::new();
        for (run, repeated, choose) in &rows {
            for _ in 0..*repeated {
                column.append_option(run.as_deref());
                chosen.push(*choose);
                let mut changed = Vec::new();
                let before = run.as_deref().unwrap_or_default();
                let is_changed = *choose && set(before, "a", &value, &mut changed);
                expected.push(if is_changed { Some(changed) } else { run.clone() });
            }
        }
        let column = column.finish();
        let edit = |run: Option<&[u8]>, out: &mut Vec<u8>| {
            set(run.unwrap_or_default(), "a", &value, out)
        };
        let before: Vec<_> = column.iter().map(|run| run.map(<[u8]>::to_vec)).collect();
        match edit_rows(&column, |row| chosen[row], edit) {
            None => prop_assert_eq!(before, expected),
            Some(after) => {
                prop_assert_ne!(&before, &expected);
                let after: Vec<_> = after.iter().map(|run| run.map(<[u8]>::to_vec)).collect();
                prop_assert_eq!(after, expected);
            }
        }
    }
}

#[test]
fn rows_with_the_same_view_are_edited_once_and_unchanged_rows_are_not_copied() {
    let long = |byte| vec![byte; 100];
    let mut column = BinaryViewBuilder::new();
    column.append_value(long(1));
    column.append_value(long(2));
    let two = column.finish();
    let views: Vec<u128> = [0, 0, 0, 1].map(|row: usize| two.views()[row]).to_vec();
    let column = BinaryViewArray::try_new(views.into(), two.data_buffers().to_vec(), None).unwrap();
    let mut calls = 0;
    let changed = edit_rows(
        &column,
        |_| true,
        |value, out| {
            calls += 1;
            let is_first = value == Some(&long(1)[..]);
            out.extend_from_slice(if is_first {
                b"something that is long"
            } else {
                b""
            });
            is_first
        },
    );
    let changed = changed.unwrap();
    assert_eq!(calls, 2);
    assert_eq!(changed.value(2), b"something that is long");
    assert_eq!(changed.views()[3], column.views()[3]);
    assert_eq!(
        changed.data_buffers()[0].as_ptr(),
        column.data_buffers()[0].as_ptr()
    );
    assert_eq!(changed.null_count(), 0);
}
