"""Measures the language model file through llama.cpp, under a grammar, as the product runs it."""

import collections
import json
import random
import time

import grammar
import templates
import turns

REPLY_TOKENS_MAX = 160


def gbnf(intents: list[str] | None = None) -> str:
    """The reply's grammar: one intent, slots of known keys with bounded strings. The product narrows the intents by state."""
    names = "|".join(json.dumps(json.dumps(i)) for i in intents or templates.intents())
    keys = "|".join(json.dumps(json.dumps(k)) for k in grammar.SLOT_KEYS)
    return "\n".join([
        r'root ::= "{\"intent\":" intent ",\"slots\":{" (slot ("," slot)*)? "}}"',
        f"intent ::= {names}",
        r'slot ::= key ":\"" value "\""',
        f"key ::= {keys}",
        "value ::= [A-Za-z0-9 :'.-]{1,40}",
    ])


class Llama:
    """llama.cpp, greedy under the grammar, one thread."""

    def __init__(self, model: str, rules: str | None):
        from cyllama.llama import llama_cpp as c
        c.disable_logging()
        self.c, self.rules = c, rules
        self.model = c.LlamaModel(model, c.LlamaModelParams())
        params = c.LlamaContextParams()
        params.n_ctx, params.n_batch, params.n_threads, params.n_threads_batch = 512, 512, 1, 1
        self.context, self.vocab = c.LlamaContext(self.model, params), self.model.get_vocab()

    def reply(self, prompt: str) -> str:
        """The reply's text, without its end token."""
        self.context.kv_cache_clear()
        sampler = self.c.LlamaSampler(self.c.LlamaSamplerChainParams())
        if self.rules:
            sampler.add_grammar(self.vocab, self.rules, "root")
        sampler.add_greedy()
        ids, out = self.vocab.tokenize(prompt, add_special=False, parse_special=True), []
        self.context.decode(self.c.llama_batch_get_one(ids))
        at = len(ids)
        while len(out) < REPLY_TOKENS_MAX:
            token = sampler.sample(self.context, -1)
            if self.vocab.is_eog(token):
                break
            out.append(self.vocab.token_to_piece(token, special=False))
            self.context.decode(self.c.llama_batch_get_one([token], at))
            at += 1
        return "".join(out)


def measure(model: str, count: int = 600, noise: float = 0.06, seed: int = 99, under_grammar: bool = True, shown: int = 0) -> dict:
    """Shares, in percent, on `count` turns each of trained and held-out patterns: valid JSON, right intent, all slots exact."""
    llama, result = Llama(model, gbnf() if under_grammar else None), {}
    for split in ("train", "held"):
        rng, tally, begun = random.Random(f"{seed} {split}"), collections.Counter(), time.process_time()
        for _ in range(count):
            turn = turns.turn(rng, split, noise)
            text = llama.reply(turn.prefix() + turn.tail())
            try:
                got = json.loads(text)
            except ValueError:
                got = {}
            intent, slots = got.get("intent") == turn.intent, got.get("slots") == turn.slots
            tally.update(valid=bool(got), intent=intent, slots=slots, both=intent and slots,
                         with_slots=bool(turn.slots), slots_of_those=bool(turn.slots) and slots)
            if shown and split == "held" and not (intent and slots):
                shown -= 1
                print(f"  {turn.asked} | {turn.utterance} | {turn.reply()} | {text}")
        with_slots = tally.pop("with_slots")
        of_those = 100 * tally.pop("slots_of_those") / with_slots
        result[split] = {k: round(100 * n / count, 1) for k, n in tally.items()} | {
            "slots_where_any": round(of_those, 1), "ms_a_turn": round(1000 * (time.process_time() - begun) / count, 1)}
        print(split, result[split], flush=True)
    return result
