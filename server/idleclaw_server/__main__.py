"""`python -m idleclaw_server`."""

import sys

from idleclaw_server.cli import main

sys.exit(main())
