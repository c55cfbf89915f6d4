"""Says how many examples Hypothesis tries of each property: few on each run, many when somebody looks for faults.

@settings(max_examples=examples(200))       # a tenth of that in a usual run, four times as many in `make fuzz`
"""

import os
from pathlib import Path
from typing import Final

import hypothesis
from hypothesis.configuration import set_hypothesis_home_dir

from tests.peers import parts

PROFILES: Final = {"few": 0.1, "ci": 0.1, "fuzz": 4.0}
"""How many examples of those that a test names each profile tries."""
USUAL: Final = 200
"""Examples of a test that names none."""
LEAST: Final = 20


def examples(wanted: int = USUAL) -> int:
    """Return how many examples to try where so many are worth it; read when a test is collected."""
    return max(LEAST, round(wanted * PROFILES[hypothesis.settings.get_current_profile_name()]))


def prepare() -> None:
    """Register the profiles and load the one of a usual run; `--hypothesis-profile` loads another after that.

    Found counterexamples are kept outside the tree. A build machine tries the same examples every time.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    set_hypothesis_home_dir(cache / "gatehouse" / "hypothesis")
    # How long an example takes says how busy the machine is, and nothing about the code.
    patient = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    for name, factor in PROFILES.items():
        usual = hypothesis.settings(patient, max_examples=max(LEAST, round(USUAL * factor)))
        if name == "ci":
            usual = hypothesis.settings(usual, derandomize=True, database=None, print_blob=True)
        hypothesis.settings.register_profile(name, usual)
    hypothesis.settings.load_profile("ci" if parts.STRICT else "few")
