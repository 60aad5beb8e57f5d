"""The house rules no linter knows: each takes a source and returns what is wrong with it."""

import ast
import re
from collections.abc import Iterator

from analytics.queries import composed
from indexer.tables import tables

MAX_BODY_LINES = 30
MAX_MODULE_LINES = 300
MIN_DOCSTRING_WORDS = 3
SAYS_NOTHING = {
    *("util", "utils", "helper", "helpers", "common", "misc", "base", "core"),
    *("manager", "managers", "handler", "handlers", "info", "df", "tmp"),
}
METRIC_SECTIONS = ("Formula:", "Args:", "Returns:", "Source:")
QUERY_KEYS = ("question", "reads", "grain", "units")
MACHINE = re.compile(
    r"/wor[k]/|/tmp/\w|/hom[e]/\w|/roo[t]/|index-ur[l]"
    r"|https?://[^\s\"'`]+/(?:simple|packages)(?:/|\b)"
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef | ast.Module
CodeInData = Function | ast.ClassDef | ast.Lambda | ast.For | ast.While | ast.If | ast.Try


def long_bodies(source: str) -> list[str]:
    """Return functions whose body, without its docstring, is longer than allowed."""
    return [
        f"{node.name}: {lines} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, Function) and (lines := _body_lines(node)) > MAX_BODY_LINES
    ]


def _body_lines(function: Function) -> int:
    body = function.body[_has_docstring(function) :]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _has_docstring(node: Documented) -> bool:
    return ast.get_docstring(node) is not None


def long_module(source: str) -> list[str]:
    """Return the module's length, without docstrings, when it is longer than allowed."""
    docstrings = sum(
        (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
        for node in ast.walk(ast.parse(source))
        if isinstance(node, Documented) and _has_docstring(node)
    )
    lines = source.count("\n") - docstrings
    return [f"{lines} lines"] if lines > MAX_MODULE_LINES else []


def empty_names(source: str) -> list[str]:
    """Return functions and classes whose name holds a word that says nothing."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, Function | ast.ClassDef) and says_nothing(node.name)
    ]


def says_nothing(name: str) -> bool:
    """Tell whether a name holds an empty word, or is `data`, `process` or `new_...`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().strip("_").split("_")
    return bool(SAYS_NOTHING & {*words}) or words in (["data"], ["process"]) or words[0] == "new"


def broad_excepts(source: str) -> list[str]:
    """Return handlers that catch bugs as well: bare, `Exception`, `BaseException`."""
    return [
        f"line {node.lineno}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or {"Exception", "BaseException"} & _names(node.type))
    ]


def _names(expression: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def thin_docstrings(source: str) -> list[str]:
    """Return the module and its public functions and classes whose docstring says nothing."""
    return [
        name
        for name, node in _public("module", ast.parse(source))
        if len((ast.get_docstring(node) or "").split()) < MIN_DOCSTRING_WORDS
    ]


def _public(name: str, node: Documented) -> Iterator[tuple[str, Documented]]:
    yield name, node
    for child in node.body if isinstance(node, ast.Module | ast.ClassDef) else ():
        if isinstance(child, Function | ast.ClassDef) and not child.name.startswith("_"):
            yield from _public(child.name, child)


def code_in_data(source: str) -> list[str]:
    """Return what a declaration may not hold: functions, classes, branches, floats, Decimal."""
    return [
        f"{type(node).__name__} in line {getattr(node, 'lineno', '?')}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, CodeInData)
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.alias) and node.name in {"Decimal", "decimal"})
    ]


def unfinished(source: str) -> list[str]:
    """Return the lines of a declaration or its test that `perpscope new-protocol` left to fill."""
    return [
        f"line {number}: {line.strip()}"
        for number, line in enumerate(source.splitlines(), 1)
        if re.search(r"\bDRAFT\b", line)
    ]


def undocumented_metrics(source: str) -> list[str]:
    """Return public functions of a metrics module that lack a section of the methodology."""
    return [
        f"{node.name} lacks {section}"
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        for section in METRIC_SECTIONS
        if section not in (ast.get_docstring(node) or "").splitlines()
    ]


def divided_columns(source: str) -> list[str]:
    """Return divisions by `/` of anything but numbers: a column is divided by `divided`."""
    found: dict[tuple[int, int], bool] = {}
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, Function):
            numbers = {each.arg for each in _arguments(function) if _is_number(each.annotation)}
            for node in ast.walk(function):
                if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                    columns = _names(node) - numbers
                    is_plain = isinstance(node.left, ast.Constant) or not columns
                    place = node.lineno, node.col_offset
                    found[place] = found.get(place, False) or is_plain
    return [f"line {line}" for (line, _), is_plain in sorted(found.items()) if not is_plain]


def _arguments(function: Function) -> list[ast.arg]:
    return [*function.args.args, *function.args.kwonlyargs]


def _is_number(annotation: ast.expr | None) -> bool:
    return isinstance(annotation, ast.Name) and annotation.id in {"int", "float"}


def group_moments(source: str) -> list[str]:
    """Return means and deviations of groups: their last digit depends on how many threads work."""
    return [
        f"line {node.lineno}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and node.attr in {"mean", "std", "var"}
        and not (isinstance(node.value, ast.Attribute) and node.value.attr == "list")
    ]


def machine_traces(source: str) -> list[str]:
    """Return paths of somebody's machine and addresses of package indexes."""
    return [match.group() for match in MACHINE.finditer(source)]


def header(query: str) -> dict[str, str]:
    """Return the keys of the comment a query starts with; a value may take several lines."""
    found: dict[str, str] = {}
    for line in query.splitlines():
        if not line.startswith("--"):
            break
        if match := re.match(r"-- ([a-z]+(?: of)?):\s*(.*)", line):
            key, found[match[1]] = match[1], match[2]
        elif found:
            found[key] += " " + line.removeprefix("--").strip()
    return found


def header_faults(query: str) -> list[str]:
    """Return keys a query's header lacks, and tables that `reads` invents or forgets."""
    keys = header(query)
    said = set(re.findall(r"\w+", keys.get("reads", "")))
    read = set(re.findall(r"\b(?:from|join)\s+(\w+)", _statement(query))) & tables().keys()
    lacking = [f"no {key}" for key in QUERY_KEYS if not keys.get(key)]
    return lacking + [f"reads: {table}" for table in sorted(said ^ read)]


def shape_faults(query: str) -> list[str]:
    """Return what makes a query more than one SELECT, or hides the columns of a step."""
    statement = _statement(query).strip()
    steps = statement[: statement.rfind("\n)") + 1]
    return [
        *(["several statements"] if ";" in statement.removesuffix(";") else []),
        *(["select * before the last step"] if re.search(r"select\s+\*", steps) else []),
    ]


def _statement(query: str) -> str:
    return re.sub(r"--.*", "", composed(query))
