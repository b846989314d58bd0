//! The one door between Python's data and the core: Arrow streams and numpy arrays in, numpy arrays and
//! Arrow text out. Buffers are borrowed on the way in and handed over on the way out, never copied.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Decimal128Array, LargeStringArray, RecordBatch, cast::AsArray, types as t};
use arrow_buffer::{BooleanBuffer, Buffer, OffsetBuffer};
use arrow_cast::CastOptions;
use arrow_schema::{DataType, Field, TimeUnit as ArrowUnit};
pub(crate) use numpy::Element;
use numpy::{IntoPyArray, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3_arrow::{PyArray, PyTable};
use xifen_core::{
    Error, Result,
    cluster::{self, kprototypes::Mixed},
    column::{Batch, Bits, Codes, Column, OwnedText, Text, TextLayout, TimeUnit, Values},
    ids::CustomerIds,
};

use crate::error;

/// The caller's columns, kept alive while the core reads them.
pub(crate) struct Frame {
    batches: Vec<RecordBatch>,
}

impl<'py> FromPyObject<'_, 'py> for Frame {
    type Error = PyErr;

    /// Takes any object with `__arrow_c_stream__` whose columns have kinds the core knows.
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let (mut batches, schema) = object.extract::<PyTable>()?.into_inner();
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema)); // the kinds of the columns are known even without a row
        }
        let mut first = 0;
        let normal = |batch: &RecordBatch| {
            let normal = normalise(batch, first);
            first += batch.num_rows();
            normal
        };
        let batches = batches.iter().map(normal).collect::<Result<_>>();
        Ok(Self { batches: batches.map_err(|failure| error::to_python(object.py(), failure))? })
    }
}

impl Frame {
    /// The columns as the core reads them, one batch per piece of the stream.
    pub(crate) fn batches(&self) -> Result<Vec<Batch<'_>>> {
        self.batches.iter().map(|batch| batch.columns().iter().map(borrow).collect()).collect()
    }
}

/// A numpy array of two dimensions, float32 or float64, that stays where it is while the core reads it.
pub(crate) enum Matrix<'py> {
    Single(Rows<'py, f32>),
    Double(Rows<'py, f64>),
}

impl<'py> FromPyObject<'_, 'py> for Matrix<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let single = object.extract().map(|array| Self::Single(Rows(array)));
        single.or_else(|_| Ok(Self::Double(Rows(object.extract()?))))
    }
}

/// The same lines for either kind of number.
macro_rules! either {
    ($matrix:expr, $rows:ident => $body:expr) => {
        match $matrix {
            $crate::convert::Matrix::Single($rows) => $body,
            $crate::convert::Matrix::Double($rows) => $body,
        }
    };
}

pub(crate) use either;

/// A [`Matrix`] of one kind of number.
pub(crate) struct Rows<'py, T: Element>(PyReadonlyArray2<'py, T>);

impl<T: Element + cluster::Real> Rows<'_, T> {
    /// The array as the core reads it, row after row or column after column.
    pub(crate) fn matrix(&self) -> PyResult<cluster::Matrix<'_, T>> {
        let array = &self.0;
        let values = array.as_slice()?;
        let shape = array.shape();
        let (rows, columns) = (shape.first().copied().unwrap_or(0), shape.get(1).copied().unwrap_or(0));
        cluster::Matrix::new(values, rows, columns, !array.is_c_contiguous())
            .ok_or_else(|| error::internal(array.py(), "an array has not as many values as its shape says"))
    }

    /// A copy of the values.
    pub(crate) fn values(&self) -> PyResult<Vec<T>> {
        Ok(self.0.as_slice()?.to_vec())
    }

    /// Another array of the same kind of number.
    #[allow(clippy::unused_self)] // self says which kind
    pub(crate) fn like<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Rows<'py, T>> {
        Ok(Rows(other.extract()?))
    }
}

/// Numbers of rows beside their categories' codes: two arrays of two dimensions, the codes' with one row per column.
pub(crate) struct MixedRows<'py> {
    numbers: Rows<'py, f64>,
    codes: PyReadonlyArray2<'py, i32>,
}

impl<'py> FromPyObject<'_, 'py> for MixedRows<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let (numbers, codes) = object.extract()?;
        Ok(Self { numbers: Rows(numbers), codes })
    }
}

impl MixedRows<'_> {
    /// The rows as the core reads them.
    pub(crate) fn mixed(&self) -> PyResult<Mixed<'_>> {
        let columns = self.codes.shape().first().copied().unwrap_or(0);
        Mixed::new(self.numbers.matrix()?, self.codes.as_slice()?, columns)
            .ok_or_else(|| error::internal(self.codes.py(), "there are not as many codes as rows"))
    }
}

/// A numpy array of one dimension, read where it stands.
pub(crate) struct Vector<'py, T: Element>(PyReadonlyArray1<'py, T>);

impl<'py, T: Element> FromPyObject<'_, 'py> for Vector<'py, T> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(object.extract()?))
    }
}

