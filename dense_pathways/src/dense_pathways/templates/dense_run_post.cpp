{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# A pathway triggered by targets over runs: for each target that fired, its column of synapses. #}
{% extends 'common_synapses.cpp' %}
{% import 'dense_loops.cpp' as loops with context %}
{% import 'dense_run_loops.cpp' as runs with context %}
{% block maincode %}
    {{ loops.opening() }}
    {{ runs.table('by_target', '_dense_table') }}
    {{ runs.report('_dense_table') }}
    for (const int32_t *_dense_event = _dense_first_event; _dense_event != _dense_last_event; ++_dense_event)
        {{ runs.each_run('_dense_table.row_begin(*_dense_event)', '_dense_table.row_end(*_dense_event)') }}
        {{ runs.stepped_run('_dense_table') }}
{% endblock %}
