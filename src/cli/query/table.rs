//! Renders the first list of a GraphQL response as a table.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value as Json};

/// Renders the table; `None` if the response has no list of objects. Columns have the order of the fields in the query,
/// since the response may have them in another order.
pub(super) fn render(data: &Json, query: &str) -> Option<String> {
    let rows: Vec<Map<String, Json>> = first_list(data)?.iter().map(row).collect();
    let mut columns: Vec<&String> = Vec::new();
    for key in rows.iter().flat_map(Map::keys) {
        if !columns.contains(&key) {
            columns.push(key);
        }
    }
    let fields = strip_arguments(query);
    columns.sort_by_key(|column| position(column, &fields));
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

/// The query without arguments: names in parentheses are not fields.
fn strip_arguments(query: &str) -> String {
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let mut fields = String::with_capacity(query.len());
    for c in query.chars() {
        match c {
            '"' if !escaped => in_string = !in_string,
            '(' if !in_string => depth += 1,
            ')' if !in_string => depth -= 1,
            _ if depth == 0 && !in_string => fields.push(c),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    fields
}

/// Where the query names the outer field of a column, and where it then names the inner field.
fn position(column: &str, query: &str) -> (usize, usize) {
    let find = |name: &str, from: usize| {
        let is_name_char = |c: char| c.is_alphanumeric() || c == '_';
        let mut names = query[from..].match_indices(name).map(|(at, _)| from + at);
        let is_whole_name = |at: &usize| {
            !query[..*at].ends_with(is_name_char)
                && !query[at + name.len()..].starts_with(is_name_char)
        };
        names.find(is_whole_name).unwrap_or(query.len())
    };
    let (outer, inner) = column.split_once('.').unwrap_or((column, ""));
    let outer = find(outer, 0);
    (outer, find(inner, outer))
}

/// The first array of objects. An array that is a member of an object comes before arrays nested in other members.
fn first_list(json: &Json) -> Option<&Vec<Json>> {
    match json {
        Json::Array(items) if items.iter().any(Json::is_object) => Some(items),
        Json::Object(members) => {
            let direct = members.values().find_map(|member| match member {
                Json::Array(_) => first_list(member),
                _ => None,
            });
            direct.or_else(|| members.values().find_map(first_list))
        }
        _ => None,
    }
}

/// The cells of an item, by column. The fields of a nested object become columns `outer.inner`; those of the `node` of
/// a Relay edge become columns `inner`.
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
        // Names are untrusted input: terminal control characters are escaped.
        Json::String(text) if text.contains(char::is_control) => text.escape_debug().to_string(),
        Json::String(text) => text.clone(),
        Json::Number(number) if number.is_f64() => {
            round_to_four_digits(number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

/// Rounds to four significant digits (0.0123456 becomes 0.01235), but keeps all digits before the point.
fn round_to_four_digits(number: f64) -> String {
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

    use super::{render, round_to_four_digits};

    #[test]
    fn the_first_list_is_shown() {
        let response = json!({"nodes": {"pageInfo": {"hasNextPage": false}, "edges": [
            {"node": {"uid": "a", "lastSeen": "now", "tags": {"team": "x"}}},
            {"node": {"uid": "b", "extra": 0.123456}}
        ]}});
        let table = render(
            &response,
            "{ nodes { edges { node { uid lastSeen tags extra } } } }",
        )
        .unwrap();
        let lines: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0], ["UID", "LASTSEEN", "TAGS", "EXTRA"]);
        assert_eq!(lines[1], ["a", "now", r#"{"team":"x"}"#]);
        assert_eq!(lines[2], ["b", "0.1235"]);
        assert_eq!(render(&json!({"node": {"uid": "a"}}), ""), None);
    }

    #[test]
    fn columns_have_the_order_of_the_fields_in_the_query() {
        let response =
            json!([{"p95": 1, "to": "b", "toNode": {"kind": "x", "name": "b"}, "from": "a"}]);
        let query = r#"{ map(p95: "a \") from", to: 3) { from to toNode { name kind } p95 } }"#;
        let table = render(&response, query).unwrap();
        let header: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(header, ["FROM", "TO", "TONODE.NAME", "TONODE.KIND", "P95"]);
    }

    #[test]
    fn numbers_are_rounded_to_four_significant_digits() {
        assert_eq!(round_to_four_digits(0.000_123_456), "0.0001235");
        assert_eq!(round_to_four_digits(1234.5678), "1235");
        assert_eq!(round_to_four_digits(0.5), "0.5");
    }
}
