{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# The loops that take the place of lists of indices. Inside one, _dense_source and _dense_target are the numbers of
   the neurons in their groups, and _idx is the number of the synapse. Whatever is declared here or in the templates
   beside this one begins with _dense: Brian2 lets a constant of the user be called _row. #}

{# The events of this step that lie in the group that triggers, which may be a part of the one that fired. #}
{% macro events() %}
    const int32_t *_dense_first_event = {{eventspace}};
    const int32_t *_dense_last_event = _dense_first_event + {{eventspace}}[{{eventspace_size}}];
    {% if part %}
    _dense_first_event = std::lower_bound(_dense_first_event, _dense_last_event, (int32_t){{part[0]}});
    _dense_last_event = std::lower_bound(_dense_first_event, _dense_last_event, (int32_t){{part[1]}});
    {% endif %}
{% endmacro %}

{# What a pathway begins with: its events, and what is computed once for all of them. Where there are none nothing is
   computed, unless a function is called in it. #}
{% macro opening() %}
    const size_t _vectorisation_idx = -1;
    {{ events() }}
    {% if calls %}
    {{scalar_code|autoindent}}
    {% endif %}
    if (_dense_first_event == _dense_last_event)
        return;
    {% if not calls %}
    {{scalar_code|autoindent}}
    {% endif %}
{% endmacro %}

{% macro row_start() %}
{% if connection.kind == 'all to all but oneself' %}
(size_t)_dense_row*{{connection.n_post}} - std::min(_dense_row, (int32_t){{connection.n_post}})
{%- else %}
(size_t)_dense_row*{{connection.n_post}}
{%- endif %}
{% endmacro %}

{% macro body(number, after='') %}
        const size_t _idx = {{number}}, _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        {{after}}
{% endmacro %}

{# One synapse, of _dense_row and _dense_target. #}
{% macro column() %}
            const int32_t _dense_column = _dense_target - {{connection.post_offset}};
            {% if connection.kind == 'all to all but oneself' %}
            if (_dense_column == _dense_row)
                continue;
            {{ body('_dense_row_start + _dense_column - (_dense_column > _dense_row)') }}
            {% else %}
            {{ body('_dense_row_start + _dense_column') }}
            {% endif %}
{% endmacro %}

{% macro _segment(begin, end, shift, after) %}
        {{ivdep}}
        for (int32_t _dense_column = {{begin}}; _dense_column < {{end}}; ++_dense_column)
        {
            const int32_t _dense_target = _dense_column + {{connection.post_offset}};
            {{ body('_dense_row_start + _dense_column' ~ shift, after) }}
        }
{% endmacro %}

{# All synapses of one source. #}
{% macro row(number, after='') %}
        const int32_t _dense_row_number = {{number}};
    {% if connection.kind == 'one to one' %}
        if (_dense_row_number < {{connection.n_synapses}})
        {
            const int32_t _dense_target = _dense_row_number + {{connection.post_offset}};
            {{ body('_dense_row_number', after) }}
        }
    {% elif connection.kind == 'all to all but oneself' %}
        const int32_t _dense_self = std::min(_dense_row_number, (int32_t){{connection.n_post}});
        const size_t _dense_row_start = (size_t)_dense_row_number*{{connection.n_post}} - _dense_self;
        {{ _segment('0', '_dense_self', '', after) }}
        {{ _segment('_dense_self + 1', connection.n_post, ' - 1', after) }}
    {% else %}
        const size_t _dense_row_start = (size_t)_dense_row_number*{{connection.n_post}};
        {{ _segment('0', connection.n_post, '', after) }}
    {% endif %}
{% endmacro %}

{# How many synapses each neuron of one side has. #}
{% macro lengths(array, offset, neurons, others) %}
    for (int32_t _dense_neuron = 0; _dense_neuron < {{neurons}}; ++_dense_neuron)
        {{array}}[_dense_neuron + {{offset}}] +=
    {%- if connection.kind == 'one to one' %} 1;
    {%- elif connection.kind == 'all to all but oneself' %} {{others}} - (_dense_neuron < {{others}});
    {%- else %} {{others}};
    {%- endif %}

{% endmacro %}
