"""A processing service that speaks Antenna's push API, with Python's standard library alone.

    python3 service.py --port 2000
    python3 service.py --boxes photo.jpg      # what the model says of one file

Put your own model into `Model.detect`. As in most such services one request is worked on at a time, and nothing else is answered
meanwhile: the bridge knows that and never asks for two things at once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import struct
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

DETECTOR = {"name": "Hash boxes", "key": "hash_boxes"}
CLASSIFIER = {"name": "Hash moths", "key": "hash_moths"}
LABELS = ["moth", "not a moth"]

INFO = {
    "name": "Python example service",
    "description": "Boxes at places that follow from an image's bytes; no insects.",
    "pipelines": [
        {
            "name": "Python example",
            "slug": "python_example",
            "version": 1,
            "description": None,
            "algorithms": [
                {**DETECTOR, "task_type": "localization", "version": 1, "category_map": {"data": [], "labels": []}},
                {
                    **CLASSIFIER,
                    "task_type": "classification",
                    "version": 1,
                    "category_map": {
                        "data": [{"index": i, "label": label} for i, label in enumerate(LABELS)],
                        "labels": LABELS,
                    },
                },
            ],
            "stages": [],
        }
    ],
}


def image_size(data: bytes) -> tuple[int, int]:
    """Width and height of a JPEG or a PNG, from its header. Raises ValueError for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data[:2] != b"\xff\xd8":
        raise ValueError("neither a JPEG nor a PNG")
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            raise ValueError("a marker is missing")
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    raise ValueError("no frame header")


class Model:
    """Stands for a model: the same bytes always give the same boxes, and one changed byte gives others."""

    def detect(self, data: bytes) -> list[dict[str, Any]]:
        width, height = image_size(data)
        digest = hashlib.sha256(data).digest()
        found = []
        for n in range(1 + digest[0] % 5):
            x, y, size, score = digest[4 * n + 1 : 4 * n + 5]
            x1, y1 = x * (width - 64) // 256, y * (height - 64) // 256
            box = {"x1": x1, "y1": y1, "x2": x1 + 8 + size % 56, "y2": y1 + 8 + size % 56}
            found.append({"bbox": box, "scores": [score / 255, 1 - score / 255]})
        return found


def process(model: Model, request: dict[str, Any]) -> dict[str, Any]:
    """One request of `/process`. Whatever goes wrong with one image fails all of them: no service says which it was."""
    started = time.monotonic()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
    detections = []
    for image in request["source_images"]:
        with urllib.request.urlopen(image["url"], timeout=60) as answer:
            data = answer.read()
        for found in model.detect(data):
            best = max(range(len(LABELS)), key=found["scores"].__getitem__)
            detections.append(
                {
                    "source_image_id": image["id"],
                    "bbox": found["bbox"],
                    "algorithm": DETECTOR,
                    "timestamp": stamp,
                    "classifications": [
                        {
                            "classification": LABELS[best],
                            "labels": None,
                            "scores": found["scores"],
                            "logits": [],
                            "algorithm": CLASSIFIER,
                            "terminal": True,
                            "timestamp": stamp,
                        }
                    ],
                }
            )
    return {
        "pipeline": request["pipeline"],
        "algorithms": {},
        "total_time": time.monotonic() - started,
        "source_images": [{"id": image["id"], "url": image["url"]} for image in request["source_images"]],
        "detections": detections,
    }


def faults(request: Any) -> list[dict[str, Any]]:
    """What does not fit, as FastAPI would say it."""
    if not isinstance(request, dict):
        return [{"type": "model_type", "loc": ["body"], "msg": "Input should be an object"}]
    found = []
    slugs = [pipeline["slug"] for pipeline in INFO["pipelines"]]  # type: ignore[index]
    if request.get("pipeline") not in slugs:
        found.append({"type": "enum", "loc": ["body", "pipeline"], "msg": f"Input should be one of {slugs}"})
    images = request.get("source_images")
    if not isinstance(images, list) or not all(
        isinstance(image, dict) and isinstance(image.get("id"), str) and isinstance(image.get("url"), str)
        for image in images
    ):
        found.append({"type": "list_type", "loc": ["body", "source_images"], "msg": "Input should be [{id, url}]"})
    return found


class Handler(BaseHTTPRequestHandler):
    model = Model()

    def do_GET(self) -> None:
        answers: dict[str, Any] = {
            "/info": INFO,
            "/livez": {"status": True},
            "/readyz": {"status": [pipeline["slug"] for pipeline in INFO["pipelines"]]},  # type: ignore[index]
        }
        if self.path in answers:
            self.answer(200, answers[self.path])
        else:
            self.answer(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path != "/process":
            return self.answer(404, {"detail": "Not Found"})
        try:
            request = json.loads(body)
        except ValueError as error:
            return self.answer(422, {"detail": [{"type": "json_invalid", "loc": ["body"], "msg": str(error)}]})
        wrong = faults(request)
        if wrong:
            return self.answer(422, {"detail": wrong})
        try:
            result = process(self.model, request)
        except Exception as error:  # A model may raise anything; the service must not die of it.
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            return self.answer(500, f"{type(error).__name__}: {error}")
        return self.answer(200, result)

    def answer(self, status: int, body: Any) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain" if isinstance(body, str) else "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: a line a request helps nobody."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=2000)
    parser.add_argument("--boxes", metavar="FILE", help="print what the model says of a file, and end")
    options = parser.parse_args()
    if options.boxes:
        with open(options.boxes, "rb") as file:
            print(json.dumps([found["bbox"] for found in Model().detect(file.read())]))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    HTTPServer(("127.0.0.1", options.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
