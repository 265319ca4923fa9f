"""One mail handed to a mail server."""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import urlsplit

from providers.contract import Refused, Unreachable

TIMEOUT = 20.0  # seconds for each step
PORTS = {"smtps": 465, "smtp": 587}


@dataclass(frozen=True, slots=True)
class MailServer:
    """`smtps://host` speaks TLS from the start, `smtp://host` from STARTTLS on; without TLS only on this machine."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)


def send(server: MailServer, mail: EmailMessage) -> None:
    """Raises Refused for what would be refused again, Unreachable for no answer or a "later"."""
    _asked(server, lambda session: session.send_message(mail))


def greet(server: MailServer) -> None:
    """Connects and signs in, and sends nothing."""
    _asked(server, lambda session: session.noop())


def _asked(server: MailServer, what: Callable[[smtplib.SMTP], object]) -> None:
    host = str(urlsplit(server.url).hostname)
    try:
        with _session(server) as session:
            if server.user:
                session.login(server.user, server.password)
            what(session)
    except smtplib.SMTPAuthenticationError as error:
        raise Refused(f"{host} does not take the user and the password ({error.smtp_code})") from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise (Refused if min(codes, default=500) >= 500 else Unreachable)(f"{host} refuses the recipient") from error
    except smtplib.SMTPResponseException as error:
        kind = Refused if error.smtp_code >= 500 else Unreachable
        raise kind(f"{host} answers {error.smtp_code}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise Unreachable(f"{host} does not answer: {error or type(error).__name__}") from error


def _session(server: MailServer) -> smtplib.SMTP:
    parts = urlsplit(server.url)
    host, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
    session = smtplib.SMTP(host, port, timeout=TIMEOUT)
    if host not in ("localhost", "127.0.0.1", "::1"):
        session.starttls(context=ssl.create_default_context())
    return session
