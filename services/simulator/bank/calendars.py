"""History, calendars: days between events, weekdays, movable feasts, the Maya Long Count."""

from random import Random

from services.simulator.bank.craft import tuples
from services.simulator.bank.problem import Sketch

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

EVENTS = (
    # what happened, year, month, day, in the calendar in use there: J Julian, G Gregorian
    ("the coronation of Charlemagne in Rome", 800, 12, 25, "J"),
    ("the battle of Hastings", 1066, 10, 14, "J"),
    ("the capture of Jerusalem by the First Crusade", 1099, 7, 15, "J"),
    ("the sealing of Magna Carta", 1215, 6, 15, "J"),
    ("the battle of Crecy", 1346, 8, 26, "J"),
    ("the battle of Agincourt", 1415, 10, 25, "J"),
    ("the fall of Constantinople", 1453, 5, 29, "J"),
    ("the landfall of Columbus", 1492, 10, 12, "J"),
    ("the battle of Bosworth", 1485, 8, 22, "J"),
    ("the battle of Mohacs", 1526, 8, 29, "J"),
    ("the battle of Lepanto", 1571, 10, 7, "J"),
    ("the Peace of Augsburg", 1555, 9, 25, "J"),
    ("the Defenestration of Prague", 1618, 5, 23, "G"),
    ("the battle of the White Mountain", 1620, 11, 8, "G"),
    ("the relief of Vienna", 1683, 9, 12, "G"),
    ("the Lisbon earthquake", 1755, 11, 1, "G"),
    ("the American Declaration of Independence", 1776, 7, 4, "G"),
    ("the storming of the Bastille", 1789, 7, 14, "G"),
    ("the battle of Austerlitz", 1805, 12, 2, "G"),
    ("the battle of Waterloo", 1815, 6, 18, "G"),
    ("the execution of Charles I of England", 1649, 1, 30, "J"),
    ("the battle of Poltava in the Russian calendar", 1709, 6, 27, "J"),
    ("the Decembrist revolt in the Russian calendar", 1825, 12, 14, "J"),
    ("the emancipation of the Russian serfs in the Russian calendar", 1861, 2, 19, "J"),
    ("the proclamation of the German Empire at Versailles", 1871, 1, 18, "G"),
    ("the assassination at Sarajevo", 1914, 6, 28, "G"),
    ("the armistice of Compiegne", 1918, 11, 11, "G"),
    ("the first crewed landing on the Moon", 1969, 7, 20, "G"),
    ("the opening of the Berlin Wall", 1989, 11, 9, "G"),
    ("the battle of Manzikert", 1071, 8, 26, "J"),
    ("the battle of Las Navas de Tolosa", 1212, 7, 16, "J"),
    ("the battle of Grunwald", 1410, 7, 15, "J"),
    ("the posting date of Luther's theses", 1517, 10, 31, "J"),
    ("the sack of Rome", 1527, 5, 6, "J"),
    ("the battle of Tours in the traditional dating", 732, 10, 10, "J"),
    ("the treaty of Verdun in the traditional dating", 843, 8, 10, "J"),
    ("the death of Otto the Great", 973, 5, 7, "J"),
    ("the murder of Thomas Becket", 1170, 12, 29, "J"),
)


def day_number(year: int, month: int, day: int, calendar: str) -> int:
    """Return the Julian day number (at noon) of a date in the Julian (J) or Gregorian (G) calendar."""
    a = (14 - month) // 12
    y, m = year + 4800 - a, month + 12 * a - 3
    base = day + (153 * m + 2) // 5 + 365 * y + y // 4
    return base - 32083 if calendar == "J" else base - y // 100 + y // 400 - 32045


def date_of(number: int, calendar: str) -> tuple[int, int, int]:
    """Return (year, month, day) of a Julian day number."""
    b = 0
    c = number + 32082
    if calendar == "G":
        a = number + 32044
        b = (4 * a + 3) // 146097
        c = a - 146097 * b // 4
    d = (4 * c + 3) // 1461
    e = c - 1461 * d // 4
    m = (5 * e + 2) // 153
    return 100 * b + d - 4800 + m // 10, m + 3 - 12 * (m // 10), e - (153 * m + 2) // 5 + 1


def wording(year: int, month: int, day: int) -> str:
    """Write a date: 14 October 1066."""
    return f"{day} {MONTHS[month - 1]} {year}"


