"""Replies as at least a dozen clients write them, in forty languages: what is new is stated, never derived."""
# ruff: noqa: E501 - a mail is easier to compare when its lines are not broken

from .build import composed, html, html_mail, plain, text_mail
from .case import Case
from .languages import LANGUAGES, OUR_REPLY, WHO, Language

QUOTED = "\n".join(f"> {line}".rstrip() for line in OUR_REPLY.splitlines())
HTML_QUOTE = OUR_REPLY.replace("\n", "<br>")
SUBJECT = "Subject: Re: Where is my order #1042?"
EN = LANGUAGES[0]
NEW = EN.new
ASKS = "Thank you for the quick answer!\n\nOne more question: does it fit a dishwasher?"


def outlook_block(language: Language, bold: str = "") -> str:
    sender, sent, to, subject = language.labels
    rows = (
        (sender, WHO),
        (sent, "5 January 2024 10:00"),
        (to, "Lina Meyer <lina.meyer@example.com>"),
        (subject, "RE: Where is my order #1042?"),
    )
    return "\n".join(f"{bold}{label}:{bold} {value}" for label, value in rows)


def gmail(language: Language) -> str:
    return f"{language.new}\n\n{language.gmail.format(who=WHO)}\n\n{QUOTED}\n"


def outlook(language: Language) -> str:
    return f"{language.new}\n\n________________________________\n{outlook_block(language)}\n\n{OUR_REPLY}\n"


def original_message(language: Language) -> str:
    return f"{language.new}\n\n-----{language.original}-----\n{outlook_block(language)}\n\n{OUR_REPLY}\n"


def apple_mobile(language: Language) -> str:
    return f"{language.new}\n\n{language.mobile}\n\n> {language.gmail.format(who=WHO)}\n> \n{QUOTED}\n"


WROTE = f"On Fri, Jan 5, 2024 at 10:00 AM {WHO} wrote:"

