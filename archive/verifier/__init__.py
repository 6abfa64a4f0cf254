"""The stand-alone verifier of evidence packages: numbered checks that need nothing but a package and Python's standard library.

Every module here but `bundle` ends up in the `verify.py` of each package, so it imports nothing of LiveProof but its neighbours, runs on
Python 3.8, and has names that no neighbour has.
"""
