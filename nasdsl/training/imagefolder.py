"""Folders of images, any format that Pillow reads: one folder for each class, or images beside their masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nasdsl.training.dataset import INPUT, OUTPUT
from nasdsl.training.errors import DataError
from nasdsl.training.files import missing
from nasdsl.training.samples import Samples

if TYPE_CHECKING:
    from PIL.Image import Image

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_SHOWN = 3


def read_images(folder: Path, size: int | None, grey: bool) -> Samples:
    """All images as (channels, height, width) in 0..1; with `size`, each is scaled to size x size.

    Raises DataError for a folder without classes, a file that is no image, and sizes that differ.
    """
    if not folder.is_dir():
        raise missing(folder)
    classes = sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    files = [file for one in classes for file in _images_in(one)]
    if not files:
        help = "put the images of each class into a folder of its name: cats/1.png, dogs/1.png"
        raise DataError("there are no folders with images", str(folder), help)
    names = np.array([file.parent.name for file in files])
    return Samples(str(folder), {INPUT: _stacked(folder, files, size, grey)}, {OUTPUT: names})


def read_masks(folder: Path, masks: Path, size: int | None, grey: bool) -> Samples:
    """The images of a folder, and of another the mask of the same name of each: its grey values, or numbers of a
    palette, are the classes. Scaling takes the nearest value of a mask.

    Raises DataError as `read_images` does, and for an image without a mask.
    """
    for one in (folder, masks):
        if not one.is_dir():
            raise missing(one)
    files, by_name = _images_in(folder), {file.stem: file for file in _images_in(masks)}
    if not files:
        raise DataError("there are no images", str(folder), "put them into this folder itself")
    alone = [file for file in files if file.stem not in by_name]
    if alone:
        message = f"{len(alone)} of {len(files)} images have no mask, the first of them {alone[0].name}"
        raise DataError(message, str(masks), f"give it the mask {alone[0].stem}.png, or take the image out")
    found = [_mask(by_name[file.stem], size) for file in files]
    return Samples(
        str(folder), {INPUT: _stacked(folder, files, size, grey)}, {OUTPUT: _of_one_size(masks, found)}
    )


def _images_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)


def _stacked(folder: Path, files: Sequence[Path], size: int | None, grey: bool) -> NDArray[np.float32]:
    return _of_one_size(folder, [_read(file, size, grey) for file in files])


def _of_one_size(folder: Path, images: Sequence[np.ndarray]) -> np.ndarray:
    sizes = {image.shape[-2:] for image in images}
    if len(sizes) > 1:
        shown = ", ".join(" x ".join(map(str, shape)) for shape in sorted(sizes)[:_SHOWN])
        raise DataError(f"images differ in size: {shown}", str(folder), "scale them: images(…, size = 32)")
    return np.stack(images)


def _read(file: Path, size: int | None, grey: bool) -> NDArray[np.float32]:
    with _opened(file) as image:
        plain = image.convert("L" if grey else "RGB")
        array = np.asarray(plain if size is None else plain.resize((size, size)), dtype=np.float32)
        array = array / np.float32(255)
    return array[np.newaxis] if grey else array.transpose(2, 0, 1)


def _mask(file: Path, size: int | None) -> NDArray[np.uint8]:
    with _opened(file) as image:
        plain = image if image.mode == "P" else image.convert("L")
        return np.asarray(plain if size is None else plain.resize((size, size), resample=0), dtype=np.uint8)


@contextmanager
def _opened(file: Path) -> Iterator[Image]:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        help = "pip install 'nasdsl[images]'"
        raise DataError("images are read by Pillow, which is not installed", str(file), help) from error
    try:
        with Image.open(file) as image:
            yield image
    except (OSError, UnidentifiedImageError) as error:
        raise DataError("not an image, or a damaged one", str(file), "take the file out") from error
