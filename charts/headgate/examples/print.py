#!/usr/bin/env python3
"""Writes the parts of the examples that `headgate-agent snippet` prints. Usage: print.py HEADGATE_AGENT [--check]; with
--check nothing is written, and what is not current is said (exit code 1). Standard library only."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def snippet(agent, *words):
    return subprocess.run([agent, "snippet", *words], check=True, capture_output=True, text=True).stdout


def between(text, begin, end):
    """From the line that begins with `begin` (after blanks) to the one before `end`."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.lstrip().startswith(begin))
    rest = [i for i, line in enumerate(lines) if i > first and end and line.lstrip().startswith(end)]
    return "\n".join(lines[first:rest[0] if rest else None]).rstrip()


def haproxy(agent):
    text = snippet(agent, "haproxy", "--gate", "shop", "--app-backend", "app", "--map", "/var/lib/headgate/shop.map",
                   "--socket", "/run/headgate/haproxy.sock", "--slow", "500ms", "--bypass", "path=/healthz")
    head = (HERE / "haproxy/files/haproxy.cfg.head").read_text(encoding="utf-8")
    head = "\n".join(line for line in head.splitlines() if not line.startswith("# "))
    whole = head.replace("@frontend@", between(text, "# 2.", "# 3.")).replace("@backends@", between(text, "# 3.", None))
    return {"haproxy/files/haproxy.cfg": whole.strip() + "\n"}


def nginx(agent):
    text = snippet(agent, "nginx-auth-request", "--gate", "shop", "--listen", "unix:/run/headgate/shop.sock",
                   "--remembered", "/var/lib/headgate/remembered", "--bypass", "path=/healthz", "--access-log",
                   "127.0.0.1:9103")
    return {"nginx/files/http.conf": between(text, "# 1.", "# 2.") + "\n",
            "nginx/files/server.conf": between(text, "# 2.", None) + "\n"}


def envoy(agent):
    return {"envoy/files/envoy.yaml": snippet(
        agent, "envoy", "--gate", "shop", "--app-cluster", "app", "--share", "/var/lib/headgate/shop.yaml", "--admin",
        "/run/headgate/envoy.sock", "--slow", "500ms", "--bypass", "path=/healthz", "--listen", "0.0.0.0:8080",
        "--app-address", "app.invalid:8081")}


def main():
    agent = sys.argv[1]
    wanted = haproxy(agent) | nginx(agent) | envoy(agent)
    stale = [name for name, text in wanted.items()
             if not (HERE / name).exists() or (HERE / name).read_text(encoding="utf-8") != text]
    for name in stale:
        if sys.argv[2:] == ["--check"]:
            print(f"examples/{name} is not what this headgate-agent prints: run examples/print.py")
        else:
            (HERE / name).write_text(wanted[name], encoding="utf-8")
    return 1 if stale and sys.argv[2:] == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main())
