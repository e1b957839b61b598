"""Leaky integrate-and-fire neurons with conductance-based synapses, and adaptive thresholds.

Conductances are relative to the membrane conductance g_m, so that the membrane time constant
tau_m = C_m/g_m is the only membrane constant that remains. Sources: Touda & Okuno, Eqs. 2-4 and 7.
"""

# Touda & Okuno, Eqs. 2 and 3. Eq. 3 prints the driving force as (v - E), with which excitation would
# hyperpolarise; it is E - v here.
MEMBRANE = """
dv/dt = (e_l - v + g_e*(e_exc - v) + g_i*(e_inh - v))/tau_m : volt (unless refractory)  # Eqs. 2, 3
"""

MEMBRANE_EXCITED_ONLY = """
dv/dt = (e_l - v + g_e*(e_exc - v))/tau_m : volt (unless refractory)                    # Eqs. 2, 3
"""

# Touda & Okuno, Eq. 4: a single exponential; spikes of any number of synapses add up in one variable
# because they share tau_s.
EXCITATORY_CONDUCTANCE = "dg_e/dt = -g_e/tau_s : 1                                      # Eq. 4\n"
INHIBITORY_CONDUCTANCE = "dg_i/dt = -g_i/tau_s : 1                                      # Eq. 4\n"

# Touda & Okuno, Eq. 7: THETA_DECAYS once a step, which is the exact solution over it, and THETA_JUMP at a spike.
# Written as a difference, because in float32 a factor of exp(-dt/tau_theta) next to one rounds the decay away.
THRESHOLD = "theta : volt                                                # Eq. 7\n"
THETA_DECAYS = "theta += theta*expm1(-dt/tau_theta)                     # Eq. 7\n"
THETA_JUMP = "theta += theta_plus                                       # Eq. 7\n"

FIRES = "v > v_thresh"
FIRES_ADAPTIVE = "v > v_thresh + theta"
RESET = "v = v_reset\n"
