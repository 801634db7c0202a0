"""A real Prometheus on a free loopback port, and an exporter whose numbers a test sets. Standard
library only.

From Python:

    with prometheus.Prometheus({"haproxy": ["127.0.0.1:8404"]}) as server:
        server.query("sum(up)")                    # {"resultType": ..., "result": [...]}

As a program it starts an exporter and a Prometheus that scrapes it every second, prints one JSON
line when both are ready, then takes commands on stdin, one a line, answers each with one JSON line,
and stops everything when stdin closes:

    set SERIES VALUE           e.g. set errors_total{code="500"} 3
    grow SERIES RATE           a counter that grows by RATE per second from now on, from 0
    stamp SERIES VALUE AGE_S   the same, exposed with a timestamp that stands still from now on
    drop SERIES
    stop exporter | start exporter | stop prometheus | start prometheus | pause prometheus |
    resume prometheus
"""

import http.server
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import process  # pylint: disable=wrong-import-position


class Prometheus:
    """`targets`: addresses by job; `jobs`: further text of each job's configuration, by job (e.g.
    its metrics_path), indented as YAML wants it. Ready when the constructor returns."""

    def __init__(self, targets, scrape_interval="1s", folder=None, jobs=None):
        self._own_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="headgate-prometheus-", dir="/tmp")
        self.port = process.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = os.path.join(self.folder, "prometheus.log")
        self._config = os.path.join(self.folder, "prometheus.yml")
        self.child = None
        self.configure(targets, scrape_interval, jobs)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def configure(self, targets, scrape_interval="1s", jobs=None):
        lines = [f"global: {{scrape_interval: {scrape_interval}, scrape_timeout: {scrape_interval},"
                 f" evaluation_interval: {scrape_interval}}}", "scrape_configs:"]
        for job, addresses in targets.items():
            lines += [f"- job_name: {job}", f"  static_configs: [{{targets: {json.dumps(addresses)}}}]"]
            lines += [f"  {line}" for line in (jobs or {}).get(job, "").splitlines()]
        with open(self._config, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def start(self, timeout_s=15.0):
        program = shutil.which("prometheus")
        if not program:
            raise process.LabError("prometheus is not installed: apt-get install prometheus")
        self.child = process.Child(
            [program, f"--config.file={self._config}",
             f"--storage.tsdb.path={os.path.join(self.folder, 'data')}",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"],
            log=self.log, cwd=self.folder)
        self.child.wait_until(self._is_ready, timeout_s, "Prometheus is ready")

    def _is_ready(self):
        with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:
            return answer.status == 200

    def query(self, text, at=None):
        """The `data` of an instant query's answer."""
        parameters = {"query": text} | ({} if at is None else {"time": at})
        url = f"{self.url}/api/v1/query?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["data"]

    def pause(self):
        self.child.pause()

    def resume(self):
        self.child.resume()

    def stop(self):
        if self.child is not None:
            self.child.stop()

    def close(self):
        self.stop()
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Exporter:
    """Serves what `series` holds: the exposition's text by series. Its own threads; set from any."""

    def __init__(self):
        self.port = process.free_port()
        self._series = {}
        self._lock = threading.Lock()
        self._server = None

    def set(self, series, value):
        with self._lock:
            self._series[series] = str(value)

    def stamp(self, series, value, age_s):
        self.set(series, f"{value} {int((time.time() - age_s) * 1000)}")

    def grow(self, series, rate):
        with self._lock:
            began = time.monotonic()
            self._series[series] = lambda: str(int((time.monotonic() - began) * rate))

    def drop(self, series):
        with self._lock:
            self._series.pop(series, None)

    def text(self):
        with self._lock:
            return "".join(f"{series} {value() if callable(value) else value}\n"
                           for series, value in self._series.items())

    def start(self):
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                body = exporter.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):  # pylint: disable=arguments-differ
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # a Prometheus that is stopped drops its scrapes

        self._server = Server(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def _obey(server, exporter, line):
    words = line.split()
    parts = {"exporter": exporter, "prometheus": server}
    try:
        if len(words) == 2 and words[0] in ("stop", "start", "pause", "resume") and words[1] in parts:
            getattr(parts[words[1]], words[0])()
        elif len(words) == 3 and words[0] == "set":
            exporter.set(words[1], float(words[2]))
        elif len(words) == 3 and words[0] == "grow":
            exporter.grow(words[1], float(words[2]))
        elif len(words) == 4 and words[0] == "stamp":
            exporter.stamp(words[1], float(words[2]), float(words[3]))
        elif len(words) == 2 and words[0] == "drop":
            exporter.drop(words[1])
        else:
            return {"ok": False, "error": f"'{line}' is no command: see the top of prometheus.py"}
    except (process.LabError, ValueError, AttributeError) as error:
        return {"ok": False, "error": str(error)}
    return {"ok": True}


def main():
    process.exit_on_signals()
    exporter = Exporter()
    exporter.start()
    with Prometheus({"shop": [f"127.0.0.1:{exporter.port}"]}) as server:
        print(json.dumps({"url": server.url, "pid": server.child.pid, "log": server.log,
                          "exporter_port": exporter.port}), flush=True)
        for line in sys.stdin:
            print(json.dumps(_obey(server, exporter, line.strip())), flush=True)


if __name__ == "__main__":
    main()
