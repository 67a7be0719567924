"""How does a report become a PDF, where a browser is installed?

The page is made for print, so a browser without a window prints it as it is. No library is asked for: where there is no browser, or it fails,
the report stands without a PDF, and a sentence says how to print it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path

CHOSEN = "FCR_BROWSER"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
APPLICATIONS = ("Google Chrome.app/Contents/MacOS/Google Chrome", "Microsoft Edge.app/Contents/MacOS/Microsoft Edge")
PATIENCE = timedelta(seconds=120)
BY_HAND = "open report.html and print it to a file"


def browser() -> str | None:
    """The browser to print with: the one that `FCR_BROWSER` names, else the first that is installed."""
    if chosen := os.environ.get(CHOSEN):
        return shutil.which(chosen)
    installed = (shutil.which(name) for name in BROWSERS)
    here = (str(Path("/Applications") / name) for name in APPLICATIONS if (Path("/Applications") / name).exists())
    return next((name for name in (*installed, *here) if name), None)


def printed(page: Path, to: Path) -> str:
    """Print a page into a file, whole or not at all; return why there is no PDF, or nothing where there is one."""
    program = browser()
    if program is None:
        return f"no PDF: no browser was found; {BY_HAND}, or name a browser in {CHOSEN}"
    with tempfile.TemporaryDirectory(prefix="fcr-pdf-", ignore_cleanup_errors=True) as scratch:
        made = Path(scratch) / "report.pdf"
        try:
            ended = subprocess.run(_command(program, page, made, Path(scratch)), capture_output=True, timeout=PATIENCE.total_seconds(), check=False)
        except subprocess.TimeoutExpired:
            return f"no PDF: the browser took longer than {PATIENCE.total_seconds():.0f} seconds; {BY_HAND}"
        except OSError as error:
            return f"no PDF: the browser did not start ({error.strerror}); {BY_HAND}"
        if ended.returncode or not made.exists() or made.read_bytes()[:5] != b"%PDF-":
            return f"no PDF: the browser failed (exit code {ended.returncode}); {BY_HAND}"
        shutil.copyfile(made, to)
    return ""


def _command(program: str, page: Path, to: Path, profile: Path) -> list[str]:
    """A browser without a window, without the network, with a profile of its own."""
    quiet = ("--headless", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-background-networking", "--disable-component-update")
    offline = ("--proxy-server=127.0.0.1:9", "--disable-extensions", f"--user-data-dir={profile / 'profile'}")
    # Root may not use the browser's sandbox; the page runs no script and loads nothing.
    sandbox = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    return [
        program,
        *quiet,
        *offline,
        *sandbox,
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
        f"--print-to-pdf={to}",
        page.resolve().as_uri(),
    ]
