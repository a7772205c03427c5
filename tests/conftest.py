"""Fixtures that several test files share, and what tests have to tell a person at the end of a run."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

hypothesis_settings.register_profile("project", deadline=None, derandomize=True)
hypothesis_settings.load_profile("project")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_records() -> Path:
    """The folder of real records beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("the real records (../shared/data) are not on this machine")
    return SHARED


TOLD = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TOLD] = []


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Callable[[str, Iterable[str]], None]:
    """Tells a title and lines at the end of the run, whether or not the test passes."""

    def tell(title: str, lines: Iterable[str]) -> None:
        pytestconfig.stash[TOLD] += [title, *(f"  {line}" for line in lines)]

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[TOLD]:
        terminalreporter.section("what the tests saw")
        for line in config.stash[TOLD]:
            terminalreporter.line(line)
