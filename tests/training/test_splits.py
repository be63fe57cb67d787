"""Parts are fixed, disjoint, complete, and as the data ask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdsl.training.errors import DataError
from nasdsl.training.splits import Keys, Splitting, split


def rows_of(parts, fold=0):
    train, valid = parts.folds[fold]
    return train, valid, parts.test


@given(st.integers(10, 400), st.integers(1, 9))
def test_every_row_is_in_exactly_one_part(n_rows, n_classes):
    classes = np.arange(n_rows) % n_classes
    parts = split(n_rows, Keys(classes), Splitting())
    together = np.concatenate(rows_of(parts))
    assert sorted(together.tolist()) == list(range(n_rows))
    assert abs(len(parts.test) - 0.2 * n_rows) <= 1
    assert abs(len(parts.folds[0][1]) - 0.2 * n_rows) <= 1


def test_the_same_data_are_always_split_the_same_way():
    classes = np.arange(50) % 3
    a, b = (split(50, Keys(classes), Splitting()) for _ in range(2))
    for left, right in zip(rows_of(a), rows_of(b), strict=True):
        assert (left == right).all()


@given(st.lists(st.integers(5, 120), min_size=2, max_size=6))
def test_every_class_is_spread_over_all_parts(counts):
    classes = np.repeat(np.arange(len(counts)), counts)
    parts = split(len(classes), Keys(classes), Splitting())
    for part, share in zip(rows_of(parts), (0.6, 0.2, 0.2), strict=True):
        found = np.bincount(classes[part], minlength=len(counts))
        assert (abs(found - share * np.asarray(counts)) < 2).all()


def test_rows_are_shuffled():
    parts = split(100, Keys(np.zeros(100)), Splitting())
    assert parts.test.tolist() != list(range(20))
    assert parts.test.tolist() != list(range(80, 100))


def test_no_group_is_in_two_parts():
    groups = np.random.default_rng(1).integers(0, 30, 300)
    parts = split(300, Keys(np.arange(300) % 2, groups), Splitting(group="patient"))
    train, valid, test = (set(groups[part]) for part in rows_of(parts))
    assert not train & valid and not train & test and not valid & test
    assert len(parts.test) > 30
    assert "no `patient` in two parts" in parts.said


def test_in_time_the_newest_rows_test_and_the_oldest_train():
    times = np.random.default_rng(2).permutation(100).astype(float)
    parts = split(100, Keys(times=times), Splitting(time="date"))
    train, valid, test = (times[part] for part in rows_of(parts))
    assert train.max() < valid.min() < valid.max() < test.min()


def test_groups_in_time_are_ordered_by_their_newest_row():
    groups, times = np.repeat(np.arange(20), 5), np.arange(100.0)
    parts = split(100, Keys(groups=groups, times=times), Splitting(group="g", time="t"))
    train, valid, test = (times[part] for part in rows_of(parts))
    assert train.max() < valid.min() < valid.max() < test.min()
    assert len(test) == 20


def test_each_row_outside_the_test_validates_in_one_fold():
    parts = split(100, Keys(np.arange(100) % 4), Splitting(folds=5))
    assert len(parts.folds) == 5
    validated = np.concatenate([valid for _, valid in parts.folds])
    assert sorted(validated) == sorted(set(range(100)) - set(parts.test))
    for train, valid in parts.folds:
        assert not set(train) & set(valid)
        assert len(train) + len(valid) + len(parts.test) == 100


def test_folds_in_time_train_on_older_rows_only():
    parts = split(120, Keys(times=np.arange(120.0)), Splitting(folds=3, time="t"))
    for train, valid in parts.folds:
        assert train.max() < valid.min() <= valid.max() < parts.test.min()


def test_folds_keep_groups_whole():
    groups = np.repeat(np.arange(25), 4)
    parts = split(100, Keys(groups=groups), Splitting(folds=4, group="g"))
    for train, valid in parts.folds:
        assert not set(groups[train]) & set(groups[valid])


def test_rows_of_a_validation_file_validate():
    parts = split(50, Keys(np.arange(50) % 2), Splitting(), given_valid=np.arange(50, 60))
    train, valid, test = rows_of(parts)
    assert valid.tolist() == list(range(50, 60))
    assert len(train) + len(test) == 50


def test_without_a_test_share_nothing_is_kept_back():
    parts = split(50, Keys(), Splitting(test=0.0))
    assert len(parts.test) == 0
    assert sum(map(len, parts.folds[0])) == 50


@pytest.mark.parametrize(
    ("splitting", "n_rows", "said"),
    [
        (Splitting(valid=0.6, test=0.4), 50, "leave nothing to train on"),
        (Splitting(valid=0.2, folds=3), 50, "exclude each other"),
        (Splitting(), 4, "too few rows"),
        (Splitting(folds=10), 12, "too few rows"),
    ],
)
def test_impossible_splits_are_refused(splitting, n_rows, said):
    with pytest.raises(DataError, match=said):
        split(n_rows, Keys(), splitting)


def test_a_share_for_validation_beside_a_file_for_it_is_refused():
    with pytest.raises(DataError, match="a file of their own"):
        split(20, Keys(), Splitting(valid=0.1), given_valid=np.arange(20, 30))


def test_too_few_groups_are_named():
    with pytest.raises(DataError, match="too few groups"):
        split(40, Keys(groups=np.repeat([0, 1], 20)), Splitting(group="g"))
