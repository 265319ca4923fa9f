"""The part of Confluence's query language that integrations use, read into a test on one indexed page.

Fields: id, title, space, type, status-free dates `lastmodified` and `created`, label, parent, ancestor, creator,
contributor, text, and the user fields for the user search. Times have minutes, not seconds; absolute ones are read in
the site's zone. Whatever else a query holds is refused.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo

Record = Mapping[str, object]
Test = Callable[[Record], bool]

_TOKENS = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')|(!=|!~|>=|<=|[=<>~(),])|([^\s=<>~!(),"\']+))')
_INCREMENT = re.compile(r"([+-]?\d{1,5})([yMwdhm])")
_UNITS = {"y": 525600, "M": 43200, "w": 10080, "d": 1440, "h": 60, "m": 1}
_DATES = frozenset({"lastmodified", "created"})
_FIELDS = _DATES | frozenset(
    [
        "id",
        "content",
        "title",
        "space",
        "space.key",
        "type",
        "label",
        "parent",
        "ancestor",
        "creator",
        "contributor",
        "text",
        "user",
        "user.fullname",
        "user.accountid",
    ]
)
_ALIASES = {"content": "id", "space.key": "space", "user.accountid": "user"}
_DEEPEST = 50


class UnreadableQueryError(Exception):
    """The query is not one this search understands."""


def compile_query(cql: str, now: datetime, zone: tzinfo) -> tuple[Test, str]:
    """The test a query stands for, and the field it orders by (`-field` for descending, empty for none)."""
    parser = _Parser(_tokens(cql), now, zone)
    test = parser.either(0)
    order = parser.order()
    if parser.rest:
        raise UnreadableQueryError(f"Could not parse cql : {cql}")
    return test, order


def _tokens(cql: str) -> list[str]:
    found, at = [], 0
    text = cql.rstrip()
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            raise UnreadableQueryError(f"Could not parse cql : {cql}")
        found.append(match[0].strip())
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str], now: datetime, zone: tzinfo) -> None:
        self.rest, self._now, self._zone = tokens[::-1], now, zone

    def either(self, depth: int) -> Test:
        tests = [self._all(depth)]
        while self._takes("or"):
            tests.append(self._all(depth))
        return lambda record: any(test(record) for test in tests)

    def order(self) -> str:
        if not self._takes("order"):
            return ""
        if not self._takes("by"):
            raise UnreadableQueryError("Expected 'by' after 'order'")
        field = self._field(self._next())
        descending = self._takes("desc")
        if not descending:
            self._takes("asc")
        return f"-{field}" if descending else field

    def _all(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._takes("and"):
            tests.append(self._one(depth))
        return lambda record: all(test(record) for test in tests)

    def _one(self, depth: int) -> Test:
        if depth > _DEEPEST:
            raise UnreadableQueryError("The query is nested too deeply")
        if self._takes("not"):
            test = self._one(depth + 1)
            return lambda record: not test(record)
        if self._takes("("):
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        field = self._field(self._next())
        negated = self._takes("not")
        if self._takes("in"):
            wanted = self._list(field)
            return lambda record: any(_equal(record, field, value) for value in wanted) is not negated
        operator = self._next()
        return _operation(field, operator, self._value(field))

    def _list(self, field: str) -> list[object]:
        self._expect("(")
        values = [self._value(field)]
        while self._takes(","):
            values.append(self._value(field))
        self._expect(")")
        return values

    def _value(self, field: str) -> object:
        token = self._next()
        text = re.sub(r"\\(.)", r"\1", token[1:-1]) if token[0] in "\"'" else token
        if field not in _DATES:
            return text.casefold()
        return self._relative() if token.lower() == "now" else self._absolute(text)

    def _relative(self) -> datetime:
        self._expect("(")
        shift = timedelta(0)
        if not self._takes(")"):
            match = _INCREMENT.fullmatch(self._next().strip("\"'"))
            if match is None:
                raise UnreadableQueryError('now() takes an increment such as "-15m"')
            shift = timedelta(minutes=int(match[1]) * _UNITS[match[2]])
            self._expect(")")
        try:
            return _minute(self._now + shift)
        except OverflowError as error:
            raise UnreadableQueryError("The date is out of range") from error

    def _absolute(self, text: str) -> datetime:
        for pattern in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
            try:
                return datetime.strptime(text, pattern).replace(tzinfo=self._zone)
            except ValueError:
                continue
        raise UnreadableQueryError(f"Could not parse date : {text}")

    def _field(self, token: str) -> str:
        field = token.lower()
        if field not in _FIELDS:
            raise UnreadableQueryError(f"No field exists with name: {token}")
        return _ALIASES.get(field, field)

    def _next(self) -> str:
        if not self.rest:
            raise UnreadableQueryError("The query ends too early")
        return self.rest.pop()

    def _takes(self, word: str) -> bool:
        if self.rest and self.rest[-1].lower() == word:
            self.rest.pop()
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            raise UnreadableQueryError(f"Expected '{word}'")


def _operation(field: str, operator: str, value: object) -> Test:
    if operator == "=":
        return lambda record: _equal(record, field, value)
    if operator == "!=":
        return lambda record: not _equal(record, field, value)
    if operator == "~":
        return lambda record: _contains(record, field, str(value))
    if operator == "!~":
        return lambda record: not _contains(record, field, str(value))
    if field in _DATES and operator in (">=", ">", "<=", "<"):
        return lambda record: _ordered(record, field, operator, value)
    raise UnreadableQueryError(f"Operator {operator} is not supported by field {field}")


def _equal(record: Record, field: str, value: object) -> bool:
    held = record.get(field)
    if isinstance(held, datetime):
        return _minute(held) == value
    if isinstance(held, (set, frozenset, list, tuple)):
        return value in {str(one).casefold() for one in held}
    return str(held).casefold() == value


def _contains(record: Record, field: str, wanted: str) -> bool:
    """Every word of the query begins some word of the field; a leading or trailing star is allowed."""
    held = re.findall(r"\w+", str(record.get(field)).casefold())
    words = re.findall(r"\w+", wanted)
    return bool(words) and all(any(word.startswith(part) for word in held) for part in words)


def _ordered(record: Record, field: str, operator: str, value: object) -> bool:
    held = record.get(field)
    if not isinstance(held, datetime) or not isinstance(value, datetime):
        return False
    moment = _minute(held)
    return {">=": moment >= value, ">": moment > value, "<=": moment <= value, "<": moment < value}[operator]


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
