"""Reading params.yaml: refused, never repaired, and every problem in one message.

The pydantic model of a section lives beside the code it configures; this module knows only how to
read, check and complain. YAML is read as DVC reads it (YAML 1.2: ``1e-3`` is a number).
"""

import difflib
import json
import re
import types
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    SerializationInfo,
    ValidationError,
    create_model,
)
from pydantic_core import CoreSchema

from raresight.pipeline.core.renamed import RENAMED, VALUES
from raresight.pipeline.core.yaml_file import read_yaml
from raresight.pipeline.runtime.errors import ParamsError, suggest


class Section(BaseModel):
    """Base of every part of params.yaml: unknown keys, wrong types and missing keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """The files and folders that these keys name to be read; DVC has to know of them."""
        return ()


ModelT = TypeVar("ModelT", bound=BaseModel)


_CUT = "..."


class NestedProblems(ValueError):
    """Problems of a part whose model is known only once another key was read."""

    def __init__(self, model: type[BaseModel], error: ValidationError):
        super().__init__(str(error))
        self.model = model
        self.error = error


def parse(model: type[ModelT], value: Any) -> ModelT:
    """``value``, as YAML gave it, checked against ``model``; for use inside another validator."""
    try:
        return _validate(model, value)
    except ValidationError as error:
        raise NestedProblems(model, error) from None


class _Head(BaseModel):
    """The one key that must be read before it is known which model reads the others."""

    model_config = ConfigDict(extra="ignore", strict=True)
    name: str


class ByName:
    """Marks a part of params.yaml whose ``name`` decides which keys it has: a tagged union.

    To be used in ``Annotated``, with the model for each name, and one for all ``other`` names where
    they are allowed. Where no name is given it is ``default``, if there is one.
    """

    def __init__(
        self,
        models: Mapping[str, type[Section]],
        *,
        default: str | None = None,
        other: type[Section] | None = None,
    ):
        self.models, self.default, self.other = models, default, other
        name: Any = Annotated[str, AfterValidator(self._known)]
        self._head = create_model("Head", __base__=_Head, name=(name, ...))

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return handler.generate_schema(
            Annotated[Any, PlainValidator(self._check), PlainSerializer(_dump)]
        )

    def __get_pydantic_json_schema__(
        self, core_schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schemas = []
        for name, kind in self.models.items():
            schema = handler(kind.__pydantic_core_schema__)
            if name != self.default:  # without a name the keys are those of the default alone
                schema = {**schema, "required": sorted({*schema.get("required", ()), "name"})}
            schemas.append(schema)
        if self.other is not None:
            taken = {"properties": {"name": {"enum": list(self.models)}}}
            schemas.append({**handler(self.other.__pydantic_core_schema__), "not": taken})
        return {"anyOf": schemas}

    def _known(self, name: str) -> str:
        if name not in self.models and self.other is None:
            raise ValueError(f"unknown name. {suggest(name, self.models)}")
        return name

    def _check(self, value: Any) -> Section:
        if isinstance(value, Section):
            return value
        if isinstance(value, dict) and "name" not in value and self.default is not None:
            return parse(self.models[self.default], value)
        name = parse(self._head, value).name
        model = self.models.get(name, self.other)
        assert model is not None  # else the head has refused the name
        return parse(model, value)


def _dump(section: Section, info: SerializationInfo) -> dict[str, Any]:
    return section.model_dump(mode=info.mode)


def _validate(model: type[ModelT], value: Any) -> ModelT:
    # JSON is pydantic's strict mode for data that came from a file: lists may become tuples,
    # strings never become numbers.
    return model.model_validate_json(json.dumps(value, default=str))


def load_section(path: Path, name: str, model: type[ModelT], *, optional: bool = False) -> ModelT:
    """One checked section of a params file; ParamsError lists every problem it has.

    An ``optional`` one that is left out has its defaults.
    """
    sections, problems = check_sections(
        path, {name: model}, only=True, optional=[name] if optional else ()
    )
    refuse(path, problems)
    section: ModelT = sections[name]
    return section


def check_sections(
    path: Path,
    models: Mapping[str, type[BaseModel]],
    *,
    only: bool = False,
    optional: Collection[str] = (),
) -> tuple[dict[str, Any], list[str]]:
    """The sections that are right, and a sentence for each problem of the others.

    Sections that ``models`` does not name are a problem unless ``only`` is set; one that is
    ``optional`` may be left out.
    """
    document = read_yaml(path)
    sections, problems = {}, []
    for name, model in models.items():
        if name in optional and document.get(name) is None:
            sections[name] = model()
        elif document.get(name) is None:
            problems.append(f"{path}: {_absent(name, model, name in document)}")
        else:
            try:
                sections[name] = _validate(model, document[name])
            except ValidationError as error:
                problems += [f"{path}: {text}" for text in _sentences(name, model, error)]
    if not only:
        problems += [
            f"{path}: {name}: unknown section. {suggest(str(name), models)}"
            for name in document
            if name not in models
        ]
    return sections, problems


def _absent(name: str, model: type[BaseModel], named: bool) -> str:
    complaint = f"{name}: this section is {'empty' if named else 'missing'}."
    if any(field.is_required() for field in model.model_fields.values()):
        return complaint
    return f"{complaint} Write `{name}: {{}}` for its defaults."


def refuse(path: Path, problems: Sequence[str]) -> None:
    """Raise one ParamsError that lists the problems, if there are any."""
    if problems:
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        raise ParamsError("\n".join([f"{path} has {count}:", *problems]))


def _sentences(prefix: str, model: type[BaseModel], error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        keys = [part for part in problem["loc"] if not _is_branch_tag(part)]
        if problem["type"] in ("extra_forbidden", "missing") and keys[-1:] != [
            *problem["loc"][-1:]
        ]:
            keys.append(problem["loc"][-1])  # a key that is called as a branch is, such as `str`
        where = prefix + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, NestedProblems):
            yield from _sentences(where, cause.model, cause.error)
        else:
            yield f"{where}: {_renamed(where, problem) or _complaint(model, keys, problem)}"


def _renamed(where: str, problem: Mapping[str, Any]) -> str | None:
    """What a key of earlier versions is called now, where that is the problem."""
    place = re.sub(r"\[\d+\]", "", where)
    if problem["type"] == "extra_forbidden" and place in RENAMED:
        values = f" {VALUES[place]}" if place in VALUES else ""
        return f"this key was renamed to '{RENAMED[place]}'.{values}"
    if problem["type"] == "missing" and isinstance(problem["input"], dict):
        parent, _, key = place.rpartition(".")
        for old in problem["input"]:
            if RENAMED.get(f"{parent}.{old}") == key:
                return f"this key is missing: '{old}' was renamed to '{key}'."
    return None


def _complaint(model: type[BaseModel], keys: list[Any], problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        known = _fields_at(model, keys[:-1])
        return f"unknown key (value {_abbreviated(problem['input'])}). {suggest(keys[-1], known)}"
    if problem["type"] == "missing":
        return f"this key is missing.{_meant(model, keys, problem['input'])}"
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    complaint = f"{message[:1].lower()}{message[1:]}."
    given = _abbreviated(problem["input"])
    # A complaint of several keys at once names them; the rest of a long part would drown that.
    return complaint if given.startswith("{") and _CUT in given else f"{complaint} Got {given}."


def _meant(model: type[BaseModel], keys: list[Any], given: Any) -> str:
    """A hint where a key that is not known looks like the one that is missing."""
    unknown = set(given) - set(_fields_at(model, keys[:-1])) if isinstance(given, dict) else ()
    near = difflib.get_close_matches(str(keys[-1]), sorted(map(str, unknown)), n=1, cutoff=0.5)
    return f" Is '{near[0]}' a misspelling of it?" if near else ""


def _is_branch_tag(part: Any) -> bool:
    # pydantic puts the union branch it tried into the location, such as "function-after[..]"
    return isinstance(part, str) and ("[" in part or part in {"int", "float", "str", "bool"})


def _abbreviated(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}{_CUT}"


def _fields_at(model: type[BaseModel], keys: list[Any]) -> list[str]:
    """The field names that are known where ``keys`` lead, through lists, dicts and unions."""
    found: list[Any] = [model]
    for key in keys:
        found = [inner for outer in found for inner in _step(outer, key)]
    models = [part for outer in found for part in _models_in(outer)]
    return sorted({field for part in models for field in part.model_fields})


def _step(annotation: Any, key: Any) -> list[Any]:
    steps = []
    for model in _models_in(annotation):
        if not isinstance(key, int) and key in model.model_fields:
            steps.append(model.model_fields[key].annotation)
    if not steps:  # the key was an index, a mapping's key, or a union's tag: stay where we are
        return [annotation]
    return steps


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in typing.get_args(annotation) for model in _models_in(part)]
