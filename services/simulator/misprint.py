"""Wrong keys that no reasoning gives: a factor of two, a sign, off by one, the last figure, swapped letters."""

import re
from random import Random
from string import ascii_lowercase

from services.simulator.answers import parse_number
from services.simulator.bank.craft import frac
from services.simulator.bank.problem import Problem


def misprint(problem: Problem, rng: Random) -> str:
    """Return the answer with one misprint; never the true answer, and never one of the slips."""
    candidates = [wrong for wrong in _candidates(problem.answer, rng) if wrong not in (problem.answer, *problem.slips)]
    return rng.choice(candidates)


def single_error(problem: Problem, rng: Random) -> str:
    """Return a wrong answer that hardly comes twice; an answer without a figure gets letters that do not belong."""
    value, digits = parse_number(problem.answer), re.search(r"\d+", problem.answer)
    off = rng.randint(100, 10**6)
    if value is not None and "." in problem.answer:
        return f"{float(value) + off:.{len(problem.answer.split('.')[1])}f}"
    if value is not None:
        return frac(value + off)
    if digits:
        return problem.answer[: digits.start()] + str(int(digits[0]) + off) + problem.answer[digits.end() :]
    return problem.answer + "".join(rng.choices(ascii_lowercase, k=4))


def _candidates(answer: str, rng: Random) -> list[str]:
    value = parse_number(answer)
    if value is not None and "." in answer:
        places = len(answer.split(".")[1])
        last = 10.0**-places
        return [f"{float(value) * factor + shift:.{places}f}"
                for factor, shift in [(2, 0), (-1, 0), (1, rng.randint(1, 4) * last), (0.5, 0), (10, 0)]]  # fmt: skip
    if value is not None:
        return [frac(wrong) for wrong in (2 * value, -value, value + 1, value - 1, value + 10, 3 * value)]
    digits = list(re.finditer(r"\d+", answer))
    wrongs = [answer[: m.start()] + str(int(m[0]) + by) + answer[m.end() :] for m in digits for by in (1, 2, 3)]
    if "\\" in answer and not answer.startswith("\\{"):
        wrongs += [f"-{answer}", f"2{answer}", f"3{answer}"]
    return wrongs or _swapped(answer)


def _swapped(word: str) -> list[str]:
    swaps = [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1) if word[i] != word[i + 1]]
    return [*swaps, word + word[-1], word + word[0].lower(), word[:-1] or word * 2]
