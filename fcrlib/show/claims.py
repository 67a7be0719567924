"""Which words claim more than a grade of evidence allows, and where are they no claim?

The words are English, and so are the ways in which a sentence takes them back: a negation next to them, a frame ("this does not mean
that"), an open question, a thing to find out, the rule that gave a contact its label. A sentence that speaks of outcomes is held to more
than one that speaks of the software.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fcrlib.model.evidence import GRADES, Grade

OUTCOMES = re.compile(
    r"\b(?:fcr|first[- ]contact|(?:un)?resol[uv]\w*|fail\w*|reopen\w*|repeats?|repeat(?:ed|ing)|c[oa]me(?:s|ing)? back|coming back|csat|nps|"
    r"(?:dis)?satisf\w*|"
    r"rat(?:e|es|ed|ings?)|scores?|effort|costs?|churn\w*|retention|retain\w*|leave|leaving|loyal\w*|transfer\w*|handovers?|escalat\w*|contacts?|"
    r"waits?|waiting|"
    r"differences?|points?|rose|fell|rise|fall|drop)\b",
    re.IGNORECASE,
)
"""What a claim can be about; a sentence of the manual without any of it describes the software."""

_NOUN = (
    r"(?:fcr|first[- ]contact resolution|first contacts?|resolution|csat|satisfaction|retention|loyalty|churn|repeats?|repeat contacts?|failures?|"
    r"(?:failure|reopening|repeat|resolution) rates?|reopenings?|ratings?|scores?|top ratings)"
)
_NUMBER = r"[+−-]?\d[\d,.]*"
_PER_CENT = rf"{_NUMBER}\s?(?:%|percent\b|per cent\b)"
_THEIR = r"(?:the |their |its |our |your )?(?:(?!in |of |to )\w+ )?"
_NO_ADJECTIVE = r"(?<=\w )(?<!with )(?<!of )(?<!the )(?<!a )(?<!by )(?<!and )"
_GAIN = (
    r"(?:save|gain|win|raise|lift|add|reduce|cut|lower|avoid|prevent|increase|improve|free|recover|spare|retain)"
    r"|(?:be|have been|been) (?:\w+ )?(?:saved|gained|won|avoided|prevented|spared|recovered|retained|freed)"
)


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?:{word})" for word in words), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """Words, the grades that may not use them, why, and what to write instead.

    Parameters
    ----------
    grades
        The grades the words are forbidden to.
    words
        The words with their inflections.
    retractable
        May the sentence take them back by a negation, a question or a thing to find out?
    unless
        Where this is found in the sentence, the words are fine.
    about
        The words are a claim only in a sentence that also says this.
    """

    name: str
    grades: frozenset[Grade]
    words: re.Pattern[str]
    why: str
    instead: str
    retractable: bool = True
    unless: re.Pattern[str] | None = None
    about: re.Pattern[str] | None = None


_ALL: frozenset[Grade] = frozenset(GRADES)
_BELOW_A, _BELOW_B, _ONLY_D = (frozenset(GRADES[best:]) for best in (1, 2, 3))
_SEEN = "say 'was observed with', or 'is associated with' where contacts were compared with alike ones"

RULES = (
    Rule(
        "cause",
        _BELOW_A,
        _any(r"\bcaus(?:e|es|ed|ing|al|ally|ation|ality)\b"),
        "the design does not show what came from what",
        _SEEN,
        unless=_any(r"\bif\b.*\bcausal\b"),
    ),
    Rule(
        "because",
        _BELOW_A,
        _any(r"\bbecause\b", r"\bdue to\b(?! (?:be|arrive|come|close|open|start|end|begin|expire|renew)\b)", r"\bowing to\b", r"\bthanks to\b",
             r"\bon account of\b", r"\bas a (?:\w+ )?(?:result|consequence) of\b", r"\battribut(?:able|ed) to\b", r"\bstem(?:s|med)? from\b",
             r"\bto blame\b", r"\b(?:reason|explanation) (?:for|behind) the (?:drop|fall|rise|change|difference|failures|repeats)\b"),
        "it gives a reason where only a coincidence was seen",
        "name what was seen together, and when",
        unless=_any(r"\bcounting\b", r"\bcounts? as\b", r"\bleft out\b", r"\breads? too (?:low|high)\b",
                    r"\b(?:is|are|was|were) (?:not )?(?:taken|counted|drawn|shown|given|weighed) (?:(?!and\b)\S+ ){0,8}because\b"),
        about=OUTCOMES,
    ),
    Rule(
        "lead to",
        _BELOW_A,
        _any(r"\b(?:leads?|led|leading) to\b(?! (?:the |its |a |an )?(?:page|notebook|cell|figure|table|report|evidence|file|list|link|place|"
             r"contact)s?\b)",
             r"\b(?:results?|resulted|resulting) in\b", r"\b(?:brings?|brought|bringing) about\b", r"\b(?:gives?|gave|giving) rise to\b",
             r"\bdr(?:ives|ove|iven by|iving)\b(?! (?:licen|test|force))",
             r"\b(?:to|can|may|might|could|will|would|not|really|also|that|which|they|s) drive\b",
             r"(?<=s )drive\b(?! [ai]nd\b)", r"\bdrivers? (?:of|for|behind)\b",
             r"\bma(?:ke|kes|de|king) (?:\w+ ){1,4}?(?:fail|leave|come back|return|churn|happier|unhappy|angry|(?:more|less) likely)\b"),
        "the design does not show what came from what",
        _SEEN,
    ),
    Rule(
        "raise",
        _BELOW_A,
        _any(rf"\b(?:raises?|raising|lowers|lowering|reduc(?:e|es|ing)|increas(?:e|es|ing)|decreas(?:e|es|ing)|boost(?:s|ing)?|lift(?:s|ing)?|"
             rf"hurt(?:s|ing)?|"
             rf"harm(?:s|ing)?|damag(?:e|es|ing)|erod(?:e|es|ing)|cut(?:s|ting)?|prevent(?:s|ing)?|avoid(?:s|ing)?) {_THEIR}{_NOUN}\b",
             rf"{_NO_ADJECTIVE}\b(?:raised|lowered|reduced|increased|decreased|boosted|lifted|harmed|damaged|eroded|prevented|"
             rf"avoided) {_THEIR}{_NOUN}\b"),
        "only an experiment shows that one thing moved another",
        "say that it rose or fell, and beside what",
        unless=_any(r"\bif\b.*\bcausal\b",
                    r"\b(?:windows?|definition|polic(?:y|ies)|counting|counted|leaving out|treating|weigh\w+|rule|presets?)\b"),
    ),
    Rule(
        "effect",
        _BELOW_B,
        _any(r"\bimpact(?:s|ed|ing|ful)?\b(?! (?:and|or|x|×) urgency)", r"(?<!took )(?<!take )(?<!takes )(?<!in )\beffects? (?:of|on)\b",
             r"\b(?:the|an|any|its|this|their|large|small|direct|clear|strong|positive|negative) effects?\b(?! (?:size|of|on)\b)",
             r"\baffect(?:s|ing)?\b", rf"\baffected (?:the |their |its )?{_NOUN}\b", r"\binfluenc(?:e|es|ed|ing)\b",
             r"\bimprov(?:e|es|ed|ing)\b", r"\bimprovements? (?:in|of)\b", r"\bcontribut(?:e|es|ed|ing) to\b", r"\bprove[sdn]?\b(?= that\b)"),
        "an association says nothing about what would happen if one thing were changed",
        "say 'is associated with', with estimate and interval",
        unless=_any(r"\b(?:urgency (?:and|or|x|×) impact)\b"),
    ),
    Rule(
        "adjusted",
        _ONLY_D,
        _any(r"\badjust(?:ed|ing|ments?)\b", r"\bcontroll(?:ed|ing) for\b",
             r"\b(?:held|holding|keeping|kept) (?:\w+ ){0,4}?(?:equal|constant|fixed)\b",
             r"\ball else (?:being )?equal\b", r"\bother things (?:being )?equal\b", r"\bafter (?:accounting|allowing|correcting) for\b",
             r"\bstandardi[sz]ed (?:for|to|by)\b"),
        "nothing was held equal",
        "leave it out, or compare with alike contacts and grade the comparison",
        unless=_any(r"\bnothing\b[^.;]{0,80}\b(?:held|kept) (?:equal|constant)\b"),
    ),
    Rule(
        "forecast",
        _ONLY_D,
        _any(r"\bwill (?:\w+ ){0,2}?(?:rise|fall|drop|grow|increase|decrease|improve|decline|reach|save|gain|lose|cost|come back|fail|churn|leave|"
             r"end at|be (?:higher|lower))\b",
             r"\bforecast(?:s|ed|ing)?\b", r"\bpredict(?:s|ed|ing|ions?)?\b", r"\bproject(?:ed|ions?)\b",
             r"\b(?:is|are) (?:expected|likely|bound|set|going) to\b"),
        "a raw comparison says nothing about what comes",
        "say what was seen, in which period",
    ),
    Rule(
        "gain",
        _ALL,
        _any(rf"\b(?:would|could|will|can|might|may) (?:\w+ )?(?:{_GAIN})\b"),
        "it promises a gain",
        "say 'if the association were entirely causal', beside the smaller shares",
        unless=_any(r"\bif\b.*\bcausal\b"),
        about=_any(r"\d"),
    ),
    Rule(
        "percent",
        _ALL,
        _any(rf"\b(?:rose|rise|risen|fell|fall|fallen|dropp?(?:ed|s)?|gr[eo]w(?:n|s)?|gained|lost|up|down|increase[ds]?|decrease[ds]?|improved|"
             rf"declined|changed|differ\w*|gap)"
             rf" (?:by |of )?(?:about |almost |nearly |only |another )?{_PER_CENT}(?!\s*(?:points?|to\b))",
             rf"\b(?:raised|lowered|reduced|cut|lifted|increased|decreased|improved) (?:\w+ ){{1,6}}?by {_PER_CENT}(?!\s*points?)",
             rf"{_PER_CENT} (?:higher|lower|better|worse|increase|decrease|drop|rise|improvement|decline|more likely|less likely)\b"),
        "a difference of two percentages is not a percentage",
        "write points (percentage points), or say that the change is relative",
        retractable=False,
        unless=_any(r"\brelative\b", r"\btimes\b", r"\b(?:number|count|volume) of\b"),
        about=_any(r"\b(?:fcr|resol\w+|rates?|shares?|csat|satisf\w+|rated|ratings?|retention|churn|fail(?:s|ed|ing)?|reopened|first contact)\b"),
    ),
    Rule(
        "nothing",
        _ALL,
        _any(r"\bno (?:\w+ )?(?:effect|impact|difference|association|relationship|correlation)s?\b(?! (?:larger|bigger|smaller|of more|beyond|that|"
             r"is (?:clear|larger|claimed|named|stated)|can be|could be|was seen|to be seen|of \w+ \w+ (?:brings|makes)))",
             r"\b(?:makes?|made) no difference\b", r"\b(?:do|does|did)(?:n['’]t| not) differ\b", r"\b(?:is|are|was|were)(?:n['’]t| not) different\b"),
        "not seen is not the same as not there",
        "say 'no clear difference', with its interval and the smallest one it excludes",
        retractable=False,
        unless=_any(r"\bno clear\b", r"\bexcluded?\b", r"\b(?:evidence|proof|sign) of no\b"),
    ),
    Rule(
        "significant",
        _ALL,
        _any(r"\b(?:in)?significan(?:t|tly|ce)\b(?! (?:digits?|figures?))", r"\bq\s?[=<]\s?0?\.\d+", r"\bq[- ]values?\b"),
        "it does not say what was tested, how often",
        "give the interval; or say 'statistically significant' and name the family of comparisons",
        unless=_any(r"\bstatistically (?:in)?significan.*\b(?:family|comparisons|tests|false discover|benjamini|holm)",
                    r"\bq[\s-].*\b(?:family|comparisons|tests|false discover|benjamini)",
                    r"\b(?:family|comparisons|tests|false discover|benjamini|holm).*(?:statistically significan|\bq[\s-])"),
    ),
    Rule(
        "benchmark",
        _ALL,
        _any(r"\bindustry (?:averages?|means?|standards?|benchmarks?|norms?)\b", r"\bbenchmarks?\b", r"\bworld[- ]class\b",
             r"\bbest[- ]in[- ]class\b",
             r"\bpublished (?:rates?|figures?|ranges?|values?|numbers?)\b", r"\bvendors?['’]? (?:figures?|claims?|say|says)\b"),
        "other people's figures are measured otherwise",
        "add that it is a vendor's claim and that its definition differs",
        retractable=False,
        unless=_any(r"\bvendor claim\b.*\bdefinition", r"\bdefinitions? (?:\w+ )?differs?\b", r"\bdo not say how\b",
                    r"\b(?:contradict|another|differ)\b"),
        about=_any(r"\d\s?(?:%|percent|per cent)"),
    ),
    Rule(
        "few",
        _ALL,
        _any(r"(?<![\d.,])(?:0|100)(?:\.0+)? %(?= (?:of )?\(?(?:n = )?(?:[1-9]|[12]\d)\b(?![\d.,%]| %| points?))",
             r"\b\d+ of (?:[1-9]|[12]\d)(?![\d,.]) [^.]{0,40}?\b(?:0|100)(?:\.0+)? %"),
        "a share of a handful says nothing",
        "say 'too few contacts', with their number",
        retractable=False,
    ),
)  # fmt: skip

_NEGATION = r"(?:not|no|never|nor|neither|without|rather than|instead of|cannot|\w+n['’]t)"
_FILLER = (
    r"(?:an?|the|any|by|itself|necessarily|be|been|being|is|are|was|were|have|has|to|known|thought|said|mean|as|in|such|directly|really|also|yet|"
    r"tell|show|prove|"
    r"imply|establish|claim|demonstrate|read|taken|understood|simply say)"
)
_SAYING = (
    r"(?:mean|say|says|said|show|shown|shows|prov\w+|proof|evidence|claim|tell|tells|told|establish\w*|imply|know|known|sign|guarantee|suggest|"
    r"conclude|settle|decide|"
    r"answer|see|seen|infer\w*|read|taken|interpret\w*)"
)
_NEXT_TO = re.compile(rf"\b{_NEGATION}(?: {_FILLER}){{0,5}} $", re.IGNORECASE)
_FRAME = re.compile(
    rf"\b(?:{_NEGATION}|nothing|nobody|none|hardly|little)\b(?:(?!\bbut\b|\bhowever\b|\byet\b)[^.;:])*?\b{_SAYING}\b "
    rf"(?:(?!\bbut\b|\bhowever\b)[^.;:])*?\b(?:that|whether|if|what|why|how|which|of|as|for)\b(?:(?!\bbut\b|\bhowever\b)[^.;:])*$",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(?:whether|if)\b[^,.;:]*$|\b(?:ask|asks|asking|asked|find out|finding out|look|learn|check|see|note|write down|investigate|the question)\b"
    r"[^.;:,]*\b(?:what|why|which|how|who|whether)\b[^.;:,]*$|\bonly\b[^.;:]*\b(?:say|tell|know)\b[^.;:]*\b(?:what|why|which)\b[^,.;:]*$",
    re.IGNORECASE,
)
_MAY_BE = re.compile(r"\b(?:may|might|could) (?:\w+ )?(?:be|have been)(?: partly| just| simply)? $", re.IGNORECASE)
_ASKS = re.compile(r"^\W*(?:do|does|did|is|are|was|were|can|could|has|have|had)\b.*\?\W*$", re.IGNORECASE)
_BY_RULE = re.compile(
    r"(?<=seen only )because|(?<=known only )because|because (?:the (?:first )?contact|it) (?:was (?:followed by another|reopened|chased|"
    r"still open|resolved too late|transferred|escalated|called unresolved|"
    r"put on hold|closed)|needed (?:more|several))",
    re.IGNORECASE,
)
_DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
_NOT_EQUAL = re.compile(r"\b(?:nothing|none|not)\b[^.;:]*$", re.IGNORECASE)
_HUNG = re.compile(
    r"(?:^\W*(?:which|what)|\b(?:the|these|those|all|many|few|some|other|no|several|possible|such|of|as|as many|planted|compared|\d+|two|three|"
    r"four|five|six|seven|eight|nine|ten))"
    r" causes(?! of\b)|(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )\b(?:a|each|every|one|no|any|another|the|the one|its|"
    r"with) cause(?! of\b)(?! for\b)",
    re.IGNORECASE,
)


def excused(rule: Rule, sentence: str, found: re.Match[str], *, whole: str = "") -> bool:
    """Does the sentence take these words back, or use them for something that is no claim?

    Parameters
    ----------
    sentence, whole
        The sentence in which the words were found, and the same with everything quoted still in it.

    Examples
    --------
    >>> rule = RULES[0]
    >>> [excused(rule, said, rule.words.search(said)) for said in ("This is no cause", "Nobody knows whether it caused this", "It caused this")]
    [True, True, False]
    """
    if (rule.unless and rule.unless.search(sentence)) or (rule.about and not rule.about.search(whole or sentence)):
        return True
    if rule.name == "because" and (_BY_RULE.match(sentence, found.start()) or _MAY_BE.search(sentence[: found.start()])):
        return True
    if rule.name == "cause" and any(noun.start() <= found.start() and found.end() <= noun.end() for noun in _HUNG.finditer(sentence)):
        return True
    if rule.name == "adjusted" and _NOT_EQUAL.search(sentence[: found.start()]):
        return True
    return rule.retractable and _taken_back(sentence, sentence[: found.start()])


def _taken_back(sentence: str, before: str) -> bool:
    """The stop in 2.7 ends no clause."""
    before = _DECIMAL.sub("_", before)
    return bool(_ASKS.match(sentence) or _NEXT_TO.search(before) or _FRAME.search(before) or _OPEN.search(before))
