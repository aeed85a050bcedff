#!/usr/bin/env python3
"""Writes what transformers and PEFT compute for a checkpoint, so that `evalh verify` can compare.

Needs: pip install torch transformers peft safetensors
Use:   python tools/write_reference.py MODEL [--adapter NAME=PATH ...] [--mix NAME=A:0.7+B:0.3 ...] [--out DIR]
       evalh verify MODEL            (or, where --out is another folder: evalh verify DIR --model MODEL)

MODEL is a Hugging Face folder (bitsandbytes ones too: they are computed from dequantised weights). Adapters are PEFT LoRA
folders; those in MODEL/adapters/ are found by themselves. Everything runs on the CPU in f32 with eager attention.

reference.safetensors gets (B prompts of T tokens, N new tokens, V words):
  input_ids [B, T]; attention_mask, token_type_ids [B, T] for encoders
  logits [B, T, V], or [B, labels] for a classifier
  greedy [B, N], greedy_logprobs [B, N]: the most likely token each time, each computed from the whole sequence, no stop
  greedy_cached [B, N]: what generate() gives with its cache, only where that differs
  logits_NAME_unmerged, logits_NAME_merged, greedy_NAME of each adapter
manifest.json tells versions, adapters, differences and the smallest margin between the two best tokens.
"""

import argparse
import hashlib
import json
import logging
import sys
from pathlib import Path

KINDS = {"causal": "AutoModelForCausalLM", "seqcls": "AutoModelForSequenceClassification", "masked": "AutoModelForMaskedLM"}
ENDINGS = {"ForCausalLM": "causal", "LMHeadModel": "causal", "ForConditionalGeneration": "causal",
           "ForSequenceClassification": "seqcls", "ForMaskedLM": "masked"}
DTYPES = ["float32", "float64", "bfloat16", "float16"]


