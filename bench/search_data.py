"""What is said on the desk that ``bench.search`` looks through, golden queries on it, and what each has to find.

Stories and conversations are those of ``bench.generate``; every message also says some of fifty thousand words, of
which few are common and most are rare, and now and then names a telephone, an order, a parcel, a file, in one of the
forms people write them.  What a query has to find is decided by going through the raw texts with code of its own: it
shares nothing with ``chalicelib.domain.terms``.
"""

import random
import re
import unicodedata
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import accumulate

from bench.generate import conversation, number, story
from chalicelib.domain.message import Attachment, Message

VOCABULARY = 50_000
RARE_WORDS = 24
"""Of each message, beside its sentences."""
SYLLABLES = tuple(f"{first}{vowel}" for first in "bdfghklmnprstvz" for vowel in "aeiou")
ASIAN = (
    "荷物が壊れて届きました", "交換をお願いします", "領収書を再発行してください", "湯のみの色が違います",
    "配送先を変更したい",
    "我的包裹还没有到", "请帮我退货退款", "收到的茶杯是坏的", "发票抬头写错了", "什么时候可以发货",
)  # fmt: skip
ASKED_ASIAN = ("領収書", "湯のみ", "配送先", "壊れて", "再発行", "包裹", "退货退款", "茶杯", "发票", "发货")
FILES = ("IMG_{n}.jpg", "Rechnung_{n}.pdf", "scan-{n}.png", "facture {n}.pdf", "写真{n}.png")
PHONES = ("+49 {a} {b}{c}", "0049 {a} {b} {c}", "0{a}/{b}{c}", "+49 (0){a} {b}-{c}", "0{a}.{b}.{c}", "(0{a}) {b}{c}",
          "+49{a}{b}{c}")  # fmt: skip


