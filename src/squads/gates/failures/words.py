"""What names and values say about success and failure: a table of words, and the questions that are asked of it."""

from __future__ import annotations

import ast
import re

from squads.gates.secrets.words import words_of
from squads.gates.words import word_set

EFFECTS = word_set(
    "save write send commit insert update delete publish charge pay post put store record notify mail email audit ship "
    "refund enqueue persist deliver transfer settle revoke grant execute executemany upload sync apply migrate create "
    "capture reserve debit credit withdraw deposit import export backup restore dump submit dispatch register "
    "provision "
    "book cancel approve reject sendmail transmit replicate archive rotate encrypt sign issue lock purge erase "
    "writelines writerow copy move rename replace patch push enroll subscribe unsubscribe emit process handle run call "
    "deploy activate deactivate disable enable append_entry invoice pay_out payout"
)
WEAK = word_set(
    "apply execute executemany run handle process call emit dispatch sync submit issue book move rename register"
)
"""Acts that may be nothing: alone they do not make silence a lie."""
LISTS = word_set("ledger journal audit store stream file book receipts outbox queue events history")
"""To whom something is appended that others will read."""
JUDGES = word_set(
    "verify validate check authorize authorise authenticate ensure assert require permit allowed scan inspect "
    "compare_digest"
)
MESSAGES = word_set("notify mail email sendmail message sms push slack webhook announce")
BEST_EFFORT = word_set(
    "metric metrics statsd telemetry trace tracer span incr increment gauge timing histogram counter observe cache "
    "warm "
    "prefetch unlink rmtree cleanup close aclose shutdown terminate kill stop disconnect heartbeat ping log logger "
    "logging "
    "debug info warning error exception print flush release touch analytics track beacon prometheus sentry tmp temp "
    "temporary sleep cancel detach stderr stdout hint banner title color colour chmod fsync"
)
_QUIET_FUNCTIONS = re.compile(
    r"^(?:__del__|__exit__|__aexit__)$|^_*a?(?:close|stop|shutdown)(?:_(?:all|connections?|pool|session|client|socket|file"
    r"|stream|channel|server|workers?|quietly|browser|engine|loop|process|thread|driver|transport))?$"
    r"|(?:^|_)(?:cleanup|clean_up|teardown|dispose|best_effort"
    r"|quietly|quiet|maybe|silently|ignoring|suppress|attempt|probe|supports|available|is_running|metric|metrics|telemetry"
    r"|heartbeat|prefetch|warm|safely)(?:_|$)"
)
EXPECTED = word_set(
    "KeyError LookupError IndexError FileNotFoundError FileExistsError ImportError ModuleNotFoundError AttributeError "
    "StopIteration StopAsyncIteration Empty Full CancelledError ProcessLookupError DoesNotExist NotFound NotFoundError "
    "IntegrityError UniqueViolation UniqueViolationError DuplicateKeyError BlockingIOError UnicodeDecodeError "
    "NameError "
    "KeyboardInterrupt SystemExit GeneratorExit EOFError BrokenPipeError InterruptedError NoSuchKey AlreadyExists "
    "NotADirectoryError CacheMiss ObjectDoesNotExist ResourceNotFoundError EntryNotFound JSONDecodeError UnicodeError "
    "UnicodeEncodeError ZoneInfoNotFoundError PackageNotFoundError NoResultFound ValueError TypeError "
    "ZeroDivisionError ProcessLookup QueueEmpty QueueFull UnsupportedOperation ValidationError InvalidOperation "
    "OverflowError"
)
"""Failures that are to be expected of what is looked up, read or parsed."""
_TO_LEAVE = re.compile(
    r"(?i)abandon|abort|skip|rollback|stop|leave|quit|break|ignore|interrupt|bail|discard|early|^done|exit(?!s)|exists|duplicate|conflict|already"
)
_SUCCESS = word_set(
    "ok okay success successful succeeded sent done paid accepted approved completed complete saved delivered created "
    "processed shipped refunded verified valid confirmed published healthy up active settled stored written finished "
    "captured charged queued allowed granted authorized authenticated passed booked synced imported exported migrated "
    "deployed applied recorded posted uploaded received closed transferred revoked deleted removed updated ready "
    "restored archived released invited cancelled canceled enrolled reserved opened signed issued credited debited "
    "notified mailed emailed dispatched generated built rebuilt printed submitted registered activated deactivated "
    "renewed rotated reconciled merged copied replicated entered admitted resolved linked booked transmitted forwarded "
    "filed unlocked erased anonymised anonymized purged purchased mirrored collected replaced scanned withdrawn"
)
_TRIED = word_set(
    "seen tried attempted visited checked examined scanned looked read received fetched loaded found parsed total "
    "attempt attempts tries try turn turns round rounds line lines row rows index position offset step steps page "
    "served handled finished closed ended dropped shed pages i j k n idx number started queued requested left "
    "remaining size bytes seed need speed"
)
_IRREGULAR = word_set("gone kept put made built told won read written drawn given taken bought sold lent moved ok good")
_ENDED = re.compile(
    r"[a-z]{3}ed$|^(?:ab|an|auf|aus|ein|zu|weg)?ge[a-zäöüß]{3,}(?:t|en)$|^(?:be|ver|er|ent)[a-zäöüß]{3,}t$|[a-z]iert$"
)
"""English and German participles."""
_LETS_IN = word_set(
    "valid may can permitted authorized authorised genuine intact trusted matches admits admit entitled"
)
_FAILURE = re.compile(
    r"(?i)fail|error|err\b|invalid|denied|refus|reject|retry|pending|unknown|problem|issues?(?![a-z])|dead|abort|exc\b|exception|skipp"
    r"|missed|unavail|unhealthy|down\b|not_|broken|missing|unsent|undeliver|later|requeue|nack|except|bad|conflict|timeout|lost|partial"
    r"|degrad|impair|forbidden|unauthori[sz]ed|not(?:_| )?(?:found|allowed)"
    r"|fehl|abgelehnt|gescheitert|ung(?:ü|ue)ltig|\boffen\b"
)
_NEGATIVE = re.compile(
    r"(?i)revoked|blocked|banned|expired|locked|spam|denied|fraud|suspicious|failed|error|missing|stale|needs|limited"
    r"|throttled|refused|stopped|taken|duplicate|dirty|empty|infected|unsafe|broken|exceed|over_"
)
_STATES = re.compile(
    r"(?i)(?:^|_)(?:ok|success|status|state|sent|paid|delivered|saved|result|code|valid|processed|done|completed|published"
    r"|shipped|refunded|verified|confirmed|synced|healthy|message|outcome)$|_at$|^last_"
)
_MARKS = re.compile(
    r"(?i)^(?:mark|set_status|set_state|complete|finish|confirm|acknowledge|ack|commit|write_receipt|add_receipt|issue_receipt"
    r"|record_success|resolve|settle|close_order|publish|receipt)|_(?:done|sent|paid|complete|completed|processed|receipt|success"
    r"|delivered|shipped|confirmed)$"
)


