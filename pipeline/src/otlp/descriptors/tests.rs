//! Tests of the tables of OTLP messages.

use super::{
    FieldPresence, FieldType, LOGS_REQUEST, METRICS_REQUEST, MessageDescriptor, TRACES_REQUEST,
};

/// Adds a message and all messages in it to `all`, each once.
fn collect_messages(
    message: &'static MessageDescriptor,
    all: &mut Vec<&'static MessageDescriptor>,
) {
    if all.iter().any(|other| std::ptr::eq(*other, message)) {
        return;
    }
    all.push(message);
    for field in message.fields {
        if let FieldType::Message(inner) = field.kind {
            collect_messages(inner, all);
        }
    }
}

#[test]
fn json_names_are_the_proto_names_in_camel_case() {
    let mut all = Vec::new();
    for request in [&TRACES_REQUEST, &METRICS_REQUEST, &LOGS_REQUEST] {
        collect_messages(request, &mut all);
    }
    assert_eq!(all.len(), 34);
    for field in all.iter().flat_map(|message| message.fields) {
        let mut name = String::new();
        let mut upper = false;
        for letter in field.proto_name.chars() {
            match letter {
                '_' => {}
                letter if upper => name.push(letter.to_ascii_uppercase()),
                letter => name.push(letter),
            }
            upper = letter == '_';
        }
        assert_eq!(field.name, name);
    }
}

#[test]
fn fields_are_found_by_number_and_name_and_members_of_a_oneof_are_last() {
    let mut all = Vec::new();
    for request in [&TRACES_REQUEST, &METRICS_REQUEST, &LOGS_REQUEST] {
        collect_messages(request, &mut all);
    }
    for message in all {
        for (index, field) in message.fields.iter().enumerate() {
            assert_eq!(message.index_of_number(field.number), Some(index));
            assert_eq!(message.index_of_name(field.name), Some(index));
            assert_eq!(message.index_of_name(field.proto_name), Some(index));
        }
        assert_eq!(message.index_of_number(1000), None);
        let is_member = |presence| presence == FieldPresence::Oneof;
        assert!(
            message
                .fields
                .is_sorted_by_key(|field| is_member(field.presence))
        );
    }
}
