//! Random rules over random columns with missing values: the fast path against the row-by-row reading of
//! the same tree, and the text of a tree against the tree.

use proptest::prelude::*;
use xifen_core::{
    Error,
    cancel::Cancel,
    column::{Batch, Bits, Column, Text, TextLayout, Values},
    rules::{
        self, Checked, CheckedRule, Codes, Config, Number, Unknown,
        ast::{Comparison, Constant, Expr, Is, Kind, Operator},
        interpret::Rows,
    },
};

/// One column of each kind, with small values so that comparisons meet.
#[derive(Debug, Clone)]
struct Data {
    small: Vec<Option<i8>>,
    large: Vec<Option<i64>>,
    natural: Vec<Option<u64>>,
    real: Vec<Option<f64>>,
    single: Vec<Option<f32>>,
    decimal: Vec<Option<i128>>,
    text: Vec<Option<&'static str>>,
    flag: Vec<Option<bool>>,
}

const NUMBERS: [&str; 6] = ["small", "large", "natural", "real", "single", "decimal"];
const TEXTS: [&str; 4] = ["", "a", "b", "é客"];
const SCALE: i8 = 1;

fn data() -> impl Strategy<Value = Data> {
    (1usize..200).prop_flat_map(|rows| {
        let column = |values: BoxedStrategy<i64>| prop::collection::vec(prop::option::weighted(0.85, values), rows);
        let near = (-3i64..4).boxed();
        let wide =
            prop_oneof![8 => -3i64..4, 1 => Just(i64::MAX), 1 => Just(i64::MIN), 1 => Just((1i64 << 53) + 1)].boxed();
        (
            (column(near.clone()), column(wide.clone()), column(wide), column(near.clone()), column(near.clone())),
            (column(near), column((0i64..4).boxed()), column((0i64..2).boxed()), prop::bool::ANY),
        )
            .prop_map(|((small, large, natural, real, single), (decimal, text, flag, nan))| {
                let half = |value: i64| value as f64 / 2.0;
                Data {
                    small: small.into_iter().map(|cell| cell.map(|value| value as i8)).collect(),
                    large,
                    natural: natural.into_iter().map(|cell| cell.map(|value| value as u64)).collect(),
                    real: real
                        .into_iter()
                        .map(|cell| cell.map(|value| if nan && value == 3 { f64::NAN } else { half(value) }))
                        .collect(),
                    single: single.into_iter().map(|cell| cell.map(|value| value as f32 / 10.0)).collect(),
                    decimal: decimal.into_iter().map(|cell| cell.map(|value| i128::from(value) * 5)).collect(),
                    text: text.into_iter().map(|cell| cell.map(|value| TEXTS[value as usize])).collect(),
                    flag: flag.into_iter().map(|cell| cell.map(|value| value == 1)).collect(),
                }
            })
    })
}

fn pack(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (row, bit) in bits.enumerate() {
        if row % 8 == 0 {
            bytes.push(0);
        }
        *bytes.last_mut().unwrap() |= u8::from(bit) << (row % 8);
    }
    bytes
}

/// Buffers as a frame library would hold them.
struct Buffers {
    rows: usize,
    validity: Vec<Vec<u8>>,
    small: Vec<i8>,
    large: Vec<i64>,
    natural: Vec<u64>,
    real: Vec<f64>,
    single: Vec<f32>,
    decimal: Vec<i128>,
    text: (Vec<i32>, Vec<u8>),
    codes: Vec<u32>,
    dictionary: (Vec<i32>, Vec<u8>),
    flag: Vec<u8>,
}

impl Buffers {
    fn new(data: &Data) -> Self {
        fn split<T: Copy + Default>(cells: &[Option<T>]) -> (Vec<T>, Vec<u8>) {
            let values = cells.iter().map(|cell| cell.unwrap_or_default()).collect();
            (values, pack(cells.iter().map(Option::is_some)))
        }
        let mut offsets = vec![0];
        let mut bytes = Vec::new();
        for cell in &data.text {
            bytes.extend_from_slice(cell.unwrap_or("").as_bytes());
            offsets.push(bytes.len() as i32);
        }
        let joined: String = TEXTS.concat();
        let ends: Vec<i32> = TEXTS
            .iter()
            .scan(0, |end, text| {
                *end += text.len() as i32;
                Some(*end)
            })
            .collect();
        let code =
            |cell: Option<&str>| cell.map_or(0, |text| TEXTS.iter().position(|known| *known == text).unwrap()) as u32;
        let (small, a) = split(&data.small);
        let (large, b) = split(&data.large);
        let (natural, c) = split(&data.natural);
        let (real, d) = split(&data.real);
        let (single, e) = split(&data.single);
        let (decimal, f) = split(&data.decimal);
        let text = pack(data.text.iter().map(Option::is_some));
        let flag = pack(data.flag.iter().map(Option::is_some));
        Self {
            rows: data.small.len(),
            validity: vec![a, b, c, d, e, f, text.clone(), text, flag],
            small,
            large,
            natural,
            real,
            single,
            decimal,
            text: (offsets, bytes),
            codes: data.text.iter().copied().map(code).collect(),
            dictionary: (std::iter::once(0).chain(ends).collect(), joined.into_bytes()),
            flag: pack(data.flag.iter().map(|cell| cell.unwrap_or(true))),
        }
    }

