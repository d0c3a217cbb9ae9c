"""Intake: untrusted uploads become clean pictures, and photos get verdicts."""

from studio.intake.decoding import CleanPicture, decode
from studio.intake.errors import BadPicture

__all__ = ["BadPicture", "CleanPicture", "decode"]
