"""Run a Python model under a worker of antenna-sdk. One file, Python 3.9 or newer, nothing else needed.

    from antenna_handler import pipeline, run

    def process(image, task):                  # bytes, or a PIL image or numpy array when asked for
        return [{"bbox": [10, 20, 110, 220]}]  # what was found, in pixels of the image

    run(process, pipelines=[pipeline("my-moths", detector="my-boxes")], image="pil")

The worker (`antenna-sdk`, a Node program) reserves tasks, downloads images, posts results, retries and stops cleanly; this file only
answers it. Everything printed goes to the worker's log. The protocol is described in `docs/handlers-outside-node.md` of the package.
"""

from __future__ import annotations

import atexit
import inspect
import io
import json
import math
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional
from urllib.parse import urlsplit

__all__ = [
    "OutOfMemory",
    "PermanentError",
    "ProtocolError",
    "RetryableError",
    "Task",
    "attach",
    "pipeline",
    "run",
    "run_batch",
]

_FRAME = struct.Struct(">4sII")
# Made once: json.dumps() with options makes an encoder for every call.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_decode = json.JSONDecoder().decode

_WINDOWS = os.name == "nt"
PROTOCOL = 1
SOFTWARE = "antenna_handler.py/0.2.0"
MAGIC = b"ANTH"
#: Longest header that is read, in bytes.
MAX_HEADER = 64 * 1024 * 1024
#: How many lines of a traceback go with an error.
TRACEBACK_LINES = 12
#: Class names (of any library) that say that memory did not suffice, so that none of them needs importing.
_MEMORY_CLASSES = {"MemoryError", "OutOfMemoryError", "ResourceExhaustedError", "OutOfMemory"}
_MEMORY_TEXTS = ("cuda out of memory", "cudnn_status_alloc_failed", "cublas_status_alloc_failed", "mps backend out of memory")


class PermanentError(Exception):
    """Raise it when an image can never be processed: its task ends with this text, which is public on public projects."""


class RetryableError(Exception):
    """Raise it when another try later, perhaps elsewhere, may go well: the task is given out again."""


class OutOfMemory(Exception):
    """Raise it when memory did not suffice for this batch: the same images come again in smaller ones."""


class ProtocolError(Exception):
    """The other side said what does not fit; the message has its words or ours."""


class Task:
    """What is known of an image beside its pixels."""

    __slots__ = ("id", "url", "content_type", "job_id", "bytes", "detections", "config", "pipeline", "_call")

    def __init__(self, header: Mapping[str, Any], data: bytes, call: _Call) -> None:
        #: Id of the capture, as text.
        self.id: str = header["id"]
        #: Where it came from, without the query of the URL.
        self.url: str = header.get("url", "")
        #: As the image's server said, such as ``image/jpeg``; None if it did not.
        self.content_type: Optional[str] = header.get("content_type")
        self.job_id: Optional[int] = header.get("job_id")
        #: The file as it was downloaded.
        self.bytes: bytes = data
        #: Boxes that the server has already, if it sent some.
        self.detections: list[Any] = header.get("detections") or []
        #: The job's configuration; ``{}`` on most servers.
        self.config: dict[str, Any] = call.config
        #: Slug of the pipeline that the job asks for; None if the worker does not say.
        self.pipeline: Optional[str] = call.pipeline
        self._call = call

    @property
    def cancelled(self) -> bool:
        """True once nobody wants the result any more: stop early, the process is ended if you do not."""
        return self._call.cancelled

    @property
    def stopping(self) -> bool:
        """True once the worker stops: finish what is in hand, and start nothing long."""
        return self._call.stopping.is_set()

    def remaining(self) -> float:
        """Seconds until the server gives the task to somebody else; later is allowed, and usually double work."""
        return max(0.0, self._call.deadline - time.monotonic())

    def log(self, message: str, level: str = "info") -> None:
        """Write to the worker's log. Levels: debug, info, warn, error."""
        self._call.wire.send({"type": "log", "level": level, "message": str(message)})

    def progress(self, done: float, of: Optional[float] = None, message: Optional[str] = None) -> None:
        """Say how far it is; the worker logs it at debug."""
        said: dict[str, Any] = {"type": "progress", "done": done}
        if of is not None:
            said["of"] = of
        if message is not None:
            said["message"] = message
        self._call.wire.send(said)


