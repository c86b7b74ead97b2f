"""Bodies: charsets that lie, transfer encodings that fail, trees of every shape."""

import base64

from .build import (
    attached,
    base64_part,
    composed,
    html,
    html_mail,
    mail,
    nested,
    part,
    plain,
    quoted_printable,
    text_mail,
)
from .case import Case

GERMAN = "Schöne Grüße aus Köln, die Tasse für 5 € fehlt noch."
JAPANESE = "注文したマグカップがまだ届きません。"
CHINESE = "我的订单还没有收到，请问什么时候发货？"
RUSSIAN = "Здравствуйте, мой заказ ещё не пришёл. Когда его отправят?"

# (what is odd, declared charset, bytes, expected)
CHARSETS: tuple[tuple[str, str, bytes, str], ...] = (
    ("utf-8", "utf-8", GERMAN.encode(), GERMAN),
    ("utf8 without the hyphen", "utf8", GERMAN.encode(), GERMAN),
    ("utf-8 with a mark", "utf-8", b"\xef\xbb\xbf" + GERMAN.encode(), GERMAN),
    ("utf-8 called latin-1", "iso-8859-1", GERMAN.encode(), GERMAN),
    ("utf-8 called us-ascii", "us-ascii", GERMAN.encode(), GERMAN),
    ("windows-1252 called latin-1", "iso-8859-1", GERMAN.encode("cp1252"), GERMAN),
    ("windows-1252 called utf-8", "utf-8", GERMAN.encode("cp1252"), GERMAN),
    ("windows-1252 called us-ascii", "us-ascii", GERMAN.encode("cp1252"), GERMAN),
    ("latin-9", "iso-8859-15", GERMAN.encode("iso-8859-15"), GERMAN),
    ("central european", "windows-1250", "Děkuji, hrnek dorazil.".encode("cp1250"), "Děkuji, hrnek dorazil."),
    ("latin-2", "iso-8859-2", "Dziękuję, kubek dotarł.".encode("iso-8859-2"), "Dziękuję, kubek dotarł."),
    ("greek", "windows-1253", "Η κούπα δεν έφτασε.".encode("cp1253"), "Η κούπα δεν έφτασε."),
    (
        "turkish",
        "windows-1254",
        "Kupa henüz gelmedi, şikayetçiyim.".encode("cp1254"),
        "Kupa henüz gelmedi, şikayetçiyim.",
    ),
    ("hebrew", "windows-1255", "הספל לא הגיע".encode("cp1255"), "הספל לא הגיע"),
    ("hebrew visual", "iso-8859-8-i", "הספל לא הגיע".encode("iso-8859-8"), "הספל לא הגיע"),
    ("arabic", "windows-1256", "لم يصل الكوب".encode("cp1256"), "لم يصل الكوب"),
    ("thai", "tis-620", "แก้วยังไม่มา".encode("tis-620"), "แก้วยังไม่มา"),
    ("thai windows", "windows-874", "แก้วยังไม่มา".encode("cp874"), "แก้วยังไม่มา"),
    ("vietnamese", "utf-8", "Cốc chưa đến".encode(), "Cốc chưa đến"),
    ("koi8-r", "koi8-r", RUSSIAN.encode("koi8-r"), RUSSIAN),
    ("windows-1251", "windows-1251", RUSSIAN.encode("cp1251"), RUSSIAN),
    ("windows-1251 called x-unknown", "x-unknown", RUSSIAN.encode("cp1251"), RUSSIAN),
    ("iso-2022-jp", "iso-2022-jp", JAPANESE.encode("iso-2022-jp"), JAPANESE),
    ("iso-2022-jp of Microsoft", "iso-2022-jp", b"\x1b$B-!-j\x1b(B 5\x1b$B1_\x1b(B", "①㈱ 5円"),
    ("iso-2022-jp with half-width kana", "iso-2022-jp", b"\x1b(I6@6E\x1b(B ok", "\uff76\uff80\uff76\uff85 ok"),
    ("iso-2022-jp called us-ascii", "us-ascii", JAPANESE.encode("iso-2022-jp"), JAPANESE),
    ("shift_jis with a vendor character", "shift_jis", "①注文".encode("cp932"), "①注文"),
    ("euc-jp", "euc-jp", JAPANESE.encode("euc-jp"), JAPANESE),
    ("gb2312", "gb2312", CHINESE.encode("gb2312"), CHINESE),
    ("gb18030 called gb2312", "gb2312", (CHINESE + "镕€").encode("gb18030"), CHINESE + "镕€"),
    ("iso-gb2312", "iso-gb2312", CHINESE.encode("gb18030"), CHINESE),
    ("gbk quoted name", '"gbk"', CHINESE.encode("gbk"), CHINESE),
    ("big5", "big5", "我的訂單還沒有收到".encode("big5"), "我的訂單還沒有收到"),
    ("big5 of Hong Kong", "big5-hkscs", "我嘅訂單㗎".encode("big5-hkscs"), "我嘅訂單㗎"),
    ("euc-kr", "euc-kr", "주문이 아직 도착하지 않았습니다".encode("euc-kr"), "주문이 아직 도착하지 않았습니다"),
    ("windows korean called ks_c_5601", "ks_c_5601-1987", "똠방각하 주문".encode("cp949"), "똠방각하 주문"),
    ("utf-16 in base64", "utf-16", GERMAN.encode("utf-16"), GERMAN),
    ("utf-7", "utf-7", b"Gr+APYA3w-e", "Größe"),
    ("unicode-1-1-utf-7", "unicode-1-1-utf-7", b"Gr+APYA3w-e", "Größe"),
    ("unknown-8bit", "unknown-8bit", GERMAN.encode("cp1252"), GERMAN),
    ("no charset, utf-8 bytes", "", GERMAN.encode(), GERMAN),
    ("no charset, latin-1 bytes", "", GERMAN.encode("cp1252"), GERMAN),
    ("mac roman", "macintosh", "Schöne Grüße".encode("mac-roman"), "Schöne Grüße"),
    ("name of a codec that is no charset", "rot13", b"Hello", "Hello"),
    ("base64 as a charset", "base64", b"Hello there", "Hello there"),
    ("garbage charset name", "=?utf-8?", GERMAN.encode(), GERMAN),
    (
        "utf-8 with one broken byte",
        "utf-8",
        b"Gr\xc3\xb6\xc3\x9fe \xff und S\xc3\xbc\xc3\x9fes f\xc3\xbcr L\xc3\xa4den",
        "Größe \ufffd und Süßes für Läden",
    ),
)


