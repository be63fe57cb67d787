"""The check of the harness itself, and the least that a searcher must show."""

import math

from benchmarks.search.cost import costs, story_of
from benchmarks.search.harness import run_once, summarise
from benchmarks.search.problems import expected_random_regret, synthetic_problem, table_problem
from nasdsl.language.moves import trace
from searchers import Evolution, RandomSearch


def test_random_search_meets_its_exact_expectation() -> None:
    problem = table_problem("nb201_cifar10")
    traces = [run_once(problem, lambda p, s: RandomSearch(p.space, s), seed, 50) for seed in range(40)]
    summary = summarise([problem.best - trace.incumbent[-1] for trace in traces])
    assert abs(summary.mean - expected_random_regret("nb201_cifar10", 50)) < 3 * summary.error


def test_all_points_drawn_leave_no_regret() -> None:
    assert math.isclose(expected_random_regret("macro", 6561), 0.0, abs_tol=1e-9)


def test_evolution_beats_random_search_on_the_synthetic_family() -> None:
    def mean(kind: type[RandomSearch] | type[Evolution]) -> float:
        runs = [run_once(synthetic_problem(s), lambda p, s: kind(p.space, s), s, 120) for s in range(10)]
        return summarise([run.incumbent[-1] for run in runs]).mean

    assert mean(Evolution) > mean(RandomSearch) + 0.05


def test_workers_lose_no_evaluations() -> None:
    problem = table_problem("macro")
    trace_ = run_once(problem, lambda p, s: Evolution(p.space, s), 0, 60, workers=16)
    assert len(trace_.incumbent) == len(trace_.seconds) == 60


def test_the_synthetic_family_is_conditional_and_as_large_as_it_says() -> None:
    lengths = [
        len(trace(problem.space, problem.space.sample(seed)))
        for seed in range(60)
        for problem in [synthetic_problem(seed, 5, 18)]
    ]
    assert min(lengths) >= 12
    assert max(lengths) >= 60


def test_the_cost_of_a_proposal_is_measured_on_the_history_of_a_search() -> None:
    problem = synthetic_problem(0)
    story = story_of(problem, 40)
    assert max(score for _, score in story[20:]) > max(score for _, score in story[:10])
    taken = costs("smbo", problem, story, asks=3)
    assert len(taken) == 3
    assert all(wall > 0 and processor > 0 for wall, processor in taken)
