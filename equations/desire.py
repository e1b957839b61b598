"""Desire backpropagation: ternary desires find their way from the labels to every neuron, and guide STDP.

Source: Gerlinghoff et al., Eqs. 1 and 3-16. Where the authors' code differs from the paper, each has its own
string: ``PAPER`` and ``CODE`` are the two readings.

A neuron's spike train is kept as the binary digits of one number, `train`: doubled at every step and raised by
one at a spike, it can be read back digit by digit. Digits, not traces, are kept while spikes come in, because a
layer's desire is known only once the whole train is.
"""

PAPER, CODE = "paper", "code"

# -- the forward pass ------------------------------------------------------------------------------------------
# An integrate-and-fire neuron without leak. Potential and threshold are counted in pixel levels: whole numbers,
# so that no spike comes a step too late because brightnesses of 1/255 do not add up (Section 5.1).
ENCODER = """
level : 1                                                       # the pixel
v : 1                                                           # membrane potential, in pixel levels
"""
ENCODER_STEP = "v += level\n"  # beta_p = 1
ENCODER_RESET = "v -= white\n"
ENCODER_FIRES = {PAPER: "v > white", CODE: "v >= white"}
ENCODER_SWITCH = "level = {levels}(t, i)\nv = 0\n"

# `drive` gathers the weights of the spikes that came in; {dropped} is the dropout rate of the layer below.
MEMBRANE = """
v : 1                                                           # membrane potential p of Eq. 1
drive : 1                                                       # sum over i of w_oi s_i
"""
CLEAR_MEMBRANE = "v = 0\ndrive = 0\n"
# Eq. 16, and Eq. 1 without dropout: the threshold that a spike takes off does not decay.
OWED = "owed : 1                                                # theta_p s_o of Eq. 1\n"
CLEAR_OWED = "owed = 0\n"
MEMBRANE_STEP = {
    PAPER: "v = beta_p*v + drive/(1 - {dropped}) - owed\ndrive = 0\nowed = 0\n",
    CODE: "v = beta_p*v + drive/(1 - {dropped})\ndrive = 0\n",
}
MEMBRANE_STEP_WHOLE = {
    PAPER: "v = beta_p*v + drive - owed\ndrive = 0\nowed = 0\n",
    CODE: "v = beta_p*v + drive\ndrive = 0\n",
}
FIRES = {PAPER: "v > theta_p", CODE: "v >= theta_p"}
RESET = {PAPER: "owed = theta_p\n", CODE: "v -= theta_p\n"}
TRANSMIT = "drive_post += w\n"

# Dropout (Section 4.3): a neuron that is left out of a sample neither fires nor learns nor passes errors on.
KEPT = "kept : 1                                                # m of Eq. 16\n"
DRAW_KEPT = "kept = int(rand() >= {dropped})\n"
FIRES_IF_KEPT = " and kept > 0"

# -- spike trains and traces -----------------------------------------------------------------------------------
TRAIN = """
train : 1                                                       # the spike train in binary digits
n_spikes : 1                                                    # spikes of this sample
"""
TRAIN_STEP = "train += train\n"
TRAIN_SPIKE = "train += 1\nn_spikes += 1\n"
CLEAR_TRAIN = "train = 0\nn_spikes = 0\n"
# Reading begins with the train as a fraction: `span` is the number one beyond the largest train.
READ = "train = train/span\n"


def digits(steps: int) -> str:
    """Variables for the spikes of each step."""
    return "".join(f"s_{k} : 1\n" for k in range(steps))


def traces(steps: int) -> str:
    """Variables for the trace at each step."""
    return "".join(f"r_{k} : 1\n" for k in range(steps))


def read_digits(steps: int) -> str:
    """``s_k`` from the digits of the train, which is used up."""
    return READ + "".join(f"train += train\ns_{k} = int(train >= 1)\ntrain -= s_{k}\n" for k in range(steps))


def traces_of_digits(steps: int) -> str:
    """``r_k`` from ``s_k`` (Eq. 3)."""
    return "r_0 = s_0\n" + "".join(f"r_{k} = beta_r*r_{k - 1} + s_{k}\n" for k in range(1, steps))


