"""Small files of the formats that the inspection reads. The same random numbers make the same bytes."""

import json
import struct
from random import Random


def safetensors(random: Random, width: int) -> bytes:
    """A network of two layers, with weights of 32 bits."""
    shapes = {"encoder.weight": [width, 4], "encoder.bias": [width], "head.weight": [2, width], "head.bias": [2]}
    tensors: dict[str, object] = {"__metadata__": {"format": "pt"}}
    weights = b""
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        start = len(weights)
        weights += struct.pack(f"<{count}f", *(random.gauss(0, 0.1) for _ in range(count)))
        tensors[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(weights)]}
    header = json.dumps(tensors, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + weights


def trees(random: Random, count: int) -> bytes:
    """An ensemble of decision trees of one split each, as JSON."""
    splits = [
        {"feature": random.randrange(8), "below": round(random.uniform(-2, 2), 4), "leaf": round(random.gauss(0, 1), 4)}
        for _ in range(count)
    ]
    return json.dumps({"objective": "reg:squarederror", "trees": splits}, indent=1).encode()


def table(random: Random, rows: int) -> bytes:
    """Rows of four measurements and a label, as JSON."""
    records = [
        {"values": [round(random.uniform(0, 10), 2) for _ in range(4)], "label": random.randrange(3)}
        for _ in range(rows)
    ]
    return json.dumps(records).encode()


def script(task: str, rate: float) -> bytes:
    """A training script."""
    return f'"""Trains a model for {task}."""\n\nLEARNING_RATE = {rate}\nEPOCHS = 20\n'.encode()
