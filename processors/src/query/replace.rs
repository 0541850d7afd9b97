//! The function `replace_all(attributes, 'pattern', 'replacement')`.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use pipeline::attributes::{AttributesForm, edit_rows, replace_texts, replace_texts_of_value};
use pipeline::sync::lock;
use regex::Regex;

/// Replaces the pattern in each text of attributes or of a value such as `body`, at any depth. Keys, numbers and types
/// do not change.
#[derive(Debug)]
struct ReplaceAll {
    signature: Signature,
    /// Compiled patterns by their texts, which are literals of one query.
    patterns: Mutex<HashMap<String, Regex>>,
}

impl PartialEq for ReplaceAll {
    fn eq(&self, other: &ReplaceAll) -> bool {
        self.signature == other.signature
    }
}

impl Eq for ReplaceAll {}

impl Hash for ReplaceAll {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

/// The function of this module.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(ReplaceAll {
        signature: Signature::any(3, Volatility::Immutable),
        patterns: Mutex::default(),
    })
}

impl ReplaceAll {
    /// Compiles a pattern, once for all batches.
    fn pattern(&self, text: &str) -> Result<Regex> {
        let mut patterns = lock(&self.patterns);
        if let Some(pattern) = patterns.get(text) {
            return Ok(pattern.clone());
        }
        match Regex::new(text) {
            Ok(pattern) => {
                patterns.insert(text.to_owned(), pattern.clone());
                Ok(pattern)
            }
            Err(error) => plan_err!("replace_all: {error}"),
        }
    }
}

/// The text of a literal; `None` if it is null or of another type.
fn text(literal: &ScalarValue) -> Option<&str> {
    literal.try_as_str().flatten()
}

/// Translates `\1`, the first group as in `regexp_replace`, to `${1}` of the crate `regex`.
fn groups(replacement: &str) -> String {
    let mut written = String::with_capacity(replacement.len());
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('\\') {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let (group, after) = after.split_at(digits);
        written.push_str(before);
        written.push_str(&match group {
            "" => "\\".to_owned(),
            group => format!("${{{group}}}"),
        });
        rest = after;
    }
    written.push_str(rest);
    written
}

impl ScalarUDFImpl for ReplaceAll {
    fn name(&self) -> &'static str {
        "replace_all"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("return_field_from_args is called instead")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let [attributes, _, _] = args.arg_fields else {
            return plan_err!("replace_all takes attributes, a pattern and a replacement");
        };
        let Some(form) = AttributesForm::of(attributes) else {
            return plan_err!(
                "replace_all: {} is not of type attributes: use regexp_replace for text",
                attributes.name()
            );
        };
        let literal = |index: usize| args.scalar_arguments[index].and_then(text);
        let (Some(pattern), Some(_)) = (literal(1), literal(2)) else {
            return plan_err!("replace_all: pattern and replacement must be text literals");
        };
        self.pattern(pattern)?;
        let field = Field::new(
            "replace_all",
            DataType::BinaryView,
            attributes.is_nullable(),
        );
        Ok(Arc::new(field.with_metadata(form.metadata())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let form = args
            .arg_fields
            .first()
            .and_then(|field| AttributesForm::of(field));
        let (
            Some(form),
            [
                column,
                ColumnarValue::Scalar(pattern),
                ColumnarValue::Scalar(replacement),
            ],
        ) = (form, args.args.as_slice())
        else {
            return exec_err!("replace_all: pattern and replacement must be text literals");
        };
        let (Some(pattern), Some(replacement)) = (text(pattern), text(replacement)) else {
            return exec_err!("replace_all: pattern and replacement must be text literals");
        };
        let (pattern, replacement) = (self.pattern(pattern)?, groups(replacement));
        let column = column.to_array(args.number_rows)?;
        let Some(rows) = column.as_binary_view_opt() else {
            return exec_err!("replace_all: attributes are of type {}", column.data_type());
        };
        let mut replace = |text: &str| {
            // The result is borrowed if nothing matches.
            match pattern.replace_all(text, replacement.as_str()) {
                std::borrow::Cow::Owned(replaced) => Some(replaced),
                std::borrow::Cow::Borrowed(_) => None,
            }
        };
        let edit = |bytes: Option<&[u8]>, out: &mut Vec<u8>| match (bytes, form) {
            (None, _) => false,
            (Some(run), AttributesForm::Map) => replace_texts(run, &mut replace, out),
            (Some(any), AttributesForm::Value) => replace_texts_of_value(any, &mut replace, out),
        };
        let edited = edit_rows(rows, |_| true, edit);
        Ok(ColumnarValue::Array(
            edited.map_or_else(|| column.clone(), |edited| Arc::new(edited)),
        ))
    }
}
