"""The captions of training photos: the instance token before the class noun, in the words of the prompt library."""

from __future__ import annotations

import random

from training.method import Method

_FORMS = (
    "photo of {subject}",
    "portrait of {subject}",
    "studio portrait of {subject}, looking at the camera",
    "professional headshot of {subject}, sharp focus",
    "photo of {subject}, head and shoulders, soft light",
    "close-up photo of {subject}",
)
_TEMPLATES = (
    "a photo of {subject}",
    "a rendering of {subject}",
    "a cropped photo of {subject}",
    "a photo of a clean {subject}",
    "a dark photo of {subject}",
    "a close-up photo of {subject}",
    "a bright photo of {subject}",
    "a cropped photo of a {subject}",
    "a photo of the {subject}",
    "a good photo of {subject}",
    "a photo of one {subject}",
    "a close-up photo of the {subject}",
    "a photo of the nice {subject}",
    "a good photo of the {subject}",
    "a photo of a nice {subject}",
    "a photo of a cool {subject}",
)
"""Of the CLIP ImageNet templates (Radford et al. 2021), those that textual inversion uses and that suit a person."""
DRAWN = 96
"""How many captions are drawn where words come by chance, so that their text embeddings can be computed once."""


def captions(
    instance_token: str, class_noun: str, method: Method | None = None, seed: int = 0
) -> tuple[str, ...]:
    """Different captions for the same person; none says what a photo shows besides.

    instance_token: may be several words. The same seed draws the same descriptive words.
    """
    method = method or Method()
    noun = "" if method.without_class_noun else class_noun
    subject = f"{instance_token} {noun}".strip()
    forms = _TEMPLATES if method.random_templates else _FORMS
    plain = tuple(form.format(subject=subject) for form in forms)
    if not method.descriptive_words:
        return plain
    source = random.Random(seed)
    return tuple(", ".join([source.choice(plain), *_words(method, source)]) for _ in range(DRAWN))


def class_caption(class_noun: str) -> str:
    """The caption of a picture of anybody of the class (Ruiz et al. 2022)."""
    return f"photo of {class_noun}"


def _words(method: Method, source: random.Random) -> list[str]:
    return [word for word in method.descriptive_words if source.random() < method.descriptive_probability]
