"""The corpus of attacks is what it claims to be: large, each vector once, every kind, every word filled in."""

from collections import Counter

from selectolax.lexbor import LexborHTMLParser

from tests.security import corpus
from tests.security.corpus.packing import mark, packed, stands_alone
from tests.security.letters import letters

KINDS = {"script", "foreign", "mutation", "load", "clobber", "handler", "url", "css", "nesting"}


def test_the_corpus_is_large_and_each_vector_stands_once() -> None:
    vectors = corpus.html_vectors()
    written = [each for each in vectors if not each.made]
    assert len(vectors) >= 1_200 and len(written) >= 450
    assert len({each.template for each in vectors}) == len({each.number for each in vectors}) == len(vectors)
    assert set(Counter(each.kind for each in vectors)) == KINDS
    assert len(corpus.word_vectors(1)) >= 15 and len(corpus.files(1)) >= 20 and len(corpus.charset_mails(1)) >= 20


def test_every_word_is_filled_in_and_nearly_every_vector_can_be_heard() -> None:
    deaf = 0
    for vector in corpus.html_vectors():
        filled = vector.filled(8000)
        assert not any(word in filled for word in ("$RUN", "$URL", "$HOST", "$NAME", "$ENT[", "$B64["))
        deaf += not any(word in vector.template for word in ("$RUN", "$URL", "$HOST", "$NAME"))
    assert deaf < 150  # these deceive or cover, and are judged by what the page looks like


def test_what_is_packed_together_does_not_swallow_its_neighbours() -> None:
    seen: list[int] = []
    for vectors, html in packed(corpus.html_vectors(), 8000):
        seen += [each.number for each in vectors]
        if len(vectors) > 1:
            words = LexborHTMLParser(html).body
            assert words is not None and all(mark(each) in words.text() for each in vectors)
    assert sorted(seen) == [each.number for each in corpus.html_vectors()]
    assert stands_alone("<plaintext>") and stands_alone('<img src="x') and not stands_alone("<b>x</b>")


def test_every_vector_goes_out_in_one_mail() -> None:
    sent = [vector.number for group in letters(8000).values() for each in group for vector in each.vectors]
    assert len(sent) == len(set(sent)) == len(corpus.html_vectors()) + len(corpus.charset_mails(1))
