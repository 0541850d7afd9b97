//! Names that were probably meant. The suggestions of async-graphql compare every unknown field of a query with
//! every known one, letter by letter: 150 ms for a query of 64 KiB.

use async_graphql::ServerError;
use async_graphql::registry::Registry;
use pipeline::config::nearest;

/// Adds the nearest known name to the error of an unknown field or argument.
pub(super) fn suggest(error: &mut ServerError, registry: &Registry) {
    if let Some(name) = meant(&error.message, registry) {
        error.message += &format!(" Did you mean \"{name}\"?");
    }
}

/// `Unknown field "x" on type "T".`, `Unknown argument "x" on field "f" of type "T".`
fn meant(message: &str, registry: &Registry) -> Option<String> {
    let quoted: Vec<&str> = message.split('"').skip(1).step_by(2).collect();
    let nearest = match (message.split(' ').nth(1)?, quoted.as_slice()) {
        ("field", [field, of]) => {
            let fields = registry.types.get(*of)?.fields()?;
            nearest(field, fields.keys().map(String::as_str))
        }
        ("argument", [argument, field, of]) => {
            let field = registry.types.get(*of)?.field_by_name(field)?;
            nearest(argument, field.args.keys().map(String::as_str))
        }
        _ => None,
    };
    nearest.map(str::to_owned)
}