impl<T: Element> Vector<'_, T> {
    pub(crate) fn slice(&self) -> PyResult<&[T]> {
        Ok(self.0.as_slice()?)
    }
}

/// One label per row, as int32 or int64.
pub(crate) enum Labels<'py> {
    Narrow(Vector<'py, i32>),
    Wide(Vector<'py, i64>),
}

impl<'py> FromPyObject<'_, 'py> for Labels<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let narrow = object.extract().map(Self::Narrow);
        narrow.or_else(|_| Ok(Self::Wide(object.extract()?)))
    }
}

impl Labels<'_> {
    pub(crate) fn labels(&self) -> PyResult<cluster::metrics::Labels<'_>> {
        Ok(match self {
            Self::Narrow(labels) => cluster::metrics::Labels::Narrow(labels.slice()?),
            Self::Wide(labels) => cluster::metrics::Labels::Wide(labels.slice()?),
        })
    }
}

/// Casts the few kinds the core does not read in place to one it does; `first` is the number of the first row among all.
fn normalise(batch: &RecordBatch, first: usize) -> Result<RecordBatch> {
    let schema = batch.schema();
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let wanted = wanted_type(field.name(), column.data_type())?;
        let column = if &wanted == column.data_type() {
            column.clone()
        } else {
            // Not "safe": that would make a value that does not fit a missing one.
            let options = CastOptions { safe: false, ..CastOptions::default() };
            let cast = |rows: ArrayRef| arrow_cast::cast_with_options(&rows, &wanted, &options);
            cast(column.clone()).map_err(|failure| {
                let misfit = |row: &usize| cast(column.slice(*row, 1)).is_err();
                let place =
                    (0..column.len()).find(misfit).map_or(String::new(), |row| format!(" in row {}", first + row));
                let (name, kind) = (field.name(), column.data_type());
                Error::input(if matches!(wanted, DataType::Decimal128(..)) {
                    format!(
                        "column '{name}' holds {kind} that needs more than 38 digits{place}; round it, or give floats"
                    )
                } else {
                    format!("column '{name}' cannot be read as {wanted}{place}: {failure}; convert it first")
                })
            })?
        };
        fields.push(Field::new(field.name(), wanted, true));
        columns.push(column);
    }
    RecordBatch::try_new_with_options(
        Arc::new(arrow_schema::Schema::new(fields)),
        columns,
        &arrow_array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows())),
    )
    .map_err(|failure| Error::input(format!("the columns cannot be read together: {failure}")))
}

fn wanted_type(name: &str, found: &DataType) -> Result<DataType> {
    use DataType as D;
    Ok(match found {
        D::Null
        | D::Boolean
        | D::Utf8
        | D::LargeUtf8
        | D::Utf8View
        | D::Date32
        | D::Timestamp(..)
        | D::Decimal128(..) => found.clone(),
        found if found.is_numeric() => match found {
            D::Float16 => D::Float32,
            D::Decimal32(precision, scale) | D::Decimal64(precision, scale) => D::Decimal128(*precision, *scale),
            D::Decimal256(_, scale) => D::Decimal128(38, *scale),
            other => other.clone(),
        },
        D::Date64 => D::Timestamp(ArrowUnit::Millisecond, None),
        D::Dictionary(code, value) => match wanted_type(name, value)? {
            text @ (D::Utf8 | D::LargeUtf8 | D::Utf8View) => {
                let narrow = matches!(**code, D::Int8 | D::UInt8);
                D::Dictionary(if narrow { code.clone() } else { Box::new(D::UInt32) }, Box::new(text))
            }
            other => other,
        },
        D::RunEndEncoded(_, values) => wanted_type(name, values.data_type())?,
        other => {
            return Err(Error::input(format!(
                "column '{name}' holds {other}; wanted numbers, text, dates, timestamps or true/false: convert or drop it"
            )));
        }
    })
}

fn bits(buffer: &BooleanBuffer) -> Option<Bits<'_>> {
    Bits::new(buffer.values(), buffer.offset(), buffer.len())
}

fn validity(array: &dyn Array) -> Option<Bits<'_>> {
    bits(array.nulls().filter(|nulls| nulls.null_count() > 0)?.inner())
}

fn values<T: t::ArrowPrimitiveType>(array: &dyn Array) -> Values<'_, T::Native> {
    Values { values: array.as_primitive::<T>().values(), validity: validity(array) }
}

