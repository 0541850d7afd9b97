//! The value of a plain scalar, by YAML 1.2's core schema (§10.3.2).

/// A scalar's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Typed<'a> {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(&'a str),
}

/// Types the text of a scalar without quotes.
pub(crate) fn plain(text: &str) -> Typed<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Typed::Null,
        "true" | "True" | "TRUE" => return Typed::Bool(true),
        "false" | "False" | "FALSE" => return Typed::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Typed::Float(f64::NAN),
        _ => {}
    }
    if let Some(int) = integer(text) {
        return Typed::Int(int);
    }
    match float(text) {
        Some(float) => Typed::Float(float),
        None => Typed::Text(text),
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
    use super::{Typed, plain};

    #[test]
    fn plain_scalars_are_typed_by_the_core_schema() {
        for (text, typed) in [
            ("", Typed::Null),
            ("~", Typed::Null),
            ("True", Typed::Bool(true)),
            ("yes", Typed::Text("yes")),
            ("0123", Typed::Int(123)),
            ("-7", Typed::Int(-7)),
            ("0x1F", Typed::Int(31)),
            ("0o17", Typed::Int(15)),
            ("0x", Typed::Text("0x")),
            ("1e", Typed::Text("1e")),
            ("1.5e3", Typed::Float(1500.0)),
            (".5", Typed::Float(0.5)),
            ("-.inf", Typed::Float(f64::NEG_INFINITY)),
            ("1_000", Typed::Text("1_000")),
            ("1.2.3", Typed::Text("1.2.3")),
            ("inf", Typed::Text("inf")),
            ("--1", Typed::Text("--1")),
        ] {
            assert_eq!(plain(text), typed, "{text}");
        }
    }
}
