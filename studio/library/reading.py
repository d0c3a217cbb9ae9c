"""Reading presets: YAML, inheritance, the schema, and the prompt entries they name."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studio.errors import BrokenLibrary
from studio.library.animals import AnimalLibrary, read_animals
from studio.library.marked_yaml import BadYaml, Document, read_yaml
from studio.library.offers import OfferSpec, read_offers
from studio.library.product import DESCRIBED, PresetSpec, ReferenceSpec, Tone
from studio.library.prompts import PromptLibrary, is_entry, read_prompts
from studio.library.tones import read_tones
from studio.values import PresetProblem

PRESET_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
NOT_INHERITED = ("extends", "thumbnail")
UNION_TAGS = frozenset(
    {"reference", "describe", "txt2img", "img2img", "upscale", "animate", "repair_frames", "face_swap"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A preset ready to run: inherited, checked, its prompt entries put in. version: hash of all that."""

    name: str
    spec: PresetSpec
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """All products by name, the prompts they draw from, the animals and tones that jobs may choose.

    offers: what the start page shows, in its order.
    """

    products: Mapping[str, Product]
    prompts: PromptLibrary
    animals: AnimalLibrary
    tones: Mapping[str, Tone]
    offers: Mapping[str, OfferSpec]
    documents: Mapping[str, Document]

    def check(self, text: str, name: str = "preset") -> tuple[Product | None, list[PresetProblem]]:
        """Read one more preset against this library without keeping it."""
        try:
            document = read_yaml(text, f"{name}.yaml")
        except BadYaml as error:
            return None, [
                PresetProblem(file=f"{name}.yaml", line=error.line, key=error.key, reason=error.reason)
            ]
        return make_product(name, {**self.documents, name: document}, self.prompts)


def read_library(presets: Path, prompts: Path) -> Library:
    """Read both folders. Raises BrokenLibrary with every problem of every file."""
    prompt_library, problems = read_prompts(prompts)
    animals, found = read_animals(prompts)
    problems += found
    tones, found = read_tones(prompts, prompt_library)
    problems += found
    offers, found = read_offers(presets)
    problems += found
    documents: dict[str, Document] = {}
    for file in sorted(presets.glob("*.yaml")):
        problems += read_document(file, documents)
    products: dict[str, Product] = {}
    for name in documents:
        product, found = make_product(name, documents, prompt_library)
        problems += found
        if product is not None:
            products[name] = product
    if problems:
        raise BrokenLibrary(problems)
    return Library(
        products=products,
        prompts=prompt_library,
        animals=animals,
        tones=tones,
        offers=offers,
        documents=documents,
    )


def make_product(
    name: str, documents: Mapping[str, Document], prompts: PromptLibrary
) -> tuple[Product | None, list[PresetProblem]]:
    """Inherit, check and resolve one preset; None beside the problems when there are any."""
    document = documents[name]
    chain, problem = _ancestry(name, documents)
    if problem is not None:
        return None, [problem_at(document, ("extends",), problem)]
    try:
        spec = PresetSpec.model_validate(_inherited([documents[step].data for step in chain]))
    except ValidationError as error:
        return None, [
            problem_at(document, _path(entry["loc"]), reason_of(entry, "preset")) for entry in error.errors()
        ]
    problems = [problem_at(document, path, reason) for path, reason in _prompt_problems(spec, prompts)]
    if problems:
        return None, problems
    resolved = _with_words(spec, prompts)
    return Product(name=name, spec=resolved, version=version_of(resolved)), []


