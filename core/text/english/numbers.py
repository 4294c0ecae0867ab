"""Cardinals, ordinals, years and decimals in words (num2words)."""

from __future__ import annotations

from functools import lru_cache

LIMIT = 10**15
"""Cardinals below it are said in words."""

_FRACTIONS = {(1, 2): "half", (1, 4): "quarter", (3, 4): "three quarters", (1, 3): "third", (2, 3): "two thirds"}


@lru_cache(maxsize=4096)
def cardinal(number: int) -> str:
    """`number` in words, without commas, at which a voice would pause; digit by digit from LIMIT on."""
    from num2words import num2words

    if abs(number) >= LIMIT:
        return digits(str(abs(number)))
    return str(num2words(number)).replace(",", "")


@lru_cache(maxsize=512)
def ordinal(number: int) -> str:
    """22 is twenty-second."""
    from num2words import num2words

    return str(num2words(number, to="ordinal")).replace(",", "")


def digits(figures: str) -> str:
    """Digit by digit: `05` is zero five."""
    return " ".join(cardinal(int(figure)) for figure in figures)


def decimal(figures: str) -> str:
    """`3.05` is three point zero five."""
    sign = "minus " if figures.startswith("-") else ""
    units, _, rest = figures.lstrip("-").partition(".")
    head = digits(units) if len(units) > 15 else cardinal(int(units))
    return f"{sign}{head}{f' point {digits(rest)}' if rest else ''}"


def year(number: int) -> str:
    """2026 is twenty twenty-six, 2005 two thousand and five, 1905 nineteen oh five."""
    century, rest = divmod(number, 100)
    if number < 1000 or (century % 10 == 0 and rest < 10):
        return cardinal(number)
    if not rest:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def fraction(above: int, below: int) -> str:
    """3/4 is three quarters, 1/2 a half by its bare name."""
    if (above, below) in _FRACTIONS:
        return _FRACTIONS[above, below]
    if not 2 < below <= 100 or not above:
        return f"{cardinal(above)} over {cardinal(below)}"
    return f"{cardinal(above)} {ordinal(below)}{'s' if above != 1 else ''}"
