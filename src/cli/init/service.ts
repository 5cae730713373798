import type { Project, StarterFile } from './project.js';
import { REQUIREMENTS, SIZE_OF } from './python.js';

/** A processing service in Python, which Antenna can also push to. */
export function serviceFiles({ name, slug }: Project): readonly StarterFile[] {
  return [
    { path: 'service.py', content: SERVICE.replaceAll('{{name}}', name).replaceAll('{{slug}}', slug) },
    { path: 'requirements.txt', content: REQUIREMENTS },
  ];
}

const SERVICE = `"""A processing service that speaks Antenna's push API (GET /info, /livez, /readyz, POST /process), with Python's standard library alone.

    python3 service.py --port 2000

\`antenna run\` starts it, fetches tasks for it and posts what it answers. Put your own model into \`detect\`.
"""

import argparse
import json
import signal
import struct
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

SLUG = "{{slug}}"
LABELS = ["insect", "something else"]
DETECTOR = {"name": f"{SLUG} boxes", "key": f"{SLUG}-boxes"}
CLASSIFIER = {"name": f"{SLUG} names", "key": f"{SLUG}-names"}
CATEGORIES = {"data": [{"index": i, "label": label} for i, label in enumerate(LABELS)], "labels": LABELS}
INFO = {
    "name": "{{name}}",
    "pipelines": [
        {
            "name": SLUG,
            "slug": SLUG,
            "version": 1,
            "algorithms": [
                {**DETECTOR, "task_type": "detection", "version": 1, "category_map": None},
                {**CLASSIFIER, "task_type": "classification", "version": 1, "category_map": CATEGORIES},
            ],
            "stages": [],
        }
    ],
}


${SIZE_OF}

def detect(data):
    """Stands for a model: one box in the middle, with a score for each label."""
    width, height = size_of(data)
    box = {"x1": width // 4, "y1": height // 4, "x2": width - width // 4, "y2": height - height // 4}
    yield box, [0.9, 0.1]


def process(request):
    started = time.monotonic()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
    detections = []
    for image in request["source_images"]:
        with urllib.request.urlopen(image["url"], timeout=60) as answer:
            data = answer.read()
        for bbox, scores in detect(data):
            name = LABELS[max(range(len(LABELS)), key=scores.__getitem__)]
            classification = {"classification": name, "scores": scores, "logits": [], "algorithm": CLASSIFIER}
            detections.append(
                {
                    "source_image_id": image["id"],
                    "bbox": bbox,
                    "algorithm": DETECTOR,
                    "timestamp": stamp,
                    "classifications": [{**classification, "terminal": True, "timestamp": stamp}],
                }
            )
    return {
        "pipeline": request["pipeline"],
        "total_time": time.monotonic() - started,
        "source_images": request["source_images"],
        "detections": detections,
    }


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        answers = {"/info": INFO, "/livez": {"status": True}, "/readyz": {"status": [SLUG]}}
        self.answer(200 if self.path in answers else 404, answers.get(self.path, {"detail": "Not Found"}))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path != "/process":
            return self.answer(404, {"detail": "Not Found"})
        try:
            self.answer(200, process(json.loads(body)))
        except Exception as error:  # A model may raise anything; the service must not die of it.
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            self.answer(500, {"detail": f"{type(error).__name__}: {error}"})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *args):
        """Says nothing: a line a request helps nobody."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=2000)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    HTTPServer(("127.0.0.1", parser.parse_args().port), Handler).serve_forever()
`;
