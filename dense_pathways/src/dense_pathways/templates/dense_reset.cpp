{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# What an event does to its neuron. An event of all neurons needs no list of them.
   USES_VARIABLES { N } #}
{% extends 'reset.cpp' %}
{% import 'dense_elements.cpp' as elements with context %}
{% block maincode %}
{% if at_once %}
{% set _events = get_array_name(eventspace_variable) %}
    const int32_t *_dense_fired = {{_events}};
    const int32_t _dense_n_fired = {{_events}}[N];
    const size_t _vectorisation_idx = -1;
    {% if calls %}
    {{scalar_code|autoindent}}
    {% endif %}
    if (_dense_n_fired == 0)
        return;
    {% if not calls %}
    {{scalar_code|autoindent}}
    {% endif %}
    {% if not is_spike %}
    if (_dense_n_fired == N)
    {
    {{ elements.over('N', '') }}
    }
    else
    {% endif %}
    {
    {{ elements.over('_dense_n_fired', '_dense_fired[') }}
    }
{% else %}
{{ super() }}
{% endif %}
{% endblock %}
