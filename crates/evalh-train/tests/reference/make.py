#!/usr/bin/env python3
"""Writes the reference values of evalh-train's tests: token ids and loss masks, schedules, AdamW, clipping, CKA and random draws.

    python crates/evalh-train/tests/reference/make.py

Needs torch, transformers 5.23, numpy. Everything is seeded; the files beside this one are overwritten:
`tokenizer.json` (a byte-level BPE with a few merges and a BOS, made of that of tests/fixtures/llama), `text.json`,
`optimizer.json`, `cka.json`, and `random.json`, whose draws are computed here from the definition of ChaCha8.
"""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast, TrainingArguments
from transformers.optimization import (
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

HERE = Path(__file__).parent
FIXTURE = HERE.parents[3] / "tests" / "fixtures" / "llama"
EOS = 2

TEMPLATES = {
    # The plainest form, whose generation tags cover what the generation prompt leaves to the model.
    "turns": (
        "{% for m in messages %}<|turn|>{{ m.role }}\n"
        "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}</s>\n{% endgeneration %}"
        "{% else %}{{ m.content }}</s>\n{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
    ),
    # No special tokens at the boundaries, trimmed contents, a preamble of its own.
    "plain": (
        "{% if messages[0].role != 'system' %}Be kind.\n\n{% endif %}{% for m in messages %}"
        "{{ m.role | capitalize }}:"
        "{% if m.role == 'assistant' %}{% generation %} {{ m.content | trim }}\n\n{% endgeneration %}"
        "{% else %} {{ m.content | trim }}\n\n{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}Assistant:{% endif %}"
    ),
}

CONVERSATIONS = [
    [("user", "What is the sum?"), ("assistant", "the answer")],
    [("system", "Be the one."), ("user", "a"), ("assistant", "b then\n\nthe c"), ("user", "d"), ("assistant", " then ")],
    [("user", "Only a question")],
    [("user", "one"), ("assistant", "two"), ("assistant", "three</s> and four")],
]

COMPLETIONS = [
    ("Say the", " thing"),
    ("Say ", "the thing"),
    ("Say t", "he thing"),
    ("", "the thing"),
    ("And then\n", "\nthen"),
    ("one two", "\u00e9\u4e2d\u6587"),
    ("Ends</s>", "the"),
]


def tokenizer_json():
    """The fixture's tokenizer with merges in place of its unused tokens, and a post-processor that adds a BOS."""
    data = json.loads((FIXTURE / "tokenizer.json").read_text())
    merges = [
        ("\u0120", "t"), ("h", "e"), ("\u0120t", "he"), ("\u0120", "a"), ("t", "he"),
        ("i", "n"), ("in", "g"), ("\u010a", "\u010a"), ("e", "n"), ("\u0120t", "hen"), ("h", "en"),
    ]
    vocabulary = {token: id for token, id in data["model"]["vocab"].items() if id < 100}
    made = []
    for first, second in merges:
        if first in vocabulary and second in vocabulary and first + second not in vocabulary:
            vocabulary[first + second] = len(vocabulary)
            made.append([first, second])
    assert len(vocabulary) <= 112
    data["model"]["vocab"], data["model"]["merges"] = vocabulary, made
    data["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"Sequence": {"id": "B", "type_id": 1}},
        ],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
    }
    return data


def completion(tokenizer, prompt, response):
    """A token counts when it holds any of the response's characters; so does the end of text."""
    whole = tokenizer(prompt + response, return_offsets_mapping=True)
    loss = [end > len(prompt) for _, end in whole["offset_mapping"]]
    return {
        "prompt": prompt,
        "response": response,
        "tokens": whole["input_ids"] + [EOS],
        "loss": [False] + loss[1:] + [True],
    }


def chat(tokenizer, name, turns):
    messages = [{"role": role, "content": content} for role, content in turns]
    encoded = tokenizer.apply_chat_template(
        messages, chat_template=TEMPLATES[name], return_dict=True, return_assistant_tokens_mask=True
    )
    loss = [bool(value) for value in encoded["assistant_masks"]]
    return {
        "template": name,
        "messages": messages,
        "tokens": encoded["input_ids"],
        "loss": [False] + loss[1:],
    }


def text():
    (HERE / "tokenizer.json").write_text(json.dumps(tokenizer_json(), ensure_ascii=False, indent=1) + "\n")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(HERE / "tokenizer.json"), bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    return {
        "templates": TEMPLATES,
        "completions": [completion(tokenizer, *pair) for pair in COMPLETIONS],
        "chats": [chat(tokenizer, name, turns) for name in TEMPLATES for turns in CONVERSATIONS],
    }


def schedules():
    cases = []
    for warm_up, total in [(0, 10), (3, 10), (10, 10), (1, 1), (0, 1), (7, 200), (5, 6)]:
        for name, make in [
            ("constant", lambda o: get_constant_schedule_with_warmup(o, warm_up)),
            ("linear", lambda o: get_linear_schedule_with_warmup(o, warm_up, total)),
            ("cosine", lambda o: get_cosine_schedule_with_warmup(o, warm_up, total)),
        ]:
            optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2e-4)
            schedule = make(optimizer)
            rates = []
            for _ in range(total):
                rates.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                schedule.step()
            cases.append({"schedule": name, "warm_up": warm_up, "total": total, "peak": 2e-4, "rates": rates})
    return cases


