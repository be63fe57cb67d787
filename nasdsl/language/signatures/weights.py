"""What may stand for `weight = …` on a layer that has weights.

`plain` is the matrix itself. The others are known by name and arguments, and refused for now.
"""

from __future__ import annotations

from nasdsl.language.signatures.signature import BOOL, Argument, Signature, integer, name_of, real

_RANK = Argument("rank", integer(1), "rank of the factors")
_RANK_GIVEN = Argument("rank", integer(1), "rank of the update", required=True)
_RATIO = Argument("ratio", real(0, 1, open_low=True), "rank as a share of the smaller side")
_SCALE = Argument("scale", real(0, open_low=True), "factor on the update", 1.0)


def _later(name: str, doc: str, *arguments: Argument, positional: int = 1) -> Signature:
    return Signature(name, "weight", doc, arguments, positional=min(positional, len(arguments)), later=True)


SIGNATURES = (
    Signature("plain", "weight", "The weights themselves.", positional=0),
    _later("weight_norm", "Direction and length apart (Salimans & Kingma 2016)."),
    _later("spectral_norm", "Divided by the largest singular value (Miyato et al. 2018)."),
    _later("orthogonal", "Orthonormal rows or columns."),
    _later("weight_standardized", "Mean 0 and variance 1 per output (Qiao et al. 2019)."),
    _later("weight_compander", "A learned non-linear squashing of weights.", _RATIO),
    _later("low_rank", "A product of two thin factors.", _RANK, _RATIO),
    _later(
        "nm_sparse",
        "At most n of every m weights are not zero.",
        Argument("n", integer(1), "weights kept", 2),
        Argument("m", integer(2), "weights in a block", 4),
        Argument("decay", name_of("mask", "structure", "ste"), "how the others fade in training", "mask"),
        positional=2,
    ),
    _later(
        "pst_sparse",
        "Sparse, by scores of few parameters.",
        Argument("sparsity", real(0, 1), "share of zeros", 0.9),
        Argument("rank", integer(1), "rank of the scores", 8),
        positional=2,
    ),
    _later(
        "mask_tuned",
        "Frozen weights under a learned mask.",
        Argument("threshold", real(), "score below which a weight is dropped", 0.0),
        Argument("grad_dropout", real(0, 1), "share of mask gradients dropped", 0.0),
        Argument("select", real(0, 1), "share of layers tuned", 1.0),
    ),
    _later("spectral", "Trained in the space of singular vectors and values.", _RANK),
    _later("svfit", "Frozen singular vectors, trained largest singular values.", _RANK_GIVEN),
    _later("lora", "Frozen weights plus a trained low-rank update (Hu et al. 2021).", _RANK_GIVEN, _SCALE),
    _later("lora_xs", "A trained square matrix between frozen factors.", _RANK_GIVEN, _SCALE),
    _later("lora_sb", "lora_xs, started from the first full gradient.", _RANK_GIVEN, _SCALE),
    _later(
        "pego",
        "Several low-rank updates kept orthogonal.",
        Argument("groups", integer(1), "updates", 4),
        Argument("rank", integer(1), "rank of each", 4),
        positional=2,
    ),
    _later(
        "sara",
        "A rank chosen from the spectrum, then sparse.",
        Argument("threshold", real(0, 1), "share of the spectrum kept", 0.5),
    ),
    _later(
        "intrinsic",
        "All weights from a few numbers by a fixed random map.",
        Argument("d", integer(1), "how many numbers", required=True),
        Argument("said", BOOL, "whether each layer has its own scale", False),
    ),
)
