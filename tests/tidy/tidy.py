#!/usr/bin/env python3
"""Style as a test: walks the tree and says, one line each, where it breaks a rule of style that a
machine can check. Usage: tidy.py ROOT. Exit code 1 if anything was found."""

import ast
import pathlib
import re
import sys

# Who may include whom. A room may also include what its own rooms may: arrows point down. A room is
# a folder; the longest name that fits a file is its room, and a folder without a room is refused.
COMMON = ["common/loop", "common/log", "common/tls", "common/http", "common/metrics"]
ARROWS = {
    "common/base": [],
    "common/loop": ["common/base"],
    "common/log": ["common/base"],
    "common/metrics": ["common/base"],
    "common/tls": ["common/base"],
    "common/http": ["common/tls", "common/metrics"],
    # Pure: no loop, no log, no metrics.
    "controller/engine": ["common/base"],
    "controller/database": COMMON,
    "controller/journal": COMMON,
    "controller/fleet": COMMON,
    "controller/rehearsal": ["controller/engine"] + COMMON,
    "controller/plan": ["controller/engine"] + COMMON,
    # What a plan declares of a database, as an inventory: of the conductor, of main and of the CLI.
    "controller/declared": ["controller/engine", "controller/database"],
    "controller/signals": ["controller/database"] + COMMON,
    "controller/conductor": ["controller/engine", "controller/journal", "controller/fleet",
                             "controller/signals", "controller/declared"],
    "controller/watch": ["controller/signals"] + COMMON,
    "controller/api": ["controller/conductor", "controller/plan", "controller/watch"],
    "controller/web": ["controller/conductor", "controller/plan"],
    "controller/main": ["controller/api", "controller/web", "controller/rehearsal"],
    "agents/core": COMMON,
    "agents/haproxy": ["agents/core"],
    "agents/nginx": ["agents/core"],
    "agents/envoy": ["agents/core"],
    "agents/endpoint": ["agents/core"],
    "agents/main": ["agents/haproxy", "agents/nginx", "agents/envoy", "agents/endpoint"],
    "cli": ["controller/plan", "controller/rehearsal", "controller/declared"],
}
# Files in these folders themselves are the composition roots.
ROOTS = {"controller": "controller/main", "agents": "agents/main"}

# Generated headers are translated at the walls, and nowhere else.
WALLS = [
    "controller/api/", "controller/plan/", "controller/conductor/codec", "controller/journal/codec",
    "controller/journal/etcd", "agents/core/session", "agents/envoy/", "agents/endpoint/ext_authz",
    "cli/", "tests/",
]

# Where "wait for a condition with a deadline" is made, once per language; nothing else may pause.
WAITS = {"tests/support/lab/process.py", "tests/support/process.cc"}

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LEFT_OUT = {".git", "build", ".cache", "__pycache__", "node_modules"}
CODE = {".h", ".cc", ".py"}
TEXT = CODE | {".md", ".txt", ".cmake", ".json", ".proto", ".yaml", ".yml", ".sh", ".cfg", ""}

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
# In pieces, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.~}-])/(?:wo" r"rk|ro" r"ot|ho" r"me)/[\w.-]")
# Literals are what such a line is good for.
USING_NAMESPACE = re.compile(r"^\s*using name" r"space (?!std::[\w:]*literals;)")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")
SLEEP = re.compile(r"\b(?:sleep_" r"for|sleep_" r"until|usle" r"ep|nanosle" r"ep|time\.sle" r"ep)\b")
NOT_A_FUNCTION = re.compile(
    r"^\s*(?:namespace|class|struct|enum|union|extern|typedef)\b|=\s*(?:R\"\w*\()?\s*\{?$")


def room_of(path):
    """The room of a file or of an include, None if it has none."""
    folder = path.rsplit("/", 1)[0] if "/" in path else ""
    if folder in ROOTS:
        return ROOTS[folder]
    parts = folder.split("/")
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        if name in ARROWS:
            return name
    return None


def reachable(room):
    seen, todo = set(), [room]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += ARROWS[name]
    return seen


def check_includes(path, lines):
    is_ours = path.startswith(("common/", "controller/", "agents/", "cli/"))
    room = room_of(path)
    if is_ours and room is None:
        yield 1, "is in no room; add its folder to ARROWS in tests/tidy/tidy.py"
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(1)
        if target.endswith(".pb.h") and not path.startswith(tuple(WALLS)):
            yield number, f"includes generated {target}; translate it at a wall (docs/ARCHITECTURE.md)"
        if not is_ours:
            continue
        if target.startswith("tests/"):
            yield number, f"includes {target}; no program includes a test"
        target_room = room_of(target)
        if target_room and target_room not in reachable(room):
            yield number, f"includes {target}: the arrow {room} -> {target_room} points upward"


def check_lines(path, lines):
    may_not_sleep = (path.startswith("tests/") and path not in WAITS and
                     pathlib.PurePath(path).suffix in CODE)
    for number, line in enumerate(lines, 1):
        if MACHINE_PATH.search(line):
            yield number, "names a path of one machine"
        if UNFINISHED.search(line):
            yield number, "is unfinished; finish it, or open an issue"
        if path.endswith((".h", ".cc")) and USING_NAMESPACE.match(line):
            yield number, "uses a whole namespace; name what you use"
        if may_not_sleep and SLEEP.search(line):
            yield number, "sleeps; wait for a condition with a deadline"


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def cpp_functions(lines):
    """First and last line of each block that is no type, namespace or table; by indentation, which
    clang-format guarantees."""
    previous_end = 0
    for index, line in enumerate(lines):
        if index < previous_end or not line.endswith("{"):
            continue
        first = index
        while first > 0 and re.match(r"\s*\S", lines[first - 1]) and not re.search(
                r"[;{}]$|^\s*//|^\s*#|:$", lines[first - 1]):
            first -= 1
        if NOT_A_FUNCTION.search(lines[first]) or NOT_A_FUNCTION.search(line):
            continue
        indent = re.match(r"\s*", lines[first]).group()
        for last in range(index + 1, len(lines)):
            if lines[last].startswith(indent + "}"):
                yield first + 1, last + 1
                previous_end = last
                break


def check_lengths(path, lines):
    if len(lines) > FILE_LINES_MAX:
        yield len(lines), f"has {len(lines)} lines, and a file has at most {FILE_LINES_MAX}; split it"
    functions = python_functions("\n".join(lines)) if path.endswith(".py") else cpp_functions(lines)
    for first, last in functions:
        if last - first + 1 > FUNCTION_LINES_MAX:
            yield first, (f"begins a function of {last - first + 1} lines, and one has at most "
                          f"{FUNCTION_LINES_MAX}; split it")


def files_of(root):
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if path.is_file() and path.suffix in TEXT and not LEFT_OUT & set(relative.parts):
            yield path, relative.as_posix()


def findings(root):
    for path, name in files_of(root):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        checks = [check_lines]
        if path.suffix in CODE:
            checks.append(check_lengths)
        if path.suffix in {".h", ".cc"}:
            checks.append(check_includes)
        for check in checks:
            for number, what in check(name, lines):
                yield f"{name}:{number}: {what}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(findings(root))
    print("\n".join(found) if found else "tidy")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
