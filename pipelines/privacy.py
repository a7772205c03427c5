"""Contact data stop here: what looks like an e-mail address or a telephone number, and what stands in its place.

Readers mask e-mail addresses before anything is written; the build's checks look for what got through. Whose name is
a private person's is decided in the source's reader, which alone sees the names to compare with.
"""

import re

EMAIL = r'[^\s@<>"(),;:/]+@[^\s@<>"(),;:/]+\.[^\s@<>"(),;:/.0-9]{2,}'
"""E-mail-like text, in the syntax that Python, RE2 and DuckDB share."""

PHONE = r"((^|[^A-Za-z0-9])\+[0-9]{1,3}|\b[Tt]el(ephone|\.)?:?|\b[Pp]hone:?)[ .()/\-]*[0-9]([ .()/\-]*[0-9]){6,}"
"""Telephone-like text: an international prefix or the word for it, then at least seven digits."""

PHONE_MARKS = ("+", "tel", "Tel", "phone", "Phone")
"""One of these stands in every telephone-like text."""

MASK = "[e-mail removed]"
PRIVATE_PERSON = "Private person (named in the registry's record)"
"""The neutral label under which a sponsor that is a private person is published."""

_EMAIL = re.compile(EMAIL)

SQL_MACROS = f"""
CREATE OR REPLACE MACRO without_mail(x) AS
    CASE WHEN contains(x, '@') THEN regexp_replace(x, '{EMAIL}', '{MASK}', 'g') ELSE x END;
CREATE OR REPLACE MACRO person_key(x) AS
    nullif(trim(regexp_replace(lower(split_part(x, ',', 1)), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g')), '');
"""
"""The same in SQL; person_key is a name without titles after a comma, case and punctuation, for comparison."""


def without_mail(text: str) -> str:
    """The text with every e-mail-like value masked."""
    return _EMAIL.sub(MASK, text) if "@" in text else text


ORGANISATION = (
    r"universi|hospital|hopital|clinic|institut|college|cent(er|re)|school|faculty|department|ministry|council|"
    r"foundation|association|society|network|group|pharma|laborator|compan|corporation|"
    r"research|medical|health|trial|study|therapeutics|biotech"
)
"""Words by which a name is an organisation's and not a person's, whatever field it stands in."""

LEGAL_FORM = r"\b(inc|ltd|llc|llp|gmbh|ag|sa|s\.a|bv|b\.v|plc|co|corp)\.?$"
"""The same by how a name ends."""

TITLE = r"^(Prof(essor)?|Dr)\b|[ ,](M\.? ?D|Ph\.? ?D|M\.?B\.?B\.?S|M\.?Sc|MPH|DDS|PharmD)\b"
"""A title or degree: the name is a person's unless it is an organisation's."""
