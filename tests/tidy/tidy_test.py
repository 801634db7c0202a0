#!/usr/bin/env python3
"""Plants what tidy.py must find in a small tree, and what it must not find."""

import pathlib
import tempfile
import unittest

import tidy


class TidyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def plant(self, name, *lines):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def found(self):
        return list(tidy.findings(self.root))

    def test_a_tree_that_keeps_the_rules_is_tidy(self):
        self.plant("common/base/clock.h", "#pragma once")
        self.plant("controller/engine/plan.h", '#include "common/base/clock.h"')
        self.plant("controller/api/service.cc", '#include "controller/engine/plan.h"',
                   '#include "headgate/v1/plan.pb.h"')
        self.plant("controller/headgated.cc", '#include "controller/api/service.h"')
        self.assertEqual(self.found(), [])

    def test_an_upward_arrow_is_found(self):
        self.plant("controller/engine/plan.cc", "", '#include "controller/conductor/conductor.h"')
        self.assertEqual(len(self.found()), 1)
        self.assertIn("controller/engine/plan.cc:2: includes controller/conductor/conductor.h",
                      self.found()[0])
        self.assertIn("points upward", self.found()[0])

    def test_every_upward_arrow_is_found(self):
        for origin, target in [("common/base/x.cc", "common/loop/loop.h"),
                               ("common/log/x.cc", "controller/engine/plan.h"),
                               ("controller/engine/x.cc", "common/log/log.h"),
                               ("controller/journal/x.cc", "controller/engine/plan.h"),
                               ("controller/conductor/x.cc", "controller/api/service.h"),
                               ("agents/core/x.cc", "agents/haproxy/map.h"),
                               ("agents/haproxy/x.cc", "controller/engine/plan.h"),
                               ("cli/x.cc", "controller/conductor/conductor.h"),
                               ("controller/api/x.cc", "controller/headgated.h"),
                               ("controller/api/x.cc", "tests/support/fake.h")]:
            with self.subTest(origin=origin, target=target):
                self.plant(origin, f'#include "{target}"')
                self.assertEqual(len(self.found()), 1, self.found())
                (self.root / origin).unlink()

    def test_a_folder_without_a_room_is_found(self):
        self.plant("controller/helpers/x.h", "#pragma once")
        self.assertIn("is in no room", self.found()[0])

    def test_the_table_has_no_circle(self):
        for room, targets in tidy.ARROWS.items():
            for target in targets:
                self.assertNotIn(room, tidy.reachable(target), f"{room} <-> {target}")

    def test_generated_headers_are_found_outside_the_walls(self):
        self.plant("controller/conductor/conductor.h", '#include "headgate/v1/plan.pb.h"')
        self.plant("controller/conductor/codec.cc", '#include "headgate/v1/journal.pb.h"')
        self.plant("cli/client.cc", '#include "headgate/v1/operator.grpc.pb.h"')
        self.assertEqual(len(self.found()), 1)
        self.assertIn("includes generated headgate/v1/plan.pb.h", self.found()[0])

    def test_a_long_file_is_found(self):
        self.plant("common/base/long.h", *["//"] * tidy.FILE_LINES_MAX)
        self.assertEqual(self.found(), [])
        self.plant("common/base/long.h", *["//"] * (tidy.FILE_LINES_MAX + 1))
        self.assertIn("has 401 lines", self.found()[0])

    def test_a_long_function_is_found_in_both_languages(self):
        body = ["  Act();"] * tidy.FUNCTION_LINES_MAX
        self.plant("common/base/a.cc", "namespace headgate {", "", "void Long(int first,",
                   "          int second) {", *body, "}", "", "}  // namespace headgate")
        self.plant("common/base/table.cc", "constexpr int kTable[] = {", *["    1,"] * 100, "};")
        self.plant("tests/a.py", "def long():", *["    act()"] * tidy.FUNCTION_LINES_MAX)
        self.assertEqual(len(self.found()), 2, self.found())
        self.assertIn("common/base/a.cc:3: begins a function of 73 lines", self.found()[0])

    def test_a_class_may_be_longer_than_a_function_and_its_methods_may_not(self):
        body = ["    Act();"] * tidy.FUNCTION_LINES_MAX
        self.plant("common/base/a.h", "class A {", " public:", *["  int x;"] * 80, "  void Long() {",
                   *body, "  }", "};")
        self.assertEqual(len(self.found()), 1, self.found())
        self.assertIn("common/base/a.h:83", self.found()[0])

    def test_sleeps_are_found_in_tests_alone(self):
        sleep = "std::this_thread::sleep_" + "for(1s);"
        self.plant("tests/common/x_test.cc", sleep)
        self.plant("tests/support/x.py", "time.sle" + "ep(1)")
        self.plant("common/base/x.cc", sleep)
        self.plant("tests/support/lab/process.py", "time.sle" + "ep(0.01)")
        self.assertEqual(len(self.found()), 2, self.found())

    def test_paths_of_one_machine_are_found(self):
        for text in ["see /wo" + "rk/main", "'/ro" + "ot/x'", "cd /ho" + "me/ada/src"]:
            with self.subTest(text=text):
                self.plant("docs/x.md", text)
                self.assertIn("path of one machine", self.found()[0])
        self.plant("docs/x.md", "docs/wo" + "rk/x, https://example.org/ho" + "me/x, /roots/x")
        self.assertEqual(self.found(), [])

    def test_whole_namespaces_and_unfinished_code_are_found(self):
        self.plant("common/base/x.cc", "using name" + "space std;", "// TO" + "DO: finish",
                   "using name" + "space std::chrono_literals;")
        self.assertEqual(len(self.found()), 2, self.found())


if __name__ == "__main__":
    unittest.main()
