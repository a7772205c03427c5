"""Alerts go where the settings name, over real sockets on this machine; what fails is said without a secret."""

import re
from pathlib import Path

import pytest

from pipelines import alerts, settings, web
from pipelines.errors import DataError, UsageError
from pipelines.settings import Settings
from tests.replay.listeners import SECRET, hooked, mailbox, mailed, webhook

QUIET = Settings(Path("data"), 1, "1GB")


def test_nobody_is_told_where_the_settings_name_nobody():
    said = []
    assert alerts.send(QUIET, "the night failed", ["why"], said.append)
    assert said == []


def test_a_webhook_is_told_once():
    with webhook() as server:
        assert alerts.send(hooked(server), "the night failed", ["Not fetched: ctgov."], pytest.fail)
    ((path, told),) = server.came
    assert path == f"/{SECRET}"
    assert told == {
        "text": "the night failed\nNot fetched: ctgov.",
        "subject": "the night failed",
        "details": ["Not fetched: ctgov."],
    }


def test_a_mail_is_handed_over():
    with mailbox() as server:
        assert alerts.send(mailed(server), "the night failed", ["Not fetched: ctgov.", "Grüße."], pytest.fail)
    assert "Subject: AllTrials: the night failed" in server.came[0]
    assert "To: night@example.org" in server.came[0]
    assert "AUTH" not in " ".join(server.asked)


def test_a_user_logs_in():
    with mailbox() as server:
        assert alerts.send(mailed(server, f"user%40home:{SECRET}@"), "failed", ["why"], pytest.fail)
    assert any(line.startswith("AUTH PLAIN") for line in server.asked)
    assert len(server.came) == 1


def test_a_password_does_not_leave_this_machine_in_the_clear(monkeypatch):
    monkeypatch.setattr(web, "is_loopback", lambda host: False)
    said = []
    with mailbox() as server:
        assert not alerts.send(mailed(server, f"user:{SECRET}@"), "failed", ["why"], said.append)
    assert "offers no encryption" in said[0]
    assert not [line for line in server.asked if line.startswith(("AUTH", "MAIL"))]


def test_a_long_alert_is_cut():
    with webhook() as server:
        alerts.send(hooked(server), "failed", [f"line {n}" for n in range(80)], pytest.fail)
    assert server.came[0][1]["details"][-2:] == ["line 49", "and 30 more"]


@pytest.mark.parametrize("answer", [302, 404, 500])
def test_a_webhook_that_says_no_is_said_without_its_secret(answer):
    said = []
    with webhook(answer) as server:
        assert not alerts.send(hooked(server), "failed", ["why"], said.append)
    assert said == [f"an alert did not go out: ALLTRIALS_ALERT_WEBHOOK: 127.0.0.1: the server answers {answer}."]
    assert [path for path, _ in server.came] == [f"/{SECRET}"], "redirects are not followed"


def test_a_server_that_is_not_there_is_said_without_a_secret():
    with mailbox() as server:
        gone = mailed(server, f"user:{SECRET}@")
    with webhook() as other:
        both = Settings(**{**vars(gone), "alert_webhook": hooked(other).alert_webhook})
    said = []
    assert not alerts.send(both, "failed", ["why"], said.append)
    assert [re.sub(r".*(ALLTRIALS_\w+).*", r"\1", text) for text in said] == [
        "ALLTRIALS_ALERT_WEBHOOK",
        "ALLTRIALS_ALERT_SMTP",
    ]
    assert not re.search(f"{SECRET}|user|night@", " ".join(said))
    assert SECRET not in repr(both)


@pytest.mark.parametrize(
    ("refuses", "why"),
    [
        ({"RCPT": "550"}, "it refuses the receiver or the sender."),
        ({"MAIL": "550"}, "it refuses the receiver or the sender."),
        ({"AUTH": "535"}, "it refuses the user or the password."),
        ({"DATA": "451"}, "it answers 451."),
    ],
)
def test_a_mail_that_is_refused_is_said_without_an_address(refuses, why):
    said = []
    with mailbox(**refuses) as server:
        assert not alerts.send(mailed(server, f"user:{SECRET}@"), "failed", ["why"], said.append)
    assert said == [f"an alert did not go out: ALLTRIALS_ALERT_SMTP: 127.0.0.1: {why}"]


def test_a_failure_is_alerted_and_goes_on():
    with webhook() as server:
        with pytest.raises(DataError), alerts.on_failure(hooked(server), "the night failed", pytest.fail):
            raise DataError("A check failed.")
        with pytest.raises(ValueError), alerts.on_failure(hooked(server), "the night failed", pytest.fail):
            raise ValueError("a record with somebody's address in it")
    first, second = (told["details"] for _, told in server.came)
    assert first == ["A check failed."]
    assert second == ["A fault in the program (ValueError): the log says more."]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLTRIALS_ALERT_WEBHOOK", f"hooks.example.org/{SECRET}"),
        ("ALLTRIALS_ALERT_WEBHOOK", f"ftp://example.org/{SECRET}"),
        ("ALLTRIALS_ALERT_SMTP", f"user:{SECRET}@mail.example.org"),
        ("ALLTRIALS_ALERT_SMTP", f"smtp://user:{SECRET}@mail.example.org:port"),
    ],
)
def test_an_address_that_is_none_is_said_without_its_secret(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=name) as error:
        settings.from_environment()
    assert SECRET not in str(error.value)