def pipeline(
    slug: str,
    *,
    detector: str,
    name: Optional[str] = None,
    version: int = 1,
    classifier: Optional[str] = None,
    labels: Sequence[str] = (),
    description: Optional[str] = None,
) -> dict[str, Any]:
    """Describe a pipeline with one detector and at most one classifier, as it is registered with Antenna.

    ``labels`` are the classifier's, in the order of its scores. Write the dictionary yourself for anything else: it is sent as it is.
    """
    algorithms: list[dict[str, Any]] = [{"key": detector, "name": detector, "task_type": "detection"}]
    if classifier is not None:
        data = [{"index": index, "label": label} for index, label in enumerate(labels)]
        algorithms.append(
            {
                "key": classifier,
                "name": classifier,
                "task_type": "classification",
                "category_map": {"data": data, "labels": list(labels)},
            }
        )
    described: dict[str, Any] = {"slug": slug, "name": name or slug, "version": version, "algorithms": algorithms}
    if description is not None:
        described["description"] = description
    return described


def run(
    process: Callable[..., Any],
    *,
    pipelines: Sequence[Mapping[str, Any]] = (),
    image: str = "bytes",
    warm_up: Optional[Callable[[], Any]] = None,
) -> None:
    """Answer the worker that started this process, one image a call, until it says goodbye.

    process: ``process(image)`` or ``process(image, task)``; returns ``{"detections": [...]}`` or the list alone. A ``bbox`` may be a
        dictionary or four numbers x1, y1, x2, y2; numpy and torch values are fine. What it raises is the error of this image.
    pipelines: what the model can do; see :func:`pipeline`. The worker may be given them instead.
    image: ``"bytes"``, ``"pil"`` (RGB) or ``"numpy"`` (height, width, 3; uint8).
    warm_up: called once before the first image; may return the milliseconds that one image takes.
    """
    _serve_parent(_Handler(process, image, False), _ready("image", pipelines, None), warm_up)


def run_batch(
    process: Callable[..., Any],
    *,
    pipelines: Sequence[Mapping[str, Any]] = (),
    image: str = "bytes",
    batch_size: Optional[int] = None,
    warm_up: Optional[Callable[[], Any]] = None,
) -> None:
    """As :func:`run`, with several images a call: ``process(images)`` or ``process(images, tasks)``.

    It returns one result a given image in their order, or a dictionary by image id; a result may be an exception. ``batch_size`` is how
    many images a call takes at most (the worker's default without it is 8). When it raises, the worker tries halves, then single images.
    """
    _serve_parent(_Handler(process, image, True), _ready("batch", pipelines, batch_size), warm_up)


def attach(
    process: Callable[..., Any],
    to: Optional[str] = None,
    *,
    token: Optional[str] = None,
    pipelines: Sequence[Mapping[str, Any]] = (),
    image: str = "bytes",
    batch: bool = False,
    batch_size: Optional[int] = None,
    wait: float = math.inf,
) -> None:
    """Work for a worker that waits for a handler, from a notebook for example, until it is interrupted or the worker ends.

    to: path of the worker's socket, or ``tcp://127.0.0.1:PORT``; default: the variable ``ANTENNA_ATTACH``.
    token: for tcp; default: the variable ``ANTENNA_ATTACH_TOKEN``.
    batch: the function takes lists, as with :func:`run_batch`.
    wait: seconds to look for the worker before giving up with ConnectionError; default: for ever.

    Raises ProtocolError when the worker refuses this handler: a wrong token, another version.

    Run the cell again to replace the function. Interrupt it to take the model away: the images in hand go back to the worker, which
    keeps them for the next ``attach``.
    """
    address = to or os.environ.get("ANTENNA_ATTACH")
    if not address:
        raise ValueError("say where the worker waits: attach(process, '/path/of/its.sock')")
    handler = _Handler(process, image, batch)
    ready = _ready("batch" if batch else "image", pipelines, batch_size)
    secret = token or os.environ.get("ANTENNA_ATTACH_TOKEN")
    give_up = time.monotonic() + wait
    try:
        while True:
            try:
                connection = _connect(address)
            except OSError as error:
                if time.monotonic() >= give_up:
                    raise ConnectionError(f"no worker waits at {address}: {error}") from error
                time.sleep(0.2)
                continue
            with connection:
                ended = _serve_socket(connection, handler, ready, secret)
            if ended is not None:
                print(f"antenna: detached: {ended}", file=sys.stderr)
                return
            # The worker is gone without a word, or was restarted.
            give_up = time.monotonic() + wait
    except KeyboardInterrupt:
        print("antenna: interrupted; the worker keeps the images for the next attach()", file=sys.stderr)


