#!/usr/bin/env python3
"""The loss and the norm of the gradients, step by step, of a training by torch from given weights and batches.

    python benches/training/peft_curve.py --model HF_FOLDER --adapter ADAPTER --batches batches.json --steps 30

The adapter's folder holds the factors to begin with, as evalh or PEFT writes them; its dropout has to be 0. Without
--adapter every weight of the model is trained. Dropout of the base is off, too. Each sequence is a forward pass of its own
unless --pad puts a step into one batch. Prints JSON; --save keeps the trained adapter.
"""

import argparse
import json

import torch
import training
from peft import PeftModel
from transformers import AutoModelForCausalLM


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a Hugging Face folder")
    parser.add_argument("--adapter", help="the folder of the initial factors")
    parser.add_argument("--batches", required=True, help="a file of batches")
    parser.add_argument("--steps", type=int, help="by default as many as the file has")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pad", action="store_true", help="one forward pass a step")
    parser.add_argument("--save", help="folder for the trained weights")
    training.add_optimiser_options(parser)
    return parser.parse_args()


def load(args):
    """The model to train, without dropout."""
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    if args.adapter:
        model = PeftModel.from_pretrained(model, args.adapter, is_trainable=True)
        if model.peft_config["default"].lora_dropout:
            raise SystemExit("the adapter has dropout, so its curve is one of many: write it with a dropout of 0")
    return model.eval()


def losses_of_tokens(model, step, args):
    """Parts of a step's loss, each with a graph of its own: a forward pass for every sequence, or one for all."""
    counted = training.counted(step)
    for part in [step] if args.pad else [[sequence] for sequence in step]:
        yield training.loss_sum(model, *training.padded(part)) / counted


def curve(model, steps, args, losses=losses_of_tokens):
    """Trains, and gives a record of each step."""
    parameters = training.trainable(model)
    adam, schedule = training.optimiser(args, parameters, len(steps))
    records = []
    for number, step in enumerate(steps, 1):
        total = 0.0
        for loss in losses(model, step, args):
            loss.backward()
            total += loss.item()
        norm = training.clip(parameters, args.clip)
        rate = schedule.get_last_lr()[0]
        adam.step()
        schedule.step()
        adam.zero_grad(set_to_none=True)
        records.append({"step": number, "loss": total, "gradient_norm": norm, "learning_rate": rate})
    return records


def main(args):
    training.set_threads(args.threads)
    steps = training.read_steps(args.batches)
    steps = steps[: args.steps or len(steps)]
    if args.steps and len(steps) < args.steps:
        raise SystemExit(f"{args.batches} has {len(steps)} steps, not {args.steps}")
    model = load(args)
    records = curve(model, steps, args)
    if args.save:
        model.save_pretrained(args.save)
    return {"steps": records, **training.versions()}


if __name__ == "__main__":
    print(json.dumps(main(options()), indent=1))
