"""One method of training in each file; `table.py` lists them."""