# What follows is not for callers.


def _ready(mode: str, pipelines: Sequence[Mapping[str, Any]], batch_size: Optional[int]) -> dict[str, Any]:
    ready: dict[str, Any] = {"type": "ready", "mode": mode, "pipelines": [dict(one) for one in pipelines], "ahead": 1}
    if batch_size is not None:
        ready["batch_size"] = batch_size
    return ready


class _Call:
    """A batch in hand."""

    def __init__(self, header: Mapping[str, Any], wire: _Wire, stopping: threading.Event) -> None:
        self.number: int = header["call"]
        self.config: dict[str, Any] = header.get("config") or {}
        self.pipeline: Optional[str] = header.get("pipeline")
        remaining = header.get("deadline_ms")
        self.deadline = math.inf if remaining is None else time.monotonic() + remaining / 1000
        self.wire = wire
        #: Written by one thread and read by another: a plain attribute does, and costs a tenth of an Event.
        self.cancelled = False
        self.stopping = stopping


class _Interrupts:
    """An interrupt in the middle of a message would cut it, and the goodbye with it: it waits until the message is written. A second one
    does not wait."""

    def __init__(self) -> None:
        self.held = False
        self.pending = False

    def __call__(self, *_: Any) -> None:
        if not self.held or self.pending:
            raise KeyboardInterrupt
        self.pending = True

    def __enter__(self) -> None:
        self.held = True

    def __exit__(self, *_: Any) -> None:
        self.held = False
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt


class _Wire:
    """Frames over a descriptor or socket: ``ANTH``, two lengths, a header of JSON, a payload."""

    def __init__(self, raw: Any, write: Callable[[memoryview], int], is_socket: bool = False) -> None:
        # A buffer of one byte: what is read goes straight into the object that the handler gets, and nothing is read ahead of it, so
        # that select() tells the truth about what is left.
        self._reader = io.BufferedReader(raw, 1)
        self.fileno: int = raw.fileno()
        self.is_socket = is_socket
        self._write = write
        self._lock = threading.Lock()
        self.broken = False
        #: In a notebook's own thread.
        self.interrupts: Optional[_Interrupts] = None

    def send(self, *headers: Mapping[str, Any]) -> None:
        """Write messages whole and at once; a second thread waits."""
        if self.interrupts is not None and threading.current_thread() is threading.main_thread():
            with self.interrupts:
                self._send(headers)
        else:
            self._send(headers)

    def _send(self, headers: Sequence[Mapping[str, Any]]) -> None:
        frames = bytearray()
        for header in headers:
            text = _encode(header).encode()
            frames += _FRAME.pack(MAGIC, len(text), 0)
            frames += text
        rest = memoryview(frames)
        with self._lock:
            if self.broken:
                return
            done = False
            try:
                while rest:
                    rest = rest[self._write(rest) :]
                done = True
            finally:
                # A frame that was cut by an interrupt must be the last.
                self.broken = self.broken or not done

    def read(self) -> Optional[tuple[dict[str, Any], list[bytes]]]:
        """One message and the bytes of its images; None at the end."""
        prefix = self._reader.read(12)
        if len(prefix) < 12:
            return None
        magic, length, payload = _FRAME.unpack(prefix)
        if magic != MAGIC or length > MAX_HEADER:
            raise ProtocolError(f"the worker sent {prefix!r} where a message should begin")
        text = self._reader.read(length)
        if len(text) < length:
            return None
        header = _decode(text.decode())
        sizes = [image["bytes"] for image in header.get("images", ())]
        if sum(sizes) != payload:
            raise ProtocolError(f"the worker announced {payload} bytes for images of {sum(sizes)} bytes")
        images = []
        for size in sizes:
            data = self._reader.read(size)
            if len(data) < size:
                return None
            images.append(data)
        return header, images


