"""Headers of every answer, whatever it is."""

from chalicelib.config import settings


def https_only() -> dict[str, str]:
    """Browsers are to ask by https for the next two years; locally there is none."""
    return {} if settings().local else {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}


def bare() -> dict[str, str]:
    """Of what is no page: who opens it in a browser all the same sees text, in no frame, and nothing of it runs."""
    return {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "Referrer-Policy": "no-referrer",
        **https_only(),
    }
