//! The functions `set(attributes, 'k', v, …)`, `without(attributes, 'k', …)` and `attributes('k', v, …)`.

use std::sync::Arc;

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use pipeline::attributes::{self, AttributesForm, edit_rows};
use pipeline::batch::cells;

use super::value::{self, AttributeValues};

/// A function whose result is attributes.
#[derive(Debug, PartialEq, Eq, Hash)]
struct EditFunction {
    kind: EditKind,
    signature: Signature,
}

/// The kind of an [`EditFunction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum EditKind {
    /// `set(attributes, key, value, …)`. A null value leaves its key unchanged.
    Set,
    /// `without(attributes, key, …)`.
    Without,
    /// `attributes(key, value, …)`.
    Attributes,
}

/// The functions of this module.
pub(super) fn functions() -> [ScalarUDF; 3] {
    [EditKind::Set, EditKind::Without, EditKind::Attributes].map(|kind| {
        ScalarUDF::from(EditFunction {
            kind,
            signature: Signature::variadic_any(Volatility::Immutable),
        })
    })
}

/// Whether `call` is a call of one of these functions. They take values of attributes with their types and not as text.
pub(super) fn takes_values(call: &ScalarFunction) -> bool {
    let function = call.func.inner().as_ref() as &dyn std::any::Any;
    function.is::<EditFunction>()
}

impl EditFunction {
    /// The number of arguments before the first key.
    fn before_keys(&self) -> usize {
        usize::from(self.kind != EditKind::Attributes)
    }
}

/// The text of a literal; `None` if it is null or of another type.
fn text(literal: &ScalarValue) -> Option<&str> {
    literal.try_as_str().flatten()
}

impl ScalarUDFImpl for EditFunction {
    fn name(&self) -> &'static str {
        match self.kind {
            EditKind::Set => "set",
            EditKind::Without => "without",
            EditKind::Attributes => "attributes",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("return_field_from_args is called instead")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let name = self.name();
        let mut is_nullable = false;
        if self.kind != EditKind::Attributes {
            let Some(attributes) = args.arg_fields.first() else {
                return plan_err!("{name}: the first argument must be attributes");
            };
            if AttributesForm::of(attributes) != Some(AttributesForm::Map) {
                return plan_err!("{name}: {} is not of type attributes", attributes.name());
            }
            is_nullable = attributes.is_nullable();
        }
        let keys_and_values = self.before_keys()..args.arg_fields.len();
        let has_values = self.kind != EditKind::Without;
        for index in keys_and_values.clone() {
            let is_value = has_values && (index - keys_and_values.start) % 2 == 1;
            if is_value {
                value::check(&args.arg_fields[index])?;
            } else if args.scalar_arguments[index].and_then(text).is_none() {
                return plan_err!(
                    "{name}: argument {} is a key and must be a text literal",
                    index + 1
                );
            }
        }
        if has_values && keys_and_values.len() % 2 == 1 {
            return plan_err!("{name}: the last key has no value");
        }
        let field = Field::new(name, DataType::BinaryView, is_nullable);
        Ok(Arc::new(
            field.with_metadata(AttributesForm::Map.metadata()),
        ))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let (before, after) = args.args.split_at(self.before_keys().min(args.args.len()));
        let column = match before.first() {
            Some(column) => column.to_array(rows)?,
            None => Arc::new(BinaryViewArray::from_iter_values(std::iter::repeat_n(
                b"", rows,
            ))),
        };
        let Some(column) = column.as_binary_view_opt() else {
            return exec_err!(
                "{}: attributes are of type {}",
                self.name(),
                column.data_type()
            );
        };
        let edited = match self.kind {
            EditKind::Without => without(column, after)?,
            EditKind::Set | EditKind::Attributes => {
                let fields = args.arg_fields.iter().skip(self.before_keys());
                set(column, after, fields)?
            }
        };
        Ok(ColumnarValue::Array(edited))
    }
}

fn key(argument: &ColumnarValue) -> Result<&str> {
    match argument {
        ColumnarValue::Scalar(literal) if let Some(key) = text(literal) => Ok(key),
        _ => exec_err!("a key must be a text literal"),
    }
}

fn without(column: &BinaryViewArray, keys: &[ColumnarValue]) -> Result<ArrayRef> {
    let keys: Vec<&str> = keys.iter().map(key).collect::<Result<_>>()?;
    let edit = |run: Option<&[u8]>, out: &mut Vec<u8>| {
        let is_dropped = |key: &[u8]| keys.iter().any(|dropped| dropped.as_bytes() == key);
        run.is_some_and(|run| attributes::without(run, is_dropped, out))
    };
    let edited = edit_rows(column, |_| true, edit);
    Ok(Arc::new(edited.unwrap_or_else(|| column.clone())))
}

fn set<'a>(
    column: &BinaryViewArray,
    keys_and_values: &[ColumnarValue],
    fields: impl Iterator<Item = &'a FieldRef>,
) -> Result<ArrayRef> {
    let fields: Vec<&FieldRef> = fields.collect();
    let mut settings = Vec::with_capacity(fields.len() / 2);
    let mut is_constant = true;
    for (pair, fields) in keys_and_values.chunks_exact(2).zip(fields.chunks_exact(2)) {
        let is_scalar = matches!(pair[1], ColumnarValue::Scalar(_));
        is_constant &= is_scalar;
        let values = pair[1].to_array(if is_scalar { 1 } else { column.len() })?;
        settings.push(Setting {
            key: key(&pair[0])?,
            values: AttributeValues::new(fields[1], &values)?,
            is_scalar,
        });
    }
    let mut scratch = EditScratch::default();
    if is_constant {
        let edit = |run: Option<&[u8]>, out: &mut Vec<u8>| match scratch.apply(&settings, run, 0) {
            Some(edited) => {
                out.extend_from_slice(edited);
                true
            }
            None => false,
        };
        let edited = edit_rows(column, |_| true, edit);
        return Ok(Arc::new(edited.unwrap_or_else(|| column.clone())));
    }
    let mut out = BinaryViewBuilder::with_capacity(column.len());
    for row in 0..column.len() {
        let run = cells::bytes(column, row);
        match scratch.apply(&settings, run, row) {
            Some(edited) => out.append_value(edited),
            None => out.append_option(run),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// A key to set, with its value in each row.
struct Setting<'a> {
    key: &'a str,
    values: AttributeValues,
    /// Whether `values` has one value for all rows.
    is_scalar: bool,
}

/// Memory that is reused for each row.
#[derive(Default)]
struct EditScratch {
    run: Vec<u8>,
    edited: Vec<u8>,
    any_value: Vec<u8>,
}

impl EditScratch {
    /// Applies the settings of a row to its encoded attributes `run`; `None` if nothing changes.
    fn apply(&mut self, settings: &[Setting<'_>], run: Option<&[u8]>, row: usize) -> Option<&[u8]> {
        let mut is_changed = false;
        for setting in settings {
            self.any_value.clear();
            let index = if setting.is_scalar { 0 } else { row };
            if !setting.values.encode(index, &mut self.any_value) {
                continue;
            }
            self.edited.clear();
            let current: &[u8] = if is_changed {
                &self.run
            } else {
                run.unwrap_or_default()
            };
            if attributes::set(current, setting.key, &self.any_value, &mut self.edited) {
                std::mem::swap(&mut self.run, &mut self.edited);
                is_changed = true;
            }
        }
        is_changed.then_some(&self.run)
    }
}
