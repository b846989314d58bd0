"""KPrototypes and KModes: published optima, the kmodes package's costs, every kind of category, and what is refused."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from xifen.errors import InputError, ParameterError

GOLDEN = Path(__file__).parent / "golden"
STOCKS = pd.read_csv(GOLDEN / "stocks.csv", header=None, names=["company", "value", "sector", "country"])
STOCKS = STOCKS.drop(columns="company")
SOYBEAN = pd.read_csv(GOLDEN / "soybean.csv", header=None)

CUSTOMERS = pd.DataFrame(
    {
        "orders": [1.0, 2.0, 1.5, 9.0, 8.0, 8.5],
        "city": ["Lyon", "Lyon", "Nice", "Paris", "Paris", "Nice"],
        "club": [False, False, False, True, True, True],
        "age": [30, 31, 40, 50, 51, 52],
    }
)


def mixed(rows: int, seed: int, noise: float) -> np.ndarray:
    """Three numbers and two texts around five prototypes; with noise 1 the texts mean nothing."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 5, rows)
    X = np.empty((rows, 5), dtype=object)
    centre = rng.normal(scale=2, size=(5, 3))
    numbers = centre[group] + rng.normal(size=(rows, 3))
    X[:, :3] = numbers
    for column, categories in ((3, 4), (4, 6)):
        own = rng.integers(0, categories, 5)
        codes = np.where(rng.random(rows) < noise, rng.integers(0, categories, rows), own[group])
        X[:, column] = [f"c{code}" for code in codes]
    return X


def categories(rows: int, columns: int, count: int, seed: int, noise: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 6, rows)
    own = rng.integers(0, count, (6, columns))
    return np.where(rng.random((rows, columns)) < noise, rng.integers(0, count, (rows, columns)), own[group])


# -- published and outside references ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_clusters", "cost", "labels"),
    [  # the optimum over all groupings of the 12 rows, enumerated
        (2, 45765.040633082055, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (3, 12079.574667176443, [2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]),
        (4, 1664.4708549504871, [3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0]),
        (5, 1100.4083549504871, [4, 3, 3, 2, 2, 1, 1, 1, 1, 0, 0, 0]),
    ],
)
@pytest.mark.parametrize("init", ["Huang", "Cao", "random"])
def test_stocks_come_to_the_best_of_all_groupings(n_clusters: int, cost: float, labels: list[int], init: str):
    kp = xf.KPrototypes(n_clusters, init=init, n_init=20, random_state=0).fit(STOCKS)
    assert kp.gamma_ == pytest.approx(69.90333603547751, rel=1e-14)  # 0.5 * mean(std), as kmodes
    if init == "Cao":  # one start, chosen by the categories most of all
        assert kp.cost_ >= cost * (1 - 1e-12)
        return
    assert kp.cost_ == pytest.approx(cost, rel=1e-12)
    assert xf.adjusted_rand_score(kp.labels_, labels) == 1


@pytest.mark.parametrize(
    ("n_clusters", "best", "cao"),
    [
        (2, 308, 310),
        (3, 236, 236),
        (4, 199, 199),
        (5, 176, 186),
    ],  # kmodes 0.12.2: the best of 100 "Huang" starts, "Cao"
)
def test_soybean_costs_no_more_than_the_best_kmodes_finds(n_clusters: int, best: float, cao: float):
    X = SOYBEAN.drop(columns=35)
    assert xf.KModes(n_clusters, init="Huang", n_init=100, random_state=0).fit(X).cost_ <= best
    km = xf.KModes(n_clusters).fit(X)
    assert km.cost_ <= cao
    if n_clusters == 4:
        assert km.cost_ == 199
        assert xf.adjusted_rand_score(km.labels_, SOYBEAN[35]) > 0.93


