"""What PromQL asks for, and what a metrics page has: by name and by label. Enough of both languages for what the chart's
rules and panels say."""

import json
import re

import chart

# What Prometheus itself adds to a target's series, or a histogram has by its type.
ADDED = {"job", "instance", "namespace", "pod", "le"}
NAME = re.compile(r"\bheadgate_[a-z0-9_]+\b")


def family(name):
    return re.sub(r"_(bucket|sum|count)$", "", name) if name.startswith("headgate_journal_record_seconds") else name


def asked(expression):
    """For each family that it names: the labels that a selector or a legend asks of it."""
    found = {}
    for match in re.finditer(r"\b(headgate_[a-z0-9_]+)(\{[^}]*\})?", expression):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", match.group(2) or ""))
        found.setdefault(family(match.group(1)), set()).update(labels - ADDED)
    return found


def dashboard():
    return json.loads((chart.HEADGATE / "files/dashboard.json").read_text(encoding="utf-8"))


def panel_questions():
    """Each expression of the dashboard, with the labels that its legend shows."""
    board = dashboard()
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"], set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) - ADDED
    for annotation in board["annotations"]["list"]:
        yield "annotation", annotation["expr"], set(re.findall(r"\{\{(\w+)\}\}", annotation["titleFormat"])) - ADDED
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield "variable", variable["query"], set()


def page_families(page):
    """Of an exposition: each family with the labels of its series, its HELP line being enough."""
    found = {name: set() for name in re.findall(r"^# HELP (\S+)", page, re.MULTILINE)}
    for name, labels in re.findall(r"^(headgate_[a-z0-9_]+)(?:\{([^}]*)\})? ", page, re.MULTILINE):
        found.setdefault(family(name), set()).update(re.findall(r"(\w+)=\"", labels))
    return found


def documented():
    """Families and labels of the documentation's tables. Tests in C++ hold its names against those that are registered."""
    found = {}
    text = (chart.ROOT / "docs/METRICS.md").read_text(encoding="utf-8")
    for name, labels in re.findall(r"^\| (headgate_\w+) \| \w+ \|([^|]*)\|", text, re.MULTILINE):
        found[name] = {label.strip() for label in labels.split(",") if label.strip()}
    for page in ("haproxy", "endpoint"):
        text = (chart.ROOT / f"docs/agents/{page}.md").read_text(encoding="utf-8")
        for name in re.findall(r"^\| (headgate_\w+) \|", text, re.MULTILINE):
            found[name] = None  # its labels are not told there
    return found


def plain(expression):
    """As Grafana fills it in."""
    return expression.replace("$__rate_interval", "1m").replace("$gate", ".*")
