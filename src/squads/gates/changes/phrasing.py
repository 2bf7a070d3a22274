"""How people say, in a brief, what is to be done and what is to stay: the patterns of their phrases."""

from __future__ import annotations

import re

CODE = (
    r"`[^`\n]+`|\"[\w./-]+\.\w+\"|(?<![\w`])(?:[\w-]+/)+[\w.*-]*|(?<![\w`/])[\w-]+\.(?:py|sql|toml|ya?ml|json"
    r"|md|txt|cfg|ini|html|js|ts|css|sh|lock)\b|(?<![\w`.])[a-z_]\w*\(\)"
)
TARGET = re.compile(CODE)
KINDS = (
    r"modules?|packages?|folders?|director(?:y|ies)|files?|functions?|methods?|class(?:es)?|endpoints?"
    r"|services?|helpers?|tables?|views?|layers?"
)
WORDED = re.compile(rf"(?i)\b(?:the|our|any|shared|existing)\s+(?:shared\s+)?([a-z_][\w-]{{2,}})\s+(?:{KINDS}|code)\b")
VERBS = (
    r"touch(?:ed|ing)?|chang(?:e|ed|ing)|edit(?:ed|ing)?|modif(?:y|ied|ying)|alter(?:ed|ing)?|mov(?:e|ed|ing)"
    r"|renam(?:e|ed|ing)|rewrit(?:e|ten|ing)|remov(?:e|ed|ing)|delet(?:e|ed|ing)|add(?:ed|ing)?|refactor(?:ed"
    r"|ing)?|adjust(?:ed|ing)?|updat(?:e|ed|ing)|break(?:ing)?|affect(?:ed|ing)?|introduc(?:e|ing)|bump(?:ing)?"
    r"|reformat(?:ted|ting)?"
)
FORBIDS = re.compile(
    rf"(?i)\b(?:do not|don't|don’t|must not|mustn't|may not|should not|shall not|never|cannot|without|not to"
    rf"|no need to|is not to|are not to|not be|avoid|and not)\s+(?:be\s+)?(?:{VERBS})\b(?!\s+nothing)"
    r"|\bleav(?:e|es|ing)\b(?! (?:out|behind|room|a|an)\b)(?!(?: \w+){1,4}? out\b(?! of))"
    r"|\bkeep(?:s|ing)?\b(?=.{0,80}\b(?:as (?:it|they)|unchanged|untouched|intact|the same"
    r"|stable|alone|compatible))"
    r"|\bhands off\b|\bno (?:new |other |further )?(?:changes?|edits?)\b|\bout of scope\b|\boff[- ]limits\b"
    r"|\bfrozen\b(?! (?:data|set|model))"
    r"|\bno new\b|\bnothing (?:in|inside|under|within|of|about)\b|\bno (?:extra |additional |further )?(?:dependenc"
    r"|packages?\b|migrations?\b|files?\b|settings\b|schema\b)|\bno (?:\w+ ){0,3}changes?\b"
    r"|\bnicht (?:anfassen|ändern|verändern|antasten)\b|\bbleib(?:t|en) (?:wie|so|unverändert|unberührt)\b"
    r"|\bneither\b|\bnot (?:in|to) scope\b|\bdoes not (?:touch|change|concern)\b|\bout of bounds\b|\btaboo\b"
    r"|\b(?:keep|stay) (?:(?:well |your hands )?(?:away|clear|out)|off) (?:from|of)?\b|\bsteer clear\b|\bkeep off\b"
    r"|\bhands off\b|\bnot (?:yours|ours) to\b|\b(?:is|are) not yours\b"
)
STAYS = re.compile(
    r"(?i)\bunder (?:audit|review|a freeze)\b|\bowned by\b|\b(?:stays?|remains?)\s*(?:put)?\W*$|\b(?:stays?"
    r"|remains?|must (?:stay|remain)|is to stay|are to stay|is|are|be)\s+(?:exactly\s+"
    r"|just\s+)?(?:as (?:it is|they are|is|before)|unchanged|untouched|intact|the same|alone|put|stable|frozen"
    r"|off[- ]limits|out of scope|not part of|not to be)"
    r"|\b(?:keeps?|retains?|preserves?) (?:its|their|the same|today's|the current|the existing)\b"
    r"|\bas (?:it is|they are|it stands)\b|\b(?:unchanged|untouched|out of scope|off[- ]limits)\b"
    r"|\bbelongs? to another\b|\bothers rely\b|\b(?:byte|bit|character) for (?:byte|bit|character)\b"
    r"|\b(?:must|should|shall|has to|have to|needs? to|is to|are to) (?:all |both )?(?:stay|remain)\b"
    r"|\b(?:stays?|remains?) (?:exactly |just )?(?:what|how|where|the way|at|in force|valid|frozen)\b"
    r"|\b(?:is|are|being) (?:certified|audited|frozen|locked|signed off)\b|\bfrozen until\b"
)
REST = re.compile(
    r"(?i)\b(?:everything|all(?: code)?|whatever) (?:outside|beyond|other than|except|apart from|but)\b"
    r"|\b(?:not|\w+n't|\w+n’t|without|never)\s+(?:\w+\s+){0,2}(?:any|the|anything|in any)\s+(?:other|else)\b"
    r"|\b(?:not|\w+n't|\w+n’t|without|never)\s+(?:\w+\s+){0,2}anything else\b|\b(?:anything"
    r"|any (?:other )?(?:file|code|module|function)s?) (?:outside|beyond|other than|but|except)\b"
    r"|\bnothing (?:else|more|outside|beyond|other)\b|\bno(?:thing)? other (?:file|module|function|place|part|code"
    r"|path|change)s?\b|\beverything else\b|\ball else\b|\bthe rest\b(?=.{0,40}\b(?:stay|remain|as it|unchanged"
    r"|alone|untouched))"
    r"|\b(?:all|every|any) other (?:\w+ )?(?:file|module|function|place|part|path|endpoint"
    r"|caller)s?\b(?=.{0,60}\b(?:stay|remain|keep|as |unchanged|untouched|alone|not))"
    r"|\b(?:limited|confined|restricted|restrict(?: \w+){0,3}|stick|keep(?: \w+){0,4} (?:change|edit|diff"
    r"|work)s?) (?:to|within|inside)\b|\bno (?:changes?|edits?) (?:outside|elsewhere|anywhere else|beyond)\b"
    r"|\b(?:not|never|without|don't)\b.{0,90}\bother (?:functions?|methods?|files?|modules?|endpoints?|classes)\b"
    r"|\b(?:outside|beyond) (?:of )?(?:it|that|this|these|them)\b"
    r"|\bthe other (?:\w+ )?(?:endpoints?|functions?|methods?|routes?|views?|commands?|handlers?|calls?|reports?|pages?"
    r"|jobs?|screens?|modules?|files?)\b(?=.{0,60}\b(?:keep|stay|remain|as they|as it|unchanged|untouched|alone|not))"
    r"|\bso (?:do|does|are|is|must|should) (?:all )?(?:the )?(?:other|rest|remaining)\b"
    r"|\bsonst (?:bitte )?nichts\b|\bnichts (?:sonst|anderes|weiter)\b|\balles andere\b|\bden rest\b"
)
ONLY_WORDED = re.compile(
    rf"(?i)\b(?:only|just|solely)\s+(?:the|our)\s+([a-z_][\w-]+)\s+(?:{KINDS})\s+(?:may|should|can|must|is to"
    rf"|needs? to|has to|changes?)\b"
)
ONLY = re.compile(
    rf"(?i)\b(?:{VERBS}|fix(?:es)?|work|write|implement|extend)\b(?:\s+\w+){{0,3}}\s+(?:only|just|solely"
    rf"|exclusively|nothing but)\b"
    rf"|\b(?:only|just|solely|exclusively)\s+(?:be\s+)?(?:{VERBS}|fix|work on|write)\b"
    rf"|\b(?:only|solely|exclusively)\s+(?:in\s+|to\s+|within\s+|inside\s+|the (?:function|file|module|class"
    rf"|method)\s+)?(?={CODE})"
    rf"|\bonly (?:this|that|the one) (?:function|file|module|class|method|endpoint|command|constant|query|table)\b"
    rf"|(?:{CODE})\s+(?:only|alone)\b|\b(?:one|single)[- ](?:file|function|module)\b"
)
# "Only `a.py` needs to change": what is named there is open, whatever else the clause says.
ONLY_NAMED = re.compile(rf"(?i)\b(?:only|just|solely)\s+(?:in |the (?:file|module|function|class|method) )?(?:{CODE})")
SPLITS = re.compile(
    r"(?i)(?:[,;:]|\s[-–—]+\s|\s\()\s*(?:but|and|while|though|yet|however)?\s*(?=do not|don't|never|leave|keep"
    r"|without|nothing|no |must not|may not|everything|all other|the rest|not )"
    r"|\s+(?:but|and|while)\s+(?=do not|don't|never|leave|keep|nothing|no |must not|may not|everything|all other"
    r"|the rest|not )"
    r"|\s+(?=without\b)|(?:[;]|,\s*but)\s+|\bexcept(?: for)?\b"
)
# The end of a sentence whose subject stands before the `and`: "is used elsewhere and must not change".
BARE = re.compile(
    r"(?i)^\s*(?:must|may|should|shall|can) not (?:be )?(?:change|touch|edit|modif|alter|mov|renam|remov)\w*\W*$"
    r"|^\s*(?:stays?|remains?)\b|^\s*(?:please )?(?:hands off|leave (?:it |them )?(?:alone|as)|off[- ]limits"
    r"|out of scope|not part of|(?:do not|don't|never) (?:touch|change|edit|modify)(?: (?:it|them|either))?\W*$)"
)
# What goes on as before: "they can still stand for office, and they still count".
STILL = re.compile(
    r"(?i)\b(?:can|may|must|should|shall|will|has to|have to|is to|are to|needs? to|and (?:they|it)) still\b"
)
ASKS = re.compile(
    r"(?i)\b(?:add|make|change|raise|lower|set|give|let|show|return|accept|use|fix|write|should|must|needs?|want|only|just"
    r"|please|instead|put|move|rename|remove|replace|support|allow|reject|treat|count|cover|test)\b"
)
DIFFERS = re.compile(r"(?i)[^:;]{0,60}\b(?:chang|differ|alter|touch|mov)\w*")
PART_OF = re.compile(
    rf"(?i)\b(?:signatures?|interfaces?|names?|arguments?|parameters|return (?:types?|values?)|defaults?|meaning"
    rf"|callers|behaviou?r|rest|remainder|(?:everything|all|anything|nothing) else)"
    rf" (?:of|in|about) (?:the |our )?(?:\w+ )?(?:{CODE})"
    rf"|(?:{CODE})'s (?:signature|interface|name|arguments|defaults?|callers)\b"
)
# "What `book` accepts stays the same": what it does stays, and not how.
DOES = re.compile(rf"(?i)\b(?:what|how|when|whom?|whether|which|where|all that|everything that)\s+(?:the )?(?:{CODE})")
TOO = re.compile(rf"(?i)(?:{CODE})(?:,? (?:and|or|nor))? (?:all|any|every|the)(?: the)? (?:other|rest)\b")
INSIDE = re.compile(rf"(?i)\b(?:in|inside|within|of) (?:the )?(?:{CODE})(?=,? (?:the|all|any|every|no|nothing|each)\b)")
# What is said of what the sentence before named: "nothing in it may change", "they stay as they are".
PRONOUN = re.compile(
    r"(?i)\bnothing (?:in|inside|of|about) (?:it|them|there|that|those)\b"
    r"|\b(?:change|touch|edit|alter) nothing (?:in )?there\b"
    r"|\b(?:do not|don't|never|without) (?:touch|chang|edit|modify|alter)\w* anything (?:in )?there\b"
    r"|^\W*(?:and |but |so )?(?:it|they|both|neither|that|this|those|these)"
    r"(?: (?:file|module|package|folder|one|two)s?)?"
    r" (?:must|may|should|shall|can)(?:not| not)? (?:be )?(?:change|touch|edit|modif|alter|mov|renam|remov)\w*\W*$"
    r"|^\W*(?:and |but |so )?(?:it|they|both|that|those|these) (?:stays?|remains?|is|are) (?:exactly )?(?:as|unchanged"
    r"|untouched|off[- ]limits|out of scope|frozen)"
    r"|\b(?:leave|keep) (?:it|them|both|that|those) (?:alone|as|untouched|unchanged|out|for (?:now|later)|be\b)"
    r"|\b(?:do not|don't|never|without) (?:touch|chang|edit|modify|alter)\w* (?:it|them|either|both|that|those)\W*$"
)
INERT_KINDS = (
    r"(?:documentation|docs|docstrings?|comments?|formatting|format|whitespace|type hints?|annotations?|wording)"
)
INERT = re.compile(
    rf"(?i)\b{INERT_KINDS}[- ]only\b|\bonly (?:the )?{INERT_KINDS}\b|\bpure(?:ly)? (?:a )?{INERT_KINDS}\b"
    rf"|\b(?:it|this) is (?:only |just |pure )?{INERT_KINDS}\b|\bnothing but {INERT_KINDS}\b"
)
# "Add type hints": what does something is none of it.
INERT_ASK = re.compile(
    rf"(?i)^\W*(?:please )?(?:add|write|improve|complete|correct|fix|update)\s+"
    rf"(?:the |missing |some |all )*{INERT_KINDS}\b"
    r"(?!.{0,80}\band (?:add|make|change|fix|use|remove|let)\b)"
)
INERT_BARE = re.compile(
    r"(?i)\bno (?:functional |code |logic )+(?:changes?|edits?)\b|\bcode (?:itself )?(?:stays|remains)\b"
)
KEEPS = re.compile(
    r"(?i)\bbehaviou?rs? (?:\w+ )?(?:stays?|remains?|is unchanged|does not|doesn't|must not|may not|unchanged|as it"
    r"|is kept)"
    r"|\b(?:no|without)(?: \w+){0,3} (?:change (?:of|in) )?behaviou?r|\bnothing (?:\w+ )?behaves?\b"
    r"|\bbehaves? (?:exactly |just )?(?:as before|the same|as it|like before)|\bsame (?:results?|behaviou?r|output)"
    r"|\bpure(?:ly)? (?:a )?refactor|\bno functional change|\bverhalten bleibt\b"
    r"|\b(?:output|outcome|results?|answers?|numbers?|amounts?|prices?|totals?|texts?|rounding|sums?"
    r"|figures?|fees?)\b[^.;]{0,40}\b(?:identical"
    r"|the same|unchanged|equal|not change|as (?:before|they are|it is))\b"
    r"|\bsame (?:outcome|answers?|numbers?|amounts?)\b"
)
OTHERS = re.compile(
    r"(?i)\b(?:other|existing|remaining|present|old|rest of the)\s+(?:\w+\s+)?(?:fields?|keys?|columns?|entries|values"
    r"|attributes|properties|headers?|answers?|items|members)\b(?=.{0,60}\b(?:as they|as before|stay|remain|unchanged"
    r"|untouched|the same|rely|identical|not change|must not|keep))|\brel(?:y|ies) on (?:the )?(?:other|existing)\b"
    r"|\b(?:keep|leave|without (?:chang|touch)\w*) (?:all |any )?(?:the |of the )?(?:other|existing) (?:\w+ )?"
    r"(?:fields?|keys?|columns?|entries|values|headers?)"
)
NO_FILES = re.compile(
    r"(?i)\bno (?:new|extra|additional|further|other) files?\b|\b(?:do not|don't|without) add\w* files"
)
SENTENCES = re.compile(
    r"(?<=[.!?])\s+(?=[A-Z`\"(-])|(?<=\w\w[.!?])(?<!etc\.)(?<!vs\.)(?<!ca\.)(?<!bzw\.)(?<!resp\.)\s+(?=[a-z])|\n\s*\n|\n\s*[-*]\s+"
)
CATEGORIES: dict[str, re.Pattern[str]] = {
    "tests": re.compile(r"(?i)\b(?:the |existing |any )?tests?\b(?! (?:data|mode))"),
    "signatures": re.compile(
        r"(?i)\bsignatures?\b|\bpublic (?:api|interface|functions?|names?)\b|\binterface\b|\bpublic api\b|\bcallers\b"
    ),
    "defaults": re.compile(r"(?i)\bdefaults?\b"),
    "permissions": re.compile(
        r"(?i)\bpermissions?\b|\bwho (?:may|can|is allowed|are allowed|has access|gets)\b"
        r"|\bdecorators\b|\baccess (?:rules|control|rights)\b|\bauthori[sz]ation\b|\broles?\b"
    ),
    "dependencies": re.compile(r"(?i)\bdependenc(?:y|ies)\b|\brequirements\b|\bpackages? (?:we|that)\b|\blibraries\b"),
    "schema": re.compile(r"(?i)\bschema\b|\bmigrations?\b|\bdatabase\b|\b(?:the|our|existing) tables\b"),
    "settings": re.compile(r"(?i)\bsettings\b|\bconfig(?:uration)?\b"),
    "models": re.compile(r"(?i)\b(?:the|our|data|database|orm) models?\b(?! of)"),
    "docs": re.compile(r"(?i)\bdoc(?:s|umentation)\b|\breadme\b|\bchangelog\b"),
    "ci": re.compile(r"(?i)\bci\b|\bpipelines?\b|\bworkflows?\b"),
}
