//! Tests of the encoder of protobuf fields, on generated fields.

use proptest::collection::vec;
use proptest::prelude::*;

use super::ReverseWriter;

/// A run of fields with the given numbers and lengths.
fn run(fields: &[(u32, usize)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, length) in fields {
        prost::encoding::encode_varint(u64::from(number << 3 | 2), &mut out);
        prost::encoding::encode_varint(*length as u64, &mut out);
        out.resize(out.len() + length, 0xff);
    }
    out
}

fn written(write: impl FnOnce(&mut ReverseWriter)) -> Vec<u8> {
    let mut out = ReverseWriter::with_capacity(0);
    write(&mut out);
    out.finish().to_vec()
}

proptest! {
    #[test]
    fn every_field_of_a_run_gets_the_number(
        fields in vec((prop_oneof![4 => Just(9u32), 1 => 1..40u32], prop_oneof![0..300usize, 16_000..17_000usize]), 0..6),
    ) {
        let expected: Vec<_> = fields.iter().map(|(_, length)| (9, *length)).collect();
        let found = written(|out| out.run(9, &run(&fields)));
        prop_assert!(found == run(&expected));
    }

    #[test]
    fn malformed_end_of_a_run_is_omitted(fields in vec((1..40u32, 0..300usize), 1..4), cut in 1..10usize) {
        let whole = run(&fields);
        let last = run(&fields[fields.len() - 1..]).len();
        let broken = &whole[..whole.len() - cut.min(last - 1)];
        let found = written(|out| out.run(3, broken));
        let expected: Vec<_> = fields.iter().map(|(_, length)| (3, *length)).collect();
        prop_assert!(found == run(&expected[..expected.len() - 1]));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..64)) {
        written(|out| out.run(1, &bytes));
    }

    #[test]
    fn numbers_are_encoded_as_by_prost(value in prop_oneof![0..300u64, any::<u64>()]) {
        let mut expected = vec![5 << 3];
        prost::encoding::encode_varint(value, &mut expected);
        let expected = if value == 0 { Vec::new() } else { expected };
        prop_assert_eq!(written(|out| out.uint(5, value)), expected);
        let mut packed = Vec::new();
        prost::encoding::uint64::encode_packed(20, &[value, 1, value], &mut packed);
        prop_assert_eq!(written(|out| out.packed_varints(20, &[value, 1, value])), packed);
    }
}

#[test]
fn fields_are_in_order_when_the_buffer_grows() {
    let found = written(|out| {
        out.message(2, |out| {
            out.text(3, "later");
            out.message(1, |_| {});
        });
        out.text(1, &"x".repeat(200));
    });
    let mut expected = vec![0x0a, 200, 1];
    expected.extend([b'x'; 200]);
    expected.extend(b"\x12\x09\x0a\x00\x1a\x05later");
    assert_eq!(found, expected);
}
