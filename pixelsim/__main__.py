"`python -m pixelsim` is the command `pixelsim`, where that is not on the path."
import sys

from pixelsim.cli import main

if __name__ == "__main__": sys.exit(main())
