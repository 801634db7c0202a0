#!/usr/bin/env python3
"""The Debian packages: what is in them, what lintian says of them, and their units, as they would be
installed."""

import glob
import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "../support/lab"))
# pylint: disable=wrong-import-position
import lab

BUILD = os.environ.get("HEADGATE_BUILD") or os.path.join(lab.default_programs(), "..")
CONTENTS = {
    "headgate-cli": ["./usr/bin/headgate", "./usr/share/man/man1/headgate.1.gz",
                     "./usr/share/bash-completion/completions/headgate",
                     "./usr/share/zsh/vendor-completions/_headgate",
                     "./usr/share/fish/vendor_completions.d/headgate.fish"],
    "headgate-controller": ["./usr/sbin/headgated", "./usr/share/man/man8/headgated.8.gz",
                            "./lib/systemd/system/headgated.service",
                            "./etc/headgate/headgated.env"],
    "headgate-agent": ["./usr/sbin/headgate-agent", "./usr/share/man/man8/headgate-agent.8.gz",
                       "./lib/systemd/system/headgate-agent.service",
                       "./etc/headgate/agent.yaml", "./usr/share/headgate-agent/haproxy.conf"],
}
CONFFILES = {"headgate-cli": "", "headgate-controller": "/etc/headgate/headgated.env",
             "headgate-agent": "/etc/headgate/agent.yaml"}
UNITS = ("headgated.service", "headgate-agent.service")
EXPOSURE_MAX = 1.5


def run(*words, **more):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          check=False, **more)


class PackagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory(prefix="headgate-packages-")
        cls.addClassCleanup(cls._folder.cleanup)
        folder = cls._folder.name
        packed = run("cpack", "-G", "DEB", "-B", folder, "--config",
                     os.path.join(BUILD, "CPackConfig.cmake"))
        if packed.returncode != 0:
            raise RuntimeError(packed.stdout + packed.stderr)
        cls.packages = {os.path.basename(file).split("_")[0]: file
                        for file in glob.glob(folder + "/*.deb")}
        cls.root = os.path.join(folder, "root")
        for file in cls.packages.values():
            subprocess.run(["dpkg-deb", "-x", file, cls.root], check=True)

    def control(self, name, field):
        return run("dpkg-deb", "-f", self.packages[name], field).stdout.strip()

    def test_there_are_three_and_each_has_its_program_manual_completions_and_docs(self):
        self.assertEqual(set(self.packages), set(CONTENTS))
        for name, wanted in CONTENTS.items():
            listed = run("dpkg-deb", "-c", self.packages[name]).stdout
            for path in (*wanted, f"./usr/share/doc/{name}/docs/RUNBOOK.md"):
                self.assertRegex(listed, rf"(?m) {re.escape(path)}$")

    def test_lintian_finds_nothing(self):
        done = run("lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit",
                   "0", *self.packages.values())
        self.assertEqual(done.stdout.strip(), "")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_configuration_is_kept_at_an_upgrade(self):
        for name, files in CONFFILES.items():
            done = run("dpkg-deb", "-I", self.packages[name], "conffiles")
            self.assertEqual(done.stdout.strip(), files)

    def test_they_are_of_the_programs_version(self):
        said = run(os.path.join(lab.default_programs(), "headgate"), "--version").stdout.split()[1]
        newest = run("dpkg-parsechangelog", "-S", "Version", "-l",
                     os.path.join(ROOT, "packaging/debian/changelog")).stdout.strip()
        self.assertEqual(newest.split("-")[0], said)
        for name in self.packages:
            self.assertEqual(self.control(name, "Version"), newest)

    def test_the_controllers_brings_what_copies_its_journal(self):
        self.assertEqual(self.control("headgate-controller", "Recommends"), "sqlite3")

    def test_each_drop_in_names_its_load_balancers_service_and_the_group_of_its_files(self):
        for name, group in (("haproxy", "haproxy"), ("nginx", "www-data"), ("envoy", "envoy")):
            with open(os.path.join(self.root, f"usr/share/headgate-agent/{name}.conf"),
                      encoding="utf-8") as file:
                lines = file.read().splitlines()
            self.assertIn(f"SupplementaryGroups={group}", lines)
            self.assertIn(f"WantedBy={name}.service", lines)

    def test_beside_nginx_the_agent_may_remove_the_answers_that_nginx_keeps(self):
        with open(os.path.join(ROOT, "docs/agents/endpoint.md"), encoding="utf-8") as file:
            kept = re.search(r"--remembered (/\S+)", file.read()).group(1)
        with open(os.path.join(self.root, "usr/share/headgate-agent/nginx.conf"),
                  encoding="utf-8") as file:
            writable = re.search(r"(?m)^ReadWritePaths=-(.+)$", file.read()).group(1)
        self.assertEqual(os.path.commonpath([kept, writable]), writable)

    def test_no_script_enables_or_starts_anything(self):
        for name in self.packages:
            for script in ("preinst", "postinst", "prerm", "postrm"):
                text = run("dpkg-deb", "-I", self.packages[name], script).stdout
                orders = re.findall(r"(?m)^\s+(?:deb-systemd-invoke|deb-systemd-helper|systemctl \S+) (\S+)",
                                    text)
                self.assertLessEqual(set(orders), {"unmask", "daemon-reload", "try-restart", "stop",
                                                   "purge", ">/dev/null"}, f"{name} {script}")

    def unit(self, name):
        """A copy that can be verified on this machine: its program is the packed one."""
        with open(os.path.join(self.root, "lib/systemd/system", name), encoding="utf-8") as file:
            text = file.read()
        copy = os.path.join(self._folder.name, name)
        with open(copy, "w", encoding="utf-8") as file:
            file.write(text.replace("ExecStart=/usr", f"ExecStart={self.root}/usr"))
        return copy

    def test_systemd_reads_every_line_of_the_units(self):
        for name in UNITS:
            done = run("systemd-analyze", "verify", "--man=no", self.unit(name))
            self.assertEqual(done.stdout + done.stderr, "", name)
            self.assertEqual(done.returncode, 0, name)

    def test_the_units_are_hardly_exposed(self):
        for name in UNITS:
            done = run("systemd-analyze", "security", "--no-pager", "--offline=true",
                       self.unit(name))
            overall = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
            self.assertIsNotNone(overall, done.stderr)
            self.assertLessEqual(float(overall.group(1)), EXPOSURE_MAX, done.stdout)

    def test_the_units_never_give_up(self):
        for name in UNITS:
            with open(self.unit(name), encoding="utf-8") as file:
                lines = file.read().splitlines()
            for line in ("StartLimitIntervalSec=0", "Restart=always", "Type=notify",
                         "WatchdogSec=30s", "ProtectSystem=strict"):
                self.assertIn(line, lines, name)

    def test_the_agent_is_part_of_its_load_balancer_and_nobody_needs_it(self):
        with open(self.unit("headgate-agent.service"), encoding="utf-8") as file:
            text = file.read()
        self.assertRegex(text, r"(?m)^PartOf=.*\bhaproxy\.service\b")
        self.assertNotRegex(text, r"(?m)^(Requires|RequiredBy|BindsTo|Requisite)=")

    def test_options_of_unit_and_configuration_are_the_programs(self):
        known = run(os.path.join(lab.default_programs(), "headgated"), "--help").stdout
        for path in ("lib/systemd/system/headgated.service", "etc/headgate/headgated.env"):
            with open(os.path.join(self.root, path), encoding="utf-8") as file:
                text = "\n".join(line for line in file if "HEADGATED_OPTIONS=" in line
                                 or line.startswith("ExecStart="))
            options = re.findall(r"(?<![\w-])--[a-z-]+", text)
            self.assertTrue(options, path)
            for option in options:
                self.assertRegex(known, rf"(?m)^  {option}\b")

    def test_the_shipped_configuration_of_the_agent_is_read_and_harms_nobody(self):
        done = run(os.path.join(self.root, "usr/sbin/headgate-agent"), "check", "--config",
                   os.path.join(self.root, "etc/headgate/agent.yaml"))
        # 3: read, and found that nothing of it is there yet. 2 would be: cannot be read.
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("/etc/headgate/ca.crt: there is no such file", done.stdout)


if __name__ == "__main__":
    unittest.main()
