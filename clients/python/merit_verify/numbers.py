"""Numbers of JSON as the decimals that they are written as."""

import json
from decimal import Decimal
from fractions import Fraction


class Refused(Exception):
    """The proof does not hold, and why."""


def parse(text):
    """JSON with every number a Decimal; a key that comes twice is refused."""

    def unique(pairs):
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            raise Refused("a key comes twice")
        return dict(pairs)

    return json.loads(text, parse_float=Decimal, parse_int=Decimal, object_pairs_hook=unique)


def fraction(value):
    """A number of the book. None with more than 60 digits behind its point is taken."""
    exponent = Decimal(value).normalize().as_tuple().exponent
    if exponent < -60:
        raise Refused(f"{value} has more than 60 digits behind its point")
    return Fraction(value)


def of_proof(value):
    """A number of the proof: at most 15 digits, 18 of them behind the point, below 10^15."""
    if not isinstance(value, Decimal):
        raise Refused(f"{value!r} is no number")
    _, digits, exponent = value.normalize().as_tuple()
    if len(digits) > 15 or exponent < -18 or abs(value) > 10**15:
        raise Refused(f"{value} has too many digits")
    return Fraction(value)
