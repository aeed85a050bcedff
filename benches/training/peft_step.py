#!/usr/bin/env python3
"""Times steps of PEFT's LoRA training in f32 with torch: forward, backward, clipping, AdamW.

    python benches/training/peft_step.py --model HF_FOLDER --data train.jsonl --write-batches batches.json
    python benches/training/peft_step.py --model HF_FOLDER --batches batches.json --steps 10 --threads 2

Batches come from a file (training.py says how it is written), so that another trainer can be given the same ids; or from
JSONL with the fields question and answer, each text `Question: ...\\nAnswer: ...` cut to exactly --tokens tokens (shorter
ones are left out), every token counted. A step is one forward and one backward pass over its whole batch, which is the
fastest that PEFT can do. The first step is not counted. Prints JSON.
"""

import argparse
import json
import resource
import statistics
import time

import torch
import training
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a Hugging Face folder")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--batches", help="a file of batches")
    source.add_argument("--data", help="JSONL with question and answer")
    parser.add_argument("--write-batches", help="where the batches that --data gives are written")
    parser.add_argument("--batch", type=int, default=2, help="texts of --data in a step")
    parser.add_argument("--tokens", type=int, default=160, help="tokens of each text of --data")
    parser.add_argument("--steps", type=int, default=5, help="steps that are timed, after one that is not")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--alpha", type=float, default=32)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--layers", help="comma-separated layers to adapt; by default all")
    parser.add_argument("--attention", choices=["sdpa", "eager"], default="sdpa")
    parser.add_argument("--seed", type=int, default=0, help="of the initial factors")
    training.add_optimiser_options(parser)
    return parser.parse_args()


def batches_of(args):
    """Batches of texts of the JSONL, in its order."""
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    wanted = args.batch * (args.steps + 1)
    sequences = []
    with open(args.data, encoding="utf-8") as file:
        for line in file:
            item = json.loads(line)
            ids = tokenizer(f"Question: {item['question']}\nAnswer: {item['answer']}")["input_ids"]
            if len(ids) >= args.tokens:
                sequences.append({"tokens": ids[: args.tokens], "loss": [0] + [1] * (args.tokens - 1)})
            if len(sequences) == wanted:
                break
    if len(sequences) < wanted:
        raise SystemExit(f"{args.data} has {len(sequences)} texts of {args.tokens} tokens, not {wanted}")
    steps = [sequences[at : at + args.batch] for at in range(0, wanted, args.batch)]
    if args.write_batches:
        with open(args.write_batches, "w", encoding="utf-8") as file:
            json.dump({"steps": steps}, file)
    return [[training.sequence(micro_batch) for micro_batch in step] for step in steps]


def summary(values):
    """Median and quartiles."""
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": median, "quartiles": [lower, upper], "all": values}


def main(args):
    training.set_threads(args.threads)
    steps = training.read_steps(args.batches) if args.batches else batches_of(args)
    if len(steps) < args.steps + 1:
        raise SystemExit(f"{len(steps)} steps of batches are not enough for {args.steps} and one that is not counted")
    torch.manual_seed(args.seed)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32, attn_implementation=args.attention)
    layers = [int(layer) for layer in args.layers.split(",")] if args.layers else None
    model = get_peft_model(
        model,
        LoraConfig(
            r=args.rank,
            lora_alpha=args.alpha,
            lora_dropout=args.dropout,
            target_modules=LINEARS,
            layers_to_transform=layers,
            task_type="CAUSAL_LM",
        ),
    ).train()
    parameters = training.trainable(model)
    adam, schedule = training.optimiser(args, parameters, args.steps + 1)
    wall, cpu, losses = [], [], []
    for step in steps[: args.steps + 1]:
        began, used = time.perf_counter(), time.process_time()
        batch, labels = training.padded(step)
        loss = training.loss_sum(model, batch, labels) / training.counted(step)
        loss.backward()
        if args.clip:
            training.clip(parameters, args.clip)
        adam.step()
        schedule.step()
        adam.zero_grad(set_to_none=True)
        losses.append(loss.item())
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    timed = steps[1 : args.steps + 1]
    return {
        "wall_seconds": summary(wall[1:]),
        "cpu_seconds": summary(cpu[1:]),
        "losses": losses,
        "tokens_per_step": sum(len(tokens) for step in timed for tokens, _ in step) / len(timed),
        "trainable": sum(parameter.numel() for parameter in parameters),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "threads": args.threads,
        "attention": args.attention,
        **training.versions(),
    }


if __name__ == "__main__":
    print(json.dumps(main(options()), indent=1))
