"""Non-delivery notices as the mail servers of the world word them, with and without a delivery-status part."""
# ruff: noqa: E501 - a mail is easier to compare when its lines are not broken

from .build import composed, mail, part, word
from .case import Case

TO = "gone@example.org"
OURS = (
    "Return-Path: <support@northwind-mugs.example>\nFrom: Northwind Mugs <support@northwind-mugs.example>\n"
    f"To: <{TO}>\nReply-To: support+prod.c01jd3m7qk8.ptzsmsvkhmva@in.helpdesk.example\n"
    "Subject: Your order\nMessage-ID: <m01jd3n0aa1.prod@helpdesk.example>\nX-HD-Loop: prod\n\nHello,\nit left today.\n"
)

# (server, From header, Subject, text) for notices without a delivery-status part
PLAIN_NOTICES: tuple[tuple[str, str, str, str], ...] = (
    (
        "qmail",
        "MAILER-DAEMON@mx.example.org",
        "failure notice",
        f"Hi. This is the qmail-send program at mx.example.org.\nI'm afraid I wasn't able to deliver your message to the "
        f"following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<{TO}>:\n"
        "192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 User unknown\nGiving up on 192.0.2.1.\n\n"
        "--- Below this line is a copy of the message.\n\n" + OURS,
    ),
    (
        "qmail at Yahoo",
        '"Mail Delivery" <mailer-daemon@yahoo.com>',
        "Failure Notice",
        f"Sorry, we were unable to deliver your message to the following address.\n\n<{TO}>:\n"
        "554: delivery error: dd This user doesn't have a yahoo.com account [-5] - mta1.example\n\n"
        "--- Below this line is a copy of the message.\n\n" + OURS,
    ),
    (
        "Exim",
        "Mail Delivery System <Mailer-Daemon@mx.example.org>",
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
        f"delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
        f"  {TO}\n    host mx.example.org [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<{TO}>:\n"
        "    550 5.1.1 mailbox unavailable\n\n------ This is a copy of the message, including all the headers. ------\n\n"
        + OURS,
    ),
    (
        "Exim warning",
        "Mail Delivery System <Mailer-Daemon@mx.example.org>",
        "Warning: message 1abc-23 delayed 24 hours",
        "This message was created automatically by mail delivery software.\nA message that you sent has not yet been "
        f"delivered to one or more of its\nrecipients after more than 24 hours on the queue.\n\n  {TO}\n    Delay reason: "
        "host lookup did not complete\n",
    ),
    (
        "sendmail",
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.org>",
        "Returned mail: see transcript for details",
        "The original message was received at Fri, 20 Nov 2026\n\n   ----- The following addresses had permanent fatal "
        f"errors -----\n<{TO}>\n    (reason: 550 5.1.1 <{TO}>... User unknown)\n\n   ----- Transcript of session follows "
        f"-----\n... while talking to mx.example.org.:\n>>> DATA\n<<< 550 5.1.1 <{TO}>... User unknown\n",
    ),
    (
        "old sendmail",
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.org>",
        "Returned mail: User unknown",
        f"   ----- Transcript of session follows -----\n550 {TO}... User unknown\n\n   ----- Unsent message follows "
        "-----\n" + OURS,
    ),
    (
        "Exchange 2003",
        "System Administrator <postmaster@example.org>",
        "Undeliverable: Your order",
        "Your message did not reach some or all of the intended recipients.\n\n      Subject:  Your order\n      Sent:  "
        f"20/11/2026 15:00\n\nThe following recipient(s) could not be reached:\n\n      {TO} on 20/11/2026 15:01\n"
        "            The e-mail account does not exist at the organization this message was sent to.\n"
        "            <mx.example.org #5.1.1>\n",
    ),
    (
        "Exchange 2010 in German",
        "Microsoft Outlook <postmaster@example.org>",
        "Unzustellbar: Ihre Bestellung",
        f"Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\n{TO}<mailto:{TO}>\nDie eingegebene "
        "E-Mail-Adresse konnte nicht gefunden werden.\n\nDiagnoseinformationen für Administratoren:\n"
        f"Generierender Server: mx.example.org\n{TO}\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n",
    ),
    (
        "Exchange in French",
        "postmaster@example.org",
        "Non remis : Votre commande",
        f"Échec de la remise pour ces destinataires ou groupes :\n\n{TO}\nL'adresse de messagerie est introuvable.\n"
        "#550 5.1.10 RESOLVER.ADR.RecipientNotFound\n",
    ),
    (
        "Exchange in Spanish",
        "postmaster@example.org",
        "No se puede entregar: Su pedido",
        f"Error al entregar a estos destinatarios o grupos:\n\n{TO}\nNo se encontró la dirección.\n#550 5.1.1\n",
    ),
    (
        "Exchange in Dutch",
        "postmaster@example.org",
        "Onbestelbaar: Uw bestelling",
        f"Uw bericht is niet bezorgd bij de volgende geadresseerden:\n\n{TO}\n#550 5.1.1\n",
    ),
    (
        "Exchange in Italian",
        "postmaster@example.org",
        "Non recapitabile: Il suo ordine",
        f"Impossibile recapitare il messaggio ai seguenti destinatari:\n\n{TO}\n#550 5.1.1\n",
    ),
    (
        "Exchange in Japanese",
        "postmaster@example.org",
        word("配信不能: ご注文"),
        f"次の受信者またはグループへの配信に失敗しました:\n\n{TO}\n#550 5.1.1 RESOLVER.ADR.RecipNotFound\n",
    ),
    (
        "Domino",
        "postmaster@example.org",
        "DELIVERY FAILURE: User gone (gone@example.org) not listed in Domino Directory",
        f"Your message\n\n  Subject: Your order\n\nwas not delivered to:\n\n  {TO}\n\nbecause:\n\n  User gone "
        f"({TO}) not listed in Domino Directory\n",
    ),
    (
        "Groupwise",
        "Mailer-Daemon@example.org",
        "Message status - undeliverable",
        f"The attached file had the following undeliverable recipient(s):\n\t{TO}\n\nTranscript of session follows:\n"
        f"Command: RCPT TO:<{TO}>\nResponse: 550 User unknown\n",
    ),
    (
        "Courier",
        "postmaster@mx.example.org",
        "NOTICE: mail delivery status.",
        f"This is a delivery status notification from mx.example.org.\n\nUNDELIVERABLE MAIL\n\nYour message to the "
        f"following recipients cannot be delivered:\n\n<{TO}>:\n    mx.example.org [192.0.2.1]:\n>>> RCPT TO:<{TO}>\n"
        "<<< 550 User unknown\n",
    ),
    (
        "OpenSMTPD",
        "Mailer Daemon <MAILER-DAEMON@mx.example.org>",
        "Delivery status notification: error",
        f"    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while "
        f"attempting to deliver a message for\n    the following list of recipients:\n\n{TO}: 550 5.1.1 User unknown\n",
    ),
    (
        "Apache James",
        "postmaster@example.org",
        "[BOUNCE]",
        f"Hi. This is the James mail server at example.org.\nI'm afraid I wasn't able to deliver your message to the "
        f"following addresses.\nThis is a permanent error; I've given up.\n\n  {TO}\n",
    ),
    (
        "MDaemon",
        "MDaemon at example.org <MDaemon@example.org>",
        "Permanent Delivery Failure",
        f"The following data may contain sections which represent BASE64 encoded\nfile attachments.\n\nThe attached "
        f"message had PERMANENT fatal delivery errors!\n\nFailed address: {TO}\n\n--> RCPT To:<{TO}>\n<-- 550 User "
        "unknown\n",
    ),
    (
        "IMail",
        "Mail Administrator <postmaster@example.org>",
        "Undeliverable Mail",
        f"Unknown user: {TO}\n\nOriginal message follows.\n\n" + OURS,
    ),
    (
        "MailEnable",
        "Postmaster <postmaster@example.org>",
        "Message Delivery Failure",
        f"MailEnable: Message delivery has failed.\nMessage could not be delivered to some recipients.\n\nThe following "
        f"recipient(s) could not be reached:\n\t[SMTP:{TO}]: Remote SMTP Server Returned: 550 unknown\n",
    ),
    (
        "InterScan",
        "InterScan MSS <postmaster@example.org>",
        "Mail could not be delivered",
        f"****** Message from InterScan Messaging Security Suite ******\n\nSent <<< RCPT TO:<{TO}>\nReceived >>> 550 "
        f"5.1.1 <{TO}>: User unknown\n\nUnable to deliver message to <{TO}> (and other recipients in the same domain).\n",
    ),
    (
        "Facebook",
        "Facebook <mailer-daemon@mx.facebook.com>",
        "Sorry, your message could not be delivered",
        f"This message was created automatically by Facebook.\n\nSorry, your message could not be delivered to the "
        f"following recipients:\n\n{TO}: 550 RCP-P1\n",
    ),
    (
        "KDDI",
        "no-reply@app.auone-net.jp",
        "Mail System Error - Returned Mail",
        f"Your mail sent on Fri, 20 Nov 2026 15:00:00 +0900\nCould not be delivered to:\n<{TO}>\nAs their mailbox is full."
        "\n\n" + OURS,
    ),
    (
        "EZweb",
        "Postmaster@ezweb.ne.jp",
        "Mail System Error - Returned Mail",
        f"The user(s) account is disabled.\n\n<{TO}>: 550 user unknown\n\n--- original\n" + OURS,
    ),
    (
        "Biglobe",
        "postmaster@biglobe.ne.jp",
        "Returned mail",
        f"   ----- The following addresses had delivery problems -----\n{TO}\n\n   ----- Non-delivered information "
        "-----\nThe number of messages in recipient's mailbox exceeded the local limit.\n",
    ),
    (
        "Japanese carrier",
        "MAILER-DAEMON@docomo.ne.jp",
        "Mail Delivery Error",
        f"宛先のメールアドレスが見つかりません。\nメールを配信できませんでした。\n<{TO}>\n550 Unknown user\n",
    ),
    (
        "QQ",
        "PostMaster@qq.com",
        word("系统退信"),
        f"抱歉，您的邮件被退回来了……\n原邮件信息：\n收件人：{TO}\n退信原因：\n550 Mailbox not found\n",
    ),
    (
        "NetEase",
        "Postmaster@163.com",
        word("系统退信"),
        f"很抱歉，您的邮件无法送达以下收件人：{TO}\n550 User not found\n",
    ),
    (
        "Mail.ru",
        "mailer-daemon@corp.mail.ru",
        "Mail failure.",
        f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
        f"delivered to one or more of\nits recipients. This is a permanent error. The following address(es)\nfailed:\n\n"
        f"  {TO}\n    user not found\n",
    ),
    (
        "Yandex",
        "mailer-daemon@yandex.ru",
        word("Недоставленное сообщение"),
        f"Это письмо отправлено почтовым сервером yandex.ru.\nК сожалению, мы вынуждены сообщить Вам о том, что Ваше "
        f"письмо не может быть отправлено одному или нескольким адресатам.\n\n<{TO}>: host mx.example.org said: 550 5.7.1 "
        "No such user!\n",
    ),
    (
        "WorkMail",
        "MAILER-DAEMON@us-west-2.amazonses.com",
        "Delivery Status Notification (Failure)",
        f"An error occurred while trying to deliver the mail to the following recipients:\n{TO}\n",
    ),
    (
        "Gmail old",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Delivery Status Notification (Failure)",
        f"Delivery to the following recipient failed permanently:\n\n     {TO}\n\nTechnical details of permanent "
        "failure:\nGoogle tried to deliver your message, but it was rejected by the recipient domain. The error that the "
        "other server returned was: 550 550 Unknown user (state 14).\n\n   ----- Original message -----\n\n" + OURS,
    ),
    (
        "ezmlm-like",
        "postmaster@lists.example.org",
        "Your message was not delivered",
        f"I was unable to deliver your message to {TO}.\nThe mailbox does not exist.\n",
    ),
    (
        "mailbox full",
        "postmaster@example.org",
        "Undeliverable: Your order",
        f"Could not deliver message to the following recipient(s):\n\nFailed Recipient: {TO}\nReason: Remote host said: "
        "552 5.2.2 mailbox is full\n",
    ),
    (
        "Barracuda",
        "postmaster@barracuda.example.org",
        "**Message you sent blocked by our bulk email filter**",
        f"Your message to: {TO}\nwas blocked by our Spam Firewall. The email you sent with the following subject has NOT "
        "BEEN DELIVERED:\n\nSubject: Your order\n",
    ),
    (
        "empty sender, odd name",
        "Mail Server <noreply-mail@example.org>",
        "Undeliverable mail",
        f"Your message could not be delivered to {TO}: 550 5.1.1 no such user\n",
    ),
)

