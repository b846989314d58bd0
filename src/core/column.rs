//! Borrowed columns: what every kernel reads.
//!
//! A [`Column`] borrows the buffers of a numpy array, an Arrow array or a plain vector; nothing is copied.
//! A frame may arrive in several batches; a kernel sees one [`Batch`] per piece, all with the same columns.
//! A missing value is a null in the validity bitmap, or a NaN in a float column.

/// One bit per row, least significant bit first, beginning `offset` bits into `bytes` (Arrow's layout).
#[derive(Debug, Clone, Copy)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    offset: usize,
    len: usize,
}

impl<'a> Bits<'a> {
    /// Borrows `len` bits; `None` when `bytes` is too short to hold them.
    #[must_use]
    pub fn new(bytes: &'a [u8], offset: usize, len: usize) -> Option<Self> {
        let wanted = offset.checked_add(len)?.div_ceil(8);
        (bytes.len() >= wanted).then_some(Self { bytes, offset, len })
    }

    /// How many bits.
    #[must_use]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there are no bits.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The bit of `row`; false beyond the end.
    #[inline]
    #[must_use]
    pub fn get(self, row: usize) -> bool {
        let position = self.offset + row;
        row < self.len && self.bytes.get(position >> 3).is_some_and(|byte| byte >> (position & 7) & 1 == 1)
    }

    /// The 64 bits of rows `row..row + 64`, the first in the lowest place; zeros beyond the end.
    #[inline]
    #[must_use]
    pub fn word(self, row: usize) -> u64 {
        if row >= self.len {
            return 0;
        }
        let position = self.offset + row;
        let (byte, shift) = (position >> 3, position & 7);
        let mut raw = [0u8; 16];
        let end = (byte + 9).min(self.bytes.len());
        if let (Some(source), Some(target)) = (self.bytes.get(byte..end), raw.get_mut(..end - byte)) {
            target.copy_from_slice(source);
        }
        let bits = (u128::from_le_bytes(raw) >> shift) as u64;
        let left = self.len - row;
        if left >= 64 { bits } else { bits & ((1 << left) - 1) }
    }

    /// How many bits are set.
    #[must_use]
    pub fn count_ones(self) -> usize {
        (0..self.len).step_by(64).map(|row| self.word(row).count_ones() as usize).sum()
    }
}

/// Fixed-width values, with a bit per row where some may be missing.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a, T> {
    /// One value per row; what stands in a missing row means nothing.
    pub values: &'a [T],
    /// Set bits are present rows; `None` when every row is present.
    pub validity: Option<Bits<'a>>,
}

impl<'a, T: Copy> Values<'a, T> {
    /// Values without a missing one.
    #[must_use]
    pub fn dense(values: &'a [T]) -> Self {
        Self { values, validity: None }
    }

    /// The value of `row`, unless it is missing.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> Option<T> {
        if self.validity.is_some_and(|bits| !bits.get(row)) {
            return None;
        }
        self.values.get(row).copied()
    }
}

/// Where the bytes of a text column stand; the three Arrow layouts.
#[derive(Debug, Clone)]
pub enum TextLayout<'a> {
    /// Offsets of 32 bits into one byte buffer (`Utf8`).
    Offsets32(&'a [i32], &'a [u8]),
    /// Offsets of 64 bits into one byte buffer (`LargeUtf8`).
    Offsets64(&'a [i64], &'a [u8]),
    /// 16-byte views: up to 12 bytes stand in the view itself, longer ones in one of the buffers (`Utf8View`).
    Views(&'a [u128], Vec<&'a [u8]>),
}

/// Text, one value per row.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    /// The bytes, UTF-8.
    pub layout: TextLayout<'a>,
    /// Set bits are present rows; `None` when every row is present.
    pub validity: Option<Bits<'a>>,
}

