#!/usr/bin/env python3
"""docs/INSTALL.md on a fresh Debian, line by line, from nothing to a first restoration; then what
systemd does with the two services, the journal's backup of docs/RUNBOOK.md, and the images, built and
run as their Dockerfiles say. Under `./dev test --all`: it takes a Debian from the network."""

import glob
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(HERE, "../support/lab")]
# pylint: disable=wrong-import-position
import container
import lab
import process

BUILD = os.environ.get("HEADGATE_BUILD") or os.path.join(lab.default_programs(), "..")
_made = {}


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def blocks(page, begin, end):
    """The lines to type of a part of a page, block by block."""
    text = read("docs", page)
    part = text[text.index(begin):text.index(end)]
    return re.findall(r"^```\n(.*?)^```$", part, re.M | re.S)


def setUpModule():  # pylint: disable=invalid-name
    try:
        container.check_possible()
    except container.Unavailable as why:
        raise unittest.SkipTest(str(why)) from why
    _made["folder"] = tempfile.mkdtemp(prefix="headgate-installed-", dir="/tmp")
    os.chmod(_made["folder"], 0o755)
    unittest.addModuleCleanup(container.remove, _made["folder"])
    packages = os.path.join(_made["folder"], "packages")
    subprocess.run(["cpack", "-G", "DEB", "-B", packages, "--config",
                    os.path.join(BUILD, "CPackConfig.cmake")], check=True, stdout=subprocess.DEVNULL)
    _made["packages"] = glob.glob(packages + "/*.deb")
    _made["debian"] = os.environ.get("HEADGATE_DEBIAN")
    if _made["debian"]:
        return  # of a run before: saves a minute
    _made["debian"] = os.path.join(_made["folder"], "debian")
    try:
        container.make(_made["debian"], ["systemd-sysv", "procps"])
    except container.Unavailable as why:
        raise unittest.SkipTest(str(why)) from why


def debian(name):
    """A fresh one, with the packages in /packages."""
    folder = os.path.join(_made["folder"], name)
    subprocess.run(["cp", "-a", "--reflink=auto", _made["debian"], folder],
                   check=True)
    os.mkdir(folder + "/packages")
    subprocess.run(["cp", *_made["packages"], folder + "/packages"], check=True)
    return folder


