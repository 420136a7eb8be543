"""E-mail addresses, web addresses that name a user, and IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from workbench.data.personal.detectors import Detector, Place, before

EMAIL = re.compile(
    r"(?<![\w.+%@])[\w](?:[\w.!#$%&'*+/=?^`{|}~\-]{0,62}[\w+\-])?@"
    r"(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.)+[^\W\d_](?:[\w\-]{0,30}[^\W_])(?![\w@])"
)
LOGIN = re.compile(r"\b[a-z][a-z0-9+.\-]{1,10}://([^\s/@:]+(?::[^\s/@]*)?)@[\w.\-]+[^\s<>\"')\],;]*", re.IGNORECASE)
SITES = (
    r"github\.com|gitlab\.com|bitbucket\.org|twitter\.com|x\.com|instagram\.com|facebook\.com|tiktok\.com|t\.me|"
    r"medium\.com|pinterest\.com|soundcloud\.com|twitch\.tv|xing\.com/profile|linkedin\.com/in|linkedin\.com/pub|"
    r"reddit\.com/u|reddit\.com/user|youtube\.com/user|youtube\.com/c|orcid\.org|keybase\.io|flickr\.com/people"
)
PROFILE = re.compile(
    rf"(?:https?://|www\.|(?<![\w@./\-]))(?:www\.|m\.|[a-z]{{2}}\.)?(?:{SITES})/@?([\w.\-%]{{2,64}})/?(?![\w/.\-%])",
    re.IGNORECASE,
)
USER_PATH = re.compile(
    r"(?:https?://|www\.)[\w.\-]+(?::\d+)?(?:/[\w.\-%]+)*?/(?:~|@|(?:users?|people|profiles?|members?|author|u)/)"
    r"@?([\w.\-%]{2,64})(?:/[\w.\-%]*)*",
    re.IGNORECASE,
)
NO_USERS = frozenset(
    "about account admin all api apps blog contact dashboard docs explore features guide help home index index.html "
    "info join jobs list login logout me new news pages password policies policy pricing privacy profile register "
    "search settings share sign-in signin signup support terms topics trending help.html guides".split()
)
IPV4 = re.compile(r"(?<![\w.\-])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d|-\d)")
IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
VERSION = re.compile(
    r"(?:\bv|version|release|revision|section|clause|chapter|article|annex|build|§|vers\.|versi[oó]ne?|fassung|ausgabe|kapitel|abschnitt|apartado|ver)\s*\.?$",
    re.IGNORECASE,
)


def find_email(text: str) -> Iterator[Place]:
    """E-mail addresses; none with two dots in a row, and not the ``git@`` of a repository."""
    for found in EMAIL.finditer(text):
        if ".." not in found.group() and not found.group().startswith("git@"):
            yield found.span()


def find_url_user(text: str) -> Iterator[Place]:
    """Web addresses that hold a login or lead to a person's page; pages that every site has are left out."""
    seen: list[Place] = []
    for pattern in (LOGIN, PROFILE, USER_PATH):
        for found in pattern.finditer(text):
            known = any(start < found.end() and found.start() < end for start, end in seen)
            if not known and found.group(1).casefold().rstrip(".") not in NO_USERS:
                end = found.start() + len(found.group().rstrip(".,;:!?"))
                seen.append((found.start(), end))
                yield found.start(), end


def find_ip(text: str) -> Iterator[Place]:
    """IP addresses that may be somebody's: no loopback, unspecified, multicast ones, and no numbers of versions."""
    for found in IPV4.finditer(text):
        if is_someones(found.group()) and not before(text, found.start(), VERSION, 12):
            yield found.span()
    for found in IPV6.finditer(text):
        if len(found.group()) >= 6 and is_someones(found.group()):
            yield found.span()


def is_someones(address: str) -> bool:
    """Whether text is an IP address that can belong to one machine."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(read, ipaddress.IPv4Address) and (address.startswith("0.") or address.endswith(".0.0")):
        return False
    return not (read.is_loopback or read.is_unspecified or read.is_multicast or address.startswith("255."))


DETECTORS = (
    Detector("email", r"\S@\S", find_email),
    Detector(
        "url_user",
        rf"(?i)://[^\s/]+@|(?:{SITES})/|(?:://|www\.)[^\s]*/(?:~|@|users?/|people/|profiles?/|members?/|author/|u/)",
        find_url_user,
    ),
    Detector("ip_address", r"\d\.\d{1,3}\.\d{1,3}\.\d|::|[0-9A-Fa-f]:[0-9A-Fa-f]{0,4}:", find_ip),
)
