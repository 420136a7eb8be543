"""Personal data replaced by surrogates: the same value always by the same one, by a key that need not be kept.

A surrogate is ``[EMAIL_3f9a1c2b4d]``: the type and ten hex digits of HMAC-SHA-256 of the value under a key. Whoever has
the key can recompute the surrogate of a value that they guess; throw it away, and nobody can. Placeholders were chosen
instead of invented values, so that nobody takes one for a person. Texts treated so are pseudonymised, not anonymous
(GDPR Art. 4(5), recital 26): what the scan does not see stays, and who wrote what can still be linked.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.data.personal.detectors import bare
from workbench.data.roles import flat

AS_WORDS = frozenset({"email", "url_user", "name"})
KEY_BYTES = 16
"""Fewest bytes of a key."""


def new_key() -> bytes:
    """A key for one run, from the system's randomness."""
    return secrets.token_bytes(32)


def normal(kind: str, value: str) -> str:
    """What makes two ways of writing one value: case and spaces, and separators where they mean nothing."""
    folded = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    return folded if kind in AS_WORDS else bare(folded)


def surrogate(kind: str, value: str, key: bytes) -> str:
    """What stands for a value.

    Args:
        kind: Name of the type.
        value: What was found.
        key: At least 16 bytes.

    Returns:
        For example ``[EMAIL_3f9a1c2b4d]``; equal for equal values under one key.

    Raises:
        ValueError: If the key is too short.
    """
    if len(key) < KEY_BYTES:
        raise ValueError(f"a key needs at least {KEY_BYTES} bytes; this one has {len(key)}")
    message = f"{kind}\0{normal(kind, value)}".encode()
    return f"[{kind.upper()}_{hmac.new(key, message, hashlib.sha256).hexdigest()[:10]}]"


def redact(texts: pa.Array | pa.ChunkedArray, found: pa.Table, key: bytes) -> pa.Array:
    """Texts with a surrogate in place of each finding; the given ones stay as they are.

    Args:
        texts: The texts that were scanned.
        found: As ``scan_texts`` gives it, ordered by row and start.
        key: From ``new_key`` or kept by the user; at least 16 bytes.

    Returns:
        A new ``large_string`` array of the same length.
    """
    whole = flat(texts).cast(pa.large_string())
    if not found.num_rows:
        return whole
    rows, at = np.unique(found["row"].to_numpy(), return_index=True)
    bounds = [*at.tolist(), found.num_rows]
    kinds, starts, lengths = (found[name].to_pylist() for name in ("type", "start", "length"))
    changed = []
    for number, text in enumerate(whole.take(pa.array(rows)).to_pylist()):
        pieces, last = [], 0
        for one in range(bounds[number], bounds[number + 1]):
            end = starts[one] + lengths[one]
            pieces += [text[last : starts[one]], surrogate(kinds[one], text[starts[one] : end], key)]
            last = end
        changed.append("".join([*pieces, text[last:]]))
    mask = np.zeros(len(whole), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(whole, pa.array(mask), pa.array(changed, pa.large_string()))
