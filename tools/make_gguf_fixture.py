#!/usr/bin/env python3
"""Writes the GGUF fixtures of evalh-checkpoint: what other programs read from the same bytes.

Needs (any recent versions): pip install gguf numpy tokenizers sentencepiece
Use: python tools/make_gguf_fixture.py crates/evalh-checkpoint/tests/data

- blocks.json: random blocks of every quantised type and their values by the `gguf` package (hexadecimal, f32 little-endian).
- byte_level.gguf, sentence_piece.gguf: whole tiny llama models written by the `gguf` package, all block types that fit, with
  query and key rows interleaved as llama.cpp's converter does; one with a byte-level and one with a SentencePiece tokenizer.
- byte_level.json, sentence_piece.json: sha256 of every tensor's f32 values in Hugging Face order, and token ids of sample
  texts by the `tokenizers` and `sentencepiece` packages.
"""

import argparse
import hashlib
import io
import json
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import tokenizers
from gguf import GGMLQuantizationType as Q
from gguf.quants import dequantize, quantize

SEED = 20250101
QUANTISED = [Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0, Q.Q4_K, Q.Q5_K, Q.Q6_K]
# Added later, and drawn apart so that what was drawn before stays.
MORE_QUANTISED = [Q.Q2_K, Q.Q3_K, Q.IQ4_NL, Q.IQ4_XS]
# Where in a block its half-precision scales lie.
SCALES = {
    Q.Q4_0: [0], Q.Q4_1: [0, 2], Q.Q5_0: [0], Q.Q5_1: [0, 2], Q.Q8_0: [0], Q.Q4_K: [0, 2], Q.Q5_K: [0, 2], Q.Q6_K: [208],
    Q.Q2_K: [80, 82], Q.Q3_K: [108], Q.IQ4_NL: [0], Q.IQ4_XS: [0],
}
HIDDEN, HEADS, KV_HEADS, FFN, LAYERS = 32, 4, 2, 64, 2
TEXTS = [
    "",
    " ",
    "  two spaces lead",
    "plain words, a comma; 1234567 and 3.14",
    "it's we'll I'VE don't",
    "tabs\tand\n\nnewlines \n at the end  \n",
    "naïve café — 東京 😀 \u200d\u00ad ½ ٣",
    "def f(x):\n    return x + 1\n",
    "<|end|>text with <|end|> a marker<mark>and another",
    "e\u0301 combining and \ufb01 ligature",
]
CORPUS = [
    "the river runs past the mill and the miller counts the sacks of flour",
    "a counting harness answers many questions and counts the answers that are right",
    "def add(first, second):\n    return first + second\n",
    "in the morning the miller said: twenty sacks, 20 sacks, at 3.50 each",
    "we will not count what we cannot measure; it's easy to be wrong",
] * 8


def random_blocks(rng, kind, count):
    """Blocks of random bits, except that scales are ordinary numbers."""
    length = gguf.GGML_QUANT_SIZES[kind][1]
    data = rng.integers(0, 256, size=(count, length), dtype=np.uint8)
    for at in SCALES[kind]:
        scales = rng.normal(0, 0.05, size=count).astype(np.float16)
        data[:, at : at + 2] = scales.view(np.uint8).reshape(count, 2)
    return data


def write_blocks(rng, path):
    blocks = {}
    more = np.random.default_rng(SEED + 1)
    for kind in QUANTISED + MORE_QUANTISED:
        data = random_blocks(rng if kind in QUANTISED else more, kind, 1 if gguf.GGML_QUANT_SIZES[kind][0] == 256 else 2)
        values = dequantize(data.reshape(-1), kind).astype("<f4")
        blocks[kind.name] = {"data": data.tobytes().hex(), "values": values.tobytes().hex()}
    path.write_text(json.dumps(blocks, indent=1) + "\n")


