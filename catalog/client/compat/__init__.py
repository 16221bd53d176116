"""Interfaces of other clients, over ours."""
