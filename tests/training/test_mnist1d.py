"""mnist1d is generated exactly as by its authors' package."""

import numpy as np
import pytest

from nasdsl.training import mnist1d

# What package mnist1d 0.0.2.post1 gives for make_dataset() with its default arguments.
FIRST_OF_AUTHORS = [-0.33200567, -0.47191037, -0.77869708, -1.00974083]
LAST_OF_AUTHORS = [0.65987565, 0.87773435, 1.19315184]
FIRST_SHUFFLED = [1.03587403, 0.4101985, -0.88235257]


@pytest.fixture(scope="module")
def plain():
    return mnist1d.generate()


def test_the_numbers_are_the_authors(plain):
    x, y = plain
    assert x.shape == (5000, 40)
    np.testing.assert_allclose(x[0, :4], FIRST_OF_AUTHORS, atol=1e-8)
    np.testing.assert_allclose(x[-1, -3:], LAST_OF_AUTHORS, atol=1e-8)
    assert y[:10].tolist() == [2, 6, 4, 5, 6, 6, 6, 0, 3, 1]


def test_it_is_centered_and_balanced(plain):
    x, y = plain
    assert abs(x.mean()) < 1e-12
    assert abs(x.std() - 1) < 1e-12
    assert np.bincount(y).tolist() == [500] * 10


def test_shuffling_permutes_positions_alike_in_every_example(plain):
    shuffled, y = mnist1d.generate(shuffled=True)
    np.testing.assert_allclose(shuffled[0, :3], FIRST_SHUFFLED, atol=1e-8)
    assert (y == plain[1]).all()
    where = [int(np.argmin(abs(plain[0][0] - value))) for value in shuffled[0]]
    assert sorted(where) == list(range(40))
    np.testing.assert_allclose(plain[0][:, where], shuffled)
