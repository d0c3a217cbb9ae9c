"""Captions of painted portraits in the words of the studio's prompts, and what each caption says.

Grammar: opening, then phrases in a free order, separated by commas:
"photo of a young woman, long black hair, red shirt, blue background, soft light, smiling, head and shoulders".
"""

from __future__ import annotations

import random

from . import words
from .portrait import Portrait

OPENINGS = (
    "photo of {a} {who}", "portrait photo of {a} {who}", "studio portrait of {a} {who}", "portrait of {a} {who}",
    "professional portrait of {a} {who}", "a photo of {a} {who}", "{who}", "photo of {a} {who}",
)  # fmt: skip
KEEP = {
    "hair": 0.95, "clothes": 0.95, "background": 0.95, "skin": 0.5, "eyes": 0.3, "glasses": 0.95, "beard": 0.95,
    "light": 0.6, "expression": 0.7, "framing": 0.8, "turn": 0.5, "earrings": 0.8, "quality": 0.2,
}  # fmt: skip
QUALITY = ("high quality", "detailed", "sharp focus", "best quality", "masterpiece")
TURNED = 0.3
SHUFFLED = 0.15
HAIR_NAMES = {
    "buzz": "buzz cut {color} hair",
    "bob": "{color} hair bob",
    "ponytail": "{color} hair in a ponytail",
    "bun": "{color} hair in a bun",
    "afro": "{color} hair afro",
    "bangs": "{color} hair with bangs",
}
Attributes = dict[str, str]


def caption(portrait: Portrait, seed: int) -> str:
    """One of the captions of portrait: seed decides which phrases are said and in which order."""
    rng = random.Random(seed)
    phrases = phrases_of(portrait, rng)
    said = [phrase for kind, phrase in phrases.items() if phrase and rng.random() < KEEP[kind]]
    if rng.random() < SHUFFLED:
        rng.shuffle(said)
    return ", ".join([opening(portrait, rng), *said])


def idle_words(rng: random.Random, most: int) -> str:
    """Up to most words that say nothing about a picture of ours, some of them in no language."""
    count = rng.randint(1, most)
    return " ".join(rng.choice(words.IDLE) if rng.random() < 0.8 else _gibberish(rng) for _ in range(count))


def distracted(text: str, rng: random.Random) -> str:
    """text with a phrase of idle words put in somewhere between its phrases."""
    phrases = text.split(", ")
    phrases.insert(rng.randint(0, len(phrases)), idle_words(rng, 8))
    return ", ".join(phrases)


def _gibberish(rng: random.Random) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789사진인물정장배경"
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 7)))


def opening(portrait: Portrait, rng: random.Random) -> str:
    """Say "photo of a young woman" and the like, with the instance token before the noun where there is one."""
    who = " ".join(word for word in (portrait.instance, portrait.age, portrait.noun) if word)
    return rng.choice(OPENINGS).format(a="an" if who[0] in "aeiou" else "a", who=who)


def phrases_of(portrait: Portrait, rng: random.Random) -> dict[str, str]:
    """What could be said of portrait, by kind; an empty phrase where there is nothing to say."""
    kind = {"plain": "", "gradient": "gradient ", "blurred": "blurred "}[portrait.background_kind]
    turned = portrait.shape.turn
    side = "left" if turned < 0 else "right"
    return {
        "hair": hair_phrase(portrait, rng),
        "clothes": ("wearing a " if rng.random() < 0.25 else "")
        + f"{portrait.clothes_color} {portrait.clothes}",
        "background": (kind if rng.random() < 0.5 else "") + f"{portrait.background_color} background",
        "skin": f"{portrait.skin} skin",
        "eyes": f"{portrait.eye_color} eyes" if portrait.glasses != "sunglasses" else "",
        "glasses": portrait.glasses if portrait.glasses != "none" else "",
        "beard": portrait.beard if portrait.beard != "none" else "",
        "light": f"{portrait.light} light",
        "expression": {"neutral": "neutral expression", "serious": "serious expression"}.get(
            portrait.expression, portrait.expression
        ),
        "framing": portrait.framing,
        "turn": f"looking to the {side}" if abs(turned) > TURNED else "looking at the camera",
        "earrings": "earrings" if portrait.earrings else "",
        "quality": rng.choice(QUALITY),
    }


def hair_phrase(portrait: Portrait, rng: random.Random) -> str:
    """Say "long black hair", or "bald"."""
    if portrait.hair_style == "bald":
        return "bald"
    if rng.random() < 0.2:
        return f"{portrait.hair_color} hair"
    pattern = HAIR_NAMES.get(portrait.hair_style, f"{portrait.hair_style} {{color}} hair")
    return pattern.format(color=portrait.hair_color)


def attributes_said(text: str, portrait: Portrait) -> Attributes:
    """What text, a caption of portrait, says of it: kind to word, "unsaid" where it says nothing.

    The text encoder is first taught to read these out.
    """
    hair = f"{portrait.hair_color} hair" in text
    style = "bald" in text or (hair and (portrait.hair_style in text))
    checks = {
        "noun": (portrait.noun, True),
        "age": (portrait.age, bool(portrait.age)),
        "hair_color": (portrait.hair_color, hair),
        "hair_style": (portrait.hair_style, style),
        "clothes": (portrait.clothes, f"{portrait.clothes_color} {portrait.clothes}" in text),
        "clothes_color": (portrait.clothes_color, f"{portrait.clothes_color} {portrait.clothes}" in text),
        "background_color": (portrait.background_color, f"{portrait.background_color} background" in text),
        "background_kind": (
            portrait.background_kind,
            f"{portrait.background_kind} {portrait.background_color}" in text,
        ),
        "skin": (portrait.skin, f"{portrait.skin} skin" in text),
        "eye_color": (portrait.eye_color, f"{portrait.eye_color} eyes" in text),
        "glasses": (portrait.glasses, portrait.glasses in text),
        "beard": (portrait.beard, portrait.beard in text),
        "light": (portrait.light, f"{portrait.light} light" in text),
        "expression": (portrait.expression, portrait.expression in text),
        "framing": (portrait.framing, portrait.framing in text),
        "turn": ("left" if portrait.shape.turn < 0 else "right", "looking to the" in text),
        "earrings": ("earrings", "earrings" in text),
        "instance": (portrait.instance or "", portrait.instance is not None),
    }
    return {kind: word if said else "unsaid" for kind, (word, said) in checks.items()}


ANSWERS: dict[str, tuple[str, ...]] = {
    "noun": words.NOUNS,
    "age": ("young", "old"),
    "hair_color": words.HAIR_COLORS,
    "hair_style": words.HAIR_STYLES,
    "clothes": words.CLOTHES,
    "clothes_color": words.CLOTHES_COLORS,
    "background_color": words.BACKGROUND_COLORS,
    "background_kind": words.BACKGROUND_KINDS,
    "skin": words.SKINS,
    "eye_color": words.EYE_COLORS,
    "glasses": words.GLASSES,
    "beard": words.BEARDS,
    "light": words.LIGHTS,
    "expression": words.EXPRESSIONS,
    "framing": words.FRAMINGS,
    "turn": ("left", "right"),
    "earrings": ("earrings",),
    "instance": words.INSTANCE_TOKENS,
}