def interleave(weights, heads):
    """llama.cpp's LlamaModel.permute: the two rotary halves of each head, row by row."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def tensors(rng, vocabulary):
    """Hugging Face name, GGUF name, shape, type and number of heads to interleave (0: none)."""
    head = HIDDEN // HEADS
    yield "model.embed_tokens.weight", "token_embd.weight", (vocabulary, HIDDEN), Q.Q4_0, 0
    yield "model.norm.weight", "output_norm.weight", (HIDDEN,), Q.F32, 0
    for layer in range(LAYERS):
        types = [[Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0, Q.F16, Q.BF16], [Q.F32, Q.Q8_0, Q.BF16, Q.F16, Q.Q4_1, Q.Q5_1, Q.Q5_0]][layer]
        hf, ggml = f"model.layers.{layer}.", f"blk.{layer}."
        yield hf + "self_attn.q_proj.weight", ggml + "attn_q.weight", (HIDDEN, HIDDEN), types[0], HEADS
        yield hf + "self_attn.q_proj.bias", ggml + "attn_q.bias", (HIDDEN,), Q.F32, HEADS
        yield hf + "self_attn.k_proj.weight", ggml + "attn_k.weight", (KV_HEADS * head, HIDDEN), types[1], KV_HEADS
        yield hf + "self_attn.k_proj.bias", ggml + "attn_k.bias", (KV_HEADS * head,), Q.F32, KV_HEADS
        yield hf + "self_attn.v_proj.weight", ggml + "attn_v.weight", (KV_HEADS * head, HIDDEN), types[2], 0
        yield hf + "self_attn.o_proj.weight", ggml + "attn_output.weight", (HIDDEN, HIDDEN), types[3], 0
        yield hf + "mlp.gate_proj.weight", ggml + "ffn_gate.weight", (FFN, HIDDEN), types[4], 0
        yield hf + "mlp.up_proj.weight", ggml + "ffn_up.weight", (FFN, HIDDEN), types[5], 0
        yield hf + "mlp.down_proj.weight", ggml + "ffn_down.weight", (HIDDEN, FFN), types[6], 0
        yield hf + "input_layernorm.weight", ggml + "attn_norm.weight", (HIDDEN,), Q.F32, 0
        yield hf + "post_attention_layernorm.weight", ggml + "ffn_norm.weight", (HIDDEN,), Q.F32, 0


def write_model(rng, path, vocabulary, add_tokenizer):
    """Writes a model and returns the hash of each tensor as a reader should find it."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("model")
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_vocab_size(vocabulary)
    add_tokenizer(writer)
    hashes = {}
    for hf, ggml, shape, kind, heads in tensors(rng, vocabulary):
        values = rng.normal(0, 1, size=shape).astype(np.float32)
        packed = quantize(interleave(values, heads) if heads else values, kind)
        read = dequantize(packed, kind).reshape(shape).astype("<f4")
        if heads:
            # Undone by the definition of the permutation, not by its inverse formula.
            order = interleave(np.arange(shape[0]), heads)
            plain = np.empty_like(read)
            plain[order] = read
            read = plain
        hashes[hf] = hashlib.sha256(read.tobytes()).hexdigest()
        writer.add_tensor(ggml, packed, raw_dtype=None if kind in (Q.F32, Q.F16) else kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return hashes


def byte_level(rng, folder):
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [tokenizers.pre_tokenizers.Digits(individual_digits=True), tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    special = ["<|start|>", "<|end|>"]
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=340, special_tokens=special, initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([tokenizers.AddedToken("<mark>", normalized=False)])
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="<|start|> $A", pair="<|start|> $A <|start|> $B", special_tokens=[("<|start|>", 0)]
    )
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    # One id more than tokens: a padded embedding.
    types = [3 if t in special else 4 if t == "<mark>" else 1 for t in tokens] + [5]
    tokens.append("[PAD]")

    def add(writer):
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("smollm")
        writer.add_token_list(tokens)
        writer.add_token_types(types)
        writer.add_token_merges([" ".join(merge) for merge in model["merges"]])
        writer.add_bos_token_id(0)
        writer.add_eos_token_id(1)
        writer.add_add_bos_token(True)
        writer.add_chat_template("{% for m in messages %}{{ bos_token + m['role'] + ': ' + m['content'] }}<|end|>\n{% endfor %}")

    hashes = write_model(rng, folder / "byte_level.gguf", len(tokens), add)
    texts = [{"text": text, "ids": tokenizer.encode(text).ids, "decoded": tokenizer.decode(tokenizer.encode(text).ids)} for text in TEXTS]
    (folder / "byte_level.json").write_text(json.dumps({"tensors": hashes, "texts": texts}, indent=1) + "\n")


def sentence_piece(rng, folder):
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in CORPUS for line in text.split("\n") if line]),
        model_writer=trained,
        model_type="bpe",
        vocab_size=380,
        byte_fallback=True,
        split_digits=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        character_coverage=1.0,
        user_defined_symbols=["<mark>"],
        control_symbols=["<|end|>"],
        minloglevel=2,
    )
    model = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    ids = range(model.GetPieceSize())

    def kind(i):
        if model.IsUnknown(i):
            return 2
        if model.IsControl(i):
            return 3
        if model.IsByte(i):
            return 6
        return 4 if model.IdToPiece(i) == "<mark>" else 1

    def add(writer):
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_list([model.IdToPiece(i) for i in ids])
        writer.add_token_scores([model.GetScore(i) for i in ids])
        writer.add_token_types([kind(i) for i in ids])
        writer.add_bos_token_id(model.bos_id())
        writer.add_eos_token_id(model.eos_id())
        writer.add_unk_token_id(model.unk_id())

    hashes = write_model(rng, folder / "sentence_piece.gguf", len(ids), add)
    # Texts with markers are left out: SentencePiece finds no control symbols in text, and does not prefix the text after a
    # user-defined one as a fast tokenizer does, so it is no reference for them.
    texts = [
        {"text": text, "ids": [model.bos_id(), *model.EncodeAsIds(text)], "decoded": model.Decode(model.EncodeAsIds(text))}
        for text in TEXTS
        if "<" not in text
    ]
    (folder / "sentence_piece.json").write_text(json.dumps({"tensors": hashes, "texts": texts}, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the fixtures go")
    folder = parser.parse_args().folder
    rng = np.random.default_rng(SEED)
    write_blocks(rng, folder / "blocks.json")
    byte_level(rng, folder)
    sentence_piece(rng, folder)


if __name__ == "__main__":
    main()
