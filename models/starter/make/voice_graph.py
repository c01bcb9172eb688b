"""The starter voice as an ONNX graph with Piper's interface: diphones joined by TD-PSOLA inside the graph.

Inputs: `input` int64 [1, phoneme ids], `input_lengths` int64 [1], `scales` float [3] (only the second, length, is used).
Output: `output` float [1, 1, 1, samples] at the units' rate. The same input always gives the same samples.
"""

import json
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from voice_units import ID_COUNT, PAUSE_ID, PHONEME_IDS

# Letters without units of their own borrow the nearest sound's.
FALLBACKS = dict(zip("ɒyɫɱʉɵøœcxqçβɸʁʀrɻɺɽɣɢɨɯɘɞɤχħɦɲɳɴʈɖɟʂʐɕʑʍɥʋʎɭʟɬɓɗɠɰʏ", "ɑilmuʊɜɜkkkhvfɹɹɹɹɹɾɡɡɪʊəɜʌhhhnnntddʃʒʃʒwjvllllbdɡwɪ"))
PAUSES_S = {",": 0.10, ";": 0.15, ":": 0.15, ".": 0.28, "?": 0.28, "!": 0.28, "^": 0.02, "$": 0.02}
LEVEL = 0.11


class Graph:
    """Collects nodes and constants."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def __call__(self, kind: str, *inputs: str, **attributes) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value, dtype=None) -> str:
        array, name = np.asarray(value, dtype), f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def i(self, value) -> str:
        return self.constant(value, np.int64)

    def f(self, value) -> str:
        return self.constant(value, np.float32)

    def to_float(self, x: str) -> str:
        return self("Cast", x, to=TensorProto.FLOAT)

    def to_int(self, x: str) -> str:
        return self("Cast", x, to=TensorProto.INT64)

    def add(self, *xs: str) -> str:
        out = xs[0]
        for x in xs[1:]:
            out = self("Add", out, x)
        return out

    def where(self, x: str, chosen: str) -> str:
        """The elements of x where `chosen` holds. Compress would do it, but rten 0.27 has no Compress."""
        return self("Gather", x, self("Reshape", self("NonZero", chosen), self.i([-1])), axis=0)

    def all_but_last(self, x: str) -> str:
        return self("Slice", x, self.i([0]), self.i([-1]))

    def all_but_first(self, x: str) -> str:
        return self("Slice", x, self.i([1]), self.i([1 << 30]))

    def column(self, x: str) -> str:
        return self("Unsqueeze", x, self.i([1]))

    def row(self, x: str) -> str:
        return self("Unsqueeze", x, self.i([0]))


def _unit_of_id(count: np.ndarray) -> np.ndarray:
    """For each phoneme id the id whose units speak it; -1 for marks that make no sound of their own."""
    sounded = set(np.nonzero(count)[0] // ID_COUNT) | set(np.nonzero(count)[0] % ID_COUNT)
    out = np.full(ID_COUNT, -1, np.int64)
    for i in PHONEME_IDS.values():
        if i in sounded and i != PAUSE_ID:
            out[i] = i
    for mark in PAUSES_S:
        out[PHONEME_IDS[mark]] = PAUSE_ID
    for letter, other in FALLBACKS.items():
        if out[PHONEME_IDS[letter]] < 0:
            out[PHONEME_IDS[letter]] = out[PHONEME_IDS[other]]
    return out


def _phonemes(g: Graph, units) -> dict[str, str]:
    """The sounded phonemes of the input, each with its unit, its pause, its stress, its length mark, and whether it is a question mark."""
    ids = g("Slice", g("Reshape", "input", g.i([-1])), g.i([0]), g("Reshape", "input_lengths", g.i([-1])))
    ids = g("Clip", ids, g.i(0), g.i(ID_COUNT - 1))
    s = g.where(ids, g("Not", g("Equal", ids, g.i(0))))
    following = g("Concat", g.all_but_first(s), g.i([0]), axis=0)
    before = g("Concat", g.i([0]), g.all_but_last(s), axis=0)
    unit = g("Gather", g.constant(_unit_of_id(units["count"])), s)
    sounded = g("Greater", unit, g.i(0))
    is_mark = lambda x, mark: g.to_float(g("Equal", x, g.i(PHONEME_IDS[mark])))
    pauses = np.zeros(ID_COUNT, np.float32)
    for mark, seconds in PAUSES_S.items():
        pauses[PHONEME_IDS[mark]] = seconds * int(units["rate"])
    kept = dict(unit=unit, pause=g("Gather", g.constant(pauses), s), question=is_mark(s, "?"), long=is_mark(following, "ː"),
                stress=g.add(is_mark(before, "ˈ"), g("Mul", is_mark(before, "ˌ"), g.f(0.4))))
    return {key: g.where(x, sounded) for key, x in kept.items()}


def _frames(g: Graph, p: dict[str, str], units) -> dict[str, str]:
    """Which stored frame each output period plays: `source`, its pair's index `pair`, its place `rank` of `length` in the pair."""
    a, b = g.all_but_last(p["unit"]), g.all_but_first(p["unit"])
    key = g.add(g("Mul", a, g.i(ID_COUNT)), b)
    have, start = (g("Gather", g.constant(units[k].astype(np.int64)), key) for k in ("count", "start"))
    have_f = g.to_float(have)
    both = lambda x: g.add(g.all_but_last(x), g.all_but_first(x))
    slow = g("Clip", g("Gather", "scales", g.i(1)), g.f(0.3), g.f(4.0))
    stretch = g("Mul", g.add(g.f(0.94), g("Mul", both(p["stress"]), g.f(0.10)), g("Mul", both(p["long"]), g.f(0.06))), slow)
    play = g("Max", g("Round", g("Mul", have_f, stretch)), g("Min", have_f, g.f(1.0)))
    play_i = g.to_int(play)
    ends = g("CumSum", play_i, g.i(0))
    j = g("Range", g.i(0), g("Gather", ends, g.i(-1)), g.i(1))
    pair = g("ReduceSum", g.to_int(g("LessOrEqual", g.row(ends), g.column(j))), g.i([1]), keepdims=0)
    of = lambda x: g("Gather", x, pair)
    rank = g.to_float(g("Sub", j, of(g("Sub", ends, play_i))))
    place = g("Div", g("Mul", g.add(rank, g.f(0.5)), of(have_f)), of(play))
    source = g.add(of(start), g("Min", g.to_int(g("Floor", place)), g("Sub", of(have), g.i(1))))
    return dict(a=a, b=b, pair=pair, rank=rank, length=of(play), source=source, slow=slow)