@cache
def vocabulary() -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Words from common to rare, and their cumulative weights: the r-th is said about 1/r as often as the first."""
    luck = random.Random(50_000)
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        found["".join(luck.choice(SYLLABLES) for _ in range(luck.choice((2, 3, 3, 4))))] = None
    return tuple(found), tuple(accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))


def zipf_words(luck: random.Random, many: int) -> list[str]:
    known, weights = vocabulary()
    return [known[bisect(weights, luck.random() * weights[-1])] for _ in range(many)]


def said_on(n: int) -> list[Message]:
    """The messages of ticket ``n``, with what they name."""
    return [_with_more(message, random.Random(f"{n} {k}")) for k, message in enumerate(conversation(story(n)))]


def _with_more(message: Message, luck: random.Random) -> Message:
    if message.kind == "event":
        return message
    parts = [message.text, " ".join(zipf_words(luck, RARE_WORDS)) + "."]
    files: tuple[Attachment, ...] = ()
    if luck.random() < 0.12:
        parts.append(f"Call me at {phone(luck)}, please.")
    if luck.random() < 0.12:
        parts.append(f"The parcel is {parcel(luck)}.")
    if luck.random() < 0.15:
        parts.append(f"It was order {order(luck)}.")
    if luck.random() < 0.08:
        parts.append(luck.choice(ASIAN))
    if luck.random() < 0.08:
        name = luck.choice(FILES).format(n=luck.randrange(1_000, 99_999))
        files = (Attachment("a1", name, "application/octet-stream", 1, "", "k"),)
    luck.shuffle(parts)
    return replace(message, text="\n".join(parts), attachments=files)


def _digits(luck: random.Random, many: int) -> str:
    return "".join(luck.choice("123456789") for _ in range(many))


def phone(luck: random.Random) -> str:
    return luck.choice(PHONES).format(a=_digits(luck, 2), b=_digits(luck, 3), c=_digits(luck, 4))


def parcel(luck: random.Random) -> str:
    ups, post = f"1Z{_digits(luck, 16)}", f"R{luck.choice('ABC')}{_digits(luck, 9)}DE"
    gaps = " ".join(_digits(luck, 4) for _ in range(5))
    return luck.choice((ups, post, f"{post[:2]} {post[2:5]} {post[5:8]} {post[8:11]} DE", gaps, gaps.replace(" ", "")))


def order(luck: random.Random) -> str:
    amazon = f"{_digits(luck, 3)}-{_digits(luck, 7)}-{_digits(luck, 7)}"
    return luck.choice(
        (amazon, f"{_digits(luck, 2)}-{_digits(luck, 5)}-{_digits(luck, 5)}", f"SHOP-{_digits(luck, 6)}")
    )


# What has to be found, decided without the desk's code


def plain(text: str) -> str:
    """Lower case, without accents; of kana nothing is taken away."""
    parts = (unicodedata.normalize("NFKD", each) if ord(each) < 0x2000 else each for each in text.lower())
    bare = "".join(each for each in "".join(parts) if unicodedata.category(each) != "Mn")
    return bare.replace("ß", "ss").replace("ł", "l").replace("ø", "o")


@dataclass
class Ticket:
    """A ticket as somebody reads it who goes through all of them."""

    number: int
    texts: list[str]
    senders: list[str]
    words: set[str] = field(init=False)
    squeezed: str = field(init=False)

    def __post_init__(self) -> None:
        self.texts = [plain(text) for text in self.texts]
        self.words = {word for text in self.texts for word in re.split(r"[\W_]+", text)}
        self.squeezed = "|".join(re.sub(r"[\s().#/-]", "", text) for text in self.texts)


def ticket_of(n: int, messages: Sequence[Message]) -> Ticket:
    texts, senders = [], []
    for message in messages:
        people = [message.sender, *message.to] if message.sender else list(message.to)
        texts += [message.subject, message.text, message.author_name, *(file.name for file in message.attachments)]
        texts += [part for each in people for part in (each.name, each.address)]
        if message.kind != "event" and message.sender:
            senders.append(message.sender.address)
    return Ticket(int(number(n)), texts, senders)


@dataclass(frozen=True)
class Golden:
    """``typed`` into the box has to find the tickets of which ``meant`` is true."""

    kind: str
    typed: str
    meant: Callable[[Ticket], bool]


def golden(size: int, many: int) -> list[Golden]:
    """As many queries, of each kind the same share, about tickets of every age among ``size``."""
    luck, found = random.Random(200), dict[str, Golden]()
    makers = (
        _word, _two_words, _unaccented, _short_order, _order, _phone, _parcel, _address, _file, _asian, _phrase,
        _sender,
    )  # fmt: skip
    while len(found) < many:
        maker = makers[len(found) % len(makers)]
        made = maker(said_on(luck.randrange(size)), luck)
        if made is not None:
            found.setdefault(made.typed, made)
    return list(found.values())


def _spoken(messages: Sequence[Message], luck: random.Random) -> list[str]:
    """The words of one of the messages, whole ones of letters alone."""
    told = luck.choice([each for each in messages if each.text] or list(messages))
    return [word for word in re.split(r"[\W_]+", told.text) if len(word) > 2 and word.isascii() and word.isalpha()]


def _has(word: str) -> Callable[[Ticket], bool]:
    return lambda ticket: plain(word) in ticket.words


def _word(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    words = _spoken(messages, luck)
    word = luck.choice(words) if words else ""
    return Golden("word", luck.choice((word, word.upper())), _has(word)) if word else None


def _two_words(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    words = _spoken(messages, luck)
    if len(words) < 2:
        return None
    one, two = luck.sample(words, 2)
    return Golden("two words", f"{one} {two}", lambda ticket: plain(one) in ticket.words and plain(two) in ticket.words)


def _unaccented(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    words = re.findall(r"[^\W\d_]{3,}", " ".join(f"{each.author_name} {each.text}" for each in messages))
    accented = [word for word in words if plain(word) != word.lower() and ord(max(word)) < 0x250]
    word = luck.choice(accented) if accented else ""
    return Golden("accents", luck.choice((word, plain(word))), _has(word)) if word else None


def _short_order(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    numbers = re.findall(r"\b\d{5}\b", messages[0].subject)
    return Golden("order number", luck.choice(("#", "", "order:")) + numbers[0], _has(numbers[0])) if numbers else None


def _squeezed(kind: str, typed: str, core: str) -> Golden:
    wanted = plain(re.sub(r"[\s().#/-]", "", core))
    return Golden(kind, typed, lambda ticket: wanted in ticket.squeezed)


def _order(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    for message in messages:
        if match := re.search(r"order ((?:\d+-)+\d+|SHOP-\d+)\.", message.text):
            typed = luck.choice((match[1], match[1].replace("-", ""), f"#{match[1]}"))
            return _squeezed("shop's order", typed, match[1])
    return None


def _phone(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    for message in messages:
        if match := re.search(r"Call me at (.+), please", message.text):
            digits = re.sub(r"\D", "", match[1].replace("(0)", ""))
            core = digits.removeprefix("0049").removeprefix("49") if len(digits) > 10 else digits.removeprefix("0")
            form = luck.choice(PHONES)
            return _squeezed("telephone", form.format(a=core[:2], b=core[2:5], c=core[5:]), core)
    return None


def _parcel(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    for message in messages:
        if match := re.search(r"The parcel is (.+)\.", message.text):
            code = match[1].replace(" ", "")
            spaced = " ".join(code[n : n + 4] for n in range(0, len(code), 4)) if code.isdigit() else match[1]
            return _squeezed("parcel", luck.choice((code, spaced, code.lower())), code)
    return None


def _address(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    sender = next((each.sender for each in messages if each.sender), None)
    return Golden("address", sender.address, lambda ticket: sender.address in ticket.texts) if sender else None


def _file(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    names = [file.name for each in messages for file in each.attachments]
    return Golden("file", names[0], lambda ticket: plain(names[0]) in ticket.texts) if names else None


def _asian(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    asked = [each for each in ASKED_ASIAN if any(each in message.text for message in messages)]
    if not asked:
        return None
    extra = luck.choice([*_spoken(messages, luck), ""])
    word = luck.choice(asked)
    both = f"{word} {extra}".strip()
    return Golden("Japanese, Chinese", both, lambda ticket: any(word in text for text in ticket.texts)
                  and (not extra or plain(extra) in ticket.words))  # fmt: skip


def _phrase(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    lines = [line for each in messages for line in each.text.split("\n") if line.isascii() and line.count(" ") > 8]
    if not lines:
        return None
    words = re.split(r"[\W_]+", luck.choice(lines))
    start = luck.randrange(len(words) - 4)
    phrase = " ".join(words[start : start + 3])
    if any(len(word) < 2 for word in phrase.split(" ")) or len(phrase.split(" ")) < 3:
        return None

    def stands(ticket: Ticket) -> bool:
        in_order = (" ".join(re.split(r"[\W_]+", text)) for text in ticket.texts)
        return any(f" {plain(phrase)} " in f" {text} " for text in in_order)

    return Golden("phrase", f'"{phrase}"', stands)


def _sender(messages: Sequence[Message], luck: random.Random) -> Golden | None:
    sender = next((each.sender for each in messages if each.sender), None)
    if sender is None:
        return None
    return Golden("sender", f"from:{sender.address}", lambda ticket: sender.address in ticket.senders)


def distinct(message: Message) -> int:
    """How many different words the text says."""
    return len({word for word in re.split(r"[\W_]+", plain(message.text)) if len(word) > 1})


def of_sixty_words(many: int) -> Iterator[Message]:
    """Messages of exactly 60 distinct words each, what they name besides, every one of another customer's ticket."""
    for n in range(many):
        base, luck = said_on(n)[0], random.Random(f"sixty {n}")
        words: dict[str, None] = dict.fromkeys(base.text.lower().split()[:20])
        words = {word: None for word in words if word.isascii() and word.isalpha() and len(word) > 1}
        while len(words) < 60:
            words.update(dict.fromkeys(zipf_words(luck, 1)))
        yield replace(base, text=" ".join(words), attachments=())
