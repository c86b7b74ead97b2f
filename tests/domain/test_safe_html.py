"""Nothing a customer sends runs, loads, covers or lies in an agent's browser."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from chalicelib.domain.plain_text import text_of
from chalicelib.domain.safe_html import AGENT_TAGS, SHOWN_TAGS, SafeHtml, agent_html, safe_html
from chalicelib.domain.safe_style import safe_style
from chalicelib.domain.tangled import is_tangled
from tests.domain.attacks.html import ATTACKS

ATTRIBUTES = set(
    re.findall(
        r"\w+",
        "align alt bgcolor border cellpadding cellspacing color colspan dir face height href hspace lang nowrap rel "
        "rowspan size src start style target title type valign value vspace width",
    )
)
PICTURE = "/tickets/1042/files/f1"
HREF = re.compile(r"(https?://[^/\\]|mailto:|tel:)")
DATA = re.compile(r"data:image/(png|jpe?g|gif|webp|bmp);base64,")
FORBIDDEN_CSS = re.compile(
    r"url|expression|import|position|behavio|binding|\\|/\*|@|<|[{}]|var\(|attr\(|calc|image-set|(^|[\s:])-\d",
    re.IGNORECASE,
)


def shown(html: str, remote_images: bool = False) -> SafeHtml:
    return safe_html(html, remote_images=remote_images, cid_url=lambda cid: PICTURE if cid == "part1@mail" else None)


def elements(html: str) -> list[LexborNode]:
    body = LexborHTMLParser(f"<!DOCTYPE html><html><head></head><body>{html}</body></html>").body
    assert body is not None
    return [node for node in body.traverse() if node.tag != "body"]


def assert_harmless(html: str, remote_images: bool = False) -> None:
    for node in elements(html):
        assert node.tag in SHOWN_TAGS, node.tag
        for name, value in node.attributes.items():
            assert name in ATTRIBUTES, name
            assert_harmless_value(node.tag or "", name, value or "", remote_images)


def assert_harmless_value(tag: str, name: str, value: str, remote_images: bool) -> None:
    if name == "href":
        assert tag == "a"
        assert HREF.match(value), value
    elif name == "src":
        assert tag == "img"
        remote = remote_images and re.match(r"https?://[^/\\]", value)
        assert value == PICTURE or DATA.match(value) or remote, value
    elif name == "style":
        assert not FORBIDDEN_CSS.search(value), value
    elif name in {"target", "rel"}:
        assert value in {"_blank", "noopener noreferrer"}


def test_the_corpus_is_large_enough() -> None:
    assert len(set(ATTACKS)) >= 150


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_leaves_nothing_behind(attack: str) -> None:
    for html in (attack, f"<p>before</p>{attack}<p>after</p>", f"<table><tr><td>{attack}</td></tr></table>"):
        assert_harmless(shown(html).html)
        assert_harmless(shown(html, remote_images=True).html, remote_images=True)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_was_cleaned_stays_as_it_is_when_cleaned_again(attack: str) -> None:
    """What a browser makes of the output, cleaned once more, is the same: no mutation comes back to life."""
    once = shown(attack).html
    assert_harmless("".join(node.html or "" for node in elements(once) if node.parent and node.parent.tag == "body"))


@pytest.mark.parametrize("attack", ATTACKS)
def test_agents_html_holds_only_the_composers_elements(attack: str) -> None:
    for node in elements(agent_html(attack)):
        assert node.tag in AGENT_TAGS
        assert set(node.attributes) <= {"href"}
        assert all(HREF.match(value or "") for value in node.attributes.values())


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(ATTACKS), min_size=2, max_size=4),
    st.sampled_from(["", " ", '"', "'", "<p>", "<!--", "</"]),
)
def test_attacks_glued_together_leave_nothing_behind(attacks: list[str], glue: str) -> None:
    assert_harmless(shown(glue.join(attacks)).html)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="<>/=\"'&;!-abpsxt \n\\:", max_size=200))
def test_rubbish_is_harmless(html: str) -> None:
    assert_harmless(shown(html).html)


# what stays


def test_ordinary_mail_looks_as_it_was_sent() -> None:
    html = (
        '<table width="600" cellpadding="4" bgcolor="#ffffff"><tbody><tr><td colspan="2" align="left">'
        '<p style="color:#333333;font-family:Arial,sans-serif;font-size:14px;margin:0 0 10px">Hello <b>Anna</b>,</p>'
        "<ul><li>one</li></ul><blockquote>quoted</blockquote></td></tr></tbody></table>"
    )
    assert shown(html) == SafeHtml(html)


def test_links_open_elsewhere_and_tell_nobody_where_from() -> None:
    assert shown('<a href="https://x.example/a?b=1&amp;c=2">here</a>').html == (
        '<a href="https://x.example/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">here</a>'
    )
    assert (
        'href="mailto:a@x.example?subject=Hi%20you"'
        in shown('<a href="mailto:a@x.example?subject=Hi%20you">m</a>').html
    )
    assert 'href="tel:+49 30 1"' in shown('<a href="tel:+49 30 1">t</a>').html


def test_pictures_of_the_web_wait_until_the_agent_asks() -> None:
    html = '<img src="https://x.example/a.png" alt="Mug"><img src="//x.example/b.png">'
    assert shown(html) == SafeHtml('<img alt="Mug"><img>', blocked_images=2)
    loaded = shown(html, remote_images=True)
    assert loaded == SafeHtml('<img src="https://x.example/a.png" alt="Mug"><img src="https://x.example/b.png">')


def test_only_pictures_count_as_pictures_not_shown() -> None:
    html = '<iframe src="https://x.example/f"></iframe><script src="https://x.example/s"></script><input src="https://x.example/i">'
    assert shown(html) == SafeHtml("")


@pytest.mark.parametrize("cid", ["cid:part1@mail", "CID:part1@mail", "cid:part1%40mail", "cid:<part1@mail>"])
def test_pictures_of_the_mail_are_shown(cid: str) -> None:
    assert shown(f'<img src="{cid}">').html == f'<img src="{PICTURE}">'


def test_a_picture_the_mail_does_not_have_is_counted() -> None:
    assert shown('<img src="cid:other">') == SafeHtml("<img>", missing_images=1)


def test_pictures_in_the_text_up_to_a_size() -> None:
    small = '<img src="data:image/png;base64,iVBORw0KGgo=">'
    assert shown(small).html == small
    assert shown(f'<img src="data:image/png;base64,{"A" * 1_500_000}">').html == "<img>"


# links that lie


@pytest.mark.parametrize(
    ("words", "href", "truth"),
    [
        ("www.bank.example", "https://evil.example/login", "evil.example"),
        ("https://bank.example/login", "https://evil.example/login", "evil.example"),
        ("bank.example", "https://bank.example.evil.example/", "bank.example.evil.example"),
        ("Log in at <b>bank</b>.example", "https://evil.example/", "evil.example"),
        ("https://bank.example", "https://bank.example@evil.example/", "evil.example"),
        ("click here", "https://bank.example@evil.example/", "evil.example"),
        ("bank.example", "https:\\\\evil.example\\bank.example", "evil.example"),
        ("bank.example", "https://evil.example#bank.example", "evil.example"),
        ("bank.example", "https://bаnk.example/", "xn--bnk-6cd.example"),
        ("grossbank.example", "https://großbank.example:8443/", "xn--grobank-2va.example:8443"),
        ("ba\u200bnk.example", "https://bank.example.evil.example", "bank.example.evil.example"),
        ("help@bank.example", "mailto:help@evil.example", "evil.example"),
        ("https://bank.example:443/", "https://evil.example:443/", "evil.example:443"),
    ],
)
def test_a_link_that_names_another_place_shows_the_true_one(words: str, href: str, truth: str) -> None:
    result = shown(f'<a href="{href}">{words}</a>')
    assert result.html.endswith(f'</a><small dir="ltr"> [{truth}]</small>')
    assert result.relabelled_links == 1


@pytest.mark.parametrize(
    ("words", "href"),
    [
        ("here", "https://x.example/"), ("x.example", "https://www.x.example/a"), ("https://x.example/a", "https://x.example/b"),
        ("x.example", "https://shop.x.example"), ("invoice.pdf", "https://x.example/f"), ("3.50 EUR", "https://x.example"),
        ("from 1.2 to v1.3", "https://x.example"), ("a@x.example", "mailto:a@x.example"), ("", "https://x.example"),
        ("Order #1042", "https://x.example"), ("https://X.Example", "https://x.example"),
    ],
)  # fmt: skip
def test_an_honest_link_stays_as_it_is(words: str, href: str) -> None:
    assert shown(f'<a href="{href}">{words}</a>').relabelled_links == 0


def test_a_link_inside_a_link_is_compared_with_its_own_target() -> None:
    nested = '<a href="https://good.example"><table><tr><td><a href="https://evil.example">good.example</a></td></tr></table></a>'
    assert "[evil.example]" in shown(nested).html


# styles


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color: red", "color:red"),
        ("COLOR:RED; Position: fixed", "color:RED"),
        ("color:rgb(1, 2, 3);background-color:rgba(0,0,0,.5)", "color:rgb(1, 2, 3);background-color:rgba(0,0,0,.5)"),
        ("font:bold 12px/1.4 'Segoe UI',Arial", "font:bold 12px/1.4 'Segoe UI',Arial"),
        ("margin:0 auto;padding:4px !important", "margin:0 auto;padding:4px !important"),
        ("display:none", "display:none"),
        ("display:grid", ""),
        ("margin:-1px", ""),
        ("font-family:'a", ""),
        ("width:2001px", ""),
        ("width:calc(1px)", ""),
        ("color:", ""),
        ("color", ""),
        ("", ""),
    ],
)
def test_declarations_that_stay(style: str, kept: str) -> None:
    assert safe_style(style) == kept


def test_an_endless_style_is_dropped() -> None:
    assert safe_style("color:red;" * 1000) == ""


# limits


HOSTILE = {
    "deep": "<div>" * 60_000,
    "misnested": "<div><table></div></table>" * 40_000,
    "unclosed tags": "<a " * 300_000,
    "unclosed quotes": "<a '" * 300_000 + "'>'",
    "tags in values": '<div title="</div>">' * 60_000,
    "formatting": "".join(f"<font color={number}>" for number in range(20_000)),
    "attributes": "<p " + " ".join(f"a{number}=1" for number in range(60_000)) + ">",
    "entities": "&amp;" * 400_000,
    "entities never closed": "&am" * 50_000,
    "too long": "<p>word</p>" * 300_000,
    "comments in disguise": "<!--><div>-->" * 40_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_take_for_ever_is_shown_as_words(name: str) -> None:
    assert is_tangled(HOSTILE[name])
    result = shown(HOSTILE[name])
    assert result.words_only
    assert set(re.findall(r"<(\w+)", result.html)) <= {"p"}


@pytest.mark.parametrize(
    "html",
    ["<p>x" * 50_000, "<div><p>x</p></div>" * 20_000, "<table><tr><td>x" * 100, "<br>" * 100_000, "&nbsp;" * 100_000],
)
def test_long_but_plain_mails_are_shown_as_they_are(html: str) -> None:
    assert not shown(html).words_only


def test_the_words_of_a_tangled_mail_are_there_and_nothing_else() -> None:
    result = shown("<script>alert(1)</script><style>p{}</style>" + "<div>" * 5_000 + "Hello<br>A &lt;b&gt;")
    assert result.html == "<p>Hello</p><p>A &lt;b&gt;</p>"


# the agent's side


def test_what_the_composer_makes_goes_out() -> None:
    html = '<p>Hello <b>Lina</b>,</p><ul><li><a href="https://x.example/a">here</a></li></ul><blockquote>old<br>er</blockquote>'
    assert agent_html(html) == html


def test_pasted_formatting_goes() -> None:
    pasted = '<p class="MsoNormal" style="color:red"><span lang="EN">Hi</span><o:p></o:p><img src="https://x.example/p.gif"></p>'
    assert agent_html(pasted) == "<p>Hi</p>"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello <b>Lina</b>,</p><p>bye</p>", "Hello Lina,\n\nbye"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("<div>a</div><div>b</div><div><br></div><div>c</div>", "a\nb\n\nc"),
        ("<ul><li>one</li><li>two<ol><li>a</li><li>b</li></ol></li></ul>", "- one\n- two\n  1. a\n  2. b"),
        ('<a href="https://x.example/a">here</a>', "here <https://x.example/a>"),
        ('<a href="https://x.example/">https://x.example</a>', "https://x.example"),
        ('<a href="mailto:a@x.example">a@x.example</a>', "a@x.example"),
        ("<blockquote><p>old</p><blockquote>older</blockquote></blockquote>new", "> old\n>\n> > older\n\nnew"),
        ("<pre>x\n  y</pre>", "x\n  y"),
        ("  many \n  spaces&nbsp;here ", "many spaces here"),
        ("1 &lt; 2 &amp; 3", "1 < 2 & 3"),
        ("<script>x</script>y", "y"),
        ("", ""),
    ],
)
def test_the_plain_text_of_an_answer(html: str, text: str) -> None:
    assert text_of(html) == text