class Refused(Exception):
    """Something the user can put right."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of the checkpoint")
    parser.add_argument("--adapter", action="append", default=[], metavar="NAME=PATH", help="a PEFT LoRA folder; repeatable")
    parser.add_argument("--mix", action="append", default=[], metavar="NAME=A:W+B:W", help="a weighted sum of adapters")
    parser.add_argument("--out", type=Path, help="where to write [default: the checkpoint's folder]")
    parser.add_argument("--kind", choices=KINDS, help="what the model is [default: by its config's architectures]")
    parser.add_argument("--prompt-ids", action="append", default=[], metavar="1,2,3", help="a prompt as token ids; repeatable")
    parser.add_argument("--text", action="append", default=[], help="a prompt as text; repeatable, cut to the shortest")
    parser.add_argument("--prompt-length", type=int, default=16, help="tokens of the random prompts that are used otherwise")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random prompts")
    parser.add_argument("--new-tokens", type=int, default=16, help="greedy tokens; 0 for none")
    parser.add_argument("--dtype", choices=DTYPES, default="float32", help="what to compute in")
    options = parser.parse_args()
    try:
        adapters = found_adapters(options.model) | {name: Path(path) for name, path in map(named, options.adapter)}
        mixes = {name: parts_of(spec, adapters) for name, spec in map(named, options.mix)}
        clash = set(adapters) & set(mixes)
        if clash:
            raise Refused(f"--mix {clash.pop()}: an adapter has that name")
        kind = options.kind or kind_of(options.model)
        prompts = read_prompts(options, kind)
        manifest = write_reference(options.model, options.out or options.model, kind, prompts, adapters, mixes,
                                   options.new_tokens, options.dtype)
    except Refused as problem:
        sys.exit(f"error: {problem}")
    print(f"wrote {(options.out or options.model) / 'reference.safetensors'}: {', '.join(manifest['keys'])}")


def found_adapters(model):
    return {path.parent.name: path.parent for path in sorted(model.glob("adapters/*/adapter_config.json"))}


def named(text):
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise Refused(f"`{text}`: expected NAME=VALUE")
    if not name.replace("_", "").replace("-", "").isalnum():
        raise Refused(f"`{name}`: a name is made of letters, digits, - and _")
    if name in ("logprobs", "cached", "bnb_cpu_forward"):
        raise Refused(f"`{name}`: the reference has a tensor of that name; take another")
    return name, value


def parts_of(spec, adapters):
    parts = []
    for part in spec.split("+"):
        name, _, weight = part.partition(":")
        if name not in adapters:
            raise Refused(f"--mix {spec}: there is no adapter `{name}`; there are: {', '.join(adapters) or 'none'}")
        if json.loads((adapters[name] / "adapter_config.json").read_text()).get("use_dora"):
            raise Refused(f"--mix {spec}: `{name}` is a DoRA adapter, which has no weighted sum")
        try:
            parts.append((name, float(weight or 1)))
        except ValueError as error:
            raise Refused(f"--mix {spec}: `{weight}` is not a number") from error
    return parts


def config_of(model):
    try:
        return json.loads((model / "config.json").read_text())
    except OSError as error:
        raise Refused(f"{model}: it has no config.json; give a Hugging Face checkpoint folder") from error


def kind_of(model):
    architectures = config_of(model).get("architectures") or []
    for name in architectures:
        for ending, kind in ENDINGS.items():
            if name.endswith(ending):
                return kind
    raise Refused(f"{model}: cannot tell what {architectures or 'a config without architectures'} is; give --kind")


def read_prompts(options, kind):
    """Rows of ids, and the token types where a tokenizer gives them."""
    if options.prompt_ids and options.text:
        raise Refused("give either --prompt-ids or --text")
    if options.text:
        from transformers import AutoTokenizer
        tokenizer = AutoTokenizer.from_pretrained(options.model)
        rows = [tokenizer(text)["input_ids"] for text in options.text]
    elif options.prompt_ids:
        try:
            rows = [[int(word) for word in text.replace(",", " ").split()] for text in options.prompt_ids]
        except ValueError as error:
            raise Refused(f"--prompt-ids: {error}") from error
    else:
        return random_prompts(vocabulary(config_of(options.model)), 2, options.prompt_length, options.seed)
    if not all(rows):
        raise Refused("a prompt has no tokens")
    if kind == "causal":
        shortest = min(map(len, rows))
        rows = [row[:shortest] for row in rows]
    return rows


def vocabulary(config):
    return config.get("vocab_size") or config["text_config"]["vocab_size"]


def random_prompts(words, count, length, seed):
    """Ids from 4 on, as small ids are special tokens in most vocabularies."""
    import torch
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(4, words, (count, length), generator=generator).tolist()


def load(folder, kind, dtype):
    """The model in f32 (or `dtype`) with eager attention; a quantised checkpoint dequantised."""
    import torch
    import transformers
    config = config_of(folder)
    auto = getattr(transformers, KINDS[kind])
    if (config.get("architectures") or [""])[0].endswith("ForConditionalGeneration"):
        auto = transformers.AutoModelForImageTextToText
    options = {"dtype": getattr(torch, dtype), "attn_implementation": "eager"}
    quantisation = config.get("quantization_config")
    if not quantisation:
        return auto.from_pretrained(folder, **options).eval()
    if quantisation.get("quant_method") != "bitsandbytes":
        raise Refused(f"{folder}: quantisation `{quantisation.get('quant_method')}` is not known; only bitsandbytes is")
    from bnb_dequantise import dequantise_all
    from safetensors.torch import load_file
    stored = {}
    for file in sorted(folder.glob("*.safetensors")):
        if file.name.startswith("model"):
            stored |= load_file(file)
    plain = transformers.AutoConfig.from_pretrained(folder)
    del plain.quantization_config
    model = auto.from_config(plain, attn_implementation="eager").to(getattr(torch, dtype))
    missing, unexpected = model.load_state_dict(dequantise_all(stored), strict=False)
    tied = set(getattr(model, "all_tied_weights_keys", None) or {})
    missing = [name for name in missing if name not in tied]
    if missing or unexpected:
        raise Refused(f"{folder}: tensors missing: {missing[:5]}; not known: {unexpected[:5]}")
    model.tie_weights()
    return model.eval()


def inputs_of(rows, kind, model):
    """Rows of one length as they are; an encoder's shorter ones padded and masked."""
    import torch
    longest = max(map(len, rows))
    pad = getattr(model.config, "pad_token_id", None) or 0
    ids = torch.tensor([row + [pad] * (longest - len(row)) for row in rows])
    if kind == "causal":
        return {"input_ids": ids}
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    inputs = {"input_ids": ids, "attention_mask": mask}
    if (getattr(model.config, "type_vocab_size", 0) or 0) > 1:
        # The second half as the second sentence, so that both types count.
        inputs["token_type_ids"] = torch.tensor([[int(i >= len(row) // 2 and i < len(row)) for i in range(longest)]
                                                 for row in rows])
    return inputs


def forget_lengths(model):
    """Dynamic rotary scaling keeps the frequencies of the longest sequence so far; back to those of a fresh model."""
    for module in model.modules():
        if getattr(module, "rope_type", None) == "dynamic":
            module.register_buffer("inv_freq", module.original_inv_freq, persistent=False)
            module.max_seq_len_cached = module.original_max_seq_len


def logits_of(model, inputs):
    import torch
    forget_lengths(model)
    with torch.no_grad():
        extra = {} if "attention_mask" in inputs else {"use_cache": False}
        return model(**inputs, **extra).logits.float()


def greedy_run(model, ids, count):
    """The most likely token each time from the whole sequence; its log-probability; the smallest margin to the second."""
    import torch
    tokens, log_probs, margin = ids, [], float("inf")
    for _ in range(count):
        last = logits_of(model, {"input_ids": tokens})[:, -1]
        best = last.topk(2).values
        margin = min(margin, (best[:, 0] - best[:, 1]).min().item())
        chosen = last.argmax(-1, keepdim=True)
        log_probs.append(last.log_softmax(-1).gather(1, chosen))
        tokens = torch.cat([tokens, chosen], dim=1)
    return tokens[:, ids.shape[1]:], torch.cat(log_probs, dim=1), margin


def cached_run(model, ids, count):
    """What generate() gives with its cache."""
    import torch
    forget_lengths(model)
    with torch.no_grad():
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=1,
                             max_new_tokens=count, eos_token_id=None, pad_token_id=0, use_cache=True)
    return out[:, ids.shape[1]:]


def with_adapter(folder, kind, dtype, adapters, name, mixes):
    """The base, loaded afresh, with an adapter or a mix of them on it."""
    from peft import PeftModel
    from peft.tuners.lora import LoraLayer
    model = load(folder, kind, dtype)
    if name not in mixes:
        return PeftModel.from_pretrained(model, adapters[name], adapter_name=name).eval()
    parts = mixes[name]
    peft = PeftModel.from_pretrained(model, adapters[parts[0][0]], adapter_name=parts[0][0])
    for part, _ in parts[1:]:
        peft.load_adapter(adapters[part], adapter_name=part)
    peft.add_weighted_adapter([part for part, _ in parts], [weight for _, weight in parts], name, combination_type="cat")
    for module in peft.modules():
        # The sum has its scales in its factors already. PEFT gives it sqrt(r) once more where the first adapter is
        # rank-stabilised, so that the order of the adapters would change the model.
        if isinstance(module, LoraLayer) and name in module.scaling:
            module.scaling[name] = 1.0
    peft.set_adapter(name)
    return peft.eval()


def write_reference(folder, out, kind, prompts, adapters, mixes, new_tokens, dtype):
    """Computes everything, writes both files, returns the manifest."""
    import peft
    import torch
    import transformers
    from safetensors.torch import save_file
    logging.getLogger("transformers").setLevel(logging.ERROR)
    model = load(folder, kind, dtype)
    config = config_of(folder)
    words = vocabulary(config)
    wrong = [i for row in prompts for i in row if not 0 <= i < words]
    if wrong:
        raise Refused(f"prompt id {wrong[0]} is not below the vocabulary's size, {words}")
    inputs = inputs_of(prompts, kind, model)
    tensors = dict(inputs)
    base = tensors["logits"] = logits_of(model, inputs)
    if not base.isfinite().all():
        raise Refused(f"{folder}: the logits are not finite in {dtype}")
    greedy = kind == "causal" and new_tokens > 0
    manifest = {"name": folder.resolve().name, "model_type": config.get("model_type"), "kind": kind,
                "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__,
                "dtype": dtype, "attn": "eager", "params": sum(p.numel() for p in model.parameters()),
                "logits_std": base.std().item(), "inputs": list(inputs), "adapters": {}}
    if greedy:
        ids = inputs["input_ids"]
        tensors["greedy"], tensors["greedy_logprobs"], manifest["greedy_min_margin"] = greedy_run(model, ids, new_tokens)
        cached = cached_run(model, ids, new_tokens)
        manifest["greedy_equals_generate_with_cache"] = cached.equal(tensors["greedy"])
        if not manifest["greedy_equals_generate_with_cache"]:
            tensors["greedy_cached"] = cached
    del model
    for name in [*adapters, *mixes]:
        adapted = with_adapter(folder, kind, dtype, adapters, name, mixes)
        unmerged = tensors[f"logits_{name}_unmerged"] = logits_of(adapted, inputs)
        about = manifest["adapters"][name] = {"diff_vs_base": (unmerged - base).abs().max().item()}
        if name in mixes:
            about["mix"] = [{"adapter": part, "weight": weight} for part, weight in mixes[name]]
        else:
            about["path"] = relative(adapters[name], out)
        if greedy:
            tensors[f"greedy_{name}"], _, about["greedy_min_margin"] = greedy_run(adapted, ids, new_tokens)
        merged = tensors[f"logits_{name}_merged"] = logits_of(adapted.merge_and_unload(), inputs)
        about["merged_vs_unmerged"] = (merged - unmerged).abs().max().item()
        del adapted
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, out / "reference.safetensors")
    manifest["keys"] = {name: [str(tensor.dtype), list(tensor.shape)] for name, tensor in tensors.items()}
    files = [*sorted(folder.glob("*.safetensors")), *sorted(folder.glob("*.bin")), folder / "config.json"]
    manifest["sha256"] = {file.name: sha256(file) for file in files if file.name != "reference.safetensors"}
    manifest["sha256"]["reference.safetensors"] = sha256(out / "reference.safetensors")
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def relative(path, folder):
    """A path as it can be found from the reference: relative inside the folder, absolute elsewhere."""
    path, folder = path.resolve(), folder.resolve()
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def sha256(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
