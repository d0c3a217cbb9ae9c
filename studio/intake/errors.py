"""Why an uploaded file is refused.

BadPicture (code)
    empty_file · not_a_picture · truncated_picture · unsupported_format · animated_picture · too_many_pixels ·
    too_large
"""

from __future__ import annotations

from enum import StrEnum


class BadPictureCode(StrEnum):
    """The stable codes; each says what is wrong with the file."""

    EMPTY_FILE = "empty_file"
    NOT_A_PICTURE = "not_a_picture"
    TRUNCATED_PICTURE = "truncated_picture"
    UNSUPPORTED_FORMAT = "unsupported_format"
    ANIMATED_PICTURE = "animated_picture"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_LARGE = "too_large"


_SENTENCES = {
    BadPictureCode.EMPTY_FILE: "the file is empty; send it again",
    BadPictureCode.NOT_A_PICTURE: "the file is no picture, whatever its name says; send a JPEG, PNG, WebP or HEIC",
    BadPictureCode.TRUNCATED_PICTURE: "the file ends early or is damaged; send the original again",
    BadPictureCode.UNSUPPORTED_FORMAT: "this picture format is not read; send a JPEG, PNG, WebP or HEIC",
    BadPictureCode.ANIMATED_PICTURE: "the file is an animation; send a single picture",
    BadPictureCode.TOO_MANY_PIXELS: "the picture has too many pixels; send a smaller one",
    BadPictureCode.TOO_LARGE: "the file is too large; send a smaller one",
}


class BadPicture(Exception):
    """A file that cannot be taken as a picture. filename: cleaned, for showing. data: the numbers behind the code."""

    def __init__(self, code: BadPictureCode, filename: str, **data: int | str) -> None:
        numbers = ", ".join(f"{key} {value}" for key, value in data.items())
        super().__init__(f"{filename}: {_SENTENCES[code]}" + (f" ({numbers})" if numbers else ""))
        self.code, self.filename, self.data = code, filename, data
