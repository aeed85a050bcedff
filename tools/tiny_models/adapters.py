"""PEFT adapters of every kind, and random values in all that they train."""

import json

import torch

ALL = {"target_modules": "all-linear", "r": 4, "lora_alpha": 8}
QV = {"target_modules": ["q_proj", "v_proj"], "r": 4, "lora_alpha": 8}
CONV1D = {"target_modules": ["c_attn", "c_proj", "c_fc"], "r": 4, "lora_alpha": 8, "fan_in_fan_out": True}
EXPERTS = {"per_expert": ["w1", "w2", "w3"], "r": 4, "lora_alpha": 8}
ENCODER = {"target_modules": ["query", "value"], "r": 4, "lora_alpha": 8}

# What can be trained on any model.
TABLE = {
    "all": ALL,
    # all-linear names the experts' fused parameters, which are no modules.
    "attention": {**ALL, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]},
    # Mixtral's experts were modules of their own before transformers 5 fused them; published adapters name them so. PEFT reads
    # them still, and writes them no more.
    "experts": EXPERTS,
    "language_model": {**ALL, "target_modules": r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|down_proj)"},
}
LLAMA = {
    "plain": QV,
    "dora": {**ALL, "use_dora": True},
    "dora_rslora": {**QV, "use_dora": True, "use_rslora": True},
    "rslora": {**ALL, "use_rslora": True},
    "patterns": {**ALL, "rank_pattern": {"q_proj": 2, "layers.1.mlp.down_proj": 6, "^model.layers.0.self_attn.v_proj": 3},
                 "alpha_pattern": {"q_proj": 16, "o_proj": 1}},
    "layers": {**QV, "layers_to_transform": [0, 2], "layers_pattern": "layers"},
    "one_layer": {**QV, "layers_to_transform": 1},
    "regex": {**ALL, "target_modules": r"model\.layers\.(0|2)\.(self_attn\.[qk]_proj|mlp\.down_proj)"},
    "exclude": {**ALL, "exclude_modules": ["o_proj", "model.layers.1.mlp.up_proj"]},
    "exclude_regex": {**ALL, "exclude_modules": r".*\.mlp\..*"},
    "save_head": {**QV, "modules_to_save": ["lm_head"]},
    "save_embedding": {**QV, "modules_to_save": ["embed_tokens"]},
    "save_norms": {**QV, "modules_to_save": ["norm", "input_layernorm"]},
    "bias_all": {**QV, "bias": "all"},
    "bias_lora_only": {**QV, "bias": "lora_only"},
    "lora_bias": {**ALL, "lora_bias": True},
    "embedding": {**QV, "target_modules": ["embed_tokens", "q_proj"]},
    "embedding_dora": {**QV, "target_modules": ["embed_tokens", "q_proj"], "use_dora": True},
    "head": {**QV, "target_modules": ["lm_head", "q_proj"]},
    "bin": ALL,
}
LLAMA_TIED = {name: LLAMA[name] for name in ["plain", "save_embedding", "embedding"]}
LLAMA_TIED |= {"save_both": {**QV, "modules_to_save": ["embed_tokens", "lm_head"]},
               "save_tying": {**QV, "modules_to_save": ["embed_tokens"], "ensure_weight_tying": True},
               "save_head": {**QV, "modules_to_save": ["lm_head"]}}
GPT_2 = {
    "all": CONV1D,
    "dora": {**CONV1D, "use_dora": True},
    "rslora": {**CONV1D, "use_rslora": True},
    "all_linear": {**ALL, "fan_in_fan_out": True},
    "embedding": {**CONV1D, "target_modules": ["wte", "c_attn"]},
    "positions": {**CONV1D, "target_modules": ["wpe", "attn.c_proj"]},
    "save_norm": {**CONV1D, "modules_to_save": ["ln_f", "ln_1"]},
    "bias_all": {**CONV1D, "bias": "all"},
    "bias_lora_only": {**CONV1D, "bias": "lora_only"},
    "lora_bias": {**CONV1D, "lora_bias": True},
    "layers": {**CONV1D, "layers_to_transform": [1], "layers_pattern": "h"},
}
BERT = {
    "head": {**ENCODER, "task_type": "SEQ_CLS"},
    "dora": {**ENCODER, "use_dora": True, "task_type": "SEQ_CLS"},
    "all_linear": {**ALL, "task_type": "SEQ_CLS"},
    "rslora_layers": {**ENCODER, "use_rslora": True, "layers_to_transform": [0, 1]},
    "embedding": {**ENCODER, "target_modules": ["word_embeddings", "query"]},
    "save_norms": {**ENCODER, "modules_to_save": ["LayerNorm", "classifier"]},
    "bias_all": {**ENCODER, "bias": "all", "task_type": "SEQ_CLS"},
    "lora_bias": {**ENCODER, "lora_bias": True},
}
MIXES = {"mix": "plain:0.7+rslora:0.3", "minus": "rslora:-0.2+plain:1.2"}


def write(make_base, settings, folder, seed, task):
    """Trains nothing: puts an adapter on a fresh base, fills all it would train with random values, saves it."""
    from peft import LoraConfig, get_peft_model
    if "per_expert" in settings:
        return write_per_expert(make_base, settings, folder, seed, task)
    torch.manual_seed(seed)
    config = LoraConfig(**{"task_type": task, "lora_dropout": 0.0, **settings})
    model = get_peft_model(make_base(), config)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(model.named_parameters()):
        if parameter.requires_grad:
            parameter.data = values(name, parameter.data, generator)
    as_bin = folder.name == "bin"
    model.save_pretrained(folder, safe_serialization=not as_bin, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    name_base(folder)


def values(name, old, generator):
    noise = torch.randn(old.shape, generator=generator)
    if "lora_magnitude_vector" in name:
        return old * (1 + 0.2 * noise)
    if "lora_A" in name or "lora_embedding_B" in name:
        return noise / old.shape[-1] ** 0.5 if "lora_A" in name else noise * 0.2
    if "lora_B" in name or "lora_embedding_A" in name:
        return noise * 0.2
    # A bias, or a module that is saved whole.
    return old + noise * 0.2


def write_per_expert(make_base, settings, folder, seed, task):
    """An adapter on every expert's linears, as PEFT wrote it for transformers 4."""
    from peft import LoraConfig
    from safetensors.torch import save_file
    config = make_base().config
    sizes = {"w1": (config.intermediate_size, config.hidden_size), "w2": (config.hidden_size, config.intermediate_size)}
    sizes["w3"] = sizes["w1"]
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for layer in range(config.num_hidden_layers):
        for expert in range(config.num_local_experts):
            for linear in settings["per_expert"]:
                module = f"base_model.model.model.layers.{layer}.block_sparse_moe.experts.{expert}.{linear}"
                out, into = sizes[linear]
                tensors[f"{module}.lora_A.weight"] = torch.randn(settings["r"], into, generator=generator) / into**0.5
                tensors[f"{module}.lora_B.weight"] = torch.randn(out, settings["r"], generator=generator) * 0.2
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    LoraConfig(r=settings["r"], lora_alpha=settings["lora_alpha"], target_modules=settings["per_expert"], task_type=task,
               inference_mode=True).save_pretrained(folder)
    name_base(folder)


def name_base(folder):
    """The base is the folder above, wherever it lies."""
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text()) | {"base_model_name_or_path": "../.."}
    for name, value in config.items():
        # Sets come in any order.
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            config[name] = sorted(value)
    path.write_text(json.dumps(config, indent=2) + "\n")