@pytest.mark.parametrize(
    ("seed", "noise", "mean", "best"),
    # kmodes 0.12.2, KPrototypes(5, n_init=1, random_state=0..9): the mean of "Huang", the best of that and "Cao"
    [
        (0, 0.3, 1424.85, 1308.5489244354403),
        (1, 0.6, 1608.22, 1564.6157995954486),
        (2, 1.0, 1936.28, 1812.3562432279182),
    ],
)
def test_mixed_rows_cost_no_more_than_with_kmodes(seed: int, noise: float, mean: float, best: float):
    X = mixed(400, seed, noise)
    ours = [xf.KPrototypes(5, n_init=1, random_state=start).fit(X).cost_ for start in range(20)]
    assert min(ours) <= best * 1.001  # the best of twenty starts, theirs and ours
    assert np.mean(ours) <= mean * 1.03


@pytest.mark.parametrize(
    ("count", "seed", "noise", "mean", "cao", "best"),
    # the same of KModes(6), where "Cao" leaves nothing to chance
    [(5, 0, 0.4, 1088, 1020, 1020), (4, 1, 0.7, 1588.1, 1628, 1549), (3, 2, 1.0, 1383.3, 1366, 1353)],
)
def test_categories_cost_no_more_than_with_kmodes(
    count: int, seed: int, noise: float, mean: float, cao: float, best: float
):
    X = categories(400, 8, count, seed, noise)
    ours = [xf.KModes(6, init="Huang", n_init=1, random_state=start).fit(X).cost_ for start in range(20)]
    assert min(ours) <= best
    assert np.mean(ours) <= mean * 1.03
    assert xf.KModes(6).fit(X).cost_ <= cao


def test_the_cost_is_what_it_is_said_to_be():
    X = mixed(300, 3, 0.5)
    weights = np.random.default_rng(0).uniform(0, 2, 300)
    kp = xf.KPrototypes(4, gamma=0.7, random_state=0).fit(X, sample_weight=weights)
    numbers = X[:, :3].astype(float)
    each = np.column_stack(
        [
            ((numbers - centre[:3].astype(float)) ** 2).sum(axis=1) + 0.7 * (X[:, 3:] != centre[3:]).sum(axis=1)
            for centre in kp.cluster_centroids_
        ]
    )
    np.testing.assert_allclose(kp.transform(X), each, rtol=1e-12)
    np.testing.assert_array_equal(kp.labels_, each.argmin(axis=1))
    np.testing.assert_array_equal(kp.predict(X), kp.labels_)
    assert kp.cost_ == pytest.approx((weights * each.min(axis=1)).sum(), rel=1e-12)
    for cluster, centre in enumerate(kp.cluster_centroids_):
        own = kp.labels_ == cluster
        np.testing.assert_allclose(
            centre[:3].astype(float), np.average(numbers[own], axis=0, weights=weights[own]), rtol=1e-9
        )
        for column in (3, 4):
            tally = pd.Series(weights[own]).groupby(X[own, column]).sum()
            assert tally[centre[column]] == tally.max()


def test_gamma_is_half_the_mean_weighted_deviation():
    weights = np.array([2, 1, 1, 3, 1, 0])
    repeated = CUSTOMERS.loc[CUSTOMERS.index.repeat(weights)]
    kp = xf.KPrototypes(2, random_state=0).fit(CUSTOMERS, sample_weight=weights)
    assert kp.gamma_ == pytest.approx(np.std(repeated[["orders", "age"]], axis=0).mean() / 2)
    again = xf.KPrototypes(2, init=kp.cluster_centroids_).fit(repeated)
    assert again.cost_ == pytest.approx(kp.cost_)
    constant = CUSTOMERS.assign(orders=1.0, age=7)
    assert xf.KPrototypes(2, random_state=0).fit(constant).gamma_ == 1


# -- kinds of data ---------------------------------------------------------------------------------------