CALENDAR = {"J": "Julian", "G": "Gregorian"}


def interval(rng: Random) -> Sketch:
    """Days between two events in their calendars."""
    (a, ya, ma, da, ca), (b, yb, mb, db, cb) = sorted(rng.sample(EVENTS, 2), key=lambda e: e[1:4])
    start, end = day_number(ya, ma, da, ca), day_number(yb, mb, db, cb)
    answer = end - start
    if answer <= 0:
        return interval(rng)
    same = day_number(yb, mb, db, ca) - start
    rough = 365 * (yb - ya) + day_number(1901, mb, db, "G") - day_number(1901, ma, da, "G")
    return Sketch(
        f"⟨A chronologist compares|Compare⟩ two events whose dates are given in the calendar stated: {a}, on "
        f"{wording(ya, ma, da)} ({CALENDAR[ca]} calendar), and {b}, on {wording(yb, mb, db)} ({CALENDAR[cb]} "
        f"calendar). Years "
        f"begin on 1 January. ⟨Taking the difference of the calendars into account where it matters|Allowing for the "
        f"difference between the calendars, if there is one⟩, ⟨determine|compute⟩ the number of days from the first "
        f"event to "
        f"the second, ⟨so that consecutive days differ by one|not counting the first day⟩.",
        str(answer),
        [str(same), str(answer + 1), str(rough), str(answer - 1), str(answer + 10)],
        [
            f"Convert both dates to Julian day numbers; {wording(ya, ma, da)} ({CALENDAR[ca]}) is day {start}.",
            f"In the same count {wording(yb, mb, db)} ({CALENDAR[cb]}) is day {end}.",
            f"There are {yb - ya} calendar years between the year numbers, with leap days by the rule of each "
            f"calendar.",
            f"The difference of the day numbers is the number of days, ${answer}$.",
        ],
        -0.5 + 0.8 * (ca != cb) + 0.3 * (ca == "G"),
    )


def weekday(rng: Random) -> Sketch:
    """Weekday some days before or after a dated event."""
    name, y, m, d, c = rng.choice(EVENTS)
    shift = rng.randint(20, 900) * rng.choice([-1, 1])
    number = day_number(y, m, d, c) + shift
    answer = DAYS[number % 7]
    other = DAYS[day_number(y, m, d, "G" if c == "J" else "J") % 7]
    when = "after" if shift > 0 else "before"
    return Sketch(
        f"A ⟨lost letter|chronicle⟩ says of ⟨some other occurrence|a minor event⟩ only that it happened exactly "
        f"{abs(shift)} "
        f"days {when} {name}, which is dated {wording(y, m, d)} in the {CALENDAR[c]} calendar. ⟨The seven-day week "
        f"has run "
        f"without interruption|Weeks have never been interrupted by a calendar reform⟩, and in the modern civil "
        f"(Gregorian) "
        f"calendar 1 January 2001 was a Monday. ⟨Determine|Find⟩ the day of the week on which that "
        f"occurrence fell, counting {abs(shift)} days as the difference of the dates.",
        answer,
        [
            DAYS[(number + 1) % 7],
            DAYS[(number - 1) % 7],
            other,
            DAYS[(number - shift) % 7],
            DAYS[(number - 2 * shift) % 7],
        ],
        [
            f"{wording(y, m, d)} in the {CALENDAR[c]} calendar has the Julian day number {number - shift}.",
            f"Moving {abs(shift)} days {when} leads to day {number}.",
            f"Modulo seven this is {number % 7}, where 0 is Monday, as 1 January 2001 (day 2451911) confirms.",
            f"The day of the week is {answer}.",
        ],
        -0.6 + 0.6 * (c == "J"),
        "text",
    )


def easter(year: int, calendar: str) -> int:
    """Return the Julian day number of Easter Sunday (Meeus; anonymous Gregorian computus)."""
    if calendar == "J":
        d = (19 * (year % 19) + 15) % 30
        e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7
        return day_number(year, 3, 22, "J") + d + e
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    el = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * el) // 451
    return day_number(year, 3, 22, "G") + h + el - 7 * m


FEASTS = {
    "Ash Wednesday": -46, "Palm Sunday": -7, "Easter Sunday": 0, "Ascension Day": 39, "Whit Sunday (Pentecost)": 49,
    "Corpus Christi": 60, "Septuagesima Sunday": -63, "Trinity Sunday": 56,
}  # fmt: skip