    fn names() -> Vec<String> {
        NUMBERS.iter().chain(&["text", "category", "flag"]).map(ToString::to_string).collect()
    }

    fn batch(&self) -> Batch<'_> {
        let valid = |column: usize| Bits::new(&self.validity[column], 0, self.rows);
        vec![
            Column::Int8(Values { values: &self.small, validity: valid(0) }),
            Column::Int64(Values { values: &self.large, validity: valid(1) }),
            Column::UInt64(Values { values: &self.natural, validity: valid(2) }),
            Column::Float64(Values { values: &self.real, validity: valid(3) }),
            Column::Float32(Values { values: &self.single, validity: valid(4) }),
            Column::Decimal(Values { values: &self.decimal, validity: valid(5) }, SCALE),
            Column::Text(Text { layout: TextLayout::Offsets32(&self.text.0, &self.text.1), validity: valid(6) }),
            Column::Dictionary(
                Values { values: &self.codes, validity: valid(7) },
                Text { layout: TextLayout::Offsets32(&self.dictionary.0, &self.dictionary.1), validity: None },
            ),
            Column::Bool(Bits::new(&self.flag, 0, self.rows).unwrap(), valid(8)),
        ]
    }
}

fn node(kind: Kind) -> Expr {
    Expr { at: 0, kind }
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison as C;
    prop::sample::select(vec![C::Equal, C::NotEqual, C::Less, C::LessOrEqual, C::Greater, C::GreaterOrEqual])
}

fn constant() -> impl Strategy<Value = Expr> {
    let literals =
        ["0", "1", "2", "-1", "0.5", "0.1", "-0.2", "2.5", "9007199254740992.5", "1e30", "300", "9223372036854775807"];
    prop::sample::select(literals.to_vec())
        .prop_map(|text| node(Kind::Constant(Constant::Number(Number::parse(text).unwrap()))))
}

fn number() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        3 => prop::sample::select(NUMBERS.to_vec()).prop_map(|name| node(Kind::Column(name.to_owned()))),
        2 => constant(),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        use Operator as O;
        let sums = (
            inner.clone(),
            prop::collection::vec((prop::sample::select(vec![O::Add, O::Subtract]), inner.clone()), 1..3),
        );
        let products = (
            inner.clone(),
            prop::collection::vec(
                (prop::sample::select(vec![O::Multiply, O::Divide, O::Remainder]), inner.clone()),
                1..3,
            ),
        );
        let chain = |(first, rest)| node(Kind::Arithmetic(Box::new(first), rest));
        let negative =
            inner.prop_filter("a negative constant is a constant", |inner| !matches!(inner.kind, Kind::Constant(_)));
        prop_oneof![
            sums.prop_map(chain),
            products.prop_map(chain),
            negative.prop_map(|inner| node(Kind::Negative(Box::new(inner)))),
        ]
    })
}

fn text() -> impl Strategy<Value = Expr> {
    prop_oneof![
        prop::sample::select(vec!["text", "category"]).prop_map(|name| node(Kind::Column(name.to_owned()))),
        prop::sample::select(TEXTS.to_vec()).prop_map(|text| node(Kind::Constant(Constant::Text(text.to_owned())))),
    ]
}