def test_every_kind_of_table_gives_the_same():
    wanted = xf.KPrototypes(2, random_state=0).fit(CUSTOMERS)
    assert wanted.feature_names_in_.tolist() == list(CUSTOMERS)
    assert wanted.cluster_centroids_.shape == (2, 4)
    tables = [
        pl.from_pandas(CUSTOMERS),
        pa.Table.from_pandas(CUSTOMERS),
        {name: CUSTOMERS[name].to_numpy() for name in CUSTOMERS},
        CUSTOMERS.convert_dtypes(),
        CUSTOMERS.to_numpy(dtype=object),
        CUSTOMERS.to_numpy().tolist(),
    ]
    for table in tables:
        found = xf.KPrototypes(2, random_state=0).fit(table)
        assert found.cluster_centroids_.tolist() == wanted.cluster_centroids_.tolist()
        assert found.cost_ == wanted.cost_
        np.testing.assert_array_equal(found.labels_, wanted.labels_)
        np.testing.assert_array_equal(found.predict(table), wanted.labels_)
    text = CUSTOMERS.astype(str).to_numpy(dtype="U8")  # as numpy makes of mixed lists: numbers are read
    found = xf.KPrototypes(2, random_state=0, categorical=[1, 2]).fit(text)
    np.testing.assert_array_equal(found.labels_, wanted.labels_)


@pytest.mark.parametrize(
    "values",
    [
        ["b", "a", "b", "", "a", "b"],
        [3, 1, 3, -2, 1, 3],
        [0.5, 1.0, 0.5, -0.0, 1.0, 0.5],
        [True, False, True, True, False, True],
        [dt.date(2026, 1, 2), dt.date(2025, 1, 1), dt.date(2026, 1, 2), dt.date(1960, 5, 5), None, dt.date(2026, 1, 2)],
        [dt.datetime(2026, 1, 2, 3, 4, 5, 678), None, None, None, None, None],  # noqa: DTZ001
        [Decimal("1.10"), Decimal(2), Decimal("1.1"), None, Decimal(2), Decimal("1.10")],
        ["张三", None, "张三", "李四", None, "张三"],
    ],
    ids=["text", "integers", "floats", "booleans", "dates", "timestamps", "decimals", "chinese"],
)
def test_categories_of_any_kind_are_the_same_in_every_table(values: list):
    tables = [
        pd.DataFrame({"a": values, "b": list("xxyyzz")}),
        pl.DataFrame({"a": values, "b": list("xxyyzz")}, strict=False),
        pa.table({"a": values, "b": list("xxyyzz")}),
        pd.DataFrame({"a": pd.Series(values, dtype=object), "b": list("xxyyzz")}),
    ]
    models = [xf.KModes(2, missing="category").fit(table) for table in tables]
    for table, model in zip(tables, models, strict=True):
        assert model.cluster_centroids_.tolist() == models[0].cluster_centroids_.tolist()
        assert model.categories_ == models[0].categories_
        assert model.categories_[0] == list(dict.fromkeys(values))
        read = xf.KModes.from_json(model.to_json())
        assert read.categories_ == model.categories_
        for other in tables:
            np.testing.assert_array_equal(read.predict(other), models[0].labels_)
        assert read.predict(table).tobytes() == model.labels_.tobytes()


def test_categoricals_and_enums_are_read_by_their_values():
    wanted = xf.KModes(2).fit(CUSTOMERS[["city", "club"]])
    for table in (
        CUSTOMERS[["city", "club"]].astype({"city": pd.CategoricalDtype(["?", "Paris", "Nice", "Lyon"])}),
        pl.from_pandas(CUSTOMERS[["city", "club"]]).with_columns(pl.col("city").cast(pl.Categorical)),
        pl.from_pandas(CUSTOMERS[["city", "club"]]).with_columns(
            pl.col("city").cast(pl.Enum(["Paris", "Nice", "Lyon"]))
        ),
        pa.table({"city": pa.array(CUSTOMERS["city"]).dictionary_encode(), "club": CUSTOMERS["club"]}),
    ):
        found = xf.KModes(2).fit(table)
        assert found.categories_ == wanted.categories_ == [["Lyon", "Nice", "Paris"], [False, True]]
        np.testing.assert_array_equal(found.labels_, wanted.predict(table))
    several = pa.concat_tables(
        [
            pa.table({"a": pa.array(["x", "y"]).dictionary_encode()}),
            pa.table({"a": pa.array(["z", "x"]).dictionary_encode()}),
        ]
    )
    assert xf.KModes(2).fit(several).categories_ == [["x", "y", "z"]]


