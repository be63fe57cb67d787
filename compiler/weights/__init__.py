"""Weight methods, one file each, and what they share.

    transform.py  the protocol: WeightTransform, and Delta for a frozen weight plus a trained update
    attach.py     methods put on the layers of an operation, frozen, and merged for export
    recurrent.py  what recurrent layers need for it

`low_rank` alone is two layers in place of one, `compiler.modules.factored`: it saves products too.
"""
