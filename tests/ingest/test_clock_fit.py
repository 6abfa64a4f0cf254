"""Few straight pieces through observations of a clock: steps, drift and wrong cues are found and the ± holds the truth."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.clocks import check_clock
from archive.timeline import ClockMap, WallTime
from ingest.clock_fit import BETWEEN, Observation, fit_clock

START_MS = WallTime.parse("2026-11-18T20:00:00+08:00").epoch_ms
LATER = WallTime.parse("2026-12-01T00:00:00+08:00")
HOUR_MS = 3_600_000
Truth = Callable[[float], float]


@dataclass(frozen=True)
class World:
    """A clock as it really ran: its rate beyond real time, and steps (media_ms, by ms)."""

    rate: float = 0.0
    steps: tuple[tuple[float, float], ...] = ()

    def wall(self, media_ms: float) -> float:
        return START_MS + media_ms * (1 + self.rate) + sum(by for at, by in self.steps if media_ms >= at)


def seen(world: World, length_ms: int, count: int, noise_ms: float, chance: random.Random, wrong: float = 0.0) -> list[Observation]:
    found = []
    for n in range(count):
        at = round((n + 0.5) / count * length_ms)
        off = chance.uniform(-600_000, 600_000) if chance.random() < wrong else chance.gauss(0, noise_ms)
        found.append(Observation(at, round(world.wall(at) + off), 0))
    return found


def fitted(observations: list[Observation], length_ms: int) -> ClockMap:
    clock = fit_clock(observations, 0, length_ms, "time_subtitle")
    assert clock is not None
    return clock


def held(clock: ClockMap, world: World, length_ms: int, chance: random.Random, tries: int = 100) -> float:
    """Share of moments, chosen by chance, at which the truth lies within the stated ±."""
    good = 0
    for _ in range(tries):
        at = chance.randrange(length_ms)
        wall = clock.to_wall(at)
        assert wall is not None
        good += abs(wall.epoch_ms - world.wall(at)) <= clock.uncertainty_at(at)
    return good / tries


def test_the_truth_lies_within_the_stated_uncertainty_nearly_always() -> None:
    chance = random.Random(20261118)
    shares = []
    for _ in range(150):
        length_ms = chance.choice([HOUR_MS // 6, HOUR_MS, 3 * HOUR_MS])
        steps = tuple((chance.uniform(0.1, 0.9) * length_ms, chance.uniform(5_000, 120_000)) for _ in range(chance.choice([0, 0, 1, 2])))
        world = World(chance.choice([0.0, 0.0, 50e-6, -200e-6, 1e-3]), steps)
        observations = seen(world, length_ms, chance.choice([20, 100, 600]), chance.choice([50, 300, 1000]), chance, wrong=0.03)
        shares.append(held(fitted(observations, length_ms), world, length_ms, chance))
    assert sum(shares) / len(shares) >= 0.95
    assert sum(share >= 0.95 for share in shares) / len(shares) >= 0.95


def test_a_steady_clock_is_one_piece_about_as_sure_as_its_readings() -> None:
    clock = fitted(seen(World(), HOUR_MS, 600, 400, random.Random(1)), HOUR_MS)
    assert len(clock.pieces) == 1
    assert clock.pieces[0].rate_ppm == 0
    assert clock.uncertainty_ms < 2 * 400


def test_drift_is_found_as_a_rate() -> None:
    clock = fitted(seen(World(rate=300e-6), 3 * HOUR_MS, 1000, 300, random.Random(2)), 3 * HOUR_MS)
    assert len(clock.pieces) == 1
    assert clock.pieces[0].rate_ppm == pytest.approx(300, abs=10)


def test_an_advertisement_cut_out_is_a_step_and_where_it_lies_is_as_unsure_as_it_is() -> None:
    world = World(steps=((HOUR_MS / 2, 95_000.0),))
    clock = fitted(seen(world, HOUR_MS, 360, 300, random.Random(3)), HOUR_MS)
    early, between, late = clock.pieces
    assert between.method == BETWEEN
    assert between.media_from_ms <= HOUR_MS / 2 <= late.media_from_ms
    assert late.media_from_ms - between.media_from_ms <= 2 * HOUR_MS // 360
    assert between.uncertainty_ms >= 95_000 / 2
    assert max(early.uncertainty_ms, late.uncertainty_ms) < 1000
    assert late.wall.epoch_ms == pytest.approx(world.wall(late.media_from_ms), abs=late.uncertainty_ms)


def test_lone_wrong_cues_move_nothing() -> None:
    observations = seen(World(), HOUR_MS, 300, 100, random.Random(4))
    spoiled = [
        Observation(o.media_ms, o.wall_ms + (86_400_000 if n % 50 == 7 else 0), o.uncertainty_ms) for n, o in enumerate(observations)
    ]
    clock = fitted(spoiled, HOUR_MS)
    assert len(clock.pieces) == 1
    assert abs(clock.pieces[0].wall.epoch_ms - START_MS) <= clock.uncertainty_ms < 500


def test_one_reading_far_away_is_trusted_less_for_what_crystals_drift() -> None:
    clock = fitted([Observation(0, START_MS, 1000)], 3 * HOUR_MS)
    assert clock.uncertainty_ms == 1000 + 3 * HOUR_MS // 10_000


def test_two_readings_that_agree_are_one_clock_and_two_that_contradict_are_a_step_somewhere_between() -> None:
    agreeing = fitted([Observation(60_000, START_MS + 60_000, 1000), Observation(HOUR_MS, START_MS + HOUR_MS + 1500, 1000)], HOUR_MS)
    assert len(agreeing.pieces) == 1
    apart = fitted([Observation(60_000, START_MS + 60_000, 1000), Observation(HOUR_MS, START_MS + HOUR_MS + 40_000, 1000)], HOUR_MS)
    middle = apart.to_wall(HOUR_MS // 2)
    assert middle is not None
    for step_at in (70_000, HOUR_MS - 1000):
        truth = World(steps=((step_at, 40_000.0),)).wall(HOUR_MS // 2)
        assert abs(middle.epoch_ms - truth) <= apart.uncertainty_at(HOUR_MS // 2)


def test_nothing_seen_is_no_clock() -> None:
    assert fit_clock([], 0, HOUR_MS, "anchors") is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, HOUR_MS), st.integers(-30_000, 30_000), st.integers(1, 5_000)), min_size=1, max_size=40))
def test_any_observations_give_ordered_pieces_from_0_that_can_be_stored(rows: list[tuple[int, int, int]]) -> None:
    clock = fitted([Observation(at, START_MS + at + off, sure) for at, off, sure in rows], HOUR_MS)
    media = [piece.media_from_ms for piece in clock.pieces]
    assert media[0] == 0
    assert media == sorted(set(media))
    assert all(piece.uncertainty_ms >= 0 for piece in clock.pieces)
    if all(b.wall >= a.wall for a, b in zip(clock.pieces, clock.pieces[1:], strict=False)):
        check_clock(clock, HOUR_MS, LATER)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(-250e-6, 250e-6), st.floats(6_000, 200_000), st.booleans())
def test_whatever_drifts_or_steps_the_truth_stays_within_the_uncertainty(seed: int, rate: float, step: float, steps: bool) -> None:
    chance = random.Random(seed)
    world = World(rate, ((HOUR_MS * chance.uniform(0.2, 0.8), step),) if steps else ())
    clock = fitted(seen(world, HOUR_MS, 200, 250, chance, wrong=0.02), HOUR_MS)
    assert held(clock, world, HOUR_MS, chance) >= 0.95
