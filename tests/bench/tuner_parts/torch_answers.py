"""Goes on from a prompt with transformers, greedily. A task file names the model, the prompt and the rest."""

import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        task = json.load(file)
    torch.set_num_threads(task["threads"])
    model = AutoModelForCausalLM.from_pretrained(task["model"], dtype=torch.float32).eval()
    # Like the others, it goes on whether or not the model would end.
    model.generation_config.eos_token_id = None
    prompt = torch.tensor([task["prompt"]])
    seconds = []
    for _ in range(task["times"] + 1):
        began = time.perf_counter()
        with torch.no_grad():
            found = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=task["count"],
                do_sample=False,
                pad_token_id=0,
            )
        seconds.append(time.perf_counter() - began)
    # The first one fills caches.
    print(json.dumps({"tokens": found[0, prompt.shape[1] :].tolist(), "seconds": min(seconds[1:])}))


main()
