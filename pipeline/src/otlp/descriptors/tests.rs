use super::{Kind, LOGS_REQUEST, METRICS_REQUEST, Message, Presence, TRACES_REQUEST};

/// All messages that can be reached from these, each once.
fn reach(message: &'static Message, all: &mut Vec<&'static Message>) {
    if all.iter().any(|known| std::ptr::eq(*known, message)) {
        return;
    }
    all.push(message);
    for field in message.fields {
        if let Kind::Message(inner) = field.kind {
            reach(inner, all);
        }
    }
}

#[test]
fn json_names_are_the_original_names_in_camel_case() {
    let mut all = Vec::new();
    for request in [&TRACES_REQUEST, &METRICS_REQUEST, &LOGS_REQUEST] {
        reach(request, &mut all);
    }
    assert_eq!(all.len(), 34);
    for field in all.iter().flat_map(|message| message.fields) {
        let mut name = String::new();
        let mut upper = false;
        for letter in field.original.chars() {
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
fn numbers_and_names_find_their_field_and_members_of_a_oneof_stand_last() {
    let mut all = Vec::new();
    for request in [&TRACES_REQUEST, &METRICS_REQUEST, &LOGS_REQUEST] {
        reach(request, &mut all);
    }
    for message in all {
        for (place, field) in message.fields.iter().enumerate() {
            assert_eq!(message.place_of_number(field.number), Some(place));
            assert_eq!(message.place_of_name(field.name), Some(place));
            assert_eq!(message.place_of_name(field.original), Some(place));
        }
        assert_eq!(message.place_of_number(1000), None);
        let is_member = |presence| presence == Presence::Oneof;
        assert!(
            message
                .fields
                .is_sorted_by_key(|field| is_member(field.presence))
        );
    }
}
