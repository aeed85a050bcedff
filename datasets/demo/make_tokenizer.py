#!/usr/bin/env python3
"""Trains the demo's byte-level BPE tokenizer on its corpus.

    python3 datasets/demo/make_tokenizer.py --corpus FOLDER/pretrain.jsonl --out datasets/demo/base-init

Needs the package `tokenizers`. A line feed is always a token of its own, so that a prompt that ends with one is cut as the
texts are; a number stands apart from the space before it, so that it is the same token wherever it occurs. The chat
template only puts turns one after another: rows of several turns say by it what of them is learnt, and no suite of the demo
asks in chats.
"""

import argparse
import json
import pathlib

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

# What every multiple-choice question has at the begin of a line, a token each: the answer then directly follows its letter.
LINES = ["\nA.", "\nB.", "\nC.", "\nD.", "\nAnswer:"]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CONFIG = {
    "add_prefix_space": False,
    "chat_template": "{%- for message in messages -%}{{ message.content }}{%- endfor -%}",
    "bos_token": "<|endoftext|>",
    "clean_up_tokenization_spaces": False,
    "eos_token": "<|endoftext|>",
    "model_max_length": 2048,
    "pad_token": "<|endoftext|>",
    "tokenizer_class": "PreTrainedTokenizerFast",
    "unk_token": "<|endoftext|>",
}


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--vocabulary", type=int, default=2048)
    options = parser.parse_args()
    rows = (json.loads(line) for line in options.corpus.read_text(encoding="utf-8").splitlines())
    texts = ["".join(turn["content"] for turn in row["messages"]).replace(SPECIAL[0], "") for row in rows]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split("\n", "isolated"), pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=options.vocabulary - len(LINES), special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(line, normalized=False) for line in LINES])
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(options.out / "tokenizer.json"))
    (options.out / "tokenizer_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