fn condition() -> impl Strategy<Value = Expr> {
    let pair = |side: BoxedStrategy<Expr>| {
        (comparison(), side.clone(), side).prop_map(|(sign, a, b)| node(Kind::Compare(sign, Box::new(a), Box::new(b))))
    };
    let within = |side: BoxedStrategy<Expr>| {
        (side.clone(), side.clone(), side, any::<bool>()).prop_map(|(value, low, high, negated)| {
            node(Kind::Between { value: Box::new(value), low: Box::new(low), high: Box::new(high), negated })
        })
    };
    let among = |side: BoxedStrategy<Expr>| {
        (side.clone(), prop::collection::vec(side, 1..12), any::<bool>())
            .prop_map(|(value, list, negated)| node(Kind::In { value: Box::new(value), list, negated }))
    };
    let null = |side: BoxedStrategy<Expr>| {
        (side, any::<bool>())
            .prop_map(|(value, negated)| node(Kind::Is { value: Box::new(value), what: Is::Null, negated }))
    };
    let listed =
        (prop::sample::select(vec!["small", "large", "decimal", "real"]), prop::collection::vec(constant(), 9..14))
            .prop_map(|(name, list)| {
                node(Kind::In { value: Box::new(node(Kind::Column(name.to_owned()))), list, negated: false })
            });
    let (n, t) = (number().boxed(), text().boxed());
    let leaf = prop_oneof![
        5 => pair(n.clone()), 2 => pair(t.clone()), 1 => within(n.clone()), 1 => within(t.clone()), 1 => among(n.clone()),
        1 => among(t.clone()), 1 => null(n), 1 => null(t), 1 => listed,
        1 => Just(node(Kind::Column("flag".to_owned()))),
        1 => any::<bool>().prop_map(|value| node(Kind::Constant(Constant::Bool(value)))),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|terms| node(Kind::And(terms))),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|terms| node(Kind::Or(terms))),
            1 => inner.clone().prop_map(|inner| node(Kind::Not(Box::new(inner)))),
            1 => (prop::sample::select(vec![Is::Null, Is::True, Is::False]), inner.clone(), any::<bool>())
                .prop_map(|(what, value, negated)| node(Kind::Is { value: Box::new(value), what, negated })),
            1 => (prop::sample::select(vec![Comparison::Equal, Comparison::NotEqual]), inner.clone(), inner)
                .prop_map(|(sign, a, b)| node(Kind::Compare(sign, Box::new(a), Box::new(b)))),
        ]
    })
}

/// The definition of first match, written as it reads.
fn first_match(checked: &Checked, batch: &Batch<'_>, row: usize) -> i16 {
    let rows = Rows { names: &checked.names, batch };
    for (code, rule) in checked.rules.iter().enumerate() {
        match rows.condition(&rule.condition, row) {
            Some(true) => return code as i16,
            None if checked.unknown == Unknown::Stop => return -1,
            _ => {}
        }
    }
    checked.default_code().map_or(-1, |code| code as i16)
}

fn checked(conditions: Vec<Expr>, batch: &Batch<'_>, names: Vec<String>, unknown: Unknown, default: bool) -> Checked {
    let kinds = batch.iter().map(rules::ColumnKind::of).collect();
    let rules = conditions
        .into_iter()
        .enumerate()
        .map(|(index, condition)| CheckedRule { label: format!("r{index}"), condition })
        .collect();
    Checked { rules, default: default.then(|| "none".to_owned()), unknown, domains: Vec::new(), names, kinds }
}

