#!/usr/bin/env python3
"""Converts a checkpoint of every family with llama.cpp's own converter, as references for evalh-checkpoint's GGUF reader.

Needs: pip install torch transformers safetensors gguf numpy sentencepiece, and llama.cpp's sources (convert_hf_to_gguf.py and its
folders conversion/ and gguf-py/; the source package of llama-cpp-python holds them under vendor/llama.cpp).
Use: python tools/make_gguf_families.py LLAMA_CPP --tiny crates/evalh-checkpoint/tests/data/families
     python tools/make_gguf_families.py LLAMA_CPP --fixtures ../shared/fixtures --out SOMEWHERE

--tiny writes random models of a few kilobytes, one of each family and of each setting that changes how it is stored: NAME.gguf
is what the converter made of it (also NAME.fused.gguf and NAME-0000N-of-0000M.gguf of one model each), NAME.json its config.json and the sha256 of every tensor's f32 values before conversion.
--fixtures converts each checkpoint of a folder of checkpoints to OUT/NAME.gguf, and OUT/NAME.fused.gguf where the converter
can fuse projections, and OUT/NAME-0000N-of-0000M.gguf in parts.

Some of the converter's choices are overridden, since they do not concern weights: the fixtures' tokenizer is none that its table of
known tokenizers lists (it splits text as GPT-2's does, so that is what it is called), and families whose tokenizers it expects
as SentencePiece files take the same byte-level one.
"""

import argparse
import json
import runpy
import shutil
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

SEED = 20250302


def prepare(llama_cpp):
    """Makes the converter take any tokenizer for GPT-2's."""
    sys.path[:0] = [str(llama_cpp), str(llama_cpp / "gguf-py")]
    from conversion import load_all_models
    from conversion.base import TextModel
    from conversion.gemma import Gemma2Model, GemmaModel
    from conversion.gptneox import GPTNeoXModel
    from conversion.phi import Phi3MiniModel
    from conversion.stablelm import StableLMModel

    load_all_models()
    TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
    # Otherwise a family's own class is loaded, which adds the family's own tokens to the folder's.
    transformers.AutoTokenizer.from_pretrained = transformers.PreTrainedTokenizerFast.from_pretrained
    for family in (GemmaModel, Gemma2Model, Phi3MiniModel):
        family.set_vocab = TextModel._set_vocab_gpt2

    # This one reads a name that transformers no longer gives.
    gpt_neox = GPTNeoXModel.set_gguf_parameters

    def with_rotary_share(self):
        self.hparams.setdefault("rotary_pct", self.rope_parameters.get("partial_rotary_factor"))
        gpt_neox(self)

    GPTNeoXModel.set_gguf_parameters = with_rotary_share

    # This one returns the stacked norms from a generator, which drops them.
    stablelm = StableLMModel.modify_tensors

    def with_what_is_returned(self, *arguments):
        rest = yield from stablelm(self, *arguments)
        if rest is not None:
            yield from rest

    StableLMModel.modify_tensors = with_what_is_returned


def convert(llama_cpp, folder, out, *flags):
    """Runs the converter's command line on a folder; whether it could convert it."""
    with tempfile.TemporaryDirectory() as copy:
        copy = Path(copy) / folder.name
        copy.mkdir()
        for file in folder.iterdir():
            if file.is_file():
                shutil.copyfile(file, copy / file.name)
        # The converter reads this older name only.
        config = json.loads((folder / "config.json").read_text())
        if config["model_type"] == "gpt2":
            config["n_ctx"] = config["n_positions"]
        (copy / "config.json").write_text(json.dumps(config))
        sys.argv = ["convert_hf_to_gguf.py", str(copy), "--outfile", str(out), "--outtype", "f32", *flags]
        try:
            runpy.run_path(str(llama_cpp / "convert_hf_to_gguf.py"), run_name="__main__")
        except (SystemExit, Exception) as end:
            if not isinstance(end, SystemExit) or end.code:
                print(f"{folder.name} is not converted: {end!r}")
                return False
    return True