# (what is odd, text, expected new text)
TEXTS: tuple[tuple[str, str, str], ...] = (
    ("no quote at all", ASKS + "\n", ASKS),
    (
        "attribution over two lines",
        f"{NEW}\n\nOn Fri, Jan 5, 2024 at 10:00 AM Northwind Mugs\n"
        f"<support@northwind-mugs.example> wrote:\n\n{QUOTED}\n",
        NEW,
    ),
    (
        "attribution over three lines",
        f"{NEW}\n\nOn Fri, Jan 5, 2024 at 10:00 AM\nNorthwind Mugs\n"
        f"<support@northwind-mugs.example> wrote:\n{QUOTED}\n",
        NEW,
    ),
    ("answer below the quote", f"{WROTE}\n{QUOTED}\n\n{ASKS}\n", ASKS),
    ("answer above and below", f"Hello Tom,\n\n{WROTE}\n{QUOTED}\n\nSee you.\n", "Hello Tom,\n\nSee you."),
    (
        "answers between the quoted lines",
        f"{WROTE}\n> Which colour?\n\nBlue, please.\n\n> Which size?\n\nThe big one.\n",
        "Blue, please.\n\nThe big one.",
    ),
    (
        "answers between without blank lines",
        f"{WROTE}\n> Which colour?\nBlue, please.\n> Which size?\nThe big one.\n",
        "Blue, please.\nThe big one.",
    ),
    ("signature mark", f"{ASKS}\n\n-- \nLina Meyer\n+49 30 1234\n", ASKS),
    ("signature mark without the blank", f"{ASKS}\n\n--\nLina Meyer\nExample Ltd\n", ASKS),
    ("signature then quote", f"{ASKS}\n\n-- \nLina Meyer\n\n{WROTE}\n{QUOTED}\n", ASKS),
    ("quote then signature", f"{ASKS}\n\n{WROTE}\n{QUOTED}\n\n-- \nLina Meyer\n", ASKS),
    ("closing words stay", "Where is it?\n\nKind regards\nLina\n", "Where is it?\n\nKind regards\nLina"),
    ("greater sign inside a line", "The price is > 20 EUR, why?\n", "The price is > 20 EUR, why?"),
    ("only the quote", f"{WROTE}\n{QUOTED}\n", f"{WROTE}\n{QUOTED}"),
    (
        "you wrote, in a sentence",
        "On Monday you wrote:\nthe parcel is on its way.\nIt is not.\n",
        "On Monday you wrote:\nthe parcel is on its way.\nIt is not.",
    ),
    (
        "a customer lists details with colons",
        "From: Berlin\nTo: Hamburg\nPlease change the address.\n",
        "From: Berlin\nTo: Hamburg\nPlease change the address.",
    ),
    ("nested quotes", f"{NEW}\n\n{WROTE}\n> Hello\n>\n> On Thu, Jan 4, 2024 Lina wrote:\n>> Where is it?\n", NEW),
    ("quotes without blanks", f"{NEW}\n{WROTE}\n>Hello\n>>Where is it?\n>bye\n", NEW),
    (
        "quoted lines with broken tails",
        f"{NEW}\n\n{WROTE}\n> your mug left our warehouse this\nmorning.\n> Tracking number\n",
        f"{NEW}\n\nmorning.",
    ),
    ("quote without any attribution", f"{NEW}\n\n{QUOTED}\n", NEW),
    (
        "Outlook for iOS line",
        f"{NEW}\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\n"
        f"{outlook_block(EN)}\n\n{OUR_REPLY}\n",
        NEW,
    ),
    ("Outlook without a rule line", f"{NEW}\n\n{outlook_block(EN)}\n\n{OUR_REPLY}\n", NEW),
    ("Outlook for Mac, bold labels", f"{NEW}\n\n{outlook_block(EN, '*')}\n\n{OUR_REPLY}\n", NEW),
    (
        "Outlook with a Cc and an importance",
        f"{NEW}\n\n-----Original Message-----\nFrom: {WHO} \nSent: Friday, January "
        "5, 2024 10:00 AM\nTo: Lina Meyer\nCc: Ada Example\nSubject: RE: Order\nImportance: High\n\n" + OUR_REPLY,
        NEW,
    ),
    (
        "Yahoo",
        f"{NEW}\n\n    On Friday, January 5, 2024 at 10:00:00 AM GMT+1, {WHO} wrote:  \n \n Hello Lina,\n\n your "
        "mug left.\n",
        NEW,
    ),
    (
        "old Yahoo",
        f"{NEW}\n\n--- On Fri, 5/1/24, Northwind Mugs <support@northwind-mugs.example> wrote:\n\nFrom: "
        "Northwind Mugs\nSubject: Re: Order\n\nHello\n",
        NEW,
    ),
    (
        "Yahoo on Android",
        f"{NEW}\n\nSent from Yahoo Mail on Android \n \n  On Fri, 5 Jan 2024 at 10:00, Northwind Mugs"
        "<support@northwind-mugs.example> wrote:   Hello Lina, your mug left.\n",
        NEW,
    ),
    (
        "Proton",
        f"{NEW}\n\nSent with [Proton Mail](https://proton.me/) secure email.\n\nOn Friday, January 5th, 2024 at "
        f"10:00 AM, {WHO} wrote:\n\n{QUOTED}\n",
        NEW,
    ),
    (
        "old Proton",
        f"{NEW}\n\n‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Friday, January 5th, 2024 at 10:00 AM, {WHO} wrote:\n"
        f"\n{QUOTED}\n",
        NEW,
    ),
    (
        "Samsung",
        f"{NEW}\n\nSent from my Galaxy\n\n-------- Original message --------\nFrom: {WHO}\nDate: 05/01/2024 "
        f"10:00 (GMT+01:00)\nTo: lina.meyer@example.com\nSubject: Re: Order\n\n{OUR_REPLY}\n",
        NEW,
    ),
    ("Thunderbird", f"{NEW}\n\nOn 05/01/2024 10:00, Northwind Mugs wrote:\n{QUOTED}\n", NEW),
    ("Thunderbird in German", f"{NEW}\n\nAm 05.01.24 um 10:00 schrieb Northwind Mugs:\n{QUOTED}\n", NEW),
    ("Thunderbird, ISO date", f"{NEW}\n\nOn 2024-01-05 10:00, {WHO} wrote:\n{QUOTED}\n", NEW),
    ("Apple Mail", f"{NEW}\n\n> On 5 Jan 2024, at 10:00, {WHO} wrote:\n> \n{QUOTED}\n", NEW),
    (
        "iPhone in French",
        f"Merci !\n\nEnvoyé de mon iPhone\n\n> Le 5 janv. 2024 à 10:00, {WHO} a écrit :\n> \n{QUOTED}\n",
        "Merci !",
    ),
    (
        "GMX",
        f'{NEW}\n \n \n\nGesendet: Freitag, 05. Januar 2024 um 10:00 Uhr\nVon: "Northwind Mugs" '
        f"<support@northwind-mugs.example>\nAn: lina.meyer@example.com\nBetreff: Re: Order\n\n{OUR_REPLY}\n",
        NEW,
    ),
    (
        "mail.ru",
        f"{NEW}\n\n\nПятница, 5 января 2024, 10:00 +03:00 от Northwind Mugs "
        f"<support@northwind-mugs.example>:\n \n{QUOTED}\n",
        NEW,
    ),
    ("Yandex", f'{NEW}\n\n05.01.2024, 10:00, "Northwind Mugs" <support@northwind-mugs.example>:\n{QUOTED}\n', NEW),
    (
        "QQ",
        '谢谢。\n\n\n------------------ 原始邮件 ------------------\n发件人: "Northwind Mugs" '
        '<support@northwind-mugs.example>;\n发送时间: 2024年1月5日(星期五) 上午10:00\n收件人: "Lina"<lina@example.com>;\n'
        f"主题: Re: Order\n\n{OUR_REPLY}\n",
        "谢谢。",
    ),
    (
        "NetEase",
        '谢谢。\n\n\n\n\n\nAt 2024-01-05 10:00:00, "Northwind Mugs" <support@northwind-mugs.example> wrote:\n'
        f"{OUR_REPLY}\n",
        "谢谢。",
    ),
    ("Zoho", f"{NEW}\n\n\n\n---- On Fri, 05 Jan 2024 10:00:00 +0100 {WHO} wrote ----\n\n{OUR_REPLY}\n", NEW),
    (
        "Lotus Notes",
        f"{NEW}\n\n\n\nFrom:\tNorthwind Mugs <support@northwind-mugs.example>\nTo:\tlina.meyer@example.com\n"
        f"Date:\t05/01/2024 10:00\nSubject:\tRe: Order\n\n{OUR_REPLY}\n",
        NEW,
    ),
    ("Fastmail", f"{NEW}\n\nOn Fri, 5 Jan 2024, at 10:00 AM, Northwind Mugs wrote:\n{QUOTED}\n", NEW),
    ("Roundcube", f"{NEW}\n\nOn 2024-01-05 10:00, Northwind Mugs wrote:\n{QUOTED}\n", NEW),
    ("Windows Mail", f"{NEW}\n\nSent from Mail for Windows\n\n{outlook_block(EN)}\n\n{OUR_REPLY}\n", NEW),
    ("BlackBerry", f"{NEW}\n\nSent from my BlackBerry 10 smartphone.\n{outlook_block(EN)}\n\n{OUR_REPLY}\n", NEW),
    ("reply mark of a desk", f"{NEW}\n\n##- Please type your reply above this line -##\n\n{OUR_REPLY}\n", NEW),
    ("carriage returns", f"{NEW}\r\n\r\n{WROTE}\r\n> Hello\r\n> bye\r\n", NEW),
    ("virus footer", f"{NEW}\n\n-- \nThis email has been checked for viruses by AVG.\nwww.avg.com\n", NEW),
    (
        "a rule line of the customer's own",
        "Item A is broken.\n\n-----\n\nItem B is missing as well, please send both "
        "again.\nI also would like to know when the next delivery comes,\nbecause I am away for two weeks.\nThe address "
        "is the same.\nMy phone is the same.\nThe order is 1042.\nThe other order is 1043.\nThanks a lot for the quick "
        "help.\nI wait for you.\nBye\nLina\n",
        "Item A is broken.\n\n-----\n\nItem B is missing as well, please send both "
        "again.\nI also would like to know when the next delivery comes,\nbecause I am away for two weeks.\nThe address "
        "is the same.\nMy phone is the same.\nThe order is 1042.\nThe other order is 1043.\nThanks a lot for the quick "
        "help.\nI wait for you.\nBye\nLina",
    ),
    ("dash and a name", f"{ASKS}\n\n-Lina\n", ASKS),
    (
        "a rule above bold labels",
        f"{NEW}\n\n\n ------------------------------\n*From:* {WHO}\n*Sent:* Thursday, February 09, "
        "2012 1:36 PM\n*To:* lina@example.com\n*Subject:* Order\n\nHello\n",
        NEW,
    ),
    (
        "a whimsical device line",
        f"{NEW}\n\nSent from a magnificent torch of pixels\n\nOn Dec 16, 2011, at 12:47 PM, Tom\n"
        "<support@northwind-mugs.example>\nwrote:\n\n> Was it there?\n",
        NEW,
    ),
    (
        "sent from, in a sentence",
        "Here is another mail.\n\nSent from my desk, which is much easier than typing on a mobile phone.\n",
        "Here is another mail.\n\nSent from my desk, which is much easier than typing on a mobile phone.",
    ),
    ("rules around wrote", f"{NEW}\n\n---- Northwind Mugs wrote ----\n\n> Hello\n", NEW),
    (
        "date and address without a colon",
        f"{NEW}\n\n2011/4/7 Northwind Mugs <support@northwind-mugs.example>\n\n> Hello\n",
        NEW,
    ),
    (
        "month in letters",
        f"{NEW}\n\nOn 11-Apr-2011, at 6:54 PM, Tom <support@northwind-mugs.example> wrote:\n\n>\n> Hello\n",
        NEW,
    ),
    (
        "greeting above an answer below",
        "Hi,\nOn Tue, 2011-03-01 at 18:02 +0530, Tom wrote:\n> Which one?\n\nThe blue one.\n",
        "Hi,\n\nThe blue one.",
    ),
    (
        "a line that begins with One",
        "One outstanding question I had:\n\nLocally it works.\n\nOn Oct 1, 2012, at 11:55 PM, Tom "
        "wrote:\n\n> The good news\n",
        "One outstanding question I had:\n\nLocally it works.",
    ),
    (
        "a sentence that begins with On",
        "On your remote host you can run:\n\n     telnet 127.0.0.1\n\nOn 9 Jan 2014, at 2:47, Tom wrote:\n\n> Hello\n",
        "On your remote host you can run:\n\n     telnet 127.0.0.1",
    ),
    (
        "footer of a mailing list",
        f"{ASKS}\n\n-Lina Meyer\n\n\n_______________________________________________\nmug-users "
        "mailing list\nmug-users@lists.example\nhttp://lists.example/mug-users\n",
        ASKS,
    ),
    (
        "Dutch, the verb at the end",
        f"{NEW}\n\nOp 17-feb.-2015, om 13:18 heeft Tom <support@northwind-mugs.example> het "
        "volgende geschreven:\n\n> Hallo\n",
        NEW,
    ),
    ("Polish, pisze", f"{NEW}\n\nW dniu 2014-04-12 o 10:00, Northwind Mugs pisze:\n> Czesc\n", NEW),
    ("square brackets in the name", f"{NEW}\n\nOn 12.06.13 06:35, Northwind [Mugs] wrote:\n> Hello\n", NEW),
    (
        "block in a box of pipes",
        f"{NEW}\n\n> From: {WHO}\n> Date: Fri, 5 Jan 2024 10:00:00 +0100\n> To: lina@example.com\n"
        "> Subject: Order\n>\n> Hello\n",
        NEW,
    ),
    (
        "a sentence with a date and an address before its colon",
        "Hi,\n\nI ordered on 05.01.2024 and wrote to support@shop.example:\nno answer so far.\nPlease help.\n",
        "Hi,\n\nI ordered on 05.01.2024 and wrote to support@shop.example:\nno answer so far.\nPlease help.",
    ),
    (
        "a form's fields are no header block",
        "Order: 1042\nName: Lina\nColour: blue\nDate: 5.1.2024\n\nI want to return it.\n",
        "Order: 1042\nName: Lina\nColour: blue\nDate: 5.1.2024\n\nI want to return it.",
    ),
    ("introduction after a sentence", f"{NEW} On 04/19/2011 07:10 AM, Tom wrote:\n>\n> Hello\n", NEW),
    ("quoting, without a date", f"{NEW}\n\nQuoting Tom <support@northwind-mugs.example>:\n\n> Hello\n", NEW),
    ("a list with dashes", "I need:\n\n- a mug\n- a cup\n", "I need:\n\n- a mug\n- a cup"),
)