class InstalledTest(unittest.TestCase):
    """One machine for all of it: each test goes on where the one before it stopped."""

    machine = None

    @classmethod
    def setUpClass(cls):
        cls.steps = blocks("INSTALL.md", "## Debian: the first restoration", "## Debian: several")
        folder = debian("machine")
        container.run_in(folder, "sh", "-ec", f"cd /packages\n{cls.steps[0]}")
        cls.log = os.path.join(_made["folder"], "machine.log")
        cls.machine = container.Machine(folder, cls.log)
        cls.addClassCleanup(cls.machine.stop)
        cls.children = [
            cls.machine.beside(sys.executable, os.path.join(HERE, "app.py"), "8080", log=cls.log),
        ]
        cls.addClassCleanup(lambda: [child.stop() for child in cls.children])

    def pid(self, unit):
        pid = self.show(unit, "MainPID")
        self.assertNotEqual(pid, "0", f"{unit} does not run")
        return pid

    def show(self, unit, what):
        return self.machine.shell(f"systemctl show -p {what} --value {unit}").strip()

    def await_active(self, unit, pid_before):
        def is_back():
            return (self.show(unit, "ActiveState") == "active"
                    and self.show(unit, "MainPID") not in ("0", pid_before))
        process.wait_for(is_back, 60, f"{unit} is there again")

    def enforced(self):
        out = self.machine.shell("headgate-agent status")
        return re.search(r"(?m)^enforced\s+(\S+) %", out).group(1)

    def test_1_nothing_is_enabled_and_nothing_runs(self):
        for unit in ("headgated", "headgate-agent"):
            self.assertEqual(self.machine.run("systemctl", "is-enabled", unit).stdout.strip(),
                             "disabled")
            self.assertEqual(self.show(unit, "ActiveState"), "inactive")

    def test_2_the_page_leads_from_nothing_to_a_restoration(self):
        users = [lab.default_programs() + "/loadgen", "--ports", "80", "--users", "2000", "--rps",
                 "200", "--seconds", "600", "--time-scale", "0.1"]
        steps = self.steps[1:]
        outage = next(i for i, step in enumerate(steps) if step.startswith("headgate close"))
        # As nginx has it: root made the file of the cookie's keys, for a group of the agent's.
        keys = "/var/lib/headgate/shop.map.keys"
        grouped = f"chown root:haproxy {keys}; chmod 640 {keys}\n"
        self.machine.shell("".join(steps[:outage - 1]) + grouped + steps[outage - 1])
        self.assertEqual(self.enforced(), "100")
        process.wait_for(lambda: self.machine.shell(f"stat -c '%U %G %a' {keys}").strip() ==
                         "headgate haproxy 640", 15, "the agent has written them for the group")
        self.children.append(self.machine.beside(*users, log=os.path.join(_made["folder"], "load")))
        out = self.machine.shell(self.environment() + "cd\n" + steps[outage], timeout_s=400)
        self.assertIn("COMPLETED", out)
        self.assertEqual(self.enforced(), "100")

    def environment(self):
        return next(step for step in self.steps if step.startswith("export HEADGATE_CONTROLLER")
                    ).split("headgate gates")[0]

    def test_3_root_needs_no_certificate_and_others_do_not_get_in(self):
        self.assertIn("All is well", self.machine.shell("headgate doctor"))
        stranger = self.machine.run("setpriv", "--reuid=nobody", "--clear-groups", "headgate",
                                    "--socket", "/run/headgate/headgated.sock", "status")
        self.assertEqual(stranger.returncode, 7, stranger.stderr)

    def test_4_a_watchdog_that_runs_out_brings_the_controller_back_and_moves_nobody(self):
        self.machine.shell(self.environment() + "headgate close shop")
        before = self.pid("headgated")
        self.machine.shell(f"kill -STOP {before}")
        self.await_active("headgated", before)
        self.assertEqual(self.enforced(), "0")
        status = self.machine.shell("headgate --socket /run/headgate/headgated.sock status")
        self.assertRegex(status, r"(?m)^shop +0 %")

    def test_5_a_killed_agent_comes_back_and_the_share_stays(self):
        before = self.pid("headgate-agent")
        self.machine.shell(f"kill -KILL {before}")
        self.await_active("headgate-agent", before)
        self.assertEqual(self.enforced(), "0")

    def test_6_the_agent_comes_and_goes_with_its_load_balancer_and_not_the_other_way_round(self):
        before = self.pid("headgate-agent")
        self.machine.shell("systemctl restart haproxy")
        self.await_active("headgate-agent", before)
        self.machine.shell("systemctl stop haproxy")
        self.assertEqual(self.show("headgate-agent", "ActiveState"), "inactive")
        self.machine.shell("systemctl start haproxy")
        self.await_active("headgate-agent", "")
        self.assertEqual(self.enforced(), "0")
        self.machine.shell("systemctl stop headgate-agent")
        self.assertEqual(self.show("haproxy", "ActiveState"), "active")
        self.assertEqual(self.enforced(), "0")
        self.machine.shell("systemctl start headgate-agent")

    def test_7_the_journal_is_copied_while_it_runs_and_put_back(self):
        backup, restore = [block for block in blocks("RUNBOOK.md", "## The journal",
                                                     "## Before the night") if "journal" in block]
        self.machine.shell(self.environment() + "headgate close shop --reason 'before the copy'")
        self.machine.shell(backup)
        self.machine.shell(self.environment() + "headgate gates create other --share 100%")
        self.machine.shell(restore)
        process.wait_for(lambda: "shop" in self.machine.shell(
            "headgate --socket /run/headgate/headgated.sock status"), 30, "the controller is back")
        told = self.machine.shell("headgate --socket /run/headgate/headgated.sock timeline shop")
        self.assertIn("before the copy", told)
        gates = self.machine.shell("headgate --socket /run/headgate/headgated.sock status")
        self.assertNotIn("other", gates)
        self.assertRegex(gates, r"(?m)^shop +0 %")

    def test_8_without_its_key_the_controller_serves_root_still(self):
        self.machine.shell("mv /etc/headgate/controller.key /var/tmp/; systemctl restart headgated")
        said = self.show("headgated", "StatusText")
        self.assertIn("only root on this host is served", said)
        self.machine.shell("headgate --socket /run/headgate/headgated.sock close shop || [ $? = 11 ]")
        self.machine.shell("mv /var/tmp/controller.key /etc/headgate/; systemctl restart headgated")
        process.wait_for(lambda: self.show("headgated", "StatusText").startswith("serves"), 20,
                         "it serves all again")

    def test_9_removing_the_packages_moves_nobody_and_keeps_the_journal(self):
        self.machine.shell("DEBIAN_FRONTEND=noninteractive dpkg --purge headgate-agent "
                           "headgate-controller headgate-cli")
        self.machine.shell("test -s /var/lib/headgated/journal.db; test -s /var/lib/headgate/shop.map;"
                           "haproxy -c -q -f /etc/haproxy/haproxy.cfg; systemctl is-active haproxy")
        # Nor does a later installation start at the next boot, unasked.
        self.assertEqual(self.machine.shell("find /etc/systemd/system -name 'headgate*.service'"), "")

    def test_9_then_an_account_of_the_agent_s_name_without_its_group_is_taken_as_it_is(self):
        self.machine.shell("userdel headgate; groupdel headgate 2>/dev/null || true;"
                           "useradd --no-user-group --gid users headgate;"
                           "dpkg --install /packages/headgate-agent_*.deb;"
                           "getent group headgate; id -gn headgate | grep -x users")


