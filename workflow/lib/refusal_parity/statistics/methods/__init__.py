"""The statistical methods, each declared beside its code.

Whatever lies in this folder is a method: nothing lists them.
"""

from importlib import import_module
from pkgutil import iter_modules

from refusal_parity.plugins import declare_plugins
from refusal_parity.statistics.registry import METHODS

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)
declare_plugins("method")

__all__ = ["METHODS"]
