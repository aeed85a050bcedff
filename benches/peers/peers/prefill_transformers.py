"""Child: the time of one forward pass of transformers over a prompt.

Use: python prefill_transformers.py JOB.json OUT.json
"""

import json
import os
import sys
import time

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


def main(job):
    """Seconds of each pass, after one that is not counted."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(job["threads"])
    torch.set_num_interop_threads(1)
    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=getattr(torch, job["dtype"])).eval()
    ids = torch.randint(0, model.config.vocab_size, (1, job["tokens"]), generator=torch.Generator().manual_seed(1))
    seconds, cpu = [], []
    with torch.inference_mode():
        for _ in range(job["passes"] + 1):
            began, used = time.perf_counter(), time.process_time()
            # Logits of the last token only: what generation asks of a prompt.
            model(input_ids=ids, use_cache=True, logits_to_keep=1)
            seconds.append(time.perf_counter() - began)
            cpu.append(time.process_time() - used)
    return {"seconds": seconds[1:], "cpu": cpu[1:]}


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(main(job), file)
