"""The few modules that torch.nn does not have. A standalone export inlines the source of those it uses,
so each class and function needs only `torch`, `Tensor`, `nn`, `F` and others of this package.

Tensors come batch first. Channels are axis 1, but the last axis for tokens (batch, tokens, width).
"""

from compiler.modules.around import Adapter, Gate
from compiler.modules.attention import Attention, ClassToken, LearnedPositions, Rotary, TakeToken
from compiler.modules.experts import EnforcedExperts, Experts
from compiler.modules.factoring import Chain, factored, factors, halves, layers_of
from compiler.modules.joining import Add, Average, Concat, Mul, Zero
from compiler.modules.layers import EmbedColumns, Polynomial, Recurrent, SampleRMSNorm, SqueezeExcite, SwiGLU
from compiler.modules.losses import Losses
from compiler.modules.shaping import Crop, MaxOver, MeanOver, PadChannels, Pick, SwapAxes

# In the order of an exported file, in which each class stands after those that it uses.
FILES = ("factoring", "joining", "shaping", "layers", "attention", "losses", "experts", "around")

__all__ = [
    "FILES",
    "Adapter",
    "Add",
    "Attention",
    "Average",
    "Chain",
    "ClassToken",
    "Concat",
    "Crop",
    "EmbedColumns",
    "EnforcedExperts",
    "Experts",
    "Gate",
    "LearnedPositions",
    "Losses",
    "MaxOver",
    "MeanOver",
    "Mul",
    "PadChannels",
    "Pick",
    "Polynomial",
    "Recurrent",
    "Rotary",
    "SampleRMSNorm",
    "SqueezeExcite",
    "SwapAxes",
    "SwiGLU",
    "TakeToken",
    "Zero",
    "factored",
    "factors",
    "halves",
    "layers_of",
]
