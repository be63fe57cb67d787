"""Slots on other machines: an engine starts agents there, agents run workers and talk to the pool.

engines.py says what is asked of an engine; dask.py, ray.py and joblib.py are the three.
"""
