//! The value of a plain scalar, by YAML 1.2's core schema (§10.3.2).

/// The value of a scalar with its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TypedScalar<'a> {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(&'a str),
}

/// Determines the type and value of a scalar without quotes.
pub(crate) fn parse_plain(text: &str) -> TypedScalar<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return TypedScalar::Null,
        "true" | "True" | "TRUE" => return TypedScalar::Bool(true),
        "false" | "False" | "FALSE" => return TypedScalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return TypedScalar::Float(f64::NAN),
        _ => {}
    }
    if let Some(int) = integer(text) {
        return TypedScalar::Int(int);
    }
    match float(text) {
        Some(float) => TypedScalar::Float(float),
        None => TypedScalar::Text(text),
    }
}

fn integer(text: &str) -> Option<i128> {
    if let Some(octal) = text.strip_prefix("0o") {
        return unsigned(octal, 8);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return unsigned(hex, 16);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn unsigned(digits: &str, radix: u32) -> Option<i128> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    i128::from_str_radix(digits, radix).ok()
}

fn float(text: &str) -> Option<f64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if matches!(rest, ".inf" | ".Inf" | ".INF") {
        return Some(sign * f64::INFINITY);
    }
    let mantissa = rest.split(['e', 'E']).next().unwrap_or_default();
    let numeric = !rest.starts_with(['-', '+'])
        && mantissa.bytes().any(|byte| byte.is_ascii_digit())
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if !numeric {
        return None;
    }
    rest.parse::<f64>().ok().map(|float| sign * float)
}

#[cfg(test)]
mod tests {
    use super::{TypedScalar, parse_plain};

    #[test]
    fn plain_scalars_have_the_types_of_the_core_schema() {
        for (text, typed) in [
            ("", TypedScalar::Null),
            ("~", TypedScalar::Null),
            ("True", TypedScalar::Bool(true)),
            ("yes", TypedScalar::Text("yes")),
            ("0123", TypedScalar::Int(123)),
            ("-7", TypedScalar::Int(-7)),
            ("0x1F", TypedScalar::Int(31)),
            ("0o17", TypedScalar::Int(15)),
            ("0x", TypedScalar::Text("0x")),
            ("1e", TypedScalar::Text("1e")),
            ("1.5e3", TypedScalar::Float(1500.0)),
            (".5", TypedScalar::Float(0.5)),
            ("-.inf", TypedScalar::Float(f64::NEG_INFINITY)),
            ("1_000", TypedScalar::Text("1_000")),
            ("1.2.3", TypedScalar::Text("1.2.3")),
            ("inf", TypedScalar::Text("inf")),
            ("--1", TypedScalar::Text("--1")),
        ] {
            assert_eq!(parse_plain(text), typed, "{text}");
        }
    }
}
