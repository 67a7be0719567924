"""By what does one recognise the parts of a letter that are not its matter?

Regular expressions, for lines of which the spaces are already tidy, in the languages that support desks write most.
"""

from __future__ import annotations


def _any(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


_HELLO = _any(
    "hi", "hello", "hey", "hiya", "dear", "greetings", "good (?:morning|afternoon|evening|day)", "to whom it may concern",
    "hallo", "guten (?:tag|morgen|abend)", "moin", "servus", "gr[uü]e?zi", "liebe[rs]?", "sehr geehrter?",
    "bonjour", "bonsoir", "salut", "chers?", "ch[eè]res?",
    "hola", "buen[oa]s (?:d[ií]as|tardes|noches)", "estimad[oa]s?", "querid[oa]s?",
    "ciao", "buongiorno", "buonasera", "gentil[ei]", "salve", "ol[aá]", "bom dia", "boa tarde", "prezad[oa]s?",
    "beste", "geachte", "goedemorgen", "goedemiddag", "hej", "hei",
)  # fmt: skip
_ADDRESSED = _any(
    "there", "team", "all", "everyone", "everybody", "folks", "guys", "sirs?", "madam", "mrs?", "ms", "dr", "support", "customer", "service", "helpdesk",
    "or", "and", "herr", "frau", "damen", "herren", "und", "zusammen", "liebes", "madame", "monsieur", "mesdames", "messieurs", "[eé]quipe", "equipo",
    "tutti", "[aà]", "todos", "[a-z]+ team", r"\[\w+\]", r"(?-i:\p{Lu}[\p{L}'’.-]+)",
)  # fmt: skip
GREETING = rf"(?i)^\s*{_HELLO}\b(?:[ ,/]+{_ADDRESSED}){{0,6}}(?: *[,!.:;–—-]+\s*| *\n\s*)"
"""At the start, up to its comma or the end of its line; a name counts only with a capital."""

_WHO = _any("caller", "customer", "client[e]?", "user", "kunde", "kundin", "anrufer")
_SAYS = _any("says", "said", "reports", "reported", "states", "stated", "writes", "wrote", "called", "meldet", "sagt", "schreibt", "signale", "dit")
REPORTED = rf"(?i)^\s*(?:the )?{_WHO} {_SAYS}(?: that)?\s*[:,-]?\s+"
"""How agents begin what they note of a call."""

_SHORT = _any("re", "fwd?", "aw", "wg", "antw", "antwort", "tr", "réf", "ref", "rv", "sv", "vs", "enc", "res", "r", "i")
PREFIX = rf"(?i)^(?:\s*{_SHORT}\s*(?:\[\d+\])?\s*:\s*)+"
"""Of the subjects of answers and forwarded mails."""

_THEN = r"[^\n]{0,200}(?:\n[^\n]{0,120})?"
_WROTE = (
    _any(
        rf"on\b{_THEN}\bwrote", rf"am\b{_THEN}\bschrieb\b{_THEN}", rf"le\b{_THEN}\ba écrit", rf"el\b{_THEN}\bescribió", rf"il\b{_THEN}\bha scritto",
        rf"op\b{_THEN}\bschreef\b{_THEN}", rf"em\b{_THEN}\bescreveu",
    ) + r" ?:(?: *\n| *\z)"
)  # fmt: skip
_ORIGINAL = _any(
    "original message", "original-nachricht", "ursprüngliche nachricht", "message d'origine", "message original", "mensaje original",
    "messaggio originale", "mensagem original", "forwarded message", "weitergeleitete nachricht", "message transféré", "mensaje reenviado",
)  # fmt: skip
_DIVIDER = rf"-{{2,}} ?{_ORIGINAL} ?-{{2,}}|begin forwarded message:"
_SENDER = _any("from", "von", "de", "da", "van")
_HEADER = _any(
    "sent", "date", "to", "cc", "subject", "gesendet", "datum", "an", "betreff", "envoyé", "objet", "à", "enviado", "fecha", "para", "asunto",
    "inviato", "oggetto", "verzonden", "aan", "onderwerp",
)  # fmt: skip
QUOTED = rf"(?is)(?:^|\n)[> ]*(?:{_WROTE}|{_DIVIDER}|\*?{_SENDER}\*? ?:[^\n]*\n(?:[^\n]*\n){{0,2}}?\*?{_HEADER}\*? ?:|_{{10,}} *\n|-- ?\n).*\z"
"""From the line that opens the mail answered to, or a signature, to the end."""

_OPENS = _any("wrote", "schrieb[^\n]*", "a écrit", "escribió", "ha scritto", "schreef[^\n]*", "escreveu")
HEADERS = rf"(?im)^(?:{_DIVIDER}|\*?(?:{_SENDER}|{_HEADER})\*? ?:.*|_{{10,}}|.*\b{_OPENS} ?:) *$"
"""Lines that open a quoted mail."""

_FOOTERS = _any(
    r"(?:this|the) (?:e-?mail|message|communication|information)\b[^\n]{0,160}\b(?:confidential|privileged|intended (?:only|solely))",
    "confidentiality (?:notice|note)", "disclaimer:", "caution: (?:this|external)", r"diese (?:e-?mail|nachricht)\b[^\n]{0,120}\bvertraulich",
    r"ce (?:message|courriel)\b[^\n]{0,160}\bconfidentiel", r"este (?:mensaje|correo)\b[^\n]{0,160}\bconfidencial",
    "(?:please )?(?:consider|think of) the environment before",
)  # fmt: skip
LEGAL = rf"(?is)(?:^|\n)[*_\s]*{_FOOTERS}.*\z"
"""From the first line of a legal footer to the end."""

_STAMPS = _any(
    "sent from (?:my|the) .{1,60}", "sent (?:via|with) .{1,40}", "get outlook for .{1,20}", "von meinem .{1,40} gesendet", "gesendet (?:von|mit) .{1,60}",
    "envoyé (?:de|depuis) (?:mon|ma) .{1,40}", "enviado desde mi .{1,40}", "inviato da .{1,40}", "(?:please )?do not (?:answer|reply) to this .{1,60}",
    "diese nachricht wurde automatisch .{1,80}",
)  # fmt: skip
SENT_FROM = rf"(?im)^{_STAMPS}$"
"""Lines that a program adds."""

_BYE = _any(
    "(?:with )?(?:best|kind|kindest|warm|warmest|many)? ?(?:regards|wishes)", "best", "all the best", "cheers", "(?:many )?thanks(?: (?:and|&) regards)?",
    "thank you", "thx", "sincerely(?: yours)?", "yours (?:sincerely|faithfully|truly)", "respectfully", "take care",
    "(?:mit )?(?:vielen?|besten?|freundliche[nr]?|lieben?|schönen?|herzlichen?) gr(?:uß|uss|üßen?|üssen?|üße|üsse)", "gr(?:uß|uss|üße|üsse)", "mfg", "lg",
    "vg", "(?:vielen )?dank", "danke", "(?:bien )?cordialement", "bien à vous", "salutations", "merci", "saludos(?: cordiales)?", "un saludo",
    "atentamente", "gracias", "cordiali saluti", "distinti saluti", "grazie", "atenciosamente", "obrigad[oa]", "(?:met vriendelijke )?groet(?:en)?",
)  # fmt: skip
SIGN_OFF = rf"(?is)\n *{_BYE} *[,.!;–-]* *(?:\n.{{0,600}})?\z"
"""A line that says good-bye, with at most 600 letters of names and addresses after it."""

_PLEASE = _any(
    "(?:many )?thanks?(?: you)?(?: (?:so|very) much| a lot)?(?: in advance| for (?:your|the|any) (?:help|support|time|assistance|quick [a-z]+))?",
    "vielen dank(?: im voraus)?", "danke(?: im voraus| schön)?", "bitte um hilfe", "merci(?: beaucoup| d'avance| de votre aide| par avance)*",
    "(?:muchas )?gracias(?: de antemano)?", "grazie(?: mille)?", "please (?:help|advise|have a look)", r"looking forward to (?:your|hearing)[^.\n]{0,40}",
)  # fmt: skip
POLITE = rf"(?i)(^|[.!?…)\n]) *{_PLEASE} *[.!,]* *\z"
"""A last sentence that only thanks or asks for help; the group is the mark that ends the one before."""

LANGUAGES = {
    "en": "the and is are was were have has not you your with this that from can cannot could would will our we my it but please when since after do "
    "does did i there been they",
    "de": "der die das und ist sind nicht ich wir sie ein eine einen mit auf für von dem den des uns unser unsere kann können seit nach bitte aber noch "
    "wurde wird haben hat auch kein keine im zu es bei",
    "fr": "le la les et est sont pas nous vous une des du dans avec sur pour mon ma notre votre que qui depuis mais plus ne je il elle ce cette au aux à "
    "été avons ai avez",
    "es": "el los las y es son nosotros usted una unos del en con para por mi nuestro nuestra su que pero desde cuando está no se lo al hay hemos ha más "
    "muy puedo",
    "it": "il lo gli e è sono noi voi una uno della del dei con per mio nostro nostra suo che ma da quando non si ho abbiamo alla nel di più questo anche",
    "pt": "o os as e é são nós uma um da do dos das com para por meu nosso nossa seu que mas desde quando não se está foi na no ao mais você temos",
    "nl": "de het een en is zijn niet wij jullie onze ons met voor van op dat dit maar sinds kan kunnen heb hebben wordt nog ik bij naar ook er geen te",
}
"""Small words by which a language shows."""
