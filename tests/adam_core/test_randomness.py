import numpy as np
import pytest

from adam_core.randomness import Purpose, epoch_order, stream

#: The place of a stream: study seed, replicate, purpose, epoch, step, layer.
Place = tuple[int, int, Purpose, int, int, int]


def _raw(place: Place, n_words: int = 4) -> list[int]:
    seed, replicate, purpose, epoch, step, layer = place
    generator = stream(seed, replicate, purpose, epoch=epoch, step=step, layer=layer)
    return [int(word) for word in generator.bit_generator.random_raw(n_words)]


def test_words_are_the_published_ones() -> None:
    """Philox is a published function: these words must never change, or stored studies could not be continued."""
    assert _raw((7, 2, Purpose.ORDER, 3, 5, 1)) == [
        0xCB44697912B012FF,
        0x0EC57AF36D61B637,
        0xD2B693412FFFAE7B,
        0xD326DACF65B128D6,
    ]


def test_the_same_place_gives_the_same_words_whatever_was_drawn_before() -> None:
    place = (0, 1, Purpose.INITIAL_WEIGHTS, 0, 0, 0)
    first = _raw(place)
    stream(0, 1, Purpose.ORDER).random(1000)
    assert _raw(place) == first


@pytest.mark.parametrize(
    "other",
    [
        (4, 1, Purpose.INITIAL_WEIGHTS, 2, 4, 1),
        (3, 2, Purpose.INITIAL_WEIGHTS, 2, 4, 1),
        (3, 1, Purpose.ORDER, 2, 4, 1),
        (3, 1, Purpose.INITIAL_WEIGHTS, 3, 4, 1),
        (3, 1, Purpose.INITIAL_WEIGHTS, 2, 5, 1),
        (3, 1, Purpose.INITIAL_WEIGHTS, 2, 4, 2),
    ],
)
def test_every_part_of_the_place_counts(other: Place) -> None:
    words = _raw((3, 1, Purpose.INITIAL_WEIGHTS, 2, 4, 1), 1000)
    assert not set(words) & set(_raw(other, 1000))


def test_large_seeds_do_not_collide() -> None:
    places: list[Place] = [(seed, 0, Purpose.ORDER, 0, 0, 0) for seed in (0, 2**32, 2**63 - 1, 2**64 - 1)]
    assert len({tuple(_raw(place)) for place in places}) == len(places)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"study_seed": -1}, "study_seed must be in [0, 18446744073709551616), got -1"),
        ({"replicate": 2**64}, "replicate must be in [0, 18446744073709551616), got 18446744073709551616"),
        ({"layer": 2**32}, "layer must be in [0, 4294967296), got 4294967296"),
    ],
)
def test_refuses_what_the_counter_cannot_hold(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError) as error:
        stream(**{"study_seed": 0, "replicate": 0, **arguments}, purpose=Purpose.ORDER)
    assert str(error.value) == message


def test_an_order_is_a_permutation_of_its_own_epoch_and_replicate() -> None:
    orders = [epoch_order(0, replicate, epoch, 500) for replicate in (0, 1) for epoch in (1, 2)]
    for order in orders:
        assert np.array_equal(np.sort(order), np.arange(500))
    agreement = [np.mean(a == b) for i, a in enumerate(orders) for b in orders[:i]]
    assert max(agreement) < 0.05
    assert np.array_equal(orders[1], epoch_order(0, 0, 2, 500))
