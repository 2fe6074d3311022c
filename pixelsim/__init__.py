"From pixels to accuracy: the library that the lessons in `nbs/` export."

__version__ = "0.1.0"