def test_objects_of_several_kinds_are_categories():
    X = np.array([[1, "a"], ["1", "a"], [None, "b"], [1.0, "b"], [True, "b"], [np.nan, "a"]], dtype=object)
    km = xf.KModes(2, missing="category").fit(X)
    assert km.categories_ == [[1, "1", None], ["a", "b"]]
    frame = pd.DataFrame(X, columns=["a", "b"])
    np.testing.assert_array_equal(xf.KModes(2, missing="category").fit(frame).labels_, km.labels_)


def test_columns_are_named_or_found():
    kp = xf.KPrototypes(2, random_state=0, categorical=["age", "city", "club"]).fit(CUSTOMERS)
    assert [values is None for values in kp.categories_] == [True, False, False, False]
    assert kp.categories_[3] == [30, 31, 40, 50, 51, 52]
    kp = xf.KPrototypes(2, random_state=0, categorical="city").fit(CUSTOMERS)  # true and false as 1 and 0
    assert kp.categories_[2] is None
    numbers = np.array([[1.0, 0], [2.0, 0], [8.0, 1], [9.0, 1]])
    kp = xf.KPrototypes(2, random_state=0, categorical=[1]).fit(numbers)
    assert sorted(kp.cluster_centroids_.tolist()) == [[1.5, 0], [8.5, 1]]


# -- missing and unseen ----------------------------------------------------------------------------------


def test_missing_is_an_error_or_a_category():
    holes = CUSTOMERS.assign(city=["Lyon", None, None, "Paris", None, "Nice"])
    for table in (holes, pl.from_pandas(holes), holes.to_numpy(dtype=object)):
        name = "column 1" if isinstance(table, np.ndarray) else "column 'city'"
        with pytest.raises(InputError, match=f"{name} is missing in row 1; .*missing='category'"):
            xf.KPrototypes(2).fit(table)
        kp = xf.KPrototypes(2, random_state=0, missing="category").fit(table)
        assert kp.categories_[1] == ["Lyon", None, "Paris", "Nice"]
        assert {centre[1] for centre in kp.cluster_centroids_} >= {None}
        np.testing.assert_array_equal(kp.predict(table), kp.labels_)
    nothing = pd.DataFrame({"a": [None] * 4, "b": [1.0, 2, 8, 9]})
    kp = xf.KPrototypes(2, random_state=0, missing="category").fit(nothing)
    assert kp.cluster_centroids_[:, 0].tolist() == [None, None]
    with pytest.raises(InputError, match="column 'a' is missing in row 0"):
        xf.KPrototypes(2).fit(nothing)


def test_an_unseen_category_differs_from_all_and_is_named_once():
    kp = xf.KPrototypes(2, random_state=0).fit(CUSTOMERS)
    later = CUSTOMERS.assign(city=["Lyon", "Metz", "Metz", "Brest", "Paris", "Paris"])
    with pytest.warns(UserWarning, match=r"column 'city' holds 'Metz' \(and 1 more\), which fit never saw") as caught:
        costs = kp.transform(later)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    seen = kp.transform(CUSTOMERS.assign(city=["Lyon", "Lyon", "Lyon", "Lyon", "Paris", "Paris"]))
    for cluster, centre in enumerate(kp.cluster_centroids_):
        wanted = seen.iloc[1, cluster] + (kp.gamma_ if centre[1] == "Lyon" else 0)
        assert costs.iloc[1, cluster] == pytest.approx(wanted)


# -- repeatable, portable ----------------------------------------------------------------------------------


