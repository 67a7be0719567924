"""Settings shared by all tests: quiet, deterministic, in UTC."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("TZ", "UTC")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile("fast", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
settings.register_profile("thorough", deadline=None, max_examples=600, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("FCR_HYPOTHESIS", "fast"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes what the notebooks find on a small desk anew instead of comparing it."""
    parser.addoption("--update-golden", action="store_true", help="write tests/publish/golden.json anew")


@pytest.fixture
def run_fcr(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run `fcr` in the working folder: exit code, stdout, stderr."""
    from fcrlib.cli import main

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fcr", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out = capsys.readouterr()
        assert "Traceback" not in out.err
        return int(ended.value.code or 0), out.out, out.err

    return run


@pytest.fixture
def fcr(run_fcr: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Run `fcr` in an empty folder with a settings file of its own: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fcr.toml").touch()
    return run_fcr
