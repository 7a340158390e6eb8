"""What stands in `revision_0011.sql`: what stands in that of revision 10, whose indexes alone were others."""

from frozen.revision_0010 import *  # noqa: F403
