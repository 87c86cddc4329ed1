"""Words of the generated data, awkward ones among them."""

from __future__ import annotations

import msgspec

PHRASES = (
    "Quarterly review",
    "naïve café — “smart quotes”",
    "Rollout 🚀🚀 (phase 2)",
    'He said "no" \\ it\'s <b>bold</b> & 100%',
    "",
    "line one\nline two\ttabbed\r\n",
    "日本語のテキスト",
    "עברית ثم العربية",
    "é as e + accent: e\u0301",
    "👩‍👩‍👧‍👦 family",
    "a,b;c|d",
    "null",
    "  spaces at both ends  ",
    "Straße\u00a042\u2028next",
)
"""Short texts of the kind people really type."""

LONG = "A long account of what happened, with every detail. " * 40

EVENTS = (
    "checkout",
    "sign up",
    "page/view",
    "search?q",
    "tag#added",
    "100%_done",
    "café_visit",
    "app::opened",
    'quoted "name"',
    "a+b&c=d",
    "it's 5 o'clock",
    "🚀 launched",
)
"""Names of the events that are logged again and again; they go into paths."""

METRIC_TYPES = ("event_count_custom", "event_user", "ratio", "sum", "mean", "funnel")
UNITS = ("userID", "stableID", "companyID")

LEXICON: dict[str, tuple[str, ...]] = {
    "text": PHRASES,
    "prose": (*PHRASES, *PHRASES, LONG),
    "event": EVENTS,
    "tag": ("core", "growth", "🏷 beta", "q4 2026", "needs-review"),
    "person": ("Ada Lovelace", "Zoë Kravčik", "O'Brien, Pat", "王小明", "Müller-Lüdenscheidt"),
    "first_name": ("Ada", "Zoë", "Pat", "小明", "Jean-Luc"),
    "last_name": ("Lovelace", "O'Brien", "王", "de la Cruz", "Müller"),
    "company": ("Acme, Inc.", "Søren & Sons", "“Quoted” Ltd", "株式会社サンプル"),
    "city": ("Berlin", "São Paulo", "東京", "St. John's", "Kraków"),
    "region": ("CA", "Île-de-France", "Bayern", "NSW"),
    "country": ("US", "Germany", "Côte d'Ivoire", "日本"),
    "address": ("1 Main St", "Straße des 17. Juni 135", 'Flat "B", 2nd floor', "1-1 千代田"),
    "locale": ("en", "de", "pt-BR", "ja"),
    "time_zone": ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific Time (US & Canada)"),
    "color": ("#ffffff", "#00ff7f", "36a2eb"),
    "domain": ("status.example.com", "münchen.example", "down.example.org"),
    "email": ("ada@example.com", "o'brien+crm@example.org", "zoë@münchen.example"),
    "phone": ("+1 555 0100", "+49 30 901820", "0044 (0) 20 7946 0000"),
    "url": ("https://example.com/a?b=1&c=2", "https://example.org/ü/☃", "http://example.net/#top"),
}
"""Texts to choose from, by the name the contract tables use."""

_TAILS = (
    *("",) * 9,
    " 🎉",
    ' — "quoted" \\ it\'s',
    " ẞ日本語",
    " 100% <done>",
    "\nsecond line",
    " " + LONG[:600],
)
_TITLE_TAILS = tuple(msgspec.json.encode(tail)[1:-1] for tail in _TAILS)


def title(word: bytes, index: int) -> bytes:
    """The name of row `index` as JSON: its number, at times empty, long or awkward."""
    turn = index % (len(_TITLE_TAILS) + 1)
    if turn == len(_TITLE_TAILS):
        return b'""'
    return b'"%b %d%b"' % (word, index, _TITLE_TAILS[turn])
