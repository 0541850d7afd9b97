//! The first list of an answer, as a table.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value as Json};

/// None where the answer has no list of objects.
pub(super) fn of(data: &Json) -> Option<String> {
    let rows: Vec<Map<String, Json>> = list(data)?.iter().map(row).collect();
    let mut columns: Vec<&String> = Vec::new();
    for key in rows.iter().flat_map(Map::keys) {
        if !columns.contains(&key) {
            columns.push(key);
        }
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(columns.iter().map(|column| column.to_uppercase()));
    for row in &rows {
        table.add_row(
            columns
                .iter()
                .map(|column| row.get(*column).map_or_else(String::new, cell)),
        );
    }
    Some(table.trim_fmt())
}

/// The first array of objects, from the top.
fn list(json: &Json) -> Option<&Vec<Json>> {
    match json {
        Json::Array(items) if items.iter().any(Json::is_object) => Some(items),
        Json::Object(members) => {
            let direct = members.values().find_map(|member| match member {
                Json::Array(_) => list(member),
                _ => None,
            });
            direct.or_else(|| members.values().find_map(list))
        }
        _ => None,
    }
}

/// An item's values; those of an object within stand beside them, and a Relay item is its node.
fn row(item: &Json) -> Map<String, Json> {
    let mut row = Map::new();
    for (key, value) in item.as_object().into_iter().flatten() {
        match value {
            Json::Object(members) if key == "node" => row.extend(members.clone()),
            Json::Object(members) => {
                row.extend(
                    members
                        .iter()
                        .map(|(inner, value)| (format!("{key}.{inner}"), value.clone())),
                );
            }
            _ => {
                row.insert(key.clone(), value.clone());
            }
        }
    }
    row
}

fn cell(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        // As precise as people read: 0.012345 is 0.01235.
        Json::Number(number) if number.is_f64() => short(number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
}

/// Four significant digits.
fn short(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let digits = 3 - number.abs().log10().floor() as i32;
    let text = format!("{number:.*}", usize::try_from(digits).unwrap_or_default());
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{of, short};

    #[test]
    fn the_first_list_is_shown() {
        let told = of(
            &json!({"nodes": {"pageInfo": {"hasNextPage": false}, "edges": [
                {"node": {"uid": "a", "lastSeen": "now", "tags": {"team": "x"}}},
                {"node": {"uid": "b", "extra": 0.123456}}
            ]}}),
        );
        let told = told.unwrap();
        let lines: Vec<Vec<&str>> = told
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0], ["UID", "LASTSEEN", "TAGS", "EXTRA"]);
        assert_eq!(lines[1], ["a", "now", r#"{"team":"x"}"#]);
        assert_eq!(lines[2], ["b", "0.1235"]);
        assert_eq!(of(&json!({"node": {"uid": "a"}})), None);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(0.000_123_456), "0.0001235");
        assert_eq!(short(1234.5678), "1235");
        assert_eq!(short(0.5), "0.5");
    }
}
