"""The inbox wizard's checks: DNS records, SES, Gmail's confirmation, the sandbox."""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.people import Inbox
from chalicelib.errors import Refused
from chalicelib.services import forwarding, mail_setup
from chalicelib.services.dns_lookup import Resolver, Unanswered
from chalicelib.services.mail_setup import DMARC, SPF

DOMAIN, REGION = "shop.example", "eu-west-1"
INBOX = Inbox(
    "support", "email", "support@shop.example", "Support", settings={"forward_to": "support@desk.shop.example"}
)
RIGHT: dict[tuple[str, str], tuple[str, ...]] = {
    ("t1._domainkey.shop.example", "CNAME"): ("t1.dkim.amazonses.com",),
    ("t2._domainkey.shop.example", "CNAME"): ("t2.dkim.amazonses.com",),
    ("t3._domainkey.shop.example", "CNAME"): ("t3.dkim.amazonses.com",),
    ("bounce.shop.example", "MX"): ("10 feedback-smtp.eu-west-1.amazonses.com",),
    ("bounce.shop.example", "TXT"): (SPF,),
    ("_dmarc.shop.example", "TXT"): ("v=DMARC1; p=quarantine",),
    ("shop.example", "MX"): ("1 smtp.google.com",),
    ("desk.shop.example", "MX"): ("10 inbound-smtp.eu-west-1.amazonaws.com",),
}


class FakeSes:
    """What SES v2 knows of a domain."""

    def __init__(self, status: str = "PENDING", **account: Any) -> None:
        self.identity: dict[str, Any] | None = {
            "VerifiedForSendingStatus": status == "SUCCESS",
            "DkimAttributes": {"Status": status, "Tokens": ["t1", "t2", "t3"]},
            "MailFromAttributes": {"MailFromDomainStatus": status},
        }
        self.account = account
        self.calls: list[tuple[str, str]] = []

    def get_email_identity(self, EmailIdentity: str) -> dict[str, Any]:
        if self.identity is None:
            raise refusal("NotFoundException", "no identity")
        return self.identity

    def create_email_identity(self, EmailIdentity: str) -> None:
        if any(call == ("identity", EmailIdentity) for call in self.calls):
            raise refusal("AlreadyExistsException", "is there")
        self.calls.append(("identity", EmailIdentity))

    def put_email_identity_mail_from_attributes(self, EmailIdentity: str, MailFromDomain: str, **_: str) -> None:
        self.calls.append(("mail from", MailFromDomain))

    def get_account(self) -> dict[str, Any]:
        return self.account


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "an operation")


def look(answers: dict[tuple[str, str], tuple[str, ...]], ses: FakeSes | None = None) -> mail_setup.DomainState:
    def resolve(name: str, kind: str) -> tuple[str, ...]:
        return answers.get((name, kind), ())

    return mail_setup.look(ses or FakeSes(), resolve, DOMAIN, "desk.shop.example", REGION)


def states(found: mail_setup.DomainState) -> dict[str, str]:
    return {f"{record.host} {record.kind}": record.state for record in found.records}


def test_with_every_record_in_place_the_domain_is_ready() -> None:
    found = look(RIGHT, FakeSes("SUCCESS"))
    assert set(states(found).values()) == {"right"}
    assert (found.ready, found.may_send, found.mailbox) == (True, True, "google")


def test_an_empty_zone_lists_what_to_add_with_host_and_value() -> None:
    found = look({})
    assert [(record.host, record.kind, record.value) for record in found.records] == [
        ("t1._domainkey.shop.example", "CNAME", "t1.dkim.amazonses.com"),
        ("t2._domainkey.shop.example", "CNAME", "t2.dkim.amazonses.com"),
        ("t3._domainkey.shop.example", "CNAME", "t3.dkim.amazonses.com"),
        ("bounce.shop.example", "MX", "10 feedback-smtp.eu-west-1.amazonses.com"),
        ("bounce.shop.example", "TXT", SPF),
        ("_dmarc.shop.example", "TXT", DMARC),
        ("desk.shop.example", "MX", "10 inbound-smtp.eu-west-1.amazonaws.com"),
    ]
    assert set(states(found).values()) == {"missing"}
    assert not found.ready


@pytest.mark.parametrize(
    ("key", "values"),
    [
        (("t1._domainkey.shop.example", "CNAME"), ("other.example",)),
        (("bounce.shop.example", "MX"), ("10 feedback-smtp.us-east-1.amazonses.com",)),
        (("bounce.shop.example", "MX"), ("10 feedback-smtp.eu-west-1.amazonses.com", "20 mail.shop.example")),
        (("bounce.shop.example", "TXT"), ("v=spf1 include:_spf.google.com ~all",)),
        (("bounce.shop.example", "TXT"), (SPF, "v=spf1 -all")),
        (("_dmarc.shop.example", "TXT"), ("v=DMARC1; p=none", "v=DMARC1; p=reject")),
        (("desk.shop.example", "MX"), ("1 smtp.google.com",)),
        (("desk.shop.example", "MX"), ("10 inbound-smtp.eu-west-1.amazonaws.com", "20 mail.shop.example")),
    ],
)
def test_a_record_that_holds_something_else_is_named(key: tuple[str, str], values: tuple[str, ...]) -> None:
    found = look({**RIGHT, key: values})
    assert [record.host for record in found.records if record.state == "wrong"] == [key[0]]
    (wrong,) = (record for record in found.records if record.state == "wrong")
    assert wrong.found == values
    assert wrong.sentence