def is_quiet(name: str) -> bool:
    """Return whether a function's name says that what it does may fail without a word."""
    return bool(_QUIET_FUNCTIONS.search(name))


def leaves(name: str) -> bool:
    """Return whether an exception is no failure by its name: it leaves a block, or says that it was done before."""
    return bool(_TO_LEAVE.search(name)) and not re.search(r"(?i)error|fail|unexpected", name)


def is_question(name: str) -> bool:
    """Return whether a function asks how things are, and lets nobody in by its answer: `is_stopped`, `_refused`."""
    asks = re.search(
        r"^_*(?:is|has|was|were|needs|should|must|exists|refused|raises|fails|ends)(?:_|$)|_(?:ends|exists|fails)$",
        name,
    )
    opens = re.search(
        r"(?i)valid|allow|authori|permi|access|verif|trust|authentic|sign|member|owner|admin|may|paid|safe|clean|sent|deliver"
        r"|saved|charged|genuine|intact",
        name,
    )
    return bool(asks) and not opens


def is_negative(name: str) -> bool:
    """Return whether `True` from a function of this name is the bad news: `is_revoked`."""
    return bool(_NEGATIVE.search(name))


def counts_success(name: str) -> bool:
    """Return whether a counter of this name counts what went well: `imported`, `renewed`, `sent_count`."""
    words = [w for w in words_of(name) if w not in ("count", "total", "num", "n", "number", "of", "so", "far")]
    if not words or says_failure(name) or not _TRIED.isdisjoint(words):
        return False
    return not _SUCCESS.isdisjoint(words) or words[-1] in _IRREGULAR or bool(re.search(r"[a-z]{2}ed$", words[-1]))


def is_done(name: str) -> bool:
    """Return whether a mark of this name, once set, says that something was done: `gebucht`, `synced`."""
    words = words_of(name)
    return counts_success(name) or (bool(words) and not says_failure(name) and bool(_ENDED.search(words[-1])))


def counts_tries(name: str) -> bool:
    """Return whether a counter of this name says only how far things came, or how often they were tried."""
    return says_failure(name) or not _TRIED.isdisjoint(words_of(name))


def judges(name: str) -> bool:
    """Return whether a function of this name lets somebody in, or takes something for good, by answering yes."""
    words = set(words_of(name))
    return not is_negative(name) and bool(words & (JUDGES | _LETS_IN))


def says_failure(text: str) -> bool:
    """Return whether a name or a text speaks of failure."""
    return bool(_FAILURE.search(text))