impl<'a> Text<'a> {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.layout {
            TextLayout::Offsets32(offsets, _) => offsets.len().saturating_sub(1),
            TextLayout::Offsets64(offsets, _) => offsets.len().saturating_sub(1),
            TextLayout::Views(views, _) => views.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of `row` (UTF-8), unless it is missing.
    #[allow(clippy::inline_always)] // in loops over rows the layout is then looked at once, not per row
    #[inline(always)]
    #[must_use]
    pub fn bytes(&self, row: usize) -> Option<&'a [u8]> {
        if self.validity.is_some_and(|bits| !bits.get(row)) {
            return None;
        }
        match &self.layout {
            TextLayout::Offsets32(offsets, bytes) => {
                bytes.get(*offsets.get(row)? as usize..*offsets.get(row + 1)? as usize)
            }
            TextLayout::Offsets64(offsets, bytes) => {
                bytes.get(*offsets.get(row)? as usize..*offsets.get(row + 1)? as usize)
            }
            TextLayout::Views(views, buffers) => view_bytes(views.get(row)?, buffers),
        }
    }

    /// The text of `row`, unless it is missing.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        std::str::from_utf8(self.bytes(row)?).ok()
    }
}

/// Arrow's view: 4 bytes of length, then 12 bytes of text, or 4 of prefix, 4 of buffer and 4 of offset.
#[inline]
fn view_bytes<'a>(view: &'a u128, buffers: &[&'a [u8]]) -> Option<&'a [u8]> {
    let len = *view as u32 as usize;
    if len <= 12 {
        return inline_bytes(view).get(4..4 + len);
    }
    let buffer = (*view >> 64) as u32 as usize;
    let offset = (*view >> 96) as u32 as usize;
    buffers.get(buffer)?.get(offset..offset + len)
}

/// The 16 bytes of a view as they lie in memory.
#[inline]
fn inline_bytes(view: &u128) -> &[u8] {
    // SAFETY: any u128 is 16 initialised bytes, and the result borrows from it. Arrow's layout is
    // little-endian, which every platform we build for is (checked below).
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(view).cast::<u8>(), 16) }
}

const _: () = assert!(cfg!(target_endian = "little"), "xifen reads Arrow buffers in place and needs little-endian");

/// The unit of a timestamp column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Seconds since 1970-01-01.
    Second,
    /// Milliseconds.
    Millisecond,
    /// Microseconds.
    Microsecond,
    /// Nanoseconds.
    Nanosecond,
}

impl TimeUnit {
    /// How many of this unit make a day.
    #[must_use]
    pub const fn per_day(self) -> i64 {
        86_400 * self.per_second()
    }

    /// How many of this unit make a second.
    #[must_use]
    pub const fn per_second(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Millisecond => 1_000,
            Self::Microsecond => 1_000_000,
            Self::Nanosecond => 1_000_000_000,
        }
    }
}

/// Which of a few texts each row has.
#[derive(Debug, Clone, Copy)]
pub enum Codes<'a> {
    /// Codes of 8 bits.
    Narrow(Values<'a, u8>),
    /// Codes of 32 bits.
    Wide(Values<'a, u32>),
}

impl<'a> Codes<'a> {
    /// The code of `row`, unless it is missing.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> Option<usize> {
        match self {
            Self::Narrow(codes) => codes.get(row).map(usize::from),
            Self::Wide(codes) => codes.get(row).map(|code| code as usize),
        }
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Narrow(codes) => codes.values.len(),
            Self::Wide(codes) => codes.values.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Set bits are present rows; `None` when every row is present.
    #[must_use]
    pub fn validity(&self) -> Option<Bits<'a>> {
        match self {
            Self::Narrow(codes) => codes.validity,
            Self::Wide(codes) => codes.validity,
        }
    }
}