@pytest.mark.parametrize("init", ["Huang", "Cao", "random"])
def test_threads_do_not_change_a_bit(init: str):
    X = mixed(20_000, 1, 0.6)
    fits = [xf.KPrototypes(6, init=init, n_init=2, random_state=0, n_jobs=n).fit(X) for n in (1, 2, 8)]
    for other in fits[1:]:
        assert other.cluster_centroids_.tolist() == fits[0].cluster_centroids_.tolist()
        assert (other.cost_, other.n_iter_) == (fits[0].cost_, fits[0].n_iter_)
        np.testing.assert_array_equal(other.labels_, fits[0].labels_)
        assert other.transform(X).tobytes() == fits[0].transform(X).tobytes()


def test_a_model_file_predicts_the_same_in_another_process(tmp_path: Path):
    kp = xf.KPrototypes(2, random_state=0).fit(CUSTOMERS)
    (tmp_path / "model.json").write_text(kp.to_json(), encoding="utf-8")
    # Not parquet: a process that ends right after pandas read one may abort under pyarrow 18 (apache/arrow#34314).
    CUSTOMERS.to_pickle(tmp_path / "rows.pickle")
    code = (
        "import sys, pathlib, pandas as pd, xifen as xf; folder = pathlib.Path(sys.argv[1]);"
        "kp = xf.KPrototypes.from_json((folder / 'model.json').read_text(encoding='utf-8'));"
        "rows = pd.read_pickle(folder / 'rows.pickle');"
        "print(kp.transform(rows).to_numpy().tobytes().hex(), kp.predict(rows).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{kp.transform(CUSTOMERS).to_numpy().tobytes().hex()} {kp.labels_.tolist()}"
    damaged = kp.to_json().replace('"n_features_in_": 4', '"n_features_in_": 3')
    with pytest.raises(InputError, match="damaged: feature_names_in_ does not name 3 columns"):
        xf.KPrototypes.from_json(damaged)
    with pytest.raises(ParameterError, match="a model file cannot hold RandomState"):
        xf.KModes(2, random_state=np.random.RandomState(0)).fit(CUSTOMERS).to_json()


def test_it_is_a_scikit_learn_citizen():
    kp = xf.KPrototypes(2, random_state=0, init=CUSTOMERS.iloc[[0, 4]])
    again = clone(kp).set_params(init="Huang", n_clusters=2)
    np.testing.assert_array_equal(again.fit_predict(CUSTOMERS), make_pipeline(again).fit_predict(CUSTOMERS))
    out = again.fit_transform(CUSTOMERS)
    assert list(out.columns) == ["kprototypes0", "kprototypes1"] == list(again.get_feature_names_out())
    assert isinstance(again.set_output(transform="polars").transform(CUSTOMERS), pl.DataFrame)
    with pytest.raises(ValueError, match="feature names should match"):
        again.predict(CUSTOMERS[["age", "club", "city", "orders"]])
    assert xf.KModes(2).fit_transform([["a"], ["b"]]).tolist() == [[0, 1], [1, 0]]


def test_given_prototypes_start_one_run():
    kp = xf.KPrototypes(2, random_state=0).fit(CUSTOMERS)
    for init in (kp.cluster_centroids_, pd.DataFrame(kp.cluster_centroids_, columns=list(CUSTOMERS)).infer_objects()):
        again = xf.KPrototypes(2, init=init).fit(CUSTOMERS)
        np.testing.assert_array_equal(again.labels_, kp.labels_)
        assert again.cost_ == kp.cost_
    for init, words in (
        (kp.cluster_centroids_[:, :3], "init has 3 columns"),
        (kp.cluster_centroids_[:1], "init has 1 rows; wanted n_clusters=2"),
        (CUSTOMERS.iloc[:2].rename(columns={"city": "town"}), "init has .*'town'"),
        (CUSTOMERS.iloc[:2].assign(city="Metz"), "init holds 'Metz' in column 'city', which no row has"),
        (CUSTOMERS.iloc[:2].assign(age=np.nan), "init cannot be used: column 'age' is missing"),
        ("kmeans++", "init is 'kmeans"),
        (7, "init"),
    ):
        with pytest.raises(ValueError, match=words):
            xf.KPrototypes(2, init=init).fit(CUSTOMERS)


def test_the_largest_cluster_comes_first():
    X = categories(500, 4, 3, 1, 0.8)
    km = xf.KModes(5, init="Huang", random_state=0, label_order="size").fit(X)
    sizes = np.bincount(km.labels_, minlength=5)
    assert (np.diff(sizes) <= 0).all()
    np.testing.assert_array_equal(km.predict(X), km.labels_)


# -- few, many, odd ----------------------------------------------------------------------------------------


def test_fewer_different_rows_than_clusters():
    for init in ("Huang", "Cao", "random"):
        with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\) found smaller than n_clusters \(3\)"):
            km = xf.KModes(3, init=init).fit([["a", 1], ["b", 1], ["a", 1], ["b", 1]])
        assert km.cost_ == 0
        assert len(set(km.labels_)) == 2
    assert xf.KModes(1).fit([["a"]]).cost_ == 0
    assert xf.KPrototypes(1).fit([[1.0, "a"]]).cost_ == 0
    single = xf.KPrototypes(2, random_state=0).fit(CUSTOMERS.assign(city="Lyon", club=True))
    assert (single.cluster_centroids_[:, 1] == "Lyon").all()


