#!/usr/bin/env python3
"""Makes tokenizers of invented words for the tiny encoders, and what transformers computes from texts and pairs with them.

Needs: pip install torch transformers peft safetensors
Use:   python tools/make_encoder_inputs.py tests/fixtures crates/evalh-engine/tests/data/encoders [SHARED_FIXTURES]

Writes a folder for each encoder (tokenizer.json, tokenizer_config.json, for the one without a head adapters that bring one) and
reference.json: for each input the token ids, how many tokens were cut off, and the logits. With SHARED_FIXTURES those
checkpoints are asked too, with their own tokenizers; only what they answer is kept.
Made with transformers 5.23.0, tokenizers 0.23.3, peft 0.21.2 and torch 2.15.0 in f32 on the CPU.
"""

import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from tiny_models import adapters

WORDS = "the a bell tower rang and wind turned boats came home under grey sky sailor keeper wrote his line each day".split()
VOCABULARY = 112


def main():
    fixtures, out, shared = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None
    torch.set_num_threads(1)
    shutil.rmtree(out, ignore_errors=True)
    reference = {"inputs": inputs(), "answers": {}}
    for name, make in {"bert": bert, "deberta_v2": deberta, "roberta_mlm": roberta}.items():
        folder = out / name
        folder.mkdir(parents=True)
        tokenizer, settings = make()
        tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
        (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")
        if name == "roberta_mlm":
            for labels in [2, 3]:
                base = lambda: AutoModelForSequenceClassification.from_pretrained(fixtures / name, num_labels=labels)
                settings = {**adapters.ENCODER, "task_type": "SEQ_CLS"}
                adapters.write(base, settings, folder / f"adapter_{labels}", labels, "SEQ_CLS")
                reference["answers"][f"{name}+adapter_{labels}"] = answers(
                    fixtures / name, folder, reference["inputs"], folder / f"adapter_{labels}", labels)
        else:
            reference["answers"][name] = answers(fixtures / name, folder, reference["inputs"])
    for name in ["bert", "roberta", "deberta_v2"] if shared else []:
        reference["answers"][f"shared/{name}"] = answers(shared / name, shared / name, reference["inputs"])
    lines = [f' "inputs": {json.dumps(reference["inputs"], ensure_ascii=False)}']
    for name, rows in reference["answers"].items():
        lines.append(f' "{name}": [\n  ' + ",\n  ".join(json.dumps(row) for row in rows) + "\n ]")
    (out / "reference.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def inputs():
    """Texts and pairs around the tiny models' positions, in all ways that truncation tells apart."""
    generator = random.Random(4)
    text = lambda words: " ".join(generator.choice(WORDS) for _ in range(words))
    singles = ["", "A bell.", text(6), text(60), "[SEP] in a text, <s> too", "Zum Schluß: d'un seul coup, 一つ ring!"]
    lengths = [(1, 1), (5, 9), (3, 80), (80, 3), (60, 60), (61, 60), (60, 61), (14, 15), (16, 70), (0, 4), (4, 0), (0, 90), (90, 0)]
    return [[single, None] for single in singles] + [[text(first), text(second)] for first, second in lengths]


def bert():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(corpus(), trainers.WordPieceTrainer(
        vocab_size=VOCABULARY, special_tokens=special, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer, named("BertTokenizer", special)


def deberta():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.Replace(r" {2,}", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(corpus(), trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=special, unk_token="[UNK]", show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.decoder = decoders.Metaspace()
    # From the left: truncation goes to the side that the checkpoint names.
    return tokenizer, named("PreTrainedTokenizerFast", special) | {
        "truncation_side": "left", "model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}


def roberta():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, show_progress=False))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>",
              "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>", "model_input_names": ["input_ids", "attention_mask"]}
    return tokenizer, config


def named(kind, special):
    names = ["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"]
    return {"tokenizer_class": kind} | dict(zip(names, special))


def corpus():
    generator = random.Random(1)
    return [" ".join(generator.choice(WORDS) for _ in range(9)) + "." for _ in range(300)]


def answers(model_folder, tokenizer_folder, inputs, adapter=None, labels=None):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        shutil.copy(model_folder / "config.json", folder)
        for file in ["tokenizer.json", "tokenizer_config.json"]:
            shutil.copy(tokenizer_folder / file, folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
    options = {"num_labels": labels} if labels else {}
    model = AutoModelForSequenceClassification.from_pretrained(model_folder, attn_implementation="eager", **options)
    if adapter:
        from peft import PeftModel
        model = PeftModel.from_pretrained(model, adapter)
    model.eval()
    config = model.config
    positions = config.max_position_embeddings - (config.pad_token_id + 1 if config.model_type == "roberta" else 0)
    rows = []
    for first, second in inputs:
        # As a batch, as training scripts do: a single pair with an empty second text would be taken for a single text.
        texts = [[first]] if second is None else [[first], [second]]
        whole = tokenizer(*texts)
        cut = tokenizer(*texts, truncation=True, max_length=min(512, positions), return_tensors="pt")
        if not whole["input_ids"][0]:
            rows.append(None)  # A tokenizer without special tokens leaves nothing of an empty text.
            continue
        with torch.no_grad():
            logits = model(**cut).logits[0].tolist()
        ids = cut["input_ids"][0].tolist()
        rows.append({"ids": ids, "truncated": len(whole["input_ids"][0]) - len(ids), "logits": logits})
    return rows


main()
