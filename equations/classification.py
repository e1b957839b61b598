"""A layer with one neuron a class: probabilities of the classes, and the error that a label makes of them."""

from __future__ import annotations

# Of a potential v: between all neurons of the layer, each with itself too. A difference is at most as large as an
# exponential bears, or the neuron's probability is zero.
SOFTMAX = "partition_post += exp(v_pre - v_post)"
PARTITION = "partition : 1                                          # the sum of exp(v - v of this neuron)"
# The derivative of the cross-entropy with regard to v.
CROSS_ENTROPY = "error = 1/partition - int(i == labels(t))"
