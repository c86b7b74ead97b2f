"""The mail port: takes mail as SES's receipt rules do, for every address of an active inbox of the desk.

A mail is accepted only once it lies in the originals bucket; the notice follows.  Should the notice get lost, the
repair sweep finds the mail in the tray.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from chalicelib.domain.people import Inbox
from chalicelib.store.codec import decode
from chalicelib.store.directory import AddressOf
from local.engine import HOST, Engine
from local.receipt import Received, notification, receive
from local.stack import Stack

MAX_MAIL_BYTES = 40 * 1024 * 1024
UPLOADS = 8
WAITING_CONNECTIONS = 1024
UNKNOWN = "550 5.1.1 There is no such mailbox here"

logger = logging.getLogger("deskbell.smtp")
Partition = Callable[[str], Mapping[str, Mapping[str, Any]]]
"""Items of one partition of the desk's table by sort key, in DynamoDB's notation."""


def takes_mail_for(address: str, partition: Partition) -> bool:
    """True for an active inbox's address, with or without a plus part: SES's first rule names no others."""
    local, at, domain = address.strip().lower().rpartition("@")
    spellings = (f"{local}{at}{domain}", f"{local.split('+')[0]}{at}{domain}")
    claims = (partition(f"ADDRESS#{each}").get("ADDRESS") for each in spellings)
    inboxes = partition("INBOXES")
    held = (inboxes.get(decode(AddressOf, claim["data"]["S"]).inbox_id) for claim in claims if claim)
    return any(decode(Inbox, inbox["data"]["S"]).active for inbox in held if inbox)


class _PatientSmtp(SMTP):
    """Real mail has lines far over RFC 5321's 1,000 octets, and SES takes them."""

    line_length_limit = MAX_MAIL_BYTES


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _PatientSmtp(self.handler, **self.SMTP_kwargs)

    def _create_server(self) -> Any:
        """With a backlog for hundreds of senders that connect in the same moment."""
        return self.loop.create_server(
            self._factory_invoker, host=self.hostname, port=self.port, backlog=WAITING_CONNECTIONS
        )


@dataclass
class MailPort:
    """Listens on ``port`` while started."""

    engine: Engine
    stack: Stack
    port: int
    notices: Path
    """Where announcements are kept for a while: SNS and SQS lose none when a process dies, the engine's do."""

    def __post_init__(self) -> None:
        from botocore.config import Config

        pooled = Config(max_pool_connections=UPLOADS, retries={"total_max_attempts": 1})
        self.notices.mkdir(parents=True, exist_ok=True)
        self._s3 = self.engine.client("s3", config=pooled)
        self._sns = self.engine.client("sns", config=pooled)
        self._uploads = ThreadPoolExecutor(UPLOADS, "mail-in")
        self._controller = _Controller(
            self,
            hostname=HOST,
            port=self.port,
            data_size_limit=MAX_MAIL_BYTES,
            enable_SMTPUTF8=True,
            ident="Deskbell local mail port",
        )

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()
        self._uploads.shutdown()

    def knows(self, address: str) -> bool:
        return takes_mail_for(address, partial(self.engine.partition, self.stack.table))

    def accept(self, raw: bytes, source: str, recipients: list[str], helo: str) -> Received:
        """Store a mail as SES would, then tell the desk."""
        received = receive(raw, source, recipients, helo, datetime.now(UTC))
        self._s3.put_object(Bucket=self.stack.originals_bucket, Key=received.key, Body=received.raw)
        self._announce(received)
        return received

    def _announce(self, received: Received) -> None:
        document = json.dumps(notification(received, self.stack.mail_topic, self.stack.originals_bucket))
        try:
            (self.notices / f"{received.ses_id}.json").write_text(document)
            self._sns.publish(
                TopicArn=self.stack.mail_topic, Subject="Amazon SES Email Receipt Notification", Message=document
            )
        except Exception:
            logger.exception("mail %s is stored but not announced: the repair sweep will find it", received.ses_id)

    # -- what aiosmtpd calls; the names are its own ---------------------------------------------------------------

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self.knows(address):
            return UNKNOWN
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw: Any = envelope.original_content
        helo = str(session.host_name or "localhost")
        work = partial(self.accept, bytes(raw), envelope.mail_from or "", list(envelope.rcpt_tos), helo)
        try:
            received = await asyncio.get_running_loop().run_in_executor(self._uploads, work)
        except Exception:
            logger.exception("a mail could not be stored")
            return "451 4.3.0 The mail could not be stored, try again"
        return f"250 2.0.0 OK {received.ses_id}"
