#!/usr/bin/env python3
"""Writes the losses of a text by lm-eval and by the loop of Hugging Face's guide to perplexity, for the engine's tests.

    write_loss_reference.py OUT.json NAME=CHECKPOINT ...

Whole windows are `loglikelihood_rolling` of lm-eval with `max_length`. Strided ones are the guide's loop (`max_length` is
one more than the window, because it counts the last token that is scored), over the text after its prefix token.
Made with lm-eval 0.4.13, transformers 5.23.0 and torch 2.15.0 in f32 on the CPU.
"""

import json
import sys
from pathlib import Path

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

TEXT = """The lighthouse keeper wrote one line a day. On most days the line was about the weather: wind from the west, \
swell of two feet, a sail far out. On the ninth of May he wrote that a crate had come ashore, and that it held nothing \
but 144 small bells packed in straw.
He hung them along the gallery, a bell for each step of the stair. When the wind turned, the whole tower rang, and the \
boats in the bay knew it before their vanes did. "It is a good sound," he wrote, "and it costs nothing."
By autumn, 17 of the bells had cracked. He kept the pieces in a jar, labelled the jar, and wrote down the date.
"""
MORE = "Zum Schluß läutete er sie alle; d'un seul coup, 一つずつ, until it was quiet.\n"
CASES = [(None, None), (32, None), (32, 16), (32, 32), (29, 5)]


def main():
    out, *named = sys.argv[1:]
    texts = {"plain": TEXT, "short": "A bell.", "accents": TEXT + MORE}
    models = {}
    for name, folder in (entry.split("=", 1) for entry in named):
        print(name, flush=True)
        models[name] = [score(folder, label, text, *case) for label, text in texts.items() for case in CASES
                        if label != "accents" or name == "smollm2"]
    Path(out).write_text(json.dumps({"texts": texts, "models": models}, ensure_ascii=False, indent=1) + "\n")


def score(folder, label, text, window, stride):
    lm = HFLM(pretrained=folder, dtype="float32", device="cpu", batch_size=1, **({"max_length": window} if window else {}))
    with torch.no_grad():
        if stride is None:
            # A model's positions are lm-eval's default.
            request = Instance("loglikelihood_rolling", {}, (text,), 0)
            total = lm.loglikelihood_rolling([request], disable_tqdm=True)[0]
            tokens = len(lm.tok_encode(text))
        else:
            total, tokens = guide(lm, text, window + 1, stride)
    return {"text": label, "window": window, "stride": stride, "log_prob": float(total), "tokens": tokens}


def guide(lm, text, max_length, stride):
    ids = torch.tensor([[lm.prefix_token_id] + lm.tok_encode(text)])
    length, previous, total, tokens = ids.size(1), 0, 0.0, 0
    for begin in range(0, length, stride):
        end = min(begin + max_length, length)
        part = ids[:, begin:end]
        log_probs = lm.model(part).logits[0, :-1].double().log_softmax(-1)
        # The guide masks all labels but the last `end - previous`; the first of a window has nothing before it.
        scored = min(end - previous, end - begin - 1)
        targets = part[0, 1:]
        total += log_probs[-scored:].gather(1, targets[-scored:, None]).sum().item()
        tokens += scored
        previous = end
        if end == length:
            break
    assert tokens == length - 1
    return total, tokens


main()
