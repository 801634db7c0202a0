#!/usr/bin/env python3
"""docs/RUNBOOK.md has an answer for each exit code and each alert, and its verbs and options are the
programs'."""

import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
DOCS = os.path.join(HERE, "../../docs")
sys.path.insert(0, os.path.join(HERE, "../support/lab"))
# pylint: disable=wrong-import-position
import lab


def read(name):
    with open(os.path.join(DOCS, name), encoding="utf-8") as file:
        return file.read()


def said(program, *words):
    return subprocess.run([os.path.join(lab.default_programs(), program), *words],
                          capture_output=True, text=True, check=False).stdout


class RunbookTest(unittest.TestCase):
    def test_each_exit_code_of_help_has_a_line(self):
        text = said("headgate", "--help")
        text = text[text.index("Exit codes:"):text.index("Of dbcheck")]
        codes = {int(code) for code in re.findall(r"(?:^|, |: )\s*(\d+) [a-z-]", text.replace("\n", " "))}
        self.assertGreaterEqual(len(codes), 14, text)
        table = read("RUNBOOK.md").split("### What an exit code means")[1].split("###")[0]
        self.assertEqual({int(code) for code in re.findall(r"(?m)^\| (\d+) \|", table)}, codes)

    @unittest.skipUnless(os.path.exists(os.path.join(DOCS, "ALERTS.md")), "there is no ALERTS.md")
    def test_each_alert_has_a_line(self):
        alerts = set(re.findall(r"(?m)^## (Headgate\w+)$", read("ALERTS.md")))
        table = read("RUNBOOK.md").split("### What to do for each alert")[1].split("## 4.")[0]
        self.assertEqual(set(re.findall(r"\[(Headgate\w+)\]", table)), alerts)

    def test_what_it_says_to_type_can_be_typed(self):
        for page in ("RUNBOOK.md", "INSTALL.md"):
            lines = re.findall(r"(?:^|`|&& )(headgate(?:-agent)?) ([^`\n#|&]*)", read(page), re.M)
            self.assertGreater(len(lines), 10)
            for program, rest in lines:
                words = rest.split()
                verb = [word for word in words if re.fullmatch(r"[a-z]+", word)][:1]
                if not verb or words[0].startswith("--socket"):
                    verb = [word for word in words[2:] if re.fullmatch(r"[a-z]+", word)][:1]
                below = words[words.index(verb[0]) + 1:][:1] if verb else []
                if program == "headgate" and verb and verb[0] in ("gates", "certs", "agents"):
                    verb += [word for word in below if word in ("create", "init", "issue", "check",
                                                                "remove", "split")]
                with self.subTest(page=page, line=f"{program} {rest}"):
                    own = said(program, *verb, "--help")
                    # Of a word that is none, the whole program's help comes.
                    whole = said(program, "--help")
                    self.assertIn("Usage", own)
                    self.assertTrue(not verb or own != whole, f"no {program} {' '.join(verb)}")
                    text = own + whole
                    for option in re.findall(r"(?<![\w-])--[a-z-]+", rest):
                        self.assertIn(option, text if verb != ["snippet"] else
                                      said(program, "snippet", "haproxy", "--help"))

    def test_links_lead_somewhere(self):
        written_elsewhere = {"KUBERNETES.md", "ALERTS.md"}  # of the chart
        for page in ("RUNBOOK.md", "INSTALL.md", "CERTIFICATES.md"):
            for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", read(page)):
                if target not in written_elsewhere:
                    self.assertTrue(os.path.exists(os.path.join(DOCS, target)), f"{page}: {target}")


if __name__ == "__main__":
    unittest.main()
