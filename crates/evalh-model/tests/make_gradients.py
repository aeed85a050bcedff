#!/usr/bin/env python3
"""Writes tests/references/gradients.json: losses of the tiny fixtures and the gradients of every parameter, by transformers.

Run once with transformers 5.23.0, torch and safetensors; the result is committed, so tests need no Python:

    python crates/evalh-model/tests/make_gradients.py ../shared/fixtures

Everything is f32 with eager attention and without dropout, each sequence a forward pass of its own, so without padding.

sequences           the token ids, and for each token whether it counts in the loss of a decoder
label               the class of every sequence, for an encoder
decoders.NAME       NAME is the folder of the fixture
    loss            mean cross-entropy, in nats, of the tokens that count in both sequences, each predicted from those before
    gradients       of that loss, by the names of the checkpoint: [L2 norm, sum of cos(0.7 i) times element i], where i counts
                    the elements row by row in the shape that the checkpoint has; both in f64 from the gradient in f32
encoders.NAME       the same for a classifier; loss: mean cross-entropy of the label over both sequences
    first_tokens    before the first layer and behind every layer: [L2 norm, sum of cos(0.7 i) times element i] of the hidden
                    values of the first token of each sequence, those of the second behind those of the first
regression          the same for tests/fixtures/deberta_v2 of the repository, which has a convolution, embeddings of another
                    width than the layers, and types of tokens; loss: mean squared error of the value over its sequences
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

# Longer than the windows of attention (6) of some fixtures, and of unequal lengths; no id is one of padding.
TOKENS = [[(37 * i + 11) % 380 + 3 for i in range(21)], [(53 * i + 29) % 380 + 3 for i in range(13)]]
# The first four tokens of the second sequence are a prompt.
SEQUENCES = [
    {"tokens": tokens, "loss": [int(i >= first) for i in range(len(tokens))]} for tokens, first in zip(TOKENS, [1, 4])
]
LABEL = 1

REGRESSION = {
    "sequences": [
        {"tokens": [token % 100 + 5 for token in tokens], "types": [int(3 * i > len(tokens)) for i in range(len(tokens))]}
        for tokens in TOKENS
    ],
    "value": 0.7,
}


def decoder_loss(model):
    total, counted = 0.0, 0
    for sequence in SEQUENCES:
        tokens, marks = torch.tensor(sequence["tokens"]), torch.tensor(sequence["loss"][1:], dtype=torch.bool)
        logits = model(input_ids=tokens[None], use_cache=False).logits[0, :-1]
        total = total + torch.nn.functional.cross_entropy(logits[marks], tokens[1:][marks], reduction="sum")
        counted += int(marks.sum())
    return total / counted


def encoder_loss(model):
    losses = [
        torch.nn.functional.cross_entropy(
            model(input_ids=torch.tensor([sequence["tokens"]])).logits, torch.tensor([LABEL])
        )
        for sequence in SEQUENCES
    ]
    return sum(losses) / len(losses)


def regression_loss(model):
    losses = [
        torch.nn.functional.mse_loss(
            model(
                input_ids=torch.tensor([sequence["tokens"]]), token_type_ids=torch.tensor([sequence["types"]])
            ).logits.flatten(),
            torch.tensor([REGRESSION["value"]]),
        )
        for sequence in REGRESSION["sequences"]
    ]
    return sum(losses) / len(losses)


def first_tokens(model, sequences):
    """The hidden values of the first tokens, described."""
    with torch.no_grad():
        streams = [
            model(
                input_ids=torch.tensor([sequence["tokens"]]),
                **({"token_type_ids": torch.tensor([sequence["types"]])} if "types" in sequence else {}),
                output_hidden_states=True,
            ).hidden_states
            for sequence in sequences
        ]
    return [described(torch.cat([hidden[0, 0] for hidden in layer])) for layer in zip(*streams)]


def in_checkpoint(model):
    """The gradients by the names and in the shapes of the checkpoint: what the model would save with them as weights."""
    for parameter in model.parameters():
        parameter.data = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return load_file(Path(folder) / "model.safetensors")


def described(gradient):
    """[L2 norm, sum of cos(0.7 i) times element i], to ten digits."""
    values = gradient.double().flatten()
    weights = torch.cos(torch.arange(len(values), dtype=torch.float64) * 0.7)
    return [float(f"{value:.10g}") for value in (values.norm().item(), (values * weights).sum().item())]


def reference(folder, kind, loss, sequences=None):
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    value = loss(model)
    value.backward()
    streams = {"first_tokens": first_tokens(model, sequences)} if sequences else {}
    gradients = in_checkpoint(model)
    stored = load_file(folder / "model.safetensors")
    if {name: tensor.shape for name, tensor in gradients.items()} != {name: t.shape for name, t in stored.items()}:
        raise SystemExit(f"{folder.name}: the gradients are not named as its checkpoint: {gradients.keys() ^ stored.keys()}")
    return {
        "loss": float(f"{value.item():.10g}"),
        **streams,
        "gradients": {name: described(gradients[name]) for name in sorted(gradients)},
    }


def lines(value, depth=0):
    """JSON with a line for each gradient: to be read, and small."""
    if isinstance(value, dict) and depth < 4:
        inner = ",\n".join(f"{json.dumps(key)}: {lines(item, depth + 1)}" for key, item in value.items())
        return f"{{\n{inner}\n}}"
    return json.dumps(value)


def main(fixtures):
    torch.set_num_threads(1)
    kinds = {"causal": ("decoders", AutoModelForCausalLM, decoder_loss)}
    kinds["seqcls"] = ("encoders", AutoModelForSequenceClassification, encoder_loss)
    result = {"sequences": SEQUENCES, "label": LABEL, "decoders": {}, "encoders": {}}
    for fixture in json.loads((fixtures / "index.json").read_text()):
        group, kind, loss = kinds[fixture["kind"]]
        labelled = SEQUENCES if group == "encoders" else None
        result[group][fixture["name"]] = reference(fixtures / fixture["name"], kind, loss, labelled)
    own = Path(__file__).parents[3] / "tests" / "fixtures" / "deberta_v2"
    result["regression"] = REGRESSION | reference(own, AutoModelForSequenceClassification, regression_loss, REGRESSION["sequences"])
    out = Path(__file__).parent / "references" / "gradients.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(lines(result) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fixtures", type=Path, help="the folder ../shared/fixtures")
    main(parser.parse_args().fixtures)
