"""Cuts the diphones of the starter voice out of flite's cmu_us_slt at a flat pitch: pitch-synchronous frames by pair of sounds."""

import random
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

import grammar
import recogniser
from phonemes import Phonemiser

VOICE, PITCH_HZ, PAUSE = "slt", 172, "#"

# Piper's phoneme ids.
_SYMBOLS = """_ ^ $ SPACE ! ' ( ) , - . : ; ? a b c d e f h i j k l m n o p q r s t u v w x y z æ ç ð ø ħ ŋ œ ǀ ǁ ǂ ǃ ɐ ɑ ɒ ɓ ɔ ɕ ɖ ɗ ɘ ə ɚ ɛ
ɜ ɞ ɟ ɠ ɡ ɢ ɣ ɤ ɥ ɦ ɧ ɨ ɪ ɫ ɬ ɭ ɮ ɯ ɰ ɱ ɲ ɳ ɴ ɵ ɶ ɸ ɹ ɺ ɻ ɽ ɾ ʀ ʁ ʂ ʃ ʄ ʈ ʉ ʊ ʋ ʌ ʍ ʎ ʏ ʐ ʑ ʒ ʔ ʕ ʘ ʙ ʛ ʜ ʝ ʟ ʡ ʢ ʲ ˈ ˌ ː ˑ ˞ β θ χ ᵻ ⱱ""".split()
PHONEME_IDS = {" " if s == "SPACE" else s: i for i, s in enumerate(_SYMBOLS)}
ID_COUNT, PAUSE_ID = 130, 1

# One IPA letter as the phone that flite calls it; what it has no phone for gets the nearest.
_FLITE = dict(zip("pbtdkɡfvθðszʃʒhmnŋlɹwjɪiɛæɑɔʊuʌəɐɚɜᵻɾʔoeaɒyrx",
                  """p b t d k g f v th dh s z sh zh hh m n ng l r w y ih iy eh ae aa ao uh uw ah ax ax er er ih t t ow eh aa aa iy r
                  k""".split()))
_PAIRS = {"eɪ": "ey", "aɪ": "ay", "ɔɪ": "oy", "oʊ": "ow", "aʊ": "aw", "tʃ": "ch", "dʒ": "jh"}
_FIRST_HALF = {"tʃ": 0.45, "dʒ": 0.4}
_VOWELS = set("ih iy eh ae aa ao uh uw ah ax er ey ay oy ow aw".split())
_CORE = set("pbtdkɡfvθðszʃʒhmnŋlɹwjɪiɛæɑɔʊuʌəɐɚɜᵻɾoea")


def _sounds(ipa: str) -> list[tuple[str, str]]:
    """[(IPA of one or two letters, flite's phone)] of an IPA string; stress and length left out."""
    letters, out, i = [c for c in ipa if c in PHONEME_IDS and c not in "ˈˌː "], [], 0
    while i < len(letters):
        pair = "".join(letters[i:i + 2])
        if pair in _PAIRS:
            out.append((pair, _PAIRS[pair]))
            i += 1
        elif letters[i] in _FLITE:
            out.append((letters[i], _FLITE[letters[i]]))
        elif letters[i] in ",.?!;:":
            out.append((PAUSE, "pau"))
        i += 1
    return out


def _speak(arguments: list[str]) -> tuple[np.ndarray, int, list[tuple[str, float]]]:
    """(samples, rate, [(phone, end in seconds)]) from flite at a flat pitch."""
    with tempfile.TemporaryDirectory() as folder:
        wav = str(Path(folder) / "a.wav")
        said = subprocess.run(["flite", "-psdur", "-voice", VOICE, "--setf", "int_f0_target_stddev=0", *arguments, "-o", wav],
                              capture_output=True, text=True, check=True).stdout
        samples, rate = soundfile.read(wav)
    return samples.astype(np.float32), rate, [(p, float(e)) for p, e in (x.split(":") for x in said.split())]


def _spans(letters: str, begin: float, end: float) -> list[tuple[str, float, float]]:
    """Each IPA letter with its share of a phone's time."""
    if len(letters) == 1:
        return [(letters, begin, end)]
    middle = begin + (end - begin) * _FIRST_HALF.get(letters, 0.5)
    return [(letters[0], begin, middle), (letters[1], middle, end)]


def _difference(a: str, b: str) -> float:
    if a == b:
        return 0.0
    return 0.4 if (a in _VOWELS and b in _VOWELS) or {a, b} <= {"t", "d", "dx"} else 1.6