fn wide(codes: Codes) -> Vec<i16> {
    match codes {
        Codes::Small(codes) => codes.into_iter().map(i16::from).collect(),
        Codes::Large(codes) => codes,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn fast_path_equals_row_by_row(
        data in data(),
        conditions in prop::collection::vec(condition(), 1..5),
        skip in any::<bool>(),
        default in any::<bool>(),
    ) {
        let buffers = Buffers::new(&data);
        let batch = buffers.batch();
        let unknown = if skip { Unknown::Skip } else { Unknown::Stop };
        let checked = checked(conditions, &batch, Buffers::names(), unknown, default);
        let expected: Vec<i16> = (0..buffers.rows).map(|row| first_match(&checked, &batch, row)).collect();
        let labelled = rules::labels(&[batch], &checked, &Cancel::new()).unwrap();
        prop_assert_eq!(wide(labelled.codes), expected);
    }

    #[test]
    fn text_of_a_tree_reads_back(condition in condition()) {
        let text = condition.to_string();
        let read = rules::parse("rule", &text).unwrap();
        // A chain in front of a chain of the same kind joins it: compare the texts.
        prop_assert_eq!(read.to_string(), text);
    }

    /// Scores take the table; the same scores as wide integers with a large span do not.
    #[test]
    fn table_equals_row_by_row(
        rows in prop::collection::vec((prop::option::weighted(0.9, 1i8..6), prop::option::weighted(0.9, 1i8..6)), 400..900),
        skip in any::<bool>(),
    ) {
        let texts = ["r >= 4 AND f >= 4", "r <= 2 AND f IN (1, 3)", "f = 5 OR r = 3", "NOT r BETWEEN 2 AND 4"];
        let conditions = texts.iter().map(|text| rules::parse("rule", text).unwrap()).collect();
        let (r, f): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let values = |cells: &[Option<i8>]| cells.iter().map(|cell| cell.unwrap_or(99)).collect::<Vec<_>>();
        let (r_values, f_values) = (values(&r), values(&f));
        let (r_valid, f_valid) = (pack(r.iter().map(Option::is_some)), pack(f.iter().map(Option::is_some)));
        let batch = vec![
            Column::Int8(Values { values: &r_values, validity: Bits::new(&r_valid, 0, r.len()) }),
            Column::Int8(Values { values: &f_values, validity: Bits::new(&f_valid, 0, r.len()) }),
        ];
        let unknown = if skip { Unknown::Skip } else { Unknown::Stop };
        let checked = checked(conditions, &batch, vec!["r".into(), "f".into()], unknown, true);
        let expected: Vec<i16> = (0..r.len()).map(|row| first_match(&checked, &batch, row)).collect();
        let labelled = rules::labels(&[batch], &checked, &Cancel::new()).unwrap();
        prop_assert_eq!(wide(labelled.codes), expected);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[a-c0-9 .,()<>=!'\":+*/%-]{0,40}|(AND|OR|NOT|IN|IS|NULL|CASE|WHEN|LIKE|DATE|[ a1('-]){0,20}") {
        let _ = rules::parse("rule", &text);
    }
}

fn position(text: &str) -> Option<usize> {
    match rules::parse("rule", text) {
        Err(Error::Rule { position, .. }) => position,
        other => panic!("{text} gave {other:?}"),
    }
}

#[test]
fn errors_point_at_the_character() {
    assert_eq!(position("a > 1 b"), Some(6));
    assert_eq!(position("年金额 > AND b = 1"), Some(6));
    assert_eq!(position("a = 1 AND\n b = NULL"), Some(15));
    assert_eq!(position("a = 1 AND score(b) > 2"), Some(10));
    assert_eq!(position("1 < a < 3"), Some(8));
    assert_eq!(position(""), Some(0));
    assert_eq!(position(&format!("{}a = 1", "(".repeat(100_000))), Some(40));
    assert_eq!(position(&format!("{}a = 1", "NOT ".repeat(100_000))), Some(160));
    assert!(position(&"a = 1 OR ".repeat(200_000)).is_some());
    assert!(position(&format!("{}a", "a = NOT ".repeat(2_000))).is_some());
    assert!(position(&format!("a{}", " IS NULL".repeat(5_000))).is_some());
    assert!(position(&format!("a{}", " = a".repeat(5_000))).is_some());
}

#[test]
fn long_chains_within_the_limit_are_read() {
    let tree = rules::parse("rule", &format!("{}a", "a OR ".repeat(9_999))).unwrap();
    assert!(matches!(tree.kind, Kind::Or(terms) if terms.len() == 10_000));
    let tree = rules::parse("rule", &format!("{}a > 1", "a + ".repeat(9_900))).unwrap();
    assert_eq!(tree.columns(), ["a"]);
    let deep = format!("{}a = 1{}", "(b OR (NOT c AND (".repeat(13), ")))".repeat(13));
    assert!(rules::parse("rule", &deep).is_ok());
}

#[test]
fn words_that_are_not_reserved_are_columns() {
    for word in
        ["last", "days", "date", "timestamp", "type", "name", "month", "interval", "any", "all", "exists", "cast", "年"]
    {
        let tree = rules::parse("rule", &format!("{word} > 1 AND {word} IS NOT NULL")).unwrap();
        assert_eq!(tree.columns(), [word]);
    }
}

#[test]
fn integers_next_to_2_to_the_53_are_compared_exactly() {
    let values = [(1i64 << 53) - 1, 1 << 53, (1 << 53) + 1];
    let batch = vec![Column::Int64(Values::dense(&values))];
    let config = r#"{"rules": [{"label": "above", "text": "x > 9007199254740992"},
        {"label": "half", "text": "x >= 9007199254740991.5"}], "unknown": "stop", "names": ["x"]}"#;
    let checked = Config::from_json(config).unwrap().check(std::slice::from_ref(&batch)).unwrap();
    let labelled = rules::labels(&[batch], &checked, &Cancel::new()).unwrap();
    assert_eq!(wide(labelled.codes), [-1, 1, 0]);
}