def test_other_text_records_beside_ours_do_not_matter() -> None:
    extra: dict[tuple[str, str], tuple[str, ...]] = {
        ("bounce.shop.example", "TXT"): ("google-site-verification=1", SPF)
    }
    assert set(states(look(RIGHT | extra)).values()) == {"right"}


def test_what_ses_has_seen_counts_before_the_name_servers_follow() -> None:
    found = look({key: RIGHT[key] for key in RIGHT if "_domainkey" not in key[0]}, FakeSes("SUCCESS"))
    assert found.ready


def test_a_newer_region_signs_in_a_zone_of_its_own() -> None:
    ses = FakeSes()
    assert ses.identity
    ses.identity["DkimAttributes"]["SigningHostedZone"] = "x1.dkim.eu-west-1.amazonses.com"
    assert look({}, ses).records[0].value == "t1.x1.dkim.eu-west-1.amazonses.com"


def test_silent_name_servers_are_not_taken_for_missing_records() -> None:
    def silent(name: str, kind: str) -> tuple[str, ...]:
        raise Unanswered(name)

    found = mail_setup.look(FakeSes(), silent, DOMAIN, DOMAIN, REGION)
    assert {record.state for record in found.records} == {"unknown"}


def test_a_domain_that_ses_does_not_know_yet() -> None:
    ses = FakeSes()
    ses.identity = None
    found = look({}, ses)
    assert not found.known
    assert [record.what for record in found.records] == ["MAIL FROM", "SPF", "DMARC", "Receiving"]


@pytest.mark.parametrize(
    ("mx", "mailbox"),
    [
        (("1 aspmx.l.google.com", "5 alt1.aspmx.l.google.com"), "google"),
        (("0 shop-example.mail.protection.outlook.com",), "microsoft"),
        (("0 shop-example.a-v1.mx.microsoft",), "microsoft"),
        (("10 inbound-smtp.eu-west-1.amazonaws.com",), "ses"),
        (("10 mx.provider.example",), "other"),
        ((), "other"),
    ],
)
def test_where_the_mailbox_is_now(mx: tuple[str, ...], mailbox: str) -> None:
    assert look({(DOMAIN, "MX"): mx}).mailbox == mailbox


def test_adding_a_domain_can_be_repeated() -> None:
    ses = FakeSes()
    mail_setup.add_domain(ses, DOMAIN)
    mail_setup.add_domain(ses, DOMAIN)
    assert ses.calls == [
        ("identity", DOMAIN),
        ("mail from", "bounce.shop.example"),
        ("mail from", "bounce.shop.example"),
    ]


def test_what_ses_says_against_a_domain_is_said() -> None:
    class Full(FakeSes):
        def create_email_identity(self, EmailIdentity: str) -> None:
            raise refusal("LimitExceededException", "Too many  identities")

    with pytest.raises(Refused, match="SES says: Too many identities"):
        mail_setup.add_domain(Full(), DOMAIN)


def test_the_sandbox_and_the_text_to_leave_it() -> None:
    ses = FakeSes(
        ProductionAccessEnabled=False,
        SendingEnabled=True,
        SendQuota={"Max24HourSend": 200.0, "MaxSendRate": 1.0},
        Details={"ReviewDetails": {"Status": "PENDING"}},
    )
    assert mail_setup.sandbox(ses) == mail_setup.Sandbox(False, True, 200, 1, "PENDING")
    text = mail_setup.production_request(INBOX, "https://shop.example")
    assert "https://shop.example" in text
    assert "support@shop.example" in text


def test_proposed_addresses() -> None:
    assert mail_setup.proposed_forward(" Support@Shop.example ") == "support@desk.shop.example"
    assert mail_setup.proposed_forward("nothing") == ""
    assert mail_setup.receiving_domain(INBOX) == "desk.shop.example"
    assert mail_setup.domain_of(INBOX) == "shop.example"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(#843745281) Gmail Forwarding Confirmation - Receive Mail from support@shop.example", "843745281"),
        ("Gmail-Weiterleitungsbestätigung (#123456789)", "123456789"),
        ("… Confirmation code: 843745281 To allow …", "843745281"),
        ("Order #843745281 arrived", ""),
        ("", ""),
    ],
)
def test_gmails_code(text: str, code: str) -> None:
    assert forwarding.confirmation_code(text) == code


