"""Files up and down: the cache, resumable uploads, verified downloads."""
