"""Fixtures that several test files share."""

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
