"""A fresh Debian in a folder, and the same with its own systemd as process 1: for tests of what is
installed. Everything is apart from this machine (processes, mounts, network, cgroups) and ends with
the test. Needs root. Standard library, mmdebstrap and util-linux only."""

import glob
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support/lab"))
# pylint: disable=wrong-import-position
import process

# Of a machine: all but the network's.
APART = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child",
         "--propagation", "private"]

MOUNTS = """
set -eu
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
for name in null zero full random urandom tty; do
  : > dev/$name
  mount --bind /dev/$name dev/$name
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs dev/shm
"""

BOOT = MOUNTS + """
mount -t sysfs -o ro sysfs sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs tmpfs sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
mkdir -p before
pivot_root . before
umount -l /before
# systemd hands credentials to its services by mounts of its own.
mount --make-rshared /
exec env -i container=headgate-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd \\
  --log-target=console --show-status=no systemd.unit=multi-user.target
"""

RUN = MOUNTS + """
shift
exec chroot . "$@"
"""


class Unavailable(RuntimeError):
    """This machine cannot do it; the text says why."""


def _sources():
    """Where this machine has its packages from."""
    found = [path for path in ["/etc/apt/sources.list"] if os.path.exists(path)]
    return found + sorted(glob.glob("/etc/apt/sources.list.d/*.list") +
                          glob.glob("/etc/apt/sources.list.d/*.sources"))


def _release():
    with open("/etc/os-release", encoding="utf-8") as file:
        words = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    return words.get("VERSION_CODENAME", "")


def check_possible():
    if os.geteuid() != 0:
        raise Unavailable("it needs root")
    if not shutil.which("mmdebstrap"):
        raise Unavailable("mmdebstrap is not installed: ./dev installs it")
    tried = subprocess.run([*APART, "--net", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                           capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise Unavailable(f"no namespaces of its own: {tried.stderr.strip()}")


def make(folder, packages):
    """A Debian of this machine's release in `folder`, with the lists of its packages."""
    check_possible()
    done = subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "--skip=cleanup/apt",
         "--include=" + ",".join(packages), _release(), folder, *_sources()],
        capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        raise Unavailable(f"mmdebstrap: {done.stderr.strip()[-2000:]}")


def run_in(folder, *words, timeout_s=300.0, check=True):
    """A command in the folder as its root, with processes of its own and this machine's network."""
    done = subprocess.run([*APART, "sh", "-c", RUN, "sh", folder, *words], capture_output=True,
                          text=True, check=False, timeout=timeout_s, stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise process.LabError(f"{' '.join(words)}: {done.returncode}: {done.stdout}{done.stderr}")
    return done


def enter(child, *words, timeout_s=60.0, root=None, user=None):
    """A command beside a child that runs apart; in `root`, as `user`, where they are given."""
    pid = process.children(child.pid)[0]
    inside = ["chroot", *([f"--userspec={user}"] if user else []), root] if root else []
    return subprocess.run(["nsenter", "-t", str(pid), "-m", "-p", "-n", "-i", "-u", "-C", "--",
                           *inside, *words], capture_output=True, text=True, check=False,
                          timeout=timeout_s, stdin=subprocess.DEVNULL,
                          # Nothing in there has a way to our own group of processes.
                          start_new_session=True)


class Machine:
    """The folder, running: its systemd is process 1 of it."""

    def __init__(self, folder, log):
        script = BOOT.replace("set -eu\n", "set -eu\nip link set lo up\n", 1)
        self._child = process.Child([*APART, "--net", "sh", "-c", script, "sh", folder], log=log)
        self._child.wait_until(self._is_up, 60, "systemd has started what it starts")

    def _is_up(self):
        if not process.children(self._child.pid):
            return False
        said = enter(self._child, "systemctl", "is-system-running").stdout.strip()
        return said in ("running", "degraded")

    def run(self, *words, timeout_s=120.0):
        return enter(self._child, *words, timeout_s=timeout_s)

    def shell(self, script, timeout_s=300.0):
        """The lines that a person would type."""
        done = enter(self._child, "env", "-i", "HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                     "bash", "-euo", "pipefail", "-c", script, timeout_s=timeout_s)
        if done.returncode != 0:
            raise process.LabError(f"{script}\nended with {done.returncode}: "
                                   f"{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return done.stdout

    def beside(self, *words, log):
        """A program of this machine's, in the other's network."""
        pid = process.children(self._child.pid)[0]
        return process.Child(["nsenter", "-t", str(pid), "-n", "--", *words], log=log)

    def stop(self):
        self._child.kill()


def remove(folder):
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=False)
