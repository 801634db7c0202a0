#!/usr/bin/env python3
"""The tables and the picture of docs/JUDGEMENT.md, from what ./dev bench judgement printed.

    ./dev bench judgement --runs 200 --seed 20261125 > run.txt
    tests/bench/judgement/page.py --picture docs/judgement-frontier.svg < run.txt
"""

import argparse
import json
import math
import sys

POLICIES = {
    "headgate": "Headgate", "headgate-nodb": "Headgate, no database signal",
    "flagger-60x5": "Flagger 60 s × 5", "flagger-60x1": "Flagger 60 s × 1",
    "flagger-10x5": "Flagger 10 s × 5", "argo-5m": "Argo Rollouts 5 min",
    "argo-10s": "Argo Rollouts 10 s", "kayenta": "Kayenta", "poll5": "5 s poll", "aimd": "AIMD",
}
# Who is back later on a sound platform is no rival in errors: he kept everybody out.
RIVAL_MINUTES = 7
# Bad scenarios that are not named B: what is lost in them says nothing of a policy.
BAD_OTHERS = ("Z7", "Z8")


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


class Run:
    """The rows of one run of the benchmark."""

    def __init__(self, text):
        result = json.loads(text.strip().splitlines()[-1])
        self.seed, self.runs = result["seed"], result["runs"]
        self._rows = {(row["scenario"], row["policy"]): row for row in result["rows"]}
        self.scenarios = list(dict.fromkeys(row["scenario"] for row in result["rows"]))
        self.policies = [name for name in POLICIES
                         if any(row["policy"] == name for row in result["rows"])]

    def of(self, scenario, policy):
        return self._rows[scenario, policy]

    def bearable(self):
        return [name for name in self.scenarios
                if self.of(name, self.policies[0])["p_false"] is not None]

    def bad(self):
        """Scenarios in which something is to be found."""
        return [name for name in self.scenarios if name.startswith("B")]

    def false_percent(self, policy):
        return mean(100 * self.of(name, policy)["p_false"] for name in self.bearable())

    def lost_of_bearable(self, policy):
        return mean(self.of(name, policy)["lost_kum"] for name in self.bearable())

    def is_rival(self, policy):
        minutes = self.of("H1", policy)["t100_min"]
        return minutes is not None and minutes <= RIVAL_MINUTES

    def errors_of_bad(self, policy):
        return mean(self.of(name, policy)["errors"] / 1000 for name in self.bad())


def mean(values):
    values = list(values)
    return sum(values) / max(1, len(values))


def table(run, title, scenarios, cell, policies=None):
    policies = policies or run.policies
    print(f"**{title}**\n")
    print("| | " + " | ".join(POLICIES[name] for name in policies) + " |")
    print("| --- " * (len(policies) + 1) + "|")
    for scenario in scenarios:
        cells = (cell(run.of(scenario, policy)) for policy in policies)
        print(f"| {scenario} | " + " | ".join(cells) + " |")
    print()


def frontier_table(run):
    print("**What caution costs**\n")
    print("| policy | false retreats, % of hours | errors served in B, thousand | "
          "minutes to 100 % in H1 |")
    print("| --- | --- | --- | --- |")
    for policy in run.policies:
        minutes = run.of("H1", policy)["t100_min"]
        print(f"| {POLICIES[policy]} | {number(run.false_percent(policy), 1)} | "
              f"{number(run.errors_of_bad(policy), 1)} | {number(minutes, 1)} |")
    print()


def errors(row):
    return f"{row['errors'] / 1000:.1f}"


def rivals_table(run):
    """Who is back within RIVAL_MINUTES and serves fewer errors somewhere, and what that costs."""
    print(f"**Who is back to 100 % in H1 within {RIVAL_MINUTES} minutes, "
          "and serves fewer errors**\n")
    print("| policy | fewer errors in (thousand, Headgate's) | false retreats, % of hours: "
          "least, mean, most | lost on platforms that carry everybody, kum |")
    print("| --- | --- | --- | --- |")
    for policy in filter(run.is_rival, run.policies):
        fewer = [f"{name} {errors(run.of(name, policy))} ({errors(run.of(name, 'headgate'))})"
                 for name in run.bad()
                 if run.of(name, policy)["errors"] < run.of(name, "headgate")["errors"]]
        if policy.startswith("headgate-") or (policy != "headgate" and not fewer):
            continue
        rates = [100 * run.of(name, policy)["p_false"] for name in run.bearable()]
        print(f"| {POLICIES[policy]} | {', '.join(fewer) or '–'} | {min(rates):.1f}, "
              f"{mean(rates):.1f}, {max(rates):.1f} | "
              f"{number(run.lost_of_bearable(policy))} |")
    print()


