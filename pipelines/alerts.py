"""Telling a person that a night failed or came out incomplete: by a webhook, by mail, or (the usual) not at all.

Belongs here: how the words go out. When they do is decided by who runs a night. An alert never fails what it is about,
and nothing that it says of itself shows an address of a webhook, a user, a password or a mail address.
"""

import contextlib
import json
import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from pipelines import web
from pipelines.errors import DataError, FetchError, UsageError
from pipelines.settings import Settings, version

TIMEOUT = 20.0
LONGEST = 50
"""Lines of one alert; the log has them all."""
Say = Callable[[str], None]


def send(settings: Settings, subject: str, lines: Sequence[str], say: Say) -> bool:
    """Sends the words wherever the settings name; says what did not go out. True where all of it did."""
    shown = [*lines[:LONGEST], *([f"and {len(lines) - LONGEST:,} more"] if len(lines) > LONGEST else [])]
    faults = [
        *(_by_webhook(settings, subject, shown) if settings.alert_webhook else []),
        *(_by_mail(settings, subject, shown) if settings.alert_mail else []),
    ]
    for fault in faults:
        say(f"an alert did not go out: {fault}")
    return not faults


@contextlib.contextmanager
def on_failure(settings: Settings, subject: str, say: Say) -> Iterator[None]:
    """Alerts where the block fails, and lets its error through."""
    try:
        yield
    except Exception as error:
        send(settings, subject, [words(error)], say)
        raise


def words(error: BaseException) -> str:
    """The one sentence that a person may see; of a fault in our own code its kind alone: it may quote a record."""
    if isinstance(error, UsageError | DataError | FetchError):
        return str(error)
    return f"A fault in the program ({type(error).__name__}): the log says more."


def _by_webhook(settings: Settings, subject: str, lines: Sequence[str]) -> Iterator[str]:
    body = {"text": "\n".join([subject, *lines]), "subject": subject, "details": list(lines)}
    agent = f"AllTrialsWarehouse/{version()}"
    try:
        web.post(settings.alert_webhook, json.dumps(body).encode(), agent, TIMEOUT, settings.ca_file)
    except FetchError as error:
        yield f"ALLTRIALS_ALERT_WEBHOOK: {error}"


def _by_mail(settings: Settings, subject: str, lines: Sequence[str]) -> Iterator[str]:
    message = EmailMessage()
    receiver = settings.alert_mail
    message["Subject"] = f"AllTrials: {subject}"
    message["To"] = receiver
    message["From"] = settings.contact if "@" in settings.contact and ":" not in settings.contact else receiver
    message.set_content("\n".join(lines) + "\n")
    try:
        _hand_over(settings, message)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        yield f"ALLTRIALS_ALERT_SMTP: {urlsplit(settings.alert_smtp).hostname}: {_mail_words(error)}"


def _hand_over(settings: Settings, message: EmailMessage) -> None:
    """Gives the mail to the server. With a password only where the line is encrypted, or ends on this machine."""
    at = urlsplit(settings.alert_smtp)
    host = at.hostname or ""
    trust = ssl.create_default_context(cafile=settings.ca_file)
    if at.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, at.port or 465, timeout=TIMEOUT, context=trust)
    else:
        server = smtplib.SMTP(host, at.port or 25, timeout=TIMEOUT)
    with server:
        server.ehlo()
        is_private = at.scheme == "smtps" or web.is_loopback(host)
        if at.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=trust)
            server.ehlo()
            is_private = True
        if at.username:
            if not is_private:
                raise smtplib.SMTPException("it offers no encryption, and the password was not sent")
            server.login(unquote(at.username), unquote(at.password or ""))
        server.send_message(message)


def _mail_words(error: Exception) -> str:
    """What went wrong, without what the server quotes of us."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return "it refuses the user or the password."
        case smtplib.SMTPRecipientsRefused() | smtplib.SMTPSenderRefused():
            return "it refuses the receiver or the sender."
        case smtplib.SMTPResponseException():
            return f"it answers {error.smtp_code}."
        case ssl.SSLError():
            return "its certificate cannot be verified (ALLTRIALS_CA_FILE names certificates to trust)."
        case smtplib.SMTPException():
            return f"{error}." if type(error) is smtplib.SMTPException else f"{type(error).__name__}."
        case OSError():
            return "it cannot be reached."
    return "the mail cannot be written with these settings."
