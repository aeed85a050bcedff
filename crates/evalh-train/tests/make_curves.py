#!/usr/bin/env python3
"""Writes tests/references/curve_*.json: trainings of the tiny fixtures by PEFT and torch, step by step.

Run once with transformers 5.23.0, peft 0.21.2, torch and safetensors; the result is committed, so tests need no Python:

    python crates/evalh-train/tests/make_curves.py ../shared/fixtures

Everything is f32 without any dropout, each sequence a forward pass of its own, the gradients of a step summed before they
are clipped. The optimiser is torch.optim.AdamW, the schedule transformers' (benches/training/training.py).

fixture       the folder of the model: of ../shared/fixtures, or where "own" is true of tests/fixtures
task          CAUSAL_LM: the loss of a step is the mean over all tokens of its sequences that count ("loss" marks them, as
              predicted from those before); SEQ_CLS: the mean cross-entropy of the labels, or the mean squared error of the
              values
adapter       null: every weight is trained. Else the LoRA: r, alpha, use_rslora, rank_pattern, and the modules in order
initial       the factors to begin with. Of module number m (from 0, in the order of "modules") element k, counted row by row:
              A = 0.05 sin(0.37 k + m), of shape [r, in], and B = 0.01 cos(0.73 k + m), of shape [out, r], both computed in
              f64 and rounded to f32. A head begins with the weights of the fixture, and is trained.
optimiser     learning rate at its highest, betas, eps, weight decay, schedule, steps of warm-up and in all, clipping
steps         for each: its sequences, the loss, the norm of all gradients before clipping, the learning rate
trained       of each trained tensor after the last step: [L2 norm, sum of cos(0.7 k) times element k]
noise         the largest relative difference of a loss and of a norm from the same training in f64 (where transformers
              computes in f32 whatever the weights are, as in norms, so does that)
"""

import argparse
import json
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "benches" / "training"))

import training  # noqa: I001, E402
import torch  # noqa: E402
from peft import LoraConfig, get_peft_model  # noqa: E402
from peft_curve import curve, losses_of_tokens  # noqa: E402
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification  # noqa: E402

LLAMA = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
OPTIMISER = {
    "lr": 5e-3,
    "betas": [0.9, 0.95],
    "eps": 1e-7,
    "weight_decay": 0.01,
    "schedule": "cosine",
    "warmup": 3,
    "total": 30,
    "clip": 1.0,
}

# An epsilon above the rounding of gradients that are zero: those of the biases of keys, which move all scores of a softmax
# alike.
CLASSIFIER = OPTIMISER | {"lr": 1e-3, "eps": 1e-5, "warmup": 1, "total": 5}

CASES = {
    "llama": {
        "fixture": "llama",
        "lora": {"r": 4, "lora_alpha": 8, "target_modules": LLAMA},
        "optimiser": OPTIMISER,
    },
    "gpt2": {
        "fixture": "gpt2",
        "lora": {"r": 4, "lora_alpha": 8, "target_modules": ["c_attn", "c_proj", "c_fc"], "fan_in_fan_out": True},
        "optimiser": OPTIMISER | {"schedule": "linear", "clip": None},
    },
    # Ranks by the kind of module, and layers of which the lowest is not adapted.
    "rslora": {
        "fixture": "llama_gqa_rope3",
        "lora": {
            "r": 4,
            "lora_alpha": 8,
            "target_modules": LLAMA,
            "use_rslora": True,
            "rank_pattern": {"q_proj": 8, "down_proj": 2},
            "layers_to_transform": [1, 2],
        },
        "optimiser": OPTIMISER | {"schedule": "constant_with_warmup", "warmup": 0},
    },
    "full": {"fixture": "llama", "optimiser": OPTIMISER | {"lr": 1e-3, "warmup": 1, "total": 5}},
    "full_tied": {"fixture": "gpt2", "optimiser": OPTIMISER | {"lr": 1e-3, "warmup": 1, "total": 5}},
    "classifier": {
        "fixture": "roberta",
        "lora": {"r": 4, "lora_alpha": 8, "target_modules": ["query", "value"]},
        "optimiser": OPTIMISER | {"total": 10},
        "labels": 3,
    },
    "full_bert": {"fixture": "bert", "optimiser": CLASSIFIER, "labels": 2},
    "full_roberta": {"fixture": "roberta", "optimiser": CLASSIFIER, "labels": 3},
    "full_deberta": {"fixture": "deberta_v2", "optimiser": CLASSIFIER, "labels": 3},
    # With a convolution, and fewer tokens known.
    "full_regression": {"fixture": "deberta_v2", "own": True, "optimiser": CLASSIFIER, "values": True},
}


def sequences(step, case):
    """The two sequences of a step, taken in turn from eight, so that they come again; each begins with a prompt."""
    for number in (2 * step % 8, (2 * step + 1) % 8):
        length = 9 + (5 * number) % 8
        tokens = [(37 * i + 53 * number + 11) % (100 if case.get("own") else 380) + 3 for i in range(length)]
        if case.get("labels"):
            yield {"tokens": tokens, "label": number % case["labels"]}
        elif case.get("values"):
            yield {"tokens": tokens, "value": number % 3 / 4}
        else:
            yield {"tokens": tokens, "loss": [int(i >= 1 + number % 3) for i in range(length)]}