def read_traces(steps: int) -> str:
    """``r_k`` from the digits of the train (Eq. 3), which is used up."""
    lines = ["train += train\nr_0 = int(train >= 1)\ntrain -= int(train >= 1)\n"]
    lines += [
        f"train += train\nr_{k} = beta_r*r_{k - 1} + int(train >= 1)\ntrain -= int(train >= 1)\n"
        for k in range(1, steps)
    ]
    return READ + "".join(lines)


def update(steps: int, lag: int = 0) -> str:
    """The change of a weight over a whole sample: Eq. 4, summed over its steps.

    Parameters
    ----------
    steps : int
        Steps of a sample.
    lag : int
        How many steps ago the trace is read. The code's layers, except the first, are given the spikes of the step
        before and trace what they are given.
    """
    terms = " + ".join(f"s_{k}_post*r_{k - lag}_pre" for k in range(lag, steps))
    return f"w += push_post*({terms})\n"


# The same as spikes would carry it out one by one, for counting operations: a trace steps on; each output spike
# gathers it; the sum, times the rate of learning and the desire, is the change. Digits are not multiplied.
TRACE_STEP = "r = beta_r*r + s                                        # Eq. 3\n"
GATHER = "gathered += r_pre                                       # s_o r_i of Eq. 4\n"
CHANGE = "w += push_post*gathered                                 # Eq. 4\n"
COUNT_SPIKE = "n_spikes += 1\n"

# -- the backward pass -----------------------------------------------------------------------------------------
DESIRE = """
desire : 1                                                      # d: +1 ought to fire, -1 ought not, 0 indifferent
error : 1                                                       # e of Eq. 14
push : 1                                                        # d eta of Eq. 4
"""
HIDDEN = "pull : 1                                              # sum over h of w_hg e_h: the gradient of Eq. 13\n"
CLEAR_DESIRE = "desire = 0\nerror = 0\n"
CLEAR_HIDDEN = "pull = 0\n"
# What the neurons above would have a neuron do is asked of those that can learn or pass it on.
BACKWARD = "pull_pre += w*error_post                            # Eq. 13\n"
DESIRES = "desire != 0"
OUTPUTS_HAVE_DESIRES = "wanted_out > 0"
ASKS = "wanted > 0 and kept > 0"
ELIGIBLE = "wanted > 0 and n_spikes > 0"

# A train is `full` when it has as many spikes as a desire of +1 asks for. Errors are compared in spikes: shares of
# spikes, in binary, would decide ties between an error and its threshold by their rounding.
FULL = {PAPER: "full = sample_steps\n", CODE: "full = sample_steps - margin\n"}
OUTPUT_DESIRE = {
    # Eqs. 5 and 11
    PAPER: """
excess = n_spikes - full*int(i == {labels}(t))
desire = -sign(excess)*int(abs(excess) > theta_out*full)
""",
    # the neuron of the class is pushed up alone, all others down alone
    CODE: """
target = int(i == {labels}(t))
desire = target*int(full - n_spikes > theta_out*full) - (1 - target)*int(n_spikes > theta_out*full)
""",
}
HIDDEN_DESIRE = {
    PAPER: "desire = -sign(pull)*int(abs(pull) > theta_hid)*kept    # Eq. 15\n",
    CODE: "desire = -sign(pull)*int(abs(pull) >= theta_hid)*kept   # Eq. 15\n",
}
ERROR = {
    PAPER: "error = (n_spikes/full - (desire + 1)/two)*abs(desire)  # Eq. 14\n",
    # what is passed back has the sign of the desire, even where a neuron fires more than its target
    CODE: "error = -desire*abs((desire + 1)/two - n_spikes/full)\n",
}
PUSH = "push = {rates}(t)*desire\n"

# One neuron a layer counts the desires of it, so that the layer below does nothing where there are none.
TALLY = "wanted : 1                                             # desires of the layer other than zero\n"
COUNT_DESIRE = "wanted_post += 1\n"
CLEAR_TALLY = "wanted = 0\n"
TALLY_OF_LAYER_ABOVE = "wanted : 1 (linked)\n"
TALLY_OF_OUTPUTS = "wanted_out : 1 (linked)\n"
