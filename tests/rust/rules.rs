//! Random rules over random columns with missing values: the fast path against the row-by-row reading of
//! the same tree, and the text of a tree against the tree.

use proptest::prelude::*;
use xifen_core::{
    Error,
    cancel::Cancel,
    column::{Batch, Bits, Column, Values},
    rules::{
        self, Checked, CheckedRule, Codes, Config, Interval, Number, Unknown,
        ast::{Comparison, Constant, Expr, Function, Is, Kind, Operator},
        interpret::Rows,
    },
};

use crate::rules_data::{Buffers, NUMBERS, TEXTS, TIMES, data, pack};

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

fn column(names: &[&'static str]) -> BoxedStrategy<Expr> {
    prop::sample::select(names.to_vec()).prop_map(|name| node(Kind::Column(name.to_owned()))).boxed()
}

/// What stands between WHEN and THEN.
fn choice() -> BoxedStrategy<Expr> {
    prop_oneof![
        column(&["flag"]),
        (comparison(), column(&["small"]), constant()).prop_map(|(sign, a, b)| node(Kind::Compare(
            sign,
            Box::new(a),
            Box::new(b)
        ))),
        column(&["text"]).prop_map(|value| node(Kind::Is { value: Box::new(value), what: Is::Null, negated: false })),
    ]
    .boxed()
}

/// Everything that takes one of several values of a kind.
fn one_of_several(inner: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let call = |function| move |arguments| node(Kind::Call(function, arguments));
    let several = prop::collection::vec(inner.clone(), 1..4);
    let otherwise = prop::option::of(inner.clone().prop_map(Box::new));
    let searched = (prop::collection::vec((choice(), inner.clone()), 1..3), otherwise)
        .prop_map(|(branches, otherwise)| node(Kind::Case { operand: None, branches, otherwise }));
    let simple =
        (inner.clone(), prop::collection::vec((inner.clone(), inner.clone()), 1..3)).prop_map(|(of, branches)| {
            node(Kind::Case {
                operand: Some(Box::new(of)),
                branches,
                otherwise: Some(Box::new(node(Kind::Constant(Constant::Null)))),
            })
        });
    prop_oneof![
        several.clone().prop_map(call(Function::Coalesce)),
        several.clone().prop_map(call(Function::Least)),
        several.prop_map(call(Function::Greatest)),
        prop::collection::vec(inner, 2..3).prop_map(call(Function::NullIf)),
        searched,
        simple,
    ]
    .boxed()
}

fn number() -> BoxedStrategy<Expr> {
    use Operator as O;
    let days =
        (column(&TIMES), column(&TIMES)).prop_map(|(a, b)| node(Kind::Arithmetic(Box::new(a), vec![(O::Subtract, b)])));
    let leaf = prop_oneof![6 => column(&NUMBERS), 4 => constant(), 1 => days];
    let number = leaf.prop_recursive(2, 6, 3, |inner| {
        let chain = |operators: Vec<Operator>| {
            (inner.clone(), prop::collection::vec((prop::sample::select(operators), inner.clone()), 1..3))
                .prop_map(|(first, rest)| node(Kind::Arithmetic(Box::new(first), rest)))
        };
        let negative = inner
            .clone()
            .prop_filter("a negative constant is a constant", |inner| !matches!(inner.kind, Kind::Constant(_)));
        let round = (inner.clone(), -2i64..4).prop_map(|(value, digits)| {
            let digits = node(Kind::Constant(Constant::Number(Number::whole(digits.into()))));
            node(Kind::Call(Function::Round, vec![value, digits]))
        });
        prop_oneof![
            3 => chain(vec![O::Add, O::Subtract]),
            3 => chain(vec![O::Multiply, O::Divide, O::Remainder]),
            1 => negative.prop_map(|inner| node(Kind::Negative(Box::new(inner)))),
            1 => inner.clone().prop_map(|inner| node(Kind::Call(Function::Abs, vec![inner]))),
            1 => round,
            3 => one_of_several(inner.clone().boxed()),
        ]
    });
    number.boxed()
}

fn text() -> BoxedStrategy<Expr> {
    let constant =
        prop::sample::select(TEXTS.to_vec()).prop_map(|text| node(Kind::Constant(Constant::Text(text.to_owned()))));
    let text = prop_oneof![column(&["text", "category"]), constant].prop_recursive(2, 6, 3, |inner| {
        let joined = prop::collection::vec(inner.clone(), 2..4).prop_map(|terms| node(Kind::Join(terms)));
        prop_oneof![joined, one_of_several(inner.boxed())]
    });
    text.boxed()
}

fn time() -> BoxedStrategy<Expr> {
    let constant = prop_oneof![
        prop::sample::select(vec![0, 19_782, 20_634, -719_162]).prop_map(Constant::Date),
        prop::sample::select(vec![1_711_850_400_000_000, 1_709_164_800_000_000, 1]).prop_map(Constant::Timestamp),
    ];
    let leaf = prop_oneof![2 => column(&TIMES), 1 => constant.prop_map(|constant| node(Kind::Constant(constant)))];
    let time = leaf.prop_recursive(2, 6, 3, |inner| {
        let interval = prop_oneof![
            prop::sample::select(vec![1, -1, 12, 25, 3_000_000]).prop_map(|months| Interval { months, days: 0 }),
            prop::sample::select(vec![1, -30, 366, i32::MIN]).prop_map(|days| Interval { months: 0, days }),
        ];
        let sign = prop::sample::select(vec![Operator::Add, Operator::Subtract]);
        let moved = (inner.clone(), sign, interval).prop_map(|(time, sign, interval)| {
            node(Kind::Arithmetic(Box::new(time), vec![(sign, node(Kind::Constant(Constant::Interval(interval))))]))
        });
        prop_oneof![moved, one_of_several(inner.boxed())]
    });
    time.boxed()
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
    let (n, t, d) = (number(), text(), time());
    let like = (t.clone(), "[ab客é%_]{0,4}", any::<bool>()).prop_map(|(value, pattern, negated)| {
        let pattern = Box::new(node(Kind::Constant(Constant::Text(pattern))));
        node(Kind::Like { value: Box::new(value), pattern, escape: None, negated })
    });
    let escaped = (t.clone(), "([ab%_]|![%_!]){0,3}").prop_map(|(value, pattern)| {
        let pattern = Box::new(node(Kind::Constant(Constant::Text(pattern))));
        node(Kind::Like { value: Box::new(value), pattern, escape: Some('!'), negated: false })
    });
    let simple = prop_oneof![
        5 => pair(n.clone()), 2 => pair(t.clone()), 3 => pair(d.clone()), 1 => within(n.clone()), 1 => within(t.clone()),
        1 => within(d.clone()), 1 => among(n.clone()), 1 => among(t.clone()), 1 => among(d.clone()), 1 => null(n),
        1 => null(t), 1 => null(d), 1 => listed, 2 => like, 1 => escaped,
    ];
    let leaf = prop_oneof![
        12 => simple,
        1 => Just(node(Kind::Column("flag".to_owned()))),
        1 => any::<bool>().prop_map(|value| node(Kind::Constant(Constant::Bool(value)))),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|terms| node(Kind::And(terms))),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|terms| node(Kind::Or(terms))),
            1 => inner.clone().prop_map(|inner| node(Kind::Not(Box::new(inner)))),
            1 => (prop::collection::vec((inner.clone(), inner.clone()), 1..3), prop::option::of(inner.clone().prop_map(Box::new)))
                .prop_map(|(branches, otherwise)| node(Kind::Case { operand: None, branches, otherwise })),
            1 => prop::collection::vec(inner.clone(), 1..3).prop_map(|terms| node(Kind::Call(Function::Coalesce, terms))),
            1 => prop::collection::vec(inner.clone(), 2..3).prop_map(|terms| node(Kind::Call(Function::NullIf, terms))),
            1 => (prop::sample::select(vec![Is::Null, Is::True, Is::False]), inner.clone(), any::<bool>())
                .prop_map(|(what, value, negated)| node(Kind::Is { value: Box::new(value), what, negated })),
            1 => (prop::sample::select(vec![Comparison::Equal, Comparison::NotEqual]), inner.clone(), inner)
                .prop_map(|(sign, a, b)| node(Kind::Compare(sign, Box::new(a), Box::new(b)))),
        ]
    })
}

