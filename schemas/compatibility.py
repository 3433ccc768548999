"""Whether readers of the released schemas still understand what today's code writes, and the other way round."""

from collections.abc import Iterator

from schemas.json_schemas import JsonObject

#: What says nothing of a value's shape.
_WORDS = frozenset({"$schema", "$id", "$defs", "title", "description", "discriminator"})


def breaking_changes(released: JsonObject, today: JsonObject) -> list[str]:
    """Say, a line each, what today's schema of a type breaks: the place, and what is wrong there.

    A new field must be optional with a default. A field may not go, change its type, its default or its limits, become
    optional or required. An enumeration may grow: update readers before writers then, for they refuse new words.
    """
    return list(
        _Comparison(released.get("$defs", {}), today.get("$defs", {})).changes(released["title"], released, today)
    )


class _Comparison:
    def __init__(self, released_parts: JsonObject, today_parts: JsonObject) -> None:
        self._released_parts = released_parts
        self._today_parts = today_parts

    def changes(self, place: str, released: JsonObject, today: JsonObject) -> Iterator[str]:
        """Compare two schemas that stand at the same place."""
        old, new = _resolve(released, self._released_parts), _resolve(today, self._today_parts)
        for word in sorted((old.keys() | new.keys()) - _WORDS):
            if word == "properties":
                yield from self._changed_fields(place, old, new)
            elif word == "required":
                yield from _changed_need(place, old, new)
            elif word == "enum":
                yield from _lost_words(place, old, new)
            else:
                yield from self._changed_word(place, word, old, new)

    def _changed_fields(self, place: str, old: JsonObject, new: JsonObject) -> Iterator[str]:
        fields, today = old.get("properties", {}), new.get("properties", {})
        for name, field in fields.items():
            if name in today:
                yield from self.changes(f"{place}.{name}", field, today[name])
            else:
                yield f"{place}.{name}: is gone; keep it"
        for name in sorted(today.keys() - fields.keys()):
            if name in new.get("required", []) or "default" not in today[name]:
                yield f"{place}.{name}: is new; give it a default"

    def _changed_word(self, place: str, word: str, old: JsonObject, new: JsonObject) -> Iterator[str]:
        before, after = old.get(word), new.get(word)
        if isinstance(before, dict) and isinstance(after, dict) and word != "default":
            yield from self.changes(f"{place}[]", before, after)
        elif word == "anyOf" and before and after and len(before) == len(after):
            for choice_before, choice_after in zip(before, after, strict=True):
                yield from self.changes(place, choice_before, choice_after)
        elif before != after:
            yield f"{place}: its {word} was {before}, not {after}; keep it"


def _resolve(schema: JsonObject, parts: JsonObject) -> JsonObject:
    """Put what a reference points to in its place, beside what stands next to it."""
    if "$ref" not in schema:
        return schema
    beside = {word: value for word, value in schema.items() if word != "$ref"}
    target: JsonObject = parts[schema["$ref"].rpartition("/")[2]]
    return target | beside


def _changed_need(place: str, old: JsonObject, new: JsonObject) -> Iterator[str]:
    fields = old.get("properties", {}).keys() & new.get("properties", {}).keys()
    before, after = set(old.get("required", [])), set(new.get("required", []))
    for name in sorted(fields & (before ^ after)):
        yield f"{place}.{name}: was {'required' if name in before else 'optional'}; keep it so"


def _lost_words(place: str, old: JsonObject, new: JsonObject) -> Iterator[str]:
    before, after = old.get("enum"), new.get("enum")
    if before is None or after is None:
        yield f"{place}: its enum was {before}, not {after}; keep it"
    else:
        lost = sorted(set(before) - set(after))
        yield from (f"{place}: {word!r} is gone; keep it" for word in lost)
