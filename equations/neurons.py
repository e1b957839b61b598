"""Leaky integrate-and-fire neurons with conductance-based synapses, and adaptive thresholds.

Conductances are relative to the membrane conductance g_m, so that the membrane time constant
tau_m = C_m/g_m is the only membrane constant that remains. Sources: Touda & Okuno, Eqs. 2-4 and 7; Hao et al.,
Eqs. 1-5 (the same membrane equation, Eq. 1); Diehl & Cook, 2015.
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

# Hao et al., Eqs. 2 and 3, and Diehl & Cook: conductances with time constants of their own, stepped once a step after
# use, which is their exact solution whatever the membrane is integrated with.
CONDUCTANCE_E = "g_e : 1                                                     # Eq. 2\n"
CONDUCTANCE_I = "g_i : 1                                                     # Eq. 3\n"
G_E_DECAYS = "g_e *= exp(-dt/tau_ge)                                  # Eq. 2\n"
G_I_DECAYS = "g_i *= exp(-dt/tau_gi)                                  # Eq. 3\n"
# The exact solution never leaves the reversal potentials; a forward Euler step does when many spikes coincide.
CLAMP = "v = clip(v, e_inh, e_exc)\n"
CLAMP_EXCITED_ONLY = "v = clip(v, e_least, e_exc)\n"

# What n_jumped steps without input come to: conductances have gone, and the potential relaxes.
V_OVER_REST = {
    "euler": "v = e_l + (v - e_l)*(1 - dt/tau_m)**n_jumped\n",
    "exponential_euler": "v = e_l + (v - e_l)*exp(-n_jumped*dt/tau_m)\n",
}
G_E_OVER_REST = "g_e *= exp(-n_jumped*dt/tau_ge)\n"
G_I_OVER_REST = "g_i *= exp(-n_jumped*dt/tau_gi)\n"
THETA_OVER_REST = "theta += theta*expm1(-n_jumped*dt/tau_theta)\n"

# Hao et al., Eq. 5: the rise of the threshold falls with the threshold.
THETA_JUMP_DECAYING = "theta += theta_plus*theta_init/abs(2*theta - theta_init)    # Eq. 5\n"

FIRES = "v > v_thresh"
FIRES_ADAPTIVE = "v > v_thresh + theta"
# The same with a dead time, over which the potential moves but no spike comes; dt/2 is for the rounding of times.
FIRES_AFTER_DEAD_TIME = FIRES_ADAPTIVE + " and t - lastspike > t_dead + dt/2"
RESET = "v = v_reset\n"
