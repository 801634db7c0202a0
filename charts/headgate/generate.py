#!/usr/bin/env python3
"""Writes what is told twice from where it is told once: values.yaml of both charts and README.md from their
values.schema.json, docs/ALERTS.md from files/alerts.json. `--check`: writes nothing, and says (exit code 1) what is
not current. Standard library only."""

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
LIBRARY = HERE / "charts/headgate-agent"
ALERTS_PAGE = HERE.parents[1] / "docs/ALERTS.md"


def read_schema(chart):
    return json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))


def is_group(schema):
    """An object whose values are told one by one."""
    return "properties" in schema and "default" not in schema


def yaml_lines(properties, indent=""):
    """Defaults as YAML, each under its description."""
    for name, schema in properties.items():
        if "default" not in schema and not is_group(schema):
            continue  # of another chart, or Helm's own
        yield f"{indent}# {schema['description']}"
        if is_group(schema):
            yield f"{indent}{name}:"
            yield from yaml_lines(schema["properties"], indent + "  ")
        else:
            yield f"{indent}{name}: {json.dumps(schema['default'], ensure_ascii=False)}"


def values_yaml(chart):
    head = ["# Made by charts/headgate/generate.py from values.schema.json, which refuses what does not stand here."]
    return "\n".join(head + list(yaml_lines(read_schema(chart)["properties"]))) + "\n"


def cell(text):
    return text.replace("|", "\\|")


def table_rows(properties, prefix=""):
    for name, schema in properties.items():
        if is_group(schema):
            yield f"| **{prefix}{name}** | | {cell(schema['description'])} |"
            yield from table_rows(schema["properties"], f"{prefix}{name}.")
        elif "default" in schema:
            default = json.dumps(schema["default"], ensure_ascii=False)
            yield f"| {prefix}{name} | `{cell(default)}` | {cell(schema['description'])} |"


def table(chart):
    return "\n".join(["| value | default | meaning |", "| --- | --- | --- |",
                      *table_rows(read_schema(chart)["properties"])])


def readme():
    head = (HERE / "README.head.md").read_text(encoding="utf-8").rstrip()
    return (f"{head}\n\n## Values\nWhat does not stand here is refused.\n\n{table(HERE)}\n\n"
            "## Values of an agent (headgate-agent)\n"
            "In your own chart's values.yaml they stand under `headgate-agent:`; of a DaemonSet, in this one's.\n\n"
            f"{table(LIBRARY)}\n")


def plain(text):
    """Templates of Prometheus as people read them."""
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: match.group(1).upper(), text)


def alerts_page():
    alerts = json.loads((HERE / "files/alerts.json").read_text(encoding="utf-8"))["alerts"]
    lines = ["# Alerts", "",
             "The chart's `prometheusRule.enabled` makes them, on any other Prometheus the rules of this page do. Each has its "
             "runbook in the annotation `runbook`, so that it is at hand where no page is. Made by "
             "`charts/headgate/generate.py` from `charts/headgate/files/alerts.json`; tried by `promtool test rules` "
             "(`tests/charts/alerts_test.py`).", "",
             "| alert | severity | after | says |", "| --- | --- | --- | --- |"]
    for alert in alerts:
        lines.append(f"| [{alert['alert']}](#{alert['alert'].lower()}) | {alert['severity']} | {alert['for']} | "
                     f"{cell(plain(alert['summary']))} |")
    for alert in alerts:
        lines += ["", f"## {alert['alert']}", plain(alert["description"]), "", "```", alert["expr"], "```",
                  *alert["runbook"]]
    return "\n".join(lines) + "\n"


def outputs():
    return {HERE / "values.yaml": values_yaml(HERE), LIBRARY / "values.yaml": values_yaml(LIBRARY),
            HERE / "README.md": readme(), ALERTS_PAGE: alerts_page()}


def main():
    stale = [path for path, text in outputs().items()
             if not path.exists() or path.read_text(encoding="utf-8") != text]
    if sys.argv[1:] == ["--check"]:
        for path in stale:
            print(f"{path} is not current: run charts/headgate/generate.py")
        return 1 if stale else 0
    for path in stale:
        path.write_text(outputs()[path], encoding="utf-8")
        print(f"{path} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
