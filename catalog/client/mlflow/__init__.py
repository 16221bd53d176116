"""The MLflow plugin: `modelregistry://host:port?author=ada` as the URI of a model registry.

Every MLflow client works without it. The plugin adds credentials and a CA of the registry's own, an author, and the
upload of a model that `log_model(registered_model_name=...)` leaves in a local folder.
"""
