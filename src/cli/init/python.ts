import type { Project, StarterFile } from './project.js';

/** A handler in Python, started by the worker. */
export function pythonFiles({ slug }: Project): readonly StarterFile[] {
  return [
    { path: 'detect.py', content: handler(slug) },
    { path: 'requirements.txt', content: REQUIREMENTS },
  ];
}

export const REQUIREMENTS = `# What your model needs, such as:
# pillow
# numpy
# torch
`;

/** Python that tells the size of an image without a library. */
export const SIZE_OF = `def size_of(data):
    """Width and height of a PNG or JPEG, by its header: enough to begin with, and needs no package."""
    if data[:8] == b"\\x89PNG\\r\\n\\x1a\\n":
        return struct.unpack(">II", data[16:24])
    at = 2
    while data[:2] == b"\\xff\\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    raise ValueError("neither a PNG nor a JPEG")
`;

const handler = (
  slug: string,
): string => `"""The model behind the worker: \`antenna run\` starts this file (antenna.config.json says how) and hands it images.

Put your own model into \`detect\`. antenna_handler.py comes with the worker; \`antenna python-helper\` prints it.
"""

import struct

from antenna_handler import PermanentError, pipeline, run

LABELS = ["insect", "something else"]


${SIZE_OF}

def detect(data):
    """Stands for a model: one box in the middle, with a score for each label."""
    width, height = size_of(data)
    yield (width // 4, height // 4, width - width // 4, height - height // 4), [0.9, 0.1]


def process(image, task):
    # \`image\` is the file's bytes. With run(..., image="pil") or image="numpy" it is decoded (pip install pillow numpy).
    try:
        found = list(detect(image))
    except ValueError as error:
        # No other worker could do better: the image's task ends with this text.
        raise PermanentError(str(error)) from error
    return [{"bbox": box, "classifications": [{"scores": scores}]} for box, scores in found]


run(
    process,
    pipelines=[pipeline("${slug}", detector="${slug}-boxes", classifier="${slug}-names", labels=LABELS)],
)
`;
