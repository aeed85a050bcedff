#!/usr/bin/env python3
"""Writes the reference cases of crates/evalh-adapter/tests/data/peft: adapters saved by PEFT, and what PEFT makes of them.

Run once with the versions named in tools/peft-requirements.txt; the result is committed, so tests need no Python:

    python tools/make_peft_cases.py crates/evalh-adapter/tests/data/peft

<model>.safetensors         every tensor of a tiny random model
<model>.json                its layout: modules with kind and shape, output head, layers
<case>/adapter*/            an adapter as PEFT saves it (several for a mix)
<case>/reference.safetensors
    merged.<tensor>         each tensor that merge_and_unload changed
    input.<width>           inputs, and
    unmerged.<module>       the outputs of the adapted linear modules for the input of their width, not merged
<case>/case.json            model, dtype of its weights, weights of the mix
<model>.config.json         its config.json
analysis.json               of the two adapters of the case mix, by dense matrices in f64: norms, singular values, effective
                            ranks, distances from orthogonal, cosines, principal angles; and the intruder dimensions that
                            PEFT counts in some cases
"""

import json
import shutil
import sys
import warnings
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from peft.tuners.lora.config import MontecloraConfig, VeloraConfig
from peft.tuners.lora.intruders import reduce_intruder_dimension
from safetensors.torch import save_file
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)
from transformers.pytorch_utils import Conv1D

warnings.filterwarnings("ignore")


