"""Take the picture of the sample report that README shows, where a browser is installed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from fcrlib.publish.pdf import browser

ROOT = Path(__file__).parents[1]
SIZE = "1000,1290"
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--hide-scrollbars")


def main() -> int:
    """Write `reports/sample.png`, or say why not."""
    program = browser()
    if program is None:
        print("no browser was found, so the picture of the sample report stays as it is", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as profile:
        page, picture = (ROOT / "reports" / "sample" / "report.html").as_uri(), ROOT / "reports" / "sample.png"
        command = [program, *QUIET, f"--user-data-dir={profile}", f"--window-size={SIZE}", f"--screenshot={picture}", page]
        return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
