"""Goes on from a prompt with llama.cpp, greedily, through its own functions: what llama-cpp-python puts around each token
would cost more than the bundled model does. A task file names the model, the prompt and the rest."""

import ctypes
import json
import sys
import time

import llama_cpp as llama


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        task = json.load(file)
    llama.llama_backend_init()
    model = llama.llama_model_load_from_file(task["model"].encode(), llama.llama_model_default_params())
    settings = llama.llama_context_default_params()
    settings.n_ctx = len(task["prompt"]) + task["count"]
    settings.n_threads = settings.n_threads_batch = task["threads"]
    context = llama.llama_init_from_model(model, settings)
    sampler = llama.llama_sampler_init_greedy()
    seconds = []
    for _ in range(task["times"] + 1):
        began = time.perf_counter()
        tokens = answer(context, sampler, task["prompt"], task["count"])
        seconds.append(time.perf_counter() - began)
    # The first one wakes threads and fills caches.
    print(json.dumps({"tokens": tokens, "seconds": min(seconds[1:])}))


def answer(context, sampler, prompt, count):
    llama.llama_memory_clear(llama.llama_get_memory(context), True)
    unread = (llama.llama_token * len(prompt))(*prompt)
    one = (llama.llama_token * 1)()
    tokens = []
    while len(tokens) < count:
        if llama.llama_decode(context, llama.llama_batch_get_one(unread, len(unread))) != 0:
            sys.exit("llama.cpp could not read the tokens")
        one[0] = llama.llama_sampler_sample(sampler, context, ctypes.c_int32(-1))
        tokens.append(one[0])
        unread = one
    return tokens


main()
