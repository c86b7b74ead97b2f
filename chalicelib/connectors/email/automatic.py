"""What kind of mail this is, and, apart from that, whether a machine may answer it.

The order of the questions matters: a complaint carries a bounce's marks, a bounce an auto-reply's, an auto-reply a
list's.  Sources: RFC 5965 (feedback), RFC 3464 (delivery status), RFC 3834 (automatic responses), RFC 2369 / 2919.
"""

import re
from dataclasses import dataclass

from chalicelib.connectors.email.bounces import Notice, is_bounce
from chalicelib.connectors.email.tree import Part
from chalicelib.domain.message import MailKind

LOOP_HEADER = "x-hd-loop"
AUTOREPLY_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply",
                     "x-autoreply-from", "x-ms-exchange-inbox-rules-loop")  # fmt: skip
LIST_HEADERS = ("list-id", "list-unsubscribe", "list-post", "list-help", "list-owner", "list-archive",
                "list-subscribe", "mailing-list", "x-mailing-list", "x-beenthere", "feedback-id")  # fmt: skip
SUPPRESSIONS = frozenset({"all", "autoreply", "oof", "dr", "ndr", "rn", "nrn"})
BULK = frozenset({"bulk", "list", "junk"})
NOBODY = re.compile(r"^(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|noreply|nepasrepondre|mailer-daemon)[^@]*@", re.I)

# With a colon or alone these open an away message's subject; people write the same words without the colon.
AWAY = (
    r"automatic (?:reply|response)|auto[- ]?(?:reply|response|mated reply|mated response)"
    r"|out[- ]of[- ](?:the[- ])?office"
    r"(?: auto ?reply)?|away from (?:my|the) office|vacation (?:reply|response)|automatische (?:antwort"
    r"|abwesenheit\w*)"
    r"|abwesenheits(?:notiz|assistent|nachricht)|abwesend|autoantwort|réponse automatique|absence du bureau"
    r"|absent\(e\)"
    r"|message d'absence|respuesta automática|fuera de (?:la )?oficina|contestación automática|risposta automatica"
    r"|fuori sede|fuori ufficio|resposta automática|ausência temporária|fora do escritório|automatisch antwoord"
    r"|automatische beantwoording|afwezig(?:heid)?|automatisk svar|automatiskt svar|autosvar|frånvaro|fravær"
    r"|ikke til stede|automaattinen vastaus|poissaolo|automaatvastus|automātisk[aā] atbilde|automatinis atsakymas"
    r"|odpowiedź automatyczna|autoodpowiedź|poza biurem|automatická odpověď|automatická odpoveď|mimo kancelář"
    r"|automatikus válasz|házon kívül|răspuns automat|автоматичен отговор|автоматический ответ|автоответ"
    r"|вне офиса|автоматична відповідь|αυτόματη απάντηση|εκτός γραφείου|otomatik yan[ıi]t|ofis dışında"
    r"|automatski odgovor|аутоматски одговор|samodejni odgovor|תשובה אוטומטית|מחוץ למשרד|رد تلقائي|خارج المكتب"
    r"|پاسخ خودکار|自動応答|自動返信|不在通知|不在(?:の|に)|自动答复|自动回复|自動回覆|自動回复|不在办公室"
    r"|자동 ?(?:회신|응답)"
    r"|부재중|trả lời tự động|ตอบกลับอัตโนมัติ|balasan otomatis|jawapan automatik|resposta automàtica"
    r"|स्वचालित (?:उत्तर|जवाब)"
    r"|erantzun automatikoa|sjálfvirkt svar"
)
AWAY_SUBJECT = re.compile(rf"^\W*(?:(?:re|aw|sv|antw)\s*:\s*)?(?:{AWAY})", re.I)
AWAY_ALONE = re.compile(rf"^\W*(?:{AWAY})\s*(?:[:：]|$)", re.I)


@dataclass(frozen=True)
class Judgement:
    kind: MailKind
    may_auto_answer: bool


def judge(notice: Notice) -> Judgement:
    """Both results; only ``human`` mail can ever be answered automatically, and not all of it."""
    kind = _kind(notice)
    return Judgement(kind, kind == "human" and _may_answer(notice))


def is_marked_automatic(root: Part) -> bool:
    """RFC 3834: any Auto-Submitted but "no"."""
    value = root.text_of("auto-submitted").split(";")[0].split("(")[0].strip().lower()
    return bool(value) and value != "no"


def has_empty_return_path(root: Part) -> bool:
    return root.has("return-path") and not root.text_of("return-path").strip().strip("<>").strip()


def _kind(notice: Notice) -> MailKind:
    if _is_complaint(notice):
        return "complaint"
    if is_bounce(notice):
        return "bounce"
    if _is_auto_reply(notice):
        return "auto_reply"
    if _is_list(notice.root):
        return "list"
    return "human"


def _is_complaint(notice: Notice) -> bool:
    """RFC 5965 reports, and Outlook.com's junk reports, which have no report part."""
    root = notice.root
    if root.type_parameters.get("report-type", "").lower() == "feedback-report":
        return True
    parts = list(root.walk())
    if any(part.content_type == "message/feedback-report" for part in parts):
        return True
    reported = notice.subject.lower().startswith("complaint about message from")
    return reported and any(part.content_type == "message/rfc822" for part in parts)


def _is_auto_reply(notice: Notice) -> bool:
    root = notice.root
    if is_marked_automatic(root):
        return True
    if any(root.text_of(name).lower() not in ("", "no", "false") for name in AUTOREPLY_HEADERS):
        return True
    if root.text_of("precedence").lower() in ("auto_reply", "auto-reply"):
        return True
    if "autoresponder" in root.text_of("x-post-messageclass").lower():
        return True
    if root.text_of("delivered-to").lower() == "autoresponder":
        return True
    if root.type_parameters.get("report-type", "").lower() == "disposition-notification":
        return True
    if _suppresses(root) and AWAY_SUBJECT.match(notice.subject):
        return True
    return AWAY_ALONE.match(notice.subject) is not None


def _suppresses(root: Part) -> bool:
    asked = re.split(r"[\s,;]+", root.text_of("x-auto-response-suppress").lower())
    return any(word in SUPPRESSIONS for word in asked)


def _is_list(root: Part) -> bool:
    return root.text_of("precedence").lower() in BULK or any(root.has(name) for name in LIST_HEADERS)


def _may_answer(notice: Notice) -> bool:
    """False for people's mail too when it comes from nobody, asks not to be answered, or went through us before."""
    root = notice.root
    if has_empty_return_path(root) or root.has(LOOP_HEADER) or _suppresses(root):
        return False
    return bool(notice.from_address) and NOBODY.match(notice.from_address) is None