# (server, From, Subject, human text, recipient's fields of the status part)
REPORTS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "Postfix",
        "MAILER-DAEMON@mx.example.com (Mail Delivery System)",
        "Undelivered Mail Returned to Sender",
        f"This is the mail system at host mx.example.com.\n\n<{TO}>: host mx.example.org said: 550 5.1.1 unknown\n",
        f"Final-Recipient: rfc822; {TO}\nOriginal-Recipient: rfc822;{TO}\nAction: failed\nStatus: 5.1.1\n"
        f"Diagnostic-Code: smtp; 550 5.1.1 <{TO}>: Recipient address\n    rejected: User unknown\n",
    ),
    (
        "Gmail",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Delivery Status Notification (Failure)",
        f"** Address not found **\n\nYour message wasn't delivered to {TO} because the address couldn't be found.\n",
        f"Final-Recipient: rfc822; {TO}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550-5.1.1 no such account\n",
    ),
    (
        "Exchange Online",
        "postmaster@example.onmicrosoft.com",
        "Undeliverable: Your order",
        f"Your message to {TO} couldn't be delivered.\n",
        f"Final-Recipient: rfc822;{TO}\nAction: failed\nStatus: 5.1.10\nDiagnostic-Code: smtp;550 5.1.10 "
        "RESOLVER.ADR.RecipientNotFound; not found\n",
    ),
    (
        "SES",
        "MAILER-DAEMON@eu-west-1.amazonses.com",
        "Delivery Status Notification (Failure)",
        f"An error occurred while trying to deliver the mail to the following recipients:\n{TO}\n",
        f"Final-Recipient: rfc822;{TO}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 user unknown\n",
    ),
    (
        "Yahoo",
        "MAILER-DAEMON@yahoo.com",
        "Failure Notice",
        "Sorry, we were unable to deliver your message.\n",
        f"Final-Recipient: rfc822; {TO}\nAction: failed\nStatus: 5.0.0\n",
    ),
    (
        "sendmail",
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.org>",
        "Returned mail: see transcript for details",
        "----- The following addresses had permanent fatal errors -----\n",
        f"Final-Recipient: RFC822; {TO}\nAction: failed\nStatus: 5.1.1\n",
    ),
    (
        "Oracle",
        "Internet Mail Delivery <postmaster@example.org>",
        "Delivery Notification: Delivery has failed",
        "This report relates to a message you sent with the following header fields:\n",
        f"Original-recipient: rfc822;{TO}\nFinal-recipient: rfc822;{TO}\nAction: failed\nStatus: 5.1.1\n",
    ),
    (
        "Postfix delay",
        "MAILER-DAEMON@mx.example.com",
        "Delayed Mail (still being retried)",
        "THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.\n",
        f"Final-Recipient: rfc822; {TO}\nAction: delayed\nStatus: 4.4.1\n",
    ),
    (
        "own wording, plain user as sender",
        "help@example.org",
        "Nachricht konnte nicht zugestellt werden",
        "Leider nicht zugestellt.\n",
        f"Final-Recipient: rfc822; {TO}\nAction: failed\nStatus: 5.2.2\n",
    ),
    (
        "recipient with capitals and angles",
        "MAILER-DAEMON@mx.example.com",
        "Undelivered Mail Returned to Sender",
        "The mail system\n",
        f"Final-Recipient: RFC822; <{TO}>\nAction: FAILED\nStatus: 5.1.1 (bad address)\n",
    ),
    (
        "Zoho",
        "mailer-daemon@mail.zoho.com",
        "Undelivered Mail Returned to Sender",
        "could not be delivered\n",
        f"Final-Recipient: rfc822; {TO}\nAction: failed\nStatus: 5.1.1\n",
    ),
    (
        "utf-8 address type",
        "MAILER-DAEMON@mx.example.com",
        "Undelivered Mail Returned to Sender",
        "The mail system\n",
        f"Final-Recipient: utf-8; {TO}\nAction: failed\nStatus: 5.1.1\n",
    ),
)


