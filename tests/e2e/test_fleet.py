"""The picture of a fleet in docs is what the simulation gives today, byte for byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, WRAPPER, built


def test_the_picture_is_of_todays_data(tmp_path: Path) -> None:
    if WRAPPER:
        pytest.skip("the data are the same on every system")
    fleet = built("sim/fleet")
    subprocess.run([fleet, "--data", tmp_path / "data"], stdout=subprocess.DEVNULL, check=True, timeout=120)
    drawn = subprocess.run([sys.executable, ROOT / "tests" / "sim" / "fleet_plot.py", tmp_path / "data"], capture_output=True, check=True, timeout=60)
    assert len(drawn.stdout) > 10_000 and drawn.stdout.count(b'class="bar"') >= 240
    assert drawn.stdout == (ROOT / "docs" / "fleet.svg").read_bytes(), "draw it anew: fleet --data FILE; fleet_plot.py FILE >docs/fleet.svg"
