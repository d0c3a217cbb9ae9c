"""The captions of training photos: the instance token before the class noun, in the words of the prompt library."""

from __future__ import annotations

_FORMS = (
    "photo of {subject}",
    "portrait of {subject}",
    "studio portrait of {subject}, looking at the camera",
    "professional headshot of {subject}, sharp focus",
    "photo of {subject}, head and shoulders, soft light",
    "close-up photo of {subject}",
)


def captions(instance_token: str, class_noun: str) -> tuple[str, ...]:
    """Different captions for the same person; none says what a photo shows besides."""
    subject = f"{instance_token} {class_noun}".strip()
    return tuple(form.format(subject=subject) for form in _FORMS)
