from __future__ import annotations

import sys
from pathlib import Path

# Tests are imported one by one and no package: their helpers must be findable by name.
sys.path.append(str(Path(__file__).parent))
