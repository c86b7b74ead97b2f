"""Notices of non-delivery: is it one, and about whom.

Reports after RFC 3464 say it in fields; many servers only say it in words.  Wording alone never makes a bounce: the
sender must look like a mail server, or the mail must be marked as a machine's, for customers forward bounces and
write about failed deliveries of parcels.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.connectors.email.mailboxes import ADDRESS
from chalicelib.connectors.email.parsed import Bounced
from chalicelib.connectors.email.tree import Budget, Part, read_tree
from chalicelib.connectors.email.words import header_text, one_line

MAX_RECIPIENTS = 200
MAX_WORDS_CHARS = 20_000
MAX_DIAGNOSTIC_CHARS = 500
STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
ORIGINAL_TYPES = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"})
OUR_HEADERS = ("message-id", "reply-to", "to", "subject")

SERVER_ADDRESS = re.compile(
    r"^(?:mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|postmaster|postmast|mail[-_.]?delivery|bounces?|mailerdaemon"
    r"|maildelivery|delivery[-_.]?status|mail[-_.]?administrator)(?:[-_+.=][^@]*)?@", re.I
)  # fmt: skip
NO_PERSON = re.compile(r"^mailer[-_.]?daemon(?:@|$)", re.I)
"""Nobody but a mail server writes under this name."""
SERVER_NAME = re.compile(
    r"mail delivery (?:sub)?system|mailer[- ]?daemon|delivery subsystem|system administrator|mail administrator"
    r"|mail deliver(?:y)? system|internet mail delivery|postmaster|mail server|mail system|delivery status", re.I
)  # fmt: skip
MACHINE_ADDRESS = re.compile(
    r"^(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|root|admin(?:istrator)?|system|mail|daemon|smtp)[^@]*@", re.I
)
ANSWERED = re.compile(r"^\s*(?:re|aw|fwd?|wg|tr|sv|vs|rv|antw)\s*(?:\[\d+\])?\s*[:：]", re.I)

SUBJECT_WORDING = re.compile(
    r"undeliver(?:ed|able)|delivery (?:status notification|notification|has failed|fail|error|problem|report)"
    r"|deliver(?:y)? failure|mail delivery (?:failed|error|status)|failure notice|returned (?:e-?)?mail|mail failure"
    r"|message status - undeliverable|non[- ]?deliver|could not be delivered|couldn'?t be delivered|not be delivered"
    r"|was not delivered|delayed mail|message delayed|warning: message|delivery delayed|notice: mail delivery"
    r"|\[bounce\]|bounce(?:d)? (?:mail|message)|mail system error|message you sent blocked|rejected (?:mail|message)"
    r"|undelivered mail|failed mail|mail (?:could|can) ?not|permanent delivery failure|delivery incomplete"
    r"|unzustellbar|nicht zugestellt|zustellung fehlgeschlagen|non remis|non distribu"
    r"|échec de (?:la )?(?:remise|distr)"
    r"|no se puede entregar|no entregad|error de entrega|onbestelbaar|niet bezorgd|non recapitabile|mancato recapito"
    r"|não (?:é )?(?:entregue|entregável)|não foi possível entregar|não entregue|kunde inte levereras"
    r"|kan ikke leveres"
    r"|ikke leveret|olevererbart|toimittamaton|ei voitu toimittaa|nie można dostarczyć|niedostarczon|nedoručiteln"
    r"|nedoručen|kézbesíthetetlen|nelivrat|nepoate fi livrat|недостав|не доставлен|невозможно доставить|не удалось"
    r" доставить|недоставен|teslim edilemedi|iletilemedi|αδύνατη η παράδοση|δεν παραδόθηκε|לא ניתן למסור|تعذر التسليم"
    r"|تعذر تسليم|配信不能|配信エラー|未送達|未配信|送信できません|返信不能|退信|无法送达|未送达|無法傳遞"
    r"|無法送達|未傳遞"
    r"|傳送失敗|投递失败|배달되지|전송 실패|반송|không gửi được|không thể gửi|ส่งไม่ได้|ไม่สามารถส่ง|tidak terkirim",
    re.I,
)  # fmt: skip
TEXT_WORDING = re.compile(
    r"(?:could|can|was|were|has|have|been|be|is)(?: ?not|n't| unable)[^.\n]{0,40}deliver|unable to deliver"
    r"|undeliverable"
    r"|not been delivered|deliver(?:y|ing)[^.\n]{0,60}(?:fail|error|problem)|fail(?:ed|ure)[^.\n]{0,40}deliver"
    r"|permanent (?:fatal )?(?:error|delivery)|returned (?:to sender|mail)|did not reach|could not be reached"
    r"|user unknown|unknown user|no such (?:user|recipient|account|mailbox)|user not found"
    r"|mailbox (?:is )?(?:full|unav"
    r"|not found|does not exist|disabled)|mailbox is full|account is disabled|recipient(?:s)? (?:address )?rejected"
    r"|address(?:es)? (?:had|failed)|delivery status notification|mail delivery software|qmail-send|\b5[0-7]\d[ -]5\."
    r"|\b5\.\d\.\d{1,2}\b|\b4\.\d\.\d{1,2}\b|(?:550|551|552|553|554)[ :-]|not listed in domino|as their mailbox"
    r"|has been blocked|blocked by our spam|transcript of session|over quota|exceeded the local limit"
    r"|fehler bei der nachrichtenzustellung|nicht zugestellt|échec de la remise|error al entregar|niet bezorgd"
    r"|impossibile recapitare|配信に失敗|配信できません|送信できません|無法送達|无法送达|退信|被退回"
    r"|не может быть отправлено"
    r"|не доставлен|nie można dostarczyć|nedoručen|kunde inte levereras", re.I,
)  # fmt: skip

STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
REPLY_CODE = re.compile(r"\b([45]\d\d)[ :-]")
FIELD = re.compile(r"^([A-Za-z][A-Za-z-]{2,40})[ \t]*:[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)
ORIGINAL_BELOW = re.compile(
    r"^[-_* ]*(?:below this line is a copy|this is a copy of|original message(?:[ :-]*$| follows| headers"
    r"| below)|unsent message"
    r"|message headers?[ :-]*$|returned message[ :-]*$|original[ :-]*$|non-delivered information)\b.*$",
    re.I | re.MULTILINE,
)
PASTED_HEADER = re.compile(r"^(?:return-path|received|message-id|x-mailer)[ \t]*:", re.I | re.MULTILINE)
NAMED_RECIPIENT = re.compile(
    r"(?:rcpt to|failed address|failed recipient|unknown user|to deliver (?:your )?message to|delivered to|收件人"
    r"|deliver to|recipient(?:\(s\))?|following recipient\w*"
    r"|your message to)[^@\n]{0,60}?[<:\s]([^\s<>:：;,]+@[^\s<>:;,]+)",
    re.I,
)


@dataclass(frozen=True)
class Notice:
    """What the judgement about a bounce looks at."""

    root: Part
    from_address: str
    from_name: str
    subject: str
    text: str
    by_machine: bool
    """Empty Return-Path, or Auto-Submitted."""


def is_bounce(notice: Notice) -> bool:
    """Whether this is a mail server speaking about a mail it could not deliver."""
    root = notice.root
    status = any(part.content_type in STATUS_TYPES for part in root.walk())
    kind = root.type_parameters.get("report-type", "").lower()
    if status and (root.content_type == "multipart/report" or kind == "delivery-status"):
        return True
    if root.has("x-failed-recipients"):
        return True
    if NO_PERSON.match(notice.from_address or notice.from_name):
        return True
    from_server = _is_server(notice)
    if status and (from_server or notice.by_machine):
        return True
    words = notice.text[:MAX_WORDS_CHARS]
    in_subject = SUBJECT_WORDING.search(notice.subject) is not None and not ANSWERED.match(notice.subject)
    in_text = TEXT_WORDING.search(words) is not None
    if from_server:
        returned = any(part.content_type in ORIGINAL_TYPES for part in root.walk())
        return in_subject or in_text or returned
    by_machine = notice.by_machine or MACHINE_ADDRESS.match(notice.from_address) is not None
    return by_machine and in_subject and (in_text or ADDRESS.search(words) is not None)


def _is_server(notice: Notice) -> bool:
    if SERVER_ADDRESS.match(notice.from_address):
        return True
    return SERVER_NAME.search(notice.from_name) is not None and "@" in notice.from_address


def bounced_recipients(root: Part, text: str, budget: Budget) -> tuple[Bounced, ...]:
    """Every recipient the notice names, from its fields, else from its words."""
    original = _original_headers(root, text, budget)
    message_id = next((value for name, value in original if name == "message-id"), "")
    ids = re.findall(r"<[^<>\s]+>", message_id)
    found = _from_status(root) or _from_header(root, text) or _from_words(text)
    return tuple(
        Bounced(one.recipient, one.action, one.status, one.diagnostic, ids[0] if ids else None, original)
        for one in found[:MAX_RECIPIENTS]
    )


def _from_status(root: Part) -> list[Bounced]:
    found: list[Bounced] = []
    for part in root.walk():
        if part.content_type not in STATUS_TYPES:
            continue
        report = part.data.decode("utf-8", "replace").replace("\r\n", "\n")
        for block in re.split(r"\n[ \t]*\n", report):
            fields = {name.lower(): _flat(value) for name, value in FIELD.findall(block)}
            recipient = fields.get("original-recipient") or fields.get("final-recipient") or ""
            address = ADDRESS.search(recipient.split(";", 1)[-1])
            if not recipient and "action" not in fields:
                continue
            status = STATUS.search(fields.get("status", ""))
            diagnostic = fields.get("diagnostic-code", "").split(";", 1)[-1].strip()
            found.append(
                Bounced(
                    address[0] if address else "",
                    fields.get("action", "failed").lower().split()[0] if fields.get("action") else "failed",
                    status[1] if status else "",
                    diagnostic[:MAX_DIAGNOSTIC_CHARS],
                )
            )
    return found


def _from_header(root: Part, text: str) -> list[Bounced]:
    values = map(header_text, root.all("x-failed-recipients"))
    addresses = [address for value in values for address in ADDRESS.findall(value)]
    return [_told(address, text) for address in dict.fromkeys(addresses)]


def _from_words(text: str) -> list[Bounced]:
    words = text[:MAX_WORDS_CHARS]
    below = ORIGINAL_BELOW.search(words)
    said = words[: below.start()] if below else words
    pasted = PASTED_HEADER.search(said)
    said = said[: pasted.start()] if pasted else said
    action = "delayed" if re.search(r"delayed|not yet been delivered", said[:2_000], re.I) else "failed"
    named = [address for found in NAMED_RECIPIENT.findall(said) for address in ADDRESS.findall(found)]
    addresses = named or [address for address in ADDRESS.findall(said) if not SERVER_ADDRESS.match(address)]
    unique = list(dict.fromkeys(address.strip("'.<>\"") for address in addresses))
    told = [_told(address, said, action) for address in unique[:20]]
    return told or [_told("", said, action)]


def _told(address: str, text: str, action: str = "failed") -> Bounced:
    """Status and wording nearest below the address."""
    start = max(0, text.find(address)) if address else 0
    near = text[start : start + 600]
    status = STATUS.search(near) or STATUS.search(text[:MAX_WORDS_CHARS])
    code = REPLY_CODE.search(near)
    line = next((line for line in near.split("\n") if REPLY_CODE.search(line) or STATUS.search(line)), "")
    return Bounced(
        address,
        action,
        status[1] if status else (f"{code[1][0]}.0.0" if code else ""),
        one_line(line)[:MAX_DIAGNOSTIC_CHARS],
    )


def _original_headers(root: Part, text: str, budget: Budget) -> tuple[tuple[str, str], ...]:
    for part in root.walk():
        if part.content_type in ORIGINAL_TYPES and not budget.spent():
            return _ours(read_tree(part.data[:200_000], budget, 1).fields)
    below = ORIGINAL_BELOW.search(text[:MAX_WORDS_CHARS])
    found = re.search(r"^(?:return-path|received|from|message-id|to)[ \t]*:", text[below.end() :] if below else text,
                      re.I | re.MULTILINE)  # fmt: skip
    if found is None:
        return ()
    start = found.start() + (below.end() if below else 0)
    quoted = text[start : start + 100_000].encode("utf-8", "replace")
    return _ours(read_tree(quoted, budget, 1).fields)


def _ours(fields: Sequence[tuple[str, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, header_text(value)) for name, value in fields if name in OUR_HEADERS or name.startswith("x-hd-")
    )


def _flat(value: str) -> str:
    return re.sub(r"\s+", " ", value).strip()