def warm_ups():
    share = lambda ratio, total: TrainingArguments(output_dir="unused", warmup_steps=ratio).get_warmup_steps(total)
    return [
        {"ratio": ratio, "total": total, "steps": share(ratio, total)}
        for ratio, total in [(0.0, 10), (0.03, 200), (0.03, 10), (0.1, 30), (0.1, 31), (0.5, 1), (0.999, 1000)]
    ]


def adamw():
    generator = torch.Generator().manual_seed(7)
    cases = []
    for settings in [
        {"betas": (0.9, 0.95), "eps": 1e-7, "weight_decay": 0.01},
        {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0},
        {"betas": (0.6, 0.7), "eps": 1e-3, "weight_decay": 0.5},
    ]:
        weights = torch.nn.Parameter(torch.randn(6, generator=generator))
        begin = weights.tolist()
        optimizer = torch.optim.AdamW([weights], lr=1e-2, foreach=False, **settings)
        steps = []
        for step in range(1, 21):
            rate = 1e-2 * (1 - step / 40)
            optimizer.param_groups[0]["lr"] = rate
            gradient = torch.randn(6, generator=generator) * 10.0 ** (step % 5 - 3)
            gradient[0] = 0.0
            weights.grad = gradient.clone()
            optimizer.step()
            state = optimizer.state[weights]
            steps.append({
                "rate": rate,
                "gradient": gradient.tolist(),
                "weights": weights.tolist(),
                "first": state["exp_avg"].tolist(),
                "second": state["exp_avg_sq"].tolist(),
            })
        cases.append({**settings, "begin": begin, "steps": steps})
    return cases


def clips():
    generator = torch.Generator().manual_seed(8)
    cases = []
    for scale, limit in [(1.0, 1.0), (1e-3, 1.0), (100.0, 0.5), (0.0, 1.0), (1e-9, 1e-9)]:
        gradients = [torch.randn(n, generator=generator) * scale for n in (1, 8, 13, 30)]
        weights = [torch.nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients]
        for weight, gradient in zip(weights, gradients):
            weight.grad = gradient.clone()
        norm = torch.nn.utils.clip_grad_norm_(weights, limit)
        cases.append({
            "gradients": [gradient.tolist() for gradient in gradients],
            "max_norm": limit,
            "norm": norm.item(),
            "clipped": [weight.grad.tolist() for weight in weights],
        })
    return cases


def cka(x, y):
    """As the definition says it, through width x width matrices."""
    x = x - x.mean(axis=0)
    y = y - y.mean(axis=0)
    return np.linalg.norm(x.T @ y) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


def ckas():
    generator = np.random.default_rng(9)
    cases = []
    for samples, width, noise in [(4, 3, 0.1), (3, 7, 1.0), (16, 5, 0.01), (6, 6, 10.0), (2, 4, 1.0)]:
        x = generator.standard_normal((samples, width)).astype(np.float32)
        y = (x + noise * generator.standard_normal((samples, width)) + 100.0).astype(np.float32)
        value = cka(x.astype(np.float64), y.astype(np.float64))
        cases.append({"samples": samples, "width": width, "x": x.ravel().tolist(), "y": y.ravel().tolist(), "cka": value})
    return cases


def words(purpose, seed, *parts):
    """ChaCha8 (Bernstein) with the SHA-256 of the parts, each after its length, as the key; stream 0."""
    key = hashlib.sha256()
    for part in (purpose.encode(), struct.pack("<Q", seed), *parts):
        key.update(struct.pack("<Q", len(part)) + part)
    key = struct.unpack("<8I", key.digest())
    turn = lambda value, bits: (value << bits | value >> (32 - bits)) & 0xFFFFFFFF
    counter = 0
    while True:
        begin = [*struct.unpack("<4I", b"expand 32-byte k"), *key, counter & 0xFFFFFFFF, counter >> 32, 0, 0]
        block = list(begin)
        for _ in range(4):
            for a, b, c, d in [
                (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
            ]:
                for x, y, z, bits in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
                    block[x] = (block[x] + block[y]) & 0xFFFFFFFF
                    block[z] = turn(block[z] ^ block[x], bits)
        yield from ((word + first) & 0xFFFFFFFF for word, first in zip(block, begin))
        counter += 1


def permutation(draws, n):
    """Fisher and Yates with Lemire's draws below a number (none of these few needs a second draw)."""
    order = list(range(n))
    for last in range(n - 1, 0, -1):
        product = next(draws) * (last + 1)
        assert product & 0xFFFFFFFF >= last + 1
        chosen = product >> 32
        order[last], order[chosen] = order[chosen], order[last]
    return order


def draws():
    a = words("LoRA A", 3, b"model.layers.0.self_attn.q_proj")
    mask = words("dropout", 3, struct.pack("<Q", 7), b"model.layers.0.self_attn.q_proj")
    layers = words("layers", 3)
    return {
        "orders": [permutation(words("order", 0, struct.pack("<Q", epoch)), 10) for epoch in range(2)],
        "factors": [(2 * (next(a) >> 8) / 2**24 - 1) / 3 for _ in range(2 * 9)],
        "kept": [next(mask) >= round(0.25 * 2**32) for _ in range(100)],
        "layers": [next(layers) / 2**32 for _ in range(12)],
    }


def main():
    torch.set_num_threads(1)
    optimizer = {"schedules": schedules(), "warm_ups": warm_ups(), "adamw": adamw(), "clips": clips()}
    for name, value in [("text", text()), ("optimizer", optimizer), ("cka", ckas()), ("random", draws())]:
        (HERE / f"{name}.json").write_text(json.dumps(value) + "\n")


if __name__ == "__main__":
    main()
