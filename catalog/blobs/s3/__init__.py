"""Blobs as objects of an S3-compatible store: `<prefix>/<tenant>/<first two hex>/<sha256>`.

An object appears whole or not at all, so the name of a digest does too. Large files that are being received are in
`<tenant>/incoming/`, uploads in parts are in `<tenant>/uploads/`, as objects named by their offset.
"""