fn borrow(array: &ArrayRef) -> Result<Column<'_>> {
    let array = array.as_ref();
    Ok(match array.data_type() {
        DataType::Null => Column::Null(array.len()),
        DataType::Boolean => bits(array.as_boolean().values())
            .map_or(Column::Null(array.len()), |bits| Column::Bool(bits, validity(array))),
        DataType::Int8 => Column::Int8(values::<t::Int8Type>(array)),
        DataType::Int16 => Column::Int16(values::<t::Int16Type>(array)),
        DataType::Int32 => Column::Int32(values::<t::Int32Type>(array)),
        DataType::Int64 => Column::Int64(values::<t::Int64Type>(array)),
        DataType::UInt8 => Column::UInt8(values::<t::UInt8Type>(array)),
        DataType::UInt16 => Column::UInt16(values::<t::UInt16Type>(array)),
        DataType::UInt32 => Column::UInt32(values::<t::UInt32Type>(array)),
        DataType::UInt64 => Column::UInt64(values::<t::UInt64Type>(array)),
        DataType::Float32 => Column::Float32(values::<t::Float32Type>(array)),
        DataType::Float64 => Column::Float64(values::<t::Float64Type>(array)),
        DataType::Decimal128(_, scale) => Column::Decimal(values::<t::Decimal128Type>(array), *scale),
        DataType::Date32 => Column::Date(values::<t::Date32Type>(array)),
        DataType::Timestamp(unit, zone) => {
            let zone = zone.as_deref();
            match unit {
                ArrowUnit::Second => Column::Timestamp(values::<t::TimestampSecondType>(array), TimeUnit::Second, zone),
                ArrowUnit::Millisecond => {
                    Column::Timestamp(values::<t::TimestampMillisecondType>(array), TimeUnit::Millisecond, zone)
                }
                ArrowUnit::Microsecond => {
                    Column::Timestamp(values::<t::TimestampMicrosecondType>(array), TimeUnit::Microsecond, zone)
                }
                ArrowUnit::Nanosecond => {
                    Column::Timestamp(values::<t::TimestampNanosecondType>(array), TimeUnit::Nanosecond, zone)
                }
            }
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Column::Text(text(array)),
        DataType::Dictionary(code, _) => {
            let dictionary = array.as_any_dictionary();
            let keys = dictionary.keys();
            let codes = match **code {
                // No code is below zero: the bytes are the same.
                DataType::Int8 => {
                    let bytes = keys.as_primitive::<t::Int8Type>().values().inner().as_slice();
                    Codes::Narrow(Values { values: bytes, validity: validity(keys) })
                }
                DataType::UInt8 => Codes::Narrow(values::<t::UInt8Type>(keys)),
                _ => Codes::Wide(values::<t::UInt32Type>(keys)),
            };
            Column::Dictionary(codes, text(dictionary.values()))
        }
        other => return Err(Error::input(format!("{other} is not a kind of column the core reads"))),
    })
}

fn text(array: &dyn Array) -> Text<'_> {
    let layout = match array.data_type() {
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            TextLayout::Offsets32(array.value_offsets(), array.values())
        }
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>();
            TextLayout::Offsets64(array.value_offsets(), array.values())
        }
        _ => {
            let array = array.as_string_view();
            TextLayout::Views(array.views(), array.data_buffers().iter().map(Buffer::as_slice).collect())
        }
    };
    Text { layout, validity: validity(array) }
}

/// A numpy array that owns the vector.
pub(crate) fn numpy<T: Element>(py: Python<'_>, values: Vec<T>) -> Bound<'_, PyAny> {
    values.into_pyarray(py).into_any()
}

/// Values with the rows that are missing (`None`: none is): a pair of numpy arrays, or an array and None.
pub(crate) fn masked<T: Element>(
    py: Python<'_>,
    values: Vec<T>,
    missing: Option<Vec<bool>>,
) -> PyResult<Bound<'_, PyAny>> {
    let missing = missing.map(|missing| numpy(py, missing));
    Ok((numpy(py, values), missing).into_pyobject(py)?.into_any())
}

/// A pyarrow array of text.
pub(crate) fn text_array(py: Python<'_>, text: OwnedText) -> PyResult<Bound<'_, PyAny>> {
    let OwnedText { offsets, bytes } = text;
    let array = LargeStringArray::try_new(OffsetBuffer::new(offsets.into()), bytes.into(), None);
    pyarrow(py, array)
}

/// The ids of a table.
pub(crate) fn customer_ids(py: Python<'_>, ids: CustomerIds) -> PyResult<Bound<'_, PyAny>> {
    match ids {
        CustomerIds::Signed(ids) => Ok(numpy(py, ids)),
        CustomerIds::Unsigned(ids) => Ok(numpy(py, ids)),
        CustomerIds::Text(ids) => text_array(py, ids),
    }
}

/// A pyarrow array of decimals with 38 digits, `scale` of them behind the point.
pub(crate) fn decimal_array(
    py: Python<'_>,
    units: Vec<i128>,
    missing: Option<Vec<bool>>,
    scale: i8,
) -> PyResult<Bound<'_, PyAny>> {
    let nulls = missing.map(|missing| missing.into_iter().map(|missing| !missing).collect());
    let array =
        Decimal128Array::try_new(units.into(), nulls).and_then(|array| array.with_precision_and_scale(38, scale));
    pyarrow(py, array)
}

fn pyarrow(
    py: Python<'_>,
    array: std::result::Result<impl Array + 'static, arrow_schema::ArrowError>,
) -> PyResult<Bound<'_, PyAny>> {
    let array = array.map_err(|failure| error::internal(py, &failure.to_string()))?;
    let array = PyArray::from_array_ref(Arc::new(array));
    py.import("pyarrow")?.getattr("array")?.call1((array,))
}
