"""`python -m idleclaw_tui` is `idleclaw-tui`."""

import sys

from idleclaw_tui.cli import main

sys.exit(main())