def version_of(spec: PresetSpec) -> str:
    """The first twelve hexadecimal digits of the content's SHA-256."""
    content = json.dumps(spec.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def read_document(file: Path, documents: dict[str, Document]) -> list[PresetProblem]:
    """Put a YAML file's content into documents under the file's name; the problems when it cannot be read."""
    if not PRESET_NAME.fullmatch(file.stem):
        return [
            PresetProblem(
                file=file.name, line=1, key="", reason="the file's name must be words-joined-by-dashes"
            )
        ]
    try:
        documents[file.stem] = read_yaml(file.read_text(encoding="utf-8"), file.name)
    except BadYaml as error:
        return [PresetProblem(file=file.name, line=error.line, key=error.key, reason=error.reason)]
    except UnicodeDecodeError:
        return [PresetProblem(file=file.name, line=1, key="", reason="is not UTF-8 text")]
    return []


def _ancestry(name: str, documents: Mapping[str, Document]) -> tuple[list[str], str | None]:
    """The presets from the eldest to name itself, or why there is no such row."""
    chain = [name]
    while isinstance(parent := documents[chain[-1]].data.get("extends"), str):
        if parent in chain:
            return [], f"goes round in a circle: {' -> '.join([*chain, parent])}"
        if parent not in documents:
            return [], f"there is no preset {parent!r}"
        chain.append(parent)
    return chain[::-1], None


def _inherited(row: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for data in row:
        inherited = {key: value for key, value in merged.items() if key not in NOT_INHERITED}
        merged = _merged(inherited, data)
    return merged


def _merged(older: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
    """newer over older: mappings key by key, everything else as a whole."""
    both = {
        key: _merged(older[key], value)
        if isinstance(older.get(key), dict) and isinstance(value, dict)
        else value
        for key, value in newer.items()
    }
    return {**older, **both}


def _prompt_problems(spec: PresetSpec, prompts: PromptLibrary) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for path, text in spec.texts():
        entry = prompts.entries.get(text)
        if is_entry(text) and entry is None:
            yield path, f"there is no prompt entry {text!r}"
        elif entry is None and (reason := prompts.problem(text)):
            yield path, reason
        elif DESCRIBED in (entry.prompt if entry else text) and not _described_before(spec, path):
            yield path, f"names {DESCRIBED}, and no stage before it describes"


def _described_before(spec: PresetSpec, path: tuple[str | int, ...]) -> bool:
    """Whether a stage describes before the one that the text at path is for, or before all that share it."""
    if path[0] == "stages":
        return spec.describes and not isinstance(spec.stages[str(path[1])], ReferenceSpec)
    shared_by = (stage for stage in spec.sampled.values() if stage.prompt is None)
    return spec.describes and not any(isinstance(stage, ReferenceSpec) for stage in shared_by)


def _with_words(spec: PresetSpec, prompts: PromptLibrary) -> PresetSpec:
    """The preset with its prompt entries' templates in place of their names."""
    data = spec.model_dump()
    for path, text in spec.texts():
        if is_entry(text):
            holder: Any = data
            for step in path[:-1]:
                holder = holder[step]
            entry = prompts.entries[text]
            holder[path[-1]] = entry.negative_prompt if path[-1] == "negative_prompt" else entry.prompt
            if path[-1] == "prompt" and not holder.get("negative_prompt"):
                holder["negative_prompt"] = entry.negative_prompt
    return PresetSpec.model_validate(data)


def _path(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """pydantic's place of an error without the tag of the union it adds below a stage."""
    inside_stage = len(location) > 2 and location[0] == "stages" and location[2] in UNION_TAGS
    return (*location[:2], *location[3:]) if inside_stage else location


def reason_of(entry: Any, kind: str) -> str:
    """What is wrong, in our words, for an entry of pydantic's errors. kind: of file, such as "preset"."""
    known: dict[str, str] = {"extra_forbidden": f"is not a key of a {kind}", "missing": "is missing"}
    message: str = entry["msg"]
    return known.get(entry["type"], message.removeprefix("Value error, "))


def problem_at(document: Document, path: tuple[str | int, ...], reason: str) -> PresetProblem:
    """A problem at the line where path stands in document."""
    return PresetProblem(
        file=document.file, line=document.line(path), key=".".join(map(str, path)), reason=reason
    )
