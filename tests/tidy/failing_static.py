#!/usr/bin/env python3
"""Holds docs/FAILING_STATIC.md against the tests: each test that it names exists, each cell of its
table and each line of a list of failures names one, each FailingStatic test stands in the table, and
the table's columns are those of tests/agents/static/columns.cc. Usage: failing_static.py ROOT. Exit code 1 if anything was found."""

import pathlib
import re
import sys

PAGE = "docs/FAILING_STATIC.md"
COLUMNS = "tests/agents/static/columns.cc"
SUITE = "FailingStatic"
# Of what has no column: its list is of failures, too.
LISTED = "## Load balancers that only ask"

NAMED = re.compile(r"`([A-Z]\w*)\.([A-Z]\w*)`")
WRITTEN = re.compile(r"\b(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P)\(\s*(\w+)\s*,\s*(\w+)\s*\)")
KIND = re.compile(r'\{"(\w+)",\s*&Make<')


def written_tests(root):
    return {match for path in sorted((root / "tests").rglob("*_test.cc"))
            for match in WRITTEN.findall(path.read_text(encoding="utf-8"))}


def cells_of(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def rows_of(text):
    """The number and the cells of each line of the page's table; the head is the first."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("|") and not line.startswith("| ---"):
            yield number, cells_of(line)


def items_of(text):
    """The number and the text of each point of the lists below LISTED, however many lines it has."""
    number, item, listed = 0, "", False
    for at, line in enumerate([*text.splitlines(), ""], 1):
        if item and not line.startswith("  "):
            yield number, item
            item = ""
        if line.startswith("#"):
            listed = line == LISTED
        if listed and line.startswith("- "):
            number, item = at, line
        elif item:
            item += line


def lists_findings(text, tests):
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("|"):
            continue
        for suite, name in NAMED.findall(line):
            if (suite, name) not in tests:
                yield f"{PAGE}:{number}: there is no test {suite}.{name}"
    for number, item in items_of(text):
        if not NAMED.search(item):
            yield f"{PAGE}:{number}: no test holds this"


def findings(root):
    text = (root / PAGE).read_text(encoding="utf-8")
    rows = list(rows_of(text))
    kinds = KIND.findall((root / COLUMNS).read_text(encoding="utf-8"))
    tests = written_tests(root)
    head_number, head = rows[0]
    named_columns = [re.split(r"\W", name)[0].lower() for name in head[1:]]
    if named_columns != kinds:
        yield f"{PAGE}:{head_number}: has columns {named_columns}, and {COLUMNS} has {kinds}"
    seen = set()
    for number, cells in rows[1:]:
        if len(cells) != len(head):
            yield f"{PAGE}:{number}: has {len(cells)} cells, and the head has {len(head)}"
        for column, cell in zip(head[1:], cells[1:]):
            names = NAMED.findall(cell)
            if not names:
                yield f"{PAGE}:{number}: no test holds the cell of {column}"
            for suite, name in names:
                seen.add((suite, name))
                if (suite, name) not in tests:
                    yield f"{PAGE}:{number}: there is no test {suite}.{name}"
    yield from lists_findings(text, tests)
    for suite, name in sorted(tests - seen):
        if suite == SUITE:
            yield f"{PAGE}: does not name {suite}.{name}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(findings(root))
    print("\n".join(found) if found else "each cell has its test")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
