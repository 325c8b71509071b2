"""Held-out rows: twins never lie on both sides."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.config.policies import HeldOut
from shared.dataset.split import HELD_OUT, TRAIN, assign_split, cluster_key

NUMBERS = st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False, places=3))
SHARES = st.builds(HeldOut, share=st.floats(0, 0.99), topics=st.floats(0, 0.99))


@given(SHARES, st.lists(st.text("abc xyz$\\{}", max_size=8), min_size=2, max_size=5), st.lists(NUMBERS, min_size=8))
def test_variants_of_one_template_fall_into_the_same_split(
    shares: HeldOut, words: list[str], numbers: list[object]
) -> None:
    words = words[:4]
    one, other = (
        gap.join(f"{word}{gap}{number}" for word, number in zip(words, numbers[start:], strict=False))
        for start, gap in ((0, " "), (4, " \n "))
    )
    assert cluster_key(one) == cluster_key(other)
    assert assign_split(shares, "s", "t", one) == assign_split(shares, "S", " t", other)


@given(st.floats(0.01, 0.99))
def test_a_topic_is_held_out_whole_or_by_clusters_alone(share: float) -> None:
    topics = [f"topic {name}" for name in "abcdefghijklmnopqrstuvwxyz"]
    sides = {topic: {assign_split(HeldOut(topics=share), "s", topic, f"{x}?") for x in "abcdef"} for topic in topics}
    assert all(len(side) == 1 for side in sides.values())


def test_the_shares_are_met() -> None:
    words = [f"{a}{b}{c}" for a in "abcdefghijklmnop" for b in "abcdefghijklmnop" for c in "abcdefghijklmnop"]
    sides = [assign_split(HeldOut(share=0.1), "s", "t", word) for word in words]
    assert 0.08 < sides.count(HELD_OUT) / len(words) < 0.12
    sides = [assign_split(HeldOut(topics=0.1), "s", word, "?") for word in words]
    assert 0.08 < sides.count(HELD_OUT) / len(words) < 0.12
    assert {assign_split(HeldOut(), "s", word, word) for word in words} == {TRAIN}


def test_other_words_are_another_cluster() -> None:
    assert cluster_key("Find $x$ with 3x = 12.") == cluster_key("find $x$ with -4x = 1,250.5.")
    assert cluster_key("Find $x$ with 3x = 12.") != cluster_key("Find $y$ with 3y = 12.")
