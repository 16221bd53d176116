"""The interfaces of other clients, built on this one."""

from typing import TYPE_CHECKING

from catalog.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.client.compat import copying as copying
    from catalog.client.compat import kubeflow as kubeflow
    from catalog.client.compat import mlflow as mlflow
    from catalog.client.compat.registry import ModelMetadata, ModelRegistryClient

__all__ = ["ModelMetadata", "ModelRegistryClient"]

__getattr__ = lazy_names(__name__, __all__, ("registry", "copying", "kubeflow", "mlflow"))
