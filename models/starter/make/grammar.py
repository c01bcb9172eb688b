"""Sentences by grammar: what callers say, with the intent and the slots that a perfect listener would write down.

Templates: {a|b} one of, [x] perhaps (alternatives with a bar), <slot> a filler from `FILLERS`; ` :: key=value` at the end of a
line adds a slot that the words do not spell out. All randomness comes from the generator that is passed in.
"""

import random
import re

from words import (CITIES, DIGITS, FAULTS, FIRST_NAMES, LAST_NAMES, MONTHS, NAME_HEADS, NAME_MIDDLES, NAME_TAILS, ODD_FAULTS,
                   ODD_THINGS, ODD_TOPICS, ORDINALS, ROOMS, SERVICES, STREET_KINDS, STREETS, TEENS, TENS, TOPICS, UTILITIES, WEEKDAYS)

SLOT_KEYS = ["name", "day", "time", "service", "phone", "number", "unit", "beds", "area", "address", "problem", "utility",
             "people", "month", "topic"]

# Around words that carry a slot, so that noise leaves them alone. Removed before anybody sees the sentence.
OPEN, CLOSE = "\x01", "\x02"


class Speaker:
    """One way of speaking: a generator; `written`: numbers as "3:30 pm" instead of words; `wide`: names and things beyond the lists
    that the recogniser is trained on."""

    def __init__(self, rng: random.Random, written: bool = False, wide: bool = False):
        self.rng = rng
        self.written = written
        self.wide = wide

    def pick(self, options):
        return self.rng.choice(options)


