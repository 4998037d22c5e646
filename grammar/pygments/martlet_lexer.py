"""A lexer of Martlet's rule files for Pygments.

pygmentize -x -l grammar/pygments/martlet_lexer.py:MartletLexer FILE
"""

from pygments.lexer import RegexLexer, bygroups, include, words
from pygments.token import (
    Comment, Keyword, Literal, Name, Number, Operator, Punctuation, String, Whitespace,
)

__all__ = ["MartletLexer"]

DECLARATIONS = """
    define engine event import let list metric rule schedule select sink source test
""".split()

WORD_OPERATORS = """
    and any case cidr contains else ends every exists ignoring in like matches missing not or
    starts
""".split()

CONSTANTS = "false true".split()

CLAUSES = """
    absent active adapt advance after alert aligned all allow anomalous anomaly_cluster arrives
    as assume at attach attack baseline before by cluster confidence correction correlation
    crash daily data during each early enabled events exactly expect falsepositives few fire
    first for forecast forget from gap group hopping immediately keep key lag last latest least
    lift limit linked mask masked match max measure min moves_with no none nothing number of
    off on once optional order outside over overlap owner partial per points pooled possible
    references refresh remind repeat report reset resolve restart resume risk runbook runs
    seasonal send sequence session severity show sliding span spread stale start step strength
    suppress tags the them then threshold time title to tumbling unbounded unless until update
    values watch weekly when where window with within without
""".split()

FUNCTIONS = """
    abs avg ceil count day_of_week days distinct first floor geo_km hour_of_day hours last
    length lower max min minutes number percentile previous rate round same_time seconds sqrt
    sum text upper
""".split()


class MartletLexer(RegexLexer):
    """Rule files of Martlet."""

    name = "Martlet"
    aliases = ["martlet"]
    filenames = ["*.rules"]

    tokens = {
        "root": [
            (r"\s+", Whitespace),
            (r"(alert)(\s+)(\")", bygroups(Keyword, Whitespace, String), "message"),
            include("items"),
        ],
        "items": [
            (r"\s+", Whitespace),
            (r"#.*$", Comment.Single),
            (r"(matches)(\s+)(/(?:\\.|[^/\\\n])*/)", bygroups(Operator.Word, Whitespace, String.Regex)),
            (r'r"[^"\n]*"', String),
            (r'"', String, "text"),
            (r"`[^`\n]*`", Name),
            (r"\bT\d{4}(?:\.\d{3})?\b", Literal),
            (r"(?:\d[\d_]*(?:\.\d+)?(?:ns|us|ms|s|m|h|d|w))+\b", Number),
            (r"\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?:[kMGT]i?B|B)?%?", Number),
            (r"(\.)([A-Za-z_]\w*)", bygroups(Punctuation, Name.Attribute)),
            (r"[A-Za-z_]\w*(?=\s*:)", Name.Label),
            (words(FUNCTIONS, prefix=r"\b", suffix=r"(?=\s*\()"), Name.Builtin),
            (r"[A-Za-z_]\w*(?=\s*\()", Name.Function),
            (r"(severity)(\s+)(info|low|medium|warning|high|critical)\b", bygroups(Keyword, Whitespace, Name.Constant)),
            (words(CONSTANTS, prefix=r"\b", suffix=r"\b"), Keyword.Constant),
            (words(WORD_OPERATORS, prefix=r"\b", suffix=r"\b"), Operator.Word),
            (words(DECLARATIONS, prefix=r"\b", suffix=r"\b"), Keyword.Declaration),
            (words(CLAUSES, prefix=r"\b", suffix=r"\b"), Keyword),
            (r"[A-Za-z_]\w*", Name),
            (r"==|!=|<=|>=|[<>=+\-*/%|]", Operator),
            (r"\.\.|[{}()\[\],.:?]", Punctuation),
        ],
        "text": [
            (r"\\(?:u\{[0-9A-Fa-f]+\}|.)", String.Escape),
            (r'[^"\\\n]+', String),
            (r'"|$', String, "#pop"),
        ],
        "message": [
            (r"\\(?:u\{[0-9A-Fa-f]+\}|.)|\{\{|\}\}", String.Escape),
            (r"\{", String.Interpol, "placeholder"),
            (r'[^"\\{}\n]+', String),
            (r'"|$', String, "#pop"),
        ],
        "placeholder": [
            (r"\}|$", String.Interpol, "#pop"),
            include("items"),
        ],
    }