def losses(run):
    """Where a peer loses fewer user-minutes without taking users out for nothing."""
    for scenario in run.scenarios:
        if scenario[0] not in "HMYZ" or scenario in BAD_OTHERS:
            continue
        for ours in ("headgate", "headgate-nodb"):
            for peer in run.policies:
                row = run.of(scenario, peer)
                if peer.startswith("headgate") or (row["p_false"] or 0) > 0.01:
                    continue
                if row["lost_kum"] < run.of(scenario, ours)["lost_kum"]:
                    yield f"{scenario}: {peer} loses {row['lost_kum']:.1f}, {ours} " \
                          f"{run.of(scenario, ours)['lost_kum']:.1f}"


class Labels:
    """Finds a place beside each point where no label lies yet."""

    _CHAR, _LINE = 6.3, 13

    def __init__(self):
        self._taken = []

    def place(self, x, y, text):
        """The y of the text that begins at x, near y."""
        for shift in (4, -12, 20, -28, 36):
            box = (x, y + shift - self._LINE, x + self._CHAR * len(text), y + shift)
            if all(box[2] < other[0] or other[2] < box[0] or box[3] <= other[1]
                   or other[3] <= box[1] for other in self._taken):
                break
        self._taken.append(box)
        return box[3]


def picture(run):
    """Errors served (logarithmic) over false retreats; the corner at the lower left is best."""
    width, height, left, top, right, bottom = 760, 400, 70, 20, 190, 50
    decades = range(0, 4)

    def x_of(percent):
        return left + (width - left - right) * percent / 100

    def y_of(errors):
        span = decades[-1] - decades[0]
        part = (math.log10(max(errors, 1)) - decades[0]) / span
        return height - bottom - (height - top - bottom) * part

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for percent in range(0, 101, 20):
        parts.append(f'<path d="M{x_of(percent):.1f} {top}V{height - bottom}" stroke="#ddd"/>'
                     f'<text x="{x_of(percent):.1f}" y="{height - bottom + 16}" '
                     f'text-anchor="middle">{percent} %</text>')
    for decade in decades:
        y = y_of(10 ** decade)
        parts.append(f'<path d="M{left} {y:.1f}H{width - right}" stroke="#ddd"/>'
                     f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">'
                     f'{10 ** decade:,}</text>')
    parts.append(f'<text x="{(left + width - right) / 2}" y="{height - 12}" text-anchor="middle">'
                 'hours with a false retreat, mean of the bearable scenarios</text>'
                 f'<text transform="translate(16 {(top + height - bottom) / 2}) rotate(-90)" '
                 'text-anchor="middle">thousand errors served, mean of B</text>')
    labels = Labels()
    for policy in run.policies:
        x, y = x_of(run.false_percent(policy)), y_of(run.errors_of_bad(policy))
        minutes = number(run.of("H1", policy)["t100_min"], 1)
        text = f"{POLICIES[policy]}: {minutes} min to 100 %"
        color = "#c00" if policy.startswith("headgate") else "#357"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{color}"/>'
                     f'<text x="{x + 9:.1f}" y="{labels.place(x + 9, y, text):.1f}">{text}</text>')
    return "\n".join(parts + ["</svg>", ""])


# One colour for each policy that is_rival, in the order of POLICIES.
COLORS = ("#c00", "#357", "#2a7", "#a5a", "#d80", "#777", "#06c", "#850", "#5a0", "#000")


