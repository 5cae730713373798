"""The model of a chaos run's worker, in a child that is killed, hangs and runs out of memory. It writes each image down before and after."""

import os
import random
import sys
import time

from antenna_handler import run_batch

journal = os.open(os.environ["CHAOS_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
model_ms = float(os.environ["CHAOS_MODEL_MS"])
draw = random.Random(f"{os.environ['CHAOS_SEED']} {os.getpid()}").random


def note(what, tasks):
    lines = [f"{what} {task.id} {os.getpid()} {int(time.time() * 1000)}\n" for task in tasks]
    os.write(journal, "".join(lines).encode())


def fault(name):
    print(f"fault: {name}", file=sys.stderr, flush=True)


def process(images, tasks):
    note("s", tasks)
    if draw() < 0.02:
        fault("killed")
        os.kill(os.getpid(), 9)
    # What goes wrong with one image alone is that image's fault, and final: a call that hangs, or has no memory, is one of several.
    if len(images) > 1 and draw() < 0.02:
        fault("hangs")
        time.sleep(3600)
    if len(images) > 5 or (len(images) > 1 and draw() < 0.04):
        fault("out of memory")
        raise MemoryError(f"no room for {len(images)} images")
    time.sleep(model_ms / 1000)
    note("e", tasks)
    return [[{"bbox": [1, 1, 9, 9]}] for _ in images]


run_batch(process, batch_size=8)
