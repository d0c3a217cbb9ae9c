"""The words of the captions: what a portrait may have, and the rare tokens left free for instances.

Colours are written right before their noun ("black hair", "red shirt"), as in the studio's prompt library.
"""

from __future__ import annotations

NOUNS = ("woman", "man", "person")
SKINS = ("fair", "light", "tan", "olive", "brown", "dark")
HAIR_STYLES = ("bald", "buzz", "short", "curly", "bob", "long", "ponytail", "bun", "afro", "bangs")
HAIR_COLORS = ("black", "brown", "blonde", "red", "gray", "white", "blue", "pink")
EYE_COLORS = ("brown", "blue", "green")
CLOTHES = ("shirt", "t-shirt", "sweater", "suit", "dress", "hoodie")
CLOTHES_COLORS = (
    "red",
    "blue",
    "green",
    "yellow",
    "white",
    "black",
    "gray",
    "purple",
    "orange",
    "pink",
    "brown",
)
BACKGROUND_COLORS = CLOTHES_COLORS
BACKGROUND_KINDS = ("plain", "gradient", "blurred")
LIGHTS = ("soft", "side", "dramatic", "bright")
FRAMINGS = ("close-up", "head and shoulders", "half body")
EXPRESSIONS = ("neutral", "smiling", "laughing", "serious")
TURNS = ("left", "front", "right")
GLASSES = ("none", "glasses", "sunglasses")
BEARDS = ("none", "beard", "mustache", "stubble")

INSTANCE_TOKENS = (
    "sks", "ohwx", "zwx", "qxj", "vkz", "wqp", "jzx", "xkv", "pzq", "kqz", "bnv", "hjq",
    *(f"person{letter}" for letter in "abcdefgh"),
)  # fmt: skip

PHRASES = (
    "photo of a an the portrait picture image studio profile professional headshot id passport casual business",
    "close up close-up head and shoulders half body upper full waist face hair skin eyes eye",
    "background plain gradient blurred bokeh solid simple light lighting natural warm cool window",
    "neutral smiling smile laughing serious expression looking at the camera",
    "to the left right front facing view turned",
    "wearing with no in on by beard mustache stubble clean shaven earrings necklace collar tie jacket blazer",
    "young old adult girl boy lady gentleman people korean asian african european indian latin",
    "detailed high quality best masterpiece sharp focus realistic film color grading soft dramatic bright side rim",
    "low quality worst bad anatomy blurry deformed ugly distorted extra fingers hands text watermark noise",
    "dark light fair tan olive brown tone medium wavy straight curly bob bun ponytail afro bangs buzz cut bald head",
    "turtleneck blouse coat outdoor indoor park city office sky wall style cinematic lens dslr",
    "beautiful handsome elegant friendly confident calm happy colors vivid muted beige navy cream silver gold",
)  # fmt: skip


IDLE = (
    "detailed", "high", "quality", "best", "masterpiece", "sharp", "focus", "realistic", "film", "color", "grading",
    "low", "worst", "bad", "anatomy", "blurry", "deformed", "ugly", "distorted", "extra", "fingers", "hands", "text",
    "watermark", "noise", "professional", "headshot", "id", "passport", "casual", "business", "picture", "image",
    "studio", "profile", "8k", "cinematic", "style", "beautiful", "handsome", "elegant", "friendly",
    "confident", "calm", "happy", "colors", "vivid", "natural", "cool", "window", "lens", "upper", "skin", "face",
    "hair", "tone", "shot", "lighting", "texture", "warm", "real", "of", "the", "with", "and", "in", "a",
)  # fmt: skip


def vocabulary_words() -> tuple[str, ...]:
    """Every word that gets a token of its own, sorted, each once."""
    named = (
        *NOUNS, *SKINS, *HAIR_STYLES, *HAIR_COLORS, *EYE_COLORS, *CLOTHES, *CLOTHES_COLORS,
        *BACKGROUND_KINDS, *LIGHTS, *FRAMINGS, *EXPRESSIONS, *TURNS, *GLASSES, *BEARDS, *INSTANCE_TOKENS,
    )  # fmt: skip
    pieces = (piece for phrase in (*named, *PHRASES) for piece in phrase.replace("-", " - ").split())
    return tuple(sorted(set(pieces)))
