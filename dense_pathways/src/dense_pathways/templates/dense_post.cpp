{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# A pathway triggered by targets: for each target that fired, its column of synapses. Where that changes nothing
   sources are the outer loop, since a row lies together in memory and a column does not. #}
{% extends 'common_synapses.cpp' %}
{% import 'dense_loops.cpp' as loops with context %}
{% block maincode %}
    {{ loops.opening() }}
    {% if connection.kind == 'one to one' %}
    for (const int32_t *_dense_event = _dense_first_event; _dense_event != _dense_last_event; ++_dense_event)
    {
        const int32_t _dense_target = *_dense_event;
        const int32_t _dense_column = _dense_target - {{connection.post_offset}};
        if (_dense_column >= {{connection.n_synapses}})
            break;
        const int32_t _dense_source = _dense_column + {{connection.pre_offset}};
        {{ loops.body('_dense_column') }}
    }
    {% elif interchange %}
    if (_dense_last_event - _dense_first_event == 1)
    {
        const int32_t _dense_target = *_dense_first_event;
        for (int32_t _dense_row = 0; _dense_row < {{connection.n_pre}}; ++_dense_row)
        {
            const int32_t _dense_source = _dense_row + {{connection.pre_offset}};
            const size_t _dense_row_start = {{ loops.row_start() }};
            {{ loops.column() }}
        }
        return;
    }
    for (int32_t _dense_row = 0; _dense_row < {{connection.n_pre}}; ++_dense_row)
    {
        const int32_t _dense_source = _dense_row + {{connection.pre_offset}};
        const size_t _dense_row_start = {{ loops.row_start() }};
        {{ivdep_interchanged}}
        for (const int32_t *_dense_event = _dense_first_event; _dense_event < _dense_last_event; ++_dense_event)
        {
            const int32_t _dense_target = *_dense_event;
            {{ loops.column() }}
        }
    }
    {% else %}
    for (const int32_t *_dense_event = _dense_first_event; _dense_event != _dense_last_event; ++_dense_event)
    {
        const int32_t _dense_target = *_dense_event;
        {{ivdep}}
        for (int32_t _dense_row = 0; _dense_row < {{connection.n_pre}}; ++_dense_row)
        {
            const int32_t _dense_source = _dense_row + {{connection.pre_offset}};
            const size_t _dense_row_start = {{ loops.row_start() }};
            {{ loops.column() }}
        }
    }
    {% endif %}
{% endblock %}
