"""Teaching an identity with the WebUI extension EasyPhoto, on a server that other jobs use as well."""

from training.easyphoto.course import Limits
from training.easyphoto.trainer import EasyPhotoTrainer

__all__ = ["EasyPhotoTrainer", "Limits"]
