{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# A pathway triggered by targets: for each target that fired, its column of synapses. Where that changes nothing
   sources are the outer loop, since a row lies together in memory and a column does not. #}
{% extends 'common_synapses.cpp' %}
{% import 'dense_loops.cpp' as loops with context %}
{% block maincode %}
    const size_t _vectorisation_idx = -1;
    {{ loops.events() }}
    if (_first_event == _last_event)
        return;
    {{scalar_code|autoindent}}
    {% if connection.kind == 'one to one' %}
    for (const int32_t *_event = _first_event; _event != _last_event; ++_event)
    {
        const int32_t _target = *_event;
        const int32_t _column = _target - {{connection.post_offset}};
        if (_column >= {{connection.n_synapses}})
            break;
        const int32_t _source = _column + {{connection.pre_offset}};
        {{ loops.body('_column') }}
    }
    {% elif interchange %}
    if (_last_event - _first_event == 1)
    {
        const int32_t _target = *_first_event;
        for (int32_t _row = 0; _row < {{connection.n_pre}}; ++_row)
        {
            const int32_t _source = _row + {{connection.pre_offset}};
            const size_t _row_start = {{ loops.row_start() }};
            {{ loops.column() }}
        }
        return;
    }
    for (int32_t _row = 0; _row < {{connection.n_pre}}; ++_row)
    {
        const int32_t _source = _row + {{connection.pre_offset}};
        const size_t _row_start = {{ loops.row_start() }};
        {{ivdep_interchanged}}
        for (const int32_t *_event = _first_event; _event < _last_event; ++_event)
        {
            const int32_t _target = *_event;
            {{ loops.column() }}
        }
    }
    {% else %}
    for (const int32_t *_event = _first_event; _event != _last_event; ++_event)
    {
        const int32_t _target = *_event;
        {{ivdep}}
        for (int32_t _row = 0; _row < {{connection.n_pre}}; ++_row)
        {
            const int32_t _source = _row + {{connection.pre_offset}};
            const size_t _row_start = {{ loops.row_start() }};
            {{ loops.column() }}
        }
    }
    {% endif %}
{% endblock %}
