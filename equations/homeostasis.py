"""Synaptic scaling: each neuron's incoming weights are brought to a target norm, between two steps.

Three strings in this order: every synapse adds to its neuron's sum (an event pathway, so that CUDA adds atomically),
the neuron turns the sum into a factor, every synapse is multiplied by it. The factor is the model's own, as
``scale = ...``; a neuron without any weight keeps none, since its sum is replaced by one, ``int(norm_sum <= 0)``.
"""

SCALED_NEURON = """
    norm_sum : 1                                            # over incoming synapses
    scale : 1                                               # what their weights are multiplied by
"""
ADD_TO_SUM = "norm_sum_post += abs(w)"
CLEAR_SUM = "norm_sum = 0"
