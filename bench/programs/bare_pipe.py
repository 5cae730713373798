"""Reads the same bytes as a handler through a bare pipe, and answers each batch with a line. argv: bytes an image, images a batch."""

import sys

size, batch = int(sys.argv[1]), int(sys.argv[2])
stream, out = sys.stdin.buffer, sys.stdout.buffer
while True:
    # All of a batch in memory, as a model has them.
    images = [stream.read(size) for _ in range(batch)]
    if len(images[-1]) < size:
        sys.exit(0)
    del images
    out.write(b"done\n")
    out.flush()
