"""A small byte-level tokenizer, so that a checkpoint is whole."""

import json

TEMPLATE = ("{% for message in messages %}<|turn|>{{ message.role }}\n{{ message.content }}</s>\n{% endfor %}"
            "{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}")


def write(folder, vocabulary):
    """`<pad>`, `<s>`, `</s>`, `<|turn|>`, then printable ASCII, then unused words up to the vocabulary's size."""
    special = ["<pad>", "<s>", "</s>", "<|turn|>"]
    letters = [chr(code) for code in range(0x21, 0x7F)] + ["\u0120", "\u010a"]
    words = (special + letters + [f"<|{i}|>" for i in range(vocabulary)])[:vocabulary]
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "normalizer": None, "post_processor": None,
        "added_tokens": [{"id": i, "content": word, "special": True, "single_word": False, "lstrip": False,
                          "rstrip": False, "normalized": False} for i, word in enumerate(special)],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "vocab": {word: i for i, word in enumerate(words)}, "merges": []},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer) + "\n")
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>",
                "chat_template": TEMPLATE}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")
