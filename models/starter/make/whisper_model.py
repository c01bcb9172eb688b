"""Whisper's architecture with the parameter names of its publisher, plus a phone head (CTC) that only training uses."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    """Multi-head attention. `zero_keys` more keys of zeros stand for the padding that whisper.cpp leaves in its cut context."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query, self.value, self.out = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)

    def forward(self, x, source=None, causal=False, zero_keys=0):
        source = x if source is None else source
        batch, length, width = x.shape
        split = lambda y: y.view(batch, -1, self.heads, width // self.heads).transpose(1, 2)
        q, k, v = split(self.query(x)), split(self.key(source)), split(self.value(source))
        if zero_keys:
            k, v = F.pad(k, (0, 0, 0, zero_keys)), F.pad(v, (0, 0, 0, zero_keys))
        scores = q @ (k.transpose(-1, -2) * (q.shape[-1] ** -0.5))
        if causal:
            scores = scores + torch.full((length, length), -1e4, dtype=scores.dtype).triu(1)
        mixed = torch.softmax(scores, -1, dtype=scores.dtype) @ v
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    """A residual block, of the decoder where `cross`."""

    def __init__(self, width: int, heads: int, cross: bool = False):
        super().__init__()
        self.attn, self.attn_ln = Attention(width, heads), nn.LayerNorm(width)
        self.cross_attn = Attention(width, heads) if cross else None
        self.cross_attn_ln = nn.LayerNorm(width) if cross else None
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.mlp_ln = nn.LayerNorm(width)

    def forward(self, x, source=None, zero_keys=0):
        decoder = self.cross_attn is not None
        x = x + self.attn(self.attn_ln(x), causal=decoder, zero_keys=0 if decoder else zero_keys)
        if decoder:
            x = x + self.cross_attn(self.cross_attn_ln(x), source, zero_keys=zero_keys)
        return x + self.mlp(self.mlp_ln(x))


def sinusoids(length: int, width: int) -> torch.Tensor:
    """Whisper's position table [length, width]."""
    step = math.log(10_000) / (width // 2 - 1)
    angles = torch.arange(length)[:, None] * torch.exp(-step * torch.arange(width // 2))[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


class Encoder(nn.Module):
    """Log-mel [batch, 80, frames] to states [batch, frames / 2, width]."""

    def __init__(self, width: int, heads: int, layers: int):
        super().__init__()
        self.conv1 = nn.Conv1d(80, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.register_buffer("positional_embedding", sinusoids(1500, width))
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.ln_post = nn.LayerNorm(width)

    def forward(self, mel, zero_keys=0):
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.positional_embedding[:x.shape[1]]
        for block in self.blocks:
            x = block(x, zero_keys=zero_keys)
        return self.ln_post(x)


class Decoder(nn.Module):
    """Tokens and states to logits over the used vocabulary; its last row stands for every unused token."""

    def __init__(self, width: int, heads: int, layers: int, vocabulary: int, context: int):
        super().__init__()
        self.token_embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.token_embedding.weight, std=width**-0.5)
        self.positional_embedding = nn.Parameter(torch.randn(context, width) * 0.01)
        self.blocks = nn.ModuleList([Block(width, heads, cross=True) for _ in range(layers)])
        self.ln = nn.LayerNorm(width)

    def forward(self, tokens, states, zero_keys=0):
        x = self.token_embedding(tokens) + self.positional_embedding[:tokens.shape[1]]
        for block in self.blocks:
            x = block(x, states, zero_keys=zero_keys)
        return F.linear(self.ln(x), self.token_embedding.weight)


class Whisper(nn.Module):
    """Encoder, decoder and the phone head."""

    def __init__(self, width=256, heads=4, encoder_layers=5, decoder_layers=2, vocabulary=1476, phones=60, context=448):
        super().__init__()
        self.sizes = dict(width=width, heads=heads, encoder_layers=encoder_layers, decoder_layers=decoder_layers,
                          vocabulary=vocabulary, phones=phones, context=context)
        self.encoder = Encoder(width, heads, encoder_layers)
        self.decoder = Decoder(width, heads, decoder_layers, vocabulary, context)
        self.ctc = nn.Linear(width, phones)
