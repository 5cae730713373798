"""Gets every image as an array of numpy, and finds nothing."""

import os
import sys

from antenna_handler import pipeline, run_batch

print("pid", os.getpid(), file=sys.stderr, flush=True)
run_batch(
    lambda images: [[] for _ in images],
    image="numpy",
    batch_size=16,
    pipelines=[pipeline("bench", detector="bench-box")],
)
