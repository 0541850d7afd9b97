//! Reads JSON's numbers without loss of precision.

/// The length of the number at the start of the bytes; `None` if they do not begin with a number.
#[inline]
pub(super) fn number_length(bytes: &[u8]) -> Option<usize> {
    let mut length = usize::from(bytes.first() == Some(&b'-'));
    match digits(&bytes[length..]) {
        0 => return None,
        1 => length += 1,
        _ if bytes[length] == b'0' => return None,
        more => length += more,
    }
    if bytes.get(length) == Some(&b'.') {
        match digits(&bytes[length + 1..]) {
            0 => return None,
            fraction => length += 1 + fraction,
        }
    }
    if let Some(b'e' | b'E') = bytes.get(length) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        match digits(&bytes[length + 1 + sign..]) {
            0 => return None,
            exponent => length += 1 + sign + exponent,
        }
    }
    Some(length)
}

#[inline]
fn digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

/// Whether the whole text is a number.
#[inline]
pub(super) fn is_number(text: &str) -> bool {
    number_length(text.as_bytes()) == Some(text.len())
}

/// The value of a number, such as `5`, `5.0` or `50e-1`; `None` unless it is an integer with a magnitude of at most 64
/// bits.
#[inline]
pub(super) fn integer(number: &str) -> Option<i128> {
    let (negative, magnitude) = match number.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, number),
    };
    let value = i128::from(match magnitude.parse::<u64>() {
        Ok(value) => value,
        Err(_) => integer_with_exponent(magnitude)?,
    });
    Some(if negative { -value } else { value })
}

/// The value of a number with a fraction or an exponent, if it is an integer.
#[cold]
fn integer_with_exponent(magnitude: &str) -> Option<u64> {
    let (mantissa, exponent) = match magnitude.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent),
        None => (magnitude, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    let Some((last, _)) = digits()
        .enumerate()
        .filter(|(_, digit)| *digit != b'0')
        .last()
    else {
        return Some(0);
    };
    // A number with an exponent over 64 bits is out of range or has a fraction.
    let point = i64::try_from(whole.len())
        .ok()?
        .checked_add(exponent.parse::<i64>().ok()?)?;
    if point <= i64::try_from(last).ok()? {
        return None;
    }
    let mut value = 0u64;
    let padded = digits().chain(std::iter::repeat(b'0'));
    for digit in padded.take(usize::try_from(point).ok()?) {
        value = value
            .checked_mul(10)?
            .checked_add(u64::from(digit - b'0'))?;
    }
    Some(value)
}

/// The value of a number as a double; `None` if it is too large.
#[inline]
pub(super) fn double(number: &str) -> Option<f64> {
    number.parse::<f64>().ok().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{double, integer, is_number};

    #[test]
    fn numbers_of_json_are_recognized() {
        for number in ["0", "-0", "10", "1.5", "-1.25e+3", "0e0", "1E-9", "0.0"] {
            assert!(is_number(number), "{number}");
        }
        for text in [
            "", "-", "+1", "01", "1.", ".5", "1e", "1e+", " 1", "1 ", "0x1", "NaN", "--1", "-01",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn integers_are_exact_in_any_notation() {
        for (number, value) in [
            ("5.0", 5),
            ("5e0", 5),
            ("1.5e1", 15),
            ("-10e-1", -1),
            ("0.05E2", 5),
            ("1000e-3", 1),
            ("-0", 0),
            ("-0.0", 0),
            ("0e99999999999999999999", 0),
            ("0.000e-5", 0),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("18446744073709551615", 18_446_744_073_709_551_615),
            ("1.8446744073709551615e19", 18_446_744_073_709_551_615),
            ("-9223372036854775808", -9_223_372_036_854_775_808),
        ] {
            assert_eq!(integer(number), Some(value), "{number}");
        }
        for number in [
            "0.5",
            "1e-1",
            "1.05e1",
            "18446744073709551616",
            "1e20",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "1e9223372036854775807",
            "123e-9223372036854775808",
        ] {
            assert_eq!(integer(number), None, "{number}");
        }
    }

    #[test]
    fn double_that_is_too_large_is_none() {
        assert_eq!(double("1e400"), None);
        assert_eq!(double("-1e400"), None);
        assert_eq!(double("1e-400"), Some(0.0));
        assert_eq!(double("-0.0").map(f64::to_bits), Some((-0.0f64).to_bits()));
    }
}
