"""What a run of a program costs database servers and itself."""

import os
import resource
import subprocess
import time

import process


def tree_cpu_s(server):
    """Of the server's first process, its living children, and those that it has reaped."""
    pid = server.child.pid
    used = sum(process.cpu_s(child) for child in [pid] + process.descendants(pid))
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return used + (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def measured(servers, argv, expected=(0,), cpu_s=tree_cpu_s):
    """One run: the servers' CPU seconds, wall seconds, the client's CPU seconds, and its output."""
    before = [cpu_s(server) for server in servers]
    client = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=1800)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in expected:
        raise process.LabError(f"{argv[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    cpu = sum(cpu_s(server) - was for server, was in zip(servers, before))
    used = after.ru_utime + after.ru_stime - client.ru_utime - client.ru_stime
    return {"cpu": cpu, "wall": wall, "client": used, "out": done.stdout, "code": done.returncode}


def ticks_cpu_s(server):
    """Of a server that is one process with threads that come and go."""
    with open(f"/proc/{server.child.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(program, words):
    """A run's peak, as the kernel tells of this one child."""
    silent = [(os.POSIX_SPAWN_OPEN, stream, "/dev/null", os.O_WRONLY, 0) for stream in (1, 2)]
    child = os.posix_spawn(program, [os.path.basename(program), *words], os.environ, file_actions=silent)
    _, _, used = os.wait4(child, 0)
    return round(used.ru_maxrss / 1024, 1)
