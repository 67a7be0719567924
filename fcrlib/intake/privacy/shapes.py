r"""What does personal data look like?

Written for a regex engine without look-around that reads every text in one pass, whatever somebody wrote into it: group 1 is kept, what follows
it is the datum, group 2 is kept. A phone number needs a plus, a leading zero with an area code, brackets or a word like "call me at", so that
amounts, dates, order numbers and floats stay. What must not be read as a datum is marked first (`NOT_NUMBERS`, `NOT_NAMES`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A letter that nobody sees. Put before a word or a number it keeps any shape from beginning there; it is taken out again at the end.
MARK = "\u115f"
# No character at all, by Unicode's own rules: between the signs of a datum that may stay, it keeps every shape from matching.
SHIELD = "\ufdd0"
# Soft hyphens, zero-width characters, fillers, directional marks, and control characters other than tab and line ends.
INVISIBLE = "[\u00ad\u034f\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufdd0\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
WIDE = dict(zip("＠﹫．＋－０１２３４５６７８９", "@@.+-0123456789", strict=True))


@dataclass(frozen=True, slots=True)
class Stage:
    """The shapes of one kind, and what a text must hold at least for any of them to be looked for: one of some words, in any case, or a pattern.

    What must not be read as a datum of this kind is marked first, by `nots`.
    """

    kind: str
    shapes: tuple[str, ...]
    words: tuple[str, ...] = ()
    pattern: str = ""
    nots: tuple[str, ...] = ()


_WORD = r"\p{Lu}[\p{L}'’\-]+"
_TITLE = r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herrn?|Frau|Mme|Mlle|Madame|Monsieur|Señora?|Sra?|Signora?|Sig|Sig\.ra|Dott|Senhora?|Pan[ia]?|M)"
_OF = r"(?: +(?:van|von|zu|de|der|den|la|le|da|do|dos|di|del|della|bin|al|el|y|e))"
_PERSON = rf"(?:{_TITLE}\.? +){{0,2}}(?:\p{{Lu}}\. ?)*{_WORD}(?: +\p{{Lu}}\.)?{_OF}{{0,3}}(?: +{_WORD}){{0,2}}"
_HELLO = (
    r"(?i:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|moin|servus|liebe[rs]?|guten (?:tag|morgen|abend)|sehr geehrte[rs]?|bonjour|bonsoir|"
    r"salut|ch[eè]re?|hola|estimad[oa]|querid[oa]|buen[oa]s (?:d[ií]as|tardes|noches)|ciao|gentile|buongiorno|caro|cara|hej|hoi|beste|geachte|ol[aá]|"
    r"prezad[oa]|car[oa]|dzień dobry|witam|cześć)"
)
_AFTER_HELLO = r"([ \t]*(?:[,!.:;&]|(?m:$))| +[\-–—]| +(?:how|thanks|thank|please|can|could|this|I|we|it|just|sorry|hope|and|from)\b)"
_REGARDS = (
    r"(?i:(?:with )?(?:(?:best|kind|kindest|warm|warmest|many) )?(?:regards|wishes|thanks)|thank you|thx|cheers|sincerely|yours (?:sincerely|truly|faithfully)|"
    r"(?:mit )?(?:(?:freundlichen?|viele[nr]?|beste[nr]?|liebe|herzliche[nr]?|schöne) )?gr(?:ü|u|ue)(?:ß|ss)en?|gruß|danke|mfg|vg|lg|(?:bien )?cordialement|"
    r"bien à vous|amicalement|salutations(?: distinguées)?|merci(?: d['’]avance)?|(?:un )?(?:cordial )?saludos?(?: cordial(?:es)?)?|atentamente|gracias|"
    r"(?:cordiali|distinti) saluti|grazie|(?:met )?vriendelijke groet(?:en)?|groetjes|med venlig hilsen|mvh|(?:med )?vänliga hälsningar|hälsningar|"
    r"atenciosamente|obrigad[oa]|pozdrawiam)"
)
# Words of courtesy that begin a signature; which texts they stand in is known in one look.
REGARDS = (
    "regards", "wishes", "thanks", "thank you", "thx", "cheers", "sincerely", "truly", "faithfully", "gru", "grü", "GRÜ", "mfg", "vg", "lg", "best", "danke",
    "cordialement", "bien à", "amicalement", "salutations", "merci", "saludo", "atentamente", "gracias", "saluti", "grazie", "groet", "hilsen", "mvh",
    "hälsning", "HÄLSNING", "atenciosamente", "obrigad", "pozdrawiam",
)  # fmt: skip
# In the middle of a line a name is one only where the greeting begins a clause, and the address ends there.
_CLAUSE = r"(?:[,.!?;:–—] +| - )"
_CALLED = (
    r"(?i:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|moin|servus|liebe[rs]?|guten (?:tag|morgen|abend)|bonjour|bonsoir|salut|ch[eè]re?|hola|"
    r"estimad[oa]|querid[oa]|buen[oa]s (?:d[ií]as|tardes|noches)|ciao|gentile|buongiorno|car[oa]|hej|hoi|beste|ol[aá])"
)
_THANKED = (
    r"(?i:thanks|thank you|thx|cheers|regards|sincerely|danke(?:schön)?|dank|gr(?:ü|ue)(?:ß|ss)en?|gruß|cordialement|merci|saludos|gracias|saluti|grazie|"
    r"groet(?:en|jes)?|hilsen|hälsningar|obrigad[oa]|pozdrawiam)"
)
_FIRST = r"\p{Lu}[\p{L}'’\-]*\p{Ll}"
_ADDRESSED = rf"(?:\p{{Lu}}\. ?)*{_FIRST}(?: +{_FIRST})?"
_END_OF_CALL = r"([,!;?]|\.(?m:[ \t]|$)|[ \t]+[\-–—|/(]|[ \t]*(?m:$))"
_GAP = "[ \u00a0\u2007\u2009\u202f()\\-\u2010-\u2013/]{0,3}"
_SPACE = "[ \u00a0\u2009\u202f]"
_LAST = r"(?:com|org|net|info|biz|edu|gov|eu|io|co|uk|de|at|ch|fr|be|nl|es|it|pt|pl|se|dk|no|fi|ie|us|ca|au|br|mx|in|jp|example|test|invalid)"
_SAID = re.sub(r"\b(?:in|no|at|be|us|it)\|", "", _LAST)
_BRACKETED_DOT = r" ?(?i:[(\[{](?:dot|punkt|point|punto|ponto)[)\]}]|<dot>) ?"
_SPOKEN_DOT = r" (?i:-?dot-?|punkt|point|punto|ponto) "
_DOT = rf"(?:{_BRACKETED_DOT}| ?\. ?|{_SPOKEN_DOT})"
_BOX = rf"\b[\w.+\-]+(?:(?:{_BRACKETED_DOT}|{_SPOKEN_DOT})[\w.+\-]+)*"
_AT = r"(?: ?(?i:\(at\)|\[at\]|\{at\}|<at>|\(ät\)|\[ät\]|\(arroba\)|\[arroba\]|\(arobase\)|\[arobase\]|_at_|\(a\)|\[a\]|\(@\)|\[@\]) ?)"
_EMAIL = (
    r"()(?:\"[^\"\n@]{1,40}\"|[\w%+][\w.%+'’\-]*)@(?:\[[\da-fA-F.:]+\]|\w(?:[\w.\-]*\w)?\.(?:[^\W\d_]{2,24}|xn--[a-z0-9\-]{2,40})\b)",
    r"()[\w%+][\w.%+\-]*(?: @ ?|@ )\w[\w\-]*(?:\.[\w\-]+)*\.[\p{Ll}]{2,24}\b",
    r"()[\w.+%\-]+%40[\w\-]+(?:\.[\w\-]+)*\.[^\W\d_]{2,24}\b",
    rf"()\b[\w.+\-]+@[\w\-]+(?:{_DOT}[\w\-]+)*{_DOT}{_LAST}\b",
)
_SPELLED = (
    rf"(){_BOX}{_AT}[\w\-]+(?:{_DOT}[\w\-]+)*",
    rf"(){_BOX} (?i:-?at-?|ät|arroba|arobase|chiocciola) [\w\-]+(?:{_DOT}[\w\-]+)*{_SPOKEN_DOT}(?i:{_SAID})\b",
)
_URLS = (
    r"()(?i:\b[a-z][a-z0-9+.\-]{1,12}://)[^\s/@<>\"]+@[^\s<>\"]*",
    r"()(?i:\b(?:https?://|www\.))[^\s<>\"?#]*[?#;][^\s<>\"]*(?i:(?:token|auth|session|sid|sig|secret|password|passwd|pwd|code|otp|jwt|user|mail|phone)[\w\-]*|key(?:[_\-]?id)?)=[^\s<>\"]*",
    r"()(?i:\b(?:https?://|www\.))[^\s<>\"]*/(?i:reset|verify|verification|confirm|invite|invitation|magic|activate|unsubscribe|token|auth|password|share)[\w\-]*/"
    r"(?:[\w\-]*(?:\d|[a-z][A-Z])[\w\-]{6,}|[\w\-]{8,}(?:\d|[a-z][A-Z])|[a-z]{20,})[^\s<>\"]*",
    r"()(?i:\bhttps://hooks\.)[^\s<>\"]+/[\w\-]{16,}[^\s<>\"]*",
)
_IS = r"(?i: (?:is|was|ist|lautet|war|est|es|è))"
_HIDDEN = r"[^\s\[\"'`<>,;]*(?:[^\s\[\"'`<>,;]{2}\d|\d[^\s\[\"'`<>,;]{3})(?:[^\s\[\"'`<>,;]*[^\s\[\"'`<>,;.])?"
_SECRETS = (
    r"()-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\s]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    r"()\beyJ[\w\-]{6,}\.[\w\-]{6,}(?:\.[\w\-]*)?",
    r"()\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w\-]{16,}|(?:sk|rk|pk|whsec)_(?:live|test)_[A-Za-z0-9]{10,}|"
    r"sk-[A-Za-z0-9_\-]{20,}|xox[abeprs]-[\w\-]{10,}|AIza[\w\-]{35}|SG\.[\w\-]{16,}\.[\w\-]{16,}|npm_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{30,})",
    r"(\b(?i:bearer|basic) +)[A-Za-z0-9+/=_.\-]{16,}",
    r"(\b(?i:(?:api|access|secret|private|auth|client)[ _\-]?(?:key|token|secret)|pass(?:word|wd|code|phrase)|pwd|passwort|kennwort|mot de passe|"
    rf"contraseña|senha|wachtwoord|hasło){_IS}?(?:\"? *[:=] *| +)[\"'`]?){_HIDDEN}",
    rf"(\b(?i:key|token|secret|pin)(?:{_IS}?\"? *[:=] *|{_IS} +)[\"'`]?){_HIDDEN}",
    r"(\b(?i:key|token|secret) +)[A-Za-z_]{0,11}\d[A-Za-z0-9+/=_]{11,}",
    r"(\b(?i:pin(?: code| number)?) +)\d{4,6}\b",
    r"(\b(?i:cvv2?|cvc2?|csc)(?i: (?:is|code|number|ist))*[ :=]+)\d{3,4}\b",
    r"(\b(?i:pass(?:word|wd|code|phrase)|pwd|passwort|kennwort|mot de passe|contraseña|senha) *[:=] *[\"'`]?)[^\s\[\"'`<>,;]{2,}[!$%&#*_][^\s\[\"'`<>,;]*",
    r"(\b(?i:token|key|secret)(?:[^\n\w]{1,3}| +(?i:is|was|ist) +))[0-9A-Fa-f]{24,}\b",
)
_SECRET_WORDS = (
    "PRIVATE KEY", "eyJ", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "_live_", "_test_", "sk-", "xox", "AIza", "SG.",
    "npm_", "hf_", "bearer", "basic", "key", "token", "secret", "password", "passwd", "passcode", "passphrase", "pwd", "passwort", "kennwort", "mot de passe",
    "contraseña", "senha", "wachtwoord", "hasło", "pin", "cvv", "cvc", "csc",
)  # fmt: skip
IBAN = r"()\b(?i:(?:iban)?[a-z]{2}) ?\d{2}(?:[ \u00a0.\-]?[A-Za-z0-9]{4}){2,7}(?:[ \u00a0.\-]?[A-Za-z0-9]{1,4})?\b"
CARD = r"(^|[^\w.,+\-]|\D[.,\-]|(?i:visa|master|maestro|amex|card|karte|carte))[2-6]\d(?:[ \u00a0.\-–/_]{0,2}\d){10,17}\b"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_HEX = r"[0-9A-Fa-f]{1,4}"
_IPS = (
    rf"(^|[^\w:.])::(?i:ffff:)?(?:0:)?{_OCTET}(?:\.{_OCTET}){{3}}\b",
    rf"(^|[^\w.]){_OCTET}(?:(?:\.|\[\.\]){_OCTET}){{3}}\b",
    rf"(^|[^\w:])(?:{_HEX}:){{4,7}}{_HEX}\b",
    rf"(^|[^\w:.])(?:[0-9A-Fa-f]{{3,4}}|\d[0-9A-Fa-f]?)(?::{_HEX}){{0,5}}:(?::{_HEX}){{1,6}}\b",
)
# Numbers may follow each other with nothing between.
_ABROAD = rf"(?:\+[1-9](?:{_GAP}\d){{7,14}}|\+[1-9]\d{{0,2}}(?:\.\d{{2,8}}){{2,5}})"
PHONES = (
    rf"(^|[^\w.,+]){_ABROAD}+\b",
    rf"(^|[^\w.,+\-/#])(?:00|0?011{_SPACE})[1-9]\d{{0,2}}(?:{_SPACE}|[\-/(.]){{1,2}}(?:{_GAP}\d){{6,13}}\b",
    rf"(^|[^\w.,+\-/#])\(?0[1-9]\d{{1,4}}\)?(?:{_SPACE}|[\-\u2010-\u2013/]){{1,3}}(?:\d{{5,8}}(?:[ \-]\d{{3,4}})?|\d{{3,5}}(?:[ \u00a0\-]\d{{2,5}}){{1,3}})\b",
    rf"(^|[^\w.,+\-/#])0[1-9]-\d{{3}}{_SPACE}\d{{2,3}}{_SPACE}\d\d\b",
    rf"(^|[^\w.,+\-/#])0[1-9](?:(?:{_SPACE}\d\d){{4}}|(?:\.\d\d){{4}}|(?:-\d\d){{4}})\b",
    r"(^|[^\w.,+\-/#])(?:1[ \-.])?(?:\([2-9]\d\d\) ?[2-9]\d\d[ \-.]\d{4}|[2-9]\d\d-[2-9]\d\d-\d{4}|[2-9]\d\d\.[2-9]\d\d\.\d{4})\b",
)
_SPOKEN_PHONE = (
    r"((?i:\b(?:tel|telephone|phone|mobile|cell|handy|telefon|telefoon|telefono|tel[eé]fono|m[oó]vil|celular|t[eé]l[eé]phone|t[eé]l|portable|fax|whatsapp|sms|"
    r"rufnummer|durchwahl|mobil|cellulare|telemóvel|call (?:me|us)(?: back)?(?: on| at)?|reach (?:me|us) (?:on|at)|ring (?:me|us) (?:on|at)|text me (?:on|at)|"
    r"appelez-moi au|rappeler au|ll[aá]mame al|rufen sie mich unter|erreichbar unter|unter der)"
    r"(?: (?:number|no|nr|nummer|num[eé]ro|número|is|ist|est|es))*)(?m:[.:#]* *))\(?\d(?:[ \u00a0()\-./]{0,2}\d){6,14}\b"
)
_BRANCH = r"(?i:ext(?:ension)?|extn|x|durchwahl|dw|poste|anexo|toestel)[.:= ]*#?\d{1,6}"
_EXTENSION = rf"()\[phone\](?:[,;]? *{_BRANCH}\b|,? *\({_BRANCH}\))"
# Further numbers are looked up in the plan of the country the desk is in, and those from abroad in the plan of the world.
PHONE_CANDIDATE = r"[^\w.,+\-/#]\(?\d(?:[ \u00a0()\-./]{0,2}\d){6,14}\b"
_ROAD = (
    r"(?:(?:Street|Road|Lane|Avenue|Boulevard|Court|Mews|Square|Crescent|Terrace|Drive|Parkway|Highway|Close|Gardens|Grove|Hill|Row|Quay)\b|"
    r"(?:St|Rd|Ave|Blvd|Dr|Ln|Hwy|Pkwy)\b\.?)"
)
_GERMAN = r"(?:[sS]traße|[sS]trasse|[sS]tr\.|weg|gasse|allee|platz|damm|ufer|chaussee|steig|pfad|(?:dt|[dfghklmnsz])ring|straat|gracht|laan|plein|kade|gatan|vägen|vej|gade)"
_ADDRESSES = (
    rf"(^|[^\w.,])\d{{1,4}}[a-zA-Z]?(?:-\d{{1,4}})?,? (?:(?:[NSEW]\.? )?(?:{_WORD}|St\.|\d{{1,3}}(?:st|nd|rd|th)) ){{1,3}}{_ROAD}",
    rf"()\b\p{{Lu}}[\p{{L}}\-]*{_GERMAN} \d{{1,4}}[a-z]?(?: ?[\-–/] ?\d{{1,4}}[a-z]?)?\b",
    rf"()\b{_WORD}(?:[ \-]{_WORD})? (?:Straße|Strasse|Str\.|Weg|Gasse|Allee|Platz|Damm|Ufer|Ring|Chaussee) \d{{1,4}}[a-z]?\b",
    rf"()\b(?:Am|An der|Auf der|Auf dem|Im|In der|Zum|Zur|Unter den) {_WORD} \d{{1,3}}[a-z]?\b(,? \d{{5}} \p{{Lu}}\p{{L}}+)",
    rf"(^|[^\w.,])\d{{1,4}}(?: ?(?:bis|ter))?,? (?i:rue|avenue|boulevard|bd|place|chemin|allée|impasse|quai|cours|route)"
    rf"(?: (?:de|du|des|la|le|les|de l['’]|d['’]))*(?: (?:de l['’]|d['’])?{_WORD}){{1,3}}",
    rf"()\b(?:Calle|C/|Via|Viale|Piazza|Corso|Largo|Avenida|Avda\.?|Av\.|Paseo|Plaza|Rua|Travessa|Praça|ul\.|ulica|aleja|Carrer)"
    rf"(?: ?(?:de|del|la|los|las|da|do|dos|das|della|dei|delle|di))*(?: ?{_WORD}){{1,3}},?(?: n[º°o]\.?)? \d{{1,4}}(?:/\d{{1,4}})?\b",
    r"()\b(?i:p\.? ?o\.? box|postfach|apartado(?: de correos)?|boîte postale|casella postale|postbus) \d[\d ]{0,8}\d\b",
    r"()\[address\],? (?i:apt|apartment|flat|suite|unit|appt)\.? ?#?\w{1,5}\b",
    rf"()\[address\](?:,? *\r?\n?[> \t]*{_WORD}(?: {_WORD}){{0,2}})?,? *\r?\n?[> \t]*"
    r"(?:[A-Z]{2} \d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}|\d{4} ?[A-Z]{2} \p{Lu}\p{L}+|(?:[A-Z]-)?\d{4,5}(?:-\d{3})? \p{Lu}[\p{L}\-]+|\d{2}-\d{3} \p{Lu}\p{L}+|\d{5})\b",
)
_ROADS = (
    "street", "road", "lane", "avenue", "boulevard", "court", "mews", "square", "crescent", "terrace", "drive", "parkway", "highway", "close", "gardens",
    "grove", "hill", "row", "quay", " st", " rd", " ave", " blvd", " dr", " ln", " hwy", " pkwy", "straße", "STRAßE", "strasse", "str.", "weg", "gasse", "allee",
    "platz", "damm", "ufer", "ring", "chaussee", "steig", "pfad", "straat", "gracht", "laan", "plein", "kade", "gatan", "vägen", "vej", "gade", "rue", "bd ",
    "place", "chemin", "allée", "impasse", "quai", "cours", "route", "calle", "c/", "via", "piazza", "corso", "largo", "avenida", "avda", "av.", "paseo",
    "plaza", "rua", "travessa", "praça", "ul.", "ulica", "aleja", "carrer", "box", "postfach", "apartado", "postale", "postbus", "am ", "an der", "auf de",
    "im ", "in der", "zum ", "zur ", "unter den",
)  # fmt: skip
_HEADER = r"(?m:^)[> \t]*(?:From|Von|De|To|An|À|A|Para|Cc|CC|Da|Van|Aan|Från|Till|Fra|Til|Sent by|Gesendet von)[ \t]*:[ \t]*[\"']?"
_WROTE = r"(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|skrev|escreveu|napisał)"
_NAMED = (
    r"(?i:(?:my|his|her) (?:full )?name is|mein name ist|ich hei(?:ß|ss)e|je m['’]appelle|mon nom est|me llamo|mi nombre es|mi chiamo|"
    r"(?:o )?meu nome é|chamo-me|mijn naam is|jag heter|nazywam się|"
    r"on behalf of|ask for|attn\.?:?|z\. ?hd\.|à l['’]attention de)"
)
_SPOKEN_OF = rf"(\b(?:Mr|Mrs|Ms|Dr|Prof|Herrn?|Frau|Mme|Mlle|Madame|Monsieur|Señora?|Sra\.|Sr\.|Signora?|Sig\.|Dott\.)\.? )(?:(?:von|van|de|der|zu) )*{_WORD}(?: {_WORD})?"
_NAMES = (
    rf"((?m:^)[> \t]*{_HELLO} +){_PERSON}{_AFTER_HELLO}",
    r"((?m:^)[> \t]*(?i:hi|hello|hey|hallo|hola|bonjour|salut|ciao) )\p{Ll}[\p{Ll}'’\-]{2,14}(,[ \t]*(?m:$))",
    rf"((?m:^)[> \t]*(?:On|Am|Le|El|Il|Op|Den|Em|W dniu) [^\n]{{4,60}}?, +){_PERSON}( +(?:<[^>\n]*> *)?:?{_WROTE})",
    rf"({_HEADER}){_PERSON}([\"']?[ \t]*(?:<|\[email\]|(?m:$)))",
    rf"()\b{_WORD}(?: {_WORD}){{1,2}}(\"? <(?:mailto:)?\[email\]>)",
    rf"(\b{_NAMED} +)(?:{_TITLE}\.? +)?{_WORD}(?: +\p{{Lu}}\.)?{_OF}{{0,2}}(?: +{_WORD}){{0,2}}",
    rf"(\b(?i:this is|here is|hier ist|hier spricht|ici|soy|je suis|ich bin|I am|I['’]m|aquí) +){_WORD} +{_WORD}(,? +(?:from|of|at|speaking|calling|here|and|von|aus|und|de|et|du|from)\b|[,.!])",
    rf"(\b(?i:this is) +){_WORD}( +(?:speaking|calling|again|from)\b)",
    _SPOKEN_OF,
    rf"((?:(?m:^)[> \t]*(?:{_REGARDS}|(?i:best))[,.!]*[ \t]*\r?\n(?:[> \t]*\r?\n)?)+[> \t]*(?:-- ?\r?\n[> \t]*)?)(?:{_PERSON}|\[name\])([ \t]*(?m:$))",
    rf"((?m:^)-- ?\r?\n[> \t]*){_PERSON}([ \t]*(?m:$))",
)
_CALLED_NAMES = (
    rf"({_CLAUSE}{_CALLED} +){_ADDRESSED}{_END_OF_CALL}",
    rf"((?m:^)[> \t]*{_HELLO} {MARK}?(?i:again) +){_ADDRESSED}{_END_OF_CALL}",
)
_SECOND_NAMES = (rf"({_CALLED} +\[name\](?: +(?:and|und|et|y|e|og|och|en) | ?& ?)){_ADDRESSED}{_END_OF_CALL}",)
_THANKED_NAMES = (
    rf"(\b{_REGARDS},? +){_WORD}(?: +{_WORD}){{0,2}}([ \t.]*(?m:$))",
    rf"(\b{_THANKED},? +){_ADDRESSED}{_END_OF_CALL}",
    rf"([.!?] +(?i:best|yours|love), +){_ADDRESSED}([ \t.]*(?m:$))",
)
# In this order: an address inside a URL goes with the URL, a card number is no phone number.
SECRECY = (
    Stage("url", _URLS, words=("://", "www.")),
    Stage("email", _EMAIL, words=("@", "%40")),
    Stage("email", (_SPELLED[0],), words=("(at)", "[at]", "{at}", "<at>", "(ät)", "[ät]", "arroba", "arobase", "_at_", "(a)", "[a]", "(@)", "[@]")),
    Stage("email", (_SPELLED[1],), words=(" dot ", " -dot- ", " punkt ", " point ", " punto ", " ponto ")),
    Stage("secret", _SECRETS, words=_SECRET_WORDS),
)
LONG_NUMBER = r"[0-9](?:[^0-9\n]{0,3}[0-9]){5}"
NUMBERS = (
    Stage("iban", (IBAN,), pattern=r"(?i)[a-z]{2} ?[0-9]{2}[ \u00a0.\-]?[a-z0-9]{4}[ \u00a0.\-]?[a-z0-9]{2}"),
    Stage("card", (CARD,), pattern=r"[0-9](?:[ \u00a0.\-–/_]{0,2}[0-9]){11}"),
)
SPOTS = (
    Stage("ip", _IPS[:2], pattern=r"[0-9](?:\.|\[\.\])[0-9]{1,3}(?:\.|\[\.\])[0-9]"),
    Stage("ip", _IPS[2:], pattern=r"[0-9A-Fa-f]:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]"),
    Stage("phone", PHONES, pattern=LONG_NUMBER),
    Stage("phone", (_SPOKEN_PHONE,), pattern=LONG_NUMBER),
    Stage("phone", (_EXTENSION,), words=("[phone]",)),
)
_NAMED_WORDS = (
    "name is", "name ist", "heiße", "heisse", "m'appelle", "m’appelle", "nom est", "me llamo", "nombre es", "mi chiamo", "nome é", "chamo-me", "naam is",
    "jag heter", "nazywam", "behalf of", "ask for", "attn", "hd.", "attention de",
)  # fmt: skip
_HERE_WORDS = ("this is", "here is", "hier ", "ici ", "soy ", "je suis", "ich bin", "i am ", "i'm ", "i’m ", "aquí ")
ADDRESSES = Stage("address", _ADDRESSES, words=_ROADS)
_THINGS = (
    r"(?i:order|invoice|ticket|ref|reference|case|contract|customer|account|article|item|part|model|serial|sku|isbn|issn|ean|tracking|parcel|shipment|booking|"
    r"quote|po|rma|asset|imei|sn|s/n|request|claim|incident|document|transaction|delivery|batch|lot|bestellung|bestell|rechnung|rechnungs|auftrag|auftrags|kunden|vertrags?|artikel|serien|"
    r"sendungs?|vorgangs?|commande|facture|dossier|contrat|colis|pedido|factura|contrato|env[ií]o|ordine|fattura|versione?|version|ver|release|build|"
    r"firmware|update|section|chapter|clause|step|abschnitt|kapitel)"
)
_KIND_OF_NUMBER = r"(?:[ \-]?(?i:no|nr|num|number|id|code|n°|nº|nummer|num[eé]ro|n[uú]mero|key|ref))?"
NOT_NUMBERS = (
    rf"(\b(?:{_THINGS}|§){_KIND_OF_NUMBER}(?: (?i:is|was|ist|est|es))?[.:#]* *[#v]? *)(\d)",
    r"(\b(?i:up|down)(?i:grad|dat)(?i:es?|ed|ing)(?: \w+)?(?i: from| to)? )(\d)",
    rf"({MARK}\d+(?:\.\d+){{3}} (?i:to|and|or|->) )(\d)",
    r"(\b\p{Lu}{2}\d\d(?: \d{4})*? )(0)",
    r"(\p{L}/)(\d+\.)",
    r"(\b(?:[1-9]\d*|0))(\.\d+(?:\.\d+){3,})",
)
_NOBODY = (
    r"(?i:team|all|everyone|everybody|support|sir|sirs|madam|ladies|gentlemen|there|again|folks|guys|friends?|colleagues?|customer|client|service|help|helpdesk|"
    r"desk|world|both|people|agent|admin|manager|it|hr|billing|sales|zusammen|kolleg\p{L}*|damen|kund\p{L}*|nochmals?|leute|liebes|ihr|ihnen|dir|euch|"
    r"à tous|tous|toutes|encore|équipe|l['’]équipe|service|messieurs|mesdames|equipo|todos|se[ñn]ores|de nuevo|a tod[oa]s|tutti|team-\p{L}+|support-\p{L}+|chatbot|bot)"
)
# What is thanked or said after thanks and is nobody: days, programs and their makers, and words that stand alone.
_NOTHING = (
    r"(?i:mon|tues|wednes|thurs|fri|satur|sun)day|(?i:it|this|that|everything|nothing|ok|okay|yes|no|yep|nope|done|great|perfect|good|nice|super|awesome|excellent|"
    r"wonderful|fantastic|brilliant|bye|goodbye|sorry|please|cheers|regards|thanks|best|kind|again|anyway|problem|problème|problema|fehler|ticket|alles|alle|prima|"
    r"top|perfekt|klasse|toll|gut|tschüss|bis|genau|ja|nein|erledigt|gelöst|parfait|perfecto|perfetto|genial|listo|todo|tout|voilà|oui|non|sí|ciao|adiós|"
    r"microsoft|google|apple|amazon|outlook|excel|word|windows|office|teams|chrome|firefox|safari|edge|android|linux|adobe|oracle|salesforce|zendesk|intercom|"
    r"freshdesk|hubspot|jira|slack|zoom|paypal|github|facebook|whatsapp|siri|alexa|god|gott|jesus|christmas|easter|happy|merry|have|take|stay|hope|looking|see|talk|will|would|can|could|let|schön\p{L}*|frohe\p{L}*|guten?|einen?|buen[oa]s?|bon|bonne|buona|"
    r"firma|abteilung|department|accounting|purchasing|einkauf|warehouse|logistics)"
)
NOT_NAMES = (rf"((?m:^)[> \t]*{_HELLO} +(?:the )?)({_NOBODY}\b)",)
_NOBODY_CALLED = (rf"(\b{_CALLED} +(?:the )?)((?:{_NOBODY}|{_NOTHING}|{_TITLE})\b)",)
_NOBODY_THANKED = (rf"(\b{_THANKED},? +(?:the )?)((?:{_NOBODY}|{_NOTHING})\b)",)
_CALLS = (
    " hi ", " hello ", " hey ", " dear ", " good ", " hallo ", " moin ", " servus ", " liebe", " guten ", " bonjour ", " bonsoir ", " salut ", " cher ",
    " chère ", " chere ", " hola ", " estimad", " querid", " buen", " ciao ", " gentile ", " car", " hej ", " hoi ", " beste ", " ol", "again ",
)  # fmt: skip
_SECOND = ("[name] &", "[name]&", *(f"[name] {word} " for word in ("and", "und", "et", "y", "e", "og", "och", "en")))
NAMES = (
    Stage("name", _NAMES[:2]),
    Stage("name", _NAMES[2:4], pattern=rf"{_WROTE}|{_HEADER}"),
    Stage("name", _NAMES[4:5], words=("[email]",)),
    Stage("name", _NAMES[5:6], words=_NAMED_WORDS),
    Stage("name", _NAMES[6:8], words=_HERE_WORDS),
    Stage("name", _NAMES[8:9], pattern=r"\b(?:Mr|Mrs|Ms|Dr|Prof|Herrn?|Frau|Mme|Mlle|Madame|Monsieur|Señora?|Sra|Sr|Signora?|Sig|Dott)\b"),
    Stage("name", _NAMES[9:10], words=REGARDS),
    Stage("name", _THANKED_NAMES, pattern=rf"(?:{_REGARDS}|{_THANKED}|(?i:best|yours|love)),? +\p{{Lu}}", nots=_NOBODY_THANKED),
    Stage("name", _CALLED_NAMES, words=_CALLS, nots=_NOBODY_CALLED),
    Stage("name", _SECOND_NAMES, words=_SECOND, nots=_NOBODY_CALLED),
    Stage("name", _NAMES[10:], words=("--",)),
)
# Names of files that look like addresses: `chart@2x.png`, `vega@6.min.js`, and versions: `lodash@4.17.21`.
NOT_ADDRESSES = (
    r"([\w.\-]@)([\w.\-]*\.(?i:js|mjs|css|map|png|jpe?g|gif|svg|json|html?|woff2?|ttf|csv|parquet|py|ipynb|md|ts|webp|pdf|xml|ya?ml)\b)",
)
# Places at which nobody lives, and ways by which something came.
NOT_STREETS = (
    r"(\b(?:Arbeits|Park|Stell|Sitz|Speicher|Steck|Lager|Steh)plätze?n? |\b(?:Arbeits|Park|Stell|Sitz|Speicher|Steck|Lager|Steh)platz )(\d)",
    r"(\b[Vv]ia (?:E-?[Mm]ail|Mail|Chat|Phone|Telefon|Zoom|Teams|API|App|Web|SMS|Fax|Slack|Portal|WhatsApp) )(\d)",
)
