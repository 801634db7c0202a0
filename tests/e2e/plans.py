"""The plans of the demo, written for the ports of the lab."""

import os

GATE = "shop"

PLAN = """\
# {comment}
gate: {gate}
admit: {{by: cookie headgate_uid}}
preflight: {{agents: [{agents}], databases: [orders], ready_for: {ready_for}}}
checks:
  - {{name: errors, ratio: agents.http_5xx, limit: 3%, window: 5s, min_sample: 30}}
  - {{name: slow, ratio: agents.slower_than(500ms), limit: 5%, window: 5s, min_sample: 30}}
  - name: payments
    ratio:
      prometheus:
        bad: sum(increase(payment_failed_total[2s]))
        total: sum(increase(payment_total[2s]))
        every: 2s
        bad_absent: zero
    limit: 5%
    window: 8s
    min_sample: 5
  - {{name: orders, database: orders}}
ramp: {{steps: adaptive, first: {first}, step_max: {step_max}, bake: {bake}..1m, patience: 10s}}
then: {{watch: {watch}, retries: 3, backoff: {backoff}}}
databases:
  orders:
    engine: postgres
    primary: {primary}
    replicas:
      - {{name: db2, dsn: '{standby}', kind: physical}}
      - {replica}
    lag: 2s..10s
prometheus: {prometheus}
"""


class Pace:
    """How long the demo takes to come back."""

    def __init__(self, ready_for, first, step_max, bake, watch, backoff, baseline_s, load_s):
        self.ready_for = ready_for
        # The first share, and the largest step up.
        self.first = first
        self.step_max = step_max
        self.bake = bake
        self.watch = watch
        self.backoff = backoff
        # Seconds of ordinary business before the outage, and of load at most.
        self.baseline_s = baseline_s
        self.load_s = load_s


FAST = Pace("2s", "10%", "60%", "2s", "5s", "1s", 5, 240)
FULL = Pace("5s", "5%", "20%", "5s", "15s", "4s", 15, 600)


def write(path, site, pace, comment, replica_is_out):
    """Writes the plan of the site; `replica_is_out`: the logical replica is declared taken out."""
    databases = site.databases
    replica = ("{name: db3, out: true}" if replica_is_out else
               f"{{name: db3, dsn: '{databases.replica.dsn()}', kind: logical}}")
    text = PLAN.format(
        comment=comment, gate=GATE, agents=", ".join(balancer.name for balancer in site.balancers),
        ready_for=pace.ready_for, first=pace.first, step_max=pace.step_max, bake=pace.bake,
        watch=pace.watch, backoff=pace.backoff, primary=databases.primary.dsn(),
        standby=databases.standby.dsn(), replica=replica, prometheus=site.prometheus.url)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return os.path.basename(path)
