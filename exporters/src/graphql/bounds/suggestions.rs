//! Suggests names for unknown fields and arguments. The suggestions of async-graphql are disabled: they compare every
//! unknown field of a query with every known one, which takes 150 ms for a query of 64 KiB.

use async_graphql::ServerError;
use async_graphql::registry::Registry;
use pipeline::config::nearest;

/// Appends the nearest known name to the error of an unknown field or argument, or all known names if none is near.
pub(super) fn suggest(error: &mut ServerError, registry: &Registry) {
    let Some((written, known)) = names(&error.message, registry) else {
        return;
    };
    error.message += &match nearest(&written, known.iter().copied()) {
        Some(name) => format!(" Did you mean \"{name}\"?"),
        None if known.is_empty() => " It has none.".to_owned(),
        None => format!(" It has {}.", known.join(", ")),
    };
}

/// The unknown name in an error message, and the known names. Parses `Unknown field "x" on type "T".` and
/// `Unknown argument "x" on field "f" of type "T".`
fn names<'r>(message: &str, registry: &'r Registry) -> Option<(String, Vec<&'r str>)> {
    let quoted: Vec<&str> = message.split('"').skip(1).step_by(2).collect();
    let (written, known) = match (message.split(' ').nth(1)?, quoted.as_slice()) {
        ("field", [field, of]) => {
            let fields = registry.types.get(*of)?.fields()?;
            (field, fields.keys().map(String::as_str).collect())
        }
        ("argument", [argument, field, of]) => {
            let field = registry.types.get(*of)?.field_by_name(field)?;
            (argument, field.args.keys().map(String::as_str).collect())
        }
        _ => return None,
    };
    Some(((*written).to_owned(), known))
}
