"""A folder of images: one folder for each class, any format that Pillow reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nasdsl.training.dataset import INPUT
from nasdsl.training.errors import DataError
from nasdsl.training.files import missing
from nasdsl.training.samples import Samples

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_SHOWN = 3


def read_images(folder: Path, size: int | None, grey: bool) -> Samples:
    """All images as (channels, height, width) in 0..1; with `size`, each is scaled to size x size.

    Raises DataError for a folder without classes, a file that is no image, and sizes that differ.
    """
    if not folder.is_dir():
        raise missing(folder)
    classes = sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    files = [file for one in classes for file in sorted(one.iterdir()) if file.suffix.lower() in _SUFFIXES]
    if not files:
        help = "put the images of each class into a folder of its name: cats/1.png, dogs/1.png"
        raise DataError("there are no folders with images", str(folder), help)
    images = [_read(file, size, grey) for file in files]
    sizes = {image.shape for image in images}
    if len(sizes) > 1:
        shown = ", ".join(" x ".join(map(str, shape[1:])) for shape in sorted(sizes)[:_SHOWN])
        raise DataError(f"images differ in size: {shown}", str(folder), "scale them: images(…, size = 32)")
    return Samples(str(folder), {INPUT: np.stack(images)}, np.array([file.parent.name for file in files]))


def _read(file: Path, size: int | None, grey: bool) -> np.ndarray:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        help = "pip install 'nasdsl[images]'"
        raise DataError("images are read by Pillow, which is not installed", str(file), help) from error
    try:
        with Image.open(file) as image:
            plain = image.convert("L" if grey else "RGB")
            array = np.asarray(plain if size is None else plain.resize((size, size)), dtype=np.float32) / 255
    except (OSError, UnidentifiedImageError) as error:
        raise DataError("not an image, or a damaged one", str(file), "take the file out") from error
    return array[np.newaxis] if grey else array.transpose(2, 0, 1)
