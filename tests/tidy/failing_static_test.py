#!/usr/bin/env python3
"""Plants what failing_static.py must find in a small tree, and what it must not find."""

import pathlib
import tempfile
import unittest

import failing_static

HEAD = "| what fails | HAProxy | nginx (Lua) |"
ROW = "| agent killed | stay. `FailingStatic.Killed` | stay. `FailingStatic.Killed`, `Box.Lowers` |"
TESTS = "TEST_P(FailingStatic, Killed) {\n}\nTEST(Box, Lowers) {\n}\n"


class FailingStaticTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.plant("tests/agents/static/columns.cc",
                   'return {{"haproxy", &Make<A>}, {"nginx", &Make<B>}};')

    def plant(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def found(self, *rows, head=HEAD, tests=TESTS):
        self.plant(failing_static.PAGE, "\n".join([head, "| --- | --- | --- |", *rows, ""]))
        self.plant("tests/agents/static/rows_test.cc", tests)
        return list(failing_static.findings(self.root))

    def test_a_page_whose_tests_are_there_is_good(self):
        self.assertEqual(self.found(ROW), [])

    def test_a_test_that_is_not_there_is_found(self):
        self.assertIn("there is no test Box.Raises", self.found(ROW.replace("Lowers", "Raises"))[0])

    def test_a_cell_without_a_test_is_found(self):
        self.assertIn("no test holds the cell of nginx",
                      self.found("| killed | `FailingStatic.Killed` | stay |")[0])

    def test_a_row_of_too_few_cells_is_found(self):
        self.assertIn("has 2 cells", self.found("| killed | `FailingStatic.Killed` |")[0])

    def test_a_test_that_is_not_named_is_found(self):
        more = TESTS + "TEST_P(FailingStatic, Hung) {\n}\n"
        self.assertIn("does not name FailingStatic.Hung", self.found(ROW, tests=more)[0])

    def test_another_column_than_the_tests_is_found(self):
        self.assertIn("has columns", self.found(ROW, head="| what fails | HAProxy | Envoy |")[0])

    def test_a_point_of_those_that_only_ask_names_a_test_that_is_there(self):
        good = [failing_static.LISTED, "- agent killed: nobody. `Box.Lowers`",
                "- agent hung: nobody,", "  after a while. `Box.Lowers`"]
        self.assertEqual(self.found(ROW, "", *good), [])
        self.assertIn("there is no test Box.Raises",
                      self.found(ROW, "", *good, "- `Box.Raises`")[0])
        self.assertIn("no test holds this", self.found(ROW, "", *good, "- nobody")[0])
        self.assertEqual(self.found(ROW, "", *good, "## Other", "- nobody"), [])


if __name__ == "__main__":
    unittest.main()