class _Handler:
    """A function of the user's, and how it wants its images."""

    def __init__(self, function: Callable[..., Any], image: str, batch: bool) -> None:
        if image not in ("bytes", "pil", "numpy"):
            raise ValueError(f"image must be 'bytes', 'pil' or 'numpy', not {image!r}")
        if image != "bytes":
            _decoder(image)  # A library that is missing must show now, not as the error of an image.
        self.image = image
        self.batch = batch
        self.wants_task = _positional(function) != 1
        self.function = function

    def answer(self, tasks: Sequence[Task], send: Callable[[dict[str, Any]], None]) -> None:
        """Send an answer for every task. Raises what a batch function raises."""
        given, images = [], []
        for task in tasks:
            try:
                images.append(task.bytes if self.image == "bytes" else _decoder(self.image)(task.bytes))
                given.append(task)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this image's.
                send({"id": task.id, "error": _fault(error, None if _is_memory(error) else "permanent")})
        if not self.batch:
            for task, image in zip(given, images):
                try:
                    output = self.function(image, task) if self.wants_task else self.function(image)
                except Exception as error:  # noqa: BLE001
                    send({"id": task.id, "error": _fault(error)})
                else:
                    send({"id": task.id, **_outcome(output)})
        elif given:
            outputs = self.function(images, given) if self.wants_task else self.function(images)
            for task, output in zip(given, _in_order(outputs, given)):
                send({"id": task.id, **_outcome(output)})


class _Missing:
    pass


def _in_order(outputs: Any, tasks: Sequence[Task]) -> list[Any]:
    if isinstance(outputs, Mapping):
        return [outputs.get(task.id, _Missing) for task in tasks]
    listed = list(outputs) if outputs is not None else []
    if len(listed) != len(tasks):
        # Guessing which one is missing would give one image the insects of another.
        raise ValueError(f"{len(tasks)} images were given and {len(listed)} results returned")
    return listed


def _outcome(output: Any) -> dict[str, Any]:
    if isinstance(output, BaseException):
        return {"error": _fault(output)}
    try:
        if output is _Missing or output is None:
            raise TypeError("the handler returned nothing for this image; an empty list says that it holds no insects")
        if type(output) is not dict and not isinstance(output, Mapping):
            output = {"detections": output}
        result = _plain(output, "result")
        for detection in result.get("detections", []):
            box = detection.get("bbox") if isinstance(detection, dict) else None
            if isinstance(box, list):
                if len(box) != 4:
                    raise ValueError(f"a bbox needs four numbers x1, y1, x2, y2, not {len(box)}")
                detection["bbox"] = dict(zip(("x1", "y1", "x2", "y2"), box))
        return {"result": result}
    except Exception as error:  # noqa: BLE001
        return {"error": _fault(error, "permanent")}