def panels(run):
    """Each bad scenario by itself: errors served (logarithmic) over false retreats."""
    policies = [name for name in run.policies
                if run.is_rival(name) and name != "headgate-nodb"]
    across, width, height, left, top, gap = 5, 150, 130, 50, 50, 34
    rows = math.ceil(len(run.bad()) / across)
    whole = left + across * (width + gap), top + rows * (height + gap) + 20
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole[0]}" height="{whole[1]}" '
             'font-family="sans-serif" font-size="11">',
             f'<rect width="{whole[0]}" height="{whole[1]}" fill="white"/>']
    for i, policy in enumerate(policies):
        x = left + i * (whole[0] - left) / len(policies)
        parts.append(f'<circle cx="{x:.0f}" cy="16" r="4" fill="{COLORS[i]}"/>'
                     f'<text x="{x + 8:.0f}" y="20">{POLICIES[policy]}</text>')
    for i, scenario in enumerate(run.bad()):
        x0 = left + i % across * (width + gap)
        y0 = top + i // across * (height + gap)
        rows_of = [run.of(scenario, policy) for policy in policies]
        most = max(1, *(math.ceil(math.log10(max(row["errors"], 1))) for row in rows_of))
        least = most - 4
        parts.append(f'<rect x="{x0}" y="{y0}" width="{width}" height="{height}" fill="none" '
                     f'stroke="#aaa"/><text x="{x0}" y="{y0 - 5}">{scenario}</text>')
        for decade in range(least, most + 1):
            y = y0 + height * (most - decade) / (most - least)
            parts.append(f'<path d="M{x0} {y:.1f}h{width}" stroke="#eee"/>'
                         f'<text x="{x0 - 3}" y="{y + 4:.1f}" text-anchor="end" font-size="9">'
                         f'10{"⁰¹²³⁴⁵⁶⁷"[decade] if decade >= 0 else "⁻"}</text>')
        for color, policy, row in zip(COLORS, policies, rows_of):
            part = (most - math.log10(max(row["errors"], 1))) / (most - least)
            parts.append(f'<circle cx="{x0 + width * run.false_percent(policy) / 100:.1f}" '
                         f'cy="{y0 + height * min(part, 1):.1f}" r="4" fill="{color}"/>')
        for percent in (0, 50, 100):
            parts.append(f'<text x="{x0 + width * percent / 100}" y="{y0 + height + 12}" '
                         f'text-anchor="middle" font-size="9">{percent} %</text>')
    parts.append(f'<text x="{whole[0] / 2}" y="{whole[1] - 6}" text-anchor="middle">errors served '
                 'over hours with a false retreat, mean of the bearable scenarios</text>')
    return "\n".join(parts + ["</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", metavar="FILE", help="also draw the frontier, as SVG")
    parser.add_argument("--panels", metavar="FILE", help="and for each bad scenario by itself")
    options = parser.parse_args()
    run = Run(sys.stdin.read())
    print(f"Seed {run.seed}, {run.runs} runs each.\n")
    table(run, "Lost thousand user-minutes of 1,200 / minutes to 100 %",
          [name for name in run.scenarios if not name.startswith("B")],
          lambda row: f"{number(row['lost_kum'])} / {number(row['t100_min'], 1)}")
    table(run, "Median seconds from the onset to the first retreat", run.bad(),
          lambda row: number(row["delay50_s"]))
    table(run, "Errors served, thousand", run.bad(), lambda row: number(row["errors"] / 1000, 1))
    table(run, "False retreats, % of hours on a platform that can carry everybody",
          run.bearable(), lambda row: number(100 * row["p_false"], 1))
    table(run, "Seconds in collapse",
          [name for name in run.scenarios if name[0] in "MY"],
          lambda row: number(row["collapse_s"]))
    frontier_table(run)
    rivals_table(run)
    found = list(losses(run))
    print("No peer whose false retreats are at most 1 % loses fewer user-minutes.\n" if not found
          else "A peer loses fewer in: " + "; ".join(found) + ".\n")
    if options.picture:
        with open(options.picture, "w", encoding="utf-8") as file:
            file.write(picture(run))
    if options.panels:
        with open(options.panels, "w", encoding="utf-8") as file:
            file.write(panels(run))


if __name__ == "__main__":
    main()
