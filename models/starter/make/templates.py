"""Reads templates.txt into pools, for training and held out: what may be said at any moment, and answers to a question."""

from collections import defaultdict
from functools import lru_cache
from pathlib import Path

ASKED = ["open", "yes_no", "name", "phone", "day", "time", "unit", "problem", "service", "beds", "confirm", "anything"]

# How much more often than once an intent is drawn: what matters and varies most is drawn most.
WEIGHTS = {"book": 3, "give_phone": 2.2, "give_time": 2.8, "give_name": 2, "reschedule": 1.4, "maintenance": 2.6, "hours": 1.2,
           "price": 1.2, "availability": 2.6, "question": 4.5, "outage": 1.2, "yes": 0.8, "no": 0.8, "wait": 0.4, "repeat": 0.5,
           "greeting": 0.5, "goodbye": 0.6, "other": 1.6, "emergency": 1.2, "human": 1.2, "robot": 0.7}


@lru_cache
def pools() -> tuple[dict, dict]:
    """(any[intent][split] -> templates, answers[asked] -> [(intent, split, template)]); split is "train" or "held"."""
    anywhere = defaultdict(lambda: {"train": [], "held": []})
    answers = defaultdict(list)
    intent, asked, split = None, None, "train"
    for line in Path(__file__).with_name("templates.txt").read_text().splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("== "):
            intent, _, asked = line[3:].partition(" after ")
            split = "train"
            if asked and asked not in ASKED:
                raise ValueError(f"unknown question: {asked}")
        elif line.startswith("-- "):
            split = "held"
        elif asked:
            answers[asked].append((intent, split, line))
        else:
            anywhere[intent][split].append(line)
    return dict(anywhere), dict(answers)


def intents() -> list[str]:
    """Every intent, in the order of the file."""
    return list(pools()[0])
