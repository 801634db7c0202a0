#!/usr/bin/env python3
"""The completions, in the shells themselves: what bash, zsh and fish offer after some words."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support/lab"))
# pylint: disable=wrong-import-position
import lab
import process

PAGES = os.environ.get("HEADGATE_PAGES") or os.path.join(lab.default_programs(), "../packaging")

# What is typed, with the word that Tab stands behind; what must be offered, and what must not.
CASES = [
    ("headgate cl", ["close"], ["hold"]),
    ("headgate certs ", ["init", "issue", "check"], ["close"]),
    ("headgate --controller h:1 agents re", ["remove"], ["resume"]),
    ("headgate close shop --re", ["--reason", "--request-id"], ["--to"]),
    ("headgate close shop --cont", ["--controller"], []),
    ("headgate retreat shop --t", ["--to", "--timeout"], []),
    ("headgated --jou", ["--journal"], []),
    ("headgate-agent ov", ["override"], ["lower"]),
    ("headgate-agent snippet ng", ["nginx", "nginx-auth-request"], ["haproxy"]),
    ("headgate-agent snippet nginx --pr", ["--probe-path"], ["--map"]),
    ("headgate-agent status --output js", ["json"], []),
]


def bash(typed):
    program, words = typed.split()[0], typed.split(" ")
    script = f"""
source {PAGES}/bash/{program}
COMP_WORDS=({" ".join(repr(word) for word in words)})
COMP_CWORD={len(words) - 1}
_{program.replace("-", "_")}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    return subprocess.run(["bash", "--norc", "-uc", script], capture_output=True, text=True,
                          check=True).stdout.split()


def fish(typed):
    program = typed.split()[0]
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            ["fish", "--no-config", "-c",
             f"source {PAGES}/fish/{program}.fish; complete -C '{typed}'"],
            capture_output=True, text=True, check=True,
            env=os.environ | {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home})
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


class Zsh:
    """An interactive zsh on a terminal: only there does it complete."""

    def __init__(self):
        pid, self._terminal = pty.fork()
        if pid == 0:
            os.environ |= {"TERM": "dumb", "PS1": "READY>", "HOME": "/nonexistent"}
            os.execvp("zsh", ["zsh", "-f", "-i"])
        self._pid = pid
        self._seen = ""
        self._say("PS1='READY>' LISTMAX=1000; stty columns 200; unsetopt prompt_cr prompt_sp\n")
        self._say(f"fpath=({PAGES}/zsh $fpath); autoload -U compinit; compinit -D -u\n")
        # Each offer in a line of its own, between marks.
        self._say("zstyle ':completion:*' verbose no; setopt auto_list no_list_types list_rows_first\n")
        self._say("bindkey '^I' list-choices; bindkey '^X' kill-whole-line; print RE''ADY-TO-GO\n")
        self._wait("READY-TO-GO")

    def _say(self, text):
        os.write(self._terminal, text.encode())

    def _read(self, patience_s):
        if select.select([self._terminal], [], [], patience_s)[0]:
            self._seen += os.read(self._terminal, 65536).decode(errors="replace")
            return True
        return False

    def _wait(self, mark, timeout_s=15.0):
        deadline = time.monotonic() + timeout_s
        while mark not in self._seen:
            self._read(0.2)
            if time.monotonic() > deadline:
                raise process.LabError(f"zsh did not say {mark}: {self._seen}")
        seen, self._seen = self._seen, ""
        return seen

    def offers(self, typed):
        self._say(typed + "\t")
        # It answers keys in order: what follows the list is the line with this word in it.
        self._say("\x18print LIST''ED\n")
        seen = self._wait("LISTED")
        listed = seen.split("\n", 1)[1] if "\n" in seen else ""
        return re.findall(r"(?<![\w-])-{0,2}[a-z][\w-]*", listed)

    def close(self):
        """Its terminal is gone: it ends."""
        os.close(self._terminal)
        process.wait_for(lambda: os.waitpid(self._pid, os.WNOHANG)[0] == self._pid, 10, "zsh ends")


class CompletionsTest(unittest.TestCase):
    def check(self, offers):
        for typed, wanted, unwanted in CASES:
            with self.subTest(typed):
                offered = offers(typed)
                for word in wanted:
                    self.assertIn(word, offered)
                for word in unwanted:
                    self.assertNotIn(word, offered)

    def test_bash_offers_them(self):
        self.check(bash)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed: ./dev installs it")
    def test_fish_offers_them(self):
        self.check(fish)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed: ./dev installs it")
    def test_zsh_offers_them(self):
        zsh = Zsh()
        self.addCleanup(zsh.close)
        self.check(zsh.offers)

    def test_bash_completes_files_where_a_value_is_one(self):
        self.assertEqual(bash("headgate --ca ca"), [])
        with open(os.path.join(PAGES, "bash/headgate"), encoding="utf-8") as file:
            self.assertIn("complete -o default -F _headgate headgate\n", file.read())


if __name__ == "__main__":
    unittest.main()
