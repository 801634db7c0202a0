#!/usr/bin/python3
"""What failed of a run of ctest, from its JUnit file, in few lines: for the end of a long log, whose
middle nobody reads and a CI may cut. Standard library only.

    failures.py NAME TESTS_XML    a line for each failed test, NAME before it, then what it said
"""

import re
import sys
import xml.etree.ElementTree

# What GoogleTest and unittest write of a failure, and the lines after it that tell what was wrong.
BEGINS = re.compile(r": Failure$|^(FAIL|ERROR): |Sanitizer: |runtime error: ")
ENDS = re.compile(r"^\[|^=+$|^$")
LINES_OF_ONE = 8
LINES_OF_TEST = 40
# Where a test says nothing of the kind.
LAST_LINES = 10


def told(output):
    """The lines of the output that tell what failed."""
    lines = output.splitlines()
    kept = []
    for at, line in enumerate(lines):
        if not BEGINS.search(line):
            continue
        kept.append(line)
        for following in lines[at + 1:at + LINES_OF_ONE]:
            if ENDS.search(following) and not line.startswith(("FAIL", "ERROR")):
                break
            kept.append(following)
    kept += [line for line in lines if line.startswith("[  FAILED  ]") and "ms)" in line]
    return kept[:LINES_OF_TEST] or lines[-LAST_LINES:]


def main():
    name, file = sys.argv[1:]
    for case in xml.etree.ElementTree.parse(file).iter("testcase"):
        if case.get("status") != "fail":
            continue
        print(f"{name} {case.get('name')}")
        for line in told(case.findtext("system-out") or ""):
            print(f"    {line}")


if __name__ == "__main__":
    main()
