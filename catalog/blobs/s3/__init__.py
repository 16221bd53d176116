"""Blobs as objects of an S3-compatible store: `<prefix>/<tenant>/<first two hex>/<sha256>`.

An object appears whole or not at all, so the name of a digest does too. What is on its way in
stands in `<tenant>/incoming/` and `<tenant>/uploads/`, in pieces named by their offset.
"""
