//! `set(attributes, 'k', v, …)`, `without(attributes, 'k', …)` and `attributes('k', v, …)`.

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
use pipeline::attributes::{self, Form, edit_rows};

use super::value::{self, Values};

/// A function whose result is attributes.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Edit {
    what: What,
    signature: Signature,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    /// Attributes, then keys and values in turn. A value that is null leaves its key as it was.
    Set,
    /// Attributes, then keys.
    Without,
    /// Keys and values in turn.
    Attributes,
}

pub(super) fn functions() -> [ScalarUDF; 3] {
    [What::Set, What::Without, What::Attributes].map(|what| {
        ScalarUDF::from(Edit {
            what,
            signature: Signature::variadic_any(Volatility::Immutable),
        })
    })
}

/// Whether a call takes values of attributes as they stand, with their types.
pub(super) fn takes_values(call: &ScalarFunction) -> bool {
    let function = call.func.inner().as_ref() as &dyn std::any::Any;
    function.is::<Edit>()
}

impl Edit {
    /// How many arguments stand before the first key.
    fn before_keys(&self) -> usize {
        usize::from(self.what != What::Attributes)
    }
}

fn text(literal: &ScalarValue) -> Option<&str> {
    literal.try_as_str().flatten()
}

impl ScalarUDFImpl for Edit {
    fn name(&self) -> &'static str {
        match self.what {
            What::Set => "set",
            What::Without => "without",
            What::Attributes => "attributes",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("return_field_from_args is asked instead")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let name = self.name();
        let mut is_nullable = false;
        if self.what != What::Attributes {
            let Some(attributes) = args.arg_fields.first() else {
                return plan_err!("{name} needs attributes first");
            };
            if Form::of(attributes) != Some(Form::Map) {
                return plan_err!("{name}: {} are no attributes", attributes.name());
            }
            is_nullable = attributes.is_nullable();
        }
        let keys_and_values = self.before_keys()..args.arg_fields.len();
        let in_turn = self.what != What::Without;
        for index in keys_and_values.clone() {
            let is_value = in_turn && (index - keys_and_values.start) % 2 == 1;
            if is_value {
                value::check(&args.arg_fields[index])?;
            } else if args.scalar_arguments[index].and_then(text).is_none() {
                return plan_err!("{name}: argument {} is a key, a text literal", index + 1);
            }
        }
        if in_turn && keys_and_values.len() % 2 == 1 {
            return plan_err!("{name}: the last key has no value");
        }
        let field = Field::new(name, DataType::BinaryView, is_nullable);
        Ok(Arc::new(field.with_metadata(Form::Map.metadata())))
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
        let edited = match self.what {
            What::Without => without(column, after)?,
            What::Set | What::Attributes => {
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
        _ => exec_err!("a key is a text literal"),
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
            values: Values::new(fields[1], &values)?,
            is_scalar,
        });
    }
    let mut scratch = Scratch::default();
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
        let run = column.is_valid(row).then(|| column.value(row));
        match scratch.apply(&settings, run, row) {
            Some(edited) => out.append_value(edited),
            None => out.append_option(run),
        }
    }
    Ok(Arc::new(out.finish()))
}

struct Setting<'a> {
    key: &'a str,
    values: Values,
    is_scalar: bool,
}

/// Memory that the rows share.
#[derive(Default)]
struct Scratch {
    run: Vec<u8>,
    edited: Vec<u8>,
    any_value: Vec<u8>,
}

impl Scratch {
    /// The run with all settings of a row; none where they change nothing.
    fn apply(&mut self, settings: &[Setting<'_>], run: Option<&[u8]>, row: usize) -> Option<&[u8]> {
        let mut is_changed = false;
        for setting in settings {
            self.any_value.clear();
            let at = if setting.is_scalar { 0 } else { row };
            if !setting.values.encode(at, &mut self.any_value) {
                continue;
            }
            self.edited.clear();
            let now: &[u8] = if is_changed {
                &self.run
            } else {
                run.unwrap_or_default()
            };
            if attributes::set(now, setting.key, &self.any_value, &mut self.edited) {
                std::mem::swap(&mut self.run, &mut self.edited);
                is_changed = true;
            }
        }
        is_changed.then_some(&self.run)
    }
}