def _pitch(g: Graph, p: dict[str, str], fr: dict[str, str]) -> str:
    """The pitch of each period against the stored one: falling over a phrase, raised by stress, rising at the end of a question."""
    of = lambda x: g("Gather", x, fr["pair"])
    count = g("Shape", fr["a"])
    index = g("Range", g.i(0), g("Squeeze", count), g.i(1))
    down, across = g.column(index), g.row(index)
    opens = g("And", g.row(g("Equal", fr["a"], g.i(PAUSE_ID))), g("LessOrEqual", across, down))
    closes = g("And", g.row(g("Equal", fr["b"], g.i(PAUSE_ID))), g("GreaterOrEqual", across, down))
    last = g("Reshape", g("Sub", g("Squeeze", count), g.i(1)), g.i([1, 1]))
    begin = g("ReduceMax", g.to_float(g("Where", opens, across, g.i([[0]]))), axes=[1], keepdims=0)
    end = g("ReduceMin", g.to_float(g("Where", closes, across, last)), axes=[1], keepdims=0)
    length = g("Max", g("Sub", end, begin), g.f(1.0))
    along = g("Div", g("Sub", g.to_float(index), begin), length)
    question = of(g("Gather", g.all_but_first(p["question"]), g.to_int(end)))
    within = g("Div", g("Div", fr["rank"], g("Max", fr["length"], g.f(1.0))), of(length))
    place = g("Clip", g.add(of(along), within), g.f(0.0), g.f(1.0))
    fall = g("Sub", g.f(1.10), g("Mul", place, g.f(0.20)))
    accent = g("Mul", g.add(of(g.all_but_last(p["stress"])), of(g.all_but_first(p["stress"]))), g.f(0.07))
    rise = g("Mul", question, g("Mul", g("Max", g("Sub", place, g.f(0.78)), g.f(0.0)), g.f(2.0)))
    return g.add(fall, accent, rise)


