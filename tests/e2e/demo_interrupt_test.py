"""Ctrl-C in the middle of the demo: it ends soon, and nothing that it started is left."""

import os
import signal
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support/lab"))
import process  # pylint: disable=wrong-import-position


def is_alive(pid):
    """Whether the process is there and is not only waiting to be reaped by init."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Interrupt(unittest.TestCase):
    def test_ctrl_c_leaves_nothing_behind(self):
        demo = subprocess.Popen([os.path.join(HERE, "demo"), "--fast"], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            started = []
            for line in demo.stdout:
                if "== 1." in line:
                    started = process.descendants(demo.pid)
                    break
            self.assertGreater(len(started), 10, "the demo has started its site")
            demo.send_signal(signal.SIGINT)
            rest, _ = demo.communicate(timeout=30)
            self.assertEqual(demo.returncode, 128 + signal.SIGINT, rest)
            self.assertIn("stopping …", rest)
            process.wait_for(lambda: not [pid for pid in started if is_alive(pid)], 10,
                             "everything that the demo started has ended")
        finally:
            if demo.poll() is None:
                demo.kill()
                demo.wait()
            demo.stdout.close()


if __name__ == "__main__":
    unittest.main()