def movable_feast(rng: Random) -> Sketch:
    """Date a charter by a movable feast."""
    calendar = rng.choice("JG")
    year = rng.randint(800, 1582) if calendar == "J" else rng.randint(1584, 2099)
    feast, offset = rng.choice([(f, o) for f, o in FEASTS.items() if not (f == "Corpus Christi" and year < 1264)])
    shift = rng.randint(1, 12) * rng.choice([-1, 1])
    number = easter(year, calendar) + offset + shift
    start = day_number(year, 1, 1, calendar)
    answer = number - start + 1
    other = (
        easter(year, "G" if calendar == "J" else "J") + offset + shift - day_number(year, 1, 1, "JG"[calendar == "J"])
    )
    when = "after" if shift > 0 else "before"
    days = "day" if abs(shift) == 1 else "days"
    where = (
        "" if offset == 0 else f"{feast} lies {abs(offset)} days {'after' if offset > 0 else 'before'} Easter Sunday. "
    )
    return Sketch(
        f"A ⟨charter|deed|letter⟩ is dated by the church year: it was sealed {abs(shift)} {days} {when} {feast} of "
        f"the year "
        f"${year}$ (year beginning on 1 January), ⟨in a region that used|where people used⟩ the {CALENDAR[calendar]} "
        f"calendar "
        f"together with the {CALENDAR[calendar]} reckoning of Easter. {where}⟨Find the position of the day in its "
        f"calendar "
        f"year|Determine which day of its calendar year this was⟩, in that same calendar: give the ordinal number of "
        f"the day, "
        f"1 January being day 1.",
        str(answer),
        [str(answer - 1), str(other + 1), str(answer - 2 * shift), str(answer + 7), str(answer - 7)],
        [
            f"The golden number of {year} is {year % 19 + 1}.",
            f"The {CALENDAR[calendar]} computus puts Easter of {year} on day {easter(year, calendar) - start + 1} of "
            f"the year.",
            f"The feast, {feast}, lies {offset} days from Easter; the charter {abs(shift)} {days} {when} it.",
            f"In the calendar this is {wording(*date_of(number, calendar))}.",
            f"Counted from 1 January as day 1, the ordinal number of the day is ${answer}$.",
        ],
        0.3 + 0.4 * (calendar == "G") + 0.2 * (offset != 0),
    )


def long_count(rng: Random) -> Sketch:
    """Turn a date into the Maya Long Count."""
    year = rng.randint(300, 1500)
    month, day = rng.randint(1, 12), rng.randint(1, 28)
    number = day_number(year, month, day, "J")
    days = number - 584283

    def count(days: int) -> tuple[int, ...]:
        out = []
        for size in (144000, 7200, 360, 20, 1):
            out.append(days // size)
            days %= size
        return tuple(out)

    answer = tuples(count(days))
    mistaken = day_number(year, month, day, "G") - 584283
    return Sketch(
        f"The Maya Long Count numbers days from its epoch in the mixed place-value system baktun, katun, tun, uinal, "
        f"kin, "
        f"where 1 uinal is 20 kin, 1 tun is 18 uinal, 1 katun is 20 tun and 1 baktun is 20 katun; one kin is one day. "
        f"⟨According to the correlation adopted here|Adopt the GMT correlation, by which⟩ the epoch 0.0.0.0.0 is "
        f"Julian day "
        f"number 584283. ⟨Determine|Compute⟩ the Long Count of the day that is {wording(year, month, day)} in the "
        f"Julian "
        f"calendar, ⟨as the tuple|given as⟩ (baktun, katun, tun, uinal, kin); the Julian day number of 1 January 1 in "
        f"the "
        f"Julian calendar is 1721424.",
        answer,
        [tuples(count(days + 1)), tuples(count(mistaken)), tuples(count(days - 1)), tuples(count(days + 2))],
        [
            f"The date {wording(year, month, day)} (Julian calendar) has the Julian day number {number}.",
            f"Since the epoch {number}-584283={days} days have passed.",
            f"There are {days // 144000} complete baktuns of 144000 days, leaving {days % 144000} days.",
            f"The rest is {days % 144000 // 7200} katuns and {days % 7200} days.",
            f"Going on down to single days, the Long Count is ${answer}$.",
        ],
        0.5 + 0.3 * (month > 2),
        "tuple",
    )
