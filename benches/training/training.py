"""What the scripts beside this one share: the file of batches, the loss, the optimiser and its schedule.

A file of batches is JSON: {"steps": [[micro-batch, ...], ...]}, where a micro-batch is one sequence
{"tokens": [ids], "loss": [0 or 1 for each token]}. A token counts in the loss where its mark is 1, as what is to be
predicted from the tokens before it; the first one never does. Without "loss" every token but the first counts. The loss of
a step is the mean, in nats, over all tokens of all its micro-batches that count.
"""

import json
import os

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

import torch
from transformers import get_scheduler

IGNORED = -100


def read_steps(path):
    """The steps of a file of batches, each a list of (tokens, labels) with -100 where a token does not count."""
    with open(path, encoding="utf-8") as file:
        steps = json.load(file)["steps"]
    return [[sequence(micro_batch) for micro_batch in step] for step in steps]


def sequence(micro_batch):
    """A micro-batch as (tokens, labels)."""
    tokens = micro_batch["tokens"]
    marks = micro_batch.get("loss", [1] * len(tokens))
    if len(marks) != len(tokens):
        raise SystemExit(f"{len(marks)} marks of the loss for {len(tokens)} tokens")
    labels = [token if mark else IGNORED for token, mark in zip(tokens, marks)]
    return tokens, [IGNORED, *labels[1:]]


def counted(step):
    """Tokens of the step that count in its loss."""
    return sum(label != IGNORED for _, labels in step for label in labels)


def padded(step):
    """All sequences of a step as one batch, filled up on the right."""
    longest = max(len(tokens) for tokens, _ in step)
    fill = [longest - len(tokens) for tokens, _ in step]
    rows = list(zip(step, fill))
    batch = {"input_ids": torch.tensor([tokens + [0] * empty for (tokens, _), empty in rows])}
    if any(fill):
        batch["attention_mask"] = torch.tensor([[1] * len(tokens) + [0] * empty for (tokens, _), empty in rows])
    return batch, torch.tensor([labels + [IGNORED] * empty for (_, labels), empty in rows])


def loss_sum(model, batch, labels):
    """The summed loss of a batch in nats, each position predicting the next token."""
    logits = model(**batch, use_cache=False).logits[:, :-1].float()
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum"
    )


def add_optimiser_options(parser):
    """The options of AdamW, its schedule and clipping; the defaults are evalh's."""
    parser.add_argument("--lr", type=float, default=2e-4, help="learning rate at its highest")
    parser.add_argument("--betas", type=float, nargs=2, default=(0.9, 0.95))
    parser.add_argument("--eps", type=float, default=1e-7)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--schedule", choices=["constant_with_warmup", "linear", "cosine"], default="cosine")
    parser.add_argument("--warmup", type=int, default=0, help="steps of warm-up; the first of them has a rate of 0")
    parser.add_argument("--total", type=int, help="steps of the whole schedule; by default those that are run")
    parser.add_argument("--clip", type=float, help="largest norm of the gradients; by default they are not clipped")


def optimiser(args, parameters, steps):
    """AdamW over the parameters, and its schedule, as transformers' Trainer sets them up."""
    adam = torch.optim.AdamW(
        parameters, lr=args.lr, betas=tuple(args.betas), eps=args.eps, weight_decay=args.weight_decay
    )
    return adam, get_scheduler(args.schedule, adam, args.warmup, args.total or steps)


def clip(parameters, largest):
    """The norm of all gradients together, which are scaled to `largest` at most, if there is such a bound."""
    return torch.nn.utils.clip_grad_norm_(parameters, largest or float("inf")).item()


def trainable(model):
    """The parameters that are trained."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def set_threads(threads):
    """Threads of torch, before its first work."""
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)


def versions():
    """Versions of what computes here."""
    import peft
    import transformers

    return {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
