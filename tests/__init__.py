"""The specification of the package, as tests."""