def _align(sounds, phones) -> list:
    """Sounds matched with flite's phones by least edits: spans of letters, None wherever the two disagree."""
    n, m = len(sounds), len(phones)
    cost = np.zeros((n + 1, m + 1))
    cost[:, 0], cost[0] = np.arange(n + 1), np.arange(m + 1)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost[i, j] = min(cost[i - 1, j] + 1, cost[i, j - 1] + 1, cost[i - 1, j - 1] + _difference(sounds[i - 1][1], phones[j - 1][0]))
    pairs, i, j = [], n, m
    while i and j:
        if cost[i, j] == cost[i - 1, j - 1] + _difference(sounds[i - 1][1], phones[j - 1][0]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    times, out, before = [0.0] + [e for _, e in phones], [], None
    for i, j in reversed(pairs):
        if before is not None and j != before + 1:
            out.append(None)
        before = j
        same = _difference(sounds[i][1], phones[j][0]) < 1
        out += _spans(sounds[i][0], times[j], times[j + 1]) if same else [None]
    return out


def _pitch_marks(x: np.ndarray, rate: int, period: int) -> np.ndarray:
    """Where pitch periods peak; in unvoiced stretches one mark a period."""
    low = scipy.signal.sosfiltfilt(scipy.signal.butter(2, [60, 900], "bandpass", fs=rate, output="sos"), x)
    low = low if abs(low.max()) > abs(low.min()) else -low
    level = np.sqrt(np.maximum(scipy.signal.fftconvolve(low**2, np.ones(2 * period) / (2 * period), "same"), 0))
    voiced, marks, t = 0.04 * level.max(), [], period
    while t < len(x) - period:
        if level[t] > voiced:
            wide = int(0.25 * period) if marks and level[marks[-1]] > voiced else period // 2
            a, b = max(0, t - wide), min(len(x), t + wide + 1)
            t = a + int(np.argmax(low[a:b] * (1 - 0.3 * np.abs(np.arange(a, b) - t) / max(wide, 1))))
            if marks and t <= marks[-1] + period // 2:
                t = marks[-1] + period
        marks.append(t)
        t += period
    return np.array(marks)


def agent_sentences() -> list[str]:
    """Templates of what the agent says."""
    lines = Path(__file__).with_name("agent.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@lru_cache
def _texts() -> list[str]:
    rng = random.Random(9)
    callers = [recogniser.any_sentence(rng, "train") for _ in range(300)]
    speaker = grammar.Speaker(rng)
    agent = [grammar.plain(grammar.expand(rng.choice(agent_sentences()), speaker)[0]) for _ in range(500)]
    return list(dict.fromkeys(callers + agent))[:700]


def _natural() -> list[tuple[np.ndarray, int, list]]:
    """Whole sentences: (samples, rate, aligned spans)."""
    phonemiser, out = Phonemiser(), []
    for text in _texts():
        sounds = [(PAUSE, "pau")]
        for clause in phonemiser.clauses(text):
            sounds += _sounds(clause) + [(PAUSE, "pau")]
        samples, rate, phones = _speak(["-t", text])
        out.append((samples, rate, _align(sounds, phones)))
    return out


def _carriers(missing: list[tuple[str, str]], inventory: list[str]) -> list:
    """Nonsense chains of sounds that hold the pairs that no sentence had."""
    rng, left, out = random.Random(9), dict.fromkeys(missing), []
    while left:
        chain = [next(iter(left))[0]]
        while len(chain) < 24:
            following = [b for b in inventory if (chain[-1], b) in left]
            if not following:
                break
            left.pop((chain[-1], chosen := rng.choice(following)))
            chain.append(chosen)
        sounds = [(PAUSE, "pau"), *((c, "pau" if c == PAUSE else _FLITE[c]) for c in chain), (PAUSE, "pau")]
        samples, rate, phones = _speak(["-p", " ".join(p for _, p in sounds)])
        out.append((samples, rate, _align(sounds, phones)))
    return out


def _middle_example(examples: list) -> tuple:
    """The example of median length."""
    lengths = [(a[2] - a[1]) / 2 + (b[2] - b[1]) / 2 for _, a, b in examples]
    return examples[int(np.argsort(lengths)[len(lengths) // 2])]


def _collect(utterances: list, have: dict) -> None:
    fresh = {}
    for utterance in utterances:
        for a, b in zip(utterance[2], utterance[2][1:]):
            if a and b and (a[0], b[0]) not in have:
                fresh.setdefault((a[0], b[0]), []).append((utterance, a, b))
    have.update(fresh)


def build(out: str) -> None:
    """Writes the units: frames [n, 2 periods], and for each pair of ids its first frame and how many."""
    natural, have = _natural(), {}
    _collect(natural, have)
    inventory = sorted(_CORE | {PAUSE} | {a[0] for _, _, spans in natural for a in spans if a})
    missing = [(a, b) for a in inventory for b in inventory if (a, b) not in have and (a, b) != (PAUSE, PAUSE)]
    print(f"{len(have)} pairs from sentences, {len(missing)} from carriers", flush=True)
    _collect(_carriers(missing, inventory), have)
    rate = natural[0][1]
    period = round(rate / PITCH_HZ)
    window, marks = np.hanning(2 * period + 1)[:-1].astype(np.float32), {}
    frames, start, count = [], np.zeros(ID_COUNT**2, np.int64), np.zeros(ID_COUNT**2, np.int64)
    for (a, b), examples in sorted(have.items()):
        (x, _, _), (_, a0, a1), (_, b0, b1) = _middle_example(examples)
        if id(x) not in marks:
            marks[id(x)] = _pitch_marks(x, rate, period)
        begin = (a0 + a1) / 2 if a != PAUSE else max(a0, a1 - 0.06)
        end = (b0 + b1) / 2 if b != PAUSE else min(b1, b0 + 0.06)
        inside = [k for k in marks[id(x)] if begin * rate <= k < end * rate and k >= period and k + period <= len(x)]
        inside = inside or [min(marks[id(x)], key=lambda k: abs(k - (begin + end) / 2 * rate))]
        key = _id(a) * ID_COUNT + _id(b)
        start[key], count[key] = len(frames), len(inside)
        frames += [x[k - period:k + period] * window for k in inside]
    np.savez(out, frames=np.array(frames, np.float32), start=start, count=count, period=period, rate=rate)
    print(f"{len(have)} pairs, {len(frames)} frames of {2 * period} samples at {rate} Hz")


def _id(letter: str) -> int:
    return PAUSE_ID if letter == PAUSE else PHONEME_IDS[letter]
