"""The story of the demo: the outage of the post-mortem and the way back, on real parts.

Each claim is checked when it is told; nothing that is reported at the end is assumed.
"""

import json
import os
import time
import urllib.error
import urllib.request

import load
import plans
import process
import stickiness
import views
import watcher
from narrator import StoryError

GATE = plans.GATE
USERS = 20_000
REQUESTS_PER_SECOND = 600
# The pool while it is cut: 1 connection, 20 ms each, bears 50 pages a second.
POOL, CUT_POOL = 40, 1
# The cut comes in the middle of the ramp, when four times as much is asked for.
SHARE_BEFORE_CUT_PPM = 400_000
ADMITTED_BEFORE_CUT = 200
# Whoever watches is told something at least so often while the share climbs.
QUIET_S = 10


def now_ms():
    return int(time.time() * 1000)


def waiting_page(port):
    """Status and headers of one request by somebody without a cookie."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Accept": "text/html"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, dict(answer.headers.lower_items())
    except urllib.error.HTTPError as error:
        return error.code, {name.lower(): value for name, value in error.headers.items()}


class Story:
    def __init__(self, site, narrator, pace):
        self._site = site
        self._tell = narrator
        self._pace = pace
        self._cut_ms = None
        self._width_before_cut = None
        self._killed_ms = None
        self._refused = False

    # -- looks -------------------------------------------------------------------------------------
    def _view(self):
        return views.view(self._site.cli.json("status", GATE))

    def _decisions(self):
        return views.entries(self._site.cli.json("timeline", GATE))

    def _everywhere(self, share_ppm):
        """Every load balancer admits exactly this share, by its own word."""
        return set(self._site.watcher.widths().values()) == {stickiness.width(share_ppm)}

    def _wait(self, condition, timeout_s, what):
        try:
            return process.wait_for(condition, timeout_s, what, every_s=0.1)
        except process.LabError as error:
            raise StoryError(f"{error}\n{self._site.cli('explain', GATE)}") from error

    def _telling(self, condition):
        """The condition; asking it tells the share at each step, and every QUIET_S at least."""
        told = {"share_ppm": self._view().share_ppm, "at_s": self._tell.elapsed_s}

        def look():
            view, now_s = self._view(), self._tell.elapsed_s
            if view.share_ppm != told["share_ppm"] or now_s - told["at_s"] >= QUIET_S:
                self._tell.say(f"share {view.share_ppm / 10_000:g} %: {view.doing}")
                told.update(share_ppm=view.share_ppm, at_s=now_s)
            return condition()
        return look

    def _traffic(self, seconds=1):
        return self._site.load.log.update().last(seconds)

    # -- the outage --------------------------------------------------------------------------------
    def open_for_business(self):
        site = self._site
        self._tell.chapter("Before: an ordinary afternoon")
        result = site.cli("gates", "create", GATE, "--share", "100%")
        self._tell.expect("the gate is created and admits everybody", result.code == 0, result)
        self._wait(lambda: self._everywhere(1_000_000), 10, "both load balancers admit 100 %")
        site.start_load(self._pace.load_s, users=USERS, rps=REQUESTS_PER_SECOND, rps_max=1500,
                        time_scale=0.5)
        wanted = self._pace.baseline_s
        self._wait(lambda: len(site.load.log.update().seconds) > wanted, wanted + 20,
                   "customers have been shopping for a while")
        traffic = self._traffic(wanted - 1)
        answers = traffic["ok"] + traffic["errors"]
        # Not "without an error": a machine that is busy with something else may cost a page.
        self._tell.expect("customers shop over both load balancers; nobody is refused",
                          traffic["ok"] > 0.99 * answers and traffic["refused"] == 0, traffic)
        self._tell.say(f"{traffic['ok'] / (wanted - 1):.0f} pages per second, "
                       f"{site.load.log.seconds[-1]['users_seen']} different customers so far")

    def break_the_replica(self):
        databases = self._site.databases
        self._tell.chapter("1. A column is changed on the primary only")
        databases.primary.sql("ALTER TABLE products ALTER COLUMN name TYPE jsonb "
                              "USING jsonb_build_object('en', name)")
        self._tell.say("maintenance: products.name becomes jsonb on the primary db1; the physical "
                       "standby db2 follows, the logical replica db3 does not")
        databases.primary.sql("UPDATE products SET stock = stock + 1 WHERE id = 1")
        databases.wait_in_step()
        errors = databases.replica.value("SELECT apply_error_count FROM pg_stat_subscription_stats")
        self._tell.expect("db3 goes on replicating with the outdated schema and reports no error",
                          errors == "0", f"apply_error_count {errors}")
        self._site.shop.apply(release=2)
        self._tell.say("the shop's release 2, which needs the new column, is rolled out")
        self._wait(lambda: self._bad_part() > 0.3, 20, "the shop errs for real")
        self._tell.say(f"the shop errs: {self._bad_part():.0%} of the pages; "
                       f"its log: {self._last_error()}")

    def close(self):
        result = self._site.cli("close", GATE, "--reason", "pages fail, the database is suspect")
        self._tell.expect("`headgate close shop` is confirmed by every load balancer",
                          result.code == 0, result)
        self._wait(lambda: self._nobody_is_in(), 20, "everybody gets the waiting page")
        for balancer in self._site.balancers:
            status, headers = waiting_page(balancer.port)
            is_page = (status == 503 and int(headers.get("retry-after", 0)) > 0
                       and headers.get("cache-control") == "no-store")
            self._tell.expect(f"{balancer.name} answers 503 with Retry-After and no-store",
                              is_page, (status, headers))

        self._wait(self._payments_are_quiet, 30, "the last failed payments are over")
        self._tell.say("the platform is alone with its repair")

    def _payments_are_quiet(self):
        answer = self._site.prometheus.query("sum(increase(payment_total[3s]))")["result"]
        return bool(answer) and float(answer[0]["value"][1]) == 0

    def _nobody_is_in(self):
        traffic = self._traffic()
        return traffic["refused"] > 0 and traffic["ok"] + traffic["errors"] == 0

    def _bad_part(self):
        traffic = self._traffic()
        return traffic["errors"] / max(1, traffic["ok"] + traffic["errors"])

    def _last_error(self):
        last = ""
        with open(os.path.join(self._site.folder, "shop.log"), encoding="utf-8") as file:
            for line in file:
                if line.startswith("{") and '"page_failed"' in line:
                    last = json.loads(line)["detail"]
        return last

    # -- the way back ------------------------------------------------------------------------------
    def be_refused(self):
        self._tell.chapter("2. Preflight refuses, and says why")
        plan = os.path.join(self._site.folder, "restore-shop.yaml")
        plans.write(plan, self._site, self._pace, "After the restore, all replicas in use.", False)
        result = self._site.cli("start", plan, "--reason", "backup is restored")
        self._tell.expect("`headgate start` is refused with exit code 3", result.code == 3, result)
        words = (result.out + result.error).strip()
        named = all(word in words for word in ("db3", "products", "name", "text", "jsonb"))
        self._tell.expect("it names replica, table, column and the two definitions", named, words)
        self._tell.say(words)
        self._refused = True

    def take_the_replica_out(self):
        databases = self._site.databases
        self._site.shop.apply(replicas=[databases.standby])
        self._wait(lambda: self._site.shop.reads_from(databases.replica) == 0, 10,
                   "the shop reads from db3 no more")
        databases.replica.sql("DROP SUBSCRIPTION db3")
        self._tell.say("db3 is taken offline: out of the shop's pool, its subscription dropped")
        plan = os.path.join(self._site.folder, "restore-shop-without-db3.yaml")
        plans.write(plan, self._site, self._pace, "db3 is out.", True)
        result = self._site.cli("validate", plan)
        self._tell.expect("the plan that declares db3 as taken out is valid", result.code == 0,
                          result)
        self._plan = plan

    def ramp(self):
        self._tell.chapter("3. Users come back, step by step")
        result = self._site.cli("start", self._plan, "--when-ready", "--reason", "db3 is out")
        self._tell.expect("`headgate start --when-ready` is taken", result.code == 0, result)
        share_ppm = 0
        while share_ppm < SHARE_BEFORE_CUT_PPM:
            share_ppm = self._await_share_above(share_ppm)

    def _await_share_above(self, share_ppm):
        """The next share, once its users are shopping."""
        self._wait(lambda: self._view().share_ppm > share_ppm, 60,
                   f"more than {share_ppm / 10_000:g} % are admitted")
        self._wait(lambda: self._traffic()["ok"] > 0, 30, "the first of them shop")
        traffic, view = self._traffic(), self._view()
        self._tell.say(f"{view.share_ppm / 10_000:g} % are admitted: {traffic['ok']} pages and "
                       f"{traffic['refused']} refusals per second; {view.doing}")
        return view.share_ppm

    def saturate(self):
        site = self._site
        self._tell.chapter("4. The shop saturates, and Headgate takes users out by itself")
        self._wait(lambda: self._traffic()["ok"] >= ADMITTED_BEFORE_CUT, 40,
                   f"{ADMITTED_BEFORE_CUT} pages per second are asked for")
        before = site.watcher.widths()
        self._width_before_cut = min(before.values())
        self._cut_ms = now_ms()
        site.shop.apply(pool=CUT_POOL)
        self._tell.say(f"the shop's connection pool is cut from {POOL} to {CUT_POOL}")
        self._wait(lambda: all(site.watcher.widths()[name] < width
                               for name, width in before.items()), 30, "Headgate retreats")
        retreated = site.watcher.widths()
        self._tell.say(f"Headgate has retreated: {self._shares(retreated)}; {self._view().doing}")
        self._wait(lambda: load.first_bad_second(site.load.log.update().seconds, self._cut_ms), 10,
                   "a second of which over half was bad is in the load generator's log")
        site.shop.apply(pool=POOL)
        self._tell.say("the pool is restored")
        self._wait(self._telling(lambda: all(width > retreated[name] for name, width
                                             in site.watcher.widths().items())), 90,
                   "Headgate tries again")
        self._tell.say(f"it has waited, and tries again: {self._view().doing}")

    def kill_the_controller(self):
        site = self._site
        self._tell.chapter("5. In the middle the controller is killed")
        site.controller.kill()
        self._tell.say("SIGKILL to headgated")
        # A directive that was on its way is obeyed by then.
        self._shop_for(1)
        before = site.watcher.widths()
        self._killed_ms = now_ms()
        self._tell.say(f"the load balancers are alone: {self._shares(before)}")
        self._shop_for(3)
        traffic = self._traffic(2)
        self._tell.expect("without a controller those who are in go on shopping, nobody new comes",
                          traffic["ok"] > 0 and site.watcher.widths() == before,
                          (traffic, site.watcher.widths()))
        site.controller.start()
        self._tell.say("headgated is started again")
        self._wait(self._goes_on, 40, "the restoration goes on after the restart")
        self._tell.say("it has fresh evidence and goes on: " + self._view().doing)
        self._wait(self._telling(lambda: self._view().phase == "COMPLETED"), 120,
                   "the restoration is completed")
        self._tell.expect("100 % are admitted on both load balancers",
                          self._everywhere(1_000_000), site.watcher.widths())

    def _shop_for(self, seconds):
        log = self._site.load.log
        second = log.update().seconds[-1]["second"]
        self._wait(lambda: log.update().seconds[-1]["second"] >= second + seconds, 10,
                   "customers go on shopping")

    def _goes_on(self):
        view = self._view()
        return not view.no_raise and view.phase not in ("HOLDING", "PREFLIGHT")

    def _shares(self, widths):
        shares = {name: f"{width / stickiness.BUCKETS:.0%}" for name, width in widths.items()}
        return ", ".join(f"{name} {share}" for name, share in shares.items())

    # -- the account -------------------------------------------------------------------------------
    def account(self):
        site = self._site
        self._tell.chapter("6. The timeline")
        self._tell.say(site.cli("timeline", GATE).out.strip())
        final = self._view()
        decisions = self._decisions()
        log = site.load.end()
        series = list(site.watcher.series().values())
        steps = [(entry.at_ms, entry.share_ppm) for entry in decisions]
        lowerings = stickiness.lowerings_of(steps, series)
        violations = stickiness.violations(log.taken_out, lowerings)
        self._tell.say(f"{log.summary['users_seen']} customers made {log.summary['sent']} requests; "
                       f"{len(log.taken_out)} refusals of somebody who had been in, "
                       f"{len(violations)} of them without a lowering that explains them")
        self._check_widths(decisions, series)
        return {"final_share_ppm": final.share_ppm, "preflight_refused": self._refused,
                "retreats": final.retreats, "sticky_violations": len(violations),
                "reaction_s": self._reaction_s(log),
                "restart_raised": self._restart_raised(decisions, series),
                "users": log.summary["users_seen"],
                "seconds": round(self._tell.elapsed_s, 1)}

    def _check_widths(self, decisions, series):
        decided = {stickiness.width(entry.share_ppm) for entry in decisions}
        seen = {width for samples in series for _, width in samples}
        self._tell.expect("no load balancer was ever seen to admit a share that nobody decided",
                          seen <= decided, (sorted(seen), sorted(decided)))

    def _reaction_s(self, log):
        bad_ms = load.first_bad_second(log.seconds, self._cut_ms)
        refused_ms = load.first_refusal_below(log.refused_lower, self._width_before_cut,
                                              self._cut_ms)
        if bad_ms is None or refused_ms is None:
            raise StoryError("the saturation left no bad second or no refusal in the log: "
                             f"bad second {bad_ms}, refusal {refused_ms}")
        reaction_s = round((refused_ms - bad_ms) / 1000, 3)
        self._tell.say(f"the first bad second began {(bad_ms - self._cut_ms) / 1000:.2f} s after "
                       f"the cut; {reaction_s:.2f} s later the first customer was refused by the "
                       "lowered share")
        return reaction_s

    def _restart_raised(self, decisions, series):
        """Whether any load balancer's share rose before the new reign, on fresh evidence, allowed
        that: until then its directives say `no_raise`."""
        allowed_ms = views.raises_allowed_after(decisions, self._killed_ms)
        if allowed_ms is None:
            raise StoryError(f"no decision after the restart allows a raise: {decisions}")
        rose = [watcher.rises(samples, self._killed_ms, allowed_ms - 1) for samples in series]
        fell = [watcher.falls(samples, self._killed_ms, allowed_ms - 1) for samples in series]
        self._tell.expect("the restart took nobody out", not any(fell), series)
        return any(rose)

    def tell(self):
        """The whole story; returns what the last line reports."""
        self.open_for_business()
        self.break_the_replica()
        self.close()
        self.be_refused()
        self.take_the_replica_out()
        self.ramp()
        self.saturate()
        self.kill_the_controller()
        result = self.account()
        self._judge(result)
        return result

    def _judge(self, result):
        """Whether the story went as told."""
        wanted = {"final_share_ppm": 1_000_000, "preflight_refused": True, "sticky_violations": 0,
                  "restart_raised": False, "users": USERS}
        for name, value in wanted.items():
            if result[name] != value:
                raise StoryError(f"expected: {name} {value}\nfound: {json.dumps(result)}")
        if result["retreats"] < 1:
            raise StoryError(f"expected: at least one retreat\nfound: {json.dumps(result)}")
