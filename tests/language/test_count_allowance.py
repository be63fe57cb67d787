"""What a count may cost: one long stretch without a decision is given no more steps than all of the count."""

import pytest

from nasdsl.language import fold
from nasdsl.language.configuration import LimitError
from nasdsl.language.machine import OutOfSteps
from nasdsl.language.reading import parse

TEXT = (
    "task classification on digits\n"
    "network { repeat 3000 { conv2d(4); relu }; conv2d(4 | 8); global_avg_pool; linear(outputs) }"
)


def test_a_long_stretch_ends_where_the_allowance_does() -> None:
    machine = parse(TEXT)._decider
    before = machine.steps_left
    with pytest.raises(LimitError, match="more steps to go through than the limit of exact counting"):
        fold.counting(machine, 100).begin()
    used = before - machine.steps_left
    assert used == fold._STEPS * 100 + 1
    assert fold.counting(parse(TEXT)._decider).begin() == (0, 2)


def test_steps_that_the_caller_gave_are_his_to_answer_for() -> None:
    machine = parse(TEXT)._decider
    machine.steps_left = 50
    with pytest.raises(OutOfSteps):
        fold.counting(machine).begin()
