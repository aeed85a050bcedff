#!/usr/bin/env python3
"""Makes tiny random checkpoints of every model family and setting, adapters of every kind, and what they compute.

Needs: pip install torch transformers peft safetensors bitsandbytes
Use:   python tools/make_tiny_models.py OUT [--only PART ...]        the whole matrix (about 60 MB)
       python tools/make_tiny_models.py tests/fixtures --committed   the few that are part of the repository
       python tools/make_tiny_models.py --list

The tables are in tools/tiny_models/. Each checkpoint is a folder as write_reference.py leaves it, so `evalh verify` takes it;
config.v4.json are the same settings as older transformers wrote them, checked to give the same logits.
"""

import argparse
import json
import logging
import shutil
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import torch
import transformers

from tiny_models import adapters, committed, storage, tokenizer, v4, weights
from tiny_models.decoders import BASE, DECODERS, GPT2, Case
from tiny_models.encoders import ENCODERS
from write_reference import KINDS, found_adapters, load, logits_of, parts_of, inputs_of, random_prompts, write_reference

# Below it, rounding may decide between the two best tokens.
LEAST_MARGIN = 5e-4
# An adapter that moves no logit by as much could be left out unnoticed.
LEAST_EFFECT = 0.1
# Merged and unmerged are the same sum in another order: what they differ by is rounding, which must not use up the bar of 1e-4.
MOST_ROUNDING = 3e-5
TASKS = {"causal": "CAUSAL_LM", "seqcls": "SEQ_CLS", "masked": None}

