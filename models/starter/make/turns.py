"""One turn of a call as the language model sees it: what was asked, what the recogniser heard, and the JSON to answer.

The prompt is the product's own ("compact" style); keep both in step:
    <|im_start|>system\\n{business}<|im_end|>\\n
    <|im_start|>user\\nasked: {asked}\\n{utterance}<|im_end|>\\n<|im_start|>assistant\\n
    {"intent":"book","slots":{"day":"tuesday","time":"3:30 pm"}}<|im_end|>
"""

import json
import random
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import grammar
import templates
from words import BUSINESSES

START, END = "<|im_start|>", "<|im_end|>"

# Which intents answer a question, and how often; whoever answers something else draws from all intents.
EXPECTED = {
    "open": ({}, 0.0),
    "yes_no": ({"yes": 5, "no": 5}, 0.6),
    "name": ({"give_name": 1}, 0.65),
    "phone": ({"give_phone": 1}, 0.7),
    "day": ({"give_time": 1}, 0.7),
    "time": ({"give_time": 1}, 0.7),
    "unit": ({"give_address": 1}, 0.65),
    "problem": ({"maintenance": 6, "outage": 2, "emergency": 1}, 0.7),
    "service": ({"book": 1}, 0.6),
    "beds": ({"availability": 1}, 0.65),
    "confirm": ({"yes": 5, "no": 6, "give_time": 2}, 0.75),
    "anything": ({"no": 4, "goodbye": 3, "yes": 1, "question": 2}, 0.55),
}
ASKED_WEIGHTS = {"open": 9, "yes_no": 1.5, "name": 1.6, "phone": 1.6, "day": 1.8, "time": 1.8, "unit": 1.6, "problem": 1.6, "service": 0.8,
                 "beds": 0.9, "confirm": 2, "anything": 1.6}

# Said before a request in the same breath, with the slots it brings.
PRELUDES = {
    "train": ["{Hi|Hello|Hey|Good morning|Good afternoon}[ there],", "{Hi|Hello|Yes hello}, {this is|my name is} {<first>|<name>} and",
              "{Hi|Hello|Hey}, {this is|it's} {<first>|<name>}.", "{Hi|Hello}, {I'm|I am} in {unit|apartment} <unit>.",
              "{Hi|Hello}, {this is|it's} <first> in {unit|apartment} <unit>.", "{Um|Uh|Well|So|Okay|Oh}", "{Yes|Yeah}, hi,"],
    "held": ["Hello, I'm <first> from {unit|apartment} <unit>.", "Excuse me,", "Hi, my name's <first>."],
}
# And after one.
POSTLUDES = {
    "train": [", {my name is|this is|it's} {<name>|<name>|<first>}.", ", {my number is|you can reach me at} <phone>.",
              ", my name is <name>, my number is <phone>.", ", I'm in {unit|apartment} <unit>.", ", {this is|it's} <first> in {unit|apartment} <unit>."],
    "held": [", the name is <name>.", ", it's for <name>."],
}
PRELUDE_INTENTS = {"hours", "price", "area", "location", "book", "reschedule", "cancel", "human", "maintenance", "emergency", "outage",
                   "availability", "message", "callback", "status", "question"}
# Where "today" and the like are the day that the caller means.
DAY_INTENTS = {"book", "reschedule", "cancel", "give_time", "hours", "callback", "status"}
TAILS = ["please", "thank you", "thanks", "if that's okay", "if possible", "you know", "if you can"]
FILLS = ["um", "uh", "like", "well", "so", "you know", "please", "the", "a", "and"]


@dataclass(frozen=True)
class Turn:
    """One labelled turn. `utterance` is as heard, noise and all; `template` tells which pattern made it."""

    business: str
    asked: str
    utterance: str
    intent: str
    slots: dict
    template: str

    def prefix(self) -> str:
        return f"{START}system\n{self.business}{END}\n"

    def tail(self) -> str:
        return f"{START}user\nasked: {self.asked}\n{self.utterance}{END}\n{START}assistant\n"

    def reply(self) -> str:
        """The compact JSON, slots in the order of `grammar.SLOT_KEYS`."""
        slots = {k: self.slots[k] for k in grammar.SLOT_KEYS if k in self.slots}
        return json.dumps({"intent": self.intent, "slots": slots}, separators=(",", ":"))


@lru_cache
def _confusions() -> dict:
    """What the starter recogniser makes of a word: (texts, weights), the right one left out, and how often it is wrong."""
    path = Path(__file__).with_name("confusions.json")
    table = json.loads(path.read_text()) if path.exists() else {}
    out = {}
    for word, heard in table.items():
        wrong = {h: n for h, n in heard.items() if h != word}
        if wrong:
            out[word] = (list(wrong), list(wrong.values()), sum(wrong.values()) / sum(heard.values()))
    return out