# (client, HTML, expected new text)
HTMLS: tuple[tuple[str, str, str], ...] = (
    (
        "Gmail",
        f'<div dir="ltr">{NEW}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{WROTE}<br>'
        f'</div><blockquote class="gmail_quote">{HTML_QUOTE}</blockquote></div>',
        NEW,
    ),
    (
        "Gmail, unknown language",
        f'<div dir="ltr">{NEW}</div><br><div class="gmail_quote gmail_quote_container"><div '
        f'class="gmail_attr">Zzz qqq Northwind xxx<br></div><blockquote class="gmail_quote">{HTML_QUOTE}</blockquote></div>',
        NEW,
    ),
    (
        "Gmail, answers between",
        '<div class="gmail_quote"><div class="gmail_attr">Zzz wrote:<br></div><blockquote '
        'class="gmail_quote">Which colour?</blockquote><div>Blue, please.</div><blockquote class="gmail_quote">Which size?'
        "</blockquote><div>The big one.</div></div>",
        "Blue, please.\n\nThe big one.",
    ),
    (
        "Gmail with a signature",
        f'<div>{NEW}</div><span class="gmail_signature_prefix">-- </span><br><div '
        f'class="gmail_signature">Lina<br>CEO</div><div class="gmail_quote">Zzz<blockquote class="gmail_quote">'
        f"{HTML_QUOTE}</blockquote></div>",
        NEW,
    ),
    (
        "Outlook web",
        f'<div>{NEW}</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%"><div '
        f'id="divRplyFwdMsg"><b>Zzz:</b> Northwind<br><b>Yyy:</b> x</div><div>{HTML_QUOTE}</div>',
        NEW,
    ),
    (
        "Outlook desktop",
        f'<div class="WordSection1"><p class="MsoNormal">{NEW}</p><div><div style="border:none;'
        'border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b>Zzz:</b> Northwind Mugs '
        f"&lt;support@northwind-mugs.example&gt;<br><b>Yyy:</b> 5. 1. 2024</p></div></div><p>{HTML_QUOTE}</p></div>",
        NEW,
    ),
    (
        "Apple Mail",
        f'<div>{NEW}</div><div><br><blockquote type="cite"><div>{WROTE}</div><br><div>{HTML_QUOTE}</div>'
        "</blockquote></div>",
        NEW,
    ),
    (
        "Apple Mail, attribution outside",
        f"<div>{NEW}</div><br><div>{WROTE.replace('<', '&lt;').replace('>', '&gt;')}"
        f'</div><blockquote type="cite">{HTML_QUOTE}</blockquote>',
        NEW,
    ),
    (
        "Yahoo",
        f'<div>{NEW}</div><div id="yahoo_quoted_1" class="yahoo_quoted"><div>Zzz</div><div>{HTML_QUOTE}</div></div>',
        NEW,
    ),
    (
        "Proton",
        f'<div>{NEW}</div><div class="protonmail_quote">Zzz<blockquote class="protonmail_quote" type="cite">'
        f"{HTML_QUOTE}</blockquote></div>",
        NEW,
    ),
    (
        "Thunderbird",
        f'<p>{NEW}</p><div class="moz-cite-prefix">Zzz:<br></div><blockquote type="cite">{HTML_QUOTE}</blockquote>',
        NEW,
    ),
    (
        "Thunderbird, answer below",
        f'<div class="moz-cite-prefix">Zzz:<br></div><blockquote type="cite">{HTML_QUOTE}</blockquote><p>{NEW}</p>',
        NEW,
    ),
    (
        "GMX",
        f'<div>{NEW}</div><div name="quote" style="border-left:2px solid #C3D9E5">Zzz<div>{HTML_QUOTE}</div></div>',
        NEW,
    ),
    (
        "Zoho",
        f'<div>{NEW}</div><div class="zmail_extra"><div>Zzz</div><blockquote>{HTML_QUOTE}</blockquote></div>',
        NEW,
    ),
    (
        "Outlook copying Gmail",
        f'<div>{NEW}</div><div class="x_gmail_quote">Zzz<blockquote class="x_gmail_quote">'
        f"{HTML_QUOTE}</blockquote></div>",
        NEW,
    ),
    ("Tutanota", f'<div>{NEW}</div><div class="tutanota_quote">Zzz {HTML_QUOTE}</div>', NEW),
    (
        "pure Gmail forward keeps its text",
        '<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message '
        "---------<br>Von: Ada</div><p>Hello from Ada</p></div>",
        "---------- Forwarded message ---------\nVon: Ada\n\nHello from Ada",
    ),
)

