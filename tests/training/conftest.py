from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from refusal_parity.training.libraries import LIBRARIES

MISSING = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
"""Libraries of training that are not installed: `make install` installs them."""
