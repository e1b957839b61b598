{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# A pathway triggered by sources over runs: for each source that fired, its row. Where that changes nothing for any
   element, rows that reach the same targets run side by side. #}
{% extends 'common_synapses.cpp' %}
{% import 'dense_loops.cpp' as loops with context %}
{% import 'dense_run_loops.cpp' as runs with context %}
{% block maincode %}
    {{ loops.opening() }}
    {{ runs.table('by_source', '_dense_table') }}
    if (_dense_table.in_order && _dense_table.is_short() && _dense_last_event - _dense_first_event == {{n_pre}})
    {
        int32_t _dense_falls = 0;
        for (int32_t _dense_row = 1; _dense_row < {{n_pre}}; ++_dense_row)
            _dense_falls |= _dense_first_event[_dense_row - 1] >= _dense_first_event[_dense_row];
        {{ runs.table('as_made', '_dense_made') }}
        if (!_dense_falls && _dense_made.n_runs() < _dense_table.n_runs())
        {
            {{ runs.all_as_made('_dense_made') }}
            return;
        }
    }
    {{ runs.report('_dense_table') }}
    if (!_dense_table.plain)
    {
        for (const int32_t *_dense_event = _dense_first_event; _dense_event != _dense_last_event; ++_dense_event)
            {{ runs.each_run('_dense_table.row_begin(*_dense_event)', '_dense_table.row_end(*_dense_event)') }}
            {{ runs.stepped_run('_dense_table') }}
        return;
    }
    for (const int32_t *_dense_event = _dense_first_event; _dense_event != _dense_last_event; ++_dense_event)
    {
        const int32_t _dense_row = *_dense_event;
        {% if side_by_side %}
        if (_dense_last_event - _dense_event >= {{together}} && _dense_table.alike(_dense_row, {{apart}})
            {%- for k in range(1, together) %} && _dense_event[{{k}}] == _dense_row + {{k}}{% endfor %})
        {
            {{ runs.rows_together('_dense_table', '_dense_row') }}
            _dense_event += {{together - 1}};
            continue;
        }
        {% endif %}
        {{ runs.each_run('_dense_table.row_begin(_dense_row)', '_dense_table.row_end(_dense_row)') }}
        {{ runs.plain_run() }}
    }
{% endblock %}