# Sizes that every tiny model shares; a family's own settings come on top.
COMMON = dict(
    vocab_size=20,
    hidden_size=8,
    intermediate_size=12,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    max_position_embeddings=64,
    bos_token_id=0,
    eos_token_id=1,
    pad_token_id=None,
    tie_word_embeddings=False,
)
LONG = [1.0 + i for i in range(3)]
SHORT = [1.0 + i / 8 for i in range(3)]
TINY = {
    "llama": dict(model_type="llama", head_dim=16, attention_bias=True, mlp_bias=True, rope_theta=500000.0, rope_scaling=dict(
        rope_type="llama3", factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)),
    "llama_linear": dict(model_type="llama", tie_word_embeddings=True, rope_scaling=dict(rope_type="linear", factor=4.0)),
    "mistral": dict(model_type="mistral", head_dim=6, sliding_window=None, rope_theta=1e6),
    "mixtral": dict(model_type="mixtral", num_local_experts=3, num_experts_per_tok=2, rope_theta=1e6, sliding_window=None),
    "qwen2": dict(model_type="qwen2", rope_scaling=dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)),
    "qwen3": dict(model_type="qwen3", head_dim=6, tie_word_embeddings=True, rope_theta=1e6),
    "gemma": dict(model_type="gemma", head_dim=6, tie_word_embeddings=True),
    "gemma2": dict(model_type="gemma2", head_dim=6, tie_word_embeddings=True, num_hidden_layers=3, sliding_window=8,
        attn_logit_softcapping=50.0, final_logit_softcapping=30.0, query_pre_attn_scalar=6),
    "gemma3_text": dict(model_type="gemma3_text", head_dim=6, tie_word_embeddings=True, num_hidden_layers=7, sliding_window=8,
        query_pre_attn_scalar=6, rope_theta=1e6, rope_local_base_freq=10000.0, rope_scaling=dict(rope_type="linear", factor=8.0)),
    "phi": dict(model_type="phi", num_key_value_heads=2, partial_rotary_factor=0.5),
    "phi3": dict(model_type="phi3", sliding_window=8),
    "phi3_longrope": dict(model_type="phi3", hidden_size=16, partial_rotary_factor=0.75, original_max_position_embeddings=16, sliding_window=None,
        rope_scaling=dict(rope_type="longrope", long_factor=LONG, short_factor=SHORT)),
    "stablelm": dict(model_type="stablelm", partial_rotary_factor=0.5, use_qkv_bias=True),
    "stablelm_parallel": dict(model_type="stablelm", partial_rotary_factor=0.5, use_parallel_residual=True, qk_layernorm=True),
    "gpt_neox": dict(model_type="gpt_neox", rotary_pct=0.5, use_parallel_residual=True),
    "gpt_neox_serial": dict(model_type="gpt_neox", rotary_pct=1.0, use_parallel_residual=False),
    "gpt2": dict(model_type="gpt2", n_embd=8, n_head=2, n_layer=2, n_positions=32, n_inner=None, tie_word_embeddings=True),
    "olmo": dict(model_type="olmo", clip_qkv=8.0),
    "olmo2": dict(model_type="olmo2", rms_norm_eps=1e-6),
}


def tiny_checkpoint(name, folder):
    """Saves a random model as transformers does; the config keeps the keys that it was asked for."""
    settings = {**COMMON, **TINY[name]}
    if settings["model_type"] in ("phi", "gpt_neox", "gpt2"):
        settings.pop("num_key_value_heads")
    if settings["model_type"] == "gpt2":
        for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings"):
            settings.pop(name)
    config = transformers.AutoConfig.for_model(**settings)
    torch.manual_seed(SEED)
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            # Multiples of 1/256, to which the converter's adding one to Gemma's norms does not round.
            parameter.copy_(torch.randn_like(parameter).mul(256).round().div(256).add(0.0))
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(["<s>", "</s>", *"abcdefghijklmno", "ab", "cd", "abcd"])},
        merges=[("a", "b"), ("c", "d"), ("ab", "cd")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "</s>"])
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>").save_pretrained(folder)


def write_tiny(llama_cpp, out):
    out.mkdir(parents=True, exist_ok=True)
    for name in TINY:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder) / name
            tiny_checkpoint(name, folder)
            done = convert(llama_cpp, folder, out / f"{name}.gguf")
            if name == "llama":
                done &= convert(llama_cpp, folder, out / f"{name}.fused.gguf", "--fuse-qkv")
            if name == "qwen3":
                done &= convert(llama_cpp, folder, out / f"{name}.gguf", "--split-max-tensors", "9")
            if not done:
                sys.exit(1)
            tensors = sorted(load_file(folder / "model.safetensors").items())
            lines = [f'"{key}": {json.dumps([list(value.shape), sha256(value.float().numpy().tobytes()).hexdigest()])}' for key, value in tensors]
            config = json.dumps(json.loads((folder / "config.json").read_text()), indent=1)
            (out / f"{name}.json").write_text('{"config": ' + config + ', "tensors": {\n' + ",\n".join(lines) + "\n}}\n")


def write_fixtures(llama_cpp, fixtures, out):
    out.mkdir(parents=True, exist_ok=True)
    for folder in sorted(fixtures.iterdir()):
        if not (folder / "tokenizer.json").is_file():
            continue
        if convert(llama_cpp, folder, out / f"{folder.name}.gguf"):
            convert(llama_cpp, folder, out / f"{folder.name}.fused.gguf", "--fuse-qkv")
            convert(llama_cpp, folder, out / f"{folder.name}.gguf", "--split-max-tensors", "9")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("llama_cpp", type=Path, help="llama.cpp's sources")
    parser.add_argument("--tiny", type=Path, help="where the tiny models go")
    parser.add_argument("--fixtures", type=Path, help="a folder of checkpoints")
    parser.add_argument("--out", type=Path, help="where their conversions go")
    arguments = parser.parse_args()
    prepare(arguments.llama_cpp)
    if arguments.tiny:
        write_tiny(arguments.llama_cpp, arguments.tiny)
    if arguments.fixtures:
        write_fixtures(arguments.llama_cpp, arguments.fixtures, arguments.out)


if __name__ == "__main__":
    main()