def report(sender: str, subject: str, words: str, fields: str, original: str = "message/rfc822") -> bytes:
    return composed(
        "report",
        part("text/plain; charset=utf-8", words.replace("\n", "\r\n")),
        part("message/delivery-status", ("Reporting-MTA: dns; mx.example.com\n\n" + fields).replace("\n", "\r\n")),
        part(original, OURS.replace("\n", "\r\n")),
        headers=(f"From: {sender}", f"Subject: {subject}", "Return-Path: <>", "Auto-Submitted: auto-replied"),
        extra="; report-type=delivery-status",
    )


def notice(sender: str, subject: str, words: str, *more: str) -> bytes:
    return mail(
        f"From: {sender}",
        f"Subject: {subject}",
        "Return-Path: <>",
        *more,
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        body=words,
    )


BOUNCE_CASES: tuple[Case, ...] = (
    *(
        Case(f"bounce: {server}", notice(sender, subject, words), kind="bounce", may_auto_answer=False, bounced=(TO,))
        for server, sender, subject, words in PLAIN_NOTICES
        if server not in ("Biglobe", "Barracuda")
    ),
    *(
        Case(f"bounce: {server}", notice(sender, subject, words), kind="bounce", may_auto_answer=False)
        for server, sender, subject, words in PLAIN_NOTICES
        if server in ("Biglobe", "Barracuda")
    ),
    *(
        Case(
            f"bounce: {server} without a Return-Path",
            notice(sender, subject, words).replace(b"Return-Path: <>\r\n", b""),
            kind="bounce",
            may_auto_answer=False,
        )
        for server, sender, subject, words in PLAIN_NOTICES
        if server != "empty sender, odd name"
    ),
    *(
        Case(
            f"bounce report: {server}",
            report(sender, subject, words, fields),
            kind="bounce",
            may_auto_answer=False,
            bounced=(TO,),
        )
        for server, sender, subject, words, fields in REPORTS
    ),
    *(
        Case(
            f"bounce report, headers only: {server}",
            report(sender, subject, words, fields, "text/rfc822-headers"),
            kind="bounce",
            may_auto_answer=False,
            bounced=(TO,),
        )
        for server, sender, subject, words, fields in REPORTS
    ),
    Case(
        "bounce: X-Failed-Recipients alone",
        mail(
            "From: Mail Delivery System <Mailer-Daemon@mx.example.org>",
            "Subject: Mail delivery failed",
            f"X-Failed-Recipients: {TO}",
            "Auto-Submitted: auto-replied",
            body="See the log.\n",
        ),
        kind="bounce",
        may_auto_answer=False,
        bounced=(TO,),
    ),
)