def noisy(marked: str, level: float, rng: random.Random) -> str:
    """A marked sentence as a recogniser hears it: slot words stay, others are dropped, replaced or filled in at about `level`."""
    table, out, inside = _confusions(), [], False
    for word in marked.split():
        opens, closes = grammar.OPEN in word, grammar.CLOSE in word
        inside = inside or opens
        if not inside and rng.random() < level:
            bare = re.sub(r"[^a-z']", "", word.lower())
            texts, counts, _ = table.get(bare, (["", *FILLS], [6] + [1] * len(FILLS), 0))
            word = rng.choices(texts, counts)[0]
        elif not inside and rng.random() < level / 4:
            word = f"{rng.choice(FILLS)} {word}"
        if word:
            out.append(word)
        inside = inside and not closes
    return " ".join(out) or grammar.plain(marked)


def _spelling(text: str, rng: random.Random) -> str:
    """Letter case, commas and full stops as different recognisers leave them."""
    text = re.sub(r"\b([ap]) m\b\.?", r"\1m" if rng.random() < 0.25 else r"\1.m.", text)
    if rng.random() < 0.75:
        text = text.replace(",", "")
    u = rng.random()
    if u < 0.25:
        text = text.lower()
    elif u < 0.28:
        text = text.upper()
    if rng.random() < 0.3:
        text = text.rstrip(".?")
    if rng.random() < 0.1:
        text = text.replace("-", " ")
    return text


def _choose(asked: str, split: str, rng: random.Random) -> tuple[str, str]:
    """(intent, template) of what a caller says to that question."""
    anywhere, answers = templates.pools()
    expected, share = EXPECTED[asked]
    if rng.random() >= share:
        intent = rng.choices(list(anywhere), [templates.WEIGHTS.get(i, 1) for i in anywhere])[0]
        return intent, rng.choice(anywhere[intent][split])
    intent = rng.choices(list(expected), list(expected.values()))[0]
    bare = [t for i, s, t in answers.get(asked, []) if i == intent and s == split]
    general = anywhere[intent][split]
    return intent, rng.choice(bare if bare and (not general or rng.random() < 0.6) else general)


def _with_plain_day(text: str, slots: dict) -> tuple[str, dict]:
    """Marks a day that the pattern itself names, as in "can you come tomorrow", where no other day is given."""
    found = re.search(r"\b(today|tomorrow|this weekend)\b", text)
    if "day" in slots or not found:
        return text, slots
    marked = text[:found.start()] + grammar.OPEN + found[0] + grammar.CLOSE + text[found.end():]
    return marked, slots | {"day": found[0]}


def turn(rng: random.Random, split: str = "train", noise: float = 0.05) -> Turn:
    """A turn drawn from the grammar. `split`: "train" or "held" patterns; `noise`: share of words misheard."""
    asked = rng.choices(list(ASKED_WEIGHTS), list(ASKED_WEIGHTS.values()))[0]
    intent, template = _choose(asked, split, rng)
    speaker = grammar.Speaker(rng, written=rng.random() < 0.2, wide=True)
    text, slots = grammar.expand(template, speaker)
    text, slots = _with_plain_day(text, slots) if intent in DAY_INTENTS else (text, slots)
    before, more = grammar.expand(rng.choice(PRELUDES[split]), speaker)
    if intent in PRELUDE_INTENTS and rng.random() < 0.22 and not more.keys() & slots.keys():
        text = f"{before} {text if before.endswith('.') or text.startswith('I') else _lower_first(text)}"
        slots = more | slots
    after, more = grammar.expand("x" + rng.choice(POSTLUDES[split]), speaker)
    if intent in PRELUDE_INTENTS and rng.random() < 0.1 and not more.keys() & slots.keys():
        text = text.rstrip(".?") + after[1:]
        slots = slots | more
    elif rng.random() < 0.06:
        text = f"{text.rstrip('.?')} {rng.choice(TAILS)}."
    # Words that stand for a slot without being marked (" :: ") are easily lost, and the label with them: less noise there.
    level = noise / 3 if " :: " in template else noise
    heard = _spelling(grammar.plain(noisy(text, level, rng)), rng) if noise else grammar.plain(text)
    return Turn(rng.choice(BUSINESSES), asked, heard, intent, slots, template)


def _lower_first(text: str) -> str:
    return text if text.startswith(grammar.OPEN) else text[:1].lower() + text[1:]