def number_words(n: int) -> str:
    """0..99 in words."""
    if n < 10:
        return DIGITS[n]
    if n < 20:
        return TEENS[n - 10]
    return TENS[n // 10 - 2] + ("-" + DIGITS[n % 10] if n % 10 else "")


def _made_up(s: Speaker, longest: int) -> str:
    middles = "".join(s.pick(NAME_MIDDLES) for _ in range(s.rng.randrange(longest)))
    return s.pick(NAME_HEADS) + middles + s.pick(NAME_TAILS)


def _first_name(s: Speaker) -> str:
    return _made_up(s, 2) if s.wide and s.rng.random() < 0.3 else s.pick(FIRST_NAMES)


def _last_name(s: Speaker) -> str:
    return _made_up(s, 3) if s.wide and s.rng.random() < 0.5 else s.pick(LAST_NAMES)


def first(s):
    name = _first_name(s)
    return name, {"name": name}


def name(s):
    full = f"{_first_name(s)} {_last_name(s)}"
    return full, {"name": full}


def last(s):
    family = _last_name(s)
    return family, {"name": family}


def weekday(s):
    day = s.pick(WEEKDAYS)
    return day, {"day": day.lower()}


def day(s):
    """A day as callers name it. Values: "tuesday", "next tuesday", "this tuesday", "tomorrow", "today", "next week", "the 5th"."""
    u, plain = s.rng.random(), s.pick(WEEKDAYS)
    if u < 0.52:
        return plain, {"day": plain.lower()}
    if u < 0.68:
        return f"next {plain}", {"day": f"next {plain.lower()}"}
    if u < 0.76:
        return f"this {plain}", {"day": f"this {plain.lower()}"}
    if u < 0.87:
        return "tomorrow", {"day": "tomorrow"}
    if u < 0.92:
        return "today", {"day": "today"}
    if u < 0.95:
        return "next week", {"day": "next week"}
    if u < 0.97:
        return "the day after tomorrow", {"day": "day after tomorrow"}
    return month_day(s)


def day_part(s):
    """A day and a part of it in one phrase: "Tuesday afternoon"."""
    when = s.pick([*WEEKDAYS, "tomorrow", "tomorrow"])
    part = s.pick(["morning", "afternoon", "evening"])
    return f"{when} {part}", {"day": when.lower(), "time": part}


def _ordinal_digits(n: int) -> str:
    suffix = "th" if n in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{suffix}"


def month_day(s):
    """A day of this or the next month: "the fifth", value "the 5th"."""
    n = s.rng.randrange(1, 32)
    spoken = _ordinal_digits(n) if s.written else ORDINALS[n - 1]
    return f"the {spoken}", {"day": f"the {_ordinal_digits(n)}"}


def date(s):
    """A date: "March third", value "march 3"."""
    at = s.rng.randrange(12)
    month, n = MONTHS[at], s.rng.randrange(1, 1 + (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[at])
    spoken = s.pick([_ordinal_digits(n), str(n)]) if s.written else ORDINALS[n - 1]
    text = f"{month} {spoken}" if s.rng.random() < 0.6 else f"the {spoken} of {month}"
    return text, {"day": f"{month.lower()} {n}"}


def _clock(s) -> tuple[str, str]:
    hour = s.rng.randrange(1, 13)
    said, u = number_words(hour), s.rng.random()
    tail = s.pick(["", "", "", " in the morning", " in the afternoon", " a m", " p m", " o'clock"])
    half = {" in the morning": " am", " a m": " am", " in the afternoon": " pm", " p m": " pm"}.get(tail, "")
    for limit, minutes, words in ((0.42, 0, ""), (0.62, 30, " thirty"), (0.72, 15, " fifteen"), (0.80, 45, " forty-five")):
        if u < limit:
            tail = "" if minutes and tail == " o'clock" else tail
            text = _written_clock(s, hour, minutes, half) if s.written else said + words + tail
            return text, f"{hour}:{minutes:02d}{half}"
    if u < 0.88:
        return f"half past {said}", f"{hour}:30"
    if u < 0.94:
        return f"quarter past {said}", f"{hour}:15"
    if u < 0.97:
        return f"quarter to {said}", f"{(hour - 2) % 12 + 1}:45"
    return "noon", "12:00 pm"


def _written_clock(s, hour: int, minutes: int, half: str) -> str:
    digits = f"{hour}:{minutes:02d}" if minutes or s.rng.random() < 0.5 else str(hour)
    if not half:
        return digits
    letter = half[1]
    return digits + s.pick([f" {letter}m", f"{letter}m", f" {letter}.m.", f" {letter.upper()}M"])


def clock(s):
    """A time of day. Values: "3:00", "3:30 pm", "12:00 pm"."""
    text, value = _clock(s)
    return text, {"time": value}


def time(s):
    """A time of day, or a part of the day: "morning", "early morning", "late afternoon", "after lunch"."""
    if s.rng.random() < 0.88:
        return clock(s)
    text = s.pick(["in the morning", "in the afternoon", "in the evening", "after lunch", "early in the morning",
                   "late in the afternoon"])
    return text, {"time": text.replace("in the ", "")}


def service(s):
    kind = s.pick(["viewing", *SERVICES, "viewing", "viewing"])
    return s.pick(SERVICES[kind]), {"service": kind}


def phone(s):
    """Seven or ten digits, in words by groups; the value is the bare digits."""
    count = s.pick([7, 7, 10, 10, 10])
    digits = [s.rng.randrange(10) for _ in range(count)]
    if s.rng.random() < 0.4:
        digits[:3] = [5, 5, 5]
    groups = [digits[:3], digits[3:]] if count == 7 else [digits[:3], digits[3:6], digits[6:]]
    value = "".join(map(str, digits))
    if s.written:
        return s.pick(["-", " ", "", "."]).join("".join(map(str, g)) for g in groups), {"phone": value}
    zero = "oh" if s.rng.random() < 0.35 else "zero"
    said = [" ".join(zero if d == 0 else DIGITS[d] for d in g) for g in groups]
    return ", ".join(said), {"phone": value}


def digits(s):
    """A short reference number of two to six digits."""
    numbers = [s.rng.randrange(10) for _ in range(s.rng.randrange(2, 7))]
    value = "".join(map(str, numbers))
    return (value if s.written else " ".join(DIGITS[d] for d in numbers)), {"number": value}


def unit(s):
    """An apartment number: "four oh two", "forty-two", "four zero two"; the value is the digits."""
    if s.rng.random() < 0.4:
        n = s.rng.randrange(1, 100)
        return (str(n) if s.written else number_words(n)), {"unit": str(n)}
    floor, door = s.rng.randrange(1, 10), s.rng.randrange(1, 100)
    value = f"{floor}{door:02d}"
    if s.written:
        return value, {"unit": value}
    if s.rng.random() < 0.25:
        zero = s.pick(["oh", "zero"])
        return " ".join(zero if d == "0" else DIGITS[int(d)] for d in value), {"unit": value}
    tail = f"oh {DIGITS[door]}" if door < 10 else number_words(door)
    return f"{DIGITS[floor]} {tail}", {"unit": value}


def beds(s):
    """A size of home; the value is the number of bedrooms, 0 for a studio."""
    kind = s.pick(["studio", "one", "two", "two", "three", "four"])
    if kind == "studio":
        return "studio", {"beds": "0"}
    value = str(DIGITS.index(kind))
    said = value if s.written else kind
    return said + s.pick(["-bedroom", "-bedroom", " bedroom"]), {"beds": value}


def beds_alone(s):
    """The size of home as a bare answer."""
    n = s.rng.randrange(1, 5)
    return (str(n) if s.written else DIGITS[n]), {"beds": str(n)}


def city(s):
    place = s.pick(CITIES)
    return place, {"area": place}


def street(s):
    place = f"{s.pick(STREETS)} {s.pick(STREET_KINDS)}"
    return place, {"address": place}


def addr(s):
    said, value = unit(s)
    place = street(s)[0]
    return f"{said} {place}", {"address": f"{value['unit']} {place}"}


def _fault(s) -> tuple[str, str]:
    if s.wide and s.rng.random() < 0.4:
        return s.pick(ODD_THINGS), s.pick(ODD_FAULTS)
    thing = s.pick(list(FAULTS))
    return thing, s.pick(FAULTS[thing])


def problem(s):
    text = " ".join(_fault(s))
    return text, {"problem": text}


def roomproblem(s):
    thing, fault = _fault(s)
    return f"{thing} in the {s.pick(ROOMS)} {fault}", {"problem": f"{thing} {fault}"}


def fixture(s):
    thing = s.pick(["sink", "toilet", "heater", "oven", "door", "lock", "window", "shower", "refrigerator"])
    return thing, {"problem": thing}


def util(s):
    kind = s.pick(list(UTILITIES))
    return s.pick(UTILITIES[kind]), {"utility": kind}


def people(s):
    n = s.rng.randrange(2, 9)
    return (str(n) if s.written else DIGITS[n]), {"people": str(n)}


def month(s):
    m = s.pick(MONTHS)
    return m, {"month": m.lower()}


def room(s):
    return s.pick(ROOMS), {}


def money(s):
    """A sum a month, in words; no slot."""
    hundreds = s.pick([8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 25, 30])
    if s.written:
        return f"${hundreds * 100:,}", {}
    if hundreds % 10 == 0:
        text = DIGITS[hundreds // 10] + " thousand"
    else:
        text = number_words(hundreds) + " hundred"
        text += " and fifty" if s.rng.random() < 0.2 else ""
    return text + s.pick([" dollars", "", " dollars"]), {}


def topic(s):
    kind = s.pick(list(TOPICS))
    return s.pick(TOPICS[kind]), {"topic": kind}


def odd_topic(s):
    """A topic nobody prepared for; the value is the words without their article."""
    said = s.pick(ODD_TOPICS)
    return said, {"topic": re.sub(r"^(the|a|an) ", "", said)}


FILLERS = dict(first=first, name=name, last=last, wday=weekday, day=day, day_part=day_part, month_day=month_day, date=date,
               clock=clock, time=time, service=service, phone=phone, digits=digits, unit=unit, beds=beds, beds_alone=beds_alone,
               city=city, street=street, addr=addr, problem=problem, roomproblem=roomproblem, fixture=fixture, util=util,
               people=people, month=month, room=room, money=money, topic=topic, odd_topic=odd_topic)

_CHOICE = re.compile(r"\{([^{}\[\]]*)\}|\[([^{}\[\]]*)\]")
_SLOT = re.compile(r"<(\w+)>")


def expand(template: str, s: Speaker) -> tuple[str, dict[str, str]]:
    """One sentence of a template, slot words still marked, and its slots. The last mention of a slot wins."""
    body, _, constants = template.partition(" :: ")
    slots = dict(pair.split("=") for pair in constants.split(",")) if constants else {}
    while match := _CHOICE.search(body):
        if match[1] is not None:
            chosen = s.pick(match[1].split("|"))
        else:
            options = match[2].split("|")
            chosen = s.pick(options) if s.rng.random() < 0.5 else ""
        body = body[:match.start()] + chosen + body[match.end():]

    def fill(match):
        text, values = FILLERS[match[1]](s)
        slots.update(values)
        return f"{OPEN}{text}{CLOSE}" if values else text

    return tidy(_SLOT.sub(fill, body)), slots


def tidy(text: str) -> str:
    """Single spaces, no space before punctuation, a capital first."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\s+([.,?'])", r"\1", text)
    text = re.sub(r"^[,. ]+", "", text)
    at = 1 if text.startswith(OPEN) else 0
    return text[:at] + text[at:at + 1].upper() + text[at + 1:]


def plain(text: str) -> str:
    """The sentence without the marks around slot words."""
    return text.replace(OPEN, "").replace(CLOSE, "")
