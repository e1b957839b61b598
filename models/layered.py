"""Networks of layers, each connected to the next: the input, ``hidden_1``, ``hidden_2`` and so on, and the output."""

from __future__ import annotations

from hebbarium.models.contract import Model


class Layered(Model):
    """A model with the parameters ``layers``, ``pixels`` and ``classes``, whose readout is the last layer."""

    layers: tuple[int, ...]
    pixels: int
    classes: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.layers:
            usual = self.parameters()["layers"]
            raise ValueError(f"layers={self.layers}: expected one or more sizes, as in {usual.show(usual.default)}")

    @property
    def hidden(self) -> tuple[str, ...]:
        """Names of the hidden populations, from the input on."""
        return tuple(f"hidden_{k}" for k in range(1, len(self.layers) + 1))

    @property
    def _sizes(self) -> dict[str, int]:
        """Neurons of each layer, from below."""
        return {"input": self.pixels, **dict(zip(self.hidden, self.layers, strict=True)), self.readout: self.classes}