class Dockerfile:
    """What the last stage says."""

    def __init__(self, kind):
        self.kind = kind
        self.text = read("packaging/images", kind + ".Dockerfile")
        self.last = self.text[self.text.rindex("FROM "):]

    def words(self, instruction):
        return json.loads(re.search(rf"(?m)^{instruction} .*?(\[.*\])$", self.last).group(1))

    @property
    def user(self):
        return re.search(r"(?m)^USER (.*)$", self.last).group(1)


class ImagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.builder = debian("builder")
        subprocess.run(["cp", os.path.join(ROOT, "packaging/images/steps"), cls.builder], check=True)
        for kind in ("controller", "agent"):
            step = json.loads(re.search(r'(?m)^RUN (\["/steps".*\])$', Dockerfile(kind).text).group(1))
            step[-1] += "-" + kind
            container.run_in(cls.builder, *step)

    def image(self, kind):
        return os.path.join(self.builder, "root-of-image-" + kind)

    def test_there_is_no_shell_and_nobody_is_root(self):
        for kind in ("controller", "agent"):
            file = Dockerfile(kind)
            self.assertRegex(file.user, r"^[1-9]\d+:[1-9]\d+$")
            self.assertIn("\nFROM scratch\n", file.text)
            programs = [os.path.join(path, name) for path, _, names in os.walk(self.image(kind))
                        for name in names if "/lib" not in path
                        and os.path.isfile(os.path.join(path, name))
                        and os.access(os.path.join(path, name), os.X_OK)]
            shipped = {"headgated", "headgate"} if kind == "controller" else {"headgate-agent"}
            self.assertEqual({os.path.basename(program) for program in programs}, shipped)

    def start(self, kind):
        """As the Dockerfile says, without a network. The image has no shell: those here are this machine's."""
        file, image = Dockerfile(kind), self.image(kind)
        os.makedirs(os.path.join(image, "proc"), exist_ok=True)
        return process.Child([*container.APART, "--net", "sh", "-ec",
                              'ip link set lo up; mount -t proc proc "$0/proc"\n'
                              f'exec chroot --userspec={file.user} "$0" "$@"',
                              image, *file.words("ENTRYPOINT"), *file.words("CMD")],
                             log=os.path.join(_made["folder"], kind + ".log"))

    def health(self, child, kind):
        file = Dockerfile(kind)
        return container.enter(child, *file.words("HEALTHCHECK"), root=self.image(kind),
                               user=file.user)

    def certificates(self, image, role, name, names):
        cli = lab.default_programs() + "/headgate"
        folder = os.path.join(_made["folder"], "ca-" + role)
        for words in (["init", "--dir", folder, "--trust-domain", "shop.example"],
                      ["issue", "--ca-dir", folder, "--dir", folder, "--role", role, "--name", name]):
            subprocess.run([cli, "certs", *words], check=True, stdout=subprocess.DEVNULL)
        for source, target in (("ca.crt", "ca.crt"), (f"{role}-{name}.crt", names + ".crt"),
                               (f"{role}-{name}.key", names + ".key")):
            subprocess.run(["install", "-o", "64000", "-m", "600", os.path.join(folder, source),
                            os.path.join(image, "etc/headgate", target)], check=True)

    def test_the_controllers_image_serves_and_is_healthy_until_it_hangs(self):
        image = self.image("controller")
        self.certificates(image, "controller", "ctl-1", "tls")
        child = self.start("controller")
        self.addCleanup(child.kill)
        child.wait_until(lambda: self.health(child, "controller").returncode == 0, 20,
                         "its HEALTHCHECK succeeds")
        pid = process.children(child.pid)[0]
        os.kill(pid, signal.SIGSTOP)
        self.assertEqual(self.health(child, "controller").returncode, 7)

    def test_the_agents_image_runs_and_is_healthy_without_a_load_balancer(self):
        image = self.image("agent")
        self.certificates(image, "agent", "edge-1", "agent")
        config = read("packaging/config/agent.yaml").replace("/var/lib/headgate-agent",
                                                             "/var/lib/headgate/agent")
        with open(os.path.join(image, "etc/headgate/agent.yaml"), "w", encoding="utf-8") as file:
            file.write(config)
        child = self.start("agent")
        self.addCleanup(child.kill)
        child.wait_until(lambda: self.health(child, "agent").returncode == 0, 20,
                         "its HEALTHCHECK succeeds")
        pid = process.children(child.pid)[0]
        os.kill(pid, signal.SIGSTOP)
        self.assertEqual(self.health(child, "agent").returncode, 3)


if __name__ == "__main__":
    process.exit_on_signals()
    unittest.main()
