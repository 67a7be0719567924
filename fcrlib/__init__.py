"""fcrlib: why do first contacts fail?

Import the room you need (`from fcrlib.study import Study`); importing `fcrlib` itself loads nothing heavy.
"""

__version__ = "0.1.0"