MARKUP = {"<": "&lt;", ">": "&gt;", "\n": "<br>"}


def both(language: Language) -> bytes:
    text = gmail(language)
    quote = "".join(MARKUP.get(letter, letter) for letter in language.gmail.format(who=WHO))
    page = (
        f'<div dir="auto">{language.new}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{quote}'
        f'<br></div><blockquote class="gmail_quote">{HTML_QUOTE}</blockquote></div>'
    )
    return composed("alternative", plain(text), html(page), headers=(SUBJECT,))


REPLY_CASES: tuple[Case, ...] = (
    *(
        Case(f"reply, Gmail: {language.code}", text_mail(gmail(language), SUBJECT), new=language.new)
        for language in LANGUAGES
    ),
    *(Case(f"reply, Gmail text and HTML: {language.code}", both(language), new=language.new) for language in LANGUAGES),
    *(
        Case(f"reply, Outlook: {language.code}", text_mail(outlook(language), SUBJECT), new=language.new)
        for language in LANGUAGES
    ),
    *(
        Case(
            f"reply, original message: {language.code}",
            text_mail(original_message(language), SUBJECT),
            new=language.new,
        )
        for language in LANGUAGES
    ),
    *(
        Case(f"reply, iPhone: {language.code}", text_mail(apple_mobile(language), SUBJECT), new=language.new)
        for language in LANGUAGES
    ),
    *(Case(f"reply: {name}", text_mail(text, SUBJECT), new=new) for name, text, new in TEXTS),
    *(Case(f"reply in HTML: {name}", html_mail(page, SUBJECT), new=new) for name, page, new in HTMLS),
)