def llama():
    config = LlamaConfig(
        vocab_size=13,
        hidden_size=8,
        intermediate_size=12,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        attention_bias=True,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(config)


def gpt2():
    config = GPT2Config(
        vocab_size=13, n_embd=8, n_layer=2, n_head=2, n_positions=9, bos_token_id=0, eos_token_id=0, tie_word_embeddings=False
    )
    return GPT2LMHeadModel(config)


def bert():
    config = BertConfig(
        vocab_size=13,
        hidden_size=8,
        intermediate_size=12,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=9,
        num_labels=3,
    )
    return BertForSequenceClassification(config)


MODELS = {"llama": llama, "gpt2": gpt2, "bert": bert}


def build(name, dtype="float32"):
    torch.manual_seed(7)
    model = MODELS[name]().eval()
    for parameter in model.parameters():
        parameter.data.normal_(0.0, 0.5)
    return model.to(getattr(torch, dtype))


def tensors(model):
    return {name: value.detach().clone() for name, value in model.state_dict().items() if value.is_floating_point()}


def layout(model):
    kinds = {torch.nn.Linear: "linear", Conv1D: "conv1d", torch.nn.Embedding: "embedding"}
    modules = []
    for name, module in model.named_modules():
        kind = kinds.get(type(module))
        if kind:
            rows, columns = module.weight.shape
            out, inputs = (rows, columns) if kind == "linear" else (columns, rows)
            modules.append({"name": name, "out": out, "in": inputs, "kind": kind})
    head = model.get_output_embeddings()
    names = [name for name, module in model.named_modules() if head is not None and module is head]
    return {"modules": modules, "output_head": names[0] if names else None, "layers": model.config.num_hidden_layers}


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        trained = parameter.requires_grad or ".lora_" in name
        if not trained:
            continue
        noise = torch.randn(parameter.shape, generator=generator)
        # A magnitude stays near the norms it began with.
        parameter.data = parameter.data + 0.2 * noise if "magnitude" in name else 0.4 * noise


def adapter(model_name, folder, seed, **settings):
    save = settings.pop("save", {})
    dtype = settings.pop("adapter_dtype", None)
    model = get_peft_model(build(model_name), LoraConfig(**settings))
    randomise(model, seed)
    if save.get("save_embedding_layers"):
        base = model.base_model.model
        for module in (base.get_input_embeddings(), base.get_output_embeddings()):
            module.weight.data.add_(0.1)
    if dtype:
        for name, parameter in model.named_parameters():
            if ".lora_" in name:
                parameter.data = parameter.data.to(dtype)
    model.save_pretrained(folder, **save)
    (folder / "README.md").unlink(missing_ok=True)


def unmerged(model, reference):
    generator = torch.Generator().manual_seed(99)
    inputs = {}
    for name, module in model.base_model.model.named_modules():
        if not isinstance(module, LoraLayer) or module.lora_embedding_A:
            continue
        if isinstance(module.get_base_layer(), torch.nn.Embedding):
            continue
        width = module.in_features
        if width not in inputs:
            inputs[width] = torch.randn(2, width, generator=generator)
            reference[f"input.{width}"] = inputs[width]
        with torch.no_grad():
            reference[f"unmerged.{name}"] = module(inputs[width])


def write(root, name, model_name, adapters, weights=None, how="cat", dtype="float32"):
    folder = root / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    dirs = []
    for at, settings in enumerate(adapters):
        directory = folder / (f"adapter{at}" if len(adapters) > 1 else "adapter")
        adapter(model_name, directory, 100 + at, **dict(settings))
        dirs.append(directory)

    base = build(model_name, dtype)
    before = tensors(base)
    model = PeftModel.from_pretrained(base, dirs[0], adapter_name="a0").eval()
    for at, directory in enumerate(dirs[1:], 1):
        model.load_adapter(directory, adapter_name=f"a{at}")
    names = [f"a{at}" for at in range(len(dirs))]
    if weights and how == "cat":
        model.add_weighted_adapter(names, weights, "mix", combination_type="cat")
        model.set_adapter("mix")
    elif weights:
        model.base_model.set_adapter(names)
        for module in model.modules():
            if isinstance(module, LoraLayer):
                for adapter_name, weight in zip(names, weights):
                    module.set_scale(adapter_name, weight)
    reference = {}
    if dtype == "float32":
        unmerged(model, reference)
    after = tensors(model.merge_and_unload(safe_merge=False))
    for key, value in after.items():
        if not torch.equal(value, before[key]):
            reference[f"merged.{key}"] = value
    save_file({key: value.contiguous() for key, value in reference.items()}, folder / "reference.safetensors")
    case = {"model": model_name, "dtype": dtype, "weights": weights}
    (folder / "case.json").write_text(json.dumps(case) + "\n")
    print(name, len(reference))


def deltas(folder):
    model = PeftModel.from_pretrained(build("llama"), folder).double()
    layers = {
        name.removeprefix("base_model.model."): module
        for name, module in model.named_modules()
        if isinstance(module, LoraLayer)
    }
    return {name: (module.get_delta_weight("default").detach(), module) for name, module in layers.items()}


def distance(gram):
    rank = gram.shape[0]
    return ((gram * rank / gram.trace() - torch.eye(rank)).norm() / rank**0.5).item()


def spectrum(delta, module):
    values = torch.linalg.svdvals(delta)[: module.r["default"]]
    p = values / values.sum()
    a, b = module.lora_A["default"].weight, module.lora_B["default"].weight
    return {
        "norm": delta.norm().item(),
        "singular_values": values.tolist(),
        "effective_rank": torch.exp(-(p * p.log()).sum()).item(),
        "orthogonality_a": distance(a @ a.T),
        "orthogonality_b": distance(b.T @ b),
        "relative_norm": (delta.norm() / module.get_base_layer().weight.norm()).item(),
    }


def angles(left, right):
    cosines = torch.linalg.svdvals(left.T @ right)
    return torch.arccos(cosines.clamp(max=1.0)).tolist()


def relate(first, second):
    (u, s, v), (x, t, y) = (torch.linalg.svd(delta, full_matrices=False) for delta in (first, second))
    i, j = (torch.linalg.matrix_rank(delta) for delta in (first, second))
    return {
        "cosine": ((first * second).sum() / first.norm() / second.norm()).item(),
        "outputs": angles(u[:, :i], x[:, :j]),
        "inputs": angles(v[:i].T, y[:j].T),
    }


def intruders(folder, model_name):
    model = PeftModel.from_pretrained(build(model_name), folder)
    lines = []
    reduce_intruder_dimension(model, logging_sink=lines.append)
    counts = {}
    for line in lines:
        name, colon, count = line.rpartition(": ")
        if name.endswith(": Intruders"):
            counts[name.removesuffix(": Intruders").removeprefix("base_model.model.")] = int(count)
        elif count == "No intruders":
            counts[name.removeprefix("base_model.model.")] = 0
    return counts


def analyse(root):
    first, second = (deltas(root / "mix" / f"adapter{at}") for at in (0, 1))
    cases = {"lora": "llama", "conv1d": "gpt2", "embedding": "llama", "dora": "llama"}
    with torch.no_grad():
        found = {
            "first": {name: spectrum(*pair) for name, pair in first.items()},
            "second": {name: spectrum(*pair) for name, pair in second.items()},
            "pairs": {name: relate(first[name][0], second[name][0]) for name in first if name in second},
            "intruders": {name: intruders(root / name / "adapter", model) for name, model in cases.items()},
        }
    (root / "analysis.json").write_text(json.dumps(found, indent=1) + "\n")


def main():
    root = Path(sys.argv[1])
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for name in MODELS:
        model = build(name)
        save_file(tensors(model), root / f"{name}.safetensors")
        (root / f"{name}.config.json").write_text(model.config.to_json_string())
        (root / f"{name}.json").write_text(json.dumps(layout(model), indent=1) + "\n")

    qv = {"target_modules": ["q_proj", "v_proj"], "r": 2, "lora_alpha": 3}
    all_linear = {**qv, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]}
    one = {
        "lora": all_linear,
        "bfloat16": {**qv, "adapter_dtype": torch.bfloat16},
        "rslora": {**qv, "r": 3, "use_rslora": True},
        "dora": {**all_linear, "use_dora": True},
        "dora_rslora": {**qv, "r": 3, "use_dora": True, "use_rslora": True},
        "patterns": {
            **all_linear,
            "rank_pattern": {"q_proj": 3, r"layers\.1\.mlp\..*": 4},
            "alpha_pattern": {"v_proj": 5, "^model.layers.0.mlp.up_proj": 7},
        },
        "layers": {**qv, "layers_to_transform": [1], "layers_pattern": "layers"},
        "regex": {**qv, "target_modules": r".*\.(q|down)_proj", "exclude_modules": ["0.mlp.down_proj"]},
        "all_linear": {**qv, "target_modules": "all-linear"},
        "lora_bias": {**qv, "lora_bias": True},
        "bias_all": {**qv, "bias": "all"},
        "bias_lora_only": {**qv, "bias": "lora_only"},
        "embedding": {**qv, "target_modules": ["embed_tokens", "q_proj", "lm_head"]},
        "embedding_dora": {**qv, "target_modules": ["embed_tokens", "q_proj"], "use_dora": True},
        "modules_to_save": {**qv, "modules_to_save": ["norm", "lm_head"]},
        "saved_and_targeted": {**qv, "target_modules": ["q_proj", "k_proj"], "modules_to_save": ["1.self_attn.k_proj"]},
        "save_embedding_layers": {**qv, "save": {"save_embedding_layers": True}},
        "bin": {**qv, "use_dora": True, "save": {"safe_serialization": False}},
        "orthogonal": {**qv, "init_lora_weights": "orthogonal"},
        "mica": {**qv, "init_lora_weights": "mica"},
        "velora": {**qv, "velora_config": VeloraConfig(num_groups=2)},
        "monteclora": {**qv, "monteclora_config": MontecloraConfig(num_samples=2)},
    }
    for name, settings in one.items():
        write(root, name, "llama", [settings])

    for dtype in ("bfloat16", "float16"):
        write(root, f"base_{dtype}", "llama", [all_linear], dtype=dtype)
        write(root, f"base_{dtype}_dora", "llama", [{**all_linear, "use_dora": True}], dtype=dtype)

    conv = {"target_modules": ["c_attn", "c_fc", "c_proj"], "r": 2, "lora_alpha": 3, "fan_in_fan_out": True}
    write(root, "conv1d", "gpt2", [conv])
    write(root, "conv1d_dora", "gpt2", [{**conv, "use_dora": True}])
    write(root, "conv1d_flag_off", "gpt2", [{**conv, "fan_in_fan_out": False, "lora_bias": True}])
    write(root, "wte_dora", "gpt2", [{**conv, "target_modules": ["wte", "wpe", "c_attn"], "use_dora": True}])

    heads = {"target_modules": ["query", "value"], "r": 2, "lora_alpha": 3, "task_type": "SEQ_CLS"}
    write(root, "seq_cls", "bert", [heads])
    write(root, "seq_cls_bias_all", "bert", [{**heads, "bias": "all"}])
    write(root, "seq_cls_all_linear", "bert", [{**heads, "target_modules": "all-linear"}])

    other = {**all_linear, "r": 3, "lora_alpha": 6}
    write(root, "mix", "llama", [qv, other], [0.7, 0.3])
    write(root, "mix_three", "llama", [qv, other, {**qv, "use_rslora": True}], [1.0, -0.5, 0.25])
    embedding = {**qv, "target_modules": ["embed_tokens", "q_proj"], "save": {"save_embedding_layers": False}}
    write(root, "mix_embedding", "llama", [embedding, {**embedding, "r": 4}], [0.7, 0.3])
    write(root, "mix_saved", "llama", [{**qv, "modules_to_save": ["norm"]}, other], [0.7, 0.3], how="stack")
    write(root, "mix_lora_bias", "llama", [{**qv, "lora_bias": True}, other], [0.7, 0.3], how="stack")
    analyse(root)


if __name__ == "__main__":
    main()
