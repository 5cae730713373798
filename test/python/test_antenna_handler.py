"""Promises of antenna_handler.py. Run by pytest or by ``python3 -m unittest``; needs neither numpy nor Pillow, and uses them if there."""

import json
import math
import os
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

FOLDER = Path(__file__).resolve().parents[2] / "python"
sys.path.insert(0, str(FOLDER))

import antenna_handler as helper  # noqa: E402

try:
    import numpy
except ImportError:
    numpy = None
try:
    from PIL import Image
except ImportError:
    Image = None


def frame(header, payload=b""):
    text = json.dumps(header).encode()
    return b"ANTH" + struct.pack(">II", len(text), len(payload)) + text + payload


def read_frame(stream):
    prefix = stream.read(12)
    if len(prefix) < 12:
        return None
    length, _ = struct.unpack(">II", prefix[4:])
    assert prefix[:4] == b"ANTH", prefix
    return json.loads(stream.read(length))


class Child:
    """A script that runs under this test as under a worker."""

    def __init__(self, code, own_group=True):
        self.printed = b""
        env = {**os.environ, "ANTENNA_HANDLER": "1", "PYTHONPATH": str(FOLDER)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, start_new_session=own_group,
        )

    def next(self):
        return read_frame(self.process.stdout)

    def send(self, header, payload=b""):
        self.process.stdin.write(frame(header, payload))
        self.process.stdin.flush()

    def call(self, *images, number=1, **more):
        named = [{"id": f"img-{index}", "bytes": len(data)} for index, data in enumerate(images)]
        self.send({"type": "process", "call": number, "images": named, **more}, b"".join(images))

    def answers(self):
        """The messages of a call up to its done."""
        said = []
        while True:
            message = self.next()
            if message is None or message["type"] == "done":
                return said, message
            said.append(message)

    def begin(self):
        # As the worker does: what was printed before the first message is skipped.
        while self.process.stdout.peek(4)[:4] != b"ANTH":
            self.printed += self.process.stdout.read(1)
        hello, ready = self.next(), self.next()
        self.send({"type": "welcome", "protocol": 1, "software": "test"})
        return hello, ready

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        _, errors = self.process.communicate()
        return errors.decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# Long enough to be told something while it runs.
SLOW = """
    import time, antenna_handler as a
    def process(image, task):
        task.log("begun"); time.sleep(0.5)
        return []
    a.run(process)
"""


class Values(unittest.TestCase):
    def plain(self, value):
        return helper._plain(value, "result")

    def test_values_of_python_come_back_as_they_are(self):
        value = {"a": (1, 2.5, None, True), 3: "x"}
        self.assertEqual(self.plain(value), {"a": [1, 2.5, None, True], "3": "x"})

    @unittest.skipIf(numpy is None, "numpy is not installed")
    def test_numpy_scalars_arrays_lists_and_tuples_come_back_right(self):
        score = numpy.float32(0.1)
        given = {
            "scores": [score, (score, numpy.int64(7)), numpy.bool_(True)],
            "array": numpy.arange(4, dtype=numpy.uint8).reshape(2, 2),
            "half": numpy.float16(0.5),
        }
        back = json.loads(json.dumps(self.plain(given)))
        self.assertEqual(numpy.float32(back["scores"][0]), score)
        self.assertEqual(back["scores"][1][1], 7)
        self.assertIs(back["scores"][2], True)
        self.assertEqual(back["array"], [[0, 1], [2, 3]])
        self.assertEqual(back["half"], 0.5)

    def test_what_json_does_not_have_is_named_with_its_place(self):
        for value in (math.nan, math.inf):
            with self.assertRaisesRegex(ValueError, r"result\.scores\[1\] is (nan|inf)"):
                self.plain({"scores": [0.5, value]})
        with self.assertRaisesRegex(TypeError, r"result\.crop is of type bytes"):
            self.plain({"crop": b"x"})

    def test_a_list_of_detections_and_a_bbox_of_four_numbers_will_do(self):
        box = {"x1": 1, "y1": 2, "x2": 3, "y2": 4}
        self.assertEqual(helper._outcome([{"bbox": (1, 2, 3, 4)}]), {"result": {"detections": [{"bbox": box}]}})
        self.assertEqual(helper._outcome({"detections": []}), {"result": {"detections": []}})
        self.assertEqual(helper._outcome([{"bbox": [1, 2]}])["error"]["kind"], "permanent")
        self.assertIn("empty list", helper._outcome(None)["error"]["message"])

    def test_memory_is_known_by_the_name_of_the_class(self):
        class OutOfMemoryError(RuntimeError):
            pass

        for error in (MemoryError(), OutOfMemoryError("x"), RuntimeError("CUDA out of memory. Tried to allocate"), helper.OutOfMemory()):
            self.assertEqual(helper._fault(error)["kind"], "out_of_memory")
        self.assertEqual(helper._fault(ValueError("x"))["kind"], "error")
        self.assertEqual(helper._fault(helper.PermanentError("x"))["kind"], "permanent")
        self.assertEqual(helper._fault(helper.RetryableError("x"))["kind"], "retryable")

    def test_a_pipeline_describes_its_categories(self):
        described = helper.pipeline("moths", detector="box", classifier="species", labels=["Actias luna"])
        self.assertEqual(described["algorithms"][1]["category_map"]["data"], [{"index": 0, "label": "Actias luna"}])

    def test_wrong_arguments_show_at_once(self):
        with self.assertRaises(ValueError):
            helper._Handler(len, "jpeg", False)
        with self.assertRaises(RuntimeError):
            helper.run(len)
        with self.assertRaises(ValueError):
            helper.attach(len)