# The resolver


class NameServer:
    """Answers on loopback by UDP and TCP with packets that a test builds."""

    def __init__(self) -> None:
        self.answers: dict[tuple[bytes, int], list[bytes]] = {}
        self.flags = 0x8180
        self.truncate = False
        self.wrong_id = False

    def reply(self, query: bytes, udp: bool) -> bytes:
        (query_id,) = struct.unpack_from(">H", query)
        question = query[12:]
        kind = struct.unpack(">HH", question[-4:])[0]
        if udp and self.truncate:
            return struct.pack(">HHHHHH", query_id, self.flags | 0x0200, 1, 0, 0, 0) + question
        records = self.answers.get((question[:-4], kind), [])
        found_id = query_id ^ 1 if self.wrong_id else query_id
        return struct.pack(">HHHHHH", found_id, self.flags, 1, len(records), 0, 0) + question + b"".join(records)


def encoded(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def a_record(kind: int, data: bytes, name: bytes = b"\xc0\x0c") -> bytes:
    return name + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


@contextmanager
def serving(server: NameServer) -> Iterator[tuple[str, int]]:
    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            packet, line = self.request
            line.sendto(server.reply(packet, udp=True), self.client_address)

    class Tcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            (length,) = struct.unpack(">H", self.rfile.read(2))
            packet = server.reply(self.rfile.read(length), udp=False)
            self.wfile.write(struct.pack(">H", len(packet)) + packet)

    with socketserver.TCPServer(("127.0.0.1", 0), Tcp) as tcp, socketserver.UDPServer(tcp.server_address, Udp) as udp:
        for each in (tcp, udp):
            threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield "127.0.0.1", tcp.server_address[1]
        tcp.shutdown()
        udp.shutdown()


@pytest.fixture
def name_server() -> NameServer:
    return NameServer()


@pytest.fixture
def resolver(name_server: NameServer) -> Iterator[Resolver]:
    with serving(name_server) as address:
        yield Resolver([address], timeout=0.5)


def test_mail_servers_are_read_with_compressed_names(name_server: NameServer, resolver: Resolver) -> None:
    name = encoded("shop.example")
    mail = struct.pack(">H", 10) + b"\x04MAIL\xc0\x0c"
    other = struct.pack(">H", 20) + encoded("mx.other.example")
    name_server.answers[(name, 15)] = [a_record(15, other), a_record(15, mail)]
    assert resolver("shop.example", "MX") == ("10 mail.shop.example", "20 mx.other.example")


def test_texts_are_joined_and_other_kinds_on_the_way_left_out(name_server: NameServer, resolver: Resolver) -> None:
    name = encoded("bounce.shop.example")
    text = bytes([7]) + b"v=spf1 " + bytes([4]) + b"-all"
    name_server.answers[(name, 16)] = [a_record(5, encoded("x.example")), a_record(16, text)]
    assert resolver("bounce.shop.example.", "TXT") == ("v=spf1 -all",)


def test_an_alias_is_read(name_server: NameServer, resolver: Resolver) -> None:
    name_server.answers[(encoded("a.shop.example"), 5)] = [a_record(5, encoded("T.Dkim.Amazonses.com"))]
    assert resolver("a.shop.example", "CNAME") == ("t.dkim.amazonses.com",)


def test_no_such_name_is_an_answer(name_server: NameServer, resolver: Resolver) -> None:
    name_server.flags = 0x8183
    assert resolver("nothing.example", "MX") == ()


def test_a_long_answer_comes_by_tcp(name_server: NameServer, resolver: Resolver) -> None:
    name_server.truncate = True
    name_server.answers[(encoded("shop.example"), 16)] = [a_record(16, bytes([5]) + b"hello")]
    assert resolver("shop.example", "TXT") == ("hello",)


@pytest.mark.parametrize("fault", ["refused", "another id", "a name without an end"])
def test_nonsense_is_no_answer(name_server: NameServer, resolver: Resolver, fault: str) -> None:
    name_server.flags = 0x8185 if fault == "refused" else 0x8180
    name_server.wrong_id = fault == "another id"
    name_server.answers[(encoded("shop.example"), 15)] = [a_record(15, b"\0\1\xc0\x0c", name=b"\xc0\x1e" + b"\xc0\x1e")]
    with pytest.raises(Unanswered):
        resolver("shop.example", "MX")


def test_the_next_server_is_asked_when_one_is_silent(name_server: NameServer) -> None:
    name_server.answers[(encoded("shop.example"), 16)] = [a_record(16, bytes([2]) + b"ok")]
    with serving(name_server) as address:
        assert Resolver([("127.0.0.1", 1), address], timeout=0.3)("shop.example", "TXT") == ("ok",)


@pytest.mark.parametrize("name", ["", "a..example", "x" * 64 + ".example"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Resolver([("127.0.0.1", 1)])(name, "MX")
