"""History: chronology, coinage and public debt, with computable answers."""

from fractions import Fraction
from random import Random

from services.simulator.bank.calendars import (
    interval,
    long_count,
    movable_feast,
    weekday,
)
from services.simulator.bank.craft import frac, sig
from services.simulator.bank.problem import Sketch

KINGS = (
    "Arvan",
    "Belor",
    "Cadmir",
    "Doreth",
    "Elvar",
    "Fennick",
    "Garal",
    "Hadrin",
    "Isomar",
    "Jorund",
    "Kelmir",
    "Lothar",
)


def reigns(rng: Random) -> Sketch:
    """Absolute chronology of a toy dynasty with coregencies and accession-year reckoning."""
    count = rng.randint(4, 6)
    names = rng.sample(KINGS, count)
    lengths = [rng.randint(5, 34) for _ in range(count)]
    overlaps = [0] + [rng.choice([0, 0, rng.randint(2, 4)]) for _ in range(count - 1)]
    first = rng.randint(900, 1900)
    starts = [first]
    for k in range(1, count):
        starts.append(starts[-1] - lengths[k - 1] + overlaps[k])
    target = rng.randrange(2, count)
    year = rng.randint(1, lengths[target])
    answer = starts[target] - year + 1
    if answer < 1:
        return reigns(rng)
    plain = first - sum(lengths[:target]) - year + 1
    listed = "; ".join(
        f"{n}, {w} years" + (f" (the first {o} as coregent, counted in both reigns)" if o else "")
        for n, w, o in zip(names, lengths, overlaps, strict=True)
    )
    return Sketch(
        f"A king list of an ⟨ancient|imaginary⟩ kingdom names, in order, with the numbers of regnal years: {listed}. "
        f"Regnal "
        f"years coincide with calendar years; a king's year 1 is the calendar year directly after the last year of his "
        f"predecessor, unless a coregency is noted, in which case it is earlier by the years of the coregency. ⟨An "
        f"eclipse "
        f"fixes|Astronomy fixes⟩ year 1 of {names[0]} as {first} BC. ⟨Determine|Find⟩ the year BC in which year "
        f"{year} of "
        f"{names[target]} fell.",
        str(answer),
        [str(plain), str(answer - 1), str(answer + 1), str(starts[target] + year - 1),
         str(answer - overlaps[target] - 2)],
        [
            f"BC years count downwards; {names[0]} begins in {first} BC.",
            *[f"Year 1 of {n} is {s} BC, coregency of {o} years included." for n, s, o in
              list(zip(names, starts, overlaps, strict=True))[1 : target + 1]],
            f"Year {year} of {names[target]} lies {year - 1} years after that king's year 1.",
            f"It fell in the year BC ${answer}$.",
        ],
        -0.8 + 0.2 * count + 0.25 * sum(o > 0 for o in overlaps[: target + 1]),
    )  # fmt: skip


def debasement(rng: Random) -> Sketch:
    """Fine silver after successive recoinages."""
    marks = rng.randint(20, 400)
    ounces = rng.randint(9, 15)
    rounds = rng.randint(2, 4)
    fee = [Fraction(rng.randint(1, 6), rng.choice([20, 24, 30, 48])) for _ in range(rounds)]
    add = [Fraction(rng.randint(1, 5), rng.choice([6, 8, 10, 12])) for _ in range(rounds)]
    silver, weight, steps = Fraction(ounces * marks, 16), Fraction(marks), []
    for f, a in zip(fee, add, strict=True):
        silver, weight = silver * (1 - f), weight * (1 - f) + weight * (1 - f) * a
        steps.append(f"A recoinage with seigniorage ${frac(f)}$ and alloy ${frac(a)}$ leaves ${frac(silver)}$ marks of "
                     f"silver in ${frac(weight)}$ marks of coin.")  # fmt: skip
    fine = silver / weight * 16
    answer = frac(fine)
    program = "; ".join(f"seigniorage ${frac(f)}$, copper ${frac(a)}$" for f, a in zip(fee, add, strict=True))
    plain = Fraction(ounces)
    for f, a in zip(fee, add, strict=True):
        plain *= (1 - f) * (1 - a)
    lost = Fraction(ounces)
    for f, a in zip(fee, add, strict=True):
        lost *= (1 - f) / (1 + a)
    return Sketch(
        f"A ⟨late medieval|sixteenth-century⟩ mint recoins a hoard of ${marks}$ marks of silver coin whose fineness is "
        f"${ounces}$ loth, meaning that ${ounces}$ sixteenths of its weight are pure silver and the rest copper. It "
        f"passes "
        f"through ${rounds}$ successive recoinages. In each, the mint first keeps the stated seigniorage, a fraction "
        f"of the "
        f"coin handed in, and then melts what is left with added copper amounting to the stated fraction of what is "
        f"left: "
        f"{program}. ⟨Determine|Compute⟩ the fineness of the final coin in loth, as an exact fraction.",
        answer,
        [frac(lost), frac(plain), frac(silver), frac(fine / 16)],
        [f"The hoard of {marks} marks holds ${frac(Fraction(ounces * marks, 16))}$ marks of pure silver.", *steps,
         "Seigniorage takes alloy of the current fineness, so only the added copper changes the fineness.",
         f"The ratio of silver to weight, times sixteen, is the fineness in loth, ${answer}$."],
        -0.7 + 0.4 * rounds,
    )  # fmt: skip


def annuity(rng: Random) -> Sketch:
    """Price of a city's annuity, a classic of late medieval public debt."""
    price, rent = rng.randint(8, 60) * 20, rng.randint(3, 15)
    years, rate = rng.randint(6, 30), rng.randint(30, 110) / 10
    i = rate / 100
    value = rent * price / 100 * (1 - (1 + i) ** -years) / i + price * (1 + i) ** -years
    answer = sig(value)
    place = rng.choice(
        ["Augsburg", "Bruges", "Florence", "Genoa", "Ghent", "Cologne", "Venice", "Basel", "Barcelona", "Siena"]
    )
    coin = rng.choice(["florins", "ducats", "gulden"])
    return Sketch(
        f"In the fifteenth century the city of {place} sells a redeemable rent: the buyer receives ${rent}$ per cent "
        f"of the "
        f"nominal capital of ${price}$ {coin} at the end of every year for ${years}$ years, and with the last payment "
        f"the "
        f"nominal capital itself. ⟨A historian wants to compare it with other investments|To compare it with land, a "
        f"historian discounts it⟩ at the constant annual rate of {rate:.1f} per cent, compounded yearly. "
        f"⟨Compute|Determine⟩ "
        f"the present value of the rent on the day of sale, in {coin}, to four significant figures, ⟨ignoring "
        f"default|all "
        f"payments being certain⟩.",
        answer,
        [sig(rent * price / 100 * (1 - (1 + i) ** -years) / i), sig(value * (1 + i)),
         sig((rent * price * years / 100 + price) / (1 + i) ** years), sig(price + rent * price * years / 100)],
        [
            f"The yearly payment in {place} is {rent} per cent of {price}, that is {sig(rent * price / 100, 6)} "
            f"{coin}.",
            f"At {rate:.1f} per cent the {years}-year annuity factor is {sig((1 - (1 + i) ** -years) / i, 6)}.",
            f"The capital repaid after {years} years is worth {sig(price * (1 + i) ** -years, 6)} {coin} today.",
            f"The present value is the sum of both parts, in {coin} ${answer}$.",
        ],
        -1.2 + 0.02 * years,
    )  # fmt: skip


FAMILIES = (interval, weekday, movable_feast, long_count, reigns, debasement, annuity)
