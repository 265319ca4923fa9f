"""The same examples at each run, so that a red run is about the change at hand; `SYNCD_EXPLORE=1` looks for new ones."""

import os

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile("explore" if os.environ.get("SYNCD_EXPLORE") else "steady")