def charset_mail(declared: str, data: bytes) -> bytes:
    value = f"text/plain; charset={declared}" if declared else "text/plain"
    return mail(f"Content-Type: {value}", "Content-Transfer-Encoding: base64", body=base64.encodebytes(data))


PNG = b"\x89PNG\r\n\x1a\nnot really"
LONG = "This line is long enough to be wrapped by every encoder that exists because it has many words in it, yes.\n" * 3

HTML_BODIES: tuple[tuple[str, str, str], ...] = (
    ("paragraphs", "<p>Hello,</p><p>where is my mug?</p>", "Hello,\n\nwhere is my mug?"),
    ("breaks", "Hello,<br>where is<br/>my mug?", "Hello,\nwhere is\nmy mug?"),
    ("divs", "<div>Hello,</div><div><br></div><div>bye</div>", "Hello,\n\nbye"),
    ("style and script go", "<style>p{color:red}</style><script>alert(1)</script><p>Hi</p>", "Hi"),
    ("head and title go", "<html><head><title>Mail</title></head><body>Hi</body></html>", "Hi"),
    ("entities", "5 &lt; 6 &amp; 7&nbsp;&euro;", "5 < 6 & 7 €"),
    ("white space collapses", "<p>a\n   b\t c</p>", "a b c"),
    ("pre keeps lines", "<pre>a\n  b</pre>", "a\n  b"),
    ("list", "<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
    ("table", "<table><tr><td>Mug</td><td>2</td></tr><tr><td>Cup</td><td>1</td></tr></table>", "Mug 2\nCup 1"),
    ("inline tags do not split words", "<b>W</b>here <i>is</i> it", "Where is it"),
    ("comments and conditionals go", "<!--[if mso]><p>no</p><![endif]--><p>yes</p>", "yes"),
    ("hidden preheader goes", '<div style="display:none">secret</div><p>shown</p>', "shown"),
    ("zero-width characters go", "<p>Hel\u200blo\ufeff</p>", "Hello"),
    ("unclosed tags", "<div><p>Hello<p>there<b>!", "Hello\n\nthere!"),
    ("text without tags", "just words", "just words"),
    ("link keeps its words", '<a href="https://example.com/x">track it</a> please', "track it please"),
    ("NUL inside", "<p>He\x00llo</p>", "Hello"),
    (
        "outlook paragraph",
        '<p class="MsoNormal">Hello<o:p></o:p></p><p class="MsoNormal">bye<o:p>&nbsp;</o:p></p>',
        "Hello\n\nbye",
    ),
)

TREES: tuple[Case, ...] = (
    Case(
        "body: alternative takes the plain text",
        composed("alternative", plain("Plain words."), html("<p>HTML words.</p>")),
        text="Plain words.",
    ),
    Case(
        "body: empty plain gives way to the HTML",
        composed("alternative", plain(" \n"), html("<p>HTML words.</p>")),
        text="HTML words.",
    ),
    Case(
        "body: mixed text parts are joined",
        composed("mixed", plain("First."), attached("a.bin", b"1"), plain("Second.")),
        text="First.\n\nSecond.",
    ),
    Case(
        "body: text then HTML in mixed are both kept",
        composed("mixed", plain("First."), html("<p>Second.</p>")),
        text="First.\n\nSecond.",
    ),
    Case(
        "body: related inside alternative",
        composed(
            "alternative",
            plain("Plain."),
            nested(
                "related",
                html('<img src="cid:a">Rich.'),
                base64_part("image/png", PNG, "Content-ID: <a>"),
                boundary="rel",
            ),
        ),
        text="Plain.",
    ),
    Case(
        "body: alternative inside mixed with a list footer",
        composed(
            "mixed",
            nested("alternative", plain("Words."), html("<p>Words.</p>"), boundary="alt"),
            plain("Footer of the list"),
        ),
        text="Words.\n\nFooter of the list",
    ),
    Case(
        "body: signed mail shows what was signed",
        composed("signed", plain("Signed words."), part("application/pkcs7-signature; name=smime.p7s", b"MII")),
        text="Signed words.",
    ),
    Case("body: html only", html_mail("<p>Only HTML.</p>"), text="Only HTML."),
    Case(
        "body: html in base64",
        mail(
            "Content-Type: text/html; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            body=base64.encodebytes("<p>Grüße</p>".encode()),
        ),
        text="Grüße",
    ),
    Case(
        "body: quoted-printable",
        mail(
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
            body=quoted_printable(GERMAN + "\n" + LONG),
        ),
        text=GERMAN + "\n" + LONG.strip(),
    ),
    Case(
        "body: quoted-printable with stray equals signs",
        mail("Content-Type: text/plain", "Content-Transfer-Encoding: quoted-printable", body="a=b and 1 = 1 =zz\n"),
        text="a=b and 1 = 1 =zz",
    ),
    Case(
        "body: encoding name in capitals with a blank",
        mail("Content-Type: text/plain", "Content-Transfer-Encoding: BASE64 ", body="SGVsbG8=\n"),
        text="Hello",
    ),
    Case(
        "body: base64 without padding",
        mail("Content-Type: text/plain", "Content-Transfer-Encoding: base64", body="SGVsbG8\n"),
        text="Hello",
    ),
    Case(
        "body: declared base64 is plain text",
        mail(
            "Content-Type: text/plain", "Content-Transfer-Encoding: base64", body="Hello, where is my mug?\nThanks!\n"
        ),
        text="Hello, where is my mug?\nThanks!",
    ),
    Case(
        "body: declared base64 is words only",
        mail("Content-Type: text/plain", "Content-Transfer-Encoding: base64", body="Where is my order please\n"),
        text="Where is my order please",
    ),
    Case(
        "body: base64 with a plain footer added by a list",
        mail(
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            body=base64.encodebytes(("The list is nice. " * 6).encode()) + b"\n-- \nlist footer, not encoded\n",
        ),
        text="The list is nice. " * 6 + "\n\n-- \nlist footer, not encoded",
    ),
    Case(
        "body: unknown transfer encoding",
        mail("Content-Type: text/plain", "Content-Transfer-Encoding: x-fancy", body="Readable.\n"),
        text="Readable.",
        banner="x-fancy",
    ),
    Case("body: no content type", mail(body="Hello there\n"), text="Hello there"),
    Case("body: broken content type", mail("Content-Type: text", body="Hello there\n"), text="Hello there"),
    Case(
        "body: content type with blanks",
        mail("Content-Type: text / plain ; charset = utf-8", body="Größe\n"),
        text="Größe",
    ),
    Case(
        "body: boundary missing from the header",
        mail("Content-Type: multipart/alternative", body="--xyz\nContent-Type: text/plain\n\nWords.\n--xyz--\n"),
        text="Words.",
    ),
    Case(
        "body: boundary named but absent",
        mail('Content-Type: multipart/mixed; boundary="nope"', body="Only words here.\n"),
        text="Only words here.",
    ),
    Case(
        "body: boundary never closed",
        mail('Content-Type: multipart/mixed; boundary="b"', body="--b\nContent-Type: text/plain\n\nWords.\n"),
        text="Words.",
    ),
    Case(
        "body: part without headers",
        mail('Content-Type: multipart/mixed; boundary="b"', body="--b\n\nWords.\n--b--\n"),
        text="Words.",
    ),
    Case(
        "body: preamble and epilogue are not shown",
        mail(
            'Content-Type: multipart/mixed; boundary="b"', body="This is a MIME mail.\n--b\n\nWords.\n--b--\nepilogue\n"
        ),
        text="Words.",
    ),
    Case(
        "body: boundary with blanks after it",
        mail('Content-Type: multipart/mixed; boundary="b"', body="--b  \n\nWords.\n--b--  \n"),
        text="Words.",
    ),
    Case(
        "body: inner boundary starts like the outer",
        composed("mixed", nested("alternative", plain("Words."), html("<p>Words.</p>"), boundary="outer2")),
        text="Words.",
    ),
    Case("body: empty multipart", mail('Content-Type: multipart/mixed; boundary="b"', body="--b--\n"), text=""),
    Case(
        "body: bare carriage returns",
        mail("Content-Type: text/plain", body="one\ntwo\n").replace(b"\r\n", b"\r"),
        text="one\ntwo",
        subject="Where is my order #1042?",
    ),
    Case(
        "body: bare line feeds",
        mail("Content-Type: text/plain", body="one\ntwo\n").replace(b"\r\n", b"\n"),
        text="one\ntwo",
        subject="Where is my order #1042?",
    ),
    Case(
        "body: leading blank lines before the headers",
        b"\r\n\r\n" + text_mail("Hello"),
        text="Hello",
        address="lina.meyer@example.com",
    ),
    Case(
        "body: no header at all", b"Hello, I have no headers.\nBye\n", text="Hello, I have no headers.\nBye", address=""
    ),
    Case(
        "body: a whole mail wrapped in a text",
        mail(
            "Content-Type: text/plain",
            body=b"Return-Path: <x@y.example>\nReceived: from a by b; Fri, 20 Nov 2026 15:00:00 +0100\n"
            b"From: Ada <ada@example.com>\nSubject: inner\nMIME-Version: 1.0\n"
            b'Content-Type: multipart/alternative; boundary="in"\n\n'
            b"--in\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
            b"Gr=C3=B6=C3=9Fe\n--in--\n",
        ),
        text="Größe",
    ),
    Case(
        "body: header line broken without a blank",
        mail("X-Long: one", body="Hello").replace(b"X-Long: one", b"X-Long: one\r\ntwo three\r\nX-More: 1"),
        text="Hello",
    ),
    Case(
        "body: calendar invitation keeps its words",
        composed(
            "alternative",
            plain("Please come."),
            part("text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR"),
        ),
        text="Please come.",
    ),
    Case(
        "body: enriched text",
        mail("Content-Type: text/enriched", body="<bold>Now</bold> is << the time\n"),
        text="Now is < the time",
    ),
    Case(
        "body: flowed text joins its lines",
        mail("Content-Type: text/plain; format=flowed", body="This is one \nlong line.\nShort.\n"),
        text="This is one long line.\nShort.",
    ),
    Case("body: NUL bytes go", mail("Content-Type: text/plain", body=b"He\x00llo\n"), text="Hello"),
    Case(
        "body: attached text is no body",
        composed(
            "mixed",
            plain("Words."),
            part("text/plain", b"notes", "Content-Disposition: attachment; filename=notes.txt"),
        ),
        text="Words.",
    ),
    Case(
        "body: the mail is one picture",
        mail("Content-Type: image/png; name=a.png", "Content-Transfer-Encoding: base64", body=base64.encodebytes(PNG)),
        text="",
    ),
)

BODY_CASES: tuple[Case, ...] = (
    *(Case(f"charset: {name}", charset_mail(declared, data), text=text) for name, declared, data, text in CHARSETS),
    *(Case(f"html: {name}", html_mail(source), text=text) for name, source, text in HTML_BODIES),
    *TREES,
)
