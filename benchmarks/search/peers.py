"""Peers to beat, behind the same ask and tell; only `PlainGP` needs no extra package beyond scikit-learn's scipy."""
