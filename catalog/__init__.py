"""A self-hosted, multitenant catalog of machine-learning models and datasets."""

__version__ = "0.1.0"