def losses_of_labels(model, step, _):
    """Parts of the mean cross-entropy of the labels, or of the mean squared error of the values."""
    for sequence in step:
        logits = model(input_ids=torch.tensor([sequence["tokens"]])).logits.float()
        if "value" in sequence:
            loss = torch.nn.functional.mse_loss(logits.flatten(), torch.tensor([sequence["value"]]))
        else:
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor([sequence["label"]]))
        yield loss / len(step)


def formula(shape, scale, wave, step, start):
    """scale wave(step k + start) for element k, row by row."""
    count = math.prod(shape)
    return torch.tensor([scale * wave(step * k + start) for k in range(count)], dtype=torch.float64).reshape(shape).float()


def classifies(case):
    """Whether whole sequences are labelled."""
    return bool(case.get("labels") or case.get("values"))


def load(folder, case, dtype):
    """The model to train, and the names of its adapted modules."""
    kind = AutoModelForSequenceClassification if classifies(case) else AutoModelForCausalLM
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    modules = []
    if "lora" in case:
        task = "SEQ_CLS" if classifies(case) else "CAUSAL_LM"
        model = get_peft_model(model, LoraConfig(task_type=task, **case["lora"]))
        for name, module in model.get_base_model().named_modules():
            if not hasattr(module, "lora_A"):
                continue
            a, b = module.lora_A["default"].weight, module.lora_B["default"].weight
            a.data = formula(a.shape, 0.05, math.sin, 0.37, len(modules))
            b.data = formula(b.shape, 0.01, math.cos, 0.73, len(modules))
            modules.append({"name": name, "r": len(a)})
    return model.to(dtype).eval(), modules


def described(tensor):
    """[L2 norm, sum of cos(0.7 k) times element k], to ten digits."""
    values = tensor.detach().double().flatten()
    weights = torch.cos(torch.arange(len(values), dtype=torch.float64) * 0.7)
    return [digits(values.norm().item()), digits((values * weights).sum().item())]


def digits(value):
    return float(f"{value:.10g}")


def trained(model):
    """What was trained, by names of the model."""
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            name = name.removeprefix("base_model.model.")
            name = name.replace(".modules_to_save.default", "").replace(".default.weight", "")
            yield name, described(parameter)


def run(fixtures, case):
    """The record of a case."""
    settings = case["optimiser"]
    args = argparse.Namespace(**settings, pad=False)
    steps = [list(sequences(step, case)) for step in range(settings["total"])]
    if classifies(case):
        given, losses = steps, losses_of_labels
    else:
        given, losses = [[training.sequence(part) for part in step] for step in steps], losses_of_tokens
    folder = (Path(__file__).parents[3] / "tests" / "fixtures" if case.get("own") else fixtures) / case["fixture"]
    exact, _ = load(folder, case, torch.float64)
    exact = curve(exact, given, args, losses)
    model, modules = load(folder, case, torch.float32)
    records = curve(model, given, args, losses)
    noise = {
        key: float(f"{max(abs(ours[key] / best[key] - 1) for ours, best in zip(records, exact)):.1e}")
        for key in ("loss", "gradient_norm")
    }
    lora = case.get("lora")
    return {
        "fixture": case["fixture"],
        **({"own": True} if case.get("own") else {}),
        "task": "SEQ_CLS" if classifies(case) else "CAUSAL_LM",
        "adapter": {
            "r": lora["r"],
            "alpha": lora["lora_alpha"],
            "use_rslora": lora.get("use_rslora", False),
            "rank_pattern": lora.get("rank_pattern", {}),
            "modules": modules,
        }
        if lora
        else None,
        "initial": "A = 0.05 sin(0.37 k + m), B = 0.01 cos(0.73 k + m)" if lora else None,
        "optimiser": settings,
        "steps": [
            {"sequences": step} | {key: digits(record[key]) for key in ("loss", "gradient_norm", "learning_rate")}
            for step, record in zip(steps, records)
        ],
        "trained": dict(trained(model)),
        "noise": noise,
    }


def text(record):
    """JSON with a line for each field, step, module and tensor."""
    lines = []
    for key, value in record.items():
        if key in ("steps", "trained"):
            items = value.items() if key == "trained" else [(None, step) for step in value]
            inner = ",\n".join((f"{json.dumps(name)}: " if name else "") + json.dumps(item) for name, item in items)
            opening, closing = "{}" if key == "trained" else "[]"
            lines.append(f"{json.dumps(key)}: {opening}\n{inner}\n{closing}")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(fixtures):
    training.set_threads(1)
    folder = Path(__file__).parent / "references"
    folder.mkdir(exist_ok=True)
    for name, case in CASES.items():
        record = run(fixtures, case)
        (folder / f"curve_{name}.json").write_text(text(record))
        first, last = record["steps"][0], record["steps"][-1]
        print(f"{name}: loss {first['loss']:.4f} to {last['loss']:.4f}, noise {record['noise']}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fixtures", type=Path, help="the folder ../shared/fixtures")
    main(parser.parse_args().fixtures)