class Serving(unittest.TestCase):
    def test_answers_image_by_image_and_says_what_it_can_do(self):
        code = """
            import antenna_handler as a
            def process(image, task):
                if image == b"bad":
                    raise ValueError("cannot read")
                task.log("seen"); task.progress(1, 2)
                return [{"bbox": [0, 0, 1, len(image)], "more": [task.id, task.config, task.pipeline, task.remaining() > 1]}]
            a.run(process, pipelines=[a.pipeline("p", detector="d")], warm_up=lambda: 12)
        """
        with Child(code) as child:
            hello, ready = child.begin()
            self.assertEqual((hello["type"], hello["protocol"]), ("hello", 1))
            self.assertEqual((ready["mode"], ready["image_ms"], ready["pipelines"][0]["slug"]), ("image", 12.0, "p"))
            child.call(b"abc", b"bad", b"", config={"t": 1}, pipeline="p", deadline_ms=5000)
            said, done = child.answers()
            answers = [one for one in said if one["type"] == "answer"]
            self.assertEqual(answers[0]["result"]["detections"][0]["more"], ["img-0", {"t": 1}, "p", True])
            self.assertEqual(answers[0]["result"]["detections"][0]["bbox"]["y2"], 3)
            self.assertEqual(answers[1]["error"]["message"], "cannot read")
            self.assertIn("ValueError: cannot read", answers[1]["error"]["where"])
            self.assertEqual(answers[2]["result"]["detections"][0]["bbox"]["y2"], 0)
            self.assertEqual({one["type"] for one in said} - {"answer"}, {"log", "progress"})
            self.assertGreater(done["rss_bytes"], 1e6)

    def test_a_batch_may_answer_by_id_or_with_exceptions_and_fails_as_a_whole_when_it_raises(self):
        code = """
            import antenna_handler as a
            def process(images, tasks):
                if b"short" in images: return []
                if b"oom" in images: raise MemoryError()
                return {task.id: ValueError("no") if image == b"bad" else [] for image, task in zip(images, tasks) if image != b"lost"}
            a.run_batch(process, batch_size=3)
        """
        with Child(code) as child:
            _, ready = child.begin()
            self.assertEqual((ready["mode"], ready["batch_size"]), ("batch", 3))
            child.call(b"a", b"bad", b"lost")
            said, _ = child.answers()
            self.assertEqual(["result" in one for one in said], [True, False, False])
            child.call(b"oom", b"a", number=2)
            self.assertEqual(child.answers()[1]["error"]["kind"], "out_of_memory")
            child.call(b"short", b"a", number=3)
            self.assertIn("2 images were given and 0 results", child.answers()[1]["error"]["message"])

    def test_whatever_is_printed_stays_out_of_the_messages(self):
        code = """
            import os, sys
            print("before the import")
            import antenna_handler as a
            print("after it")
            os.write(1, b"from a library\\n")
            def process(image):
                print("in a call"); os.system("echo from a child")
                return []
            a.run(process)
        """
        with Child(code) as child:
            begun = child.begin()
            self.assertEqual([one["type"] for one in begun], ["hello", "ready"])
            child.call(b"a")
            self.assertEqual(len(child.answers()[0]), 1)
            child.send({"type": "bye", "reason": "enough"})
            self.assertEqual(child.process.wait(10), 0)
            errors = child.printed.decode() + child.close()
            for text in ("before the import", "after it", "from a library", "in a call", "from a child"):
                self.assertIn(text, errors)

    def test_sigterm_finishes_the_batch_in_hand(self):
        with Child(SLOW) as child:
            child.begin()
            child.call(b"a", b"b")
            self.assertEqual(child.next()["type"], "log")
            child.process.send_signal(signal.SIGTERM)
            said, done = child.answers()
            self.assertEqual(len([one for one in said if one["type"] == "answer"]), 2)
            self.assertEqual((done["type"], child.next()["type"]), ("done", "bye"))
            self.assertEqual(child.process.wait(10), 0)

    def test_the_boxes_that_the_server_knows_reach_the_function(self):
        code = """
            import antenna_handler as a
            a.run_batch(lambda images, tasks: [{"detections": task.detections} for task in tasks])
        """
        with Child(code) as child:
            child.begin()
            box = {"bbox": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}}
            named = [{"id": "a", "bytes": 1, "detections": [box]}, {"id": "b", "bytes": 1}]
            child.send({"type": "process", "call": 1, "images": named}, b"ab")
            self.assertEqual([one["result"]["detections"] for one in child.answers()[0]], [[box], []])

    def test_the_next_call_is_read_while_one_runs_and_waits_its_turn(self):
        code = """
            import time, antenna_handler as a
            def process(image, task):
                if task.id == "img-0" and image == b"waits":
                    task.log("begun")
                    while not task.cancelled: time.sleep(0.01)
                return {"detections": [], "size": len(image)}
            a.run(process)
        """
        with Child(code) as child:
            _, ready = child.begin()
            self.assertEqual(ready["ahead"], 1)
            child.call(b"waits")
            self.assertEqual(child.next()["message"], "begun")
            # Far more than fits into the stream: this returns only because it is read, and the first call ends only after it.
            child.call(b"x" * 3_000_000, number=2)
            child.send({"type": "cancel", "call": 1, "reason": "timeout"})
            self.assertEqual(child.answers()[1]["call"], 1)
            said, done = child.answers()
            self.assertEqual((said[0]["result"]["size"], done["call"]), (3_000_000, 2))

    def test_a_call_that_is_cancelled_before_its_turn_is_not_begun(self):
        code = """
            import time, antenna_handler as a
            def process(image, task):
                task.log(image.decode())
                while image == b"first" and not task.cancelled: time.sleep(0.01)
                return []
            a.run(process)
        """
        with Child(code) as child:
            child.begin()
            child.call(b"first")
            self.assertEqual(child.next()["message"], "first")
            child.call(b"second", number=2)
            child.send({"type": "cancel", "call": 2, "reason": "job_gone"})
            child.send({"type": "cancel", "call": 1, "reason": "job_gone"})
            self.assertEqual(child.answers()[1]["call"], 1)
            said, done = child.answers()
            self.assertEqual((said, done["call"], done["error"]["name"]), ([], 2, "Cancelled"))
            child.call(b"third", number=3)
            self.assertEqual([one["type"] for one in child.answers()[0]], ["log", "answer"])

    def test_a_signal_leaves_the_call_that_was_not_begun_to_the_worker(self):
        with Child(SLOW) as child:
            child.begin()
            child.call(b"a")
            child.next()
            child.call(b"b", number=2)
            child.process.send_signal(signal.SIGTERM)
            self.assertEqual(child.answers()[1]["call"], 1)
            bye = child.next()
            self.assertEqual((bye["type"], bye["last_call"]), ("bye", 1))
            self.assertEqual(child.process.wait(10), 0)

    def test_more_calls_ahead_than_agreed_are_refused_with_words(self):
        code = """
            import time, antenna_handler as a
            def process(image, task):
                task.log("begun")
                while not task.stopping: time.sleep(0.01)
                return []
            a.run(process)
        """
        with Child(code) as child:
            child.begin()
            child.call(b"a")
            child.next()
            for number in (2, 3, 4):
                child.call(b"b", number=number)
            self.assertRegex(child.next()["reason"], "call 4 came while 2 wait")

    def test_a_worker_that_is_killed_at_any_byte_of_a_call_is_an_end_and_no_error(self):
        import io

        whole = frame({"type": "process", "call": 1, "images": [{"id": "a", "bytes": 3}, {"id": "b", "bytes": 2}]}, b"abcde")
        for cut in range(len(whole) + 1):
            raw = io.BytesIO(whole[:cut])
            raw.fileno = lambda: 0
            message = helper._Wire(raw, len).read()
            self.assertEqual(message and message[1], [b"abc", b"de"] if cut == len(whole) else None, cut)

    def test_without_its_worker_it_ends_and_takes_along_what_it_started(self):
        code = """
            import subprocess, sys, time, antenna_handler as a
            loader = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            def process(image, task):
                task.log(str(loader.pid)); time.sleep(60)
            a.run(process)
        """
        with Child(code) as child:
            child.begin()
            child.call(b"a")
            loader = int(child.next()["message"])
            child.process.stdin.close()
            self.assertEqual(child.process.wait(10), -signal.SIGKILL)
            for _ in range(100):
                if not _runs(loader):
                    break
                time.sleep(0.05)
            self.assertFalse(_runs(loader))
            child.process.stdin = None

    def test_a_cancel_and_a_stop_reach_the_function(self):
        code = """
            import time, antenna_handler as a
            def process(image, task):
                task.log("begun")
                while not (task.cancelled and task.stopping): time.sleep(0.01)
                return []
            a.run(process)
        """
        with Child(code) as child:
            child.begin()
            child.call(b"a")
            child.next()
            child.send({"type": "stopping"})
            child.send({"type": "cancel", "call": 1, "reason": "timeout"})
            self.assertEqual(child.answers()[1]["type"], "done")

    def test_what_does_not_fit_is_refused_with_words(self):
        for message in ({"type": "dance"}, {"type": "welcome", "protocol": 2}):
            with Child("import antenna_handler as a; a.run(len)") as child:
                child.next(), child.next()
                child.send(message)
                self.assertRegex(child.next()["reason"], "dance|version 2")

    @unittest.skipIf(Image is None, "Pillow is not installed")
    def test_images_are_decoded_when_asked_for_and_a_broken_one_is_permanent(self):
        import io

        buffer = io.BytesIO()
        Image.new("L", (3, 2), 200).save(buffer, "PNG")
        kinds = ["pil"] + (["numpy"] if numpy is not None else [])
        for kind in kinds:
            handler = helper._Handler(lambda image: [{"bbox": [0, 0, *getattr(image, "size", (1, 1))]}] if kind == "pil" else [{"bbox": list(image.shape) + [0]}], kind, False)
            call = helper._Call({"call": 1}, None, threading.Event())
            said = []
            tasks = [helper.Task({"id": "a"}, buffer.getvalue(), call), helper.Task({"id": "b"}, b"not a PNG", call)]
            handler.answer(tasks, said.append)
            by_id = {one["id"]: one for one in said}
            expected = {"x1": 0, "y1": 0, "x2": 3, "y2": 2} if kind == "pil" else {"x1": 2, "y1": 3, "x2": 3, "y2": 0}
            self.assertEqual(by_id["a"]["result"]["detections"][0]["bbox"], expected)
            self.assertEqual(by_id["b"]["error"]["kind"], "permanent")


