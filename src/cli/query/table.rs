//! The first list of an answer, as a table.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value as Json};

/// None where the answer has no list of objects. Columns stand in the order of the query: the
/// server answers in that in which it found them.
pub(super) fn of(data: &Json, query: &str) -> Option<String> {
    let rows: Vec<Map<String, Json>> = list(data)?.iter().map(row).collect();
    let mut columns: Vec<&String> = Vec::new();
    for key in rows.iter().flat_map(Map::keys) {
        if !columns.contains(&key) {
            columns.push(key);
        }
    }
    let fields = without_arguments(query);
    columns.sort_by_key(|column| place(column, &fields));
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

/// The query without what stands in parentheses, where names are not those of fields.
fn without_arguments(query: &str) -> String {
    let (mut depth, mut in_text, mut escaped) = (0, false, false);
    let mut fields = String::with_capacity(query.len());
    for c in query.chars() {
        match c {
            '"' if !escaped => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ if depth == 0 && !in_text => fields.push(c),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    fields
}

/// Where the query names the field.
fn place(column: &str, query: &str) -> (usize, usize) {
    let find = |name: &str, from: usize| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let mut names = query[from..].match_indices(name).map(|(at, _)| from + at);
        let is_whole = |at: &usize| {
            !query[..*at].ends_with(is_part) && !query[at + name.len()..].starts_with(is_part)
        };
        names.find(is_whole).unwrap_or(query.len())
    };
    let (outer, inner) = column.split_once('.').unwrap_or((column, ""));
    let outer = find(outer, 0);
    (outer, find(inner, outer))
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
        // Names come from anywhere: what a terminal would obey is shown, not sent.
        Json::String(text) if text.contains(char::is_control) => text.escape_debug().to_string(),
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
        let answer = json!({"nodes": {"pageInfo": {"hasNextPage": false}, "edges": [
            {"node": {"uid": "a", "lastSeen": "now", "tags": {"team": "x"}}},
            {"node": {"uid": "b", "extra": 0.123456}}
        ]}});
        let told = of(
            &answer,
            "{ nodes { edges { node { uid lastSeen tags extra } } } }",
        )
        .unwrap();
        let lines: Vec<Vec<&str>> = told
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0], ["UID", "LASTSEEN", "TAGS", "EXTRA"]);
        assert_eq!(lines[1], ["a", "now", r#"{"team":"x"}"#]);
        assert_eq!(lines[2], ["b", "0.1235"]);
        assert_eq!(of(&json!({"node": {"uid": "a"}}), ""), None);
    }

    #[test]
    fn columns_stand_as_they_were_asked_for() {
        let answer =
            json!([{"p95": 1, "to": "b", "toNode": {"kind": "x", "name": "b"}, "from": "a"}]);
        let query = r#"{ map(p95: "a \") from", to: 3) { from to toNode { name kind } p95 } }"#;
        let told = of(&answer, query).unwrap();
        let header: Vec<&str> = told.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(header, ["FROM", "TO", "TONODE.NAME", "TONODE.KIND", "P95"]);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(0.000_123_456), "0.0001235");
        assert_eq!(short(1234.5678), "1235");
        assert_eq!(short(0.5), "0.5");
    }
}