def _overlap_add(g: Graph, p: dict[str, str], fr: dict[str, str], pitch: str, units) -> str:
    """Lays the frames down a pitch period apart, and evens out what their windows sum to."""
    period, rate, stored = int(units["period"]), int(units["rate"]), units["frames"]
    width, scale = 2 * period, (np.abs(stored).max(1) + 1e-6) / 127
    packed = np.clip(np.round(stored / scale[:, None]), -127, 127).astype(np.int8)
    frames = g("Mul", g.to_float(g("Gather", g.constant(packed), fr["source"])),
               g.column(g("Gather", g.constant(scale.astype(np.float32)), fr["source"])))
    steps = g("Div", g.f(float(period)), pitch)
    first = g.to_float(g("Equal", fr["rank"], g.f(0.0)))
    pauses = g("Mul", first, g("Mul", g("Gather", g.all_but_last(p["pause"]), fr["pair"]), fr["slow"]))
    at = g.to_int(g.add(g("CumSum", steps, g.i(0), exclusive=1), g("CumSum", pauses, g.i(0))))
    total = g.add(g("Gather", at, g.i(-1)), g.i(width + int(0.08 * rate)))
    where = g("Reshape", g.add(g.column(at), g.i(np.arange(width)[None])), g.i([-1]))
    silence = g("ConstantOfShape", g("Reshape", total, g.i([1])), value=helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]))
    window = np.hanning(width + 1)[:-1].astype(np.float32)[None]
    windows = g("Expand", g.constant(window), g("Concat", g("Shape", at), g.i([width]), axis=0))
    laid = lambda x: g("ScatterElements", silence, where, g("Reshape", x, g.i([-1])), axis=0, reduction="add")
    y = g("Div", laid(frames), g("Max", laid(windows), g.f(0.75)))
    loudness = float(np.sqrt((stored**2).mean()))
    return g("Clip", g("Mul", y, g.f(LEVEL / max(loudness * 1.6, 1e-3))), g.f(-1.0), g.f(1.0))


def build(units_file: str, out: str) -> None:
    """Writes `out` and `out`.json, Piper's description of it."""
    units, g = dict(np.load(units_file)), Graph()
    p = _phonemes(g, units)
    fr = _frames(g, p, units)
    y = _overlap_add(g, p, fr, _pitch(g, p, fr), units)
    g.nodes.append(helper.make_node("Reshape", [y, g.i([1, 1, 1, -1])], ["output"]))
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        g.nodes, "starter_voice",
        [value("input", TensorProto.INT64, ["batch_size", "phonemes"]), value("input_lengths", TensorProto.INT64, ["batch_size"]),
         value("scales", TensorProto.FLOAT, [3])],
        [value("output", TensorProto.FLOAT, ["batch_size", 1, 1, "time"])], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="nightbell")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out)
    described = {
        "audio": {"sample_rate": int(units["rate"]), "quality": "starter"}, "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8}, "phoneme_type": "espeak", "phoneme_map": {},
        "phoneme_id_map": {k: [v] for k, v in sorted(PHONEME_IDS.items(), key=lambda x: x[1])}, "num_symbols": ID_COUNT,
        "num_speakers": 1, "speaker_id_map": {}, "piper_version": "1.0.0", "language": {"code": "en_US"}, "dataset": "cmu_us_slt"}
    with open(out + ".json", "w") as f:
        json.dump(described, f, ensure_ascii=False, indent=1)
    print(f"{out}: {os.path.getsize(out)} bytes")
