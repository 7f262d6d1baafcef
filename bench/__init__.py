"""What Parley's speed is, measured against what people would build instead."""

import sys
from pathlib import Path

# service_kit signs the tokens the load clients come with.
sys.path.insert(0, str(Path(__file__).parent.parent / "shared"))
