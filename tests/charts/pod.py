"""A pod of a rendered workload as processes of this machine: volumes are folders, mounts are paths rewritten in arguments,
variables and files, ports are free ones on loopback. What the chart renders is else taken as it is, and the programs are the
real ones, as the user nobody."""

import os
import pathlib
import pwd
import re
import shutil
import stat
import subprocess

import chart
import process

USER = "nobody"


class Machine:
    """What the pods of one test share: a short folder (a socket's path has 107 letters at most), programs that nobody may
    run, an authority, and ports."""

    def __init__(self, folder, programs):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)
        self.programs = {}
        for name, path in programs.items():
            self.programs[name] = self.folder / "bin" / name
            self.programs[name].parent.mkdir(exist_ok=True)
            shutil.copy(path, self.programs[name])
            self.programs[name].chmod(0o755)
        self._headgate = self.programs["headgate"]
        self._run("certs", "init", "--dir", self.folder / "ca", "--trust-domain", "shop.example")
        # Port and host of the chart to those of here.
        self.names = {}

    def _run(self, *words):
        subprocess.run([self._headgate, *words], check=True, capture_output=True)

    def secret(self, role, name, dns=()):
        """A folder as a Secret is mounted: ca.crt, tls.crt, tls.key."""
        place = self.folder / "secrets" / f"{role}-{name}"
        if not place.exists():
            issued = self.folder / "issued"
            self._run("certs", "issue", "--ca-dir", self.folder / "ca", "--dir", issued, "--role", role, "--name", name,
                      *[word for it in dns for word in ("--dns", it)])
            place.mkdir(parents=True)
            shutil.copy(self.folder / "ca/ca.crt", place / "ca.crt")
            shutil.copy(issued / f"{role}-{name}.crt", place / "tls.crt")
            shutil.copy(issued / f"{role}-{name}.key", place / "tls.key")
            self.give(place)
        return place

    def renew(self, role, name, dns):
        """Issues it again, the key first, as a Secret's files are exchanged."""
        place = self.folder / "secrets" / f"{role}-{name}"
        kept = place.rename(place.with_name(place.name + ".old"))
        shutil.rmtree(self.folder / "issued")
        self.secret(role, name, dns)
        for file in ("tls.key", "tls.crt"):
            os.replace(place / file, kept / file)
        shutil.rmtree(place)
        kept.rename(place)

    @staticmethod
    def give(path):
        """To the user that the pods run as."""
        if os.geteuid() == 0:
            account = pwd.getpwnam(USER)
            for each in [path, *pathlib.Path(path).rglob("*")]:
                os.chown(each, account.pw_uid, account.pw_gid)


class Pod:
    """`volumes`: folders of what outlives a pod, by the volume's name; certificates too."""

    def __init__(self, machine, name, spec, rendered, volumes):
        self.machine = machine
        self.name = name
        self.spec = spec
        self.folder = machine.folder / name
        self.ports = {}
        self._rendered = rendered
        self._children = []
        self._volumes = {it["name"]: volumes.get(it["name"], self.folder / it["name"]) for it in spec["volumes"]}
        for volume in spec["volumes"]:
            if volume["name"] not in volumes:
                self._make(volume)

    def _make(self, volume):
        place = self._volumes[volume["name"]]
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        if "configMap" in volume:
            for name, text in self._rendered.one("ConfigMap", volume["configMap"]["name"])["data"].items():
                (place / name).write_text(self.here(self._owner(volume["name"]), text), encoding="utf-8")
        self.machine.give(place)
        if "emptyDir" in volume:
            place.chmod(stat.S_ISGID | 0o777)  # as a kubelet makes it for an fsGroup

    def _owner(self, volume):
        return next(it for it in chart.containers(self.spec)
                    if volume in [mount["name"] for mount in it.get("volumeMounts", [])])

    def port(self, number):
        """The free one that stands for the chart's."""
        if number not in self.ports:
            self.ports[number] = process.free_port()
        return self.ports[number]

    def here(self, container, text):
        """The text with this container's mounts, ports and names as they are on this machine."""
        for name, address in self.machine.names.items():
            text = text.replace(name, address)
        mounts = {mount["mountPath"]: self._volumes[mount["name"]] for mount in container["volumeMounts"]}
        # All at once: what has been put in place is not looked at again.
        paths = "|".join(re.escape(path) for path in sorted(mounts, key=len, reverse=True))
        text = re.sub(rf"(?<![\w./-])({paths})(?![\w-])", lambda match: str(mounts[match.group(1)]), text)
        text = text.replace("0.0.0.0", "127.0.0.1").replace("$(POD_NAME)", self.name)
        return re.sub(r"(?<![\d.])(7443|9464|9466|9465|9467|9468|8080|8404|9103)(?!\d)",
                      lambda match: str(self.port(int(match.group(1)))), text)

    def command(self, name, program):
        """The container's words and variables, for this program."""
        container = chart.container(self.spec, name)
        words = container.get("args") or container["command"][1:]
        env = {it["name"]: self.here(container, it["value"]) for it in container.get("env", []) if "value" in it}
        return [self.machine.programs[program], *[self.here(container, word) for word in words]], env

    def start(self, name, program):
        argv, env = self.command(name, program)
        child = process.Child(argv, log=str(self.folder / f"{name}.log"), user=USER, env=env, cwd="/")
        self._children.append(child)
        return child

    def run(self, name, program):
        """An init container, or a Job's: to its end."""
        argv, env = self.command(name, program)
        return self.run_words(argv, env)

    def run_words(self, argv, env=None):
        user = {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, cwd="/",
                              env=os.environ | (env or {}), **user)

    def stop(self):
        for child in reversed(self._children):
            child.stop()
        self._children = []