/// The definition of first match, written as it reads.
fn first_match(checked: &Checked, batch: &Batch<'_>, row: usize) -> i16 {
    let rows = Rows::new(checked, batch);
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
    Checked {
        rules,
        default: default.then(|| "none".to_owned()),
        unknown,
        families: None,
        domains: Vec::new(),
        names,
        kinds,
    }
}

fn agree(checked: &Checked, buffers: &Buffers) -> bool {
    let batch = buffers.batch();
    let expected: Vec<i16> = (0..buffers.rows).map(|row| first_match(checked, &batch, row)).collect();
    wide(rules::labels(&[batch], checked, &Cancel::new()).unwrap().codes) == expected
}

/// The shortest part of a rule that the fast path reads in another way.
fn smallest_difference(checked: &Checked, buffers: &Buffers) -> String {
    let mut parts = Vec::new();
    for rule in &checked.rules {
        rule.condition.walk(&mut |part| parts.push(part.clone()));
    }
    let differs = |part: &Expr| {
        let null = node(Kind::Is { value: Box::new(part.clone()), what: Is::Null, negated: false });
        [part.clone(), null].into_iter().any(|condition| {
            let mut alone = checked.clone();
            alone.rules[0].condition = condition;
            !agree(&alone, buffers)
        })
    };
    let texts = parts.iter().filter(|part| differs(part)).map(ToString::to_string);
    texts.min_by_key(String::len).unwrap_or_default()
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
        refers in any::<bool>(),
        skip in any::<bool>(),
        default in any::<bool>(),
    ) {
        let buffers = Buffers::new(&data);
        let mut conditions = conditions;
        if refers {
            // The first rule asks the last, which is evaluated before it.
            let last = node(Kind::Rule(format!("r{}", conditions.len())));
            let no = node(Kind::Not(Box::new(last.clone())));
            conditions.push(conditions[0].clone());
            conditions[0] = node(Kind::Or(vec![node(Kind::And(vec![last, conditions[0].clone()])), no]));
        }
        let batch = buffers.batch();
        let unknown = if skip { Unknown::Skip } else { Unknown::Stop };
        let checked = checked(conditions, &batch, Buffers::names(), unknown, default);
        prop_assert!(agree(&checked, &buffers), "{}", smallest_difference(&checked, &buffers));
    }

    #[test]
    fn text_of_a_tree_reads_back(condition in condition()) {
        let text = condition.to_string();
        let read = rules::parse("rule", &text).unwrap();
        // A chain in front of a chain of the same kind joins it: compare the texts.
        prop_assert_eq!(read.to_string(), text);
    }

    /// Scores take a table of what the first rows hold, or of what all rows do where later ones hold more.
    #[test]
    fn table_equals_row_by_row(
        alike in prop::sample::select(vec![0usize, 6000]),
        rows in prop::collection::vec((prop::option::weighted(0.9, 1i8..6), prop::option::weighted(0.9, 1i8..6)), 400..900),
        skip in any::<bool>(),
    ) {
        let texts = ["r >= 4 AND f >= 4", "r <= 2 AND f IN (1, 3)", "f = 5 OR r = 3", "NOT r BETWEEN 2 AND 4"];
        let conditions = texts.iter().map(|text| rules::parse("rule", text).unwrap()).collect();
        let (r, f): (Vec<_>, Vec<_>) = std::iter::repeat_n((Some(3), Some(3)), alike).chain(rows).unzip();
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
    fn no_text_makes_the_parser_panic(text in "[a-c0-9 .,()<>=!'\":+*/%-]{0,40}|(AND|OR|NOT|IN|IS|NULL|CASE|WHEN|THEN|ELSE|END|LIKE|ESCAPE|DATE|INTERVAL|ROUND\\(|\\|\\||'1'|[ a1('),-]){0,20}") {
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
