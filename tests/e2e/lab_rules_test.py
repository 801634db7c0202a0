"""The rules by which the demo judges: stickiness, the first bad second, rises and falls."""

import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/lab"))
import load  # pylint: disable=wrong-import-position
import process  # pylint: disable=wrong-import-position
import stickiness  # pylint: disable=wrong-import-position
import watcher  # pylint: disable=wrong-import-position

HALF = stickiness.width(500_000)


def refusal(bucket, admitted_sent_ms, refused_ms):
    return {"user": 1, "bucket": bucket, "admitted_sent_ms": admitted_sent_ms,
            "refused_sent_ms": refused_ms - 5, "refused_ms": refused_ms}


class Stickiness(unittest.TestCase):
    def test_a_width_is_the_share_rounded_up(self):
        self.assertEqual(stickiness.width(0), 0)
        self.assertEqual(stickiness.width(1_000_000), 1 << 20)
        self.assertEqual(stickiness.width(10_000), 10_486)

    def test_a_refusal_without_a_lowering_is_a_violation(self):
        report = refusal(7, 1_000, 2_000)
        self.assertEqual(stickiness.violations([report], []), [report])

    def test_a_lowering_between_the_two_decisions_excuses_whom_it_leaves_out(self):
        lowering = stickiness.Lowering(500_000, 1_500, 1_600)
        self.assertEqual(stickiness.violations([refusal(HALF, 1_000, 2_000)], [lowering]), [])

    def test_no_lowering_excuses_the_refusal_of_somebody_it_still_admits(self):
        lowering = stickiness.Lowering(500_000, 1_500, 1_600)
        inside = refusal(HALF - 1, 1_000, 2_000)
        self.assertEqual(stickiness.violations([inside], [lowering]), [inside])

    def test_a_lowering_that_was_over_before_the_admission_excuses_nothing(self):
        lowering = stickiness.Lowering(500_000, 1_500, 1_600)
        late = refusal(HALF, 1_601, 9_000)
        self.assertEqual(stickiness.violations([late], [lowering]), [late])

    def test_a_lowering_after_the_refusal_excuses_nothing(self):
        lowering = stickiness.Lowering(0, 2_001, 2_100)
        early = refusal(HALF, 1_000, 2_000)
        self.assertEqual(stickiness.violations([early], [lowering]), [early])

    def test_while_the_load_balancers_follow_one_after_the_other_both_answers_are_right(self):
        lowering = stickiness.Lowering(0, 1_500, 1_900)
        self.assertTrue(stickiness.is_rightful(refusal(5, 1_850, 1_880), [lowering]))

    def test_lowerings_are_settled_when_the_last_load_balancer_was_seen_to_obey(self):
        steps = [(0, 100_000), (1_000, 500_000), (2_000, 100_000), (3_000, 1_000_000)]
        tenth, half = stickiness.width(100_000), HALF
        samples = [[(10, tenth), (1_010, half), (2_040, tenth)],
                   [(10, tenth), (1_010, half), (2_310, tenth), (3_020, 1 << 20)]]
        self.assertEqual(stickiness.lowerings_of(steps, samples),
                         [stickiness.Lowering(100_000, 2_000, 2_310)])

    def test_a_lowering_that_nobody_saw_settles_when_agents_must_have_confirmed(self):
        steps = [(0, 500_000), (1_000, 0)]
        self.assertEqual(stickiness.lowerings_of(steps, [[(10, HALF)]]),
                         [stickiness.Lowering(0, 1_000, 3_000)])

    def test_a_load_balancer_that_was_below_already_settles_at_once(self):
        steps = [(0, 500_000), (1_000, 100_000)]
        self.assertEqual(stickiness.lowerings_of(steps, [[(10, 0)], [(10, HALF), (1_100, 5)]]),
                         [stickiness.Lowering(100_000, 1_000, 1_100)])


class Rises(unittest.TestCase):
    SERIES = [(100, 5), (200, 9), (300, 4), (400, 9)]

    def test_rises_and_falls_are_told_with_time_and_size_inside_the_window(self):
        self.assertEqual(watcher.rises(self.SERIES, 0, 1_000), [(200, 5, 9), (400, 4, 9)])
        self.assertEqual(watcher.rises(self.SERIES, 201, 399), [])
        self.assertEqual(watcher.falls(self.SERIES, 0, 1_000), [(300, 9, 4)])


def second(at_ms, *tenths):
    padded = list(tenths) + [(10, 0, 0, 0)] * (10 - len(tenths))
    return {"at_ms": at_ms, "tenths": padded}


class FirstBadSecond(unittest.TestCase):
    GOOD, BAD = (10, 0, 0, 0), (1, 9, 0, 0)

    def test_it_begins_with_the_first_tenth_of_a_second_that_is_bad_in_sum(self):
        seconds = [second(0), second(1_000, *[self.GOOD] * 7, *[self.BAD] * 3),
                   second(2_000, *[self.BAD] * 10)]
        self.assertEqual(load.first_bad_second(seconds, 0), 1_700)

    def test_a_short_burst_is_no_bad_second(self):
        seconds = [second(0, self.BAD, self.BAD, self.BAD), second(1_000)]
        self.assertIsNone(load.first_bad_second(seconds, 0))

    def test_what_was_bad_before_does_not_count(self):
        seconds = [second(0, *[self.BAD] * 10), second(1_000), second(2_000, *[self.BAD] * 10)]
        self.assertEqual(load.first_bad_second(seconds, 1_200), 2_000)

    def test_refused_and_failed_requests_are_no_admitted_answers(self):
        self.assertIsNone(load.first_bad_second([second(0, *[(1, 0, 90, 9)] * 10)], 0))


class FirstRefusalBelow(unittest.TestCase):
    REFUSALS = [{"at_ms": 100, "bucket": 5}, {"at_ms": 200, "bucket": 60},
                {"at_ms": 300, "bucket": 40}]

    def test_it_is_of_somebody_the_former_share_admitted_and_after_the_failure(self):
        self.assertEqual(load.first_refusal_below(self.REFUSALS, 50, 150), 300)
        self.assertIsNone(load.first_refusal_below(self.REFUSALS, 30, 150))


class Log(unittest.TestCase):
    def test_lines_are_read_as_they_come_and_half_a_line_waits(self):
        with tempfile.NamedTemporaryFile() as file:
            log = load.Log(file.name)
            line = json.dumps({"kind": "first_error", "at_ms": 5}).encode() + b"\n"
            file.write(line + line[:9])
            file.flush()
            self.assertEqual(log.update().first_errors, [5])
            file.write(line[9:])
            file.flush()
            self.assertEqual(log.update().first_errors, [5, 5])

    def test_a_complaint_of_the_generator_is_passed_on(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"--users: 0 not in range\n")
            file.flush()
            with self.assertRaisesRegex(process.LabError, "not in range"):
                load.Log(file.name).update()


if __name__ == "__main__":
    unittest.main()