def _runs(pid):
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return ") Z " not in file.read()
    except (OSError, FileNotFoundError):
        return False


class Attaching(unittest.TestCase):
    def setUp(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.server.getsockname()[1]}"
        self.addCleanup(self.server.close)

    def accept(self):
        connection, _ = self.server.accept()
        self.addCleanup(connection.close)
        stream = connection.makefile("rwb")
        self.addCleanup(stream.close)
        return stream

    def test_a_handler_attaches_works_and_goes_when_the_worker_says_goodbye(self):
        thread = threading.Thread(target=helper.attach, args=(lambda image: [], self.address), kwargs={"token": "t"})
        thread.start()
        stream = self.accept()
        hello = read_frame(stream)
        self.assertEqual(hello["token"], "t")
        self.assertEqual(read_frame(stream)["type"], "ready")
        for message, payload in (
            ({"type": "welcome", "protocol": 1}, b""),
            ({"type": "process", "call": 1, "images": [{"id": "a", "bytes": 1}]}, b"x"),
        ):
            stream.write(frame(message, payload))
        stream.flush()
        self.assertEqual([read_frame(stream)["type"] for _ in range(2)], ["answer", "done"])
        stream.write(frame({"type": "bye", "reason": "enough"}))
        stream.flush()
        thread.join(10)
        self.assertFalse(thread.is_alive())

    def test_a_refusal_is_raised_with_the_words_of_the_worker(self):
        failures = []

        def cell():
            try:
                helper.attach(lambda image: [], self.address)
            except helper.ProtocolError as error:
                failures.append(str(error))

        thread = threading.Thread(target=cell)
        thread.start()
        stream = self.accept()
        stream.write(frame({"type": "bye", "reason": "the token is missing"}))
        stream.flush()
        thread.join(10)
        self.assertEqual(failures, ["the token is missing"])

    def test_a_path_where_sockets_have_none_is_refused_with_what_to_give(self):
        with mock.patch.object(helper.socket, "AF_UNIX", create=True):
            del helper.socket.AF_UNIX
            with self.assertRaisesRegex(ValueError, "tcp://127.0.0.1:PORT"):
                helper.attach(lambda image: [], "C:\\worker.sock", wait=0)

    def test_on_windows_a_call_over_a_socket_learns_of_its_cancel(self):
        began, seen = threading.Event(), []

        def process(image, task):
            began.set()
            while not task.cancelled:
                time.sleep(0.01)
            seen.append(task.cancelled)
            return []

        with mock.patch.object(helper, "_WINDOWS", True):
            thread = threading.Thread(target=helper.attach, args=(process, self.address))
            thread.start()
            stream = self.accept()
            self.assertEqual([read_frame(stream)["type"] for _ in range(2)], ["hello", "ready"])
            for message, payload in (
                ({"type": "welcome", "protocol": 1}, b""),
                ({"type": "process", "call": 1, "images": [{"id": "a", "bytes": 1}]}, b"x"),
            ):
                stream.write(frame(message, payload))
            stream.flush()
            began.wait(10)
            stream.write(frame({"type": "cancel", "call": 1}))
            stream.flush()
            self.assertEqual([read_frame(stream)["type"] for _ in range(2)], ["answer", "done"])
            self.assertEqual(seen, [True])
            stream.write(frame({"type": "bye", "reason": "enough"}))
            stream.flush()
            thread.join(10)
        self.assertFalse(thread.is_alive())

    def test_on_windows_a_wait_for_the_worker_is_never_endless(self):
        waits = []
        real = helper.select.select

        def select(readers, writers, errors, *timeout):
            waits.append(timeout)
            return real(readers, writers, errors, *timeout)

        with mock.patch.object(helper, "_WINDOWS", True), mock.patch.object(helper.select, "select", select):
            thread = threading.Thread(target=helper.attach, args=(lambda image: [], self.address))
            thread.start()
            stream = self.accept()
            self.assertEqual([read_frame(stream)["type"] for _ in range(2)], ["hello", "ready"])
            stream.write(frame({"type": "welcome", "protocol": 1}))
            stream.write(frame({"type": "bye", "reason": "enough"}))
            stream.flush()
            thread.join(10)
        self.assertTrue(waits)
        self.assertTrue(all(timeout and timeout[0] is not None for timeout in waits))

    def test_nobody_at_the_address_is_told_after_the_wait(self):
        with self.assertRaisesRegex(ConnectionError, "no worker waits"):
            helper.attach(lambda image: [], "/nowhere/at.sock", wait=0)


if __name__ == "__main__":
    unittest.main()