def is_state(name: str) -> bool:
    """Return whether something of this name says how things went."""
    return bool(_STATES.search(name))


def marks(name: str) -> bool:
    """Return whether calling something of this name says that the work is done."""
    return bool(_MARKS.search(name))


def says_success(text: str) -> bool:
    """Return whether a text speaks of success and of no failure."""
    return not _FAILURE.search(text) and not _SUCCESS.isdisjoint(words_of(text))


def settled(node: ast.expr | None) -> bool:
    """Return whether a state says that something came to its good end: `"cancelled"`, `Status.REQUESTED`."""
    match node:
        case ast.Constant(value=str() as text):
            word = text
        case ast.Attribute(attr=text):
            word = text
        case _:
            return False
    words = words_of(word)
    return bool(words) and len(words) < 4 and not says_failure(word) and bool(_ENDED.search(words[-1]))


def tells_success(name: str) -> bool:
    """Return whether something of this name is an event that tells of success: `OrderPaid`, `BackupCompleted`."""
    words = words_of(name)
    return len(words) > 1 and name[:1].isupper() and not says_failure(name) and not _SUCCESS.isdisjoint(words[-1:])


def success_like(node: ast.expr | None, *, exit_code: bool = False) -> bool:
    """Return whether an expression says that all went well: `True`, 200, "sent", `{"ok": True}`, `Status.PAID`."""
    match node:
        case ast.Constant(value=bool() as value):
            return value
        case ast.Constant(value=int() as value):
            return 200 <= value < 300 or (exit_code and value == 0)
        case ast.Constant(value=str() as value):
            return len(value) < 60 and says_success(value)
        case ast.Dict():
            return _display(node)
        case ast.Tuple():
            return bool(node.elts) and any(success_like(e) for e in node.elts) and not any(map(failure_like, node.elts))
        case ast.Attribute():
            constant = node.attr.isupper() or ast.unparse(node.value).rsplit(".", 1)[-1][:1].isupper()
            return (constant and node.attr.lower() in _SUCCESS) or node.attr in (
                "HTTP_200_OK",
                "OK",
                "HTTP_201_CREATED",
                "NO_CONTENT",
            )
        case ast.Call():
            return _call(node)
        case ast.Await() | ast.NamedExpr():
            return success_like(node.value)
    return False


def failure_like(node: ast.expr | None) -> bool:
    """Return whether an expression says that something went wrong, or that there is nothing."""
    match node:
        case None:
            return True
        case ast.Constant(value=None) | ast.Constant(value=False):
            return True
        case ast.Constant(value=int() as value):
            return value >= 400 or value < 0
        case ast.Constant(value=str() as value):
            return value == "" or says_failure(value)
        case ast.UnaryOp():
            return True
        case ast.List() | ast.Tuple() | ast.Set() if not node.elts:
            return True
        case ast.Dict():
            if _display(node):
                return False
            return not node.keys or says_failure(ast.unparse(node)) or any(map(failure_like, node.values))
        case ast.Tuple():
            return any(map(failure_like, node.elts))
    text = ast.unparse(node) if node is not None else ""
    return says_failure(text) or bool(re.search(r"\b[45]\d\d\b|\bFalse\b", text))


def _display(node: ast.Dict) -> bool:
    told = [*(k for k in node.keys if k), *node.values]
    if any(isinstance(t, ast.Constant) and isinstance(t.value, str) and says_failure(t.value) for t in told):
        return False
    if any(isinstance(v, ast.Constant) and v.value is False for v in node.values):
        return False
    for key, value in zip(node.keys, node.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            continue
        named = is_state(key.value) or says_success(key.value)
        done = isinstance(value, ast.Constant) and value.value is True and counts_success(key.value)
        if (named and (success_like(value) or settled(value))) or done:
            return True
    return False


def _call(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    text = ast.unparse(node)
    codes = [k.value for k in node.keywords if k.arg in ("status", "status_code")]
    if any(isinstance(c, ast.Constant) and c.value in (200, 201, 202, 204) for c in codes):
        shown = [a for a in [*node.args, *(k.value for k in node.keywords)] if isinstance(a, ast.Dict)]
        return not shown or any(map(_display, shown))
    if says_failure(text) or re.search(r"\b[45]\d\d\b|\bFalse\b", text):
        return False
    if name.lower() in ("ok", "success", "succeeded", "okresponse"):
        return True
    told = [k.value for k in node.keywords if k.arg and (is_state(k.arg) or says_success(k.arg))]
    if name[:1].isupper() and any(isinstance(t, ast.Constant) and success_like(t) for t in told):
        return True
    if re.search(r"(?i)response|jsonify|result|reply|outcome|status|receipt|answer", name):
        given = [*node.args, *(k.value for k in node.keywords)]
        return any(success_like(v) for v in given) or (bool(re.search(r"(?i)receipt", name)))
    return False
