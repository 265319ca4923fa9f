"""How long one command may wait for services that do not answer, all in all."""

from collections.abc import Callable

from providers.contract import RateLimited
from providers.transport import WINDOW


class Patience:
    """`seconds` of waiting, shared by everything that one command talks to."""

    def __init__(self, seconds: float, sleep: Callable[[float], None]) -> None:
        self.left, self._sleep = seconds, sleep

    def wait(self, seconds: float) -> bool:
        """Wait, if there is that much patience left; whether it did."""
        if seconds > self.left:
            return False
        self.left -= seconds
        self._sleep(seconds)
        return True

    def sleeper(self, per_minute: float) -> Callable[[float], None]:
        """The sleep of one provider. The distance that its budget keeps between requests, two at a time before a write, is
        work, not patience; a wait beyond what is left raises RateLimited."""
        beat = 4 * WINDOW / per_minute

        def sleep(seconds: float) -> None:
            if seconds <= beat:
                self._sleep(seconds)
            elif not self.wait(seconds):
                raise RateLimited(f"the service needs {seconds:.0f} s more than this command waits", seconds)

        return sleep
