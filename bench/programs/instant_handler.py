"""Returns at once, or after the milliseconds of a model. argv: milliseconds, mode."""

import os
import sys
import time

from antenna_handler import run, run_batch

model_ms = float(sys.argv[1])


def process(image):
    began = time.monotonic()
    if model_ms > 0:
        time.sleep(model_ms / 1000)
    return {"detections": [], "pid": os.getpid(), "began": began, "ended": time.monotonic()}


if sys.argv[2] == "batch":
    run_batch(lambda images: [process(image) for image in images])
else:
    run(process)