ADAPTER_CASES = [
    (Case("adapters_llama", "llama", BASE | {"attention_bias": True, "mlp_bias": True}), adapters.LLAMA, adapters.MIXES),
    (Case("adapters_llama_tied", "llama", BASE | {"tie_word_embeddings": True}), adapters.LLAMA_TIED, {}),
    (Case("adapters_gpt2", "gpt2", GPT2), adapters.GPT_2, {"mix": "all:0.5+rslora:0.25"}),
] + [(case, adapters.BERT, {}) for case in ENCODERS if case.name.startswith("adapters_")]
STORAGES = {
    "llama_bf16": lambda base, out: storage.rounded(base, out, "bfloat16"),
    "llama_f16": lambda base, out: storage.rounded(base, out, "float16"),
    "llama_sharded": lambda base, out: storage.shards(base, out, 3, as_bin=False),
    "llama_bin": lambda base, out: storage.shards(base, out, 1, as_bin=True),
    "llama_bin_sharded": lambda base, out: storage.shards(base, out, 2, as_bin=True),
    "llama_nf4": lambda base, out: storage.quantised(base, out, load_in_4bit=True, bnb_4bit_quant_type="nf4"),
    "llama_nf4_double": lambda base, out: storage.quantised(base, out, load_in_4bit=True, bnb_4bit_quant_type="nf4",
                                                            bnb_4bit_use_double_quant=True),
    "llama_nf4_bf16": lambda base, out: storage.quantised(base, out, "bfloat16", load_in_4bit=True,
                                                          bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True),
    "llama_fp4": lambda base, out: storage.quantised(base, out, load_in_4bit=True, bnb_4bit_quant_type="fp4"),
    "llama_int8": lambda base, out: storage.quantised(base, out, load_in_8bit=True),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--only", nargs="+", default=[], metavar="PART", help="only checkpoints with PART in their names")
    parser.add_argument("--committed", action="store_true", help="the checkpoints of the repository's own tests")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    transformers.utils.logging.disable_progress_bar()
    # The models are so small that threads only wait for each other, and one thread adds in one order everywhere.
    torch.set_num_threads(1)
    jobs = committed_jobs() if options.committed else all_jobs()
    jobs = {name: job for name, job in jobs.items() if not options.only or any(part in name for part in options.only)}
    if options.list or not options.out:
        print("\n".join(jobs))
        return
    failed = []
    for name, job in jobs.items():
        folder = options.out / name
        shutil.rmtree(folder, ignore_errors=True)
        try:
            manifest = job(folder)
        except Exception as error:  # the other checkpoints are worth having; the exit status tells
            failed.append(name)
            print(f"{name}: FAILED: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            continue
        effects = {adapter: round(about["diff_vs_base"], 2) for adapter, about in manifest["adapters"].items()}
        print(f"{name}: std {manifest['logits_std']:.2f}, margin {manifest.get('greedy_min_margin', 0):.4f}, {effects}", flush=True)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def all_jobs():
    jobs = {case.name: lambda folder, case=case: make(case, folder) for case in DECODERS}
    jobs |= {case.name: lambda folder, case=case: make(case, folder) for case in ENCODERS if case.name not in jobs}
    for case, table, mixes in ADAPTER_CASES:
        jobs[case.name] = lambda folder, case=case, table=table, mixes=mixes: make(case, folder, table, mixes)
    for name, store in STORAGES.items():
        jobs[name] = lambda folder, store=store: stored(folder, store)
    return jobs


def committed_jobs():
    jobs = {}
    for case, table, mixes, store in committed.CASES:
        if store:
            jobs[case.name] = lambda folder, case=case, table=table, store=store: stored(
                folder, lambda base, out: STORAGES[store](base, out), case, table)
        else:
            jobs[case.name] = lambda folder, case=case, table=table, mixes=mixes: make(case, folder, table, mixes)
    return jobs


def seed_of(name):
    return zlib.crc32(name.encode())


def make(case, folder, table=None, mixes=None):
    """Writes a checkpoint with its adapters and reference."""
    if table is None:
        table = {name: adapters.TABLE[name] for name in case.adapters}
    write_checkpoint(case, folder)
    for i, (name, settings) in enumerate(table.items()):
        adapters.write(lambda: load(folder, case.kind, "float32"), settings, folder / "adapters" / name,
                       seed_of(case.name) + i, TASKS[case.kind])
    manifest = refer(case, folder, mixes or {})
    check_v4(folder, case.kind)
    return manifest


def write_checkpoint(case, folder):
    config = transformers.AutoConfig.for_model(case.family, **case.settings)
    auto = transformers.AutoModelForImageTextToText if "text_config" in case.settings else getattr(transformers, KINDS[case.kind])
    model = auto.from_config(config, attn_implementation="eager")
    weights.randomise(model, seed_of(case.name))
    model.save_pretrained(folder)
    tokenizer.write(folder, case.settings.get("vocab_size") or case.settings["text_config"]["vocab_size"])


def refer(case, folder, mixes):
    """The reference, of the first prompts for which no greedy choice is near a tie and rounding is small."""
    found = found_adapters(folder)
    parts = {name: parts_of(spec, found) for name, spec in mixes.items()}
    words = case.settings.get("vocab_size") or case.settings["text_config"]["vocab_size"]
    for seed in range(12):
        prompts = random_prompts(words - 4, 2, case.length, seed)
        if case.kind != "causal":
            prompts[1] = prompts[1][: case.length * 2 // 3]
        manifest = write_reference(folder, folder, case.kind, prompts, found, parts, case.new_tokens, "float32")
        abouts = manifest["adapters"].values()
        margin = min(about.get("greedy_min_margin", 1) for about in [manifest, *abouts])
        # A LoRA on a tied embedding is another model once it is merged: not rounding.
        rounding = max((about["merged_vs_unmerged"] for about in abouts if about["merged_vs_unmerged"] < 1), default=0)
        if margin >= LEAST_MARGIN and rounding <= MOST_ROUNDING:
            break
    else:
        raise ValueError(f"every prompt has a near tie ({margin}) or much rounding ({rounding})")
    weak = [name for name, about in manifest["adapters"].items() if about["diff_vs_base"] < LEAST_EFFECT]
    if weak:
        raise ValueError(f"adapters without effect: {weak}")
    return manifest


def check_v4(folder, kind):
    """Writes config.v4.json and makes sure that it means the same."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.v4.json").write_text(json.dumps(v4.to_v4(config), indent=2) + "\n")
    manifest = json.loads((folder / "manifest.json").read_text())
    from safetensors.torch import load_file
    reference = load_file(folder / "reference.safetensors")
    inputs = {name: reference[name] for name in manifest["inputs"]}
    (folder / "config.json").rename(folder / "config.v5.json")
    try:
        shutil.copy(folder / "config.v4.json", folder / "config.json")
        difference = (logits_of(load(folder, kind, "float32"), inputs) - reference["logits"]).abs().max().item()
    finally:
        (folder / "config.v5.json").replace(folder / "config.json")
    if difference > 1e-5:
        raise ValueError(f"config.v4.json gives other logits, by {difference}")


def stored(folder, store, case=None, table=None):
    """The same small llama in another storage, with an adapter."""
    case = case or Case("llama_storage", "llama", BASE | {"hidden_size": 64, "intermediate_size": 80, "vocab_size": 128})
    base = folder.with_name(f"{folder.name}.base")
    try:
        write_checkpoint(case, base)
        store(base, folder)
        for i, (name, settings) in enumerate((table or {"all": adapters.TABLE["all"]}).items()):
            adapters.write(lambda: load(base, case.kind, "float32"), settings, folder / "adapters" / name, i,
                           TASKS[case.kind])
    finally:
        shutil.rmtree(base, ignore_errors=True)
    return refer(case, folder, {})


if __name__ == "__main__":
    main()
