"""Tell images apart by the mean image of each class.

    from pixelsim import PixelSimilarity, load_mnist, load_folder, read_image

Each is loaded when it is first asked for, so that `import pixelsim` itself takes no time."""

from importlib import import_module

__version__ = "0.1.0"  # the one place: setuptools reads it without running this file
_HOME = {"PixelSimilarity": "classifier", "load_mnist": "digits", "load_folder": "image_files", "read_image": "image_files"}
__all__ = [*_HOME]


def __getattr__(name):
    if name in _HOME: return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__(): return sorted([*globals(), *_HOME])
