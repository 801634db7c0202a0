#!/usr/bin/env python3
"""The manual says what --help says: each command, each option with what it takes, its default and
its sentence; and nothing else. Read as a person reads both: printed by the program, and by `man`."""

import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support/lab"))
# pylint: disable=wrong-import-position
import lab

PROGRAMS = {"headgate": 1, "headgated": 8, "headgate-agent": 8}
PAGES = os.environ.get("HEADGATE_PAGES") or os.path.join(lab.default_programs(), "../packaging")


def helped(program, path):
    done = subprocess.run([os.path.join(lab.default_programs(), program), *path, "--help"],
                          capture_output=True, text=True, check=True)
    return done.stdout


def sections(text):
    """The lines below each title of a help's text."""
    found, title = {}, ""
    for line in text.splitlines():
        if re.match(r"^[A-Z][a-z]+:$", line):
            title = line[:-1]
        elif line and not line.startswith("  "):
            title = ""
        elif title and line:
            found.setdefault(title, []).append(line)
    return found


def entries(lines):
    """What stands at the left, and the sentence that belongs to it."""
    found = {}
    for line in lines:
        match = re.match(r"^  (\S.*?)(?:  +(\S.*))?$", line)
        if match:
            last = match.group(1)
            found[last] = match.group(2) or ""
        else:
            found[last] = (found[last] + " " + line.strip()).strip()
    return found


def commands(program, path=()):
    """Each command of a program: its words, and its help."""
    text = helped(program, path)
    yield path, text
    for name in entries(sections(text).get("Subcommands", [])):
        yield from commands(program, (*path, name))


def manual(program, section):
    page = os.path.join(PAGES, "man", f"{program}.{section}")
    done = subprocess.run(["man", "--warnings=w", "-E", "UTF-8", "-P", "cat", "-l", page],
                          capture_output=True, text=True, check=True,
                          env=os.environ | {"MANWIDTH": "2000", "MAN_KEEP_FORMATTING": "",
                                            "GROFF_NO_SGR": "1"})
    return re.sub(".\b", "", done.stdout), done.stderr


def flat(text):
    """Without typography."""
    for fancy, plain in (("‐", "-"), ("−", "-"), ("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"')):
        text = text.replace(fancy, plain)
    return re.sub(r"\s+", " ", text)


class ManualTest(unittest.TestCase):
    def parts(self, program):
        """The manual's text by command."""
        text, complaints = manual(program, PROGRAMS[program])
        self.assertEqual(complaints, "")
        parts, where = {(): ""}, ()
        for line in text.splitlines():
            title = re.match(rf"^   {program} (.*)$", line)
            if title:
                where = tuple(title.group(1).split())
                parts[where] = ""
            elif re.match(r"^[A-Z]", line):
                where = ()
                parts[()] += line + "\n"
            else:
                parts[where] += line + "\n"
        return {path: flat(part) for path, part in parts.items()}

    def test_every_command_and_option_of_help_is_in_the_manual(self):
        for program in PROGRAMS:
            parts = self.parts(program)
            for path, text in commands(program):
                with self.subTest(program=program, path=path):
                    self.assertIn(path, parts)
                    titles = sections(text)
                    for title in ("Options", "Positionals"):
                        for left, sentence in entries(titles.get(title, [])).items():
                            for name in re.split(",", left.split()[0]):
                                self.assertIn(name, parts[path])
                            self.assertIn(flat(sentence), parts[path], left)

    def test_the_manual_names_nothing_that_help_does_not(self):
        for program in PROGRAMS:
            known = dict(commands(program))
            parts = self.parts(program)
            self.assertEqual(set(parts), set(known))
            for path, text in known.items():
                with self.subTest(program=program, path=path):
                    tags = re.findall(r"(?<![\w-])--[a-z][a-z-]+", parts[path])
                    everything = text + known[()] + helped(program, ())
                    for tag in tags:
                        self.assertIn(tag, everything)

    def test_the_notes_of_help_are_in_the_manual(self):
        for program in PROGRAMS:
            parts = self.parts(program)
            for path, text in commands(program):
                lines = text.splitlines()
                last = max((i for i, line in enumerate(lines) if line.startswith("  -")), default=0)
                ending = [line for line in lines[last:] if line and not line.startswith("  ")]
                for line in ending:
                    if line.rstrip(":") in ("Subcommands", "Options"):
                        continue
                    with self.subTest(program=program, path=path):
                        self.assertIn(flat(line.strip()), parts[path])


if __name__ == "__main__":
    unittest.main()
