"""A torchvision detector in batches, on a graphics card if there is one. Needs torch, torchvision and Pillow.

The weights are read from the path in WEIGHTS; without it the network has random ones, which find nothing sensible and show all the rest.
"""

import os
import time

import torch
from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_fpn
from torchvision.transforms.functional import pil_to_tensor

from antenna_handler import pipeline, run_batch

# With several processes CUDA_VISIBLE_DEVICES is set for each of them, so the card is always the first that is seen.
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
model = fasterrcnn_mobilenet_v3_large_fpn(weights=None, weights_backbone=None, num_classes=2)
if os.environ.get("WEIGHTS"):
    model.load_state_dict(torch.load(os.environ["WEIGHTS"], map_location="cpu", weights_only=True))
model.to(device).eval()


@torch.inference_mode()
def process(images, tasks):
    tensors = [(pil_to_tensor(image).float() / 255).to(device) for image in images]
    # Out of memory here is told to the worker by the name of its class: the same images come again in halves.
    outputs = model(tensors)
    results = []
    for output in outputs:
        results.append(
            [
                {"bbox": box, "classifications": [{"scores": [score, 1 - score]}]}
                for box, score in zip(output["boxes"], output["scores"])
                if score > 0.5
            ]
        )
    return results


def warm_up():
    """The first call compiles kernels and finds algorithms; no task should wait for that."""
    size = (3, 1080, 1920)
    with torch.inference_mode():
        model([torch.zeros(size, device=device)])
        started = time.monotonic()
        model([torch.zeros(size, device=device)])
    return (time.monotonic() - started) * 1000


run_batch(
    process,
    image="pil",
    batch_size=8,
    warm_up=warm_up,
    pipelines=[
        pipeline(
            "torch-insects",
            name="Insects by Faster R-CNN",
            detector="torch-insects-boxes",
            classifier="torch-insects-classes",
            labels=["insect", "not an insect"],
        )
    ],
)