/// One column of one batch.
#[derive(Debug, Clone)]
pub enum Column<'a> {
    /// Nothing but missing values: how many.
    Null(usize),
    /// True or false, with its validity.
    Bool(Bits<'a>, Option<Bits<'a>>),
    /// Whole numbers of 8 bits.
    Int8(Values<'a, i8>),
    /// Whole numbers of 16 bits.
    Int16(Values<'a, i16>),
    /// Whole numbers of 32 bits.
    Int32(Values<'a, i32>),
    /// Whole numbers of 64 bits.
    Int64(Values<'a, i64>),
    /// Natural numbers of 8 bits.
    UInt8(Values<'a, u8>),
    /// Natural numbers of 16 bits.
    UInt16(Values<'a, u16>),
    /// Natural numbers of 32 bits.
    UInt32(Values<'a, u32>),
    /// Natural numbers of 64 bits.
    UInt64(Values<'a, u64>),
    /// Floating point, 32 bits; NaN is missing.
    Float32(Values<'a, f32>),
    /// Floating point, 64 bits; NaN is missing.
    Float64(Values<'a, f64>),
    /// Decimals: minor units and how many digits of them stand behind the point.
    Decimal(Values<'a, i128>, i8),
    /// Text.
    Text(Text<'a>),
    /// Text by code: each row points at one of a few distinct values.
    Dictionary(Codes<'a>, Text<'a>),
    /// Days since 1970-01-01.
    Date(Values<'a, i32>),
    /// Points in time since 1970-01-01, UTC where a time zone is named, wall clock where none is.
    Timestamp(Values<'a, i64>, TimeUnit, Option<&'a str>),
}

impl Column<'_> {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Null(len) => *len,
            Self::Bool(bits, _) => bits.len(),
            Self::Int8(column) => column.values.len(),
            Self::Int16(column) => column.values.len(),
            Self::Int32(column) | Self::Date(column) => column.values.len(),
            Self::Int64(column) | Self::Timestamp(column, ..) => column.values.len(),
            Self::UInt8(column) => column.values.len(),
            Self::UInt16(column) => column.values.len(),
            Self::UInt32(column) => column.values.len(),
            Self::Dictionary(codes, _) => codes.len(),
            Self::UInt64(column) => column.values.len(),
            Self::Float32(column) => column.values.len(),
            Self::Float64(column) => column.values.len(),
            Self::Decimal(column, _) => column.values.len(),
            Self::Text(text) => text.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name a person would use for this kind of value.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null(_) => "nothing but missing values",
            Self::Bool(..) => "true or false",
            Self::Int8(_) | Self::Int16(_) | Self::Int32(_) | Self::Int64(_) => "whole numbers",
            Self::UInt8(_) | Self::UInt16(_) | Self::UInt32(_) | Self::UInt64(_) => "natural numbers",
            Self::Float32(_) | Self::Float64(_) => "numbers",
            Self::Decimal(..) => "decimals",
            Self::Text(_) | Self::Dictionary(..) => "text",
            Self::Date(_) => "dates",
            Self::Timestamp(..) => "timestamps",
        }
    }
}

/// Text a kernel gives back: value `i` is `bytes[offsets[i]..offsets[i + 1]]` (Arrow's `LargeUtf8`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedText {
    /// One more than there are values, beginning with 0.
    pub offsets: Vec<i64>,
    /// The values behind one another, UTF-8.
    pub bytes: Vec<u8>,
}

impl OwnedText {
    /// No values yet.
    #[must_use]
    pub fn new() -> Self {
        Self { offsets: vec![0], bytes: Vec::new() }
    }

    /// Adds one value.
    pub fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.offsets.push(self.bytes.len() as i64);
    }
}

impl Default for OwnedText {
    fn default() -> Self {
        Self::new()
    }
}

/// The columns of one piece of a frame, in the order a kernel asked for; all have the same length.
pub type Batch<'a> = Vec<Column<'a>>;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_agree_with_single_bits(bytes in prop::collection::vec(any::<u8>(), 1..40), offset in 0usize..20, row in 0usize..300) {
            let len = (bytes.len() * 8).saturating_sub(offset);
            if let Some(bits) = Bits::new(&bytes, offset, len) {
                let word = bits.word(row);
                for place in 0..64 {
                    prop_assert_eq!(word >> place & 1 == 1, bits.get(row + place));
                }
                prop_assert_eq!(bits.count_ones(), (0..len).filter(|&i| bits.get(i)).count());
            }
        }
    }

    #[test]
    fn views_hold_short_text_inline_and_point_at_long_text() {
        let mut short = [0u8; 16];
        short[0] = 6;
        short[4..10].copy_from_slice("细分".as_bytes());
        let buffer = b"0123456789abcdefghij";
        let long = 15u128 | (1 << 64) | (3 << 96);
        let views = [u128::from_le_bytes(short), long];
        let text = Text { layout: TextLayout::Views(&views, vec![b"", buffer]), validity: None };
        assert_eq!(text.get(0), Some("细分"));
        assert_eq!(text.get(1), Some("3456789abcdefgh"));
    }
}