def test_300_clusters_have_300_labels():
    X = np.column_stack([np.arange(1_200) % 400, np.arange(1_200) // 400])
    km = xf.KModes(300, init="random", random_state=0).fit(X)
    assert sorted(set(km.labels_)) == list(range(300))
    np.testing.assert_array_equal(km.predict(X), km.labels_)


def test_arrays_that_may_not_be_written_or_lie_apart():
    X = mixed(200, 0, 0.5)
    wanted = xf.KPrototypes(3, random_state=0).fit(X)
    locked = X.copy()
    locked.flags.writeable = False
    apart = np.empty((400, 10), dtype=object)
    apart[::2, ::2] = X
    for array in (locked, apart[::2, ::2], np.asfortranarray(X)):
        np.testing.assert_array_equal(xf.KPrototypes(3, random_state=0).fit(array).labels_, wanted.labels_)
    codes = categories(200, 6, 3, 0, 0.5)
    wanted = xf.KModes(3).fit(codes)
    for array in (codes[::-1][::-1], codes.astype(np.uint8), codes.astype(str), codes.astype(np.float32), codes > -1):
        model = xf.KModes(3).fit(array) if array.dtype != bool else None
        assert model is None or model.labels_.tolist() == wanted.labels_.tolist()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: xf.KPrototypes(2).fit(CUSTOMERS[["orders", "age"]]), "no column holds categories; .*KMeans"),
        (lambda: xf.KPrototypes(2).fit(CUSTOMERS[["city", "club"]]), "no column holds numbers; use KModes"),
        (lambda: xf.KPrototypes(2).fit(CUSTOMERS.to_numpy()[:1]), "n_samples=1 is fewer than n_clusters=2"),
        (lambda: xf.KPrototypes(0).fit(CUSTOMERS), "n_clusters is 0; wanted a whole number of at least 1"),
        (lambda: xf.KPrototypes(2, gamma=-1).fit(CUSTOMERS), "gamma is -1; wanted a number of at least 0"),
        (lambda: xf.KPrototypes(2, missing="drop").fit(CUSTOMERS), "missing is 'drop'; wanted 'error' or 'category'"),
        (lambda: xf.KPrototypes(2, categorical=["town"]).fit(CUSTOMERS), "no column 'town'"),
        (lambda: xf.KPrototypes(2, categorical=[9]).fit(mixed(9, 0, 1)), "categorical holds 9; wanted column positions from 0 to 4"),
        (lambda: xf.KPrototypes(2, categorical=["club"]).fit(CUSTOMERS), "column 'city' .* wanted numbers"),
        (lambda: xf.KPrototypes(2, categorical=[4]).fit(mixed(9, 0, 1)), "column 3 holds 'c.' in row 0; wanted numbers"),
        (lambda: xf.KPrototypes(2).fit(CUSTOMERS.assign(age=[1, 2, 3, np.nan, 5, 6])), r"column 'age' is missing \(NaN\) in row 3"),
        (lambda: xf.KPrototypes(2).fit(CUSTOMERS.assign(age=[1, 2, 3, 4, 5, np.inf])), r"column 'age' is infinite \(inf\) in row 5"),
        (lambda: xf.KPrototypes(2).fit(CUSTOMERS.assign(age=1e300)), "column 'age' is 1e300 in row 0; squares"),
        (lambda: xf.KModes(2).fit(pd.DataFrame({"a": [1.5, np.inf]})), "column 'a' holds inf; infinity is never data"),
        (lambda: xf.KModes(2).fit(pd.DataFrame({"a": [[1], [2]]})), "column 'a' holds what cannot be a category"),
        (lambda: xf.KModes(2).fit(pd.DataFrame({"a": pd.cut([1, 2], 2)})), "column 'a' holds Interval.*convert the column to text"),
        (lambda: xf.KModes(2).fit(pd.DataFrame({"a": pd.to_datetime(["2026-01-01T00:00:00.123456789"] * 2)})), "timestamp of microseconds"),
        (lambda: xf.KModes(2).fit(pd.DataFrame([["a", "b"]] * 2, columns=["x", "x"])), "2 columns named 'x'"),
        (lambda: xf.KModes(2).fit(CUSTOMERS[:0]), "the frame has no row"),
        (lambda: xf.KModes(2).fit(CUSTOMERS, sample_weight=[1, 1, 1, 1, 1, -1]), "sample_weight is -1 in row 5"),
        (lambda: xf.KModes(2).fit(CUSTOMERS, sample_weight=np.zeros(6)), "sample_weight is zero in every row"),
        (lambda: xf.KModes(2, init="plusplus").fit(CUSTOMERS), "init is 'plusplus'; wanted 'Huang', 'Cao' or 'random'"),
        (lambda: xf.KModes(2, max_iter=0).fit(CUSTOMERS), "max_iter is 0"),
        (lambda: xf.KModes(2, n_init=0, init="Huang").fit(CUSTOMERS), "n_init is 0"),
        (lambda: xf.KModes(2, init=[["Lyon"]] * 2, label_order="size").fit(CUSTOMERS[["city"]]), "label_order is 'size', but init"),
        (lambda: xf.KModes(2, label_order="name").fit(CUSTOMERS), "label_order is \"name\"; wanted None or 'size'"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(make, words: str):
    with pytest.raises(ValueError, match=words):
        make()


def test_sparse_data_is_refused():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="Sparse data was passed"):
        xf.KModes(2).fit(sparse.csr_matrix(np.eye(4)))


def test_weights_far_apart_end_and_cost_what_they_say():
    """Rounding takes what little is left of a cluster when nearly all its weight leaves: that row stays."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"x": random.normal(size=200), "c": random.integers(0, 3, 200).astype(str)})
    for weights in (np.exp(-random.integers(0, 60, 200).astype(float)), random.choice([1.0, 1e16], 200)):
        made = xf.KPrototypes(5, gamma=1.0, random_state=0).fit(rows, sample_weight=weights)
        assert made.n_iter_ < 100
        assert np.isclose(made.cost_, (made.transform(rows).to_numpy().min(axis=1) * weights).sum(), rtol=1e-9)
    few = pd.DataFrame({"x": [4.0, 7, 0, 1, 8], "c": list("abbab")})
    made = xf.KPrototypes(2, gamma=1.0, random_state=0).fit(few, sample_weight=[1e-17, 1e-17, 1, 1, 1e-17])
    assert made.cost_ < 1e-14
