"""Names of segments in plain words, from what their players are like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product

MAX_NAME_LENGTH = 40

# From this many standard deviations off the average a feature is worth a word.
_NOTABLE = 0.5
# Column -> the words for players below and above the average.
_BEFORE_NOUN = {"age": ("younger", "older")}
_PAYING = ("have paid", "may well pay")
_NOUNS = ("likely leavers", "undecided players", "likely stayers")
_AFTER_NOUN = {
    "game_play_num_per_week": ("play little", "play a lot"),
    "item_purchase_num_in_90_days": ("buy few items", "buy many items"),
}


@dataclass(frozen=True)
class Profile:
    """The players of one segment: their share of all, the means of their two scores, the share of those who have paid, and how far
    their means of some features are from everyone's, in standard deviations."""

    share: float
    churn: float
    purchase: float
    paid: float
    deviations: Mapping[str, float]


def segment_names(profiles: Sequence[Profile], purchase_rate: float) -> list[str]:
    """A short name for each segment, all different. `purchase_rate` is the share of payers among all players."""
    names: list[str] = []
    for profile in profiles:
        noun = _noun(profile.churn)
        traits = _traits(profile, purchase_rate)
        choices = (_name(noun, chosen) for count in range(min(1, len(traits)), len(traits) + 1) for chosen in combinations(traits, count))
        fitting = (name for name in choices if len(name) <= MAX_NAME_LENGTH and name not in names)
        names.append(next(fitting, f"{noun}, group {len(names) + 1}"))
    return names


def vocabulary() -> set[str]:
    """Every name that a segment may have, those with a group's number aside."""
    before = [[], *([(word, True)] for words in _BEFORE_NOUN.values() for word in words)]
    after = [("", *words) for words in (_PAYING, *_AFTER_NOUN.values())]
    orders = (order for choice in product(*after) for order in permutations(choice))
    names = (_name(noun, [*first, *((word, False) for word in order if word)]) for noun, first, order in product(_NOUNS, before, orders))
    return {name for name in names if len(name) <= MAX_NAME_LENGTH}


def _noun(churn: float) -> str:
    if churn >= 2 / 3:
        return _NOUNS[0]
    return _NOUNS[1] if churn > 1 / 3 else _NOUNS[2]


def _traits(profile: Profile, purchase_rate: float) -> list[tuple[str, bool]]:
    """Words for what is notable, the most notable first; whether they stand before the noun."""
    traits: list[tuple[float, str, bool]] = []
    if profile.paid > 0.5:
        traits.append((float("inf"), _PAYING[0], False))
    elif profile.purchase >= 2 * purchase_rate:
        traits.append((profile.purchase / purchase_rate, _PAYING[1], False))
    for words, before in ((_BEFORE_NOUN, True), (_AFTER_NOUN, False)):
        for name, (below, above) in words.items():
            deviation = profile.deviations.get(name, 0.0)
            if abs(deviation) >= _NOTABLE:
                traits.append((abs(deviation), above if deviation > 0 else below, before))
    traits.sort(key=lambda trait: -trait[0])
    return [(word, before) for _, word, before in traits]


def _name(noun: str, traits: Sequence[tuple[str, bool]]) -> str:
    before = [word for word, is_before in traits if is_before]
    after = [word for word, is_before in traits if not is_before]
    return " ".join([*before, noun, *([f"who {' and '.join(after)}"] if after else [])])
