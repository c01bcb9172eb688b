"""The starter language model: llama architecture, 2.2 million parameters, trained on single turns from nothing."""

import math
import random
import time

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import nn

import turns

SIZES = dict(width=192, heads=6, layers=4, inner=512)


def rotary(x: torch.Tensor, angles: tuple) -> torch.Tensor:
    """Rotates neighbouring pairs, as llama.cpp's "llama" architecture does."""
    cos, sin = angles
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2).to(x.dtype)


class Layer(nn.Module):
    """Attention and SwiGLU, each behind an RMS norm."""

    def __init__(self, width: int, heads: int, inner: int):
        super().__init__()
        self.heads = heads
        self.attn_norm, self.ffn_norm = nn.RMSNorm(width, eps=1e-5), nn.RMSNorm(width, eps=1e-5)
        self.attn_q, self.attn_k, self.attn_v, self.attn_output = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.ffn_gate, self.ffn_up = nn.Linear(width, inner, bias=False), nn.Linear(width, inner, bias=False)
        self.ffn_down = nn.Linear(inner, width, bias=False)

    def forward(self, x, angles):
        batch, length, width = x.shape
        split = lambda y: y.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
        y = self.attn_norm(x)
        q, k, v = rotary(split(self.attn_q(y)), angles), rotary(split(self.attn_k(y)), angles), split(self.attn_v(y))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_output(y.transpose(1, 2).reshape(batch, length, width))
        y = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y))


class LanguageModel(nn.Module):
    """Token ids to hidden states; the output matrix is the embedding."""

    def __init__(self, vocabulary: int, width: int, heads: int, layers: int, inner: int):
        super().__init__()
        self.sizes = dict(vocabulary=vocabulary, width=width, heads=heads, layers=layers, inner=inner)
        self.token_embd = nn.Embedding(vocabulary, width)
        self.blk = nn.ModuleList([Layer(width, heads, inner) for _ in range(layers)])
        self.output_norm = nn.RMSNorm(width, eps=1e-5)
        for key, p in self.named_parameters():
            if p.ndim == 2:
                out = key.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(p, std=0.04 if "embd" in key else width**-0.5 * (0.4 if out else 0.8))

    def forward(self, tokens):
        half = self.sizes["width"] // self.sizes["heads"] // 2
        speeds = 10_000.0 ** (-torch.arange(half) / half)
        turn = torch.arange(tokens.shape[1])[:, None] * speeds
        angles, x = (turn.cos(), turn.sin()), self.token_embd(tokens)
        for layer in self.blk:
            x = layer(x, angles)
        return self.output_norm(x)

    def logits(self, hidden):
        return F.linear(hidden, self.token_embd.weight)


def encode(tokenizer: Tokenizer, turn: turns.Turn) -> tuple[list[int], int]:
    """(ids of prompt and reply, how many of them are prompt). The prompt is tokenised in two parts, as the product sends it."""
    prompt = tokenizer.encode(turn.prefix()).ids + tokenizer.encode(turn.tail()).ids
    return prompt + tokenizer.encode(turn.reply() + turns.END).ids, len(prompt)


class Batches:
    """Endless batches of like length, made as they are needed."""

    def __init__(self, tokenizer: Tokenizer, size: int, seed: int):
        self.tokenizer, self.size, self.rng, self.ready = tokenizer, size, random.Random(seed), []

    def __next__(self):
        if not self.ready:
            rows = [encode(self.tokenizer, turns.turn(self.rng, noise=self.rng.choice([0, 0.04, 0.08, 0.12])))
                    for _ in range(self.size * 16)]
            rows.sort(key=lambda row: len(row[0]))
            self.ready = [rows[i:i + self.size] for i in range(0, len(rows), self.size)]
            self.rng.shuffle(self.ready)
        rows = self.ready.pop()
        longest = max(len(ids) for ids, _ in rows)
        tokens, weights = torch.zeros(len(rows), longest, dtype=torch.long), torch.zeros(len(rows), longest)
        for i, (ids, prompt) in enumerate(rows):
            tokens[i, :len(ids)] = torch.tensor(ids)
            weights[i, prompt:len(ids)] = 1.0
        return tokens, weights


def _optimisers(model: LanguageModel, rate: float):
    """Muon for the matrices, AdamW for embedding and norms."""
    matrices = [p for key, p in model.named_parameters() if p.ndim == 2 and "embd" not in key]
    rest = [p for key, p in model.named_parameters() if p.ndim < 2 or "embd" in key]
    return [torch.optim.Muon(matrices, lr=rate, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.97), weight_decay=0.01)]


def train(tokenizer_file: str, out: str, steps: int, batch: int = 64, rate: float = 3e-3, hold: float = 0.25,
          earlier: str | None = None, seed: int = 123) -> None:
    """`steps` steps: a short warm-up, the full rate for the share `hold`, then a linear decay. Writes the checkpoint `out`, also on
    the way; goes on from the checkpoint `earlier` where there is one."""
    torch.manual_seed(seed)
    tokenizer = Tokenizer.from_file(tokenizer_file)
    model = LanguageModel(tokenizer.get_vocab_size(), **SIZES)
    if earlier:
        model.load_state_dict(torch.load(earlier)["weights"])
    warm = 20 if earlier else 100
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    optimisers, batches, begun, recent, seen = _optimisers(model, rate), Batches(tokenizer, batch, seed), time.time(), [], 0
    for step in range(1, steps + 1):
        scale = min(1.0, step / warm, max(0.01, (steps - step) / ((1 - hold) * steps)))
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * scale
        tokens, weights = next(batches)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = model(tokens[:, :-1])
            chosen = weights[:, 1:] > 0
            logits = model.logits(hidden[chosen])
        target = tokens[:, 1:][chosen]
        loss = F.cross_entropy(logits.float(), target)
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
        seen += tokens.numel()
        recent.append((loss.item(), (logits.argmax(-1) == target).float().mean().item()))
        if step % 50 == 0:
            mean = [sum(column) / 50 for column in zip(*recent[-50:])]
            print(f"{time.time() - begun:.0f} s step {step} tokens {seen / 1e6:.2f} M loss {mean[0]:.4f} right {mean[1]:.4f}", flush=True)
        if step % 100 == 0 or step == steps:
            torch.save(dict(sizes=model.sizes, weights=model.state_dict()), out)
    if not math.isfinite(recent[-1][0]):
        raise RuntimeError("training diverged")