def _plain(value: Any, path: str) -> Any:
    """Values of Python, numpy and torch as JSON has them; raises with the path of what has no such form."""
    kind = type(value)
    # The usual ones by their exact type, which is the cheapest question.
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is dict:
        return {str(key): _plain(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{path} is {value}")
        return float(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return _plain(dict(value), path)
    # numpy and torch, scalars and arrays, without importing either.
    to_list = getattr(value, "tolist", None)
    if callable(to_list):
        return _plain(to_list(), path)
    raise TypeError(f"{path} is of type {kind.__name__}, which cannot be sent")


def _positional(function: Callable[..., Any]) -> int:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return 2
    return sum(one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) and one.default is one.empty for one in parameters)


def _decoder(image: str) -> Callable[[bytes], Any]:
    from PIL import Image

    def pil(data: bytes) -> Any:
        return Image.open(io.BytesIO(data)).convert("RGB")

    if image == "pil":
        return pil
    import numpy

    return lambda data: numpy.asarray(pil(data))


def _is_memory(error: BaseException) -> bool:
    if any(one.__name__ in _MEMORY_CLASSES for one in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _MEMORY_TEXTS)


def _fault(error: BaseException, kind: Optional[str] = None) -> dict[str, Any]:
    if kind is None:
        kind = "error"
        if _is_memory(error):
            kind = "out_of_memory"
            _free_memory()
        elif isinstance(error, PermanentError):
            kind = "permanent"
        elif isinstance(error, RetryableError):
            kind = "retryable"
    lines = "".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip().splitlines()
    return {
        "kind": kind,
        "name": type(error).__name__,
        "message": str(error) or type(error).__name__,
        "where": "\n".join(lines[-TRACEBACK_LINES:]),
    }


def _free_memory() -> None:
    """What torch keeps for itself would make the smaller batch fail as well."""
    torch = sys.modules.get("torch")
    try:
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()
    except Exception:  # noqa: BLE001 - a device that is broken says so again at the next batch.
        pass


_statm: Optional[int] = None
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def _rss_bytes() -> int:
    global _statm
    try:
        # Kept open: opening it would be a tenth of what a small call costs.
        if _statm is None:
            _statm = os.open("/proc/self/statm", os.O_RDONLY)
        return int(os.pread(_statm, 128, 0).split(None, 2)[1]) * _PAGE
    except (OSError, ValueError, IndexError, AttributeError):
        pass
    try:
        import resource

        # The largest it has been: elsewhere than on Linux there is no better figure without a library.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return int(peak if sys.platform == "darwin" else peak * 1024)
    except (ImportError, OSError):
        return 0


#: How often a thread looks for a cancel, for the end of the worker and for the next call while a call runs, in seconds: an eighth of what
#: calls take, within these. Calls that are over sooner than it looks find the next one in the stream.
_WATCH = 0.1
_WATCH_OFTEN = 0.002
#: Calls that are read before their turn, at most: one that is sent ahead, and one that follows before this side has written down that
#: it is done.
_MAX_AHEAD = 2


class _Session:
    """One conversation with a worker. The caller's thread computes, answers, and reads the next call unless a second thread has. That one
    looks from time to time while a call runs: nothing is paid for waking it, and a long call has its successor in memory when it ends."""

    def __init__(self, wire: _Wire, handler: _Handler, on_lost: Callable[[], None]) -> None:
        self.wire = wire
        self.handler = handler
        self.stopping = threading.Event()
        #: Why the worker ended it; None while it has not, or went without a word.
        self.goodbye: Optional[str] = None
        #: True once the worker has taken this handler.
        self.welcome = False
        #: True once this side wants to end.
        self.ending = False
        self._on_lost = on_lost
        #: Number of the last call that was begun.
        self.last_call = 0
        self._current: Optional[_Call] = None
        self._ahead: deque[tuple[_Call, list[Task]]] = deque()
        self._reading = threading.Lock()
        self._over = False
        self._pause = _WATCH
        # select() knows sockets alone on Windows; over a pipe the worker's kill is the only cancel of a call there.
        self._selects = not _WINDOWS or wire.is_socket
        self._wakes = not _WINDOWS
        self._wake_in, self._wake_out = os.pipe()

    def stop(self) -> None:
        """End after the batch in hand. May be called by a signal's handler."""
        self.ending = True
        os.write(self._wake_out, b"x")

    def serve(self) -> None:
        """Answer until the end."""
        if self._selects:
            threading.Thread(target=self._watch, name="antenna-watch", daemon=True).start()
        try:
            while not self.ending and self.goodbye is None:
                call = self._begin()
                if call is None:
                    if self._selects:
                        if self._wakes:
                            ready, _, _ = select.select([self.wire.fileno, self._wake_in], [], [])
                        else:
                            # Windows interrupts no wait, so an interrupted cell is noticed between two.
                            ready, _, _ = select.select([self.wire.fileno], [], [], _WATCH)
                        if self._wake_in in ready or not ready:
                            continue
                    with self._reading:
                        self._next()
                    continue
                self._answer(*call)
                # Or these images would be in memory together with the next two batches.
                del call
        finally:
            self._over = True
            for fd in (self._wake_in, self._wake_out):
                os.close(fd)

    def _begin(self) -> Optional[tuple[_Call, list[Task]]]:
        """Takes the next call, if it has been read."""
        # Whoever is in the middle of reading it is waited for.
        with self._reading:
            while self._ahead:
                call, tasks = self._ahead.popleft()
                if not call.cancelled:
                    self._current = call
                    self.last_call = call.number
                    return call, tasks
                # Nobody waits for it any more, and the worker for its end.
                error = {"kind": "retryable", "name": "Cancelled", "message": "cancelled before its turn"}
                self.wire.send({"type": "done", "call": call.number, "error": error})
            self._current = None
            return None

    def _next(self) -> None:
        """Reads one message."""
        try:
            message = self.wire.read()
            if message is not None:
                self._on_message(*message)
                return
        except ProtocolError as error:
            self._refuse(str(error))
            return
        except (ValueError, KeyError, TypeError) as error:
            self._refuse(f"a message could not be read: {error!r}")
            return
        except OSError:
            pass
        self.ending = True
        self._on_lost()

    def _refuse(self, reason: str) -> None:
        self.goodbye = reason
        try:
            self.wire.send({"type": "bye", "reason": reason})
        except OSError:
            pass

    def _watch(self) -> None:
        idle = 0
        while not self._over:
            # Between two calls it is idle too: that says nothing about the next.
            time.sleep(self._pause if idle < 8 else _WATCH)
            with self._reading:
                idle += 1
                while self._current is not None and self.goodbye is None and not self._over and not self.ending:
                    idle = 0
                    try:
                        if not select.select([self.wire.fileno], [], [], 0)[0]:
                            break
                    except OSError:
                        # Closed by an interrupted attach().
                        return
                    self._next()

    def _answer(self, call: _Call, tasks: Sequence[Task]) -> None:
        answers: list[dict[str, Any]] = []

        def keep(answer: dict[str, Any]) -> None:
            answers.append({"type": "answer", "call": call.number, **answer})

        done: dict[str, Any] = {"type": "done", "call": call.number}
        began = time.monotonic()
        try:
            self.handler.answer(tasks, keep)
        except Exception as error:  # noqa: BLE001 - of a batch as a whole.
            answers.clear()
            done["error"] = _fault(error)
        done["rss_bytes"] = _rss_bytes()
        took = time.monotonic() - began
        # Shorter calls have their successor in the stream, where it waits as well.
        self._pause = min(_WATCH, max(_WATCH_OFTEN, took / 8)) if took > 4 * _WATCH_OFTEN else _WATCH
        # In one piece: each one alone would wake the worker.
        self.wire.send(*answers, done)

    def _on_message(self, header: Mapping[str, Any], images: Sequence[bytes]) -> None:
        kind = header.get("type")
        if kind == "welcome":
            if header.get("protocol") != PROTOCOL:
                raise ProtocolError(f"the worker speaks version {header.get('protocol')}, this file version {PROTOCOL}")
            self.welcome = True
        elif kind == "process":
            if len(self._ahead) >= _MAX_AHEAD:
                raise ProtocolError(f"call {header.get('call')} came while {_MAX_AHEAD} wait; one may be sent ahead")
            call = _Call(header, self.wire, self.stopping)
            self._ahead.append((call, [Task(one, data, call) for one, data in zip(header["images"], images)]))
        elif kind == "cancel":
            for call in (self._current, *(call for call, _ in self._ahead)):
                if call is not None and call.number == header.get("call"):
                    call.cancelled = True
        elif kind == "stopping":
            self.stopping.set()
        elif kind == "bye":
            self.goodbye = str(header.get("reason", ""))
        else:
            raise ProtocolError(f"a message of type {kind!r} is not known here")


#: Where messages go once standard output was moved away, and where they come from.
_parent: Optional[tuple[int, int]] = None


def _take_streams() -> tuple[int, int]:
    """Keep the worker's streams for messages alone: from here on, what anybody prints goes to standard error."""
    global _parent
    if _parent is None:
        out = os.dup(1)
        os.dup2(2, 1)
        inp = os.dup(0)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        for fd in (inp, out):
            os.set_inheritable(fd, False)
        # What was printed already and not written yet goes where the rest will go.
        sys.stdout.flush()
        _parent = (inp, out)
    return _parent


# At import, so that a library imported after this file may print; what came before is skipped by the worker.
if os.environ.get("ANTENNA_HANDLER") and __name__ != "__main__":
    _take_streams()


def _serve_parent(handler: _Handler, ready: dict[str, Any], warm_up: Optional[Callable[[], Any]]) -> None:
    if not os.environ.get("ANTENNA_HANDLER"):
        raise RuntimeError(
            "run() answers a worker that started this process, and none has: give this file to the worker, "
            "for example new CommandExecutor({ command: 'python3', args: ['model.py'] }), or use attach()"
        )
    # A data loader of the model inherits the variable, and must not take its own streams for the worker's.
    del os.environ["ANTENNA_HANDLER"]
    inp, out = _take_streams()
    wire = _Wire(io.FileIO(inp, "rb"), lambda frame: os.write(out, frame))
    wire.send({"type": "hello", "protocol": PROTOCOL, "software": SOFTWARE})
    session = _Session(wire, handler, _end_without_parent)
    _on_signals(session)
    started = time.monotonic()
    image_ms = warm_up() if warm_up is not None else None
    ready["warm_up_ms"] = round((time.monotonic() - started) * 1000, 1)
    if isinstance(image_ms, (int, float)) and not isinstance(image_ms, bool) and 0 < image_ms < math.inf:
        ready["image_ms"] = float(image_ms)
    try:
        wire.send(ready)
        session.serve()
        wire.send({"type": "bye", "reason": session.goodbye or "told to end by a signal", "last_call": session.last_call})
    except OSError:
        # The worker is gone, and with it whoever wanted the answer.
        sys.exit(1)


def _end_without_parent() -> None:
    """Without a worker nobody wants the result, and nobody else would end this process and what it started."""
    if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def _on_signals(session: _Session) -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: session.stop())


def _connect(address: str) -> socket.socket:
    url = urlsplit(address)
    if url.scheme == "tcp":
        return socket.create_connection((url.hostname or "127.0.0.1", url.port or 0))
    if not hasattr(socket, "AF_UNIX"):
        raise ValueError(f"no socket has a path here: give tcp://127.0.0.1:PORT and the token of the worker, not {address!r}")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(url.path if url.scheme == "unix" else address)
    except OSError:
        connection.close()
        raise
    return connection


def _serve_socket(
    connection: socket.socket, handler: _Handler, ready: dict[str, Any], token: Optional[str]
) -> Optional[str]:
    """Serve one connection. Returns why the worker ended it, or None when it was lost."""
    wire = _Wire(connection.makefile("rb", buffering=0), connection.send, is_socket=True)

    def say_bye(reason: str) -> None:
        try:
            wire.send({"type": "bye", "reason": reason})
        except OSError:
            pass

    def at_exit() -> None:
        say_bye("the program of the handler ends")

    hello = {"type": "hello", "protocol": PROTOCOL, "software": SOFTWARE}
    if token:
        hello["token"] = token
    atexit.register(at_exit)
    before = None
    if threading.current_thread() is threading.main_thread():
        wire.interrupts = _Interrupts()
        before = signal.signal(signal.SIGINT, wire.interrupts)
    try:
        wire.send(hello)
        session = _Session(wire, handler, lambda: None)
        wire.send(ready)
        try:
            session.serve()
        except KeyboardInterrupt:
            say_bye("interrupted")
            raise
        if session.goodbye is not None and not session.welcome:
            raise ProtocolError(session.goodbye)
        return session.goodbye
    except OSError:
        return None
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
        atexit.unregister(at_exit)
        wire.broken = True
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
