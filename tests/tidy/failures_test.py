"""Tests of failures.py."""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))

REPORT = """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="Linux-c++" tests="3" failures="2" disabled="0" skipped="0">
<testcase name="sound_test" status="run"><system-out>a/b.cc:1: Failure
not of a test that failed</system-out></testcase>
<testcase name="agent_test" status="fail"><failure message=""/><system-out>[ RUN      ] Lower.Lowers
../../tests/a_test.cc:36: Failure
Expected equality of these values:
  1
  2
[  FAILED  ] Lower.Lowers (3 ms)
[ RUN      ] Lower.Stays
[       OK ] Lower.Stays (3 ms)</system-out></testcase>
<testcase name="silent_test" status="fail"><failure message=""/><system-out>one
two</system-out></testcase>
</testsuite>
"""

TOLD = """\
failed: dev agent_test
    ../../tests/a_test.cc:36: Failure
    Expected equality of these values:
      1
      2
    [  FAILED  ] Lower.Lowers (3 ms)
failed: dev silent_test
    one
    two
"""


class Failures(unittest.TestCase):
    def test_tells_what_failed_and_where(self):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(REPORT)
            file.flush()
            told = subprocess.run(
                [sys.executable, os.path.join(HERE, "failures.py"), "failed: dev", file.name],
                check=True, capture_output=True, text=True).stdout
        self.assertEqual(told, TOLD)


if __name__ == "__main__":
    unittest.main()
