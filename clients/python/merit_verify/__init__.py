"""A checker of Merit's proofs (format proof/2), written from docs/proof.md and docs/market-rules.md alone."""

from .check import Refused, check

__all__ = ["Refused", "check"]
