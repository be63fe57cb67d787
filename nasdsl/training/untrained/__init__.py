"""What an untrained network shows: zero-cost proxies and the propagation of signals, one file each."""

from nasdsl.training.untrained.probe import NotMeasurable, Probe, probe
from nasdsl.training.untrained.table import PROXIES

__all__ = ["PROXIES", "NotMeasurable", "Probe", "probe"]
