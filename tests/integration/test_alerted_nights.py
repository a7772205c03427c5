"""A night by the command line tells whoever the settings name that it failed, or what it could not get."""

import json

import pytest

from pipelines import importing
from pipelines.__main__ import main
from tests.replay.apps import Ctgov
from tests.replay.listeners import SECRET, hooked, webhook
from tests.replay.server import Fault, Replay
from tests.worlds import study


@pytest.fixture
def hook(monkeypatch):
    with (
        webhook() as hook,
        Replay({"ctgov": Ctgov([study(1)])}, [Fault("ctgov", "status", times=99)]).running() as server,
    ):
        monkeypatch.setenv("ALLTRIALS_CTGOV_URL", f"{server.url}/ctgov")
        monkeypatch.setenv("ALLTRIALS_CONTACT", "test@example.org")
        monkeypatch.setenv("ALLTRIALS_FETCHED_SOURCES", "ctgov")
        monkeypatch.setenv("ALLTRIALS_FETCH_TERMS", "attempts = 1; spare_bytes = 0")
        monkeypatch.setenv("ALLTRIALS_ALERT_WEBHOOK", hooked(hook).alert_webhook)
        yield hook


def test_a_night_that_fails(hook, tmp_path, capsys):
    assert main(["--data", str(tmp_path), "night", "--as-of", "2024-06-30"]) == 2
    ((_, told),) = hook.came
    assert told["subject"] == "the night of 2024-06-30 failed"
    assert told["details"] == ["Nothing has been imported up to that day: run `import` first."]
    assert SECRET not in capsys.readouterr().err


def test_a_night_that_is_incomplete_and_whom_it_cannot_tell(hook, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importing, "QUIET", -1.0)
    for place in ("2024-01-10", "june"):
        folder = tmp_path / "incoming" / "ctgov" / place
        folder.mkdir(parents=True)
        (folder / "studies.json").write_text(json.dumps([study(1)]), encoding="utf-8")
    hook.answer = 500
    assert main(["--data", str(tmp_path), "night", "--as-of", "2024-06-30"]) == 3
    out, err = capsys.readouterr()
    assert "imported ctgov 2024-01-10-" in out
    assert "1 = 1 + 0 + 0 + 0" in out
    ((_, told),) = hook.came
    assert told["subject"] == "the night of 2024-06-30 is incomplete"
    assert [line.split(":")[0] for line in told["details"]] == [
        ["Not fetched", " ctgov, whose last good snapshot stays in use. ctgov"][0],
        "Not taken",
    ]
    assert all(line in out for line in told["details"])
    assert "an alert did not go out: ALLTRIALS_ALERT_WEBHOOK: 127.0.0.1: the server answers 500." in err


def test_a_trial_alert(hook, tmp_path, monkeypatch):
    assert main(["--data", str(tmp_path), "alert"]) == 0
    hook.answer = 404
    assert main(["--data", str(tmp_path), "alert"]) == 1
    monkeypatch.delenv("ALLTRIALS_ALERT_WEBHOOK")
    assert main(["--data", str(tmp_path), "alert"]) == 2
