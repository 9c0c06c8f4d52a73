"""Mutation testing: mutmut plants bugs in the modules whose rules are promises, and the tests meant for each find them.

`modules.yaml` says which tests are meant for which module, `results` which mutants nothing finds, and why not.
"""
