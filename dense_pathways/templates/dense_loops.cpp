{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# The loops that take the place of lists of indices. Inside one, _source and _target are the numbers of the neurons
   in their groups, and _idx is the number of the synapse. #}

{# The events of this step that lie in the group that triggers, which may be a part of the one that fired. #}
{% macro events() %}
    const int32_t *_first_event = {{eventspace}};
    const int32_t *_last_event = _first_event + {{eventspace}}[{{eventspace_size}}];
    {% if part %}
    _first_event = std::lower_bound(_first_event, _last_event, (int32_t){{part[0]}});
    _last_event = std::lower_bound(_first_event, _last_event, (int32_t){{part[1]}});
    {% endif %}
{% endmacro %}

{% macro row_start() %}
{% if connection.kind == 'all to all but oneself' %}
(size_t)_row*{{connection.n_post}} - std::min(_row, (int32_t){{connection.n_post}})
{%- else %}
(size_t)_row*{{connection.n_post}}
{%- endif %}
{% endmacro %}

{% macro body(number, after='') %}
        const size_t _idx = {{number}}, _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        {{after}}
{% endmacro %}

{# One synapse, of _row and _target. #}
{% macro column() %}
            const int32_t _column = _target - {{connection.post_offset}};
            {% if connection.kind == 'all to all but oneself' %}
            if (_column == _row)
                continue;
            {{ body('_row_start + _column - (_column > _row)') }}
            {% else %}
            {{ body('_row_start + _column') }}
            {% endif %}
{% endmacro %}

{% macro _segment(begin, end, shift, after) %}
        {{ivdep}}
        for (int32_t _column = {{begin}}; _column < {{end}}; ++_column)
        {
            const int32_t _target = _column + {{connection.post_offset}};
            {{ body('_row_start + _column' ~ shift, after) }}
        }
{% endmacro %}

{# All synapses of one source. #}
{% macro row(number, after='') %}
        const int32_t _row_number = {{number}};
    {% if connection.kind == 'one to one' %}
        if (_row_number < {{connection.n_synapses}})
        {
            const int32_t _target = _row_number + {{connection.post_offset}};
            {{ body('_row_number', after) }}
        }
    {% elif connection.kind == 'all to all but oneself' %}
        const int32_t _self = std::min(_row_number, (int32_t){{connection.n_post}});
        const size_t _row_start = (size_t)_row_number*{{connection.n_post}} - _self;
        {{ _segment('0', '_self', '', after) }}
        {{ _segment('_self + 1', connection.n_post, ' - 1', after) }}
    {% else %}
        const size_t _row_start = (size_t)_row_number*{{connection.n_post}};
        {{ _segment('0', connection.n_post, '', after) }}
    {% endif %}
{% endmacro %}

{# How many synapses each neuron of one side has. #}
{% macro lengths(array, offset, neurons, others) %}
    for (int32_t _neuron = 0; _neuron < {{neurons}}; ++_neuron)
        {{array}}[_neuron + {{offset}}] +=
    {%- if connection.kind == 'one to one' %} 1;
    {%- elif connection.kind == 'all to all but oneself' %} {{others}} - (_neuron < {{others}});
    {%- else %} {{others}};
    {%- endif %}

{% endmacro %}
