"""What the demo says: plain lines with the time since it began."""

import sys
import time


class StoryError(Exception):
    """The story did not go as told."""


class Narrator:
    def __init__(self, out=sys.stdout):
        self._began = time.monotonic()
        self._out = out

    @property
    def elapsed_s(self):
        return time.monotonic() - self._began

    def chapter(self, text):
        self._print(f"\n== {text}")

    def say(self, text):
        first, *rest = text.splitlines()
        self._print(f"[{self.elapsed_s:6.1f} s] {first}")
        for line in rest:
            self._print(f"             {line}")

    def expect(self, claim, is_true, found):
        """Tells the claim if it is true; else the story ends here, with what was found."""
        if not is_true:
            raise StoryError(f"expected: {claim}\nfound: {found}")
        self.say(f"ok: {claim}")

    def _print(self, text):
        print(text, file=self._out, flush=True)
