"""The detector under a worker. Needs numpy and Pillow: ``pip install numpy pillow``."""

from antenna_handler import pipeline, run

from detector import detect


def process(image, task):
    detections = []
    for box, score in detect(image):
        # One class: its score comes first, the rest is for everything else. Numbers of numpy are fine as they are.
        detections.append({"bbox": box, "classifications": [{"scores": (score, 1 - score)}]})
    task.log(f"{len(detections)} spots on image {task.id}")
    return detections


run(
    process,
    image="numpy",
    pipelines=[
        pipeline(
            "numpy-spots",
            name="Spots by numpy",
            detector="numpy-spots-boxes",
            classifier="numpy-spots-classes",
            labels=["insect", "not an insect"],
        )
    ],
)
