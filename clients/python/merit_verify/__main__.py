"""`python3 -m merit_verify BOOK RESULT PROOF`; with `--lines`, one JSON list [book, result, proof] a line of the standard input."""

import json
import sys

from . import Refused, check
from .numbers import parse


def verdict(book, result, proof):
    try:
        shown = check(book, result, proof)
    except (Refused, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return {"ok": False, "why": str(error)}
    claims = [{"orders": core, "hides": float(hides)} for core, hides in shown["claims"]]
    return {
        "ok": True,
        "bound": float(shown["bound"]),
        "boundWithoutClaims": float(shown["without_claims"]),
        "claims": claims,
    }


def main():
    if sys.argv[1:] == ["--lines"]:
        for line in sys.stdin:
            print(json.dumps(verdict(*parse(line))))
        return 0
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    found = verdict(*(parse(open(name, encoding="utf-8").read()) for name in sys.argv[1:]))
    print(json.dumps(found, indent=2))
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
